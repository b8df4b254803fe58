//! Athena's protocol over a query engine: what the emulators' own Athena cannot do, because it knows no Trino.
//!
//! It behaves as Athena does where our adapter could rest on it: a client token starts one query and is refused with
//! other SQL, a query takes its time, pages begin with a row of names, a NULL is a datum without a value, a limit and a
//! failure are told in Athena's fields. It can be told to throttle, fail or cancel what is started next.

use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use mantissa_contracts::ids::{EngineQueryId, derive};
use mantissa_contracts::messages::FailureKind;
use mantissa_contracts::time::Instant;
use mantissa_ports::{Clock as _, Column, QueryEngine, QueryRequest, QueryStatus, SystemClock};
use serde_json::{Value, json};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// What our side limits is limited by our adapter: Athena itself knows neither.
const MAX_ROWS: u64 = 10_000_000;
const TIMEOUT: Duration = Duration::from_secs(30 * 60);
const LOOK_EVERY: Duration = Duration::from_millis(5);
const DEFAULT_PAGE: usize = 1000;

/// What happens to the next query that is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The start is refused: too many requests.
    Throttle,
    /// The query starts, and fails with these words.
    Fail { retryable: bool, reason: &'static str },
    /// The query starts, and somebody cancels it.
    Cancel,
}

struct Execution {
    query: EngineQueryId,
    sql: String,
    workgroup: String,
    /// How old a result may be that is taken instead, in minutes.
    reuse: Option<u64>,
    submitted: Instant,
    /// Once it has ended.
    ended: Option<(Instant, QueryStatus)>,
}

#[derive(Clone)]
pub(crate) struct AthenaEndpoint {
    engine: Arc<dyn QueryEngine>,
    executions: Arc<Mutex<HashMap<String, Execution>>>,
    faults: Arc<Mutex<VecDeque<Fault>>>,
    /// Who is told when a query has ended.
    events: Arc<OnceLock<aws_sdk_eventbridge::Client>>,
}

