//! A query run was handed to the engine.

pub use v1::*;

pub mod v1 {
    use super::super::query_requested::v1::QueryRequested;
    use crate::envelope::Message;
    use crate::ids::EngineQueryId;
    use crate::time::Instant;
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
    pub struct QueryStarted {
        pub request: QueryRequested,
        pub engine_query_id: EngineQueryId,
        pub started_at: Instant,
    }

    impl Message for QueryStarted {
        const NAME: &'static str = "query_started";
        const VERSION: u32 = 1;

        fn subject(&self) -> String {
            self.request.query_run_id.to_string()
        }

        fn identity(&self) -> Vec<String> {
            vec![self.request.query_run_id.to_string(), self.engine_query_id.to_string()]
        }
    }
}
