//! Errors of the SDK → the one error of all ports. The type of the SDK's error is the same for every service.

use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use mantissa_ports::PortError;
use std::error::Error;

/// Codes that say "later": too much at once, another transaction on the same item, credentials that are about to be renewed.
/// So does every code that speaks of throttling, whichever service's spelling it is, and a status of 429, 500 or more.
const TRANSIENT_CODES: &[&str] = &[
    "BandwidthLimitExceeded",
    "ExpiredToken",
    "ExpiredTokenException",
    "InternalError",
    "InternalFailure",
    "InternalServerError",
    "InternalServerException",
    "OverLimit",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestExpired",
    "RequestLimitExceeded",
    "RequestTimeout",
    "RequestTimeoutException",
    "ServiceUnavailable",
    "SlowDown",
    "TooManyRequestsException",
    "TransactionConflictException",
    "TransactionInProgressException",
];

/// Denied access names who was denied what, in the service's own words: it is what an operator must grant.
pub(crate) fn port_error<E>(operation: &'static str, subject: &str, error: SdkError<E>) -> PortError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let transient = is_transient(&error);
    let what = match &error {
        SdkError::ServiceError(context) => {
            let meta = context.err();
            let code = meta.code().unwrap_or("unknown error");
            match meta.message() {
                Some(message) => format!("{code}: {message}"),
                None => format!("{code}, status {}", context.raw().status().as_u16()),
            }
        }
        other => causes(other),
    };
    match transient {
        true => PortError::transient(operation, subject, what),
        false => PortError::permanent(operation, subject, what),
    }
}

fn is_transient<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    match error {
        SdkError::ConstructionFailure(_) => false,
        SdkError::ServiceError(context) => {
            let status = context.raw().status().as_u16();
            let is_later = |code: &str| code.contains("Throttl") || TRANSIENT_CODES.contains(&code);
            context.err().code().is_some_and(is_later) || status == 429 || status >= 500
        }
        // Timeouts, lost connections, answers that were cut: the call may have happened or not.
        _ => true,
    }
}

/// The code a service answered with.
pub(crate) fn code_of<E: ProvideErrorMetadata>(error: &SdkError<E>) -> Option<&str> {
    match error {
        SdkError::ServiceError(context) => context.err().code(),
        _ => None,
    }
}

pub(crate) fn causes(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_sqs::config::retry::RetryConfig;
    use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region};
    use aws_sdk_sqs::{Client, Config};
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    /// What a call to that address comes to.
    async fn send_to(address: &str) -> PortError {
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .credentials_provider(Credentials::new("a", "b", None, None, "test"))
            .retry_config(RetryConfig::disabled())
            .endpoint_url(format!("http://{address}"))
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .build();
        let sent = Client::from_conf(config).send_message().queue_url("http://q").message_body("x").send().await;
        port_error("send to queue", "q", sent.unwrap_err())
    }

    /// What becomes of an answer of the service.
    async fn answered(status: u16, code: &str, message: &str) -> PortError {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let body = format!("{{\"__type\":\"com.amazonaws.sqs#{code}\",\"message\":\"{message}\"}}");
        let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        let served = std::thread::spawn(move || {
            let (mut connection, _) = listener.accept().unwrap();
            assert!(connection.read(&mut [0; 64 * 1024]).unwrap() > 0);
            connection.write_all(answer.as_bytes()).unwrap();
        });
        let error = send_to(&address).await;
        served.join().unwrap();
        error
    }

    #[tokio::test]
    async fn denied_access_is_permanent_and_says_who_was_denied_what() {
        let denied = "User: arn:aws:iam::111122223333:role/dedup is not authorized to perform: sqs:sendmessage";
        let error = answered(403, "AccessDeniedException", denied).await;
        assert!(!error.is_transient());
        assert_eq!(error.to_string(), format!("send to queue `q`: AccessDeniedException: {denied}"));
    }

    #[tokio::test]
    async fn throttling_and_failures_of_the_service_are_transient() {
        for (status, code) in [
            (400, "ThrottlingException"),
            (400, "KMS.ThrottlingException"),
            (400, "KMSThrottling"),
            (429, "Throttled"),
            (403, "RequestThrottled"),
            (403, "ExpiredToken"),
            (503, "ServiceUnavailable"),
            (500, "Anything"),
        ] {
            let error = answered(status, code, "later").await;
            assert!(error.is_transient(), "{error}");
        }
        for (status, code) in [(400, "InvalidMessageContents"), (404, "QueueDoesNotExist")] {
            let error = answered(status, code, "never").await;
            assert!(!error.is_transient(), "{error}");
        }
    }

    #[tokio::test]
    async fn service_that_cannot_be_reached_is_transient_and_says_why() {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let error = send_to(&free).await;
        assert!(error.is_transient() && error.to_string().to_lowercase().contains("refused"), "{error}");
    }
}
