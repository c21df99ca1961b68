//! The table `provider_events`: what providers told, and where the work on it stands.
//!
//! Which events wait is one question to every shard; they are taken by the shard in which they lie.

use std::sync::LazyLock;

use chrono::DateTime;
use quota_core::ids::CustomerRef;
use quota_core::ports::{EventCounts, EventPage, EventResult, StoreError};
use quota_core::provider::{EventId, KeptEvent};
use sqlx::postgres::{PgArguments, PgPool, PgRow};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Postgres, Row};

use crate::error::store_error;
use crate::pool::retrying;
use crate::shards::{all, by_shard, text};
use crate::statements::{Forms, Layout};
use crate::values::{Instant, Reading, json_text, name_text};

const KEEP: &str = "\
insert into provider_events
    (provider, mode, event, shard, kind, about, customer, made_at, received_at, state, tries, next_try_at, error)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
on conflict (provider, mode, event, shard) do nothing";
const ONE_EVENT: &str = "\
select e.provider, e.mode, e.event, e.kind, e.about, e.customer, e.made_at, e.received_at, e.state, e.tries, e.next_try_at,
    e.error
from provider_events e
where e.provider = $1 and e.mode = $2 and e.event = $3 and e.shard = $4";
const END_TRY: &str = "\
update provider_events e set state = $6, next_try_at = $7, error = $8
where e.provider = $1 and e.mode = $2 and e.event = $3 and e.shard = $4 and e.tries = $5";
const EVENTS: &str = "\
select e.provider, e.mode, e.event, e.kind, e.about, e.customer, e.made_at, e.received_at, e.state, e.tries, e.next_try_at,
    e.error
from provider_events e
where e.provider = $1 and (e.received_at, e.mode, e.event) < ($2, $3, $4)
order by e.received_at desc, e.mode desc, e.event desc limit $5";
const EVENTS_IN_STATE: &str = "\
select e.provider, e.mode, e.event, e.kind, e.about, e.customer, e.made_at, e.received_at, e.state, e.tries, e.next_try_at,
    e.error
from provider_events e
where e.state = $6 and e.provider = $1 and (e.received_at, e.provider, e.mode, e.event) < ($2, $1, $3, $4)
order by e.received_at desc, e.provider desc, e.mode desc, e.event desc limit $5";
const EVENT_COUNTS: &str = "\
select count(*) filter (where e.state = 'waiting') as waiting, count(*) filter (where e.state = 'given_up') as given_up,
    min(e.received_at) filter (where e.state = 'waiting') as oldest_waiting_at,
    min(e.next_try_at) filter (where e.state = 'waiting') as next_try_at
from provider_events e where e.state in ('waiting', 'given_up')";
const DUE_EVENTS: &str = "\
select e.provider, e.mode, e.event, e.shard, e.tries
from provider_events e
where e.state = 'waiting' and e.next_try_at <= $1
order by e.received_at, e.provider, e.mode, e.event limit $2";
/// Whoever was faster has counted another try.
static TAKE: LazyLock<Forms> = LazyLock::new(|| {
    Forms::of(
        "update provider_events e set tries = e.tries + 1, next_try_at = $2
from unnest($3::text[], $4::text[], $5::text[], $6::bigint[]) as q (provider, mode, event, tries)
where e.provider = q.provider and e.mode = q.mode and e.event = q.event and e.shard = $shard and e.tries = q.tries
    and e.state = 'waiting' and e.next_try_at <= $1
returning e.provider, e.mode, e.event, e.kind, e.about, e.customer, e.made_at, e.received_at, e.state, e.tries, e.next_try_at,
    e.error",
    )
});
const PRUNE_EVENTS: &str = "\
delete from provider_events e using (
    select o.provider, o.mode, o.event from provider_events o
    where o.state in ('done', 'ignored', 'gone') and o.received_at < $1 limit $2
) old
where e.provider = old.provider and e.mode = old.mode and e.event = old.event and e.state in ('done', 'ignored', 'gone')";

/// Looks at what waits in one call of [`take`]: each one that finds nothing to take had others take it.
const LOOKS_MAX: u32 = 16;

