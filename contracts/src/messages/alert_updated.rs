//! An alert changed: a match was attached, its severity rose, a person acknowledged it.

pub use v1::*;

pub mod v1 {
    use super::super::alert::v1::AlertSnapshot;
    use crate::envelope::Message;
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "snake_case")]
    pub enum AlertUpdateReason {
        MatchAttached,
        SeverityRaised,
        Acknowledged,
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
    pub struct AlertUpdated {
        pub alert: AlertSnapshot,
        pub reason: AlertUpdateReason,
    }

    impl Message for AlertUpdated {
        const NAME: &'static str = "alert_updated";
        const VERSION: u32 = 1;

        fn subject(&self) -> String {
            self.alert.alert_id.to_string()
        }

        fn identity(&self) -> Vec<String> {
            vec![self.alert.alert_id.to_string(), self.alert.revision.to_string()]
        }

        fn attributes(&self) -> Vec<(&'static str, String)> {
            self.alert.attributes()
        }
    }
}
