//! The windows of an org in which the ledger says what each member was charged.

use std::collections::BTreeMap;

use crate::balance::{Balance, Bucket};
use crate::ids::FeatureCode;
use crate::ports::AuditHome;

/// The newest live window of each feature of a home's org, where the ledger says by itself what each member was charged in it.
pub(super) fn org_windows(home: &AuditHome) -> impl Iterator<Item = &Balance> {
    let own = home.accounts.iter().filter(|(id, _)| *id == home.home);
    let mut newest: BTreeMap<&FeatureCode, &Balance> = BTreeMap::new();
    for balance in own.flat_map(|(_, org)| &org.books.balances) {
        let Some(code) = window_of(&balance.bucket) else {
            continue;
        };
        let known = newest.entry(code).or_insert(balance);
        if known.bucket.starts_at_micros() < balance.bucket.starts_at_micros() {
            *known = balance;
        }
    }
    newest.into_values().filter(|balance| {
        let is_plain = balance.moved_to.is_none() && balance.began_as.is_none();
        is_plain && balance.reset_sequence == 0
    })
}

/// The feature whose own window it is, if it is one.
fn window_of(bucket: &Bucket) -> Option<&FeatureCode> {
    match bucket {
        Bucket::Window(code, _) | Bucket::Tracked(code, _) | Bucket::Standing(code) => Some(code),
        Bucket::Further(..)
        | Bucket::Trial(_)
        | Bucket::Grant(_)
        | Bucket::Boost(..)
        | Bucket::Room(_)
        | Bucket::OnDemand(..)
        | Bucket::Token(_)
        | Bucket::TokenWindow(..)
        | Bucket::Member(..) => None,
    }
}
