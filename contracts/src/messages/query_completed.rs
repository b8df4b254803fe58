//! A query run succeeded and every match it found was published.

pub use v1::*;

pub mod v1 {
    use super::super::query_requested::v1::QueryRequested;
    use crate::envelope::Message;
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
    pub struct QueryCompleted {
        pub request: QueryRequested,
        pub n_rows: u64,
        pub n_matches: u64,
        pub scanned_bytes: u64,
        pub duration_ms: u64,
    }

    impl Message for QueryCompleted {
        const NAME: &'static str = "query_completed";
        const VERSION: u32 = 1;

        fn subject(&self) -> String {
            self.request.query_run_id.to_string()
        }

        fn identity(&self) -> Vec<String> {
            vec![self.request.query_run_id.to_string()]
        }
    }
}
