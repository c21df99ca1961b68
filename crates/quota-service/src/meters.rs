//! What the metrics of this crate mean.

/// Describes the metrics of this crate to the recorder.
pub fn describe_metrics() {
    metrics::describe_histogram!("quota_batch_size", "Requests committed together");
    metrics::describe_gauge!("quota_queue_length", "Requests that wait in a queue");
    metrics::describe_counter!(
        "quota_cache_hit_total",
        "Reads answered by the cache, or not"
    );
}
