//! The rows of homes that are written, table by table.

use std::sync::LazyLock;

use quota_core::home::ClosedBalance;
use quota_core::ids::AccountId;
use quota_core::ports::{AccountWrite, HomeWrite};
use sqlx::sqlite::SqliteConnection;

use crate::error::Fault;
use crate::operations::{OperationRow, insert_operations};
use crate::outbox::{EventRow, insert_events};
use crate::reservations::{ReservationRow, upsert_reservations};
use crate::rows::{ManyRows, Statement};
use crate::values::{counter, json, micros};

/// What is written for one home, or for many.
#[derive(Default)]
pub(crate) struct HomeRows {
    pub(crate) accounts: Vec<AccountRow>,
    /// Of homes whose own account did not change.
    pub(crate) guards: Vec<Guard>,
    pub(crate) operations: Vec<OperationRow>,
    pub(crate) reservations: Vec<ReservationRow>,
    pub(crate) closed: Vec<ClosedRow>,
    pub(crate) events: Vec<EventRow>,
}

/// What the row of the home's own account says of the home; nothing on the rows of other accounts.
#[derive(Clone, Default)]
pub(crate) struct Guard {
    pub(crate) home: Option<AccountId>,
    /// The version that was loaded; 0 for other accounts and for a new home.
    pub(crate) expected: i64,
    pub(crate) version: i64,
    pub(crate) era: i64,
    pub(crate) hold_before: Option<i64>,
    pub(crate) operated_at: Option<i64>,
}

/// An account in its home.
pub(crate) struct AccountRow {
    pub(crate) home: AccountId,
    id: AccountId,
    pub(crate) guard: Guard,
    org: Option<String>,
    /// Empty when the stored ones stay.
    terms: String,
    books: String,
    due_at: Option<i64>,
}

/// A balance that was closed.
pub(crate) struct ClosedRow {
    home: AccountId,
    account: AccountId,
    bucket: String,
    balance: String,
}

impl AccountRow {
    /// The row of an account in `home`.
    pub(crate) fn new(home: &AccountId, guard: Guard, write: &AccountWrite) -> Result<Self, Fault> {
        let org = write.account.terms.org.as_ref();
        Ok(Self {
            home: home.clone(),
            id: write.id.clone(),
            guard,
            org: org.map(|org| org.as_str().to_owned()),
            terms: if write.has_new_terms {
                json(&write.account.terms)?
            } else {
                String::new()
            },
            books: json(&write.account.books)?,
            due_at: write.due_at.map(micros),
        })
    }

    fn is_own(&self) -> bool {
        self.home == self.id
    }
}

impl ClosedRow {
    fn new(home: &AccountId, closed: &ClosedBalance) -> Result<Self, Fault> {
        Ok(Self {
            home: home.clone(),
            account: closed.account.clone(),
            bucket: closed.balance.bucket.to_string(),
            balance: json(&closed.balance)?,
        })
    }
}

