//! Events that wait to be told.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use quota_core::event::Event;
use quota_core::ports::{Outbox, StoreError};
use sqlx::postgres::PgRow;
use uuid::Uuid;

use crate::error::store_error;
use crate::rows::Reading;
use crate::store::PgStore;
use crate::write_columns::EventColumns;

const PENDING: &str = "\
select e.id, e.home, e.account, e.sequence, e.at, e.kind
from outbox e
where e.published_at is null
order by e.at, e.number
limit $1";
/// Two events of one operation share its id; account and kind tell them apart.
const MARK: &str = "\
update outbox o set published_at = $1
from unnest($2::smallint[], $3::uuid[], $4::text[], $5::timestamptz[], $6::text[]) as e (shard, id, account, at, kind)
where o.shard = e.shard and o.at = e.at and o.id = e.id and o.account = e.account and o.kind = e.kind::jsonb
    and o.published_at is null";

#[async_trait]
impl Outbox for PgStore {
    async fn pending_events(&self, limit: u32) -> Result<Vec<Event>, StoreError> {
        let pending = sqlx::query(PENDING)
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await;
        pending.map_err(store_error)?.iter().map(event).collect()
    }

    async fn mark_published(&self, events: &[Event], at: DateTime<Utc>) -> Result<(), StoreError> {
        let mut columns = EventColumns::default();
        for event in events {
            columns.push(event, 1)?;
        }
        sqlx::query(MARK)
            .bind(at)
            .bind(columns.shard)
            .bind(columns.id)
            .bind(columns.account)
            .bind(columns.at)
            .bind(columns.kind)
            .execute(&self.pool)
            .await
            .map(drop)
            .map_err(store_error)
    }
}

fn event(row: &PgRow) -> Result<Event, StoreError> {
    let id: Uuid = Reading::new(row, "outbox", "?").get("id")?;
    let reading = Reading::new(row, "outbox", id.to_string());
    Ok(Event {
        id,
        home: reading.account_id("home")?,
        account: reading.account_id("account")?,
        sequence: reading.count("sequence")?,
        at: reading.get("at")?,
        kind: reading.jsonb("kind")?,
    })
}
