//! Events that wait to be told.

use std::sync::LazyLock;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use quota_core::event::Event;
use quota_core::ports::{Outbox, StoreError};
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use uuid::Uuid;

use crate::SqliteStore;
use crate::error::Fault;
use crate::load::hex;
use crate::rows::{ManyRows, Statement};
use crate::values::{Reading, counter, json, micros};

/// An event with all that has to be encoded.
pub(crate) struct EventRow {
    id: Uuid,
    home: String,
    account: String,
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
        let head = "insert into outbox (id, home, account, sequence, at, kind) values";
        ManyRows::new(head, 6, "")
    });
    let bind = |statement: Statement, row: EventRow| {
        statement
            .bind(row.id)
            .bind(row.home)
            .bind(row.account)
            .bind(row.sequence)
            .bind(row.at)
            .bind(row.kind)
    };
    INSERT.run(connection, rows, bind).await?;
    Ok(())
}

fn read_event(row: &SqliteRow) -> Result<Event, Fault> {
    let id: Uuid = Reading::new(row, "outbox", "").raw(0)?;
    let row = Reading::new(row, "outbox", id);
    Ok(Event {
        id,
        home: row.text(1)?,
        account: row.text(2)?,
        sequence: row.counter(3)?,
        at: row.instant(4)?,
        kind: row.json(5)?,
    })
}

#[async_trait]
impl Outbox for SqliteStore {
    async fn pending_events(&self, limit: u32) -> Result<Vec<Event>, StoreError> {
        let statement = "select id, home, account, sequence, at, kind from outbox \
                         where published_at is null order by number limit ?1";
        let rows = sqlx::query(statement)
            .bind(limit)
            .fetch_all(&self.readers)
            .await
            .map_err(Fault::from)?;
        Ok(rows.iter().map(read_event).collect::<Result<_, Fault>>()?)
    }

    async fn mark_published(&self, events: &[Event], at: DateTime<Utc>) -> Result<(), StoreError> {
        let mut told = Vec::with_capacity(events.len());
        for event in events {
            told.push((hex(event.id), &event.account, json(&event.kind)?));
        }
        let told = json(&told)?;
        self.writing(move |connection| {
            Box::pin(async move {
                let statement = "update outbox set published_at = ?2 from json_each(?1) as q \
                                 where outbox.id = unhex(q.value ->> 0) \
                                 and outbox.account = q.value ->> 1 \
                                 and outbox.kind = q.value ->> 2 and outbox.published_at is null";
                let statement = sqlx::query(statement).bind(told).bind(micros(at));
                statement.execute(connection).await?;
                Ok(())
            })
        })
        .await
    }
}
