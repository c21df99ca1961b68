//! The tables `top_up_accounts` and `top_ups`: who may want a pack bought, and each that is.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use quota_core::ids::AccountId;
use quota_core::ports::{StoreError, TopUpPage, TopUpStore};
use quota_core::provider::TopUp;
use quota_core::terms::TopUpFailure;
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteConnection, SqliteRow};
use sqlx::{Row, Sqlite};
use uuid::Uuid;

use crate::SqliteStore;
use crate::error::Fault;
use crate::values::{Reading, counter, micros};

const BEGIN: &str = "\
insert into top_ups (account, id, state, tries, next_look_at, payment, ended_at, failure, error, version, provider, mode, \
    customer, pack, amount, currency, opened_at) \
values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17) on conflict do nothing";
const PUT: &str = "\
update top_ups set state = ?3, tries = ?4, next_look_at = ?5, payment = ?6, ended_at = ?7, failure = ?8, error = ?9, version = ?10 \
where account = ?1 and id = ?2 and version = ?10 - 1 and state = 'open'";
const DROP: &str =
    "delete from top_ups where account = ?1 and id = ?2 and version = ?3 and state = 'open'";
const OPEN: &str = "\
select account, id, provider, mode, customer, pack, amount, currency, state, opened_at, tries, next_look_at, payment, ended_at, \
    failure, error, version from top_ups where account = ?1 and state = 'open'";
const DUE: &str = "\
select account, id, provider, mode, customer, pack, amount, currency, state, opened_at, tries, next_look_at, payment, ended_at, \
    failure, error, version from top_ups where state = 'open' and next_look_at <= ?1 order by next_look_at, account, id limit ?2";
const OF_ACCOUNT: &str = "\
select account, id, provider, mode, customer, pack, amount, currency, state, opened_at, tries, next_look_at, payment, ended_at, \
    failure, error, version from top_ups where account = ?1 and (opened_at, id) < (?2, ?3) \
order by opened_at desc, id desc limit ?4";

type Statement = Query<'static, Sqlite, SqliteArguments>;

/// A statement that writes what changes of a top-up.
fn changing(text: &'static str, top_up: &TopUp) -> Result<Statement, Fault> {
    Ok(sqlx::query(text)
        .bind(top_up.account.to_string())
        .bind(top_up.id)
        .bind(top_up.state.as_str())
        .bind(top_up.tries)
        .bind(micros(top_up.next_look_at))
        .bind(top_up.payment.as_ref().map(ToString::to_string))
        .bind(top_up.ended_at.map(micros))
        .bind(top_up.failure.map(TopUpFailure::as_str))
        .bind(top_up.error.clone())
        .bind(counter(top_up.version)?))
}

async fn begin(connection: &mut SqliteConnection, top_up: TopUp) -> Result<bool, Fault> {
    let begun = changing(BEGIN, &top_up)?
        .bind(top_up.provider.to_string())
        .bind(top_up.mode.as_str())
        .bind(top_up.customer.as_ref().map(ToString::to_string))
        .bind(top_up.pack.to_string())
        .bind(counter(top_up.amount)?)
        .bind(top_up.currency.to_string())
        .bind(micros(top_up.opened_at))
        .execute(connection)
        .await?;
    Ok(begun.rows_affected() == 1)
}

async fn done(connection: &mut SqliteConnection, statement: Statement) -> Result<bool, Fault> {
    Ok(statement.execute(connection).await?.rows_affected() == 1)
}

#[async_trait]
impl TopUpStore for SqliteStore {
    async fn enter_top_up_account(&self, account: &AccountId) -> Result<(), StoreError> {
        let text = "insert into top_up_accounts (account) values (?1) on conflict do nothing";
        let enter = sqlx::query(text).bind(account.to_string());
        let entered = self.writing(move |on| Box::pin(done(on, enter))).await;
        entered.map(drop)
    }

