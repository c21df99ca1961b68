//! One home, decided and written while nobody else can write it.

use quota_core::ports::{DecideLocked, LoadQuery, StoreError};
use sqlx::postgres::{PgConnection, PgPool};

use crate::error::store_error;
use crate::load::{LoadColumns, load};
use crate::load_rows::loaded;
use crate::write::Writing;

const LOCK_HOME: &str =
    "select a.version from accounts a where a.home = $1 and a.account = $1 for update";

/// Takes the guard of a home until the transaction ends; its version, or none when there is no such home.
pub(crate) async fn lock_home(
    connection: &mut PgConnection,
    home: &str,
) -> Result<Option<i64>, StoreError> {
    sqlx::query_scalar(LOCK_HOME)
        .bind(home)
        .fetch_optional(connection)
        .await
        .map_err(store_error)
}

/// See [`quota_core::ports::Store::write_locked`]. Where there is nothing to write, no home has passed.
pub(crate) async fn write_locked(
    pool: PgPool,
    query: LoadQuery,
    decide: DecideLocked,
) -> Result<bool, StoreError> {
    let mut homes: Vec<&str> = query
        .homes
        .iter()
        .map(|asked| asked.home.as_str())
        .collect();
    homes.sort_unstable();
    let mut transaction = pool.begin().await.map_err(store_error)?;
    for home in homes {
        lock_home(&mut transaction, home).await?;
    }
    let columns = LoadColumns::of(&query);
    let rows = load(&mut *transaction, &columns)
        .await
        .map_err(store_error)?;
    let Some(batch) = decide(loaded(&query, &rows)?) else {
        transaction.rollback().await.map_err(store_error)?;
        return Ok(false);
    };
    let writing = Writing::of(&batch)?;
    let has_passed = writing.run(&mut *transaction).await.map_err(store_error)?;
    if has_passed.contains(&false) {
        transaction.rollback().await.map_err(store_error)?;
        return Ok(false);
    }
    transaction.commit().await.map_err(store_error)?;
    Ok(true)
}
