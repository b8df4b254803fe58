//! The gate every query passes, whoever wrote it: a rule, a person, a model.

use crate::add_partition_bounds::add_partition_bounds;
use crate::check_query::check_query;
use crate::error::GuardError;
use crate::limit_rows::limit_rows;
use crate::parse::parse;
use mantissa_contracts::time::TimeWindow;
use mantissa_lake::catalogue::Catalogue;

/// What a query may do.
#[derive(Debug, Clone)]
pub struct GuardPolicy {
    /// The guarded query returns at most one row more, so that a cut result is seen to be cut.
    pub max_rows: u64,
    pub partitions: PartitionPolicy,
    /// Rules must give the same answer whenever they run; a person may ask for the last hour.
    pub may_read_clock: bool,
    pub max_sql_bytes: usize,
}

/// What happens to a read of a table that the query does not confine to a span of event dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartitionPolicy {
    /// It may read everything.
    Unbounded,
    /// It is refused.
    Required,
    /// It is confined to this span of event time.
    Default(TimeWindow),
}

impl GuardPolicy {
    /// Below the 262,144 bytes Athena takes.
    pub const MAX_SQL_BYTES: usize = 240_000;

    /// For SQL of rules, whose bounds the engine added.
    pub fn for_rules(max_rows: u64) -> Self {
        Self {
            max_rows,
            partitions: PartitionPolicy::Unbounded,
            may_read_clock: false,
            max_sql_bytes: Self::MAX_SQL_BYTES,
        }
    }

    /// For SQL that a person or a model wrote; a table read without a bound is confined to `lookback`.
    pub fn for_people(max_rows: u64, lookback: TimeWindow) -> Self {
        Self {
            max_rows,
            partitions: PartitionPolicy::Default(lookback),
            may_read_clock: true,
            max_sql_bytes: Self::MAX_SQL_BYTES,
        }
    }
}

/// A query that may run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuardedQuery {
    /// Rendered from the tree that was judged. The only text to hand to an engine.
    pub sql: String,
    /// The tables and views it reads, sorted.
    pub tables: Vec<String>,
    /// The tables that were confined to the policy's span, because the query named none; sorted.
    pub bounded_by_policy: Vec<String>,
    pub max_rows: u64,
}

/// Judges a query and hands on what may run in its place.
pub fn guard(sql: &str, catalogue: &Catalogue, policy: &GuardPolicy) -> Result<GuardedQuery, GuardError> {
    if sql.len() > policy.max_sql_bytes {
        return Err(GuardError::TooLong { n_bytes: sql.len(), max_bytes: policy.max_sql_bytes });
    }
    let mut query = parse(sql)?;
    let relations = check_query(&query, catalogue, policy.may_read_clock)?;
    let bounded_by_policy = add_partition_bounds(&mut query, catalogue, &policy.partitions)?;
    let query = limit_rows(query, policy.max_rows);
    Ok(GuardedQuery {
        sql: query.to_string(),
        tables: relations.into_iter().map(str::to_owned).collect(),
        bounded_by_policy,
        max_rows: policy.max_rows,
    })
}

#[cfg(test)]
mod tests;
