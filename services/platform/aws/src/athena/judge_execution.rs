//! What Athena says of an execution → the status of the query.

use super::query_ref::QueryRef;
use aws_sdk_athena::types::{QueryExecution, QueryExecutionState, QueryExecutionStatus};
use mantissa_contracts::messages::FailureKind;
use mantissa_ports::{QueryStats, QueryStatus};
use std::time::Duration;

/// Categories of Athena's errors: 1 is the system's, 2 the query's, 3 another's.
const OF_THE_QUERY: i32 = 2;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Judgement {
    Is(QueryStatus),
    /// It is to be stopped, and has failed of this.
    Overdue(QueryStatus),
}

/// `now_s` is the current time in seconds since 1970, as Athena counts.
pub(super) fn judge(execution: &QueryExecution, query: &QueryRef, now_s: f64) -> Judgement {
    let Some(status) = execution.status() else { return Judgement::Is(QueryStatus::Unknown) };
    let ran_for = ran_for(status, now_s);
    let overdue = || QueryStatus::Failed {
        kind: FailureKind::Transient,
        reason: format!("still running after {:?}", query.timeout),
    };
    Judgement::Is(match status.state() {
        Some(QueryExecutionState::Queued | QueryExecutionState::Running) if ran_for >= query.timeout => {
            return Judgement::Overdue(overdue());
        }
        Some(QueryExecutionState::Queued) => QueryStatus::Queued,
        Some(QueryExecutionState::Running) => QueryStatus::Running,
        // Also where it ended while it was being stopped: what was once said to have failed stays failed.
        Some(QueryExecutionState::Succeeded) if ran_for >= query.timeout => overdue(),
        Some(QueryExecutionState::Succeeded) => QueryStatus::Succeeded(stats_of(execution)),
        Some(QueryExecutionState::Failed) => QueryStatus::Failed { kind: kind_of(status), reason: reason_of(status) },
        // The workgroup's limit of bytes cancels; a second try would scan as much.
        Some(QueryExecutionState::Cancelled) if reason_of(status).contains("Bytes scanned limit") => {
            QueryStatus::Failed { kind: FailureKind::Permanent, reason: reason_of(status) }
        }
        // Stopped by us, at its timeout.
        Some(QueryExecutionState::Cancelled) if ran_for >= query.timeout => overdue(),
        Some(QueryExecutionState::Cancelled) => QueryStatus::Cancelled,
        _ => QueryStatus::Failed { kind: FailureKind::Transient, reason: reason_of(status) },
    })
}

fn ran_for(status: &QueryExecutionStatus, now_s: f64) -> Duration {
    let Some(submitted) = status.submission_date_time() else { return Duration::ZERO };
    let until = status.completion_date_time().map_or(now_s, aws_sdk_athena::primitives::DateTime::as_secs_f64);
    Duration::try_from_secs_f64(until - submitted.as_secs_f64()).unwrap_or_default()
}

/// Rows are counted elsewhere: Athena does not say.
fn stats_of(execution: &QueryExecution) -> QueryStats {
    let statistics = execution.statistics();
    let count = |value: Option<i64>| value.and_then(|value| u64::try_from(value).ok()).unwrap_or_default();
    QueryStats {
        n_rows: 0,
        scanned_bytes: count(statistics.and_then(|statistics| statistics.data_scanned_in_bytes())),
        duration_ms: count(statistics.and_then(|statistics| statistics.total_execution_time_in_millis())),
    }
}

fn kind_of(status: &QueryExecutionStatus) -> FailureKind {
    match status.athena_error() {
        Some(error) if error.retryable() => FailureKind::Transient,
        Some(error) if error.error_category() == Some(OF_THE_QUERY) => FailureKind::Permanent,
        Some(_) => FailureKind::Transient,
        None => FailureKind::Permanent,
    }
}

fn reason_of(status: &QueryExecutionStatus) -> String {
    let said = status.state_change_reason().or_else(|| status.athena_error().and_then(|error| error.error_message()));
    said.unwrap_or("Athena does not say why").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_athena::primitives::DateTime;
    use aws_sdk_athena::types::AthenaError;

    const TIMEOUT_S: u64 = 60;

    fn query() -> QueryRef {
        QueryRef { execution_id: "e".to_owned(), max_rows: 10, timeout: Duration::from_secs(TIMEOUT_S) }
    }

    fn execution(state: QueryExecutionState, reason: Option<&str>, error: Option<AthenaError>) -> QueryExecution {
        let status = QueryExecutionStatus::builder()
            .state(state)
            .set_state_change_reason(reason.map(str::to_owned))
            .submission_date_time(DateTime::from_secs(1000))
            .set_athena_error(error)
            .build();
        QueryExecution::builder().status(status).build()
    }

    fn failed(error: Option<AthenaError>) -> FailureKind {
        match judge(&execution(QueryExecutionState::Failed, Some("why"), error), &query(), 1001.0) {
            Judgement::Is(QueryStatus::Failed { kind, reason }) if reason == "why" => kind,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn failures_of_the_query_are_permanent_and_those_of_athena_are_not() {
        let error =
            |category, retryable| Some(AthenaError::builder().error_category(category).retryable(retryable).build());
        assert_eq!(failed(error(2, false)), FailureKind::Permanent);
        assert_eq!(failed(error(2, true)), FailureKind::Transient);
        assert_eq!(failed(error(1, false)), FailureKind::Transient);
        assert_eq!(failed(None), FailureKind::Permanent);
    }

    #[test]
    fn query_past_its_timeout_is_stopped_and_stays_failed() {
        let running = execution(QueryExecutionState::Running, None, None);
        assert_eq!(judge(&running, &query(), 1059.0), Judgement::Is(QueryStatus::Running));
        let Judgement::Overdue(overdue) = judge(&running, &query(), 1060.0) else { panic!("not overdue") };
        let stopped = execution(QueryExecutionState::Cancelled, None, None);
        let mut status = stopped.status().unwrap().clone();
        status.completion_date_time = Some(DateTime::from_secs(1061));
        let stopped = QueryExecution::builder().status(status).build();
        assert_eq!(judge(&stopped, &query(), 5000.0), Judgement::Is(overdue));
    }

    #[test]
    fn cancelled_before_its_time_is_cancelled_and_at_the_limit_of_bytes_it_failed() {
        let cancelled = |reason| execution(QueryExecutionState::Cancelled, Some(reason), None);
        assert_eq!(judge(&cancelled("by a person"), &query(), 1001.0), Judgement::Is(QueryStatus::Cancelled));
        let limit = judge(&cancelled("Query cancelled! : Bytes scanned limit was exceeded"), &query(), 1001.0);
        assert!(matches!(limit, Judgement::Is(QueryStatus::Failed { kind: FailureKind::Permanent, .. })), "{limit:?}");
    }
}
