//! The Mailer port on SES.

use crate::connect::ATTEMPT_TIMEOUT;
use crate::error::{causes, code_of};
use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::config::retry::RetryConfig;
use aws_sdk_sesv2::error::{BuildError, ProvideErrorMetadata as _, SdkError};
use aws_sdk_sesv2::operation::send_email::SendEmailError;
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message, MessageHeader};
use mantissa_ports::{Mail, MailError, MailErrorKind, Mailer, TakenMail};
use std::error::Error;
use std::io::ErrorKind;
use std::time::Duration;

/// Codes whose words name the identity that is not verified, and who was denied what. Others may repeat what was signed.
const SAYS_WHOM: [&str; 5] = [
    "MessageRejected",
    "MailFromDomainNotVerifiedException",
    "NotFoundException",
    "AccessDeniedException",
    "SendingPausedException",
];
const MAX_SAID: usize = 300;

/// SES writes the mail and its `Message-ID`.
pub struct SesMailer {
    client: Client,
}

impl SesMailer {
    /// Its client tries once: what was sent and not answered may have been taken, and only a delivery's record knows that.
    pub fn new(config: &SdkConfig) -> Self {
        let config = aws_sdk_sesv2::config::Builder::from(config).retry_config(RetryConfig::disabled()).build();
        Self { client: Client::from_conf(config) }
    }
}

#[async_trait]
impl Mailer for SesMailer {
    async fn send(&self, mail: &Mail) -> Result<TakenMail, MailError> {
        if mail.to.is_empty() {
            return Err(MailError::new(MailErrorKind::Refused, "the mail is for nobody"));
        }
        let content = content_of(mail)
            .map_err(|error| MailError::new(MailErrorKind::Refused, format!("SES does not take it: {error}")))?;
        let destination = Destination::builder().set_to_addresses(Some(mail.to.clone())).build();
        let send = self.client.send_email().from_email_address(&mail.from).destination(destination).content(content);
        let sent = send.send().await.map_err(|error| mail_error(&error))?;
        Ok(TakenMail { provider_id: sent.message_id, ..TakenMail::default() })
    }

    fn longest_send(&self) -> Duration {
        ATTEMPT_TIMEOUT
    }
}

fn content_of(mail: &Mail) -> Result<EmailContent, BuildError> {
    let text = |text: &str| Content::builder().data(text).charset("UTF-8").build();
    let header = |name: &str, value: &str| MessageHeader::builder().name(name).value(value).build();
    let message = Message::builder()
        .subject(text(&mail.subject)?)
        .body(Body::builder().text(text(&mail.text)?).html(text(&mail.html)?).build())
        .headers(header("References", &mail.thread)?)
        .headers(header("Auto-Submitted", "auto-generated")?)
        .build();
    Ok(EmailContent::builder().simple(message).build())
}

fn mail_error(error: &SdkError<SendEmailError>) -> MailError {
    match error {
        SdkError::ServiceError(context) => {
            let (code, status) = (code_of(error).unwrap_or("an unknown error"), context.raw().status().as_u16());
            let message = context.err().message().unwrap_or_default();
            let reason = match SAYS_WHOM.contains(&code) && !message.is_empty() {
                true => format!("SES answered {code}: {}", one_line(message)),
                false => format!("SES answered {code}, status {status}"),
            };
            MailError::new(kind_of(code, status, message), reason)
        }
        // The only timeout below that of the whole try is the connection's.
        SdkError::DispatchFailure(failure) if failure.is_timeout() || was_refused(error) => {
            MailError::new(MailErrorKind::Transient, format!("SES was not reached: {}", causes(error)))
        }
        SdkError::ConstructionFailure(_) => {
            MailError::new(MailErrorKind::Refused, format!("the request cannot be made: {}", causes(error)))
        }
        _ => MailError::new(MailErrorKind::NoAnswer, format!("SES did not answer: {}", causes(error))),
    }
}

/// There never was a connection. Whatever else broke may have broken after the mail was sent.
fn was_refused(error: &(dyn Error + 'static)) -> bool {
    let refused = [ErrorKind::ConnectionRefused, ErrorKind::HostUnreachable, ErrorKind::NetworkUnreachable];
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.downcast_ref::<std::io::Error>().is_some_and(|error| refused.contains(&error.kind())) {
            return true;
        }
        cause = error.source();
    }
    false
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_SAID).collect()
}

