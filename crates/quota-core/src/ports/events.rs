//! Events: where they are delivered to, and how consumers read them.

use std::error::Error;

use async_trait::async_trait;

use super::store_error::StoreError;
use crate::event::Event;
use crate::ids::AccountId;

/// An event that was not delivered; the sender tries again.
#[derive(Debug, thiserror::Error)]
#[error("the event was not delivered")]
pub struct PublishError(#[source] pub Box<dyn Error + Send + Sync>);

/// Receives events, each at least once; the event's account and number identify a repetition.
#[async_trait]
pub trait EventSink: Send + Sync {
    /// Delivers one event.
    ///
    /// # Errors
    /// [`PublishError`] when it was not delivered; the caller tries again.
    async fn publish(&self, event: &Event) -> Result<(), PublishError>;
}

/// Where an event lies in its queue. Places of one queue only grow; places of two queues say nothing of each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueuePlace {
    /// Number of the queue, as the store gives it.
    pub queue: i16,
    /// The place in it, from 1.
    pub place: u64,
}

impl QueuePlace {
    /// Before all events of a queue.
    pub fn start_of(queue: i16) -> Self {
        Self { queue, place: 0 }
    }
}

/// An event in its queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuedEvent {
    /// Where it lies; a consumer passes it by this place.
    pub at: QueuePlace,
    /// The event, as it was committed.
    pub event: Event,
}

/// All committed events, for consumers that read every one of them: each consumer has a cursor of its own in each
/// queue. An event gets its place after its commit, so none comes to lie behind a cursor that has passed it.
///
/// A store decides by the home into which queue an event goes, and how many queues there are. The events of an account
/// lie in one queue, by number; they move along with the account.
#[async_trait]
pub trait EventFeed: Send + Sync {
    /// The queues in which events lie that `consumer` has not passed. A name that is new becomes a consumer hereby: it
    /// begins with the oldest event that is kept, and from now on none is pruned that it has not passed.
    ///
    /// # Errors
    /// [`StoreError`] when they cannot be read.
    async fn queues_with_events(&self, consumer: &str) -> Result<Vec<i16>, StoreError>;

    /// The next events of one queue that `consumer` has not passed and that lie behind `after`, by place, at most `limit`.
    /// The place 0 is before all of them.
    ///
    /// # Errors
    /// [`StoreError`] when they cannot be read.
    async fn next_events(
        &self,
        consumer: &str,
        after: QueuePlace,
        limit: u32,
    ) -> Result<Vec<QueuedEvent>, StoreError>;

    /// Moves the cursor of `consumer` to `place`; one that is there or further stays.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written.
    async fn pass_events(&self, consumer: &str, place: QueuePlace) -> Result<(), StoreError>;

    /// Events of an account that lives in `home` with numbers above `after`, by number, at most `limit`. When the first
    /// is not `after + 1`, those between are no longer kept.
    ///
    /// # Errors
    /// [`StoreError`] when they cannot be read.
    async fn events_after(
        &self,
        home: &AccountId,
        account: &AccountId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError>;
}
