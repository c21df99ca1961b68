//! Whole homes, for the auditor.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use quota_core::ids::AccountId;
use quota_core::operation::Operation;
use quota_core::ports::{AuditHome, AuditPiece, AuditReader, Audits, StoreError};
use sqlx::sqlite::SqliteConnection;
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::SqliteStore;
use crate::error::Fault;
use crate::load::{read_account, read_closed};
use crate::operations::{operation_columns, read_operation};
use crate::reservations::{read_reservation, reservation_columns};
use crate::values::{Reading, account_in, counter, micros};

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
        let statement = "select home from accounts where home = account \
                         and home > coalesce(?1, '') and (?2 is null or operated_at >= ?2) \
                         order by home limit ?3";
        let rows = sqlx::query(statement)
            .bind(after.map(|after| after.as_str().to_owned()))
            .bind(since.map(micros))
            .bind(limit)
            .fetch_all(&self.readers)
            .await
            .map_err(Fault::from)?;
        let homes = rows.iter().map(|row| account_in(row, "accounts"));
        Ok(homes.collect::<Result<_, Fault>>()?)
    }
}

/// Reads a home and sends it, until all is sent or nobody takes it any more.
async fn read_home(
    connection: &mut SqliteConnection,
    home: AccountId,
    to: mpsc::Sender<AuditPiece>,
) -> Result<(), Fault> {
    let Some((kept, era)) = kept(connection, &home).await? else {
        return Ok(());
    };
    let statement = "select distinct refers_to from operations \
                     where home = ?1 and era = ?2 and kind = 'refund' and refers_to is not null";
    let rows = sqlx::query(statement).bind(home.as_str()).bind(era);
    let rows = rows.fetch_all(&mut *connection).await?;
    let refunded = rows
        .iter()
        .map(|row| Reading::new(row, "operations", &home).raw::<Uuid>(0));
    let refunded = refunded.collect::<Result<_, Fault>>()?;
    let mut is_wanted = to.send(AuditPiece::Begin(kept, refunded)).await.is_ok();
    let mut after = 0;
    while is_wanted {
        let statement = concat!(
            "select ",
            operation_columns!(),
            " from operations as o where o.home = ?1 and o.era = ?2 and o.sequence > ?3 \
             order by o.sequence limit ?4"
        );
        let statement = sqlx::query(statement).bind(home.as_str()).bind(era);
        let statement = statement.bind(after).bind(PAGE);
        let rows = statement.fetch_all(&mut *connection).await?;
        let operations = rows.iter().map(|row| Ok(read_operation(row)?.1));
        let operations = operations.collect::<Result<Vec<Operation>, Fault>>()?;
        let Some(last) = operations.last() else {
            break;
        };
        after = counter(last.sequence)?;
        is_wanted = to.send(AuditPiece::Next(operations)).await.is_ok();
    }
    Ok(())
}

/// What is kept of a home beside its operations, and in which of its eras it is.
async fn kept(
    connection: &mut SqliteConnection,
    home: &AccountId,
) -> Result<Option<(AuditHome, i64)>, Fault> {
    let statement = "select home, account, version, hold_before, terms, books, era \
                     from accounts where home = ?1 order by account";
    let statement = sqlx::query(statement).bind(home.as_str());
    let (mut kept, mut guarded_era) = (empty(home.clone()), None);
    for row in statement.fetch_all(&mut *connection).await? {
        let (_, id, account) = read_account(&row)?;
        if id == *home {
            let guard = Reading::new(&row, "accounts", &id);
            kept.version = guard.counter(2)?;
            kept.hold_before = guard.optional_instant(3)?;
            guarded_era = Some(guard.raw::<i64>(6)?);
        }
        kept.accounts.push((id, account));
    }
    let Some(era) = guarded_era else {
        return Ok(None);
    };
    let statement = "select home, account, balance from closed_balances \
                     where home = ?1 order by account, bucket";
    let statement = sqlx::query(statement).bind(home.as_str());
    for row in statement.fetch_all(&mut *connection).await? {
        kept.closed.push(read_closed(&row)?.1);
    }
    let statement = concat!(
        "select ",
        reservation_columns!(),
        " from reservations as r where r.home = ?1 order by r.id"
    );
    let statement = sqlx::query(statement).bind(home.as_str());
    for row in statement.fetch_all(connection).await? {
        kept.reservations.push(read_reservation(&row)?.1);
    }
    Ok(Some((kept, era)))
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
