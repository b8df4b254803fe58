//! Follows a statement from its first answer to its last.

use crate::answer::{Answer, AnswerColumn};
use crate::client::{Client, Session};
use crate::error::TrinoError;
use crate::print_value::print_value;
use mantissa_ports::tracked_queries::{QueryOutput, row_bytes};
use mantissa_ports::{Column, QueryStats};
use std::sync::Arc;
use tokio::runtime::Handle;

#[derive(Debug, Clone, Copy)]
pub(crate) struct ResultLimits {
    pub(crate) max_rows: u64,
    pub(crate) max_bytes: usize,
}

/// A statement the cluster has taken. Dropping it before its end ends it there.
pub(crate) struct RunningStatement {
    client: Arc<Client>,
    session: Session,
    runtime: Handle,
    query_id: String,
    answer: Option<Answer>,
}

impl Drop for RunningStatement {
    fn drop(&mut self) {
        if self.answer.as_ref().is_some_and(|answer| answer.next_uri.is_none()) {
            return;
        }
        let (client, session, query_id) =
            (Arc::clone(&self.client), self.session.clone(), std::mem::take(&mut self.query_id));
        self.runtime.spawn(async move {
            // The cluster ends it by itself when nobody asks for its pages for some minutes.
            if let Err(error) = client.end(&session, &query_id).await {
                tracing::warn!(query_id, error = %error, "a query could not be cancelled");
            }
        });
    }
}

impl RunningStatement {
    pub(crate) async fn begin(client: Arc<Client>, session: Session, sql: &str) -> Result<Self, TrinoError> {
        let answer = client.begin(&session, sql).await?;
        Ok(Self {
            query_id: answer.query_id.clone(),
            runtime: Handle::current(),
            client,
            session,
            answer: Some(answer),
        })
    }

    /// Reads every page. `runs` is called as soon as the statement waits in no queue any more.
    pub(crate) async fn finish(
        mut self,
        limits: ResultLimits,
        runs: impl FnOnce() + Send,
    ) -> Result<QueryOutput, TrinoError> {
        let mut runs = Some(runs);
        let mut columns: Option<Vec<AnswerColumn>> = None;
        let (mut rows, mut n_bytes) = (Vec::new(), 0);
        loop {
            let Some(answer) = self.answer.as_mut() else {
                return Err(TrinoError::Answer("there is none".to_owned()));
            };
            if let Some(error) = answer.error.take() {
                return Err(TrinoError::Statement(Box::new(error)));
            }
            let is_waiting = matches!(answer.stats.state.as_str(), "QUEUED" | "WAITING_FOR_RESOURCES");
            if !is_waiting && let Some(runs) = runs.take() {
                runs();
            }
            if columns.is_none() {
                columns = answer.columns.take();
            }
            let page = std::mem::take(&mut answer.data);
            if (rows.len() + page.len()) as u64 > limits.max_rows {
                return Err(TrinoError::TooManyRows { max_rows: limits.max_rows });
            }
            for row in page {
                let columns = columns.as_deref().unwrap_or_default();
                if row.len() != columns.len() {
                    return Err(TrinoError::Answer(format!("{} values for {} columns", row.len(), columns.len())));
                }
                let printed = row.iter().zip(columns).map(|(value, column)| print_value(value, &column.type_signature));
                let row: Vec<Option<String>> =
                    printed.collect::<Result<_, _>>().map_err(|e| TrinoError::Answer(e.to_string()))?;
                n_bytes += row_bytes(&row);
                rows.push(row);
            }
            if n_bytes > limits.max_bytes {
                return Err(TrinoError::TooLarge { max_bytes: limits.max_bytes });
            }
            let Some(next) = answer.next_uri.clone() else {
                let stats = QueryStats {
                    n_rows: rows.len() as u64,
                    scanned_bytes: answer.stats.physical_input_bytes,
                    duration_ms: answer.stats.elapsed_time_millis,
                };
                let columns = columns.unwrap_or_default().into_iter().map(column).collect();
                return Ok(QueryOutput { columns, rows, stats });
            };
            self.answer = Some(self.client.next(&self.session, &next).await?);
        }
    }
}

fn column(column: AnswerColumn) -> Column {
    // `INTERVAL DAY TO SECOND` alone is told in capitals.
    Column { name: column.name, data_type: column.type_name.to_lowercase() }
}
