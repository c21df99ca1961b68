//! The feed of events: places, cursors, and what an account missed.
//!
//! Every statement names one shard, except the one that lists the queues with something in them.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use quota_core::event::Event;
use quota_core::ids::{AccountId, SHARDS};
use quota_core::ports::{EventFeed, QueuePlace, QueuedEvent, StoreError};

use crate::error::store_error;
use crate::outbox::{self, AFTER, BEGIN, GIVE_PLACES, HAS_FRESH, NEXT, PASS, PRUNE, QUEUES};
use crate::store::PgStore;
use crate::values::{Reading, stored_count};

/// Events that get their places in one statement.
const PLACES_MAX: i64 = 5_000;

#[async_trait]
impl EventFeed for PgStore {
    async fn queues_with_events(&self, consumer: &str) -> Result<Vec<i16>, StoreError> {
        let queues = async || {
            let queues = sqlx::query_as::<_, (i16, bool)>(QUEUES).bind(consumer);
            queues.fetch_all(&self.pool).await.map_err(store_error)
        };
        let mut found = queues().await?;
        if found.is_empty() {
            let begin = sqlx::query(BEGIN).bind(consumer).bind(i32::from(SHARDS));
            begin.execute(&self.pool).await.map_err(store_error)?;
            found = queues().await?;
        }
        let found = found.into_iter();
        Ok(found
            .filter_map(|(queue, has_events)| has_events.then_some(queue))
            .collect())
    }

    async fn next_events(
        &self,
        consumer: &str,
        after: QueuePlace,
        limit: u32,
    ) -> Result<Vec<QueuedEvent>, StoreError> {
        self.give_places(after.queue).await?;
        let next = sqlx::query(NEXT)
            .bind(after.queue)
            .bind(consumer)
            .bind(i64::from(limit))
            .bind(stored_count(after.place)?)
            .fetch_all(&self.pool)
            .await
            .map_err(store_error)?;
        let queued = next.iter().map(|row| {
            let event = outbox::read(row)?;
            let place = Reading::new(row, "outbox", event.id.to_string()).count("place")?;
            let at = QueuePlace { place, ..after };
            Ok(QueuedEvent { at, event })
        });
        queued.collect()
    }

    async fn pass_events(&self, consumer: &str, place: QueuePlace) -> Result<(), StoreError> {
        sqlx::query(PASS)
            .bind(consumer)
            .bind(place.queue)
            .bind(stored_count(place.place)?)
            .execute(&self.pool)
            .await
            .map(drop)
            .map_err(store_error)
    }

    async fn events_after(
        &self,
        home: &AccountId,
        account: &AccountId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError> {
        let found = sqlx::query(AFTER)
            .bind(i16::from(home.shard()))
            .bind(account.as_str())
            .bind(stored_count(after)?)
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await;
        found
            .map_err(store_error)?
            .iter()
            .map(outbox::read)
            .collect()
    }
}

impl PgStore {
    /// Gives places to the committed events of a shard that have none.
    async fn give_places(&self, shard: i16) -> Result<(), StoreError> {
        let has_fresh = sqlx::query_scalar(HAS_FRESH).bind(shard);
        if !has_fresh.fetch_one(&self.pool).await.map_err(store_error)? {
            return Ok(());
        }
        let given = sqlx::query(GIVE_PLACES).bind(shard).bind(PLACES_MAX);
        given
            .execute(&self.pool)
            .await
            .map(drop)
            .map_err(store_error)
    }

    /// Removes events that every consumer has passed and that are older than `before`, at most `limit`.
    pub(crate) async fn prune_outbox(
        &self,
        before: DateTime<Utc>,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let mut gone = 0;
        for shard in 0..SHARDS {
            let left = u64::from(limit).saturating_sub(gone);
            if left == 0 {
                break;
            }
            let pruned = sqlx::query(PRUNE)
                .bind(i16::from(shard))
                .bind(before)
                .bind(stored_count(left)?)
                .execute(&self.pool)
                .await
                .map_err(store_error)?;
            gone = gone.saturating_add(pruned.rows_affected());
        }
        Ok(gone)
    }
}
