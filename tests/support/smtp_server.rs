//! A relay on loopback that speaks SMTP: it keeps what came, and answers as it is told.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mail_parser::{Address, MessageParser};
use std::collections::BTreeMap;
use std::io;
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// The name its certificate is for.
const HOST: &str = "localhost";

/// When a connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    None,
    Starttls,
    Implicit,
}

pub struct SmtpBehaviour {
    pub encryption: Encryption,
    /// Name and password that are asked for.
    pub login: Option<(&'static str, &'static str)>,
    /// Answers that are not the usual, by how the line begins that they answer: `RCPT TO:<gone@`, `DATA`, and `.` for the
    /// end of a mail. An empty one cuts the connection.
    pub answers: BTreeMap<&'static str, &'static str>,
}

impl SmtpBehaviour {
    pub fn usual(encryption: Encryption) -> Self {
        Self { encryption, login: None, answers: BTreeMap::new() }
    }
}

/// A mail that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayedMail {
    /// As the envelope named them.
    pub from: String,
    pub to: Vec<String>,
    pub encrypted: bool,
    pub signed_in: bool,
    pub raw: Vec<u8>,
}

/// What a mail program makes of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadMail {
    pub to: Vec<String>,
    pub subject: String,
    pub text: String,
    pub html: String,
    pub headers: BTreeMap<String, String>,
}

impl RelayedMail {
    pub fn read(&self) -> ReadMail {
        let message = MessageParser::default().parse(&self.raw).unwrap();
        let to = message.to().map(Address::iter).into_iter().flatten();
        // As on the screen: on the wire every line ends in CR and LF.
        let body = |text: Option<std::borrow::Cow<'_, str>>| text.unwrap_or_default().replace("\r\n", "\n");
        let headers = message.headers_raw().map(|(name, value)| (name.to_owned(), value.trim().to_owned()));
        ReadMail {
            to: to.filter_map(|address| address.address().map(str::to_owned)).collect(),
            subject: message.subject().unwrap_or_default().to_owned(),
            text: body(message.body_text(0)),
            html: body(message.body_html(0)),
            headers: headers.collect(),
        }
    }
}

type Kept = Arc<Mutex<Vec<RelayedMail>>>;

/// It serves until the process ends.
pub struct SmtpServer {
    pub port: u16,
    /// PEM.
    pub certificate: String,
    taken: Kept,
}

impl SmtpServer {
    pub const HOST: &str = HOST;
    /// An answer that does not come.
    pub const NEVER: &str = "never";

    pub fn start(behaviour: SmtpBehaviour) -> Self {
        let certified = rcgen::generate_simple_self_signed([HOST.to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(certified.signing_key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certified.cert.der().clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let (taken, (port, started)) = (Kept::default(), mpsc::channel());
        let (kept, behaviour) = (taken.clone(), Arc::new(behaviour));
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                port.send(listener.local_addr().unwrap().port()).unwrap();
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    let session = Session { behaviour: behaviour.clone(), kept: kept.clone() };
                    let acceptor = acceptor.clone();
                    // A client that breaks off is what some tests are about.
                    tokio::spawn(async move { drop(session.serve(Box::new(stream), acceptor).await) });
                }
            });
        });
        Self { port: started.recv().unwrap(), certificate: certified.cert.pem(), taken }
    }

    /// Oldest first.
    pub fn taken(&self) -> Vec<RelayedMail> {
        self.taken.lock().unwrap().clone()
    }
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

struct Session {
    behaviour: Arc<SmtpBehaviour>,
    kept: Kept,
}

/// What a connection has come to.
#[derive(Default)]
struct Dialogue {
    from: String,
    to: Vec<String>,
    encrypted: bool,
    signed_in: bool,
}

impl Session {
    async fn serve(self, stream: Box<dyn Stream>, acceptor: TlsAcceptor) -> io::Result<()> {
        let mut dialogue = Dialogue::default();
        let mut stream: BufReader<Box<dyn Stream>> = BufReader::new(stream);
        if self.behaviour.encryption == Encryption::Implicit {
            stream = BufReader::new(Box::new(acceptor.accept(stream.into_inner()).await?));
            dialogue.encrypted = true;
        }
        answer(&mut stream, "220 relay").await?;
        loop {
            let line = read_line(&mut stream).await?;
            if line == "STARTTLS" {
                answer(&mut stream, "220 go on").await?;
                stream = BufReader::new(Box::new(acceptor.accept(stream.into_inner()).await?));
                dialogue = Dialogue { encrypted: true, ..Dialogue::default() };
                continue;
            }
            let told = self.behaviour.answers.iter().find(|(start, _)| line.starts_with(**start));
            let said = match told {
                Some((_, said)) => (*said).to_owned(),
                None => self.usual(&mut dialogue, &line),
            };
            if said.is_empty() {
                return Ok(());
            }
            answer(&mut stream, &said).await?;
            if said.starts_with("354") {
                let raw = read_mail(&mut stream).await?;
                let said = self.behaviour.answers.get(".").copied().unwrap_or("250 queued");
                if said.starts_with('2') || said.is_empty() {
                    let Dialogue { from, to, encrypted, signed_in } = std::mem::take(&mut dialogue);
                    self.kept.lock().unwrap().push(RelayedMail { from, to, encrypted, signed_in, raw });
                }
                match said {
                    "" => return Ok(()),
                    SmtpServer::NEVER => std::future::pending().await,
                    said => answer(&mut stream, said).await?,
                }
            }
        }
    }

    fn usual(&self, dialogue: &mut Dialogue, line: &str) -> String {
        let asks = |dialogue: &Dialogue| self.behaviour.login.is_some() && !dialogue.signed_in;
        if line.starts_with("EHLO") {
            let starttls = self.behaviour.encryption == Encryption::Starttls && !dialogue.encrypted;
            let extensions = if starttls { "250 STARTTLS" } else { "250 AUTH PLAIN" };
            return format!("250-relay\r\n{extensions}");
        }
        if let Some(initial) = line.strip_prefix("AUTH PLAIN ") {
            let expected =
                self.behaviour.login.map(|(name, password)| STANDARD.encode(format!("\0{name}\0{password}")));
            dialogue.signed_in = expected.as_deref() == Some(initial);
            return if dialogue.signed_in { "235 welcome" } else { "535 5.7.8 no" }.to_owned();
        }
        let said = match line {
            "DATA" => "354 go on",
            "QUIT" => "221 bye",
            _ if asks(dialogue) => "530 5.7.0 sign in first",
            _ => "250 fine",
        };
        let address = || line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
        if line.starts_with("MAIL FROM:") {
            dialogue.from = address();
        } else if line.starts_with("RCPT TO:") {
            dialogue.to.push(address());
        }
        said.to_owned()
    }
}

async fn answer(stream: &mut BufReader<Box<dyn Stream>>, said: &str) -> io::Result<()> {
    stream.write_all(format!("{said}\r\n").as_bytes()).await?;
    stream.flush().await
}

async fn read_line(stream: &mut BufReader<Box<dyn Stream>>) -> io::Result<String> {
    let mut line = String::new();
    match stream.read_line(&mut line).await? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(line.trim_end().to_owned()),
    }
}

/// Up to the line with a single dot; a line that begins with one was given another.
async fn read_mail(stream: &mut BufReader<Box<dyn Stream>>) -> io::Result<Vec<u8>> {
    let mut raw = Vec::new();
    loop {
        let mut line = Vec::new();
        if stream.read_until(b'\n', &mut line).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if line == b".\r\n" {
            return Ok(raw);
        }
        raw.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
    }
}
