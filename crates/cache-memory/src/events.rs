//! Events for whoever listens in this process.

use async_trait::async_trait;
use quota_core::event::Event;
use quota_core::ports::{EventSink, PublishError};
use tokio::sync::broadcast;

/// Events that a receiver may be behind before it loses the oldest; a burst of a whole batch fits several times.
pub const RECEIVER_EVENTS_MAX: usize = 4_096;

/// A bus of events within this process.
///
/// With nobody listening an event counts as told: there is nobody to tell.
#[derive(Debug, Clone)]
pub struct MemoryEvents {
    sender: broadcast::Sender<Event>,
}

impl Default for MemoryEvents {
    fn default() -> Self {
        Self::new(RECEIVER_EVENTS_MAX)
    }
}

impl MemoryEvents {
    /// A bus whose receivers may be `events_max` events behind; at least one.
    pub fn new(events_max: usize) -> Self {
        let (sender, _) = broadcast::channel(events_max.max(1));
        Self { sender }
    }

    /// Listens from now on. A receiver that fell too far behind gets `RecvError::Lagged` with the number of events
    /// that it missed, and then the oldest that is left: it must read anew what it shows.
    pub fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.sender.subscribe()
    }
}

#[async_trait]
impl EventSink for MemoryEvents {
    async fn publish(&self, event: &Event) -> Result<(), PublishError> {
        // The only error is that nobody listens.
        drop(self.sender.send(event.clone()));
        Ok(())
    }
}
