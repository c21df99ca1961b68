//! Keys that were seen lately, each as 128 bits of a hash.

use std::collections::{BTreeSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

use chrono::{DateTime, TimeDelta, Utc};

use crate::ids::{AccountId, IdempotencyKey};

/// For so long a key acts once under any settings (X1).
const KEPT: TimeDelta = TimeDelta::days(7);

/// Keys of the last days.
#[derive(Debug, Default)]
pub(super) struct Keys {
    seen: BTreeSet<u128>,
    by_age: VecDeque<(DateTime<Utc>, u128)>,
}

impl Keys {
    /// Takes a key in; whether it was not seen in the days before.
    pub(super) fn is_new(
        &mut self,
        account: &AccountId,
        key: &IdempotencyKey,
        at: DateTime<Utc>,
    ) -> bool {
        while let Some((seen_at, hash)) = self.by_age.front().copied()
            && at.signed_duration_since(seen_at) > KEPT
        {
            self.by_age.pop_front();
            self.seen.remove(&hash);
        }
        let hash = u128::from(half(0, account, key)) << 64 | u128::from(half(1, account, key));
        let is_new = self.seen.insert(hash);
        if is_new {
            self.by_age.push_back((at, hash));
        }
        is_new
    }
}

fn half(which: u8, account: &AccountId, key: &IdempotencyKey) -> u64 {
    let mut hasher = DefaultHasher::new();
    (which, account, key.as_str()).hash(&mut hasher);
    hasher.finish()
}