    async fn top_up_accounts(
        &self,
        after: Option<&AccountId>,
        limit: u32,
    ) -> Result<Vec<AccountId>, StoreError> {
        let text =
            "select account from top_up_accounts where account > ?1 order by account limit ?2";
        let after = after.map(ToString::to_string);
        let rows = sqlx::query(text)
            .bind(after.unwrap_or_default())
            .bind(limit)
            .fetch_all(&self.readers)
            .await
            .map_err(Fault::from)?;
        let read = |row: &SqliteRow| {
            let key: String = Reading::new(row, "top_up_accounts", "").raw("account")?;
            Reading::new(row, "top_up_accounts", key).text("account")
        };
        Ok(rows.iter().map(read).collect::<Result<_, Fault>>()?)
    }

    async fn begin_top_up(&self, top_up: &TopUp) -> Result<bool, StoreError> {
        let top_up = top_up.clone();
        self.writing(move |on| Box::pin(begin(on, top_up))).await
    }

    async fn put_top_up(&self, top_up: &TopUp) -> Result<bool, StoreError> {
        let put = changing(PUT, top_up)?;
        self.writing(move |on| Box::pin(done(on, put))).await
    }

    async fn drop_top_up(&self, top_up: &TopUp) -> Result<bool, StoreError> {
        let dropped = sqlx::query(DROP)
            .bind(top_up.account.to_string())
            .bind(top_up.id)
            .bind(counter(top_up.version)?);
        self.writing(move |on| Box::pin(done(on, dropped))).await
    }

    async fn open_top_up(&self, account: &AccountId) -> Result<Option<TopUp>, StoreError> {
        let statement = sqlx::query(OPEN).bind(account.to_string());
        let row = statement.fetch_optional(&self.readers).await;
        Ok(row.map_err(Fault::from)?.as_ref().map(read).transpose()?)
    }

    async fn due_top_ups(&self, now: DateTime<Utc>, limit: u32) -> Result<Vec<TopUp>, StoreError> {
        let statement = sqlx::query(DUE).bind(micros(now)).bind(limit);
        let rows = statement.fetch_all(&self.readers).await;
        let rows = rows.map_err(Fault::from)?;
        Ok(rows.iter().map(read).collect::<Result<_, Fault>>()?)
    }

    async fn top_ups(&self, page: &TopUpPage) -> Result<Vec<TopUp>, StoreError> {
        let (opened_at, id) = match page.after {
            Some((opened_at, id)) => (micros(opened_at), id),
            None => (i64::MAX, Uuid::max()),
        };
        let rows = sqlx::query(OF_ACCOUNT)
            .bind(page.account.to_string())
            .bind(opened_at)
            .bind(id)
            .bind(page.limit)
            .fetch_all(&self.readers)
            .await
            .map_err(Fault::from)?;
        Ok(rows.iter().map(read).collect::<Result<_, Fault>>()?)
    }

    async fn count_top_ups(
        &self,
        account: &AccountId,
        from: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<u64, StoreError> {
        let text = "select count(*) from top_ups where account = ?1 and opened_at >= ?2 and opened_at < ?3 \
                    and state in ('open', 'paid')";
        let row = sqlx::query(text)
            .bind(account.to_string())
            .bind(micros(from))
            .bind(micros(until))
            .fetch_one(&self.readers)
            .await
            .map_err(Fault::from)?;
        let count: i64 = row.try_get(0).map_err(Fault::from)?;
        Ok(u64::try_from(count).unwrap_or_default())
    }
}

fn read(row: &SqliteRow) -> Result<TopUp, Fault> {
    let id: Uuid = Reading::new(row, "top_ups", "").raw("id")?;
    let row = Reading::new(row, "top_ups", id);
    Ok(TopUp {
        account: row.text("account")?,
        id,
        provider: row.text("provider")?,
        mode: row.text("mode")?,
        customer: row.optional_text("customer")?,
        pack: row.text("pack")?,
        amount: row.counter("amount")?,
        currency: row.text("currency")?,
        state: row.text("state")?,
        opened_at: row.instant("opened_at")?,
        tries: row.small("tries")?,
        next_look_at: row.instant("next_look_at")?,
        payment: row.optional_text("payment")?,
        ended_at: row.optional_instant("ended_at")?,
        failure: row.optional_text("failure")?,
        error: row.raw("error")?,
        version: row.counter("version")?,
    })
}
