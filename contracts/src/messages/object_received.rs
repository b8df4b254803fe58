//! A raw log object is there to be ingested.

pub use v1::*;

pub mod v1 {
    use crate::envelope::Message;
    use crate::time::Instant;
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
    pub struct ObjectReceived {
        /// Where the object is: a path on one machine, `s3://bucket/key` on AWS.
        pub location: String,
        /// ETag or modification stamp: a changed object is a new object.
        pub etag: String,
        pub size_bytes: u64,
        pub received_at: Instant,
        /// `auto`, or the name of a log source: `cloudtrail`, `vpc_flow`, `guardduty`, `application`.
        pub source: String,
    }

    impl Message for ObjectReceived {
        const NAME: &'static str = "object_received";
        const VERSION: u32 = 1;

        fn subject(&self) -> String {
            self.location.clone()
        }

        fn identity(&self) -> Vec<String> {
            vec![self.location.clone(), self.etag.clone()]
        }
    }
}
