//! A batch as columns: what the write statement takes.

use quota_core::ports::{HomeWrite, StoreError, WriteBatch};

use crate::accounts::{ChargedColumns, HomeColumns, JoinedColumns};
use crate::closed_balances::ClosedColumns;
use crate::columns::{Bound, Columns, Parameters, Statement};
use crate::key_check::KeyCheck;
use crate::operations::{KeyColumns, OperationColumns, keys_before_month, keys_within};
use crate::outbox::EventColumns;
use crate::reservations::ReservationColumns;
use crate::values::{Instant, stored_count};

/// What the write statement takes. A row says by its place, from 1 on, to which of the homes it belongs.
#[derive(Debug)]
pub(crate) struct WriteColumns<'b> {
    pub(crate) catalog_version: i64,
    pub(crate) keys_within: [Instant; 2],
    pub(crate) lease: Option<LeaseColumns<'b>>,
    pub(crate) homes: HomeColumns<'b>,
    pub(crate) unseen: KeyColumns<'b>,
    pub(crate) operations: OperationColumns<'b>,
    pub(crate) charged: ChargedColumns<'b>,
    pub(crate) joined: JoinedColumns<'b>,
    pub(crate) reservations: ReservationColumns<'b>,
    pub(crate) events: EventColumns<'b>,
    pub(crate) closed: ClosedColumns<'b>,
}

#[derive(Debug)]
pub(crate) struct LeaseColumns<'b> {
    pub(crate) name: &'b str,
    pub(crate) owner: &'b str,
    pub(crate) epoch: i64,
}

/// Where in the write statement each part of [`WriteColumns`] is bound: in the order of [`WriteColumns::bind`].
#[derive(Debug)]
pub(crate) struct WriteParameters {
    pub(crate) homes: Bound,
    pub(crate) catalog_version: String,
    /// Name, owner and epoch.
    pub(crate) lease: [String; 3],
    pub(crate) unseen: Bound,
    pub(crate) keys_within: String,
    pub(crate) operations: Bound,
    pub(crate) charged: Bound,
    pub(crate) joined: Bound,
    pub(crate) reservations: Bound,
    pub(crate) events: Bound,
    pub(crate) closed: Bound,
}

impl WriteParameters {
    pub(crate) fn new() -> Self {
        let mut next = Parameters::default();
        Self {
            homes: next.columns::<HomeColumns<'_>>(),
            catalog_version: next.value(),
            lease: [next.value(), next.value(), next.value()],
            unseen: next.columns::<KeyColumns<'_>>(),
            keys_within: next.value(),
            operations: next.columns::<OperationColumns<'_>>(),
            charged: next.columns::<ChargedColumns<'_>>(),
            joined: next.columns::<JoinedColumns<'_>>(),
            reservations: next.columns::<ReservationColumns<'_>>(),
            events: next.columns::<EventColumns<'_>>(),
            closed: next.columns::<ClosedColumns<'_>>(),
        }
    }
}

impl<'b> WriteColumns<'b> {
    /// The columns of homes, which come in the order of their ids, so that two batches lock them in the same order.
    pub(crate) fn of(
        batch: &'b WriteBatch,
        homes: &[&'b HomeWrite],
        check: KeyCheck,
    ) -> Result<Self, StoreError> {
        let lease = batch.lease.as_ref().map(|lease| {
            Ok::<_, StoreError>(LeaseColumns {
                name: &lease.name,
                owner: &lease.owner,
                epoch: stored_count(lease.epoch)?,
            })
        });
        let mut columns = Self {
            catalog_version: stored_count(batch.catalog_version)?,
            keys_within: searched(batch.keys_since, homes, check),
            lease: lease.transpose()?,
            homes: HomeColumns::default(),
            unseen: KeyColumns::default(),
            operations: OperationColumns::default(),
            charged: ChargedColumns::default(),
            joined: JoinedColumns::default(),
            reservations: ReservationColumns::default(),
            events: EventColumns::default(),
            closed: ClosedColumns::default(),
        };
        let before = [None].into_iter().chain(homes.iter().map(Some));
        for (write, before) in homes.iter().zip(before) {
            check_shape(write, before.copied())?;
        }
        for (write, place) in homes.iter().zip(1..) {
            columns.push_home(write, place)?;
        }
        Ok(columns)
    }

    /// Whether there are only operations on homes that exist, and accounts whose terms did not change.
    pub(crate) fn is_plain(&self) -> bool {
        self.reservations.id.is_empty()
            && self.events.id.is_empty()
            && self.closed.bucket.is_empty()
            && self.joined.home.is_empty()
            && self
                .homes
                .expected_version
                .iter()
                .all(|version| *version > 0)
    }

    /// Binds everything, or what a plain batch has: see [`WriteParameters`].
    pub(crate) fn bind<'q>(&'q self, statement: Statement<'q>) -> Statement<'q> {
        let lease = self.lease.as_ref();
        let statement = self.homes.bind(statement);
        let statement = statement
            .bind(self.catalog_version)
            .bind(lease.map(|lease| lease.name))
            .bind(lease.map(|lease| lease.owner))
            .bind(lease.map(|lease| lease.epoch));
        let statement = self.unseen.bind(statement).bind(self.keys_within);
        let statement = self.charged.bind(self.operations.bind(statement));
        if self.is_plain() {
            return statement;
        }
        let statement = self.reservations.bind(self.joined.bind(statement));
        self.closed.bind(self.events.bind(statement))
    }

    fn push_home(&mut self, write: &'b HomeWrite, place: i32) -> Result<(), StoreError> {
        let home = &write.home;
        let own = write.accounts.iter().find(|account| account.id == *home);
        self.homes.push((write, place), own)?;
        for member in write.accounts.iter().filter(|account| account.id != *home) {
            if member.has_new_terms {
                self.joined.push((home, place), member)?;
            } else {
                self.charged.push((home, place), member)?;
            }
        }
        for operation in &write.operations {
            self.operations.push((home, place), operation)?;
        }
        for reservation in &write.reservations {
            self.reservations.push((home, place), reservation)?;
        }
        for event in &write.events {
            self.events.push(event, place)?;
        }
        for closed in &write.closed {
            self.closed.push((home, place), closed)?;
        }
        for unseen in &write.unseen_keys {
            self.unseen.place.push(place);
            self.unseen.home.push(home.as_str());
            self.unseen.account.push(unseen.account.as_str());
            self.unseen.key.push(unseen.key.as_str());
        }
        Ok(())
    }
}

/// Where the keys of a batch are looked for.
fn searched(since: Instant, homes: &[&HomeWrite], check: KeyCheck) -> [Instant; 2] {
    let operations = homes.iter().flat_map(|home| &home.operations);
    let operations = operations.map(AsRef::as_ref);
    match check {
        KeyCheck::LookUp => None,
        KeyCheck::Index => keys_before_month(since, operations.clone()),
    }
    .unwrap_or_else(|| {
        let latest = operations.map(|operation| operation.at).max();
        keys_within(since, latest.unwrap_or(since))
    })
}

/// Refuses what would damage the history of a home, or stand in the way of the homes beside it.
fn check_shape(write: &HomeWrite, before: Option<&HomeWrite>) -> Result<(), StoreError> {
    let is_repeated = before.is_some_and(|before| before.home == write.home);
    let mistake = is_repeated.then_some("comes twice");
    mistake.or_else(|| write.mistake()).map_or(Ok(()), |what| {
        Err(StoreError::Refused {
            what: format!("home `{}` {what}", write.home),
        })
    })
}
