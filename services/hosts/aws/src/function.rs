//! A Lambda function: which queues it serves and what else it runs, by the event it is invoked with.

use crate::deployment::Deployment;
use crate::queue_service::{QueueService, StageQueue};
use crate::report_metrics::report_metrics;
use anyhow::{Context as _, bail};
use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use axum::Router;
use lambda_http::tower::ServiceExt as _;
use lambda_runtime::{LambdaEvent, service_fn};
use mantissa_aws::sqs::{HandedMessage, HandedQueue};
use mantissa_contracts::topology::find_queue;
use mantissa_ports::Queue as _;
use mantissa_runtime::{Handler, Worker, WorkerConfig, trace_export};
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tracing::warn;

const TRACES_WITHIN: Duration = Duration::from_secs(1);

type Answer = Pin<Box<dyn Future<Output = anyhow::Result<Value>> + Send>>;
type Run = Box<dyn Fn(Value) -> Answer + Send + Sync>;

pub struct Function {
    pub(crate) deployment: Arc<Deployment>,
    /// By the queue's name on SQS.
    queues: HashMap<String, Box<dyn QueueService>>,
    runs: HashMap<&'static str, Run>,
}

/// An invocation that no queue is behind: the scheduler's, the deployment's, a person's.
#[derive(Deserialize)]
struct RunRequest {
    run: String,
    #[serde(flatten)]
    input: Value,
}

impl Function {
    pub fn new(deployment: impl Into<Arc<Deployment>>) -> Self {
        Self { deployment: deployment.into(), queues: HashMap::new(), runs: HashMap::new() }
    }

    /// The queues whose messages this function is handed.
    pub fn own_queues(&self) -> &'static [&'static str] {
        self.deployment.spec.queues
    }

    /// Serves a queue with a stage's handler.
    pub fn work<H: Handler>(self, queue: &str, handler: H) -> anyhow::Result<Self> {
        let queue = self.deployment.handed_queue(queue)?;
        self.work_on(queue, handler)
    }

    pub(crate) fn work_on<H: Handler>(self, queue: Arc<HandedQueue>, handler: H) -> anyhow::Result<Self> {
        let name = queue.name().to_owned();
        let spec = find_queue(&name).with_context(|| format!("queue `{name}` is not in the topology"))?;
        let worker = Worker {
            queue: queue.clone(),
            handler,
            publisher: self.deployment.publisher.clone(),
            metrics: self.deployment.metrics.clone(),
            config: WorkerConfig::of(spec),
        };
        self.serve_queue(&name, StageQueue { queue, worker })
    }

    pub(crate) fn serve_queue(mut self, queue: &str, service: impl QueueService + 'static) -> anyhow::Result<Self> {
        let location = self.deployment.config.queues.of(queue);
        let name = location.as_ref().and_then(|(url, _)| last_segment(url, '/'));
        let name = name.with_context(|| format!("MANTISSA_QUEUES: the address of `{queue}` does not name a queue"))?;
        self.queues.insert(name.to_owned(), Box::new(service));
        Ok(self)
    }

    /// Answers invocations with `{"run": name, …}`.
    pub fn run<F>(mut self, name: &'static str, run: impl Fn(Value) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = anyhow::Result<Value>> + Send + 'static,
    {
        self.runs.insert(name, Box::new(move |input| Box::pin(run(input))));
        self
    }

    /// Serves invocations until Lambda ends the process.
    pub async fn serve(self) -> anyhow::Result<()> {
        let function = &self;
        let served = lambda_runtime::run(service_fn(|event: LambdaEvent<Value>| async move {
            let answer = function.answer(event.payload).await;
            tell_of_invocation(&function.deployment).await;
            // The runtime logs it, with the invocation's id.
            answer.map_err(|error| lambda_runtime::Error::from(format!("{error:#}")))
        }));
        served.await.map_err(|error| anyhow::anyhow!("{error}"))
    }

    async fn answer(&self, event: Value) -> anyhow::Result<Value> {
        if event.get("Records").is_some() {
            let event: SqsEvent = serde_json::from_value(event).context("the event is no batch of SQS")?;
            return Ok(serde_json::to_value(self.serve_batch(event.records).await?)?);
        }
        let RunRequest { run, input } =
            serde_json::from_value(event).context("the event is neither a batch of SQS nor `{\"run\": NAME}`")?;
        match self.runs.get(run.as_str()) {
            Some(answer) => answer(input).await,
            None => bail!("function `{}` has no run `{run}`", self.deployment.config.function),
        }
    }

    /// What was not settled is reported, and only that.
    async fn serve_batch(&self, records: Vec<SqsMessage>) -> anyhow::Result<SqsBatchResponse> {
        let arn = records.first().and_then(|record| record.event_source_arn.clone()).unwrap_or_default();
        let service = last_segment(&arn, ':').and_then(|name| self.queues.get(name));
        let service = service
            .with_context(|| format!("function `{}` does not serve queue `{arn}`", self.deployment.config.function))?;
        let (mut ids, mut batch) = (Vec::new(), Vec::new());
        for record in records {
            let message = handed(record);
            ids.push(message.message_id.clone());
            match service.queue().accept(message) {
                Ok(received) => batch.push(received),
                Err(error) => warn!("a message could not be taken and is seen again: {error}"),
            }
        }
        // An invocation that was cut off before may have left some.
        service.queue().take_settled();
        service.handle(batch).await;
        let settled: BTreeSet<String> = service.queue().take_settled();
        let failed = ids.into_iter().filter(|id| !settled.contains(id));
        let mut response = SqsBatchResponse::default();
        response.batch_item_failures = failed
            .map(|id| {
                let mut failure = BatchItemFailure::default();
                failure.item_identifier = id;
                failure
            })
            .collect();
        Ok(response)
    }
}

/// Serves the requests of an HTTP API, until Lambda ends the process.
pub async fn serve_http(deployment: Deployment, router: Router) -> anyhow::Result<()> {
    let deployment = Arc::new(deployment);
    let served = lambda_http::run(service_fn(|request: lambda_http::Request| {
        let (deployment, router) = (deployment.clone(), router.clone());
        async move {
            let answer = router.oneshot(request).await;
            tell_of_invocation(&deployment).await;
            answer
        }
    }));
    served.await.map_err(|error| anyhow::anyhow!("{error}"))
}

/// The process is frozen as soon as it has answered. A collector that does not answer may not use up the time in which a
/// batch is confirmed: what was not sent now is sent with the next invocation.
async fn tell_of_invocation(deployment: &Deployment) {
    report_metrics(deployment);
    let _ = tokio::time::timeout(TRACES_WITHIN, trace_export::flush()).await;
}

fn handed(record: SqsMessage) -> HandedMessage {
    let texts = record.message_attributes.into_iter().filter_map(|(name, value)| Some((name, value.string_value?)));
    HandedMessage {
        message_id: record.message_id.unwrap_or_default(),
        receipt_handle: record.receipt_handle.unwrap_or_default(),
        body: record.body.unwrap_or_default(),
        system_attributes: record.attributes,
        attributes: texts.collect(),
    }
}

fn last_segment(text: &str, separator: char) -> Option<&str> {
    text.rsplit(separator).next().filter(|segment| !segment.is_empty())
}
