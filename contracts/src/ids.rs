//! The ids of everything that has one. Ids of facts are derived from what they are about (UUIDv5), so the
//! same input gives the same id however often, and on whichever machine, it is handled.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

/// Namespace of every derived id. Changing it would give every old alert a new identity.
const NAMESPACE: Uuid = Uuid::from_u128(0x6d61_6e74_6973_7361_4c6f_6700_0000_0001);

/// Derives an id from the kind of thing and the parts that identify it.
///
/// Every part is preceded by its length, so `("ab", "c")` and `("a", "bc")` differ.
pub fn derive(kind: &str, parts: &[&str]) -> Uuid {
    let mut name = String::with_capacity(64);
    for part in std::iter::once(&kind).chain(parts) {
        name.push_str(&part.len().to_string());
        name.push(':');
        name.push_str(part);
    }
    Uuid::new_v5(&NAMESPACE, name.as_bytes())
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            pub fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// Derives the id from the parts that identify the thing.
            pub fn derive(parts: &[&str]) -> Self {
                Self(derive(stringify!($name), parts))
            }

            pub fn as_uuid(&self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    };
}

text_id!(
    /// A rule: the `id` of its Sigma document.
    RuleId
);
text_id!(
    /// One version of a rule: a digest of its text.
    RuleVersion
);
text_id!(
    /// A configured endpoint that notifications go to.
    DestinationId
);
text_id!(
    /// What a query engine calls a query it runs.
    EngineQueryId
);
text_id!(
    /// A raw log object: a digest of where it came from and what it holds.
    ObjectId
);
uuid_id!(
    /// One execution of one or more rules over one time window.
    QueryRunId
);
uuid_id!(
    /// Rows a query run returned for one rule.
    MatchId
);
uuid_id!(
    /// The durable thing a person handles.
    AlertId
);
uuid_id!(
    /// One notification's durable record.
    DeliveryId
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_not_confused_by_where_they_are_cut() {
        assert_ne!(AlertId::derive(&["ab", "c"]), AlertId::derive(&["a", "bc"]));
        assert_ne!(AlertId::derive(&["a"]), AlertId::derive(&["a", ""]));
    }

    #[test]
    fn kinds_do_not_share_ids() {
        assert_ne!(AlertId::derive(&["a"]).as_uuid(), MatchId::derive(&["a"]).as_uuid());
    }
}
