//! From Trino text to rows of text.

use super::error::QueryError;
use super::interrupt_joins::{StopFlag, interrupt_joins};
use super::render_value::{Renderer, type_name};
use super::rewrite::rewrite;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion::sql::parser::Statement;
use futures::StreamExt;
use mantissa_lake::catalogue::Catalogue;
use mantissa_ports::tracked_queries::{QueryOutput, row_bytes};
use mantissa_ports::{Column, QueryStats};
use std::sync::Arc;
use std::time::Instant;

pub(super) type Row = Vec<Option<String>>;

#[derive(Debug, Clone, Copy)]
pub(super) struct ResultLimits {
    pub(super) max_rows: u64,
    pub(super) max_bytes: usize,
}

/// Plans and runs a query. Dropping the future stops it where it waits, the flag where it computes.
pub(super) async fn run_query(
    state: &SessionState,
    catalogue: &Catalogue,
    sql: &str,
    limits: ResultLimits,
    stop: &StopFlag,
) -> Result<QueryOutput, QueryError> {
    let started = Instant::now();
    let logical = plan_query(state, catalogue, sql).await?;
    let physical = state.create_physical_plan(&logical).await.map_err(QueryError::plan)?;
    let physical = interrupt_joins(physical, stop).map_err(QueryError::plan)?;
    let schema = physical.schema();
    let columns = schema
        .fields()
        .iter()
        .map(|field| Column { name: field.name().clone(), data_type: type_name(field) })
        .collect();
    let renderer = Renderer::new(&schema);
    let mut stream = execute_stream(Arc::clone(&physical), state.task_ctx()).map_err(QueryError::run)?;
    let (mut rows, mut n_bytes): (Vec<Row>, usize) = (Vec::new(), 0);
    while let Some(batch) = stream.next().await {
        let batch = batch.map_err(QueryError::run)?;
        if (rows.len() + batch.num_rows()) as u64 > limits.max_rows {
            return Err(QueryError::TooManyRows { max_rows: limits.max_rows });
        }
        for row in renderer.rows(&batch).map_err(QueryError::run)? {
            n_bytes += row_bytes(&row);
            rows.push(row);
        }
        if n_bytes > limits.max_bytes {
            return Err(QueryError::TooLarge { max_bytes: limits.max_bytes });
        }
    }
    let stats = QueryStats {
        n_rows: rows.len() as u64,
        scanned_bytes: scanned_bytes(physical.as_ref()),
        duration_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
    };
    Ok(QueryOutput { columns, rows, stats })
}

/// The plan of a Trino query, analysed but not optimised.
pub(super) async fn plan_query(
    state: &SessionState,
    catalogue: &Catalogue,
    sql: &str,
) -> Result<LogicalPlan, QueryError> {
    let query = rewrite(mantissa_sql::parse(sql)?, catalogue)?;
    let statement = sqlparser::ast::Statement::Query(Box::new(query));
    state.statement_to_plan(Statement::Statement(Box::new(statement))).await.map_err(QueryError::plan)
}

fn scanned_bytes(plan: &dyn ExecutionPlan) -> u64 {
    let own = plan
        .metrics()
        .and_then(|metrics| metrics.sum_by_name("bytes_scanned"))
        .map_or(0, |value| value.as_usize() as u64);
    own + plan.children().into_iter().map(|child| scanned_bytes(child.as_ref())).sum::<u64>()
}