fn kind_of(code: &str, status: u16, message: &str) -> MailErrorKind {
    match code {
        "TooManyRequestsException" | "LimitExceededException" => MailErrorKind::Throttled,
        _ if code.contains("Throttl") || status == 429 => MailErrorKind::Throttled,
        "AccountSuspendedException" | "SendingPausedException" | "MailFromDomainNotVerifiedException" => {
            MailErrorKind::Denied
        }
        // Until its owner has answered SES.
        "MessageRejected" if message.contains("not verified") => MailErrorKind::Denied,
        // Credentials that are about to be renewed.
        "ExpiredTokenException" | "ExpiredToken" => MailErrorKind::Transient,
        _ if status == 401 || status == 403 => MailErrorKind::Denied,
        _ if status >= 500 => MailErrorKind::Transient,
        _ => MailErrorKind::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_credential_types::Credentials;
    use std::io::Read as _;
    use std::net::TcpListener;

    #[test]
    fn codes_of_ses_say_whether_trying_again_helps() {
        for (code, status, kind) in [
            ("TooManyRequestsException", 429, MailErrorKind::Throttled),
            ("LimitExceededException", 400, MailErrorKind::Throttled),
            ("ThrottlingException", 400, MailErrorKind::Throttled),
            ("AccountSuspendedException", 400, MailErrorKind::Denied),
            ("SendingPausedException", 400, MailErrorKind::Denied),
            ("AccessDeniedException", 403, MailErrorKind::Denied),
            ("ExpiredTokenException", 403, MailErrorKind::Transient),
            ("InternalFailure", 500, MailErrorKind::Transient),
            ("MessageRejected", 400, MailErrorKind::Refused),
            ("MailFromDomainNotVerifiedException", 400, MailErrorKind::Denied),
            ("BadRequestException", 400, MailErrorKind::Refused),
            ("NotFoundException", 404, MailErrorKind::Refused),
        ] {
            assert_eq!(kind_of(code, status, ""), kind, "{code}");
        }
        let said = "Email address is not verified. The following identities failed the check: a@b.c";
        assert_eq!(kind_of("MessageRejected", 400, said), MailErrorKind::Denied);
        assert_eq!(one_line(&format!("a\r\n{}", "b".repeat(1000))).len(), MAX_SAID);
    }

    fn mail() -> Mail {
        Mail {
            from: "alerts@example.com".to_owned(),
            to: vec!["soc@example.com".to_owned()],
            subject: "s".to_owned(),
            text: "t".to_owned(),
            html: "h".to_owned(),
            message_id: "<1@example.com>".to_owned(),
            thread: "<2@example.com>".to_owned(),
        }
    }

    /// No emulator shows a mail's headers, so the request is looked at.
    #[test]
    fn mail_carries_its_thread_and_that_a_machine_wrote_it() {
        let content = content_of(&mail()).unwrap();
        let headers = content.simple().unwrap().headers();
        let headers: Vec<_> = headers.iter().map(|header| (header.name(), header.value())).collect();
        assert_eq!(headers, [("References", "<2@example.com>"), ("Auto-Submitted", "auto-generated")]);
    }

    async fn send_to(address: &str) -> MailError {
        let config = crate::config_loader()
            .region("eu-central-1")
            .credentials_provider(Credentials::new("a", "b", None, None, "test"))
            .endpoint_url(format!("http://{address}"))
            .load()
            .await;
        SesMailer::new(&config).send(&mail()).await.unwrap_err()
    }

    #[tokio::test]
    async fn mail_that_was_on_its_way_may_have_been_taken_and_is_not_sent_again_by_itself() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let n_requests = std::thread::spawn(move || {
            let (mut connection, _) = listener.accept().unwrap();
            assert!(connection.read(&mut [0; 64 * 1024]).unwrap() > 0);
            drop(connection);
            listener.set_nonblocking(true).unwrap();
            std::thread::sleep(Duration::from_secs(2));
            1 + usize::from(listener.accept().is_ok())
        });
        let error = send_to(&address).await;
        assert_eq!(error.kind, MailErrorKind::NoAnswer, "{error}");
        assert_eq!(n_requests.join().unwrap(), 1);
        // Nobody listens there now.
        let error = send_to(&address).await;
        assert_eq!(error.kind, MailErrorKind::Transient, "{error}");
    }
}
