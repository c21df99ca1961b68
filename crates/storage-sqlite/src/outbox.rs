//! Events in one queue, and how far each consumer has come in it.

use std::sync::LazyLock;

use async_trait::async_trait;
use quota_core::event::Event;
use quota_core::ids::AccountId;
use quota_core::ports::{EventFeed, QueuePlace, QueuedEvent, StoreError};
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use uuid::Uuid;

use crate::SqliteStore;
use crate::error::Fault;
use crate::rows::{ManyRows, Statement};
use crate::values::{Reading, counter, json, micros};

/// An event with all that has to be encoded.
pub(crate) struct EventRow {
    id: Uuid,
    home: String,
    account: String,
    number: i64,
    sequence: i64,
    at: i64,
    kind: String,
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

/// Puts events into the outbox.
pub(crate) async fn insert_events(
    connection: &mut SqliteConnection,
    rows: Vec<EventRow>,
) -> Result<(), Fault> {
    static INSERT: LazyLock<ManyRows> = LazyLock::new(|| {
        let head = "insert into outbox (id, home, account, number, sequence, at, kind) values";
        ManyRows::new(head, 7, "")
    });
    let bind = |statement: Statement, row: EventRow| {
        statement
            .bind(row.id)
            .bind(row.home)
            .bind(row.account)
            .bind(row.number)
            .bind(row.sequence)
            .bind(row.at)
            .bind(row.kind)
    };
    INSERT.run(connection, rows, bind).await?;
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
pub(crate) async fn prune_events(
    connection: &mut SqliteConnection,
    before: i64,
    limit: u32,
) -> Result<u64, Fault> {
    let statement = "delete from outbox where place in (select place from outbox \
                     where place <= (select min(place) from event_cursors) and at < ?1 limit ?2)";
    let statement = sqlx::query(statement).bind(before).bind(limit);
    Ok(statement.execute(connection).await?.rows_affected())
}

fn read_event(row: &SqliteRow) -> Result<Event, Fault> {
    let id: Uuid = Reading::new(row, "outbox", "").raw(0)?;
    let row = Reading::new(row, "outbox", id);
    Ok(Event {
        id,
        home: row.text(1)?,
        account: row.text(2)?,
        number: row.counter(3)?,
        sequence: row.counter(4)?,
        at: row.instant(5)?,
        kind: row.json(6)?,
    })
}

/// The only queue: there is one writer.
const QUEUE: i16 = 0;

#[async_trait]
impl EventFeed for SqliteStore {
    async fn queues_with_events(&self, consumer: &str) -> Result<Vec<i16>, StoreError> {
        let statement = "select exists (select 1 from outbox as o where o.place > c.place) \
                         from event_cursors as c where c.consumer = ?1";
        let has_events = sqlx::query_scalar(statement)
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
        queue: i16,
        limit: u32,
    ) -> Result<Vec<QueuedEvent>, StoreError> {
        let statement = "select id, home, account, number, sequence, at, kind, place from outbox \
                         where place > coalesce((select c.place from event_cursors as c \
                         where c.consumer = ?1), 0) order by place limit ?2";
        let rows = sqlx::query(statement)
            .bind(consumer.to_owned())
            .bind(limit)
            .fetch_all(&self.readers)
            .await
            .map_err(Fault::from)?;
        let queued = rows.iter().map(|row| {
            let event = read_event(row)?;
            let place = Reading::new(row, "outbox", event.id).counter(7)?;
            let at = QueuePlace { queue, place };
            Ok(QueuedEvent { at, event })
        });
        Ok(queued.collect::<Result<_, Fault>>()?)
    }

    async fn pass_events(&self, consumer: &str, place: QueuePlace) -> Result<(), StoreError> {
        let (consumer, place) = (consumer.to_owned(), counter(place.place)?);
        self.writing(move |connection| {
            Box::pin(async move {
                let statement = "insert into event_cursors (consumer, place) values (?1, ?2) \
                                 on conflict (consumer) do update \
                                 set place = max(event_cursors.place, excluded.place)";
                let statement = sqlx::query(statement).bind(consumer).bind(place);
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
        let statement = "select id, home, account, number, sequence, at, kind from outbox \
                         where account = ?1 and number > ?2 order by number limit ?3";
        let rows = sqlx::query(statement)
            .bind(account.as_str().to_owned())
            .bind(counter(after)?)
            .bind(limit)
            .fetch_all(&self.readers)
            .await
            .map_err(Fault::from)?;
        Ok(rows.iter().map(read_event).collect::<Result<_, Fault>>()?)
    }
}
