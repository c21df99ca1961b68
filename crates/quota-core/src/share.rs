//! Shares: what an org was charged for one of its members, and what else a member limit counts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::absent::is_default;
use crate::balance::{Balance, Bucket};

/// Balances of one feature of which a share is remembered: those of windows that are long over are forgotten.
pub(crate) const SHARES_MAX: usize = 3;

/// What an org was charged for a member in one of its balances; of a capacity it is what the member holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// Units that the org was charged for the member and was not given back.
    #[serde(rename = "u")]
    pub units: u64,
    /// Units that the member holds; only under a member limit, and in its own bucket (O7).
    #[serde(rename = "h", default, skip_serializing_if = "is_default")]
    pub held: u64,
    /// The balance's `reset_sequence` at that time: where it is another one now, nothing is held any more.
    #[serde(rename = "r", default, skip_serializing_if = "is_default")]
    pub reset_sequence: u64,
}

impl Share {
    /// What a member with these shares was charged in a balance of the org.
    pub fn of(shares: &BTreeMap<Bucket, Self>, balance: &Balance) -> u64 {
        let share = shares.get(balance.first_bucket());
        share
            .filter(|share| share.reset_sequence == balance.reset_sequence)
            .map_or(0, |share| share.units.min(balance.spent()))
    }
}
