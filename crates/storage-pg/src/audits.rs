//! What the auditor reads: all of one home, in one snapshot.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use quota_core::home::ClosedBalance;
use quota_core::ids::AccountId;
use quota_core::ports::{AuditHome, AuditPiece, AuditReader, Audits, StoreError};
use sqlx::postgres::{PgConnection, PgPool, PgRow};
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::error::{corrupt, store_error};
use crate::load_rows::reservation;
use crate::pool::to_the_end;
use crate::rows::{Reading, account, operation};
use crate::statements::HOMES_SINCE;
use crate::store::PgStore;

const ONE_SNAPSHOT: &str = "begin isolation level repeatable read, read only";
const ACCOUNTS: &str = "\
select a.account, a.version, a.life, a.hold_before, a.terms, a.books
from accounts a where a.home = $1 and a.shard = $2 order by a.account";
const CLOSED: &str = "\
select c.account, c.balance from closed_balances c where c.home = $1 and c.shard = $2 order by c.account, c.bucket";
const RESERVATIONS: &str = "\
select r.id, r.document from reservations r where r.home = $1 and r.shard = $2 order by r.id";
const REFUNDED: &str = "\
select distinct o.refers_to from operations o
where o.home = $1 and o.shard = $2 and o.life = $3 and o.kind = 'refund' and o.refers_to is not null";
const OPERATIONS: &str = "\
select o.account, o.sequence, o.at, o.id, o.kind, o.key, o.body_hash, o.refers_to, o.entries, o.answer, o.origin
from operations o
where o.home = $1 and o.shard = $2 and o.life = $3 and o.sequence > $4
order by o.sequence limit $5";
const BY_TIME: &str = "begin read only";
const PLAN_BY_TIME: &str = "set local enable_bitmapscan = on; set local enable_hashjoin = on; \
set local plan_cache_mode = force_custom_plan";
/// Operations that are read at once.
const PAGE: u16 = 1_000;
const HOMES: &str = "\
select a.home from accounts a
where a.home > $1 and a.account = a.home
order by a.home limit $2";
#[async_trait]
impl Audits for PgStore {
    async fn read_home(
        &self,
        home: &AccountId,
        reader: &mut dyn AuditReader,
    ) -> Result<(), StoreError> {
        let (to, mut pieces) = mpsc::channel(1);
        let read = to_the_end(read_home(self.pool.clone(), home.clone(), to));
        let show = async {
            while let Some(piece) = pieces.recv().await {
                piece.show_to(reader);
            }
        };
        let (outcome, ()) = tokio::join!(read, show);
        outcome
    }

    async fn homes(
        &self,
        after: Option<&AccountId>,
        since: Option<DateTime<Utc>>,
        limit: u32,
    ) -> Result<Vec<AccountId>, StoreError> {
        let after = after.map_or_else(String::new, ToString::to_string);
        let homes: Vec<String> = match since {
            Some(since) => {
                to_the_end(homes_since(self.pool.clone(), (after, limit), since)).await?
            }
            None => sqlx::query_scalar(HOMES)
                .bind(after)
                .bind(i64::from(limit))
                .fetch_all(&self.pool)
                .await
                .map_err(store_error)?,
        };
        let homes = homes
            .iter()
            .map(|home| AccountId::parse(home).map_err(|error| corrupt("accounts", home, error)));
        homes.collect()
    }
}

/// By time, which needs a plan that no request may have.
async fn homes_since(
    pool: PgPool,
    (after, limit): (String, u32),
    since: DateTime<Utc>,
) -> Result<Vec<String>, StoreError> {
    let mut reading = pool.begin_with(BY_TIME).await.map_err(store_error)?;
    sqlx::raw_sql(PLAN_BY_TIME)
        .execute(&mut *reading)
        .await
        .map_err(store_error)?;
    let homes = sqlx::query_scalar(HOMES_SINCE)
        .bind(after)
        .bind(i64::from(limit))
        .bind(since)
        .persistent(false)
        .fetch_all(&mut *reading)
        .await
        .map_err(store_error)?;
    reading.commit().await.map_err(store_error)?;
    Ok(homes)
}

