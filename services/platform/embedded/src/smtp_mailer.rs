//! The Mailer port on a relay that speaks SMTP.

use async_trait::async_trait;
use lettre::Address;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, MultiPart};
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail as MailFrom, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use mantissa_ports::{Mail, MailError, MailErrorKind, Mailer, SecretStore, TakenMail};
use std::sync::Arc;
use std::time::Duration;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// For all that is said before the mail itself.
const GREETING_TIMEOUT: Duration = Duration::from_secs(15);
/// Relays scan a mail before they answer for it.
const TRANSFER_TIMEOUT: Duration = Duration::from_secs(25);
const MECHANISMS: [Mechanism; 2] = [Mechanism::Plain, Mechanism::Login];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmtpTls {
    /// The connection is encrypted after the greeting, or not used.
    Starttls,
    /// Encrypted from its first byte.
    Implicit,
    /// Not encrypted: for a relay on this machine.
    None,
}

#[derive(Debug, Clone)]
pub struct SmtpConfig {
    pub host: String,
    pub port: u16,
    pub tls: SmtpTls,
    /// PEM; trusted beside the system's.
    pub certificates: Option<Vec<u8>>,
    pub login: Option<SmtpLogin>,
}

#[derive(Debug, Clone)]
pub struct SmtpLogin {
    pub username: String,
    /// Read again for each mail, so that a new one is used at once.
    pub password_secret: String,
}

/// One connection a mail.
pub struct SmtpMailer {
    host: String,
    port: u16,
    starts_tls: bool,
    tls: Option<TlsParameters>,
    login: Option<SmtpLogin>,
    secrets: Arc<dyn SecretStore>,
}

impl SmtpMailer {
    /// `Err` says what is wrong with the certificates.
    pub fn new(config: SmtpConfig, secrets: Arc<dyn SecretStore>) -> Result<Self, MailError> {
        let tls = match config.tls {
            SmtpTls::None => None,
            SmtpTls::Starttls | SmtpTls::Implicit => Some(tls_of(&config)?),
        };
        Ok(Self {
            starts_tls: config.tls == SmtpTls::Starttls,
            tls,
            host: config.host,
            port: config.port,
            login: config.login,
            secrets,
        })
    }

    /// A connection that is encrypted and signed in as it should be.
    async fn connect(&self) -> Result<AsyncSmtpConnection, MailError> {
        let us = ClientId::default();
        let at_once = self.tls.clone().filter(|_| !self.starts_tls);
        let server = (self.host.as_str(), self.port);
        let connected = AsyncSmtpConnection::connect_tokio1(server, Some(CONNECT_TIMEOUT), &us, at_once, None).await;
        let mut connection = connected.map_err(|error| failure("greet", &error))?;
        if let Some(tls) = self.tls.clone().filter(|_| self.starts_tls) {
            if !connection.can_starttls() {
                connection.abort().await;
                return Err(MailError::new(MailErrorKind::Refused, "the relay offers no STARTTLS"));
            }
            connection.starttls(tls, &us).await.map_err(|error| failure("encrypt", &error))?;
        }
        if let Some(login) = &self.login {
            let password = self.secrets.get(&login.password_secret).await;
            let missing = || format!("secret `{}` of the relay's password is not stored", login.password_secret);
            let password = password
                .map_err(|error| MailError::new(MailErrorKind::Transient, error.to_string()))?
                .ok_or_else(|| MailError::new(MailErrorKind::Denied, missing()))?;
            let credentials = Credentials::new(login.username.clone(), password.expose().to_owned());
            connection.auth(&MECHANISMS, &credentials).await.map_err(|error| denied("sign in", &error))?;
        }
        Ok(connection)
    }

    /// Says who the mail is from and for. Returns the connection when the mail itself may follow.
    async fn introduce(&self, from: &Address, to: &[Mailbox]) -> Result<(AsyncSmtpConnection, Vec<String>), MailError> {
        let mut connection = self.connect().await?;
        let from = MailFrom::new(Some(from.clone()), Vec::new());
        connection.command(from).await.map_err(|error| failure("name the sender", &error))?;
        let (mut not_for, mut refusal) = (Vec::new(), None);
        for mailbox in to {
            match connection.command(Rcpt::new(mailbox.email.clone(), Vec::new())).await {
                Ok(_) => {}
                Err(error) if error.is_permanent() => {
                    not_for.push(mailbox.email.to_string());
                    refusal = Some(failure("name a recipient", &error));
                }
                Err(error) => return Err(failure("name a recipient", &error)),
            }
        }
        match refusal.filter(|_| not_for.len() == to.len()) {
            Some(refusal) => {
                connection.abort().await;
                Err(refusal)
            }
            None => {
                connection.command(Data).await.map_err(|error| failure("begin the mail", &error))?;
                Ok((connection, not_for))
            }
        }
    }
}

