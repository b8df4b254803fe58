//! A notifier with in-memory stores, a clock that stands still, and the real HTTP client.

use crate::local_server::LocalServer;
use mantissa_contracts::Envelope;
use mantissa_contracts::ids::{AlertId, DestinationId, MatchId, RuleId, RuleVersion};
use mantissa_contracts::messages::{
    AlertSnapshot, AlertStatus, DeliveryRecorded, DestinationType, Evidence, Intent, KeyPart, NotificationReason,
    NotificationRequested, RuleMatched, RuleRef, Severity,
};
use mantissa_notifiers::{
    AddressPolicy, HttpConfig, HttpSender, NotificationHandler, NotifierConfig, NotifierDeps, OutboundMail,
};
use mantissa_ports::memory::{
    MemoryAlertStore, MemoryBus, MemoryDeliveryStore, MemoryDestinationStore, MemoryMailer, MemorySecretStore,
    TestClock,
};
use mantissa_ports::stores::{ChangeCommit, DeliveryRecord, Destination, MatchCommit};
use mantissa_ports::{Clock, Secret};
use mantissa_runtime::handler::{Handled, Handler};
use std::sync::Arc;
use std::time::Duration;

pub(crate) const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// The ways in that every destination test goes through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Webhook,
    SlackWebhook,
    SlackApi,
}

impl Way {
    pub(crate) const ALL: [Self; 3] = [Self::Webhook, Self::SlackWebhook, Self::SlackApi];

    pub(crate) fn destination_type(self) -> DestinationType {
        match self {
            Self::Webhook => DestinationType::Webhook,
            Self::SlackWebhook | Self::SlackApi => DestinationType::Slack,
        }
    }

    /// What a server answers to say that it took a notification.
    pub(crate) fn taken(self) -> &'static str {
        match self {
            Self::Webhook => "",
            Self::SlackWebhook => "ok",
            Self::SlackApi => r#"{"ok":true,"channel":"C1","ts":"1700000000.000100"}"#,
        }
    }
}

pub(crate) struct World {
    pub(crate) clock: TestClock,
    pub(crate) bus: Arc<MemoryBus>,
    pub(crate) mailer: Arc<MemoryMailer>,
    pub(crate) deps: NotifierDeps,
    pub(crate) handler: NotificationHandler,
}

impl World {
    pub(crate) fn new() -> Self {
        let clock = TestClock::default();
        let bus = MemoryBus::new(Arc::new(clock.clone()));
        let mailer = Arc::new(MemoryMailer::new());
        let http = HttpConfig {
            connect_timeout: Duration::from_millis(700),
            total_timeout: Duration::from_millis(1000),
            ..HttpConfig::new(AddressPolicy::AllowLoopback)
        };
        let deps = NotifierDeps {
            alerts: Arc::new(MemoryAlertStore::new(bus.clone())),
            deliveries: Arc::new(MemoryDeliveryStore::new(bus.clone())),
            destinations: Arc::new(MemoryDestinationStore::new()),
            secrets: Arc::new(MemorySecretStore::new()),
            clock: Arc::new(clock.clone()),
            http: HttpSender::new(&http).expect("the HTTP client builds"),
            mail: Some(OutboundMail { mailer: mailer.clone(), from: "Mantissa Log <alerts@example.com>".to_owned() }),
            config: NotifierConfig::new("test"),
        };
        Self { clock, bus, mailer, handler: NotificationHandler::new(deps.clone()), deps }
    }

    /// A destination named `ops` at this URL.
    pub(crate) async fn add_destination(&self, way: Way, url: &str) {
        self.put_secret("ops-url", url).await;
        self.put_secret("ops-key", KEY).await;
        self.put_secret("ops-token", "xoxb-token").await;
        let settings: &[(&str, &str)] = match way {
            Way::Webhook => &[("url_secret", "ops-url"), ("signing_secret", "ops-key")],
            Way::SlackWebhook => &[("url_secret", "ops-url")],
            Way::SlackApi => &[("token_secret", "ops-token"), ("channel", "alerts"), ("api_url", url)],
        };
        self.put_destination(way.destination_type(), settings).await;
    }

    pub(crate) async fn put_destination(&self, destination_type: DestinationType, settings: &[(&str, &str)]) {
        let destination = Destination {
            destination_id: ops(),
            destination_type,
            enabled: true,
            disabled_reason: None,
            settings: settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        };
        self.deps.destinations.put(&destination).await.unwrap();
    }

    pub(crate) async fn put_secret(&self, name: &str, value: &str) {
        self.deps.secrets.put(name, &Secret::new(value)).await.unwrap();
    }

