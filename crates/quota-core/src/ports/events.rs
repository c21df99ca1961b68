//! Events: where they are delivered to, and where they wait until then.

use std::error::Error;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::store_error::StoreError;
use crate::event::Event;

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

/// Events that wait to be told (the outbox).
#[async_trait]
pub trait Outbox: Send + Sync {
    /// The oldest events that are not published yet.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    async fn pending_events(&self, limit: u32) -> Result<Vec<Event>, StoreError>;

    /// Marks events as published; those that were marked already stay so.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written.
    async fn mark_published(&self, events: &[Event], at: DateTime<Utc>) -> Result<(), StoreError>;
}
