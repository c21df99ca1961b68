//! The table `provider_connections`: the account at a provider that is ours, and how far its sync came. A few rows.

use quota_core::ids::ProviderCode;
use quota_core::payment::PaymentMode;
use quota_core::provider::Connection;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use crate::error::Fault;
use crate::values::{Reading, json, micros};

/// The first one stays.
pub(crate) async fn connect(
    connection: &mut SqliteConnection,
    new: Connection,
) -> Result<Connection, Fault> {
    let statement = "select provider, mode, account, money_starts_at, progress from provider_connections \
                     where provider = ?1 and mode = ?2";
    let row = sqlx::query(statement)
        .bind(new.provider.to_string())
        .bind(new.mode.as_str())
        .fetch_optional(&mut *connection)
        .await?;
    if let Some(row) = row {
        return read(&row);
    }
    let statement = "insert into provider_connections (provider, mode, account, money_starts_at, progress) \
                     values (?1, ?2, ?3, ?4, ?5)";
    sqlx::query(statement)
        .bind(new.provider.to_string())
        .bind(new.mode.as_str())
        .bind(new.account.clone())
        .bind(micros(new.money_starts_at))
        .bind(json(&new.progress)?)
        .execute(connection)
        .await?;
    Ok(new)
}

/// Keeps how far the sync job came.
pub(crate) async fn put_progress(
    connection: &mut SqliteConnection,
    (provider, mode): (ProviderCode, PaymentMode),
    progress: String,
) -> Result<(), Fault> {
    let statement =
        "update provider_connections set progress = ?3 where provider = ?1 and mode = ?2";
    sqlx::query(statement)
        .bind(provider.to_string())
        .bind(mode.as_str())
        .bind(progress)
        .execute(connection)
        .await?;
    Ok(())
}

fn read(row: &SqliteRow) -> Result<Connection, Fault> {
    let key: String = Reading::new(row, "provider_connections", "").raw("provider")?;
    let row = Reading::new(row, "provider_connections", key);
    Ok(Connection {
        provider: row.text("provider")?,
        mode: row.text("mode")?,
        account: row.raw("account")?,
        money_starts_at: row.instant("money_starts_at")?,
        progress: row.json("progress")?,
    })
}