type Statement<'q> = Query<'q, Postgres, PgArguments>;

/// A statement about an event.
fn by_id<'q>(text: &'static str, id: &'q EventId) -> Statement<'q> {
    sqlx::query(text)
        .bind(id.provider.as_str())
        .bind(id.mode.as_str())
        .bind(id.event.as_str())
        .bind(i16::from(id.shard()))
}

/// Whether it was not kept already.
pub(crate) async fn keep(pool: &PgPool, event: &KeptEvent) -> Result<bool, StoreError> {
    let about = event.about.as_ref().map(json_text).transpose()?;
    let kept = by_id(KEEP, &event.id)
        .bind(&event.kind)
        .bind(about)
        .bind(event.customer.as_ref().map(CustomerRef::as_str))
        .bind(event.made_at)
        .bind(event.received_at)
        .bind(name_text(&event.state)?)
        .bind(i64::from(event.tries))
        .bind(event.next_try_at)
        .bind(&event.error)
        .execute(pool)
        .await;
    Ok(kept.map_err(store_error)?.rows_affected() == 1)
}

/// Whether no other try has begun since.
pub(crate) async fn end_try(pool: &PgPool, result: &EventResult) -> Result<bool, StoreError> {
    let ended = by_id(END_TRY, &result.id)
        .bind(i64::from(result.tries))
        .bind(name_text(&result.state)?)
        .bind(result.next_try_at)
        .bind(&result.error)
        .execute(pool)
        .await;
    Ok(ended.map_err(store_error)?.rows_affected() == 1)
}

/// An event by its id.
pub(crate) async fn one(pool: &PgPool, id: &EventId) -> Result<Option<KeptEvent>, StoreError> {
    let row = by_id(ONE_EVENT, id).fetch_optional(pool).await;
    row.map_err(store_error)?.as_ref().map(read).transpose()
}

/// The one that came last first.
pub(crate) async fn page(pool: &PgPool, page: &EventPage) -> Result<Vec<KeptEvent>, StoreError> {
    // No event came at the end of time.
    let end = (DateTime::<chrono::Utc>::MAX_UTC, "", "");
    let after = page.after.as_ref();
    let (at, mode, event) =
        after.map_or(end, |(at, id)| (*at, id.mode.as_str(), id.event.as_str()));
    let is_any = page.state.is_none();
    let mut statement = sqlx::query(if is_any { EVENTS } else { EVENTS_IN_STATE })
        .bind(page.provider.as_str())
        .bind(at)
        .bind(mode)
        .bind(event)
        .bind(i64::from(page.limit));
    if let Some(state) = &page.state {
        statement = statement.bind(name_text(state)?);
    }
    let rows = statement.fetch_all(pool).await.map_err(store_error)?;
    rows.iter().map(read).collect()
}

/// How many there are to do, and were given up.
pub(crate) async fn counts(pool: &PgPool) -> Result<EventCounts, StoreError> {
    let row = sqlx::query(EVENT_COUNTS).fetch_one(pool).await;
    let row = row.map_err(store_error)?;
    let reading = Reading::new(&row, "provider_events", "?");
    Ok(EventCounts {
        waiting: reading.count("waiting")?,
        given_up: reading.count("given_up")?,
        oldest_waiting_at: reading.get("oldest_waiting_at")?,
        next_try_at: reading.get("next_try_at")?,
    })
}

/// Removes some that wait for nothing.
pub(crate) async fn prune(pool: &PgPool, before: Instant, limit: u32) -> Result<u64, StoreError> {
    let pruned = sqlx::query(PRUNE_EVENTS)
        .bind(before)
        .bind(i64::from(limit))
        .execute(pool)
        .await;
    Ok(pruned.map_err(store_error)?.rows_affected())
}

