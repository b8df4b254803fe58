//! TLS for every client of this process.

use std::sync::Once;

/// TLS needs a process-wide cryptography provider, and this build of the client brings none of its own.
pub fn install_crypto_provider() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        // An error means the host installed one before, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}
