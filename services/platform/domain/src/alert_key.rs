//! What groups matches into one alert.

use mantissa_contracts::messages::KeyPart;
use sha2::{Digest, Sha256};

/// A digest of an alert key. A missing value and the empty text differ, and so do keys cut at other places.
pub fn digest(key: &[KeyPart]) -> String {
    let mut hasher = Sha256::new();
    for part in key {
        hasher.update((part.field.len() as u64).to_be_bytes());
        hasher.update(part.field.as_bytes());
        match &part.value {
            None => hasher.update([0]),
            Some(value) => {
                hasher.update([1]);
                hasher.update((value.len() as u64).to_be_bytes());
                hasher.update(value.as_bytes());
            }
        }
    }
    hasher.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(field: &str, value: Option<&str>) -> KeyPart {
        KeyPart { field: field.to_owned(), value: value.map(str::to_owned) }
    }

    #[test]
    fn missing_value_is_its_own_bucket() {
        let missing = digest(&[part("user", None)]);
        assert_ne!(missing, digest(&[part("user", Some(""))]));
        assert_ne!(missing, digest(&[]));
    }

    #[test]
    fn values_are_not_confused_by_where_they_are_cut() {
        assert_ne!(
            digest(&[part("a", Some("xy")), part("b", Some("z"))]),
            digest(&[part("a", Some("x")), part("b", Some("yz"))]),
        );
    }
}
