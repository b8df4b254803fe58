//! Sends what each step did to an OpenTelemetry collector, as OTLP over HTTP.
//!
//! A span's id is the one its traceparent already carries, so the tree the collector draws is the way the messages went,
//! whichever process handled them. Without [`install`] nothing is recorded and nothing is sent.

use crate::telemetry::TelemetryError;
use crate::tls;
use crate::trace_context;
use async_trait::async_trait;
use mantissa_contracts::time::Instant;
use mantissa_ports::{Clock as _, SystemClock};
use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{BatchSpanProcessor, SpanData, SpanEvents, SpanLinks, SpanProcessor as _};
use reqwest::header::{HeaderName, HeaderValue};
use std::collections::HashMap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tracing::{info, warn};

/// How long one export may take; the next batch waits for it.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(10);

static PROCESSOR: OnceLock<BatchSpanProcessor> = OnceLock::new();

#[derive(Clone)]
pub struct TraceExportConfig {
    /// The collector's address, without `/v1/traces`.
    pub endpoint: String,
    /// Sent with every export; may hold keys, so they are never shown.
    pub headers: HashMap<String, String>,
}

impl TraceExportConfig {
    /// Reads `name=value,name=value`, as a secret holds them; a value may hold `=`.
    pub fn read_headers(text: &str) -> Option<HashMap<String, String>> {
        let pairs = text.trim().split(',').map(|pair| pair.split_once('='));
        pairs.map(|pair| pair.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))).collect()
    }

    /// Whether traces can be sent there at all; nothing is sent yet.
    pub fn check(&self) -> Result<(), TelemetryError> {
        let address = url::Url::parse(&self.endpoint).map_err(|e| failed(e.to_string()))?;
        let has_user = !address.username().is_empty() || address.password().is_some();
        if !matches!(address.scheme(), "http" | "https") || has_user {
            return Err(failed("an http:// or https:// address without a user or password is needed".to_owned()));
        }
        for (name, value) in &self.headers {
            let is_valid = HeaderName::from_bytes(name.as_bytes()).is_ok() && HeaderValue::from_str(value).is_ok();
            if !is_valid {
                return Err(failed("a header is not valid".to_owned()));
            }
        }
        Ok(())
    }
}

fn failed(reason: String) -> TelemetryError {
    TelemetryError::new(format!("trace export: {reason}"))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepKind {
    /// Begins a way through the queues.
    Producer,
    /// Handles a message.
    Consumer,
    /// Answers a request.
    Server,
}

/// One finished step of a trace.
#[derive(Debug)]
pub struct Step<'a> {
    pub name: String,
    pub kind: StepKind,
    /// The step's own trace context.
    pub traceparent: &'a str,
    /// The context of what led to it; `None` begins a trace.
    pub parent: Option<&'a str>,
    pub started: Instant,
    pub attributes: Vec<(&'static str, String)>,
    pub error: Option<String>,
}

/// From now on every [`record`]ed step is sent. Call it within the async runtime that is to send.
pub fn install(config: TraceExportConfig) -> Result<(), TelemetryError> {
    tls::install_crypto_provider();
    config.check()?;
    let http = reqwest::Client::builder()
        .timeout(EXPORT_TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .map_err(|e| failed(e.to_string()))?;
    let runtime = tokio::runtime::Handle::try_current().map_err(|e| failed(e.to_string()))?;
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(Client { http, runtime, is_failing: AtomicBool::new(false) })
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(format!("{}/v1/traces", config.endpoint.trim_end_matches('/')))
        .with_timeout(EXPORT_TIMEOUT)
        .with_headers(config.headers.clone())
        .build()
        .map_err(|e| failed(e.to_string()))?;
    let mut processor = BatchSpanProcessor::builder(exporter).build();
    processor.set_resource(
        &Resource::builder()
            .with_service_name("mantissa")
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .build(),
    );
    PROCESSOR.set(processor).map_err(|_| failed("set up twice".to_owned()))
}

/// Hands a finished step to the exporter. Never waits: when the collector cannot keep up, steps are left out of the
/// trace, and the work goes on.
pub fn record(step: Step<'_>) {
    let Some(processor) = PROCESSOR.get() else { return };
    let Some(span_context) = context_of(step.traceparent, false) else { return };
    let parent = step.parent.and_then(|parent| context_of(parent, true));
    processor.on_end(SpanData {
        span_context,
        parent_span_id: parent.as_ref().map_or(SpanId::INVALID, SpanContext::span_id),
        parent_span_is_remote: parent.is_some(),
        span_kind: match step.kind {
            StepKind::Producer => SpanKind::Producer,
            StepKind::Consumer => SpanKind::Consumer,
            StepKind::Server => SpanKind::Server,
        },
        name: step.name.into(),
        start_time: step.started.into(),
        end_time: SystemClock.now().into(),
        attributes: step.attributes.into_iter().map(|(name, value)| KeyValue::new(name, value)).collect(),
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status: step.error.map_or(Status::Ok, Status::error),
        instrumentation_scope: InstrumentationScope::builder("mantissa").build(),
    });
}

/// `true` once [`install`] succeeded: what is only for the trace need not be gathered otherwise.
pub fn is_installed() -> bool {
    PROCESSOR.get().is_some()
}

/// Sends what is still held. Waits for the collector, so that the last steps before an exit are in its trace.
pub async fn flush() {
    let flushed = tokio::task::spawn_blocking(|| PROCESSOR.get().map(BatchSpanProcessor::force_flush)).await;
    if let Ok(Some(Err(error))) = flushed {
        warn!("the last steps of the trace were not exported: {error}");
    }
}

fn context_of(traceparent: &str, is_remote: bool) -> Option<SpanContext> {
    let (trace, span, flags) = trace_context::ids_of(traceparent)?;
    Some(SpanContext::new(
        TraceId::from_hex(trace).ok()?,
        SpanId::from_hex(span).ok()?,
        TraceFlags::new(flags),
        is_remote,
        TraceState::NONE,
    ))
}

/// The exporter works on a thread of its own, the client needs the async runtime: each request is handed over to it.
#[derive(Debug)]
struct Client {
    http: reqwest::Client,
    runtime: tokio::runtime::Handle,
    /// One line in the log when exporting begins to fail and one when it works again, not one a batch.
    is_failing: AtomicBool,
}

impl Client {
    fn note(&self, problem: Option<&str>) {
        let was_failing = self.is_failing.swap(problem.is_some(), Ordering::Relaxed);
        match (problem, was_failing) {
            (Some(problem), false) => warn!("trace export fails, traces have gaps until it works again: {problem}"),
            (None, true) => info!("trace export works again"),
            _ => {}
        }
    }
}

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let http = self.http.clone();
        let exchange = self.runtime.spawn(async move {
            let answer = http.execute(request.try_into()?).await.map_err(reqwest::Error::without_url)?;
            let mut response = Response::builder().status(answer.status());
            if let Some(headers) = response.headers_mut() {
                headers.clone_from(answer.headers());
            }
            Ok::<_, HttpError>(response.body(answer.bytes().await?)?)
        });
        let result = match exchange.await {
            Ok(result) => result,
            Err(stopped) => Err(HttpError::from(stopped)),
        };
        match &result {
            Ok(response) if response.status().is_success() => self.note(None),
            Ok(response) => self.note(Some(&format!("the collector answered {}", response.status()))),
            Err(error) => self.note(Some(&error.to_string())),
        }
        result
    }
}
