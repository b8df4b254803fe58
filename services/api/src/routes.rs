//! The HTTP routes. Reading only: there is no sign-in yet, so nothing can be changed over HTTP.

use crate::gather_status::gather_status;
use crate::observe_requests::observe_requests;
use crate::render_page::render_page;
use crate::{ApiDeps, Error, Status};
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use mantissa_contracts::messages::AlertSnapshot;
use mantissa_ports::stores::{AlertFilter, AlertRecord, DeliveryRecord};

const PAGE_SIZE: usize = 200;

pub fn router(deps: ApiDeps) -> Router {
    Router::new()
        .route("/", get(page))
        .route("/api/v1/status", get(status))
        .route("/api/v1/alerts", get(alerts))
        .route("/api/v1/alerts/{alert_id}", get(alert))
        .route("/api/v1/alerts/{alert_id}/deliveries", get(deliveries))
        .layer(from_fn_with_state(deps.clone(), observe_requests))
        // Asked every few seconds by programs that look at the answer themselves.
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(deps)
}

async fn page(State(deps): State<ApiDeps>) -> Result<Response, Error> {
    let html = Html(render_page(&gather_status(&deps).await?)?);
    // Nothing of ours is a script, so nothing an attacker wrote into a log can be one.
    let policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
    Ok(([(header::CONTENT_SECURITY_POLICY, policy), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")], html).into_response())
}

/// Ready when the stores answer.
async fn ready(State(deps): State<ApiDeps>) -> Result<&'static str, Error> {
    deps.ledger.schedules().await?;
    Ok("ready\n")
}

async fn metrics(State(deps): State<ApiDeps>) -> Result<Response, Error> {
    let status = gather_status(&deps).await?;
    measure(&deps, &status);
    let text = deps.metrics.render();
    Ok((StatusCode::OK, [(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response())
}

#[expect(clippy::cast_precision_loss, reason = "exact up to 2^53")]
fn measure(deps: &ApiDeps, status: &Status) {
    let metrics = &deps.metrics;
    for queue in &status.queues {
        let depth = queue.depth;
        for (state, n) in [
            ("visible", depth.n_visible),
            ("in_flight", depth.n_in_flight),
            ("delayed", depth.n_delayed),
            ("dead", depth.n_dead),
        ] {
            let labels = [("queue", queue.name.as_str()), ("state", state)];
            metrics.set("mantissa_queue_messages", "messages in a queue", &labels, n as f64);
        }
    }
    for (state, n) in &status.deliveries {
        metrics.set("mantissa_deliveries", "deliveries by state", &[("state", state)], *n as f64);
    }
    metrics.set("mantissa_rules_enabled", "rules that are judged", &[], status.n_rules_enabled as f64);
    for (state, n) in [("planned", status.windows.n_planned), ("failed", status.windows.n_failed)] {
        metrics.set("mantissa_windows_unjudged", "windows not judged yet or failed", &[("state", state)], n as f64);
    }
    if let Some(lag) = status.planning_lag_s {
        metrics.set("mantissa_planning_lag_seconds", "how far the rule furthest behind is behind", &[], lag as f64);
    }
}

async fn status(State(deps): State<ApiDeps>) -> Result<Json<Status>, Error> {
    Ok(Json(gather_status(&deps).await?))
}

async fn alerts(State(deps): State<ApiDeps>) -> Result<Json<Vec<AlertSnapshot>>, Error> {
    Ok(Json(deps.alerts.list(&AlertFilter::default(), PAGE_SIZE, None).await?))
}

async fn alert(State(deps): State<ApiDeps>, Path(alert_id): Path<String>) -> Result<Json<AlertRecord>, Error> {
    let id = alert_id.parse().map_err(|_| Error::BadAlertId(alert_id.clone()))?;
    deps.alerts.get(&id).await?.map(Json).ok_or(Error::AlertMissing(alert_id))
}

async fn deliveries(
    State(deps): State<ApiDeps>,
    Path(alert_id): Path<String>,
) -> Result<Json<Vec<DeliveryRecord>>, Error> {
    let id = alert_id.parse().map_err(|_| Error::BadAlertId(alert_id))?;
    Ok(Json(deps.deliveries.for_alert(&id).await?))
}
