//! The table `provider_connections`: the account at a provider that is ours, and how far its sync came. A few rows.

use quota_core::ids::ProviderCode;
use quota_core::payment::PaymentMode;
use quota_core::ports::StoreError;
use quota_core::provider::{Connection, SyncProgress};
use sqlx::postgres::{PgPool, PgRow};

use crate::error::{store_error, unavailable};
use crate::values::{Reading, json_text};

const CONNECT: &str = "\
insert into provider_connections (provider, mode, account, money_starts_at, progress) values ($1, $2, $3, $4, $5)
on conflict (provider, mode) do nothing";
const CONNECTED: &str = "\
select c.provider, c.mode, c.account, c.money_starts_at, c.progress
from provider_connections c where c.provider = $1 and c.mode = $2";
const PUT_PROGRESS: &str =
    "update provider_connections set progress = $3 where provider = $1 and mode = $2";

/// The first one stays.
pub(crate) async fn connect(
    pool: &PgPool,
    connection: &Connection,
) -> Result<Connection, StoreError> {
    let connected = sqlx::query(CONNECT)
        .bind(connection.provider.as_str())
        .bind(connection.mode.as_str())
        .bind(&connection.account)
        .bind(connection.money_starts_at)
        .bind(json_text(&connection.progress)?)
        .execute(pool)
        .await
        .map_err(store_error)?;
    if connected.rows_affected() == 1 {
        return Ok(connection.clone());
    }
    let row = sqlx::query(CONNECTED)
        .bind(connection.provider.as_str())
        .bind(connection.mode.as_str())
        .fetch_optional(pool)
        .await
        .map_err(store_error)?;
    let lost = || unavailable(format!("`{}` is being connected", connection.provider));
    read(&row.ok_or_else(lost)?)
}

/// Keeps how far the sync job came.
pub(crate) async fn put_progress(
    pool: &PgPool,
    (provider, mode): (&ProviderCode, PaymentMode),
    progress: &SyncProgress,
) -> Result<(), StoreError> {
    let put = sqlx::query(PUT_PROGRESS)
        .bind(provider.as_str())
        .bind(mode.as_str())
        .bind(json_text(progress)?)
        .execute(pool);
    put.await.map(drop).map_err(store_error)
}

fn read(row: &PgRow) -> Result<Connection, StoreError> {
    let key: String = Reading::new(row, "provider_connections", "?").get("provider")?;
    let reading = Reading::new(row, "provider_connections", key);
    Ok(Connection {
        provider: reading.name("provider")?,
        mode: reading.name("mode")?,
        account: reading.get("account")?,
        money_starts_at: reading.get("money_starts_at")?,
        progress: reading.json("progress")?,
    })
}
