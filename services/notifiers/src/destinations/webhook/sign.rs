//! The signature of Standard Webhooks, version `v1`: HMAC-SHA256 over `id.timestamp.body`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

const SHORTEST_KEY: usize = 24;

/// A key for signing. Has no `Debug`: it is a secret.
pub(super) struct SigningKey(Hmac<Sha256>);

impl SigningKey {
    /// Reads `whsec_<base64>`. `Err` says what is wrong without quoting it.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let encoded = text.trim().strip_prefix("whsec_").ok_or("does not begin with `whsec_`")?;
        let key = STANDARD.decode(encoded).map_err(|_| "is not base64 after `whsec_`")?;
        if key.len() < SHORTEST_KEY {
            return Err("is shorter than 24 bytes");
        }
        Hmac::new_from_slice(&key).map(Self).map_err(|_| "is not a usable key")
    }

    fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let mut mac = self.0.clone();
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

/// One signature a key, separated by spaces: while keys rotate, a receiver accepts either.
pub(super) fn sign_with_all(keys: &[SigningKey], id: &str, timestamp: i64, body: &[u8]) -> String {
    keys.iter().map(|key| key.sign(id, timestamp, body)).collect::<Vec<_>>().join(" ")
}
