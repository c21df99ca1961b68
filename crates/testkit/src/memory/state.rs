//! What the store in memory keeps.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use quota_core::balance::{Balance, Bucket};
use quota_core::catalog::Catalog;
use quota_core::event::Event;
use quota_core::home::Account;
use quota_core::ids::{AccountId, ProviderCode};
use quota_core::meter::{EntryId, MeterEntry, MeterPeriod, MeterPeriodId};
use quota_core::operation::Operation;
use quota_core::payment::{Payment, PaymentHolder, PaymentId, PaymentMode};
use quota_core::ports::{ApiKey, BatchRecord, JobRun, LedgerMark};
use quota_core::reservation::{Reservation, ReservationState};
use uuid::Uuid;

use super::billing_state::BillingState;
use super::codes_state::CodesState;
use super::top_ups_state::TopUps;

/// Everything.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) homes: BTreeMap<AccountId, HomeState>,
    pub(super) directory: BTreeMap<AccountId, AccountId>,
    pub(super) catalogs: Vec<Catalog>,
    /// By place, which only grows.
    pub(super) outbox: BTreeMap<u64, Event>,
    pub(super) last_place: u64,
    /// How far each consumer of events has come.
    pub(super) cursors: BTreeMap<String, u64>,
    pub(super) keys: Vec<ApiKey>,
    pub(super) leases: BTreeMap<String, LeaseState>,
    /// In the order in which they began.
    pub(super) runs: Vec<JobRun>,
    pub(super) batches: BTreeMap<(Uuid, u32), BatchRecord>,
    pub(super) provider_ids: BTreeMap<PaymentId, PaymentHolder>,
    pub(super) payments: BTreeMap<(AccountId, PaymentId), Payment>,
    pub(super) billing: BillingState,
    pub(super) codes: CodesState,
    pub(super) top_ups: TopUps,
    pub(super) meters: MetersState,
}

/// What is kept of the telling of meters.
#[derive(Debug, Default)]
pub(super) struct MetersState {
    pub(super) marks: BTreeMap<(ProviderCode, PaymentMode), LedgerMark>,
    pub(super) periods: BTreeMap<MeterPeriodId, MeterPeriod>,
    pub(super) entries: BTreeMap<(MeterPeriodId, EntryId), MeterEntry>,
}

/// A home, living or ceased.
#[derive(Debug, Default)]
pub(super) struct HomeState {
    /// 0 when it has ceased.
    pub(super) version: u64,
    pub(super) hold_before: Option<DateTime<Utc>>,
    pub(super) accounts: BTreeMap<AccountId, StoredAccount>,
    pub(super) reservations: BTreeMap<Uuid, Reservation>,
    pub(super) closed: BTreeMap<(AccountId, Bucket), Balance>,
    /// The ledger of each of its lives, the last one last: a user that leaves its org is a home once more.
    pub(super) lives: Vec<Vec<Operation>>,
}

/// An account, and when a job has something to do for it.
#[derive(Debug)]
pub(super) struct StoredAccount {
    pub(super) account: Arc<Account>,
    pub(super) due_at: Option<DateTime<Utc>>,
}

/// A lease; given back when it has no owner.
#[derive(Debug)]
pub(super) struct LeaseState {
    pub(super) owner: Option<String>,
    pub(super) epoch: u64,
    pub(super) until: DateTime<Utc>,
}

impl State {
    pub(super) fn catalog_version(&self) -> u64 {
        self.catalogs.last().map_or(0, |catalog| catalog.version)
    }

    /// The home that an account is a row of.
    pub(super) fn home_with_row(&self, account: &AccountId) -> Option<&AccountId> {
        self.homes
            .iter()
            .find_map(|(id, home)| home.accounts.contains_key(account).then_some(id))
    }
}

impl HomeState {
    pub(super) fn is_living(&self) -> bool {
        self.version > 0
    }

    /// The operations of all its lives.
    pub(super) fn all_operations(&self) -> impl Iterator<Item = &Operation> {
        self.lives.iter().flatten()
    }

    /// The operations of the life it has, or had last, by sequence.
    pub(super) fn operations(&self) -> &[Operation] {
        self.lives.last().map_or(&[], Vec::as_slice)
    }

    pub(super) fn open_reservations(&self) -> impl Iterator<Item = &Reservation> {
        let open = |reservation: &&Reservation| reservation.state == ReservationState::Open;
        self.reservations.values().filter(open)
    }
}
