//! The recorder of metrics, and the figures of the process itself.

use std::time::Duration;

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use metrics_process::Collector;

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

/// The metrics of this process.
#[derive(Debug, Clone)]
pub struct Metrics {
    handle: PrometheusHandle,
    process: Collector,
}

impl Metrics {
    /// Installs the recorder of this process, once, before the engine starts, and keeps it tidy from then on.
    ///
    /// # Errors
    /// [`StartError::Metrics`] when there is one already.
    pub fn install() -> Result<Self, StartError> {
        let handle = recorder().map_err(StartError::Metrics)?;
        let process = Collector::default();
        process.describe();
        describe_metrics();
        quota_service::describe_metrics();
        jobs::describe_metrics();
        metrics::gauge!("quota_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
        let upkeep = handle.clone();
        tokio::spawn(async move {
            let mut tick = tokio::time::interval(UPKEEP_EVERY);
            loop {
                tick.tick().await;
                upkeep.run_upkeep();
            }
        });
        Ok(Self { handle, process })
    }

    /// All metrics as Prometheus text, those of the process as they are now.
    pub fn render(&self) -> String {
        self.process.collect();
        self.handle.render()
    }
}

fn describe_metrics() {
    metrics::describe_counter!("stripe_calls_total", "Calls of Stripe, by result");
    metrics::describe_histogram!("stripe_call_seconds", "Time of a call of Stripe");
    metrics::describe_gauge!("quota_build_info", "Always 1; the label is the version");
}

fn recorder() -> Result<PrometheusHandle, BuildError> {
    let jobs = Matcher::Full("quota_job_duration_seconds".to_owned());
    PrometheusBuilder::new()
        .set_buckets_for_metric(jobs, &JOB_SECONDS)?
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?
        .set_buckets_for_metric(Matcher::Suffix("_size".to_owned()), &SIZES)?
        .install_recorder()
}
