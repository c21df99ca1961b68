//! The table `provider_links`: which customer is which account. An index finds it by account, so no second table is needed.

use chrono::{DateTime, Utc};
use quota_core::ids::AccountId;
use quota_core::provider::{CustomerId, CustomerLink};
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteConnection, SqliteRow};
use sqlx::{Sqlite, SqliteExecutor};

use crate::error::Fault;
use crate::values::{Reading, micros};

/// A statement about a customer.
fn by_id(text: &'static str, id: &CustomerId) -> Query<'static, Sqlite, SqliteArguments> {
    sqlx::query(text)
        .bind(id.provider.to_string())
        .bind(id.mode.as_str())
        .bind(id.customer.to_string())
}

/// The first link stays.
pub(crate) async fn link(
    connection: &mut SqliteConnection,
    link: CustomerLink,
) -> Result<CustomerLink, Fault> {
    if let Some(linked) = of_customer(&mut *connection, &link.id).await? {
        return Ok(linked);
    }
    let statement = "insert into provider_links (provider, mode, customer, account, linked_at, synced_at) \
                     values (?1, ?2, ?3, ?4, ?5, ?6)";
    by_id(statement, &link.id)
        .bind(link.account.to_string())
        .bind(micros(link.linked_at))
        .bind(link.synced_at.map(micros))
        .execute(connection)
        .await?;
    Ok(link)
}

/// Whether there was one.
pub(crate) async fn unlink(
    connection: &mut SqliteConnection,
    id: CustomerId,
) -> Result<bool, Fault> {
    let statement =
        "delete from provider_links where provider = ?1 and mode = ?2 and customer = ?3";
    let done = by_id(statement, &id).execute(connection).await?;
    Ok(done.rows_affected() == 1)
}

/// The link of a customer.
pub(crate) async fn of_customer(
    executor: impl SqliteExecutor<'_>,
    id: &CustomerId,
) -> Result<Option<CustomerLink>, Fault> {
    let statement = "select provider, mode, customer, account, linked_at, synced_at from provider_links \
                     where provider = ?1 and mode = ?2 and customer = ?3";
    let row = by_id(statement, id).fetch_optional(executor).await?;
    row.as_ref().map(read).transpose()
}

/// The links of an account, without when they were synced.
pub(crate) async fn of_account(
    executor: impl SqliteExecutor<'_>,
    account: &AccountId,
) -> Result<Vec<CustomerLink>, Fault> {
    let statement = "select provider, mode, customer, account, linked_at, null as synced_at from provider_links \
                     where account = ?1 order by provider, mode, customer";
    let statement = sqlx::query(statement).bind(account.to_string());
    let rows = statement.fetch_all(executor).await?;
    rows.iter().map(read).collect()
}

/// Whether this one began after all that were taken.
pub(crate) async fn take_sync(
    connection: &mut SqliteConnection,
    id: CustomerId,
    began_at: DateTime<Utc>,
) -> Result<bool, Fault> {
    let statement = "update provider_links set synced_at = ?4 \
                     where provider = ?1 and mode = ?2 and customer = ?3 \
                     and (synced_at is null or synced_at < ?4)";
    let statement = by_id(statement, &id).bind(micros(began_at));
    Ok(statement.execute(connection).await?.rows_affected() == 1)
}

fn read(row: &SqliteRow) -> Result<CustomerLink, Fault> {
    let key: String = Reading::new(row, "provider_links", "").raw("customer")?;
    let row = Reading::new(row, "provider_links", key);
    Ok(CustomerLink {
        id: CustomerId {
            provider: row.text("provider")?,
            mode: row.text("mode")?,
            customer: row.text("customer")?,
        },
        account: row.text("account")?,
        linked_at: row.instant("linked_at")?,
        synced_at: row.optional_instant("synced_at")?,
    })
}
