//! The tables `provider_links` and `account_customers`: which customer is which account, by customer and by account.
//!
//! Both rows of a link are written in one transaction, each by a statement of one shard. The row by customer is written first
//! and is what counts: whoever finds it there holds it while the row by account is written, so that nobody takes the link away
//! in between, and the same call again puts in a row by account that is missing. It is taken away in the same order.

use quota_core::ids::AccountId;
use quota_core::ports::StoreError;
use quota_core::provider::{CustomerId, CustomerLink};
use sqlx::postgres::{PgArguments, PgConnection, PgPool, PgRow};
use sqlx::query::Query;
use sqlx::{Executor, Postgres};

use crate::error::{store_error, unavailable};
use crate::values::{Instant, Reading};

const ENTER: &str = "\
insert into provider_links (provider, mode, customer, shard, account, linked_at, synced_at)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict (provider, mode, customer, shard) do nothing";
const LINK: &str = "\
select l.account, l.linked_at, l.synced_at
from provider_links l where l.provider = $1 and l.mode = $2 and l.customer = $3 and l.shard = $4";
/// Against a delete, and not against [`TAKE_SYNC`].
const HOLD: &str = "\
select l.account, l.linked_at, l.synced_at
from provider_links l where l.provider = $1 and l.mode = $2 and l.customer = $3 and l.shard = $4
for key share";
const REMOVE: &str = "\
delete from provider_links l where l.provider = $1 and l.mode = $2 and l.customer = $3 and l.shard = $4
returning l.account, l.linked_at, l.synced_at";
const TAKE_SYNC: &str = "\
update provider_links l set synced_at = $5
where l.provider = $1 and l.mode = $2 and l.customer = $3 and l.shard = $4
    and (l.synced_at is null or l.synced_at < $5)";
const ENTER_BY_ACCOUNT: &str = "\
insert into account_customers (account, shard, provider, mode, customer, linked_at) values ($1, $2, $3, $4, $5, $6)
on conflict (account, provider, mode, customer, shard) do nothing";
const REMOVE_BY_ACCOUNT: &str = "\
delete from account_customers c
where c.account = $1 and c.shard = $2 and c.provider = $3 and c.mode = $4 and c.customer = $5";
const OF_ACCOUNT: &str = "\
select c.provider, c.mode, c.customer, c.linked_at
from account_customers c where c.account = $1 and c.shard = $2
order by c.provider, c.mode, c.customer";

type Statement<'q> = Query<'q, Postgres, PgArguments>;

/// Binds provider, mode and customer.
fn with_names<'q>(statement: Statement<'q>, id: &'q CustomerId) -> Statement<'q> {
    statement
        .bind(id.provider.as_str())
        .bind(id.mode.as_str())
        .bind(id.customer.as_str())
}

/// A statement about a customer.
fn by_customer<'q>(text: &'static str, id: &'q CustomerId) -> Statement<'q> {
    with_names(sqlx::query(text), id).bind(i16::from(id.shard()))
}

/// A statement about a customer of an account.
fn by_account<'q>(text: &'static str, account: &'q AccountId, id: &'q CustomerId) -> Statement<'q> {
    let statement = sqlx::query(text)
        .bind(account.as_str())
        .bind(i16::from(account.shard()));
    with_names(statement, id)
}

/// The first link stays.
pub(crate) async fn link(pool: PgPool, link: CustomerLink) -> Result<CustomerLink, StoreError> {
    let mut transaction = pool.begin().await.map_err(store_error)?;
    let held = enter_or_hold(&mut transaction, &link).await?;
    let by_account = by_account(ENTER_BY_ACCOUNT, &held.account, &held.id).bind(held.linked_at);
    let entered = by_account.execute(&mut *transaction).await;
    entered.map_err(store_error)?;
    transaction.commit().await.map_err(store_error)?;
    Ok(held)
}

async fn enter_or_hold(
    connection: &mut PgConnection,
    link: &CustomerLink,
) -> Result<CustomerLink, StoreError> {
    let enter = by_customer(ENTER, &link.id)
        .bind(link.account.as_str())
        .bind(link.linked_at)
        .bind(link.synced_at);
    let entered = enter.execute(&mut *connection).await.map_err(store_error)?;
    if entered.rows_affected() == 1 {
        return Ok(link.clone());
    }
    let held = one(connection, by_customer(HOLD, &link.id), &link.id).await?;
    held.ok_or_else(|| unavailable(format!("`{}` is being linked by others", link.id)))
}

/// Whether there was one.
pub(crate) async fn unlink(pool: PgPool, id: CustomerId) -> Result<bool, StoreError> {
    let mut transaction = pool.begin().await.map_err(store_error)?;
    let removed = one(&mut *transaction, by_customer(REMOVE, &id), &id).await?;
    if let Some(removed) = &removed {
        let remove = by_account(REMOVE_BY_ACCOUNT, &removed.account, &id);
        let gone = remove.execute(&mut *transaction).await;
        gone.map_err(store_error)?;
    }
    transaction.commit().await.map_err(store_error)?;
    Ok(removed.is_some())
}

/// The link of a customer.
pub(crate) async fn of_customer(
    pool: &PgPool,
    id: &CustomerId,
) -> Result<Option<CustomerLink>, StoreError> {
    one(pool, by_customer(LINK, id), id).await
}

/// The links of an account; when they were synced lies with the customers.
pub(crate) async fn of_account(
    pool: &PgPool,
    account: &AccountId,
) -> Result<Vec<CustomerLink>, StoreError> {
    let rows = sqlx::query(OF_ACCOUNT)
        .bind(account.as_str())
        .bind(i16::from(account.shard()))
        .fetch_all(pool)
        .await
        .map_err(store_error)?;
    let links = rows.iter().map(|row| {
        let reading = Reading::new(row, "account_customers", account.as_str());
        Ok(CustomerLink {
            id: CustomerId {
                provider: reading.name("provider")?,
                mode: reading.name("mode")?,
                customer: reading.name("customer")?,
            },
            account: account.clone(),
            linked_at: reading.get("linked_at")?,
            synced_at: None,
        })
    });
    links.collect()
}

/// Whether this one began after all that were taken.
pub(crate) async fn take_sync(
    pool: &PgPool,
    id: &CustomerId,
    began_at: Instant,
) -> Result<bool, StoreError> {
    let taken = by_customer(TAKE_SYNC, id).bind(began_at).execute(pool);
    Ok(taken.await.map_err(store_error)?.rows_affected() == 1)
}

async fn one<'e>(
    executor: impl Executor<'e, Database = Postgres>,
    statement: Statement<'_>,
    id: &CustomerId,
) -> Result<Option<CustomerLink>, StoreError> {
    let row = statement.fetch_optional(executor).await;
    let read = |row: &PgRow| {
        let reading = Reading::new(row, "provider_links", id.to_string());
        Ok(CustomerLink {
            id: id.clone(),
            account: reading.account_id("account")?,
            linked_at: reading.get("linked_at")?,
            synced_at: reading.get("synced_at")?,
        })
    };
    row.map_err(store_error)?.as_ref().map(read).transpose()
}
