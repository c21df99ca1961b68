//! From the ledger to what a meter is told.

use super::entry::{EntryId, MeterEntry, MeterState};
use crate::balance::Bucket;
use crate::ids::AccountId;
use crate::operation::Operation;

/// What one entry sold, or gave back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sold {
    /// The account that owes it.
    pub account: AccountId,
    /// The balance that counts it.
    pub bucket: Bucket,
    /// The entry, to be placed in its period.
    pub entry: MeterEntry,
}

/// What an operation sold on demand, and gave back: holds are not sold until they are committed.
pub fn sold(operation: &Operation) -> Vec<Sold> {
    let mut all = Vec::new();
    for (place, entry) in (0_u32..).zip(&operation.entries) {
        if entry.used == 0 || !matches!(entry.bucket, Bucket::OnDemand(..)) {
            continue;
        }
        let state = if entry.used < 0 {
            MeterState::Refund
        } else {
            MeterState::Waiting
        };
        all.push(Sold {
            account: entry.account.clone(),
            bucket: entry.bucket.clone(),
            entry: MeterEntry {
                id: EntryId {
                    operation: operation.id,
                    place,
                },
                units: entry.used.unsigned_abs(),
                booked_at: operation.at,
                at: operation.at,
                state,
                generation: 0,
                netted: 0,
                told: 0,
                customer: None,
                sent_at: None,
                is_final: false,
            },
        });
    }
    all
}
