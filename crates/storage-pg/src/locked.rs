//! Homes that are written while nobody else can write them: one that is decided meanwhile, or several that belong together.

use quota_core::ids::AccountId;
use quota_core::ports::{DecideLocked, LoadQuery, StoreError, WriteBatch};
use sqlx::postgres::{PgConnection, PgPool};
use sqlx::{Postgres, Transaction};

use crate::accounts;
use crate::error::store_error;
use crate::key_check::KeyCheck;
use crate::load::{LoadColumns, load};
use crate::load_rows::loaded;
use crate::statements::Layout;
use crate::write::{Writing, Written};

/// Takes the guard of a home until the transaction ends; its version, or none when there is no such home.
pub(crate) async fn lock_home(
    connection: &mut PgConnection,
    home: &AccountId,
) -> Result<Option<i64>, StoreError> {
    sqlx::query_scalar(accounts::LOCK)
        .bind(home.as_str())
        .bind(i16::from(home.shard()))
        .fetch_optional(connection)
        .await
        .map_err(store_error)
}

/// See [`quota_core::ports::Store::write_locked`]. Where there is nothing to write, no home has passed.
pub(crate) async fn write_locked(
    (pool, layout): (PgPool, Layout),
    query: LoadQuery,
    decide: DecideLocked,
) -> Result<bool, StoreError> {
    let mut homes: Vec<&AccountId> = query.homes.iter().map(|asked| &asked.home).collect();
    homes.sort_unstable();
    let mut transaction = pool.begin().await.map_err(store_error)?;
    for home in homes {
        lock_home(&mut transaction, home).await?;
    }
    let mut rows = Vec::new();
    for columns in LoadColumns::of(&query, layout) {
        let more = load(&mut *transaction, &columns).await;
        rows.extend(more.map_err(store_error)?);
    }
    let Some(batch) = decide(loaded(&query, &rows)?) else {
        transaction.rollback().await.map_err(store_error)?;
        return Ok(false);
    };
    write_all(transaction, &batch, layout).await
}

/// See [`quota_core::ports::Store::write_together`]. The homes are taken first, the lower id before the higher as everybody
/// does.
pub(crate) async fn write_together(
    (pool, layout): (PgPool, Layout),
    batch: WriteBatch,
) -> Result<bool, StoreError> {
    let mut homes: Vec<&AccountId> = batch.homes.iter().map(|write| &write.home).collect();
    homes.sort_unstable();
    let mut transaction = pool.begin().await.map_err(store_error)?;
    for home in homes {
        lock_home(&mut transaction, home).await?;
    }
    write_all(transaction, &batch, layout).await
}

/// Writes a batch and ends the transaction: as it is, where every home passed.
async fn write_all(
    mut transaction: Transaction<'_, Postgres>,
    batch: &WriteBatch,
    layout: Layout,
) -> Result<bool, StoreError> {
    let mut passed = 0;
    for writing in Writing::of(batch, layout, KeyCheck::LookUp)? {
        let written = writing.run(&mut *transaction).await;
        passed += match written.map_err(store_error)? {
            Written::Passed(places) => places.len(),
            Written::KeyTaken => 0,
        };
    }
    if passed < batch.homes.len() {
        transaction.rollback().await.map_err(store_error)?;
        return Ok(false);
    }
    transaction.commit().await.map_err(store_error)?;
    Ok(true)
}
