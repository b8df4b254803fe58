//! The contract of the Clock port.

use crate::Clock;
use mantissa_contracts::time::to_millis;

#[macro_export]
macro_rules! clock_conformance {
    ($($how:tt)*) => {
        $crate::conformance_tests! { clock, [$($how)*],
            time_has_millisecond_precision
        }
    };
}

pub async fn time_has_millisecond_precision(clock: &dyn Clock) {
    for _ in 0..100 {
        let now = clock.now();
        assert_eq!(now, to_millis(now));
        tokio::task::yield_now().await;
    }
}
