//! The admin listener: metrics and health, on a port of its own so that no public path leads to them.

use crate::observe::{
    health::{Health, Verdict},
    metrics::Metrics,
};
use axum::{
    Router,
    extract::{RawQuery, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use std::sync::Arc;

/// What the admin listener shows.
#[derive(Debug, Clone)]
pub struct Admin {
    /// Every metric.
    pub metrics: Metrics,
    /// The state of the process.
    pub health: Arc<Health>,
}

impl Admin {
    /// Returns the routes of the admin listener.
    pub fn router(self) -> Router {
        Router::new()
            .route("/metrics", get(metrics))
            .route("/livez", get(live))
            .route("/readyz", get(ready))
            .route("/startupz", get(started))
            .with_state(self)
    }
}

async fn metrics(State(admin): State<Admin>) -> Response {
    admin.metrics.ready.set(i64::from(admin.health.ready().ok));
    match admin.metrics.render() {
        Ok(text) => {
            ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "metrics can't be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// That this answers at all is the answer.
async fn live(RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    answer(
        &Verdict { ok: true, lines: vec!["[+]process ok".to_owned()] },
        query.as_deref(),
        &headers,
        "livez",
    )
}

async fn ready(State(admin): State<Admin>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    answer(&admin.health.ready(), query.as_deref(), &headers, "readyz")
}

async fn started(State(admin): State<Admin>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    answer(&admin.health.started(), query.as_deref(), &headers, "startupz")
}

fn answer(verdict: &Verdict, query: Option<&str>, headers: &HeaderMap, name: &str) -> Response {
    let status = if verdict.ok { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let wants_json =
        headers.get(header::ACCEPT).is_some_and(|accept| accept.as_bytes().starts_with(b"application/json"));
    if wants_json {
        let body = serde_json::json!({ "ok": verdict.ok, "checks": verdict.lines }).to_string();
        return (status, [(header::CONTENT_TYPE, "application/json")], body).into_response();
    }
    let is_verbose =
        query.is_some_and(|query| query.split('&').any(|part| part.split('=').next() == Some("verbose")));
    let body = match (is_verbose, verdict.ok) {
        (true, ok) => {
            let result = if ok { "passed" } else { "failed" };
            format!("{}\n{name} check {result}\n", verdict.lines.join("\n"))
        }
        (false, true) => "ok\n".to_owned(),
        // Why not stands in the answer all the same: probes log it.
        (false, false) => format!("{}\n", verdict.lines.join("\n")),
    };
    (status, body).into_response()
}
