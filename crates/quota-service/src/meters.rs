//! What the metrics of this crate mean.

/// Describes the metrics of this crate to the recorder.
pub fn describe_metrics() {
    metrics::describe_histogram!("quota_batch_size", "Requests committed together");
    metrics::describe_gauge!("quota_queue_length", "Requests that wait in a queue");
    metrics::describe_counter!(
        "quota_cache_hit_total",
        "Reads answered by the cache, or not"
    );
    metrics::describe_counter!(
        "billing_events_total",
        "Events of the payment provider that came, and how each try of them ended"
    );
    metrics::describe_histogram!(
        "billing_lag_seconds",
        "Time from when an event came to when its effect was there"
    );
    metrics::describe_counter!("top_ups_total", "Top-ups that ended, by how");
    metrics::describe_gauge!(
        "billing_problems",
        "Open problems with the payment provider, by kind"
    );
    metrics::describe_gauge!(
        "billing_open_events",
        "Events of the payment provider that wait, or were given up"
    );
    metrics::describe_gauge!(
        "billing_oldest_event_seconds",
        "Since when the oldest event waits"
    );
    metrics::describe_counter!(
        "meter_events_total",
        "Entries of use on demand, by what became of them at the provider's meter"
    );
    metrics::describe_histogram!(
        "meter_lag_seconds",
        "Time from when use on demand was booked to when the provider was told"
    );
    metrics::describe_counter!(
        "billing_drift_total",
        "What an account had otherwise than the payment provider, by field"
    );
}
