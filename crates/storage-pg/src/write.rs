//! `write`: the statement, and what it gives back.

use quota_core::ports::{HomeWrite, StoreError, WriteBatch};
use sqlx::Execute;
use sqlx::postgres::{PgArguments, PgExecutor};

use crate::batch::WriteColumns;
use crate::error::is_taken;
use crate::key_check::KeyCheck;
use crate::shards::{by_shard, text};
use crate::statements::{Layout, WRITE, WRITE_PLAIN};

/// A statement that writes a batch or a part of it, with every value encoded; it needs the batch no more.
#[derive(Debug)]
pub(crate) struct Writing {
    statement: &'static str,
    arguments: PgArguments,
    /// Of each place in the statement, the one that the home has in the batch.
    places: Vec<usize>,
    check: KeyCheck,
}

/// What a statement came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// The places in the batch of the homes that passed.
    Passed(Vec<usize>),
    /// Nothing: an operation has a key that is taken, of those left to the index.
    KeyTaken,
}

impl Writing {
    /// The statements that write a batch.
    pub(crate) fn of(
        batch: &WriteBatch,
        layout: Layout,
        check: KeyCheck,
    ) -> Result<Vec<Self>, StoreError> {
        let homes = batch.homes.iter().zip(0..);
        let parts = by_shard(homes, layout, |(write, _)| write.home.shard().into());
        let parts = parts.into_iter();
        parts
            .map(|part| Self::of_homes(batch, part, check))
            .collect()
    }

    fn of_homes(
        batch: &WriteBatch,
        (shard, mut homes): (Option<i16>, Vec<(&HomeWrite, usize)>),
        check: KeyCheck,
    ) -> Result<Self, StoreError> {
        homes.sort_unstable_by(|a, b| a.0.home.cmp(&b.0.home));
        let (homes, places): (Vec<_>, Vec<_>) = homes.into_iter().unzip();
        let check = check.narrowed(&homes);
        let columns = WriteColumns::of(batch, &homes, check)?;
        let forms = if columns.is_plain() {
            &WRITE_PLAIN
        } else {
            &WRITE
        };
        let statement = text(forms, shard);
        let mut bound = columns.bind(sqlx::query(statement));
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
            check,
        })
    }

    /// Runs the statement, which commits by itself.
    pub(crate) async fn run(&self, executor: impl PgExecutor<'_>) -> Result<Written, sqlx::Error> {
        let statement = sqlx::query_scalar_with(self.statement, self.arguments.clone());
        let passed: Vec<i32> = match (statement.fetch_one(executor).await, self.check) {
            (Ok(passed), KeyCheck::Index | KeyCheck::LookUp) => passed,
            (Err(error), KeyCheck::Index) if is_taken(&error) => return Ok(Written::KeyTaken),
            (Err(error), KeyCheck::Index | KeyCheck::LookUp) => return Err(error),
        };
        let places = passed.into_iter().filter_map(|place| {
            let place = usize::try_from(place).ok()?.checked_sub(1)?;
            self.places.get(place).copied()
        });
        Ok(Written::Passed(places.collect()))
    }
}
