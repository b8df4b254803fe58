//! Mails through a relay: the port's suite, and what becomes of a mail when the relay or the way to it fails.

use async_trait::async_trait;
use mantissa_embedded::{SmtpConfig, SmtpLogin, SmtpMailer, SmtpTls};
use mantissa_ports::conformance::{ArrivedMail, MailerFixture};
use mantissa_ports::memory::MemorySecretStore;
use mantissa_ports::{Mail, MailError, MailErrorKind, Mailer, Secret, SecretStore, TakenMail, is_mail_address};
use mantissa_tests::smtp_server::{Encryption, SmtpBehaviour, SmtpServer};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

struct Relay {
    server: SmtpServer,
    mailer: Arc<SmtpMailer>,
}

fn config(server: &SmtpServer, tls: SmtpTls) -> SmtpConfig {
    SmtpConfig {
        host: SmtpServer::HOST.to_owned(),
        port: server.port,
        tls,
        certificates: Some(server.certificate.clone().into_bytes()),
        login: None,
        answer_timeout: Duration::from_secs(30),
    }
}

impl Relay {
    fn start(behaviour: SmtpBehaviour) -> Self {
        let tls = match behaviour.encryption {
            Encryption::None => SmtpTls::None,
            Encryption::Starttls => SmtpTls::Starttls,
            Encryption::Implicit => SmtpTls::Implicit,
        };
        let server = SmtpServer::start(behaviour);
        let mailer = SmtpMailer::new(config(&server, tls), Arc::new(MemorySecretStore::new())).unwrap();
        Self { server, mailer: Arc::new(mailer) }
    }

    fn answering(answers: &[(&'static str, &'static str)]) -> Self {
        let answers = answers.iter().copied().collect::<BTreeMap<_, _>>();
        Self::start(SmtpBehaviour { answers, ..SmtpBehaviour::usual(Encryption::None) })
    }
}

#[async_trait]
impl MailerFixture for Relay {
    fn mailer(&self) -> Arc<dyn Mailer> {
        self.mailer.clone()
    }

    fn sender(&self) -> String {
        "Mantissa Log <alerts@example.com>".to_owned()
    }

    fn stranger(&self) -> String {
        "nobody@elsewhere.example".to_owned()
    }

    async fn arrived(&self) -> Vec<ArrivedMail> {
        let header = |headers: &BTreeMap<String, String>, name| headers.get(name).cloned().unwrap_or_default();
        let arrived = self.server.taken().into_iter().map(|mail| {
            let read = mail.read();
            ArrivedMail {
                to: mail.to,
                subject: read.subject,
                text: Some(read.text),
                html: Some(read.html),
                headers: Some([header(&read.headers, "References"), header(&read.headers, "Auto-Submitted")]),
            }
        });
        arrived.collect()
    }
}

mod mailer {
    use super::*;

    mantissa_ports::mailer_conformance!(Relay::answering(&[("MAIL FROM:<nobody@elsewhere", "550 5.7.1 who is that")]));
}

fn mail() -> Mail {
    Mail {
        from: "alerts@example.com".to_owned(),
        to: vec!["soc@example.com".to_owned(), "on-call@example.com".to_owned()],
        subject: "s".to_owned(),
        text: "t".to_owned(),
        html: "<p>h</p>".to_owned(),
        message_id: "<delivery@example.com>".to_owned(),
        thread: "<alert@example.com>".to_owned(),
    }
}

async fn send_through(relay: &Relay) -> Result<TakenMail, MailError> {
    relay.mailer.send(&mail()).await
}

#[tokio::test]
async fn connection_is_encrypted_as_the_configuration_says() {
    for encryption in [Encryption::Starttls, Encryption::Implicit] {
        let relay = Relay::start(SmtpBehaviour::usual(encryption));
        send_through(&relay).await.unwrap();
        assert!(relay.server.taken()[0].encrypted, "{encryption:?}");
        assert_eq!(relay.server.taken()[0].read().headers["Message-ID"], "<delivery@example.com>");
    }
}

