//! What the auditor reads: all of one home, in one snapshot.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use quota_core::home::ClosedBalance;
use quota_core::ids::AccountId;
use quota_core::ports::{AuditHome, Audits, StoreError};
use sqlx::postgres::{PgConnection, PgPool, PgRow};

use crate::error::{corrupt, store_error};
use crate::load_rows::reservation;
use crate::pool::to_the_end;
use crate::rows::{Reading, account, operation};
use crate::store::PgStore;

const ONE_SNAPSHOT: &str = "begin isolation level repeatable read, read only";
const ACCOUNTS: &str = "\
select a.account, a.version, a.hold_before, a.terms, a.books
from accounts a where a.home = $1 order by a.account";
const CLOSED: &str = "\
select c.account, c.balance from closed_balances c where c.home = $1 order by c.account, c.bucket";
const RESERVATIONS: &str = "\
select r.id, r.document from reservations r where r.home = $1 order by r.id";
const OPERATIONS: &str = "\
select o.account, o.sequence, o.at, o.id, o.kind, o.key, o.body_hash, o.refers_to, o.entries, o.answer, o.origin
from operations o
where o.home = $1 and o.life = (select a.life from accounts a where a.home = $1 and a.account = $1)
order by o.sequence";
const HOMES: &str = "\
select a.home from accounts a
where a.home > $1 and a.account = a.home
order by a.home limit $2";
const HOMES_SINCE: &str = "\
select a.home from accounts a
where a.home > $1 and a.account = a.home
    and exists (select 1 from operations o where o.home = a.home and o.life = a.life and o.at >= $3)
order by a.home limit $2";

#[async_trait]
impl Audits for PgStore {
    async fn audit_home(&self, home: &AccountId) -> Result<Option<AuditHome>, StoreError> {
        to_the_end(audit_home(self.pool.clone(), home.clone())).await
    }

    async fn homes(
        &self,
        after: Option<&AccountId>,
        since: Option<DateTime<Utc>>,
        limit: u32,
    ) -> Result<Vec<AccountId>, StoreError> {
        let after = after.map_or("", AccountId::as_str);
        let statement = if since.is_some() { HOMES_SINCE } else { HOMES };
        let mut statement = sqlx::query_scalar(statement)
            .bind(after)
            .bind(i64::from(limit));
        if let Some(since) = since {
            statement = statement.bind(since);
        }
        let homes: Vec<String> = statement.fetch_all(&self.pool).await.map_err(store_error)?;
        let homes = homes
            .iter()
            .map(|home| AccountId::parse(home).map_err(|error| corrupt("accounts", home, error)));
        homes.collect()
    }
}

async fn audit_home(pool: PgPool, home: AccountId) -> Result<Option<AuditHome>, StoreError> {
    let mut snapshot = pool.begin_with(ONE_SNAPSHOT).await.map_err(store_error)?;
    let mut audited = AuditHome {
        home: home.clone(),
        version: 0,
        hold_before: None,
        accounts: Vec::new(),
        closed: Vec::new(),
        reservations: Vec::new(),
        operations: Vec::new(),
    };
    for row in rows(&mut snapshot, ACCOUNTS, &home).await? {
        take_account(&mut audited, &row)?;
    }
    if audited.version == 0 {
        return Ok(None);
    }
    for row in rows(&mut snapshot, CLOSED, &home).await? {
        let key: &str = Reading::new(&row, "closed_balances", "?").get("account")?;
        let reading = Reading::new(&row, "closed_balances", key);
        audited.closed.push(ClosedBalance {
            account: reading.account_id("account")?,
            balance: reading.json("balance")?,
        });
    }
    for row in rows(&mut snapshot, RESERVATIONS, &home).await? {
        audited.reservations.push(reservation(&row, "document")?);
    }
    for row in rows(&mut snapshot, OPERATIONS, &home).await? {
        let operation = operation(&row, "sequence", "entries")?;
        audited.operations.push(operation);
    }
    snapshot.commit().await.map_err(store_error)?;
    Ok(Some(audited))
}

async fn rows(
    snapshot: &mut PgConnection,
    statement: &'static str,
    home: &AccountId,
) -> Result<Vec<PgRow>, StoreError> {
    let rows = sqlx::query(statement)
        .bind(home.as_str())
        .fetch_all(snapshot)
        .await;
    rows.map_err(store_error)
}

fn take_account(audited: &mut AuditHome, row: &PgRow) -> Result<(), StoreError> {
    let key: &str = Reading::new(row, "accounts", "?").get("account")?;
    let reading = Reading::new(row, "accounts", key);
    let id = reading.account_id("account")?;
    if id == audited.home {
        audited.version = reading.count("version")?;
        audited.hold_before = reading.get("hold_before")?;
    }
    let account = account(&reading, "terms", "books")?;
    audited.accounts.push((id, account));
    Ok(())
}
