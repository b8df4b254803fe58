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
/// For all that is said before the mail itself, to relays that make strangers wait and for many recipients.
const GREETING_TIMEOUT: Duration = Duration::from_secs(60);
const FAREWELL_TIMEOUT: Duration = Duration::from_secs(1);
const GREET: &str = "greet";
const ENCRYPT: &str = "encrypt";
const SIGN_IN: &str = "sign in";
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
    /// Relays scan a mail before they answer for it. What is not answered within it may have been taken.
    pub answer_timeout: Duration,
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
    answer_timeout: Duration,
    secrets: Arc<dyn SecretStore>,
}

/// A connection on which the mail itself may follow.
struct Introduced {
    connection: AsyncSmtpConnection,
    /// Places in the list of recipients: of those it does not deliver to, and of those it may deliver to later.
    not_for: Vec<usize>,
    not_yet_for: Vec<usize>,
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
            answer_timeout: config.answer_timeout,
            secrets,
        })
    }

    /// A connection that is encrypted and signed in as it should be. `us` is what we call ourselves.
    async fn connect(&self, us: ClientId) -> Result<AsyncSmtpConnection, MailError> {
        let at_once = self.tls.clone().filter(|_| !self.starts_tls);
        let server = (self.host.as_str(), self.port);
        let greeting = if at_once.is_some() { ENCRYPT } else { GREET };
        let connected = AsyncSmtpConnection::connect_tokio1(server, Some(CONNECT_TIMEOUT), &us, at_once, None).await;
        let mut connection = connected.map_err(|error| failure(greeting, &error))?;
        if let Some(tls) = self.tls.clone().filter(|_| self.starts_tls) {
            if !connection.can_starttls() {
                connection.abort().await;
                // As long as its certificate is renewed, or somebody is in the way.
                return Err(MailError::new(MailErrorKind::Transient, "the relay offers no STARTTLS"));
            }
            connection.starttls(tls, &us).await.map_err(|error| failure(ENCRYPT, &error))?;
        }
        if let Some(login) = &self.login {
            let password = self.secrets.get(&login.password_secret).await;
            let missing = || format!("secret `{}` of the relay's password is not stored", login.password_secret);
            let password = password
                .map_err(|error| MailError::new(MailErrorKind::Transient, error.to_string()))?
                .ok_or_else(|| MailError::new(MailErrorKind::Denied, missing()))?;
            let credentials = Credentials::new(login.username.clone(), password.expose().to_owned());
            connection.auth(&MECHANISMS, &credentials).await.map_err(|error| denied(SIGN_IN, &error))?;
        }
        Ok(connection)
    }

    /// Says who the mail is from and for.
    async fn introduce(&self, from: &Address, to: &[Mailbox]) -> Result<Introduced, MailError> {
        // Some relays talk to nobody who has no name; ours is known by whom it sends for.
        let mut connection = self.connect(ClientId::Domain(from.domain().to_owned())).await?;
        let from = MailFrom::new(Some(from.clone()), Vec::new());
        connection.command(from).await.map_err(|error| failure("name the sender", &error))?;
        let (mut not_for, mut not_yet_for, mut refusal) = (Vec::new(), Vec::new(), None);
        for (place, mailbox) in to.iter().enumerate() {
            let Err(error) = connection.command(Rcpt::new(mailbox.email.clone(), Vec::new())).await else { continue };
            let told = failure("name a recipient", &error);
            let Some(code) = error.status() else { return Err(told) };
            let code = u16::from(code);
            // With 552 relays say that it is too many at once, as the standard once had it.
            let later = error.is_transient() || code == 552;
            let some_are_taken = place > not_for.len() + not_yet_for.len();
            if later { &mut not_yet_for } else { &mut not_for }.push(place);
            // That it may be taken later stands above that it was refused.
            let is_for_later = |known: &MailError| known.kind == MailErrorKind::Transient;
            if !refusal.as_ref().is_some_and(is_for_later) {
                refusal = Some(if later { MailError { kind: MailErrorKind::Transient, ..told } } else { told });
            }
            // Who goes on naming more than a relay takes at once is hung up on.
            if matches!(code, 452 | 552) && some_are_taken {
                not_yet_for.extend(place + 1..to.len());
                break;
            }
        }
        if let Some(refusal) = refusal.filter(|_| not_for.len() + not_yet_for.len() == to.len()) {
            connection.abort().await;
            return Err(refusal);
        }
        connection.command(Data).await.map_err(|error| failure("begin the mail", &error))?;
        Ok(Introduced { connection, not_for, not_yet_for })
    }
}

#[async_trait]
impl Mailer for SmtpMailer {
    async fn send(&self, mail: &Mail) -> Result<TakenMail, MailError> {
        if mail.to.is_empty() {
            return Err(MailError::new(MailErrorKind::Refused, "the mail is for nobody"));
        }
        let from = mailbox_of(&mail.from)?;
        let to = mail.to.iter().map(|address| mailbox_of(address)).collect::<Result<Vec<_>, _>>()?;
        let written = write(mail, &from, &to)?;
        let introduced = tokio::time::timeout(GREETING_TIMEOUT, self.introduce(&from.email, &to)).await;
        let too_slow = |_| MailError::new(MailErrorKind::Transient, "the relay was too slow");
        let Introduced { mut connection, not_for, not_yet_for } = introduced.map_err(too_slow)??;
        let named = |places: Vec<usize>| places.into_iter().map(|place| mail.to[place].clone()).collect();
        match tokio::time::timeout(self.answer_timeout, connection.message(&written)).await {
            Ok(Ok(_)) => {
                // It has answered for the mail; how it takes its leave changes nothing.
                let _ = tokio::time::timeout(FAREWELL_TIMEOUT, connection.quit()).await;
                Ok(TakenMail { provider_id: None, not_for: named(not_for), not_yet_for: named(not_yet_for) })
            }
            Ok(Err(error)) if error.status().is_some() => Err(failure("take the mail", &error)),
            Ok(Err(_)) | Err(_) => {
                Err(MailError::new(MailErrorKind::NoAnswer, "the relay had the mail and did not answer"))
            }
        }
    }

    fn longest_send(&self) -> Duration {
        GREETING_TIMEOUT + self.answer_timeout + FAREWELL_TIMEOUT
    }
}

fn tls_of(config: &SmtpConfig) -> Result<TlsParameters, MailError> {
    const BEGINS: &[u8] = b"-----BEGIN CERTIFICATE-----";
    let bad = |error: Error| MailError::new(MailErrorKind::Refused, format!("the relay's certificates: {error}"));
    let mut tls = TlsParameters::builder(config.host.clone());
    if let Some(pem) = &config.certificates {
        if !pem.windows(BEGINS.len()).any(|bytes| bytes == BEGINS) {
            let reason = "the relay's certificates: there is no certificate in PEM";
            return Err(MailError::new(MailErrorKind::Refused, reason));
        }
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
        // The library tells a handshake that failed as it tells a connection that broke.
        let why = match attempted {
            ENCRYPT => "the connection failed, or its certificate was not accepted",
            SIGN_IN if error.is_client() => "the relay takes none of the ways that we know, PLAIN and LOGIN",
            _ => "the connection failed",
        };
        return MailError::new(MailErrorKind::Transient, format!("{attempted}: {why}"));
    };
    let kind = match u16::from(code) {
        530 | 534 | 535 | 538 => MailErrorKind::Denied,
        // It does not like the look of us, whatever the mail is.
        500.. if attempted == GREET => MailErrorKind::Denied,
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