/// Reads a home and sends it, until all is sent or nobody takes it any more.
async fn read_home(
    pool: PgPool,
    home: AccountId,
    to: mpsc::Sender<AuditPiece>,
) -> Result<(), StoreError> {
    let mut snapshot = pool.begin_with(ONE_SNAPSHOT).await.map_err(store_error)?;
    if let Some((kept, life)) = kept(&mut snapshot, &home).await? {
        let refunded: Vec<Uuid> = sqlx::query_scalar(REFUNDED)
            .bind(home.as_str())
            .bind(i16::from(home.shard()))
            .bind(life)
            .fetch_all(&mut *snapshot)
            .await
            .map_err(store_error)?;
        let mut is_wanted = to.send(AuditPiece::Begin(kept, refunded)).await.is_ok();
        let mut after = 0_i64;
        while is_wanted {
            let rows = sqlx::query(OPERATIONS)
                .bind(home.as_str())
                .bind(i16::from(home.shard()))
                .bind(life)
                .bind(after)
                .bind(i64::from(PAGE))
                .fetch_all(&mut *snapshot)
                .await
                .map_err(store_error)?;
            let Some(last) = rows.last() else {
                break;
            };
            after = Reading::new(last, "operations", home.as_str()).get("sequence")?;
            let operations = rows.iter().map(|row| operation(row, "sequence", "entries"));
            let operations = operations.collect::<Result<_, _>>()?;
            is_wanted = to.send(AuditPiece::Next(operations)).await.is_ok();
        }
    }
    snapshot.commit().await.map_err(store_error)
}

/// What is kept of a home beside its operations, and which of its lives it is in.
async fn kept(
    snapshot: &mut PgConnection,
    home: &AccountId,
) -> Result<Option<(AuditHome, i32)>, StoreError> {
    let mut kept = AuditHome {
        home: home.clone(),
        version: 0,
        hold_before: None,
        accounts: Vec::new(),
        closed: Vec::new(),
        reservations: Vec::new(),
        operations: Vec::new(),
    };
    let mut life = None;
    for row in rows(snapshot, ACCOUNTS, home).await? {
        let own = take_account(&mut kept, &row)?;
        life = life.or(own);
    }
    let Some(life) = life else {
        return Ok(None);
    };
    for row in rows(snapshot, CLOSED, home).await? {
        let key: &str = Reading::new(&row, "closed_balances", "?").get("account")?;
        let reading = Reading::new(&row, "closed_balances", key);
        kept.closed.push(ClosedBalance {
            account: reading.account_id("account")?,
            balance: reading.json("balance")?,
        });
    }
    for row in rows(snapshot, RESERVATIONS, home).await? {
        kept.reservations.push(reservation(&row, "document")?);
    }
    Ok(Some((kept, life)))
}

async fn rows(
    snapshot: &mut PgConnection,
    statement: &'static str,
    home: &AccountId,
) -> Result<Vec<PgRow>, StoreError> {
    let rows = sqlx::query(statement)
        .bind(home.as_str())
        .bind(i16::from(home.shard()))
        .fetch_all(snapshot)
        .await;
    rows.map_err(store_error)
}

/// Takes an account in; the life of the home, if the account is the home's own.
fn take_account(kept: &mut AuditHome, row: &PgRow) -> Result<Option<i32>, StoreError> {
    let key: &str = Reading::new(row, "accounts", "?").get("account")?;
    let reading = Reading::new(row, "accounts", key);
    let id = reading.account_id("account")?;
    let mut life = None;
    if id == kept.home {
        kept.version = reading.count("version")?;
        kept.hold_before = reading.get("hold_before")?;
        life = Some(reading.get("life")?);
    }
    let account = account(&reading, "terms", "books")?;
    kept.accounts.push((id, account));
    Ok(life)
}
