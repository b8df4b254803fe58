//! An alert with what is known about its entities.

pub use v1::*;

pub mod v1 {
    use super::super::alert::v1::AlertSnapshot;
    use crate::envelope::Message;
    use crate::ids::AlertId;
    use crate::time::Instant;
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};
    use std::collections::BTreeMap;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
    pub struct AlertEnriched {
        pub alert: AlertSnapshot,
        pub context: AlertContext,
    }

    #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
    pub struct AlertContext {
        pub entities: Vec<Entity>,
        /// Other alerts that name one of the entities, newest first; at most 20.
        pub related: Vec<RelatedAlert>,
        /// How many other alerts named one of the entities in the 24 hours before this one opened.
        pub n_related_24h: u64,
    }

    #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "snake_case")]
    pub enum EntityKind {
        Address,
        Principal,
        Account,
        Host,
        Other,
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
    pub struct Entity {
        pub kind: EntityKind,
        pub value: String,
        /// What is known: `address_class`, `country`, `asn`, and the columns of the user's own table.
        #[serde(default)]
        pub facts: BTreeMap<String, String>,
    }

    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
    pub struct RelatedAlert {
        pub alert_id: AlertId,
        pub title: String,
        pub opened_at: Instant,
    }

    impl Message for AlertEnriched {
        const NAME: &'static str = "alert_enriched";
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
