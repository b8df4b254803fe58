//! The engine as the port sees it.

use super::judge_execution::{Judgement, judge};
use super::query_ref::{QueryRef, request_token};
use crate::error::{code_of, port_error};
use async_trait::async_trait;
use aws_sdk_athena::Client;
use aws_sdk_athena::types::{
    ColumnInfo, QueryExecutionContext, ResultReuseByAgeConfiguration, ResultReuseConfiguration, Row,
};
use mantissa_contracts::ids::EngineQueryId;
use mantissa_contracts::messages::FailureKind;
use mantissa_ports::{Clock, Column, PortError, QueryEngine, QueryRequest, QueryStatus, ResultPage};
use std::sync::Arc;
use std::time::Duration;

const PAGE_ROWS: i32 = 1000;

#[derive(Debug, Clone)]
pub struct AthenaConfig {
    /// Where results go, how they are encrypted and how many bytes a query may scan is set there.
    pub workgroup: String,
    pub database: String,
    /// A result of the same SQL that is not older may be handed out again, unscanned. Whole minutes.
    pub reuse_results: Option<Duration>,
}

pub struct AthenaQueryEngine {
    client: Client,
    config: AthenaConfig,
    clock: Arc<dyn Clock>,
}

impl AthenaQueryEngine {
    pub fn new(client: Client, config: AthenaConfig, clock: Arc<dyn Clock>) -> Self {
        Self { client, config, clock }
    }

    async fn stop(&self, query: &QueryRef) -> Result<(), PortError> {
        let stopped = self.client.stop_query_execution().query_execution_id(&query.execution_id).send().await;
        match stopped {
            Ok(_) => Ok(()),
            // It has ended, or there is no such query.
            Err(error) if code_of(&error) == Some("InvalidRequestException") => Ok(()),
            Err(error) => Err(port_error("cancel query", &query.execution_id, error)),
        }
    }

    /// What Athena calls rows of a result; counted page by page where it does not.
    async fn count_rows(&self, query: &QueryRef) -> Result<u64, PortError> {
        let statistics =
            self.client.get_query_runtime_statistics().query_execution_id(&query.execution_id).send().await;
        let told = statistics.ok().and_then(|answer| answer.query_runtime_statistics?.rows?.output_rows);
        if let Some(n_rows) = told.and_then(|n_rows| u64::try_from(n_rows).ok()) {
            return Ok(n_rows);
        }
        let (mut n_rows, mut page) = (0, None);
        loop {
            let (rows, next) = self.page(query, page.as_deref()).await?;
            n_rows += rows.rows.len() as u64;
            page = next;
            if page.is_none() || n_rows > query.max_rows {
                return Ok(n_rows);
            }
        }
    }

    async fn page(&self, query: &QueryRef, token: Option<&str>) -> Result<(ResultPage, Option<String>), PortError> {
        let answer = self
            .client
            .get_query_results()
            .query_execution_id(&query.execution_id)
            .max_results(PAGE_ROWS)
            .set_next_token(token.map(str::to_owned))
            .send()
            .await
            .map_err(|error| port_error("read results of query", &query.execution_id, error))?;
        let next = answer.next_token.filter(|token| !token.is_empty());
        let result = answer.result_set.unwrap_or_else(|| aws_sdk_athena::types::ResultSet::builder().build());
        let columns: Vec<Column> = result
            .result_set_metadata()
            .map(|metadata| metadata.column_info())
            .unwrap_or_default()
            .iter()
            .map(column)
            .collect();
        let mut rows: Vec<Vec<Option<String>>> = result.rows.unwrap_or_default().into_iter().map(values).collect();
        // The first row of the first page repeats the names of the columns.
        if token.is_none() && !rows.is_empty() {
            rows.remove(0);
        }
        Ok((ResultPage { columns, rows, next_page: next.clone() }, next))
    }
}

