//! The tables `outbox`, `outbox_places` and `event_cursors`: events queued by shard, with a place that is given after the
//! commit, and how far each consumer has come.

use std::sync::LazyLock;

use quota_core::event::Event;
use quota_core::ids::AccountId;
use quota_core::ports::StoreError;
use sqlx::postgres::{PgConnection, PgRow};
use uuid::Uuid;

use crate::columns::{Bound, Columns, Parameters, columns};
use crate::error::store_error;
use crate::values::{Instant, Reading, json_text, stored_count};

columns! {
    /// New events.
    pub(crate) struct EventColumns<'b> {
        place: i32 => "integer",
        shard: i16 => "smallint",
        id: Uuid => "uuid",
        home: &'b str => "text",
        account: &'b str => "text",
        number: i64 => "bigint",
        sequence: i64 => "bigint",
        at: Instant => "timestamptz",
        kind: String => "text",
    }
}

impl<'b> EventColumns<'b> {
    pub(crate) fn push(&mut self, event: &'b Event, place: i32) -> Result<(), StoreError> {
        self.place.push(place);
        self.shard.push(event.home.shard().into());
        self.id.push(event.id);
        self.home.push(event.home.as_str());
        self.account.push(event.account.as_str());
        self.number.push(stored_count(event.number)?);
        self.sequence.push(stored_count(event.sequence)?);
        self.at.push(event.at);
        self.kind.push(json_text(&event.kind)?);
        Ok(())
    }
}

/// The events of the homes that passed.
pub(crate) fn told(columns: Bound, has_passed: &str) -> String {
    let left_out = ["place", "kind"];
    let (names, values) = (columns.names("", &left_out), columns.names("e", &left_out));
    let rows = columns.rows();
    format!(
        "told as (
    insert into outbox ({names}, kind)
    select {values}, e.kind::jsonb
    from ({rows}) e
    where {has_passed}
)"
    )
}

/// The queues of a consumer, and whether something lies in them that it has not passed.
pub(crate) const QUEUES: &str = "\
select c.shard,
    exists (select from outbox o where o.shard = c.shard and o.place > c.place)
    or exists (select from outbox o where o.shard = c.shard and o.place is null) as has_events
from event_cursors c
where c.consumer = $1
order by c.shard";
/// Makes a consumer known in every queue.
pub(crate) const BEGIN: &str = "\
insert into event_cursors (consumer, shard) select $1, generate_series(0, $2::integer - 1)
on conflict (consumer, shard) do nothing";
/// Whoever gives places takes the lock of `counted` before it touches an event, and waits there for the one before it:
/// places become visible in their order. An event that got its place meanwhile is passed over, which leaves a gap.
pub(crate) const GIVE_PLACES: &str = "\
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
/// Whether a queue has events without a place.
pub(crate) const HAS_FRESH: &str =
    "select exists (select from outbox o where o.shard = $1 and o.place is null)";
/// The next events of a queue.
pub(crate) const NEXT: &str = "\
select o.id, o.home, o.account, o.number, o.sequence, o.at, o.kind, o.place
from outbox o
where o.shard = $1
    and o.place > coalesce((select c.place from event_cursors c where c.consumer = $2 and c.shard = $1), 0)
    and o.place > $4
order by o.place limit $3";
/// Moves a cursor forward.
pub(crate) const PASS: &str = "\
insert into event_cursors (consumer, shard, place) values ($1, $2, $3)
on conflict (consumer, shard) do update set place = greatest(event_cursors.place, excluded.place)";
/// Events of an account after a number.
pub(crate) const AFTER: &str = "\
select o.id, o.home, o.account, o.number, o.sequence, o.at, o.kind
from outbox o
where o.shard = $1 and o.account = $2 and o.number > $3
order by o.number limit $4";
/// Removes events that every consumer has passed.
pub(crate) const PRUNE: &str = "\
delete from outbox o using (
    select e.account, e.number from outbox e
    where e.shard = $1 and e.at < $2
        and e.place <= (select min(c.place) from event_cursors c where c.shard = $1)
    order by e.place limit $3
) old
where o.shard = $1 and o.account = old.account and o.number = old.number";
/// Takes the events of an account out of a shard.
const TAKE_AWAY: &str = "\
delete from outbox o where o.shard = $1 and o.account = $2
returning o.id, o.home, o.account, o.number, o.sequence, o.at, o.kind,
    coalesce(o.place <= (select min(c.place) from event_cursors c where c.shard = $1), false) as is_passed";
/// Puts events into a shard, some with the place 0: it is behind every cursor.
static APPEND: LazyLock<String> = LazyLock::new(|| {
    let mut parameters = Parameters::default();
    let columns = parameters.columns::<EventColumns<'_>>();
    let places = parameters.value();
    let left_out = ["place", "kind"];
    let (names, values) = (columns.names("", &left_out), columns.names("e", &left_out));
    let unpacked = columns.unpacked();
    format!(
        "insert into outbox ({names}, kind, place)
    select {values}, e.kind::jsonb, e.queue_place
    from (select {unpacked}, unnest({places}::bigint[]) as queue_place offset 0) e"
    )
});

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
        let mut event = read(row)?;
        event.home.clone_from(&moved.home);
        let is_passed: bool = Reading::new(row, "outbox", event.id.to_string()).get("is_passed")?;
        places.push(is_passed.then_some(0_i64));
        events.push(event);
    }
    places.push(None);
    append(connection, (&events, moved), places).await
}

/// Puts events of one shard into its queue, a new one last.
pub(crate) async fn append(
    connection: &mut PgConnection,
    (earlier, new): (&[Event], &Event),
    places: Vec<Option<i64>>,
) -> Result<(), StoreError> {
    let mut columns = EventColumns::default();
    for event in earlier.iter().chain([new]) {
        columns.push(event, 1)?;
    }
    let statement = columns.bind(sqlx::query(APPEND.as_str()));
    let appended = statement.bind(places).execute(connection);
    appended.await.map(drop).map_err(store_error)
}

/// The event of a row.
pub(crate) fn read(row: &PgRow) -> Result<Event, StoreError> {
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
