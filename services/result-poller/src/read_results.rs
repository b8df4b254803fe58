//! Reads a succeeded query's pages and publishes what matched.

use crate::build_matches::MatchBuilder;
use crate::{Error, ResultPollerDeps};
use mantissa_contracts::messages::{QueryCompleted, QueryStarted};
use mantissa_contracts::{Envelope, Message};
use mantissa_domain::system_alert::{self, SystemAlert};
use mantissa_ports::{Outgoing, PortError, QueryStats};
use mantissa_runtime::trace_context;
use tracing::info;

/// Publishes every match; what it returns is to be published after them, in that order.
pub(crate) async fn read_results(
    deps: &ResultPollerDeps,
    started: &QueryStarted,
    stats: QueryStats,
) -> Result<Vec<Outgoing>, Error> {
    let request = &started.request;
    let stored = deps.rules.get(&request.rule_id, &request.rule_version).await?.ok_or_else(|| Error::RuleMissing {
        rule: request.rule_id.to_string(),
        version: request.rule_version.to_string(),
    })?;
    let rule = deps.compiled.get(&stored.rule_version, &stored.path, &stored.yaml).map_err(|problems| {
        let reason = problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        Error::RuleBroken { rule: request.rule_id.to_string(), reason }
    })?;
    let mut builder = MatchBuilder::new(&rule, request);
    let mut n_rows = 0;
    let mut page_token: Option<String> = None;
    loop {
        let page = deps.engine.results(&started.engine_query_id, page_token.as_deref()).await?;
        n_rows += page.rows.len() as u64;
        let matches = builder.build(&page)?;
        let outgoing =
            matches.into_iter().map(|rule_match| wrap(deps, rule_match)).collect::<Result<Vec<_>, PortError>>()?;
        deps.publisher.publish(&outgoing).await?;
        page_token = page.next_page;
        if page_token.is_none() {
            break;
        }
    }
    let mut messages = Vec::new();
    if let Some(reason) = builder.title_failure() {
        let (rule_id, version) = (request.rule_id.as_str(), request.rule_version.as_str());
        let detail = format!("title template: {reason}");
        let now = deps.clock.now();
        // Said once a version, not once a match.
        let alert = system_alert::rule_matched(SystemAlert::TemplateFailing, rule_id, version, &detail, now);
        messages.push(wrap(deps, alert)?);
    }
    let n_matches = builder.n_matches();
    if n_matches > 0 {
        info!(
            rule.id = %request.rule_id, query_run.id = %request.query_run_id,
            "rule `{}` matched {n_matches} times over {}", request.rule_id, request.window
        );
    }
    let completed = QueryCompleted {
        request: request.clone(),
        n_rows,
        n_matches,
        scanned_bytes: stats.scanned_bytes,
        duration_ms: stats.duration_ms,
    };
    messages.push(wrap(deps, completed)?);
    Ok(messages)
}

pub(crate) fn wrap<M: Message>(deps: &ResultPollerDeps, message: M) -> Result<Outgoing, PortError> {
    Outgoing::new(&Envelope::new("result-poller", deps.clock.now(), trace_context::current(), message))
}