#[tokio::test]
async fn relay_that_cannot_encrypt_or_is_somebody_else_gets_no_mail() {
    let plain = SmtpServer::start(SmtpBehaviour::usual(Encryption::None));
    let secrets: Arc<dyn SecretStore> = Arc::new(MemorySecretStore::new());
    let mailer = SmtpMailer::new(config(&plain, SmtpTls::Starttls), secrets.clone()).unwrap();
    let refused = mailer.send(&mail()).await.unwrap_err();
    assert_eq!((refused.kind, refused.reason.as_str()), (MailErrorKind::Transient, "the relay offers no STARTTLS"));
    assert!(plain.taken().is_empty());

    let encrypted = SmtpServer::start(SmtpBehaviour::usual(Encryption::Starttls));
    let unknown = SmtpConfig { certificates: None, ..config(&encrypted, SmtpTls::Starttls) };
    let refused = SmtpMailer::new(unknown, secrets.clone()).unwrap().send(&mail()).await.unwrap_err();
    assert_eq!(refused.kind, MailErrorKind::Transient, "{refused}");
    assert_eq!(refused.reason, "encrypt: the connection failed, or its certificate was not accepted");
    assert!(encrypted.taken().is_empty());

    for bad in ["-----BEGIN CERTIFICATE-----\nx", "", "a file of something else"] {
        let certificates = Some(bad.as_bytes().to_vec());
        let bad = SmtpConfig { certificates, ..config(&encrypted, SmtpTls::Starttls) };
        let refused = SmtpMailer::new(bad, secrets.clone()).err().unwrap();
        assert!(refused.reason.starts_with("the relay's certificates"), "{refused}");
    }
}

#[tokio::test]
async fn password_is_read_anew_for_each_mail_and_told_to_the_relay_only() {
    const PASSWORD: &str = "canary-of-the-relay";
    let login = Some(("mantissa", PASSWORD));
    let server = SmtpServer::start(SmtpBehaviour { login, ..SmtpBehaviour::usual(Encryption::Starttls) });
    let secrets = Arc::new(MemorySecretStore::new());
    let login = SmtpLogin { username: "mantissa".to_owned(), password_secret: "relay_password".to_owned() };
    let config = SmtpConfig { login: Some(login), ..config(&server, SmtpTls::Starttls) };
    let mailer = SmtpMailer::new(config, secrets.clone()).unwrap();

    let missing = mailer.send(&mail()).await.unwrap_err();
    assert_eq!(missing.kind, MailErrorKind::Denied);
    assert_eq!(missing.reason, "secret `relay_password` of the relay's password is not stored");
    secrets.put("relay_password", &Secret::new(format!("old-{PASSWORD}"))).await.unwrap();
    let denied = mailer.send(&mail()).await.unwrap_err();
    assert_eq!((denied.kind, denied.reason.as_str()), (MailErrorKind::Denied, "sign in: the relay answered 535"));
    assert!(server.taken().is_empty());
    secrets.put("relay_password", &Secret::new(PASSWORD)).await.unwrap();
    mailer.send(&mail()).await.unwrap();
    assert!(server.taken()[0].signed_in);
}

#[tokio::test]
async fn mail_goes_to_those_the_relay_takes_and_the_others_are_named() {
    let relay = Relay::answering(&[("RCPT TO:<soc@", "550 5.1.1 gone")]);
    assert_eq!(send_through(&relay).await.unwrap().not_for, ["soc@example.com"]);
    assert_eq!(relay.server.taken()[0].to, ["on-call@example.com"]);

    for later in ["452 4.5.3 too many", "450 4.2.1 busy", "552 5.5.3 too many"] {
        let relay = Relay::answering(&[("RCPT TO:<on-call@", later)]);
        let taken = send_through(&relay).await.unwrap();
        assert_eq!((taken.not_for, taken.not_yet_for), (vec![], vec!["on-call@example.com".to_owned()]), "{later}");
        assert_eq!(relay.server.taken()[0].to, ["soc@example.com"]);
    }

    // The others are not named to a relay that has enough.
    let relay = Relay::answering(&[("RCPT TO:<third@", "452 4.5.3 too many"), ("RCPT TO:<fourth@", "")]);
    let to = ["soc@example.com", "on-call@example.com", "third@example.com", "fourth@example.com"].map(str::to_owned);
    let taken = relay.mailer.send(&Mail { to: to.to_vec(), ..mail() }).await.unwrap();
    assert_eq!(taken.not_yet_for, to[2..]);
    assert_eq!(relay.server.taken()[0].to, to[..2]);

    let gone = ("RCPT TO:<soc@", "550 5.1.1 gone");
    for (other, kind, reason) in [
        ("550 5.1.1 gone", MailErrorKind::Refused, "name a recipient: the relay answered 550"),
        ("450 4.2.1 busy", MailErrorKind::Transient, "name a recipient: the relay answered 450"),
    ] {
        let relay = Relay::answering(&[gone, ("RCPT TO:<on-call@", other)]);
        let refused = send_through(&relay).await.unwrap_err();
        assert_eq!((refused.kind, refused.reason.as_str()), (kind, reason));
        assert!(relay.server.taken().is_empty());
    }
}

