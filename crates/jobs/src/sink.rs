//! The sink of an installation where nobody listens.

use async_trait::async_trait;
use quota_core::event::Event;
use quota_core::ports::{EventSink, PublishError};

/// Writes events to the log; for an installation without Redis.
#[derive(Debug, Clone, Copy, Default)]
pub struct LogSink;

#[async_trait]
impl EventSink for LogSink {
    async fn publish(&self, event: &Event) -> Result<(), PublishError> {
        tracing::debug!(id = %event.id, sequence = event.sequence, number = event.number, "an event was logged and delivered to nobody else");
        Ok(())
    }
}
