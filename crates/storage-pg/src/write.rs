//! `write`: the statement, and what it gives back.

use quota_core::ports::{HomeWrite, StoreError, WriteBatch};
use sqlx::Execute;
use sqlx::postgres::{PgArguments, PgExecutor};

use crate::batch::WriteColumns;
use crate::shards::{by_shard, text};
use crate::statements::{Layout, WRITE, WRITE_PLAIN};

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
