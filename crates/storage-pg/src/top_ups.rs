//! The tables `top_up_accounts` and `top_ups`: who may want a pack bought, and each that is.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use quota_core::ids::{AccountId, CustomerRef, PaymentRef};
use quota_core::ports::{StoreError, TopUpPage, TopUpStore};
use quota_core::provider::TopUp;
use quota_core::terms::TopUpFailure;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::{Postgres, Row};
use uuid::Uuid;

use crate::PgStore;
use crate::error::store_error;
use crate::values::{Reading, stored_count};

const ENTER_ACCOUNT: &str = "\
insert into top_up_accounts (account, shard) values ($1, $2) on conflict (account, shard) do nothing";
const TOP_UP_ACCOUNTS: &str =
    "select a.account from top_up_accounts a where a.account > $1 order by a.account limit $2";
/// One that is open is met in the index of those.
const BEGIN: &str = "\
insert into top_ups
    (account, shard, id, state, tries, next_look_at, payment, ended_at, failure, error, version, provider, mode, customer, pack,
    amount, currency, opened_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
on conflict do nothing";
const PUT: &str = "\
update top_ups t set state = $4, tries = $5, next_look_at = $6, payment = $7, ended_at = $8, failure = $9, error = $10,
    version = $11
where t.account = $1 and t.shard = $2 and t.id = $3 and t.version = $11 - 1 and t.state = 'open'";
const DROP: &str = "\
delete from top_ups t
where t.account = $1 and t.shard = $2 and t.id = $3 and t.version = $4 and t.state = 'open'";
const OPEN: &str = "\
select t.account, t.id, t.provider, t.mode, t.customer, t.pack, t.amount, t.currency, t.state, t.opened_at, t.tries,
    t.next_look_at, t.payment, t.ended_at, t.failure, t.error, t.version
from top_ups t where t.account = $1 and t.shard = $2 and t.state = 'open'";
const DUE_TOP_UPS: &str = "\
select t.account, t.id, t.provider, t.mode, t.customer, t.pack, t.amount, t.currency, t.state, t.opened_at, t.tries,
    t.next_look_at, t.payment, t.ended_at, t.failure, t.error, t.version
from top_ups t where t.state = 'open' and t.next_look_at <= $1
order by t.next_look_at, t.account, t.id limit $2";
const OF_ACCOUNT: &str = "\
select t.account, t.id, t.provider, t.mode, t.customer, t.pack, t.amount, t.currency, t.state, t.opened_at, t.tries,
    t.next_look_at, t.payment, t.ended_at, t.failure, t.error, t.version
from top_ups t where t.account = $1 and t.shard = $2 and (t.opened_at, t.id) < ($3, $4)
order by t.opened_at desc, t.id desc limit $5";
const COUNT: &str = "\
select count(*) from top_ups t
where t.account = $1 and t.shard = $2 and t.opened_at >= $3 and t.opened_at < $4 and t.state in ('open', 'paid')";

type Statement<'q> = Query<'q, Postgres, PgArguments>;

/// A statement about an account.
fn of_account<'q>(text: &'static str, account: &'q AccountId) -> Statement<'q> {
    sqlx::query(text)
        .bind(account.as_str())
        .bind(i16::from(account.shard()))
}

/// A statement that writes what changes of a top-up.
fn changing<'q>(text: &'static str, top_up: &'q TopUp) -> Result<Statement<'q>, StoreError> {
    Ok(of_account(text, &top_up.account)
        .bind(top_up.id)
        .bind(top_up.state.as_str())
        .bind(i64::from(top_up.tries))
        .bind(top_up.next_look_at)
        .bind(top_up.payment.as_ref().map(PaymentRef::as_str))
        .bind(top_up.ended_at)
        .bind(top_up.failure.map(TopUpFailure::as_str))
        .bind(top_up.error.as_deref())
        .bind(stored_count(top_up.version)?))
}

#[async_trait]
impl TopUpStore for PgStore {
    async fn enter_top_up_account(&self, account: &AccountId) -> Result<(), StoreError> {
        let entered = of_account(ENTER_ACCOUNT, account).execute(&self.pool).await;
        entered.map(drop).map_err(store_error)
    }

    async fn top_up_accounts(
        &self,
        after: Option<&AccountId>,
        limit: u32,
    ) -> Result<Vec<AccountId>, StoreError> {
        let rows = sqlx::query(TOP_UP_ACCOUNTS)
            .bind(after.map_or("", AccountId::as_str))
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await
            .map_err(store_error)?;
        let accounts = rows.iter().map(|row| {
            let key: &str = Reading::new(row, "top_up_accounts", "?").get("account")?;
            Reading::new(row, "top_up_accounts", key).account_id("account")
        });
        accounts.collect()
    }

    async fn begin_top_up(&self, top_up: &TopUp) -> Result<bool, StoreError> {
        let begun = changing(BEGIN, top_up)?
            .bind(top_up.provider.as_str())
            .bind(top_up.mode.as_str())
            .bind(top_up.customer.as_ref().map(CustomerRef::as_str))
            .bind(top_up.pack.as_str())
            .bind(stored_count(top_up.amount)?)
            .bind(top_up.currency.as_str())
            .bind(top_up.opened_at)
            .execute(&self.pool)
            .await;
        Ok(begun.map_err(store_error)?.rows_affected() == 1)
    }

    async fn put_top_up(&self, top_up: &TopUp) -> Result<bool, StoreError> {
        let put = changing(PUT, top_up)?.execute(&self.pool).await;
        Ok(put.map_err(store_error)?.rows_affected() == 1)
    }

    async fn drop_top_up(&self, top_up: &TopUp) -> Result<bool, StoreError> {
        let dropped = of_account(DROP, &top_up.account)
            .bind(top_up.id)
            .bind(stored_count(top_up.version)?)
            .execute(&self.pool)
            .await;
        Ok(dropped.map_err(store_error)?.rows_affected() == 1)
    }

    async fn open_top_up(&self, account: &AccountId) -> Result<Option<TopUp>, StoreError> {
        let row = of_account(OPEN, account).fetch_optional(&self.pool).await;
        row.map_err(store_error)?.as_ref().map(read).transpose()
    }

    async fn due_top_ups(&self, now: DateTime<Utc>, limit: u32) -> Result<Vec<TopUp>, StoreError> {
        let rows = sqlx::query(DUE_TOP_UPS)
            .bind(now)
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await;
        rows.map_err(store_error)?.iter().map(read).collect()
    }

    async fn top_ups(&self, page: &TopUpPage) -> Result<Vec<TopUp>, StoreError> {
        let newest = (DateTime::<Utc>::MAX_UTC, Uuid::max());
        let (opened_at, id) = page.after.unwrap_or(newest);
        // The database has no later instant than this.
        let opened_at = opened_at.min(last_instant());
        let rows = of_account(OF_ACCOUNT, &page.account)
            .bind(opened_at)
            .bind(id)
            .bind(i64::from(page.limit))
            .fetch_all(&self.pool)
            .await;
        rows.map_err(store_error)?.iter().map(read).collect()
    }

    async fn count_top_ups(
        &self,
        account: &AccountId,
        from: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<u64, StoreError> {
        let row = of_account(COUNT, account)
            .bind(from)
            .bind(until.min(last_instant()))
            .fetch_one(&self.pool)
            .await
            .map_err(store_error)?;
        let count: i64 = row.try_get(0).map_err(store_error)?;
        Ok(u64::try_from(count).unwrap_or_default())
    }
}

/// Later than any top-up.
fn last_instant() -> DateTime<Utc> {
    const YEAR_9999: i64 = 253_402_300_799;
    DateTime::from_timestamp(YEAR_9999, 0).unwrap_or_default()
}

fn read(row: &PgRow) -> Result<TopUp, StoreError> {
    let id: Uuid = Reading::new(row, "top_ups", "?").get("id")?;
    let reading = Reading::new(row, "top_ups", id.to_string());
    Ok(TopUp {
        account: reading.account_id("account")?,
        id,
        provider: reading.name("provider")?,
        mode: reading.name("mode")?,
        customer: reading.optional_name("customer")?,
        pack: reading.name("pack")?,
        amount: reading.count("amount")?,
        currency: reading.name("currency")?,
        state: reading.name("state")?,
        opened_at: reading.get("opened_at")?,
        tries: reading.small("tries")?,
        next_look_at: reading.get("next_look_at")?,
        payment: reading.optional_name("payment")?,
        ended_at: reading.get("ended_at")?,
        failure: reading.optional_name("failure")?,
        error: reading.get("error")?,
        version: reading.count("version")?,
    })
}
