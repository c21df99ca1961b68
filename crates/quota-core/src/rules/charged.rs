//! What of an org's balances counts a feature now, and how much of that it was charged for one member.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::funding::bought_room;
use crate::balance::{Balance, Bucket};
use crate::catalog::Feature;
use crate::ids::FeatureCode;
use crate::share::Share;

/// What an org with these balances was charged for a member with these shares, where its window is known.
pub(super) fn charged_in(
    balances: &[Balance],
    window: Option<&Balance>,
    (feature, now): (&Feature, DateTime<Utc>),
    shares: &BTreeMap<Bucket, Share>,
) -> u64 {
    let own = window.map_or(0, |window| Share::of(shares, window));
    let beside = balances.iter().filter(|balance| {
        let bucket = &balance.bucket;
        let is_own = is_boost(bucket, &feature.code) || is_sold(bucket, &feature.code);
        is_own && balance.ends_at.is_none_or(|ends_at| now < ends_at)
    });
    let beside = beside.map(|balance| Share::of(shares, balance));
    let bought = bought_room(balances, feature).map(|room| Share::of(shares, room));
    beside.chain(bought).fold(own, u64::saturating_add)
}

pub(super) fn is_boost(bucket: &Bucket, code: &FeatureCode) -> bool {
    matches!(bucket, Bucket::Boost(of, _) if of == code)
}

pub(super) fn is_sold(bucket: &Bucket, code: &FeatureCode) -> bool {
    matches!(bucket, Bucket::OnDemand(of, _) if of == code)
}
