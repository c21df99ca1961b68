//! What the auditor reads: all of one home, in one snapshot.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use quota_core::ids::AccountId;
use quota_core::ports::{AccountRow, AuditHome, AuditPiece, AuditReader, Audits, StoreError};
use sqlx::postgres::{PgConnection, PgPool, PgRow};
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::error::{corrupt, store_error};
use crate::pool::to_the_end;
use crate::statements::HOMES_SINCE;
use crate::store::PgStore;
use crate::values::Reading;
use crate::{accounts, closed_balances, operations, reservations};

const ONE_SNAPSHOT: &str = "begin isolation level repeatable read, read only";
const BY_TIME: &str = "begin read only";
const PLAN_BY_TIME: &str = "set local enable_bitmapscan = on; set local enable_hashjoin = on; \
set local plan_cache_mode = force_custom_plan";
/// Operations that are read at once.
const PAGE: u16 = 1_000;

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
            None => sqlx::query_scalar(accounts::HOMES)
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
        let refunded: Vec<Uuid> = sqlx::query_scalar(operations::REFUNDED)
            .bind(home.as_str())
            .bind(i16::from(home.shard()))
            .bind(life)
            .fetch_all(&mut *snapshot)
            .await
            .map_err(store_error)?;
        let mut is_wanted = to.send(AuditPiece::Begin(kept, refunded)).await.is_ok();
        let mut after = 0_i64;
        while is_wanted {
            let rows = sqlx::query(operations::OF_LIFE)
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
            let next = rows
                .iter()
                .map(|row| operations::read(row, "sequence", "entries"));
            let next = next.collect::<Result<_, _>>()?;
            is_wanted = to.send(AuditPiece::Next(next)).await.is_ok();
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
    for row in rows(snapshot, accounts::OF_HOME, home).await? {
        let own = take_account(&mut kept, &row)?;
        life = life.or(own);
    }
    let Some(life) = life else {
        return Ok(None);
    };
    for row in rows(snapshot, closed_balances::OF_HOME, home).await? {
        kept.closed.push(closed_balances::read(&row, "balance")?);
    }
    for row in rows(snapshot, reservations::OF_HOME, home).await? {
        kept.reservations.push(reservations::read(&row)?);
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
    let AccountRow { id, account, .. } = accounts::read(row, "terms")?;
    let mut life = None;
    if id == kept.home {
        let guard = Reading::new(row, "accounts", id.as_str());
        kept.version = guard.count("version")?;
        kept.hold_before = guard.get("hold_before")?;
        life = Some(guard.get("life")?);
    }
    kept.accounts.push((id, account));
    Ok(life)
}