impl HomeRows {
    /// The rows of one home; its era is still to be set.
    pub(crate) fn new(write: &HomeWrite) -> Result<Self, Fault> {
        let home = &write.home;
        let guard = Guard {
            home: Some(home.clone()),
            expected: counter(write.expected_version)?,
            version: counter(write.new_version)?,
            era: 0,
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
            rows.accounts.push(AccountRow::new(home, guard, account)?);
        }
        if !rows.has_own_account() {
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

    /// Whether the row of the home's own account is among them.
    pub(crate) fn has_own_account(&self) -> bool {
        self.accounts.iter().any(AccountRow::is_own)
    }

    /// Whether there is nothing in them but what a consume changes in a home that exists.
    pub(crate) fn are_plain(&self) -> bool {
        let keeps_terms = |account: &AccountRow| account.terms.is_empty();
        let guards = self.accounts.iter().map(|account| &account.guard);
        let guards = guards.chain(&self.guards);
        self.accounts.iter().all(keeps_terms) && guards.map(|guard| guard.expected).sum::<i64>() > 0
    }

    /// Sets which of its lives the home is in.
    pub(crate) fn set_era(&mut self, era: i64) {
        for account in self.accounts.iter_mut().filter(|account| account.is_own()) {
            account.guard.era = era;
        }
        for guard in &mut self.guards {
            guard.era = era;
        }
        for operation in &mut self.operations {
            operation.era = era;
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
        upsert_accounts(connection, accounts).await?;
        self.write_but_accounts(connection).await
    }

    /// Writes them all where every home still is as it was loaded, in its life `era`, and no account is due at
    /// another time; gives back whether that is so. When it is not, some were written: the transaction must end.
    pub(crate) async fn write_unchanged(
        mut self,
        connection: &mut SqliteConnection,
    ) -> Result<bool, Fault> {
        let accounts = std::mem::take(&mut self.accounts);
        let asked = accounts.len();
        if update_accounts(connection, accounts).await? != asked {
            return Ok(false);
        }
        let guards = std::mem::take(&mut self.guards);
        let asked = guards.len();
        if update_guards(connection, guards).await? != asked {
            return Ok(false);
        }
        self.write_but_accounts(connection).await?;
        Ok(true)
    }

    async fn write_but_accounts(self, connection: &mut SqliteConnection) -> Result<(), Fault> {
        update_guards(connection, self.guards).await?;
        insert_operations(connection, self.operations).await?;
        upsert_reservations(connection, self.reservations).await?;
        upsert_closed(connection, self.closed).await?;
        insert_events(connection, self.events).await
    }
}

async fn upsert_accounts(
    connection: &mut SqliteConnection,
    rows: Vec<AccountRow>,
) -> Result<(), Fault> {
    static UPSERT: LazyLock<ManyRows> = LazyLock::new(|| {
        let head = "insert into accounts (home, account, org, version, era, hold_before, operated_at, \
                    terms, books, due_at) values";
        let tail = "on conflict (home, account) do update set org = excluded.org, \
                    version = excluded.version, hold_before = excluded.hold_before, \
                    operated_at = coalesce(max(accounts.operated_at, excluded.operated_at), \
                    accounts.operated_at, excluded.operated_at), \
                    terms = case when excluded.terms = '' then terms else excluded.terms end, \
                    books = excluded.books, due_at = excluded.due_at";
        ManyRows::new(head, 10, tail)
    });
    let bind = |statement: Statement, row: AccountRow| {
        statement
            .bind(row.home.as_str())
            .bind(row.id.as_str())
            .bind(row.org)
            .bind(row.guard.version)
            .bind(row.guard.era)
            .bind(row.guard.hold_before)
            .bind(row.guard.operated_at)
            .bind(row.terms)
            .bind(row.books)
            .bind(row.due_at)
    };
    UPSERT.run(connection, rows, bind).await?;
    Ok(())
}

/// Stores the books of accounts that are as they were loaded, and gives back how many are. No indexed column is
/// named: SQLite would write the index again, whether the value differs or not.
async fn update_accounts(
    connection: &mut SqliteConnection,
    rows: Vec<AccountRow>,
) -> Result<usize, Fault> {
    static UPDATE: LazyLock<ManyRows> = LazyLock::new(|| {
        let head = "with q (home, account, expected, era, due_at, version, hold_before, operated_at, \
                    books) as (values";
        let tail = ") update or rollback accounts set version = q.version, hold_before = q.hold_before, \
                    operated_at = coalesce(max(accounts.operated_at, q.operated_at), \
                    accounts.operated_at, q.operated_at), books = q.books from q \
                    where accounts.home = q.home and accounts.account = q.account \
                    and accounts.version = q.expected and accounts.era = q.era \
                    and accounts.due_at is q.due_at";
        ManyRows::new(head, 9, tail)
    });
    let bind = |statement: Statement, row: AccountRow| {
        statement
            .bind(row.home.as_str())
            .bind(row.id.as_str())
            .bind(row.guard.expected)
            .bind(row.guard.era)
            .bind(row.due_at)
            .bind(row.guard.version)
            .bind(row.guard.hold_before)
            .bind(row.guard.operated_at)
            .bind(row.books)
    };
    UPDATE.run(connection, rows, bind).await
}

/// Moves homes on whose own account stays as it is, and gives back how many were as they were loaded.
async fn update_guards(
    connection: &mut SqliteConnection,
    rows: Vec<Guard>,
) -> Result<usize, Fault> {
    static UPDATE: LazyLock<ManyRows> = LazyLock::new(|| {
        let head = "with q (home, expected, era, version, hold_before, operated_at) as (values";
        let tail = ") update or rollback accounts set version = q.version, hold_before = q.hold_before, \
                    operated_at = coalesce(max(accounts.operated_at, q.operated_at), \
                    accounts.operated_at, q.operated_at) from q \
                    where accounts.home = q.home and accounts.account = q.home \
                    and accounts.version = q.expected and accounts.era = q.era";
        ManyRows::new(head, 6, tail)
    });
    let bind = |statement: Statement, row: Guard| {
        let home = row.home.as_ref().map(AccountId::as_str);
        statement
            .bind(home)
            .bind(row.expected)
            .bind(row.era)
            .bind(row.version)
            .bind(row.hold_before)
            .bind(row.operated_at)
    };
    UPDATE.run(connection, rows, bind).await
}

async fn upsert_closed(
    connection: &mut SqliteConnection,
    rows: Vec<ClosedRow>,
) -> Result<(), Fault> {
    static UPSERT: LazyLock<ManyRows> = LazyLock::new(|| {
        let head = "insert into closed_balances (home, account, bucket, balance) values";
        let tail = "on conflict (home, account, bucket) do update set balance = excluded.balance";
        ManyRows::new(head, 4, tail)
    });
    let bind = |statement: Statement, row: ClosedRow| {
        statement
            .bind(row.home.as_str())
            .bind(row.account.as_str())
            .bind(row.bucket)
            .bind(row.balance)
    };
    UPSERT.run(connection, rows, bind).await?;
    Ok(())
}