/// What passes the check of addresses is what the mailer can read.
#[tokio::test]
async fn addresses_that_pass_their_check_can_be_sent_to() {
    let relay = Relay::answering(&[]);
    let to = [
        "first.last+siem@mail.example.com",
        "On call <on-call@example.com>",
        "\"SOC (EU), on call\" <soc@example.com>",
        "<night@example.com>",
    ];
    let to: Vec<String> = to.map(str::to_owned).to_vec();
    assert!(to.iter().all(|address| is_mail_address(address)));
    let from = "Mantissa Log <alerts@example.com>".to_owned();
    relay.mailer.send(&Mail { to, from, ..mail() }).await.unwrap();
    let taken = &relay.server.taken()[0];
    let names = ["first.last+siem@mail", "on-call@", "soc@", "night@"];
    assert!(taken.to.len() == 4 && taken.to.iter().zip(names).all(|(to, name)| to.starts_with(name)), "{:?}", taken.to);
}

#[tokio::test]
async fn what_breaks_before_the_mail_is_given_away_is_known_to_have_reached_nobody() {
    for (step, said, kind) in [
        ("EHLO", "421 4.3.2 later", MailErrorKind::Transient),
        ("EHLO", "550 5.7.1 sign in", MailErrorKind::Denied),
        ("MAIL FROM:", "451 4.7.1 greylisted", MailErrorKind::Transient),
        ("MAIL FROM:", "530 5.7.0 sign in", MailErrorKind::Denied),
        ("MAIL FROM:", "", MailErrorKind::Transient),
        ("RCPT TO:", "452 4.5.3 too many", MailErrorKind::Transient),
        ("DATA", "554 5.7.1 no", MailErrorKind::Refused),
        ("DATA", "", MailErrorKind::Transient),
        (".", "452 4.3.1 full", MailErrorKind::Transient),
        (".", "552 5.3.4 too large", MailErrorKind::Refused),
    ] {
        let relay = Relay::answering(&[(step, said)]);
        let error = send_through(&relay).await.unwrap_err();
        assert_eq!(error.kind, kind, "{step} {said}: {error}");
        let repeats = ["later", "greylisted", "too many", "full", "large", "sign in"]
            .iter()
            .find(|word| error.reason.contains(**word));
        assert_eq!(repeats, None, "{error}");
        assert!(relay.server.taken().is_empty(), "{step} {said}");
    }
    let closed = SmtpServer::start(SmtpBehaviour::usual(Encryption::None));
    let config = SmtpConfig { port: 1, ..config(&closed, SmtpTls::None) };
    let mailer = SmtpMailer::new(config, Arc::new(MemorySecretStore::new())).unwrap();
    assert_eq!(mailer.send(&mail()).await.unwrap_err().kind, MailErrorKind::Transient);
}

#[tokio::test]
async fn mail_that_the_relay_had_without_a_word_may_have_been_taken() {
    let relay = Relay::answering(&[(".", "")]);
    let error = send_through(&relay).await.unwrap_err();
    assert_eq!(error.kind, MailErrorKind::NoAnswer, "{error}");
    // As it was, indeed.
    assert_eq!(relay.server.taken().len(), 1);
}

#[tokio::test]
async fn mail_that_the_relay_looks_at_for_too_long_may_have_been_taken() {
    let relay = Relay::answering(&[(".", SmtpServer::NEVER)]);
    let config = SmtpConfig { answer_timeout: Duration::from_millis(300), ..config(&relay.server, SmtpTls::None) };
    let mailer = SmtpMailer::new(config, Arc::new(MemorySecretStore::new())).unwrap();
    let error = mailer.send(&mail()).await.unwrap_err();
    assert_eq!(error.kind, MailErrorKind::NoAnswer, "{error}");
    assert!(mailer.longest_send() > Duration::from_secs(60));
}
