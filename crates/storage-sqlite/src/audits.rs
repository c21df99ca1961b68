//! Whole homes, for the auditor.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use quota_core::ids::AccountId;
use quota_core::operation::Operation;
use quota_core::ports::{AuditHome, AuditPiece, AuditReader, Audits, StoreError};
use sqlx::sqlite::SqliteConnection;
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::error::Fault;
use crate::values::{Reading, counter, home_in, micros};
use crate::{SqliteStore, accounts, closed_balances, operations, reservations};

/// Operations that are read at once.
const PAGE: i64 = 1_000;

#[async_trait]
impl Audits for SqliteStore {
    async fn read_home(
        &self,
        home: &AccountId,
        reader: &mut dyn AuditReader,
    ) -> Result<(), StoreError> {
        let home = home.clone();
        let (to, mut pieces) = mpsc::channel(1);
        let read = self.reading(move |connection| Box::pin(read_home(connection, home, to)));
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
        let rows = sqlx::query(accounts::HOMES)
            .bind(after.map(|after| after.as_str().to_owned()))
            .bind(since.map(micros))
            .bind(limit)
            .fetch_all(&self.readers)
            .await
            .map_err(Fault::from)?;
        let homes = rows.iter().map(|row| home_in(row, "accounts"));
        Ok(homes.collect::<Result<_, Fault>>()?)
    }
}

/// Reads a home and sends it, until all is sent or nobody takes it any more.
async fn read_home(
    connection: &mut SqliteConnection,
    home: AccountId,
    to: mpsc::Sender<AuditPiece>,
) -> Result<(), Fault> {
    let Some((kept, life)) = kept(connection, &home).await? else {
        return Ok(());
    };
    let rows = sqlx::query(operations::REFUNDED)
        .bind(home.as_str())
        .bind(life);
    let rows = rows.fetch_all(&mut *connection).await?;
    let refunded = rows
        .iter()
        .map(|row| Reading::new(row, "operations", &home).raw::<Uuid>("refers_to"));
    let refunded = refunded.collect::<Result<_, Fault>>()?;
    let mut is_wanted = to.send(AuditPiece::Begin(kept, refunded)).await.is_ok();
    let mut after = 0;
    while is_wanted {
        let statement = sqlx::query(operations::OF_LIFE)
            .bind(home.as_str())
            .bind(life);
        let statement = statement.bind(after).bind(PAGE);
        let rows = statement.fetch_all(&mut *connection).await?;
        let operations = rows.iter().map(|row| Ok(operations::read(row)?.1));
        let operations = operations.collect::<Result<Vec<Operation>, Fault>>()?;
        let Some(last) = operations.last() else {
            break;
        };
        after = counter(last.sequence)?;
        is_wanted = to.send(AuditPiece::Next(operations)).await.is_ok();
    }
    Ok(())
}

/// What is kept of a home beside its operations, and in which of its lives it is.
async fn kept(
    connection: &mut SqliteConnection,
    home: &AccountId,
) -> Result<Option<(AuditHome, i64)>, Fault> {
    let statement = sqlx::query(accounts::OF_HOME).bind(home.as_str());
    let (mut kept, mut guarded_life) = (empty(home.clone()), None);
    for row in statement.fetch_all(&mut *connection).await? {
        let (_, id, account) = accounts::read(&row)?;
        if id == *home {
            let guard = Reading::new(&row, "accounts", &id);
            kept.version = guard.counter("version")?;
            kept.hold_before = guard.optional_instant("hold_before")?;
            guarded_life = Some(guard.raw::<i64>("life")?);
        }
        kept.accounts.push((id, account));
    }
    let Some(life) = guarded_life else {
        return Ok(None);
    };
    let statement = sqlx::query(closed_balances::OF_HOME).bind(home.as_str());
    for row in statement.fetch_all(&mut *connection).await? {
        kept.closed.push(closed_balances::read(&row)?.1);
    }
    let statement = sqlx::query(reservations::OF_HOME).bind(home.as_str());
    for row in statement.fetch_all(connection).await? {
        kept.reservations.push(reservations::read(&row)?.1);
    }
    Ok(Some((kept, life)))
}

fn empty(home: AccountId) -> AuditHome {
    AuditHome {
        home,
        version: 0,
        hold_before: None,
        accounts: Vec::new(),
        closed: Vec::new(),
        reservations: Vec::new(),
        operations: Vec::new(),
    }
}