/// Takes the oldest that wait. What others take in between is theirs, and more is looked for. A part that fails, or an event that
/// cannot be read, stops no other: it is an error when nothing else was taken.
pub(crate) async fn take(
    (pool, layout): (&PgPool, Layout),
    (now, until): (Instant, Instant),
    limit: u32,
) -> Result<Vec<KeptEvent>, StoreError> {
    let (mut taken, mut failed): (Vec<KeptEvent>, Option<StoreError>) = (Vec::new(), None);
    let mut left = i64::from(limit);
    for _ in 0..LOOKS_MAX {
        let due = due(pool, now, left).await?;
        if due.is_empty() {
            break;
        }
        let parts = by_shard(due, layout, |due| due.shard);
        let parts = parts.iter().map(|part| take_part(pool, part, (now, until)));
        for part in all(parts.collect()).await {
            for event in part.unwrap_or_else(|error| vec![Err(error)]) {
                match event {
                    Ok(event) => taken.push(event),
                    Err(error) => failed = Some(error),
                }
            }
        }
        left = i64::from(limit).saturating_sub(i64::try_from(taken.len()).unwrap_or(i64::MAX));
        if left <= 0 || failed.is_some() {
            break;
        }
    }
    taken.sort_by(|a, b| (a.received_at, &a.id).cmp(&(b.received_at, &b.id)));
    match failed.filter(|_| taken.is_empty()) {
        Some(error) => Err(error),
        None => Ok(taken),
    }
}

/// An event that may be tried.
struct Due {
    provider: String,
    mode: String,
    event: String,
    shard: i16,
    tries: i64,
}

async fn due(pool: &PgPool, now: Instant, limit: i64) -> Result<Vec<Due>, StoreError> {
    let due = sqlx::query(DUE_EVENTS).bind(now).bind(limit);
    let rows = due.fetch_all(pool).await.map_err(store_error)?;
    let due = rows.iter().map(|row| {
        let reading = Reading::new(row, "provider_events", "?");
        Ok(Due {
            provider: reading.get("provider")?,
            mode: reading.get("mode")?,
            event: reading.get("event")?,
            shard: reading.get("shard")?,
            tries: reading.get("tries")?,
        })
    });
    due.collect()
}

async fn take_part(
    pool: &PgPool,
    (shard, due): &(Option<i16>, Vec<Due>),
    (now, until): (Instant, Instant),
) -> Result<Vec<Result<KeptEvent, StoreError>>, StoreError> {
    let column = |of: fn(&Due) -> &str| due.iter().map(of).collect::<Vec<&str>>();
    let tries: Vec<i64> = due.iter().map(|due| due.tries).collect();
    let rows = retrying(|| {
        let mut statement = sqlx::query(AssertSqlSafe(text(&TAKE, *shard)))
            .bind(now)
            .bind(until)
            .bind(column(|due| &due.provider))
            .bind(column(|due| &due.mode))
            .bind(column(|due| &due.event))
            .bind(&tries);
        if let Some(shard) = shard {
            statement = statement.bind(shard);
        }
        statement.fetch_all(pool)
    });
    Ok(rows.await?.iter().map(read).collect())
}

fn read(row: &PgRow) -> Result<KeptEvent, StoreError> {
    let key: &str = row.try_get("event").map_err(store_error)?;
    let reading = Reading::new(row, "provider_events", key);
    let tries = u32::try_from(reading.count("tries")?);
    Ok(KeptEvent {
        id: EventId {
            provider: reading.name("provider")?,
            mode: reading.name("mode")?,
            event: reading.name("event")?,
        },
        kind: reading.get("kind")?,
        about: reading.optional_json("about")?,
        customer: reading.optional_name("customer")?,
        made_at: reading.get("made_at")?,
        received_at: reading.get("received_at")?,
        state: reading.name("state")?,
        tries: tries.map_err(|error| reading.bad(error))?,
        next_try_at: reading.get("next_try_at")?,
        error: reading.get("error")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The shard is bound behind the six values that both forms take.
    #[test]
    fn events_are_taken_by_their_ids_and_on_citus_by_the_shard_too() {
        let (whole, shard) = (TAKE.text(Layout::Whole), TAKE.text(Layout::Distributed));
        assert!(!whole.contains("shard") && !whole.contains("$7"), "{whole}");
        assert!(shard.contains("e.shard = $7"), "{shard}");
    }
}
