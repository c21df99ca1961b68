//! Lists, and what keeps the tables small.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use quota_core::ids::{AccountId, AccountKind};
use quota_core::operation::Operation;
use quota_core::ports::{AccountPage, AccountRow, LedgerPage, Records, StoreError};
use sqlx::postgres::PgRow;

use crate::error::{corrupt, store_error};
use crate::rows::{Reading, account, operation, stored_count};
use crate::statements::MAKE_MONTHS;
use crate::store::PgStore;

const ACCOUNTS: &str = "\
select a.home, a.account, a.terms, a.books
from accounts a
where a.account > $1 and a.account >= $2 and a.account < $3
    and ($4::timestamptz is null or a.due_at <= $4)
order by a.account limit $5";
const MEMBERS: &str = "\
select a.home, a.account, a.terms, a.books
from accounts a
where a.home = $6 and a.account <> $6 and a.account > $1 and a.account >= $2 and a.account < $3
    and ($4::timestamptz is null or a.due_at <= $4)
order by a.account limit $5";
// Sequences go on counting from one life of a home to the next.
const LEDGER: &str = "\
select o.account, o.sequence, o.at, o.id, o.kind, o.key, o.body_hash, o.refers_to, o.entries, o.answer, o.origin
from operations o
where o.home = $1 and o.account = $4 and o.sequence < $2
order by o.life desc, o.sequence desc limit $3";
const LEDGER_OF_HOME: &str = "\
select o.account, o.sequence, o.at, o.id, o.kind, o.key, o.body_hash, o.refers_to, o.entries, o.answer, o.origin
from operations o
where o.home = $1 and o.sequence < $2
order by o.life desc, o.sequence desc limit $3";
const HOMES_WITH_DUE_HOLDS: &str = "\
select r.home from reservations r
where r.state = 'open' and r.home > '' and r.expires_at <= $1
group by r.home order by min(r.expires_at) limit $2";

const PRUNE_EVENTS: &str = "\
delete from outbox o using (
    select e.shard, e.number from outbox e where e.published_at < $1 order by e.shard, e.number limit $2
) old where o.shard = old.shard and o.number = old.number";
const PRUNE_RESERVATIONS: &str = "\
delete from reservations r using (
    select e.home, e.id from reservations e
    where e.state <> 'open' and e.expires_at < $1 order by e.home, e.id limit $2
) old where r.home = old.home and r.id = old.id and r.state <> 'open'";
/// A run goes with its batches.
const PRUNE_RUNS: &str = "\
with old as (
    delete from job_runs r using (
        select e.id from job_runs e where e.state <> 'running' and e.started_at < $1 and coalesce(e.ended_at, e.started_at) < $1
        order by e.started_at limit $2
    ) picked where r.id = picked.id
    returning r.id
), batches as (
    delete from job_batches b using old where b.run = old.id
)
select count(*) from old";

#[async_trait]
impl Records for PgStore {
    async fn accounts(&self, page: &AccountPage) -> Result<Vec<AccountRow>, StoreError> {
        // The names are compared byte by byte; `;` is the character after `:`.
        let (from, before) = match page.kind {
            None => ("", "user;"),
            Some(AccountKind::Org) => ("org:", "org;"),
            Some(AccountKind::User) => ("user:", "user;"),
        };
        let after = page.after.as_ref().map_or("", AccountId::as_str);
        let org = page.org.as_ref().map(AccountId::org);
        let statement = if org.is_some() { MEMBERS } else { ACCOUNTS };
        let mut statement = sqlx::query(statement)
            .bind(after)
            .bind(from)
            .bind(before)
            .bind(page.due_before)
            .bind(i64::from(page.limit));
        if let Some(org) = &org {
            statement = statement.bind(org.as_str());
        }
        let rows = statement.fetch_all(&self.pool).await.map_err(store_error)?;
        rows.iter().map(account_row).collect()
    }

    async fn ledger(&self, page: &LedgerPage) -> Result<Vec<Operation>, StoreError> {
        let before = page.before.map_or(Ok(i64::MAX), stored_count)?;
        let statement = if page.members { LEDGER_OF_HOME } else { LEDGER };
        let mut statement = sqlx::query(statement)
            .bind(page.home.as_str())
            .bind(before)
            .bind(i64::from(page.limit));
        if !page.members {
            statement = statement.bind(page.account.as_str());
        }
        let rows = statement.fetch_all(&self.pool).await.map_err(store_error)?;
        let operations = rows.iter().map(|row| operation(row, "sequence", "entries"));
        operations.collect()
    }

    async fn homes_with_due_holds(
        &self,
        now: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<AccountId>, StoreError> {
        let homes: Vec<String> = sqlx::query_scalar(HOMES_WITH_DUE_HOLDS)
            .bind(now)
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await
            .map_err(store_error)?;
        let homes = homes.iter().map(|home| {
            AccountId::parse(home).map_err(|error| corrupt("reservations", home, error))
        });
        homes.collect()
    }

    async fn ping(&self) -> Result<(), StoreError> {
        let asked = sqlx::query("select 1").execute(&self.pool);
        let asked = async { asked.await.map(drop).map_err(store_error) };
        self.guarded(asked).await
    }

    async fn time(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        let time = sqlx::query_scalar("select clock_timestamp()")
            .fetch_one(&self.pool)
            .await;
        time.map(Some).map_err(store_error)
    }

    async fn prune(
        &self,
        now: DateTime<Utc>,
        before: DateTime<Utc>,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let months = sqlx::query(MAKE_MONTHS).bind(now).execute(&self.pool).await;
        months.map_err(store_error)?;
        let mut gone: u64 = 0;
        for statement in [PRUNE_EVENTS, PRUNE_RESERVATIONS] {
            let deleted = sqlx::query(statement)
                .bind(before)
                .bind(i64::from(limit))
                .execute(&self.pool)
                .await
                .map_err(store_error)?;
            gone = gone.saturating_add(deleted.rows_affected());
        }
        let runs: i64 = sqlx::query_scalar(PRUNE_RUNS)
            .bind(before)
            .bind(i64::from(limit))
            .fetch_one(&self.pool)
            .await
            .map_err(store_error)?;
        Ok(gone.saturating_add(runs.unsigned_abs()))
    }
}

fn account_row(row: &PgRow) -> Result<AccountRow, StoreError> {
    let key: &str = Reading::new(row, "accounts", "?").get("account")?;
    let reading = Reading::new(row, "accounts", key);
    let account = account(&reading, "terms", "books")?;
    Ok(AccountRow {
        home: reading.account_id("home")?,
        id: reading.account_id("account")?,
        account,
    })
}
