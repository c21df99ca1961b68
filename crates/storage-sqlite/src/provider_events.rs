//! The table `provider_events`: what providers told, and where the work on it stands.

use chrono::{DateTime, Utc};
use quota_core::ports::{EventCounts, EventPage, EventResult, StoreError};
use quota_core::provider::{EventId, KeptEvent};
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteConnection, SqliteRow};
use sqlx::{Sqlite, SqliteExecutor};

use crate::error::Fault;
use crate::values::{Reading, json, micros, name};

type Statement = Query<'static, Sqlite, SqliteArguments>;

/// A statement about an event.
fn by_id(text: &'static str, id: &EventId) -> Statement {
    sqlx::query(text)
        .bind(id.provider.to_string())
        .bind(id.mode.as_str())
        .bind(id.event.to_string())
}

/// Whether it was not kept already.
pub(crate) async fn keep(
    connection: &mut SqliteConnection,
    event: KeptEvent,
) -> Result<bool, Fault> {
    let statement = "insert into provider_events (provider, mode, event, kind, about, customer, made_at, received_at, \
                     state, tries, next_try_at, error) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) \
                     on conflict (provider, mode, event) do nothing";
    let about = event.about.as_ref().map(json).transpose()?;
    let kept = by_id(statement, &event.id)
        .bind(event.kind)
        .bind(about)
        .bind(event.customer.map(|customer| customer.to_string()))
        .bind(micros(event.made_at))
        .bind(micros(event.received_at))
        .bind(name(&event.state)?)
        .bind(event.tries)
        .bind(micros(event.next_try_at))
        .bind(event.error)
        .execute(connection)
        .await?;
    Ok(kept.rows_affected() == 1)
}

/// Takes the oldest that wait, each as it could be read: one that cannot be is taken all the same, so that it stops no other.
pub(crate) async fn take(
    connection: &mut SqliteConnection,
    (now, until): (i64, i64),
    limit: u32,
) -> Result<Vec<Result<KeptEvent, StoreError>>, Fault> {
    let statement = "update provider_events set tries = tries + 1, next_try_at = ?2 where rowid in \
                     (select rowid from provider_events where state = 'waiting' and next_try_at <= ?1 \
                     order by received_at, provider, mode, event limit ?3) \
                     returning provider, mode, event, kind, about, customer, made_at, received_at, state, tries, \
                     next_try_at, error";
    let statement = sqlx::query(statement).bind(now).bind(until).bind(limit);
    let rows = statement.fetch_all(connection).await?;
    let taken = rows.iter().map(|row| read(row).map_err(StoreError::from));
    Ok(taken.collect())
}

/// Those that could be read, the oldest first; an error when there is nothing else.
pub(crate) fn readable(
    taken: Vec<Result<KeptEvent, StoreError>>,
) -> Result<Vec<KeptEvent>, StoreError> {
    let (mut events, mut failed) = (Vec::new(), None);
    for event in taken {
        match event {
            Ok(event) => events.push(event),
            Err(error) => failed = Some(error),
        }
    }
    // Rows that were changed come in no order.
    events.sort_by(|a: &KeptEvent, b| (a.received_at, &a.id).cmp(&(b.received_at, &b.id)));
    match failed.filter(|_| events.is_empty()) {
        Some(error) => Err(error),
        None => Ok(events),
    }
}

/// Whether no other try has begun since.
pub(crate) async fn end_try(
    connection: &mut SqliteConnection,
    result: EventResult,
) -> Result<bool, Fault> {
    let statement = "update provider_events set state = ?5, next_try_at = ?6, error = ?7 \
                     where provider = ?1 and mode = ?2 and event = ?3 and tries = ?4";
    let ended = by_id(statement, &result.id)
        .bind(result.tries)
        .bind(name(&result.state)?)
        .bind(micros(result.next_try_at))
        .bind(result.error)
        .execute(connection)
        .await?;
    Ok(ended.rows_affected() == 1)
}

