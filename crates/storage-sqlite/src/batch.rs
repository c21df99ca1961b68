//! A batch as the rows of its tables, with every value encoded, so that the writer only binds.

use std::collections::BTreeSet;

use quota_core::ids::AccountId;
use quota_core::ports::{HomeWrite, KeyQuery, Lease, WriteBatch};
use sqlx::sqlite::SqliteConnection;

use crate::accounts::{self, AccountChange, Guard};
use crate::closed_balances::{self, ClosedRow};
use crate::error::{Fault, refused};
use crate::operations::{self, OperationRow};
use crate::outbox::{self, EventRow};
use crate::reservations::{self, ReservationRow};
use crate::values::{counter, micros};

/// A batch.
pub(crate) struct Batch {
    pub(crate) catalog_version: u64,
    pub(crate) lease: Option<Lease>,
    pub(crate) homes: Vec<HomeBatch>,
}

/// What a batch writes for one home.
pub(crate) struct HomeBatch {
    pub(crate) home: AccountId,
    pub(crate) expected_version: u64,
    pub(crate) unseen_keys: Vec<KeyQuery>,
    pub(crate) rows: HomeRows,
    /// Whether it holds nothing but what a consume changes in a home that exists.
    pub(crate) is_plain: bool,
}

impl Batch {
    pub(crate) fn new(batch: &WriteBatch) -> Result<Self, Fault> {
        let mut seen = BTreeSet::new();
        let mut homes = Vec::with_capacity(batch.homes.len());
        for write in &batch.homes {
            check_shape(write)?;
            if !seen.insert(&write.home) {
                return Err(refused(format!("home `{}` comes twice", write.home)));
            }
            let rows = HomeRows::new(write)?;
            homes.push(HomeBatch {
                is_plain: rows.are_plain() && write.carries_unseen_keys(),
                home: write.home.clone(),
                expected_version: write.expected_version,
                unseen_keys: write.unseen_keys.clone(),
                rows,
            });
        }
        Ok(Self {
            catalog_version: batch.catalog_version,
            lease: batch.lease.clone(),
            homes,
        })
    }
}

fn check_shape(write: &HomeWrite) -> Result<(), Fault> {
    let home = &write.home;
    let mistake = write.mistake();
    mistake.map_or(Ok(()), |what| Err(refused(format!("home `{home}` {what}"))))
}

/// The rows of one home, or of many.
#[derive(Default)]
pub(crate) struct HomeRows {
    pub(crate) accounts: Vec<AccountChange>,
    /// Of homes whose own account did not change.
    pub(crate) guards: Vec<Guard>,
    pub(crate) operations: Vec<OperationRow>,
    pub(crate) reservations: Vec<ReservationRow>,
    pub(crate) closed: Vec<ClosedRow>,
    pub(crate) events: Vec<EventRow>,
}

impl HomeRows {
    /// The rows of one home; its life is still to be set.
    fn new(write: &HomeWrite) -> Result<Self, Fault> {
        let home = &write.home;
        let guard = Guard {
            home: home.as_str().to_owned(),
            expected: counter(write.expected_version)?,
            version: counter(write.new_version)?,
            life: 0,
            hold_before: write.hold_before.map(micros),
            operated_at: write.operations.iter().map(|o| micros(o.at)).max(),
        };
        let mut rows = Self::default();
        for account in &write.accounts {
            let is_own = account.id == *home;
            let guard = if is_own {
                guard.clone()
            } else {
                Guard::default()
            };
            rows.accounts
                .push(AccountChange::new(home, guard, account)?);
        }
        if !rows.accounts.iter().any(AccountChange::is_own) {
            rows.guards.push(guard);
        }
        for operation in &write.operations {
            rows.operations.push(OperationRow::new(home, operation)?);
        }
        for reservation in &write.reservations {
            let row = ReservationRow::new(home, reservation)?;
            rows.reservations.push(row);
        }
        for closed in &write.closed {
            rows.closed.push(ClosedRow::new(home, closed)?);
        }
        for event in &write.events {
            rows.events.push(EventRow::new(event)?);
        }
        Ok(rows)
    }

    fn are_plain(&self) -> bool {
        let guards = self.accounts.iter().map(|account| &account.guard);
        let guards = guards.chain(&self.guards);
        self.accounts.iter().all(AccountChange::keeps_terms)
            && guards.map(|guard| guard.expected).sum::<i64>() > 0
    }

    /// Sets in which of its lives the home is.
    pub(crate) fn set_life(&mut self, life: i64) {
        for account in self.accounts.iter_mut().filter(|account| account.is_own()) {
            account.guard.life = life;
        }
        for guard in &mut self.guards {
            guard.life = life;
        }
        for operation in &mut self.operations {
            operation.life = life;
        }
    }

    /// Adds the rows of another home.
    pub(crate) fn append(&mut self, mut other: Self) {
        self.accounts.append(&mut other.accounts);
        self.guards.append(&mut other.guards);
        self.operations.append(&mut other.operations);
        self.reservations.append(&mut other.reservations);
        self.closed.append(&mut other.closed);
        self.events.append(&mut other.events);
    }

    /// Writes them all.
    pub(crate) async fn write(mut self, connection: &mut SqliteConnection) -> Result<(), Fault> {
        let accounts = std::mem::take(&mut self.accounts);
        accounts::upsert(connection, accounts).await?;
        self.write_but_accounts(connection).await
    }

    /// Writes them all where every home still is as it was loaded, in its life, and no account is due at another time;
    /// says whether that is so. When it is not, some were written: the transaction must end.
    pub(crate) async fn write_unchanged(
        mut self,
        connection: &mut SqliteConnection,
    ) -> Result<bool, Fault> {
        let accounts = std::mem::take(&mut self.accounts);
        let asked = accounts.len();
        if accounts::update_books(connection, accounts).await? != asked {
            return Ok(false);
        }
        let guards = std::mem::take(&mut self.guards);
        let asked = guards.len();
        if accounts::update_guards(connection, guards).await? != asked {
            return Ok(false);
        }
        self.write_but_accounts(connection).await?;
        Ok(true)
    }

    async fn write_but_accounts(self, connection: &mut SqliteConnection) -> Result<(), Fault> {
        accounts::update_guards(connection, self.guards).await?;
        operations::insert(connection, self.operations).await?;
        reservations::upsert(connection, self.reservations).await?;
        closed_balances::upsert(connection, self.closed).await?;
        outbox::insert(connection, self.events).await
    }
}
