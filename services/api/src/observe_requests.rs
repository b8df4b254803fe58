//! What each request did: a line of the log, a metric, a step of the trace of whoever asked.

use crate::ApiDeps;
use axum::extract::{MatchedPath, Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;
use mantissa_contracts::time::Instant;
use mantissa_runtime::trace_context;
use mantissa_runtime::trace_export::{self, Step, StepKind};
use tracing::{Instrument as _, info, warn};
use uuid::Uuid;

pub(crate) async fn observe_requests(State(deps): State<ApiDeps>, request: Request, next: Next) -> Response {
    let started = deps.clock.now();
    // The route, never the path: it may hold an id, and there would be a metric for each.
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let method = request.method().to_string();
    let parent = request.headers().get("traceparent").and_then(|value| value.to_str().ok());
    let parent = parent.filter(|parent| trace_context::ids_of(parent).is_some()).map(str::to_owned);
    // No request is another one again: there is nothing to derive an id from.
    let about = Uuid::now_v7().to_string();
    let own = match &parent {
        Some(parent) => trace_context::child(parent, &about),
        None => Some(trace_context::begin(&["request", &about])),
    };
    let span = trace_context::log_span(own.as_deref());
    async {
        let response = next.run(request).await;
        let (status, duration) = (response.status(), deps.clock.now() - started);
        let duration_ms = duration.num_milliseconds();
        let labels = [("route", route.as_str()), ("status", status.as_str())];
        deps.metrics.count("mantissa_api_requests_total", "requests answered", &labels, 1);
        match status.is_server_error() {
            true => warn!(http.route = route, http.status = status.as_u16(), duration_ms, "{method} {route}: {status}"),
            false => {
                info!(http.route = route, http.status = status.as_u16(), duration_ms, "{method} {route}: {status}")
            }
        }
        record(&method, &route, status, started, own.as_deref(), parent.as_deref());
        response
    }
    .instrument(span)
    .await
}

fn record(method: &str, route: &str, status: StatusCode, started: Instant, own: Option<&str>, parent: Option<&str>) {
    let Some(traceparent) = own else { return };
    trace_export::record(Step {
        name: format!("{method} {route}"),
        kind: StepKind::Server,
        traceparent,
        parent,
        started,
        attributes: vec![
            ("http.request.method", method.to_owned()),
            ("http.route", route.to_owned()),
            ("http.response.status_code", status.as_u16().to_string()),
        ],
        error: status.is_server_error().then(|| status.to_string()),
    });
}
