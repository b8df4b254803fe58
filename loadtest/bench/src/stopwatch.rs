//! Wall time and processor time of this process.

use serde::Serialize;
use std::time::Instant;

/// The kernel counts in hundredths of a second, whatever the machine.
const TICKS_PER_SECOND: f64 = 100.0;

#[derive(Debug, Clone, Copy, Serialize, PartialEq)]
pub(crate) struct Elapsed {
    pub(crate) wall_s: f64,
    /// Of all threads. Absent where the kernel does not say.
    pub(crate) cpu_s: Option<f64>,
}

impl Elapsed {
    /// The time that is worth comparing: the processor's where it is known.
    pub(crate) fn busy_s(&self) -> f64 {
        self.cpu_s.unwrap_or(self.wall_s)
    }
}

pub(crate) struct Stopwatch {
    wall: Instant,
    cpu_s: Option<f64>,
}

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self { wall: Instant::now(), cpu_s: process_cpu_s() }
    }

    pub(crate) fn elapsed(&self) -> Elapsed {
        let cpu_s = self.cpu_s.zip(process_cpu_s()).map(|(before, now)| now - before);
        Elapsed { wall_s: self.wall.elapsed().as_secs_f64(), cpu_s }
    }
}

fn process_cpu_s() -> Option<f64> {
    parse_cpu_s(&std::fs::read_to_string("/proc/self/stat").ok()?)
}

/// User and system time are the 14th and 15th field; the second may hold spaces, and ends at the last parenthesis.
fn parse_cpu_s(stat: &str) -> Option<f64> {
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let (user, system): (f64, f64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some((user + system) / TICKS_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use super::parse_cpu_s;

    #[test]
    fn times_are_found_behind_a_name_with_spaces() {
        let stat = "12 (a b) c) S 1 1 1 0 -1 4194304 100 0 0 0 250 50 7 7 20 0 1 0 5 6 7";
        assert_eq!(parse_cpu_s(stat), Some(3.0));
    }
}
