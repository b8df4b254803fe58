//! The SecretStore port on Secrets Manager.

use crate::error::{code_of, port_error};
use async_trait::async_trait;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_secretsmanager::types::{Filter, FilterNameStringType};
use mantissa_ports::{PortError, Secret, SecretStore};
use std::fmt::Write as _;

/// Secrets Manager stores no empty text.
const EMPTY: &str = "mantissa:empty";
const MISSING: &str = "ResourceNotFoundException";
const EXISTS: &str = "ResourceExistsException";
/// Among others: the secret waits for its deletion, which takes a moment even when it is forced, and days when a person
/// deletes it in the console.
const INVALID: &str = "InvalidRequestException";

fn is_being_deleted<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    let says_so = |message: &str| message.contains("deletion") || message.contains("deleted");
    code_of(error) == Some(INVALID) && error.message().is_some_and(says_so)
}

/// Secrets below one prefix, each under its own name, so that a role can be allowed single ones.
pub struct SecretsManagerStore {
    client: Client,
    /// Ends with a slash.
    prefix: String,
}

impl SecretsManagerStore {
    pub fn new(client: Client, prefix: impl Into<String>) -> Self {
        let mut prefix = prefix.into();
        if !prefix.ends_with('/') {
            prefix.push('/');
        }
        Self { client, prefix }
    }

    fn id_of(&self, name: &str) -> String {
        format!("{}{}", self.prefix, encode_name(name))
    }
}

#[async_trait]
impl SecretStore for SecretsManagerStore {
    async fn get(&self, name: &str) -> Result<Option<Secret>, PortError> {
        match self.client.get_secret_value().secret_id(self.id_of(name)).send().await {
            Ok(found) => {
                Ok(found.secret_string.map(|text| Secret::new(if text == EMPTY { String::new() } else { text })))
            }
            Err(error) if code_of(&error) == Some(MISSING) || is_being_deleted(&error) => Ok(None),
            Err(error) => Err(port_error("read secret", name, error)),
        }
    }

    async fn put(&self, name: &str, value: &Secret) -> Result<(), PortError> {
        let text = if value.expose().is_empty() { EMPTY } else { value.expose() };
        let id = self.id_of(name);
        let put = || self.client.put_secret_value().secret_id(&id).secret_string(text).send();
        match put().await {
            Ok(_) => return Ok(()),
            Err(error) if code_of(&error) == Some(MISSING) => {}
            Err(error) if is_being_deleted(&error) => {
                let restored = self.client.restore_secret().secret_id(&id).send().await;
                restored.map_err(|error| port_error("restore secret", name, error))?;
                return put().await.map(drop).map_err(|error| port_error("store secret", name, error));
            }
            Err(error) => return Err(port_error("store secret", name, error)),
        }
        match self.client.create_secret().name(&id).secret_string(text).send().await {
            Ok(_) => Ok(()),
            // Another put made it meanwhile.
            Err(error) if code_of(&error) == Some(EXISTS) => {
                put().await.map(drop).map_err(|error| port_error("store secret", name, error))
            }
            Err(error) => Err(port_error("store secret", name, error)),
        }
    }

    async fn remove(&self, name: &str) -> Result<bool, PortError> {
        // Without the days of grace: a name that waits for its deletion could not be stored again.
        let id = self.id_of(name);
        if self.get(name).await?.is_none() {
            return Ok(false);
        }
        match self.client.delete_secret().secret_id(id).force_delete_without_recovery(true).send().await {
            Ok(_) => Ok(true),
            Err(error) if code_of(&error) == Some(MISSING) => Ok(false),
            Err(error) => Err(port_error("remove secret", name, error)),
        }
    }

    async fn names(&self) -> Result<Vec<String>, PortError> {
        let filter = Filter::builder().key(FilterNameStringType::Name).values(&self.prefix).build();
        let mut pages = self.client.list_secrets().filters(filter).into_paginator().send();
        let mut names = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| port_error("list secrets", &self.prefix, error))?;
            let ids = page.secret_list().iter().filter_map(|secret| secret.name());
            names.extend(ids.filter_map(|id| id.strip_prefix(&self.prefix)).map(decode_name));
        }
        names.sort();
        Ok(names)
    }
}

/// Secrets Manager allows letters, digits and `/_+=.@-` in a name; every other byte is written `=XX`.
fn encode_name(name: &str) -> String {
    let mut encoded = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'_' | b'+' | b'.' | b'@' | b'-' => {
                encoded.push(byte.into())
            }
            // Writing to a String cannot fail.
            _ => drop(write!(encoded, "={byte:02X}")),
        }
    }
    encoded
}

/// A name we did not encode, made by hand, is itself.
fn decode_name(encoded: &str) -> String {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.as_bytes();
    while let Some((&first, others)) = rest.split_first() {
        let hex = others.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) if first == b'=' => {
                bytes.push(byte);
                rest = &others[2..];
            }
            _ => {
                bytes.push(first);
                rest = others;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| encoded.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back_and_hold_only_what_is_allowed() {
        for name in ["slack/url", "a/b c", "grüße", "a=b", "=20"] {
            let encoded = encode_name(name);
            assert!(
                encoded.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/_+=.@-".contains(&byte)),
                "{encoded}"
            );
            assert_eq!(decode_name(&encoded), name);
        }
        assert_eq!(decode_name("made=by-hand"), "made=by-hand");
    }
}