/// The Trino name of a column's type; Athena keeps the precision apart.
fn column(info: &ColumnInfo) -> Column {
    let data_type = match info.r#type() {
        timestamp if timestamp.starts_with("timestamp") && !timestamp.contains('(') => {
            let rest = timestamp.trim_start_matches("timestamp");
            format!("timestamp({}){rest}", if info.precision() > 0 { info.precision() } else { 3 })
        }
        "decimal" => format!("decimal({},{})", info.precision(), info.scale()),
        other => other.to_owned(),
    };
    Column { name: info.name().to_owned(), data_type }
}

fn values(row: Row) -> Vec<Option<String>> {
    row.data.unwrap_or_default().into_iter().map(|datum| datum.var_char_value).collect()
}

#[async_trait]
impl QueryEngine for AthenaQueryEngine {
    async fn start(&self, request: &QueryRequest) -> Result<EngineQueryId, PortError> {
        let reuse = self.config.reuse_results.map(|age| {
            let minutes = i32::try_from(age.as_secs() / 60).unwrap_or(i32::MAX);
            let by_age = ResultReuseByAgeConfiguration::builder().enabled(true).max_age_in_minutes(minutes).build();
            ResultReuseConfiguration::builder().result_reuse_by_age_configuration(by_age).build()
        });
        let started = self
            .client
            .start_query_execution()
            .query_string(&request.sql)
            .client_request_token(request_token(request, &self.config))
            .work_group(&self.config.workgroup)
            .query_execution_context(QueryExecutionContext::builder().database(&self.config.database).build())
            .set_result_reuse_configuration(reuse)
            .send()
            .await
            .map_err(|error| port_error("start query", &request.token, error))?;
        let nameless = || PortError::transient("start query", &request.token, "Athena gave the query no id");
        Ok(QueryRef::new(started.query_execution_id.ok_or_else(nameless)?, request).to_id())
    }

    async fn status(&self, id: &EngineQueryId) -> Result<QueryStatus, PortError> {
        let Some(query) = QueryRef::of(id) else { return Ok(QueryStatus::Unknown) };
        let found = self.client.get_query_execution().query_execution_id(&query.execution_id).send().await;
        let execution = match found {
            Ok(answer) => answer.query_execution,
            Err(error) if code_of(&error) == Some("InvalidRequestException") => return Ok(QueryStatus::Unknown),
            Err(error) => return Err(port_error("ask for status of query", &query.execution_id, error)),
        };
        let Some(execution) = execution else { return Ok(QueryStatus::Unknown) };
        #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit")]
        let now_s = self.clock.now().timestamp_millis() as f64 / 1000.0;
        match judge(&execution, &query, now_s) {
            Judgement::Overdue(status) => {
                self.stop(&query).await?;
                Ok(status)
            }
            Judgement::Is(QueryStatus::Succeeded(stats)) => match self.count_rows(&query).await? {
                n_rows if n_rows > query.max_rows => Ok(QueryStatus::Failed {
                    kind: FailureKind::Permanent,
                    reason: format!("the result has more than {} rows", query.max_rows),
                }),
                n_rows => Ok(QueryStatus::Succeeded(mantissa_ports::QueryStats { n_rows, ..stats })),
            },
            Judgement::Is(status) => Ok(status),
        }
    }

    async fn results(&self, id: &EngineQueryId, page: Option<&str>) -> Result<ResultPage, PortError> {
        let refused = |why: &str| PortError::permanent("read results of query", id.as_str(), why);
        let query = QueryRef::of(id).ok_or_else(|| refused("Athena does not know it"))?;
        // Asked once for each result: Athena would hand out rows of one that is too large, or came too late.
        if page.is_none() && !matches!(self.status(id).await?, QueryStatus::Succeeded(_)) {
            return Err(refused("it has not succeeded"));
        }
        self.page(&query, page).await.map(|(page, _)| page)
    }

    async fn cancel(&self, id: &EngineQueryId) -> Result<(), PortError> {
        match QueryRef::of(id) {
            Some(query) => self.stop(&query).await,
            None => Ok(()),
        }
    }
}
