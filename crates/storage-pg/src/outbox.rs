//! Events: queued by shard, with a place that is given after the commit.
//!
//! Every statement names one shard, except the one that lists the queues with something in them.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use quota_core::event::Event;
use quota_core::ids::{AccountId, SHARDS};
use quota_core::ports::{EventFeed, QueuePlace, QueuedEvent, StoreError};
use sqlx::postgres::{PgConnection, PgRow};
use uuid::Uuid;

use crate::error::store_error;
use crate::rows::{Reading, stored_count};
use crate::store::PgStore;
use crate::write_columns::EventColumns;

/// Events that get their places in one statement.
const PLACES_MAX: i64 = 5_000;

const QUEUES: &str = "\
select c.shard,
    exists (select from outbox o where o.shard = c.shard and o.place > c.place)
    or exists (select from outbox o where o.shard = c.shard and o.place is null) as has_events
from event_cursors c
where c.consumer = $1
order by c.shard";
const BEGIN: &str = "\
insert into event_cursors (consumer, shard) select $1, generate_series(0, $2::integer - 1)
on conflict (consumer, shard) do nothing";
/// Whoever gives places takes the lock of `counted` before it touches an event, and waits there for the one before it:
/// places become visible in their order. An event that got its place meanwhile is passed over, which leaves a gap.
const GIVE_PLACES: &str = "\
with fresh as materialized (
    select e.account, e.number, row_number() over (order by e.account, e.number) as step
    from (
        select o.account, o.number from outbox o
        where o.shard = $1 and o.place is null
        order by o.account, o.number limit $2
    ) e
), counted as (
    update outbox_places p set last_place = p.last_place + (select count(*) from fresh)
    where p.shard = $1
    returning p.last_place - (select count(*) from fresh) as before
)
update outbox o set place = c.before + f.step
from counted c cross join fresh f
where o.shard = $1 and o.account = f.account and o.number = f.number and o.place is null";
const HAS_FRESH: &str =
    "select exists (select from outbox o where o.shard = $1 and o.place is null)";
const NEXT: &str = "\
select o.id, o.home, o.account, o.number, o.sequence, o.at, o.kind, o.place
from outbox o
where o.shard = $1
    and o.place > coalesce((select c.place from event_cursors c where c.consumer = $2 and c.shard = $1), 0)
order by o.place limit $3";
const PASS: &str = "\
insert into event_cursors (consumer, shard, place) values ($1, $2, $3)
on conflict (consumer, shard) do update set place = greatest(event_cursors.place, excluded.place)";
const AFTER: &str = "\
select o.id, o.home, o.account, o.number, o.sequence, o.at, o.kind
from outbox o
where o.shard = $1 and o.account = $2 and o.number > $3
order by o.number limit $4";
const PRUNE: &str = "\
delete from outbox o using (
    select e.account, e.number from outbox e
    where e.shard = $1 and e.at < $2
        and e.place <= (select min(c.place) from event_cursors c where c.shard = $1)
    order by e.place limit $3
) old
where o.shard = $1 and o.account = old.account and o.number = old.number";
const TAKE_AWAY: &str = "\
delete from outbox o where o.shard = $1 and o.account = $2
returning o.id, o.home, o.account, o.number, o.sequence, o.at, o.kind,
    coalesce(o.place <= (select min(c.place) from event_cursors c where c.shard = $1), false) as is_passed";
/// Place 0 is behind every cursor.
const APPEND: &str = "\
insert into outbox (shard, account, number, place, home, id, sequence, at, kind)
select e.shard, e.account, e.number, e.place, e.home, e.id, e.sequence, e.at, e.kind::jsonb
from unnest($1::smallint[], $2::text[], $3::bigint[], $4::bigint[], $5::text[], $6::uuid[], $7::bigint[],
        $8::timestamptz[], $9::text[])
    as e (shard, account, number, place, home, id, sequence, at, kind)";

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
        queue: i16,
        limit: u32,
    ) -> Result<Vec<QueuedEvent>, StoreError> {
        self.give_places(queue).await?;
        let next = sqlx::query(NEXT)
            .bind(queue)
            .bind(consumer)
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await
            .map_err(store_error)?;
        let queued = next.iter().map(|row| {
            let event = event(row)?;
            let place = Reading::new(row, "outbox", event.id.to_string()).count("place")?;
            let at = QueuePlace { queue, place };
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
        found.map_err(store_error)?.iter().map(event).collect()
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
    pub(crate) async fn prune_events(
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

/// Writes the event of a move behind those that the account already has, which go along to the shard of its new home.
/// Those that every consumer has passed are not queued again.
pub(crate) async fn carry_events(
    connection: &mut PgConnection,
    from: &AccountId,
    moved: &Event,
) -> Result<(), StoreError> {
    let taken = sqlx::query(TAKE_AWAY)
        .bind(i16::from(from.shard()))
        .bind(moved.account.as_str())
        .fetch_all(&mut *connection)
        .await
        .map_err(store_error)?;
    let (mut events, mut places) = (Vec::new(), Vec::new());
    for row in &taken {
        let mut event = event(row)?;
        event.home.clone_from(&moved.home);
        let is_passed: bool = Reading::new(row, "outbox", event.id.to_string()).get("is_passed")?;
        places.push(is_passed.then_some(0_i64));
        events.push(event);
    }
    places.push(None);
    let mut columns = EventColumns::default();
    for event in events.iter().chain([moved]) {
        columns.push(event, 1)?;
    }
    sqlx::query(APPEND)
        .bind(columns.shard)
        .bind(columns.account)
        .bind(columns.number)
        .bind(places)
        .bind(columns.home)
        .bind(columns.id)
        .bind(columns.sequence)
        .bind(columns.at)
        .bind(columns.kind)
        .execute(connection)
        .await
        .map(drop)
        .map_err(store_error)
}

fn event(row: &PgRow) -> Result<Event, StoreError> {
    let id: Uuid = Reading::new(row, "outbox", "?").get("id")?;
    let reading = Reading::new(row, "outbox", id.to_string());
    Ok(Event {
        id,
        home: reading.account_id("home")?,
        account: reading.account_id("account")?,
        number: reading.count("number")?,
        sequence: reading.count("sequence")?,
        at: reading.get("at")?,
        kind: reading.jsonb("kind")?,
    })
}