    pub(crate) async fn start(way: Way, server: &LocalServer) -> Self {
        let world = Self::new();
        world.add_destination(way, &server.url("/hook/")).await;
        world
    }

    pub(crate) async fn open_alert(&self, name: &str, severity: Severity) -> AlertSnapshot {
        let now = self.clock.now();
        let alert = AlertSnapshot {
            alert_id: AlertId::derive(&[name]),
            revision: 1,
            rule: RuleRef {
                rule_id: RuleId::new("root-login"),
                rule_version: RuleVersion::new("v1"),
                title: "Root login".to_owned(),
                severity,
                log_source: "cloudtrail".to_owned(),
                tags: vec!["attack.t1078".to_owned()],
                runbook: Some("Ask the account's owner.".to_owned()),
                destinations: Vec::new(),
            },
            title: format!("Root login ({name})"),
            severity,
            status: AlertStatus::Open,
            verdict: None,
            alert_key: vec![KeyPart { field: "account".to_owned(), value: Some("123456789012".to_owned()) }],
            dedup_from: now,
            dedup_to: now,
            first_event_at: now,
            last_event_at: now,
            opened_at: now,
            updated_at: now,
            n_matches: 1,
            n_events: 1,
            evidence: vec![Evidence {
                event_id: "e1".to_owned(),
                event_time: now,
                raw: "{\"eventName\":\"ConsoleLogin\"}".to_owned(),
                truncated: false,
            }],
        };
        let commit = MatchCommit {
            key_digest: name.to_owned(),
            expected_key_revision: 0,
            match_ids: vec![MatchId::derive(&[name])],
            alert: alert.clone(),
            outgoing: Vec::new(),
        };
        self.deps.alerts.commit_matches(&commit).await.unwrap();
        alert
    }

    pub(crate) async fn change_alert(
        &self,
        alert: &AlertSnapshot,
        change: impl FnOnce(&mut AlertSnapshot),
    ) -> AlertSnapshot {
        let mut alert = AlertSnapshot { revision: alert.revision + 1, updated_at: self.clock.now(), ..alert.clone() };
        change(&mut alert);
        self.deps.alerts.commit_change(&ChangeCommit { alert: alert.clone(), outgoing: Vec::new() }).await.unwrap();
        alert
    }

    pub(crate) async fn close_alert(&self, alert: &AlertSnapshot) -> AlertSnapshot {
        self.change_alert(alert, |alert| alert.status = AlertStatus::Closed).await
    }

    pub(crate) fn request(&self, alert: &AlertSnapshot, way: Way, intent: Intent) -> Envelope<NotificationRequested> {
        self.request_of(alert, way.destination_type(), intent)
    }

    pub(crate) fn request_of(
        &self,
        alert: &AlertSnapshot,
        destination_type: DestinationType,
        intent: Intent,
    ) -> Envelope<NotificationRequested> {
        let request = NotificationRequested {
            alert_id: alert.alert_id,
            alert_revision: alert.revision,
            destination_id: ops(),
            destination_type,
            intent,
            reason: NotificationReason::FirstNotification,
            severity: alert.severity,
            rule_id: alert.rule.rule_id.clone(),
            log_source: alert.rule.log_source.clone(),
        };
        Envelope::new("enrichment", self.clock.now(), None, request)
    }

    pub(crate) async fn notify(&self, alert: &AlertSnapshot, way: Way, intent: Intent) -> Handled {
        self.handler.handle(&self.request(alert, way, intent)).await
    }

    /// The one delivery of this alert with this intent.
    pub(crate) async fn delivery(&self, alert: &AlertSnapshot, intent: Intent) -> DeliveryRecord {
        let all = self.deps.deliveries.for_alert(&alert.alert_id).await.unwrap();
        let mut found: Vec<_> = all.into_iter().filter(|record| record.key.intent == intent).collect();
        assert_eq!(found.len(), 1, "deliveries with intent {intent}");
        found.remove(0)
    }

    pub(crate) fn recorded(&self) -> Vec<DeliveryRecorded> {
        self.published("delivery_recorded")
            .iter()
            .map(|body| Envelope::<DeliveryRecorded>::decode(body).unwrap().data)
            .collect()
    }

    pub(crate) fn system_alerts(&self) -> Vec<RuleMatched> {
        self.published("rule_matched").iter().map(|body| Envelope::<RuleMatched>::decode(body).unwrap().data).collect()
    }

    fn published(&self, name: &str) -> Vec<String> {
        let all = self.bus.published();
        all.into_iter().filter(|message| message.message_name == name).map(|message| message.body).collect()
    }
}

pub(crate) fn ops() -> DestinationId {
    DestinationId::new("ops")
}
