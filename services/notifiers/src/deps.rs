//! What a notifier needs from the world.

use crate::{HttpSender, NotifierConfig};
use mantissa_ports::stores::{AlertStore, DeliveryStore, DestinationStore};
use mantissa_ports::{Clock, SecretStore};
use std::sync::Arc;

#[derive(Clone)]
pub struct NotifierDeps {
    pub alerts: Arc<dyn AlertStore>,
    pub deliveries: Arc<dyn DeliveryStore>,
    pub destinations: Arc<dyn DestinationStore>,
    pub secrets: Arc<dyn SecretStore>,
    pub clock: Arc<dyn Clock>,
    pub http: HttpSender,
    pub config: NotifierConfig,
}
