//! The SDK's configuration: one HTTPS client, bounded adaptive retries, timeouts.

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, SdkConfig};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use std::time::Duration;

/// Tries of one call. A queue's redelivery is the longer second line.
const MAX_ATTEMPTS: u32 = 4;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Longer than the longest wait for a message (20 s).
pub(crate) const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(30);

/// Credentials, region and endpoints come from where every AWS tool reads them: the environment, the shared profile, the
/// role of the machine.
pub async fn load_config() -> SdkConfig {
    config_loader().load().await
}

/// The same, for callers that set a part of it themselves.
pub fn config_loader() -> ConfigLoader {
    let client = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let timeouts =
        TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).operation_attempt_timeout(ATTEMPT_TIMEOUT).build();
    aws_config::defaults(BehaviorVersion::latest())
        .http_client(client)
        .retry_config(RetryConfig::adaptive().with_max_attempts(MAX_ATTEMPTS))
        .timeout_config(timeouts)
}
