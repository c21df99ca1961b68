//! What entries add up to.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::balance::Bucket;

/// How far a later operation may lie back in time: the clocks of nodes are set by the store's, not equal to it.
pub(super) const STEP_BACK_SECONDS_MAX: i64 = 5;

/// Used, held, overage, granted.
pub(super) type Counters = (i128, i128, i128, i128);

/// What the entries of each bucket of an account add up to, if something is known of it.
pub(super) type Sums<'a> = Option<&'a BTreeMap<Bucket, Counters>>;

/// The earliest and the latest instant at which that was used which was booked late, in each bucket.
pub(super) type Late = BTreeMap<Bucket, (DateTime<Utc>, DateTime<Utc>)>;

pub(super) fn add(to: &mut Counters, by: Counters) {
    to.0 = to.0.saturating_add(by.0);
    to.1 = to.1.saturating_add(by.1);
    to.2 = to.2.saturating_add(by.2);
    to.3 = to.3.saturating_add(by.3);
}
