//! `write`: the statement, and what it gives back.

use quota_core::ports::{HomeWrite, StoreError, WriteBatch};
use sqlx::postgres::{PgArguments, PgExecutor};
use sqlx::query::Query;
use sqlx::{Execute, Postgres};

use crate::shards::{by_shard, text};
use crate::statements::{Layout, WRITE, WRITE_PLAIN};
use crate::write_columns::WriteColumns;

/// A statement that writes a batch or a part of it, with every value encoded; it needs the batch no more.
#[derive(Debug)]
pub(crate) struct Writing {
    statement: &'static str,
    arguments: PgArguments,
    /// Of each place in the statement, the one that the home has in the batch.
    places: Vec<usize>,
}

impl Writing {
    /// The statements that write a batch.
    pub(crate) fn of(batch: &WriteBatch, layout: Layout) -> Result<Vec<Self>, StoreError> {
        let homes = batch.homes.iter().zip(0..);
        let parts = by_shard(homes, layout, |(write, _)| &write.home);
        let parts = parts.into_iter();
        parts
            .map(|(shard, homes)| Self::of_homes(batch, shard, homes))
            .collect()
    }

    fn of_homes(
        batch: &WriteBatch,
        shard: Option<i16>,
        mut homes: Vec<(&HomeWrite, usize)>,
    ) -> Result<Self, StoreError> {
        homes.sort_unstable_by(|a, b| a.0.home.cmp(&b.0.home));
        let (homes, places): (Vec<_>, Vec<_>) = homes.into_iter().unzip();
        let columns = WriteColumns::of(batch, &homes)?;
        let is_plain = columns.is_plain();
        let forms = if is_plain { &WRITE_PLAIN } else { &WRITE };
        let statement = text(forms, shard);
        let mut bound = bind_booked(sqlx::query(statement), &columns);
        if !is_plain {
            bound = bind_rest(bound, &columns);
        }
        if let Some(shard) = shard {
            bound = bound.bind(shard);
        }
        let arguments = bound
            .take_arguments()
            .map_err(|error| StoreError::Refused {
                what: format!("cannot be encoded: {error}"),
            })?;
        Ok(Self {
            statement,
            arguments: arguments.unwrap_or_default(),
            places,
        })
    }

    /// Runs the statement; the places in the batch of the homes that passed.
    pub(crate) async fn run(
        &self,
        executor: impl PgExecutor<'_>,
    ) -> Result<Vec<usize>, sqlx::Error> {
        let statement = sqlx::query_scalar_with(self.statement, self.arguments.clone());
        let passed: Vec<i32> = statement.fetch_one(executor).await?;
        let places = passed.into_iter().filter_map(|place| {
            let place = usize::try_from(place).ok()?.checked_sub(1)?;
            self.places.get(place).copied()
        });
        Ok(places.collect())
    }
}

type Statement<'q> = Query<'q, Postgres, PgArguments>;

fn bind_booked<'q>(statement: Statement<'q>, columns: &'q WriteColumns<'_>) -> Statement<'q> {
    let (homes, unseen) = (&columns.homes, &columns.unseen);
    let (operations, charged) = (&columns.operations, &columns.charged);
    let lease = columns.lease.as_ref();
    statement
        .bind(&homes.place)
        .bind(&homes.home)
        .bind(&homes.shard)
        .bind(&homes.expected_version)
        .bind(&homes.new_version)
        .bind(&homes.hold_before)
        .bind(&homes.terms)
        .bind(&homes.books)
        .bind(&homes.due_at)
        .bind(columns.catalog_version)
        .bind(lease.map(|lease| lease.name))
        .bind(lease.map(|lease| lease.owner))
        .bind(lease.map(|lease| lease.epoch))
        .bind(&unseen.place)
        .bind(&unseen.home)
        .bind(&unseen.account)
        .bind(&unseen.key)
        .bind(columns.keys_within)
        .bind(&operations.place)
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
        .bind(&charged.place)
        .bind(&charged.home)
        .bind(&charged.account)
        .bind(&charged.due_at)
        .bind(&charged.books)
}

fn bind_rest<'q>(statement: Statement<'q>, columns: &'q WriteColumns<'_>) -> Statement<'q> {
    let (joined, reservations) = (&columns.joined, &columns.reservations);
    let (events, closed) = (&columns.events, &columns.closed);
    statement
        .bind(&joined.place)
        .bind(&joined.home)
        .bind(&joined.account)
        .bind(&joined.due_at)
        .bind(&joined.terms)
        .bind(&joined.books)
        .bind(&reservations.place)
        .bind(&reservations.home)
        .bind(&reservations.id)
        .bind(&reservations.account)
        .bind(&reservations.expires_at)
        .bind(&reservations.state)
        .bind(&reservations.ended_by)
        .bind(&reservations.late_commit)
        .bind(&reservations.document)
        .bind(&events.place)
        .bind(&events.shard)
        .bind(&events.id)
        .bind(&events.home)
        .bind(&events.account)
        .bind(&events.number)
        .bind(&events.sequence)
        .bind(&events.at)
        .bind(&events.kind)
        .bind(&closed.place)
        .bind(&closed.home)
        .bind(&closed.account)
        .bind(&closed.bucket)
        .bind(&closed.balance)
}
