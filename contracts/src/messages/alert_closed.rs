//! A person closed an alert.

pub use v1::*;

pub mod v1 {
    use super::super::alert::v1::AlertSnapshot;
    use crate::envelope::Message;
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
    pub struct AlertClosed {
        pub alert: AlertSnapshot,
        /// Who closed it.
        pub closed_by: String,
    }

    impl Message for AlertClosed {
        const NAME: &'static str = "alert_closed";
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
