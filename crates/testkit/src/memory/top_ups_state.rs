//! What the store in memory keeps of top-ups.

use std::collections::{BTreeMap, BTreeSet};

use quota_core::ids::AccountId;
use quota_core::provider::{TopUp, TopUpState};
use uuid::Uuid;

/// What is kept of top-ups.
#[derive(Debug, Default)]
pub(super) struct TopUps {
    pub(super) accounts: BTreeSet<AccountId>,
    pub(super) rows: BTreeMap<(AccountId, Uuid), TopUp>,
}

impl TopUps {
    /// Those of an account.
    pub(super) fn of<'a>(&'a self, account: &'a AccountId) -> impl Iterator<Item = &'a TopUp> {
        self.rows.values().filter(|row| row.account == *account)
    }

    /// The stored row that a change follows, if there is one that is open and of this version.
    pub(super) fn known(&mut self, top_up: &TopUp, version: u64) -> Option<&mut TopUp> {
        let named = (top_up.account.clone(), top_up.id);
        let known = self.rows.get_mut(&named);
        known.filter(|known| known.version == version && known.state == TopUpState::Open)
    }
}

/// Whether nobody knows yet how it ends.
pub(super) fn is_open(row: &TopUp) -> bool {
    row.state == TopUpState::Open
}
