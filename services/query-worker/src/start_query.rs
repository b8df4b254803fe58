//! From a request to a running query: rule → SQL → guard → engine.

use crate::{Error, QueryWorkerDeps};
use mantissa_contracts::ids::EngineQueryId;
use mantissa_contracts::messages::QueryRequested;
use mantissa_detection::QueryBounds;
use mantissa_lake::catalogue::catalogue;
use mantissa_ports::QueryRequest;
use mantissa_sql::{GuardPolicy, guard};

pub(crate) async fn start_query(deps: &QueryWorkerDeps, request: &QueryRequested) -> Result<EngineQueryId, Error> {
    let rule_id = &request.rule_id;
    let stored = deps
        .rules
        .get(rule_id, &request.rule_version)
        .await?
        .ok_or_else(|| Error::RuleMissing { rule: rule_id.to_string(), version: request.rule_version.to_string() })?;
    let rule = deps.compiled.get(&stored.rule_version, &stored.path, &stored.yaml).map_err(|problems| {
        let reason = problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        Error::RuleBroken { rule: rule_id.to_string(), reason }
    })?;
    let bounds = QueryBounds {
        window: Some(request.window),
        event_from: Some(request.event_from),
        event_to: Some(request.event_to),
    };
    let guarded = guard(&rule.query(&bounds), catalogue(), &GuardPolicy::for_rules(deps.config.max_rows))
        .map_err(|e| Error::Refused { rule: rule_id.to_string(), reason: e.to_string() })?;
    let query = QueryRequest {
        token: request.query_run_id.to_string(),
        sql: guarded.sql,
        max_rows: deps.config.max_rows,
        timeout: deps.config.timeout,
    };
    Ok(deps.engine.start(&query).await?)
}
