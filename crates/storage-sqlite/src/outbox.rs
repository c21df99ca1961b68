//! The table `outbox`: events in one queue; and `event_cursors`: how far each consumer has come in it.

use std::sync::LazyLock;

use quota_core::event::Event;
use quota_core::ids::AccountId;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use uuid::Uuid;

use crate::error::Fault;
use crate::rows::{ManyRows, row};
use crate::values::{Reading, counter, json, micros};

/// Whether there are events that a consumer has not passed; no row for one that is not known.
pub(crate) const HAS_EVENTS: &str = "select exists (select 1 from outbox as o where o.place > c.place) \
     from event_cursors as c where c.consumer = ?1";

/// The next events for a consumer.
pub(crate) const NEXT: &str = "select id, home, account, number, sequence, at, kind, place from outbox \
     where place > coalesce((select c.place from event_cursors as c \
     where c.consumer = ?1), 0) and place > ?3 order by place limit ?2";

/// Moves a cursor forward.
pub(crate) const PASS: &str = "insert into event_cursors (consumer, place) values (?1, ?2) \
     on conflict (consumer) do update \
     set place = max(event_cursors.place, excluded.place)";

/// Events of an account after a number.
pub(crate) const AFTER: &str = "select id, home, account, number, sequence, at, kind from outbox \
     where account = ?1 and number > ?2 order by number limit ?3";

row! {
    /// An event, with every value encoded.
    pub(crate) struct EventRow {
        id: Uuid,
        home: String,
        account: String,
        number: i64,
        sequence: i64,
        at: i64,
        kind: String,
    }
}

impl EventRow {
    /// The row of an event.
    pub(crate) fn new(event: &Event) -> Result<Self, Fault> {
        Ok(Self {
            id: event.id,
            home: event.home.as_str().to_owned(),
            account: event.account.as_str().to_owned(),
            number: counter(event.number)?,
            sequence: counter(event.sequence)?,
            at: micros(event.at),
            kind: json(&event.kind)?,
        })
    }
}

static INSERT: LazyLock<ManyRows<EventRow>> =
    LazyLock::new(|| ManyRows::insert("insert into outbox"));

/// Appends events.
pub(crate) async fn insert(
    connection: &mut SqliteConnection,
    rows: Vec<EventRow>,
) -> Result<(), Fault> {
    INSERT.run(connection, rows).await?;
    Ok(())
}

/// Lets the events of an account go along with it.
pub(crate) async fn carry_events(
    connection: &mut SqliteConnection,
    account: &AccountId,
    to: &AccountId,
) -> Result<(), Fault> {
    let statement = sqlx::query("update outbox set home = ?1 where account = ?2");
    let statement = statement.bind(to.as_str()).bind(account.as_str());
    statement.execute(connection).await?;
    Ok(())
}

/// Removes events that every consumer has passed and that are older than `before`.
pub(crate) async fn prune(
    connection: &mut SqliteConnection,
    before: i64,
    limit: u32,
) -> Result<u64, Fault> {
    let statement = "delete from outbox where place in (select place from outbox \
                     where place <= (select min(place) from event_cursors) and at < ?1 limit ?2)";
    let statement = sqlx::query(statement).bind(before).bind(limit);
    Ok(statement.execute(connection).await?.rows_affected())
}

/// The event of a row.
pub(crate) fn read(row: &SqliteRow) -> Result<Event, Fault> {
    let id: Uuid = Reading::new(row, "outbox", "").raw("id")?;
    let row = Reading::new(row, "outbox", id);
    Ok(Event {
        id,
        home: row.text("home")?,
        account: row.text("account")?,
        number: row.counter("number")?,
        sequence: row.counter("sequence")?,
        at: row.instant("at")?,
        kind: row.json("kind")?,
    })
}
