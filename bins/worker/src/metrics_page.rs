//! `/metrics` in Prometheus text, where an address is set for it.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;

use crate::start_error::StartError;

/// How often the metrics drop what they need no more.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

/// Bounds of the histograms of time: from a batch to a run over everything.
const SECONDS: [f64; 9] = [0.001, 0.01, 0.1, 1.0, 5.0, 30.0, 120.0, 600.0, 3_600.0];
/// Bounds of the histogram of batch sizes.
const SIZES: [f64; 6] = [1.0, 2.0, 8.0, 32.0, 128.0, 512.0];

/// Serves the metrics of this process as long as it lives.
pub(crate) async fn serve(address: SocketAddr) -> Result<(), StartError> {
    let handle = install().map_err(StartError::Metrics)?;
    let listener = TcpListener::bind(address).await;
    let listener = listener.map_err(|cause| StartError::Listen { address, cause })?;
    let bound = listener.local_addr().unwrap_or(address);
    tracing::info!(address = %bound, "the metrics are served");
    tokio::spawn(keep_up(handle.clone()));
    let page = Router::new().route("/metrics", get(async move || handle.render()));
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, page).await {
            tracing::error!(%error, "the metrics are served no more");
        }
    });
    Ok(())
}

fn install() -> Result<PrometheusHandle, BuildError> {
    let seconds = Matcher::Suffix("_seconds".to_owned());
    let sizes = Matcher::Suffix("_size".to_owned());
    PrometheusBuilder::new()
        .set_buckets_for_metric(seconds, &SECONDS)?
        .set_buckets_for_metric(sizes, &SIZES)?
        .install_recorder()
}

async fn keep_up(handle: PrometheusHandle) {
    let mut tick = tokio::time::interval(UPKEEP_EVERY);
    loop {
        tick.tick().await;
        handle.run_upkeep();
    }
}
