//! What a member limit counts of a member (O7), in the windows of its org that run, and when the member leaves or comes back.

use std::collections::BTreeMap;

use super::member_limit::counting;
use crate::balance::{Balance, Bucket};
use crate::draw::{Scope, Source};
use crate::ids::AccountId;
use crate::operation::Entry;
use crate::share::Share;

/// The org's live window of which a member's use is counted under this name.
pub(super) fn window_of<'a>(org: &'a [Balance], bucket: &Bucket) -> Option<&'a Balance> {
    let Bucket::Member(code, _) = bucket else {
        return None;
    };
    let is_own = |balance: &&Balance| {
        let is_window =
            matches!(&balance.bucket, Bucket::Window(of, _) | Bucket::Standing(of) if of == code);
        is_window && balance.moved_to.is_none() && counting(code, balance.first_bucket()) == *bucket
    };
    org.iter().find(is_own)
}

/// What of a member's shares is counted in a window of its org that runs: it is remembered of who leaves, and goes on when that comes
/// back.
pub(super) fn live_counts(
    org: &[Balance],
    shares: &BTreeMap<Bucket, Share>,
) -> BTreeMap<Bucket, Share> {
    let is_live = |(bucket, share): &(&Bucket, &Share)| {
        let window = window_of(org, bucket);
        let same = window.is_some_and(|window| window.reset_sequence == share.reset_sequence);
        share.units != 0 && same
    };
    let live = shares.iter().filter(is_live);
    live.map(|(bucket, share)| (bucket.clone(), Share { held: 0, ..*share }))
        .collect()
}

/// The entries with which what is counted of a member goes out with it, or comes in.
pub(super) fn carried_counts(
    user: &AccountId,
    shares: &BTreeMap<Bucket, Share>,
    sign: fn(u64) -> i64,
) -> Vec<Entry> {
    let counts = shares.iter().filter(|(bucket, _)| bucket.is_member());
    let counts = counts.map(|(bucket, share)| entry_of(user, bucket, (sign(share.units), 0)));
    counts.collect()
}

/// A change of what is counted of a member under this name, as the ledger has it.
pub(super) fn entry_of(id: &AccountId, bucket: &Bucket, (used, held): (i64, i64)) -> Entry {
    Entry {
        scope: Scope::Org,
        account: id.clone(),
        bucket: bucket.clone(),
        feature: bucket.feature().cloned(),
        source: Source::Unlimited,
        used,
        held,
        overage: 0,
        granted: 0,
        unit_cost: 1,
        used_at: None,
        first_unit: None,
    }
}
