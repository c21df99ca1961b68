//! Metrics and probes on a port of their own, where an address is set for it.

use std::net::SocketAddr;

use axum::Router;
use axum::http::{HeaderName, header};
use axum::routing::get;
use clap::Args;
use tokio::net::TcpListener;

use crate::{Metrics, Readiness, StartError, address};

const PROMETHEUS: [(HeaderName, &str); 1] = [(header::CONTENT_TYPE, "text/plain; version=0.0.4")];
const JSON: [(HeaderName, &str); 1] = [(header::CONTENT_TYPE, "application/json")];

/// Where the metrics are served.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Metrics")]
pub struct MetricsArgs {
    /// Where to serve `/metrics`, `/healthz` and `/readyz` without a key, such as 127.0.0.1:9090; nowhere if absent.
    #[arg(long, env = "QUOTA_METRICS_LISTEN", hide_env_values = true, value_name = "ADDRESS", value_parser = address)]
    pub metrics_listen: Option<SocketAddr>,
}

/// The page with its port taken, if one is set.
pub struct MetricsPage(Option<TcpListener>);

impl MetricsArgs {
    /// Takes the port, before anything else is opened or changed.
    ///
    /// # Errors
    /// [`StartError::Listen`] when the address cannot be used.
    pub async fn bind(&self) -> Result<MetricsPage, StartError> {
        let Some(address) = self.metrics_listen else {
            return Ok(MetricsPage(None));
        };
        let listener = TcpListener::bind(address).await;
        let listener = listener.map_err(|cause| StartError::Listen { address, cause })?;
        Ok(MetricsPage(Some(listener)))
    }
}

impl MetricsPage {
    /// Serves the page as long as the process lives.
    pub fn serve(self, metrics: Metrics, readiness: Readiness) {
        let Self(Some(listener)) = self else {
            return;
        };
        if let Ok(address) = listener.local_addr() {
            tracing::info!(%address, "the metrics are served");
        }
        let text = async move || (PROMETHEUS, metrics.render());
        let ready = async move || {
            let (status, body) = readiness.answer().await;
            (status, JSON, body)
        };
        let page = Router::new()
            .route("/metrics", get(text))
            .route("/healthz", get(async || (JSON, r#"{"status":"ok"}"#)))
            .route("/readyz", get(ready));
        tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, page).await {
                tracing::error!(%error, "the metrics are no longer served");
            }
        });
    }
}
