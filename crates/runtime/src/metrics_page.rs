//! `/metrics` on a port of its own, where an address is set for it.

use std::net::SocketAddr;

use axum::Router;
use axum::http::header;
use axum::routing::get;
use clap::Args;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;

use crate::{StartError, address};

/// Where the metrics are served.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Metrics")]
pub struct MetricsArgs {
    /// Where to serve `/metrics` without a key, such as 127.0.0.1:9090; nowhere if absent.
    #[arg(long, env = "QUOTA_METRICS_LISTEN", hide_env_values = true, value_name = "ADDRESS", value_parser = address)]
    pub metrics_listen: Option<SocketAddr>,
}

impl MetricsArgs {
    /// Serves the metrics of this process as long as it lives, if an address is set.
    ///
    /// # Errors
    /// [`StartError::Listen`] when the address cannot be used.
    pub async fn serve(&self, metrics: PrometheusHandle) -> Result<(), StartError> {
        let Some(address) = self.metrics_listen else {
            return Ok(());
        };
        let listener = TcpListener::bind(address).await;
        let listener = listener.map_err(|cause| StartError::Listen { address, cause })?;
        let bound = listener.local_addr().unwrap_or(address);
        tracing::info!(address = %bound, "the metrics are served");
        let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4")];
        let page = get(async move || (kind, metrics.render()));
        let page = Router::new().route("/metrics", page);
        tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, page).await {
                tracing::error!(%error, "the metrics are no longer served");
            }
        });
        Ok(())
    }
}
