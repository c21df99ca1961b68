//! Whole homes, for the auditor.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use quota_core::ids::AccountId;
use quota_core::ports::{AuditHome, Audits, StoreError};
use sqlx::sqlite::SqliteConnection;

use crate::SqliteStore;
use crate::error::Fault;
use crate::load::{read_account, read_closed};
use crate::operations::{operation_columns, read_operation};
use crate::reservations::{read_reservation, reservation_columns};
use crate::values::{Reading, account_in, micros};

#[async_trait]
impl Audits for SqliteStore {
    async fn audit_home(&self, home: &AccountId) -> Result<Option<AuditHome>, StoreError> {
        let home = home.clone();
        self.reading(move |connection| Box::pin(audit_home(connection, home)))
            .await
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

async fn audit_home(
    connection: &mut SqliteConnection,
    home: AccountId,
) -> Result<Option<AuditHome>, Fault> {
    let statement = "select home, account, version, hold_before, terms, books, era \
                     from accounts where home = ?1 order by account";
    let statement = sqlx::query(statement).bind(home.as_str());
    let (mut audit, mut guarded_era) = (empty(home.clone()), None);
    for row in statement.fetch_all(&mut *connection).await? {
        let (_, id, account) = read_account(&row)?;
        if id == home {
            let guard = Reading::new(&row, "accounts", &id);
            audit.version = guard.counter(2)?;
            audit.hold_before = guard.optional_instant(3)?;
            guarded_era = Some(guard.raw::<i64>(6)?);
        }
        audit.accounts.push((id, account));
    }
    let Some(era) = guarded_era else {
        return Ok(None);
    };
    let statement = "select home, account, balance from closed_balances \
                     where home = ?1 order by account, bucket";
    let statement = sqlx::query(statement).bind(home.as_str());
    for row in statement.fetch_all(&mut *connection).await? {
        audit.closed.push(read_closed(&row)?.1);
    }
    let statement = concat!(
        "select ",
        reservation_columns!(),
        " from reservations as r where r.home = ?1 order by r.id"
    );
    let statement = sqlx::query(statement).bind(home.as_str());
    for row in statement.fetch_all(&mut *connection).await? {
        audit.reservations.push(read_reservation(&row)?.1);
    }
    let statement = concat!(
        "select ",
        operation_columns!(),
        " from operations as o where o.home = ?1 and o.era = ?2 order by o.sequence"
    );
    let statement = sqlx::query(statement).bind(home.as_str()).bind(era);
    for row in statement.fetch_all(connection).await? {
        audit.operations.push(read_operation(&row)?.1);
    }
    Ok(Some(audit))
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