#[async_trait]
impl Mailer for SmtpMailer {
    async fn send(&self, mail: &Mail) -> Result<TakenMail, MailError> {
        let from = mailbox_of(&mail.from)?;
        let to = mail.to.iter().map(|address| mailbox_of(address)).collect::<Result<Vec<_>, _>>()?;
        let written = write(mail, &from, &to)?;
        let introduced = tokio::time::timeout(GREETING_TIMEOUT, self.introduce(&from.email, &to)).await;
        let too_slow = |_| MailError::new(MailErrorKind::Transient, "the relay was too slow");
        let (mut connection, not_for) = introduced.map_err(too_slow)??;
        match tokio::time::timeout(TRANSFER_TIMEOUT, connection.message(&written)).await {
            Ok(Ok(_)) => {
                // It has answered for the mail; how it takes its leave changes nothing.
                let _ = tokio::time::timeout(Duration::from_secs(1), connection.quit()).await;
                Ok(TakenMail { provider_id: None, not_for })
            }
            Ok(Err(error)) if error.status().is_some() => Err(failure("take the mail", &error)),
            Ok(Err(_)) | Err(_) => {
                Err(MailError::new(MailErrorKind::NoAnswer, "the relay had the mail and did not answer"))
            }
        }
    }
}

fn tls_of(config: &SmtpConfig) -> Result<TlsParameters, MailError> {
    let bad = |error: Error| MailError::new(MailErrorKind::Refused, format!("the relay's certificates: {error}"));
    let mut tls = TlsParameters::builder(config.host.clone());
    if let Some(pem) = &config.certificates {
        tls = tls.add_root_certificate(Certificate::from_pem(pem).map_err(bad)?);
    }
    tls.build_rustls().map_err(bad)
}

fn mailbox_of(address: &str) -> Result<Mailbox, MailError> {
    let malformed = || MailError::new(MailErrorKind::Refused, format!("`{address}` is not a mail address"));
    let mailbox: Mailbox = address.parse().map_err(|_| malformed())?;
    if mailbox.email.to_string().is_ascii() { Ok(mailbox) } else { Err(malformed()) }
}

fn write(mail: &Mail, from: &Mailbox, to: &[Mailbox]) -> Result<Vec<u8>, MailError> {
    let auto_submitted =
        HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned());
    let mut message = Message::builder()
        .from(from.clone())
        .subject(&mail.subject)
        .message_id(Some(mail.message_id.clone()))
        .references(mail.thread.clone())
        .raw_header(auto_submitted)
        .date_now();
    for mailbox in to {
        message = message.to(mailbox.clone());
    }
    let bodies = MultiPart::alternative_plain_html(mail.text.clone(), mail.html.clone());
    let message = message.multipart(bodies);
    let message = message.map_err(|error| MailError::new(MailErrorKind::Refused, format!("the mail: {error}")))?;
    Ok(message.formatted())
}

/// Nobody got the mail. A code of the relay is told, its words are not: they may repeat what it was told.
fn failure(attempted: &str, error: &Error) -> MailError {
    let Some(code) = error.status() else {
        let why = if error.is_tls() { "its certificate or its TLS was not accepted" } else { "the connection failed" };
        return MailError::new(MailErrorKind::Transient, format!("{attempted}: {why}"));
    };
    let kind = match u16::from(code) {
        530 | 534 | 535 | 538 => MailErrorKind::Denied,
        400..=499 => MailErrorKind::Transient,
        _ => MailErrorKind::Refused,
    };
    MailError::new(kind, format!("{attempted}: the relay answered {code}"))
}

/// Whatever a relay answers to a password with, short of "later".
fn denied(attempted: &str, error: &Error) -> MailError {
    let mut denied = failure(attempted, error);
    if error.is_permanent() || error.is_client() {
        denied.kind = MailErrorKind::Denied;
    }
    denied
}
