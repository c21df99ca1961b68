//! Lists, page by page.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use quota_core::ids::{AccountId, AccountKind};
use quota_core::operation::Operation;
use quota_core::ports::{AccountPage, AccountRow, LedgerPage, Lists, StoreError};
use sqlx::postgres::PgRow;

use crate::error::{corrupt, store_error};
use crate::rows::{Reading, account, operation, stored_count};
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
where a.home = $6 and a.shard = $7 and a.account <> $6 and a.account > $1 and a.account >= $2 and a.account < $3
    and ($4::timestamptz is null or a.due_at <= $4)
order by a.account limit $5";
// Sequences go on counting from one life of a home to the next.
const LEDGER: &str = "\
select o.account, o.sequence, o.at, o.id, o.kind, o.key, o.body_hash, o.refers_to, o.entries, o.answer, o.origin
from operations o
where o.home = $1 and o.shard = $4 and o.account = $5 and o.sequence < $2
order by o.life desc, o.sequence desc limit $3";
const LEDGER_OF_HOME: &str = "\
select o.account, o.sequence, o.at, o.id, o.kind, o.key, o.body_hash, o.refers_to, o.entries, o.answer, o.origin
from operations o
where o.home = $1 and o.shard = $4 and o.sequence < $2
order by o.life desc, o.sequence desc limit $3";
const HOMES_WITH_DUE_HOLDS: &str = "\
select r.home from reservations r
where r.state = 'open' and r.home > '' and r.expires_at <= $1
group by r.home order by min(r.expires_at) limit $2";

#[async_trait]
impl Lists for PgStore {
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
            statement = statement.bind(org.as_str()).bind(i16::from(org.shard()));
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
            .bind(i64::from(page.limit))
            .bind(i16::from(page.home.shard()));
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
