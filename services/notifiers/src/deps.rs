//! What a notifier needs from the world.

use crate::{HttpSender, NotifierConfig};
use mantissa_ports::stores::{AlertStore, DeliveryStore, DestinationStore};
use mantissa_ports::{Clock, Mailer, SecretStore};
use std::sync::Arc;

#[derive(Clone)]
pub struct NotifierDeps {
    pub alerts: Arc<dyn AlertStore>,
    pub deliveries: Arc<dyn DeliveryStore>,
    pub destinations: Arc<dyn DestinationStore>,
    pub secrets: Arc<dyn SecretStore>,
    pub clock: Arc<dyn Clock>,
    pub http: HttpSender,
    /// Without it, destinations of e-mail cannot be sent to.
    pub mail: Option<OutboundMail>,
    pub config: NotifierConfig,
}

/// Who sends our mails, and whose they are.
#[derive(Clone)]
pub struct OutboundMail {
    pub mailer: Arc<dyn Mailer>,
    pub from: String,
}