/// The running server; it ends with this.
pub(crate) struct Served {
    pub(crate) url: String,
    pub(crate) endpoint: AthenaEndpoint,
    server: JoinHandle<()>,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// An error in Athena's words.
struct Refused(StatusCode, &'static str, String);

fn invalid(message: impl Into<String>) -> Refused {
    Refused(StatusCode::BAD_REQUEST, "InvalidRequestException", message.into())
}

impl AthenaEndpoint {
    pub(crate) async fn serve(engine: Arc<dyn QueryEngine>) -> Served {
        let endpoint = Self { engine, executions: Arc::default(), faults: Arc::default(), events: Arc::default() };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().route("/", post(answer)).with_state(endpoint.clone());
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Served { url, endpoint, server }
    }

    /// From now on the end of a query is an event on the account's default bus. Only AWS may put one with the source
    /// `aws.athena`, so rules of a deployment in an emulator hear this one too.
    pub(crate) fn tell(&self, events: aws_sdk_eventbridge::Client) {
        assert!(self.events.set(events).is_ok(), "it tells somebody already");
    }

    pub(crate) fn next_start(&self, fault: Fault) {
        self.faults.lock().unwrap().push_back(fault);
    }

    /// Whether every fault happened.
    pub(crate) fn has_no_fault_left(&self) -> bool {
        self.faults.lock().unwrap().is_empty()
    }

    /// The SQL of every query that was started, in no order.
    pub(crate) fn started(&self) -> Vec<String> {
        self.executions.lock().unwrap().values().map(|execution| execution.sql.clone()).collect()
    }

    /// How old a result each query would have taken instead, in minutes.
    pub(crate) fn reuse_asked(&self) -> Vec<Option<u64>> {
        self.executions.lock().unwrap().values().map(|execution| execution.reuse).collect()
    }

    async fn start(&self, input: &Value) -> Result<Value, Refused> {
        let sql = text(input, "QueryString")?;
        let token = text(input, "ClientRequestToken")?;
        let workgroup = text(input, "WorkGroup")?;
        if !(32..=128).contains(&token.len()) {
            return Err(invalid("ClientRequestToken must have 32 to 128 characters"));
        }
        let id = derive("AthenaExecution", &[token]).to_string();
        if let Some(known) = self.executions.lock().unwrap().get(&id) {
            return match known.sql == sql {
                true => Ok(json!({ "QueryExecutionId": id })),
                false => Err(invalid("Idempotent parameters do not match")),
            };
        }
        let fault = self.faults.lock().unwrap().pop_front();
        if fault == Some(Fault::Throttle) {
            let message = "You have exceeded the limit for the number of queries you can run concurrently.".to_owned();
            return Err(Refused(StatusCode::BAD_REQUEST, "TooManyRequestsException", message));
        }
        let request =
            QueryRequest { token: token.to_owned(), sql: sql.to_owned(), max_rows: MAX_ROWS, timeout: TIMEOUT };
        let query = self.engine.start(&request).await.map_err(|error| invalid(error.to_string()))?;
        let submitted = SystemClock.now();
        let ended = match fault {
            Some(Fault::Fail { retryable, reason }) => {
                let kind = if retryable { FailureKind::Transient } else { FailureKind::Permanent };
                Some((submitted, QueryStatus::Failed { kind, reason: reason.to_owned() }))
            }
            Some(Fault::Cancel) => Some((submitted, QueryStatus::Cancelled)),
            _ => None,
        };
        let ended_at_once = ended.is_some();
        let (sql, workgroup) = (sql.to_owned(), workgroup.to_owned());
        let by_age = &input["ResultReuseConfiguration"]["ResultReuseByAgeConfiguration"];
        let reuse = by_age["Enabled"].as_bool().unwrap_or(false).then(|| by_age["MaxAgeInMinutes"].as_u64()).flatten();
        let execution = Execution { query: query.clone(), sql, workgroup, reuse, submitted, ended };
        self.executions.lock().unwrap().insert(id.clone(), execution);
        match ended_at_once {
            true => drop(tokio::spawn(self.clone().tell_end(id.clone()))),
            false => drop(tokio::spawn(self.clone().watch(id.clone(), query))),
        }
        Ok(json!({ "QueryExecutionId": id }))
    }

    /// Notes when the query ended, whoever asks when.
    async fn watch(self, id: String, query: EngineQueryId) {
        loop {
            let status = self.engine.status(&query).await.unwrap();
            if status.is_final() {
                if let Some(execution) = self.executions.lock().unwrap().get_mut(&id) {
                    execution.ended = Some((SystemClock.now(), status));
                }
                return self.tell_end(id).await;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    async fn tell_end(self, id: String) {
        let Some(events) = self.events.get() else { return };
        let described =
            self.describe(&json!({ "QueryExecutionId": id })).map_err(|Refused(.., message)| message).unwrap();
        let execution = &described["QueryExecution"];
        let detail = json!({
            "queryExecutionId": id,
            "workgroupName": execution["WorkGroup"],
            "currentState": execution["Status"]["State"],
        });
        let entry = PutEventsRequestEntry::builder().source("emulated.athena").detail_type("Athena Query State Change");
        let put = events.put_events().entries(entry.detail(detail.to_string()).build()).send().await.unwrap();
        assert_eq!(put.failed_entry_count(), 0, "{put:?}");
    }

    fn describe(&self, input: &Value) -> Result<Value, Refused> {
        let id = text(input, "QueryExecutionId")?;
        let executions = self.executions.lock().unwrap();
        let execution = executions.get(id).ok_or_else(|| unknown(id))?;
        let mut status = json!({ "SubmissionDateTime": seconds(execution.submitted) });
        let mut statistics = json!({});
        let state = match &execution.ended {
            None => "RUNNING",
            Some((at, ended)) => {
                status["CompletionDateTime"] = json!(seconds(*at));
                match ended {
                    QueryStatus::Succeeded(stats) => {
                        statistics = json!({
                            "DataScannedInBytes": stats.scanned_bytes, "TotalExecutionTimeInMillis": stats.duration_ms,
                        });
                        "SUCCEEDED"
                    }
                    QueryStatus::Failed { kind, reason } => {
                        let of_the_query = *kind == FailureKind::Permanent;
                        status["StateChangeReason"] = json!(reason);
                        status["AthenaError"] = json!({
                            "ErrorCategory": if of_the_query { 2 } else { 1 }, "ErrorType": 1,
                            "Retryable": !of_the_query, "ErrorMessage": reason,
                        });
                        "FAILED"
                    }
                    QueryStatus::Cancelled => "CANCELLED",
                    other => return Err(invalid(format!("the engine says {other:?}"))),
                }
            }
        };
        status["State"] = json!(state);
        Ok(json!({ "QueryExecution": {
            "QueryExecutionId": id, "Query": execution.sql, "WorkGroup": execution.workgroup, "StatementType": "DML",
            "Status": status, "Statistics": statistics,
        }}))
    }

    fn succeeded(&self, id: &str) -> Result<(EngineQueryId, u64), Refused> {
        let executions = self.executions.lock().unwrap();
        let execution = executions.get(id).ok_or_else(|| unknown(id))?;
        match &execution.ended {
            Some((_, QueryStatus::Succeeded(stats))) => Ok((execution.query.clone(), stats.n_rows)),
            _ => Err(invalid("Query has not yet finished. Current state: RUNNING")),
        }
    }

    /// The row of names counts among the rows of the first page.
    async fn results(&self, input: &Value) -> Result<Value, Refused> {
        let id = text(input, "QueryExecutionId")?;
        let (query, _) = self.succeeded(id)?;
        let limit = input["MaxResults"].as_u64().map_or(DEFAULT_PAGE, |limit| limit as usize);
        let from: usize = match input["NextToken"].as_str() {
            None => 0,
            Some(token) => token.parse().map_err(|_| invalid("NextToken is not valid"))?,
        };
        let (columns, mut rows) = self.every_row(&query).await?;
        rows.insert(0, columns.iter().map(|column| Some(column.name.clone())).collect());
        let page: Vec<Value> = rows.iter().skip(from).take(limit).map(|row| row_of(row)).collect();
        let to = from + page.len();
        let columns: Vec<Value> = columns.iter().map(describe_column).collect();
        let mut answer = json!({
            "UpdateCount": 0, "ResultSet": { "Rows": page, "ResultSetMetadata": { "ColumnInfo": columns } },
        });
        if to < rows.len() {
            answer["NextToken"] = json!(to.to_string());
        }
        Ok(answer)
    }

    async fn every_row(&self, query: &EngineQueryId) -> Result<(Vec<Column>, Vec<Vec<Option<String>>>), Refused> {
        let (mut rows, mut next) = (Vec::new(), None);
        loop {
            let page = self.engine.results(query, next.as_deref()).await.map_err(|error| invalid(error.to_string()))?;
            rows.extend(page.rows);
            next = page.next_page;
            if next.is_none() {
                return Ok((page.columns, rows));
            }
        }
    }

    async fn stop(&self, input: &Value) -> Result<Value, Refused> {
        let id = text(input, "QueryExecutionId")?;
        let query = self.executions.lock().unwrap().get(id).map(|execution| execution.query.clone());
        let query = query.ok_or_else(|| unknown(id))?;
        self.engine.cancel(&query).await.map_err(|error| invalid(error.to_string()))?;
        Ok(json!({}))
    }

    fn statistics(&self, input: &Value) -> Result<Value, Refused> {
        let (_, n_rows) = self.succeeded(text(input, "QueryExecutionId")?)?;
        Ok(json!({ "QueryRuntimeStatistics": { "Rows": { "OutputRows": n_rows } } }))
    }
}

async fn answer(State(endpoint): State<AthenaEndpoint>, headers: HeaderMap, body: String) -> Response {
    let target = headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let input: Value = serde_json::from_str(&body).unwrap();
    let answered = match target.strip_prefix("AmazonAthena.").unwrap_or_default() {
        "StartQueryExecution" => endpoint.start(&input).await,
        "GetQueryExecution" => endpoint.describe(&input),
        "GetQueryResults" => endpoint.results(&input).await,
        "StopQueryExecution" => endpoint.stop(&input).await,
        "GetQueryRuntimeStatistics" => endpoint.statistics(&input),
        _ => Err(Refused(StatusCode::BAD_REQUEST, "UnknownOperationException", target.to_owned())),
    };
    let (status, body) = match answered {
        Ok(body) => (StatusCode::OK, body),
        Err(Refused(status, code, message)) => (status, json!({ "__type": code, "Message": message })),
    };
    (status, [("content-type", "application/x-amz-json-1.1")], body.to_string()).into_response()
}

fn text<'a>(input: &'a Value, name: &str) -> Result<&'a str, Refused> {
    input[name].as_str().filter(|text| !text.is_empty()).ok_or_else(|| invalid(format!("{name} is required")))
}

fn unknown(id: &str) -> Refused {
    invalid(format!("QueryExecution {id} was not found"))
}

fn seconds(at: Instant) -> f64 {
    at.timestamp_millis() as f64 / 1000.0
}

fn row_of(row: &[Option<String>]) -> Value {
    let datum = |value: &Option<String>| match value {
        Some(value) => json!({ "VarCharValue": value }),
        None => json!({}),
    };
    json!({ "Data": row.iter().map(datum).collect::<Vec<_>>() })
}

/// Athena tells the precision of a timestamp beside its type.
fn describe_column(column: &Column) -> Value {
    let (name, precision) = match column.data_type.split_once('(') {
        Some(("timestamp", rest)) => {
            let (precision, zone) = rest.split_once(')').unwrap_or((rest, ""));
            (format!("timestamp{zone}"), precision.parse().unwrap_or(3))
        }
        _ => (column.data_type.clone(), 0),
    };
    json!({ "Name": column.name, "Label": column.name, "Type": name, "Precision": precision, "Scale": 0 })
}
