//! A query run failed, so its window is not judged.

pub use v1::*;

pub mod v1 {
    use super::super::query_requested::v1::QueryRequested;
    use crate::envelope::Message;
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "snake_case")]
    pub enum FailureKind {
        /// Trying again may help: the engine was busy, the machine restarted.
        Transient,
        /// Trying again as it is cannot help: the rule does not compile, the result is too large.
        Permanent,
    }

    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
    pub struct RuleFailed {
        pub request: QueryRequested,
        pub kind: FailureKind,
        pub reason: String,
    }

    impl Message for RuleFailed {
        const NAME: &'static str = "rule_failed";
        const VERSION: u32 = 1;

        fn subject(&self) -> String {
            self.request.rule_id.to_string()
        }

        fn identity(&self) -> Vec<String> {
            vec![self.request.query_run_id.to_string()]
        }
    }
}
