//! The feed of events: cursors, and what an account missed.

use async_trait::async_trait;
use quota_core::event::Event;
use quota_core::ids::AccountId;
use quota_core::ports::{EventFeed, QueuePlace, QueuedEvent, StoreError};

use crate::SqliteStore;
use crate::error::Fault;
use crate::outbox::{self, AFTER, HAS_EVENTS, NEXT, PASS};
use crate::values::{Reading, counter};

/// The only queue: there is one writer.
const QUEUE: i16 = 0;

#[async_trait]
impl EventFeed for SqliteStore {
    async fn queues_with_events(&self, consumer: &str) -> Result<Vec<i16>, StoreError> {
        let has_events = sqlx::query_scalar(HAS_EVENTS)
            .bind(consumer.to_owned())
            .fetch_optional(&self.readers)
            .await
            .map_err(Fault::from)?;
        if let Some(has_events) = has_events {
            return Ok(if has_events { vec![QUEUE] } else { Vec::new() });
        }
        let begin = QueuePlace {
            queue: QUEUE,
            place: 0,
        };
        self.pass_events(consumer, begin).await?;
        Ok(vec![QUEUE])
    }

    async fn next_events(
        &self,
        consumer: &str,
        after: QueuePlace,
        limit: u32,
    ) -> Result<Vec<QueuedEvent>, StoreError> {
        let rows = sqlx::query(NEXT)
            .bind(consumer.to_owned())
            .bind(limit)
            .bind(counter(after.place)?)
            .fetch_all(&self.readers)
            .await
            .map_err(Fault::from)?;
        let queued = rows.iter().map(|row| {
            let event = outbox::read(row)?;
            let place = Reading::new(row, "outbox", event.id).counter("place")?;
            let at = QueuePlace { place, ..after };
            Ok(QueuedEvent { at, event })
        });
        Ok(queued.collect::<Result<_, Fault>>()?)
    }

    async fn pass_events(&self, consumer: &str, place: QueuePlace) -> Result<(), StoreError> {
        let (consumer, place) = (consumer.to_owned(), counter(place.place)?);
        self.writing(move |connection| {
            Box::pin(async move {
                let statement = sqlx::query(PASS).bind(consumer).bind(place);
                statement.execute(connection).await?;
                Ok(())
            })
        })
        .await
    }

    async fn events_after(
        &self,
        _home: &AccountId,
        account: &AccountId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError> {
        let rows = sqlx::query(AFTER)
            .bind(account.as_str().to_owned())
            .bind(counter(after)?)
            .bind(limit)
            .fetch_all(&self.readers)
            .await
            .map_err(Fault::from)?;
        Ok(rows
            .iter()
            .map(outbox::read)
            .collect::<Result<_, Fault>>()?)
    }
}