/// An event by its id.
pub(crate) async fn one(
    executor: impl SqliteExecutor<'_>,
    id: &EventId,
) -> Result<Option<KeptEvent>, Fault> {
    let statement = "select provider, mode, event, kind, about, customer, made_at, received_at, state, tries, \
                     next_try_at, error from provider_events where provider = ?1 and mode = ?2 and event = ?3";
    let row = by_id(statement, id).fetch_optional(executor).await?;
    row.as_ref().map(read).transpose()
}

/// The one that came last first.
pub(crate) async fn page(
    executor: impl SqliteExecutor<'_>,
    page: &EventPage,
) -> Result<Vec<KeptEvent>, Fault> {
    let all = "select provider, mode, event, kind, about, customer, made_at, received_at, state, tries, \
               next_try_at, error from provider_events \
               where provider = ?1 and (received_at, mode, event) < (?2, ?3, ?4) \
               order by received_at desc, mode desc, event desc limit ?5";
    let in_state = "select provider, mode, event, kind, about, customer, made_at, received_at, state, tries, \
                    next_try_at, error from provider_events \
                    where state = ?6 and provider = ?1 and (received_at, provider, mode, event) < (?2, ?1, ?3, ?4) \
                    order by received_at desc, provider desc, mode desc, event desc limit ?5";
    // No event came at the end of time.
    let end = (i64::MAX, "", String::new());
    let after = page.after.as_ref();
    let (at, mode, event) = after.map_or(end, |(at, id)| {
        (micros(*at), id.mode.as_str(), id.event.to_string())
    });
    let is_any = page.state.is_none();
    let mut statement = sqlx::query(if is_any { all } else { in_state })
        .bind(page.provider.to_string())
        .bind(at)
        .bind(mode)
        .bind(event)
        .bind(page.limit);
    if let Some(state) = &page.state {
        statement = statement.bind(name(state)?);
    }
    let rows = statement.fetch_all(executor).await?;
    rows.iter().map(read).collect()
}

/// How many there are to do, and were given up.
pub(crate) async fn counts(executor: impl SqliteExecutor<'_>) -> Result<EventCounts, Fault> {
    let statement = "select count(*) filter (where state = 'waiting') as waiting, \
                     count(*) filter (where state = 'given_up') as given_up, \
                     min(received_at) filter (where state = 'waiting') as oldest_waiting_at, \
                     min(next_try_at) filter (where state = 'waiting') as next_try_at \
                     from provider_events where state in ('waiting', 'given_up')";
    let row = sqlx::query(statement).fetch_one(executor).await?;
    let row = Reading::new(&row, "provider_events", "");
    Ok(EventCounts {
        waiting: row.counter("waiting")?,
        given_up: row.counter("given_up")?,
        oldest_waiting_at: row.optional_instant("oldest_waiting_at")?,
        next_try_at: row.optional_instant("next_try_at")?,
    })
}

/// Removes some that wait for nothing.
pub(crate) async fn prune(
    connection: &mut SqliteConnection,
    before: DateTime<Utc>,
    limit: u32,
) -> Result<u64, Fault> {
    let statement = "delete from provider_events where rowid in (select rowid from provider_events \
                     where state in ('done', 'ignored', 'gone') and received_at < ?1 limit ?2)";
    let statement = sqlx::query(statement).bind(micros(before)).bind(limit);
    Ok(statement.execute(connection).await?.rows_affected())
}

fn read(row: &SqliteRow) -> Result<KeptEvent, Fault> {
    let key: String = Reading::new(row, "provider_events", "").raw("event")?;
    let row = Reading::new(row, "provider_events", key);
    Ok(KeptEvent {
        id: EventId {
            provider: row.text("provider")?,
            mode: row.text("mode")?,
            event: row.text("event")?,
        },
        kind: row.raw("kind")?,
        about: row.optional_json("about")?,
        customer: row.optional_text("customer")?,
        made_at: row.instant("made_at")?,
        received_at: row.instant("received_at")?,
        state: row.text("state")?,
        tries: row.raw("tries")?,
        next_try_at: row.instant("next_try_at")?,
        error: row.raw("error")?,
    })
}
