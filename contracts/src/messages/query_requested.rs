//! A rule is to be judged over one window.

pub use v1::*;

pub mod v1 {
    use crate::envelope::Message;
    use crate::ids::{QueryRunId, RuleId, RuleVersion};
    use crate::time::{Instant, TimeWindow};
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
    pub struct QueryRequested {
        /// Derived from rule, version, window and attempt.
        pub query_run_id: QueryRunId,
        pub rule_id: RuleId,
        pub rule_version: RuleVersion,
        /// Span of ingestion time to judge.
        pub window: TimeWindow,
        /// Event times the window's events lie in (closed): the bound for pruning partitions.
        pub event_from: Instant,
        pub event_to: Instant,
        /// 1 for the first try.
        pub attempt: u32,
    }

    impl Message for QueryRequested {
        const NAME: &'static str = "query_requested";
        const VERSION: u32 = 1;

        fn subject(&self) -> String {
            self.query_run_id.to_string()
        }

        fn identity(&self) -> Vec<String> {
            vec![self.query_run_id.to_string()]
        }
    }
}
