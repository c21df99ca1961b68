//! The recorder of metrics.

use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use crate::StartError;

/// How often the recorder drops what it needs no more.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

/// Bounds of the latency histograms, in seconds.
const SECONDS: [f64; 14] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];
/// Bounds of the duration of a job, in seconds: from one batch to a run over everything.
const JOB_SECONDS: [f64; 9] = [0.001, 0.01, 0.1, 1.0, 5.0, 30.0, 120.0, 600.0, 3_600.0];
/// Bounds of the batch size histogram.
const SIZES: [f64; 10] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];

/// Installs the recorder of this process, once, before the engine starts, and keeps it tidy from then on.
///
/// # Errors
/// [`StartError::Metrics`] when there is one already.
pub fn install_metrics() -> Result<PrometheusHandle, StartError> {
    let handle = recorder().map_err(StartError::Metrics)?;
    quota_service::describe_metrics();
    jobs::describe_metrics();
    let upkeep = handle.clone();
    tokio::spawn(async move {
        let mut tick = tokio::time::interval(UPKEEP_EVERY);
        loop {
            tick.tick().await;
            upkeep.run_upkeep();
        }
    });
    Ok(handle)
}

fn recorder() -> Result<PrometheusHandle, metrics_exporter_prometheus::BuildError> {
    let jobs = Matcher::Full("quota_job_duration_seconds".to_owned());
    PrometheusBuilder::new()
        .set_buckets_for_metric(jobs, &JOB_SECONDS)?
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?
        .set_buckets_for_metric(Matcher::Suffix("_size".to_owned()), &SIZES)?
        .install_recorder()
}
