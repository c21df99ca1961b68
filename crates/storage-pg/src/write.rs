//! `write`: the statement, and what it gives back.

use std::collections::HashSet;

use sqlx::postgres::{PgArguments, PgExecutor};
use sqlx::query::Query;
use sqlx::{Postgres, Row};

use crate::statements::{WRITE, WRITE_PLAIN};
use crate::write_columns::WriteColumns;

/// Runs the statement; the homes that passed.
pub(crate) async fn write(
    executor: impl PgExecutor<'_>,
    columns: &WriteColumns,
) -> Result<HashSet<String>, sqlx::Error> {
    let plain = columns.is_plain();
    let statement = bind_booked(
        sqlx::query(if plain { WRITE_PLAIN } else { WRITE }),
        columns,
    );
    let statement = if plain {
        statement
    } else {
        bind_rest(statement, columns)
    };
    let rows = statement.fetch_all(executor).await?;
    rows.iter().map(|row| row.try_get(0)).collect()
}

type Statement<'q> = Query<'q, Postgres, PgArguments>;

fn bind_booked<'q>(statement: Statement<'q>, columns: &'q WriteColumns) -> Statement<'q> {
    let (homes, unseen) = (&columns.homes, &columns.unseen);
    let (operations, members) = (&columns.operations, &columns.members);
    let lease = columns.lease.as_ref();
    statement
        .bind(&homes.home)
        .bind(&homes.expected_version)
        .bind(&homes.new_version)
        .bind(&homes.hold_before)
        .bind(&homes.terms)
        .bind(&homes.books)
        .bind(&homes.due_at)
        .bind(columns.catalog_version)
        .bind(lease.map(|lease| lease.name.as_str()))
        .bind(lease.map(|lease| lease.owner.as_str()))
        .bind(lease.map(|lease| lease.epoch))
        .bind(&unseen.home)
        .bind(&unseen.account)
        .bind(&unseen.key)
        .bind(columns.keys_within.to_vec())
        .bind(&operations.home)
        .bind(&operations.account)
        .bind(&operations.id)
        .bind(&operations.sequence)
        .bind(&operations.at)
        .bind(&operations.kind)
        .bind(&operations.key)
        .bind(&operations.body_hash)
        .bind(&operations.refers_to)
        .bind(&operations.entries)
        .bind(&operations.answer)
        .bind(&operations.origin)
        .bind(&members.home)
        .bind(&members.account)
        .bind(&members.due_at)
        .bind(&members.terms)
        .bind(&members.books)
}

fn bind_rest<'q>(statement: Statement<'q>, columns: &'q WriteColumns) -> Statement<'q> {
    let (reservations, events, closed) = (&columns.reservations, &columns.events, &columns.closed);
    statement
        .bind(&reservations.home)
        .bind(&reservations.id)
        .bind(&reservations.account)
        .bind(&reservations.expires_at)
        .bind(&reservations.state)
        .bind(&reservations.ended_by)
        .bind(&reservations.late_commit)
        .bind(&reservations.document)
        .bind(&events.shard)
        .bind(&events.id)
        .bind(&events.home)
        .bind(&events.account)
        .bind(&events.sequence)
        .bind(&events.at)
        .bind(&events.kind)
        .bind(&closed.home)
        .bind(&closed.account)
        .bind(&closed.bucket)
        .bind(&closed.balance)
}
