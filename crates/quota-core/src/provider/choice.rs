//! Which of several subscriptions is the one that counts (P12).

use std::cmp::Ordering;

use chrono::{DateTime, Utc};

use super::ProviderSubscription;
use crate::catalog::Plan;
use crate::ids::SubscriptionRef;
use crate::terms::Status;

/// A subscription of the provider that may be the base.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate<'a> {
    pub(super) fact: &'a ProviderSubscription,
    pub(super) plan: &'a Plan,
    pub(super) status: Status,
}

/// How far a subscription of the provider is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Force {
    /// It grants nothing.
    None,
    /// It is late with a payment, and nothing says since when, or for longer than the grace: it grants what is left of that if
    /// nothing else is in force.
    Late,
    /// It is paid for, tried, or late within the grace.
    Full,
}

/// By what candidates are ordered: in force first, then the dearer plan, the later start, the id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rank<'a> {
    pub(super) force: Force,
    pub(super) price: Yearly,
    pub(super) started_at: DateTime<Utc>,
    pub(super) id: &'a SubscriptionRef,
}

/// What a plan costs in a year, so that intervals compare.
pub(super) type Yearly = u128;

pub(super) fn yearly(plan: &Plan) -> Yearly {
    let periods = 12_u32.checked_div(plan.interval.months()).unwrap_or(1);
    u128::from(plan.price).saturating_mul(periods.into())
}

impl Rank<'_> {
    /// Whether it goes before another one.
    pub(super) fn is_before(&self, other: &Self) -> bool {
        let key = |rank: &Self| (rank.force, rank.price, rank.started_at);
        match key(self).cmp(&key(other)) {
            Ordering::Greater => true,
            Ordering::Less => false,
            Ordering::Equal => self.id > other.id,
        }
    }
}

impl<'a> Candidate<'a> {
    pub(super) fn rank(&self, force: Force) -> Rank<'a> {
        Rank {
            force,
            price: yearly(self.plan),
            started_at: self.fact.created,
            id: &self.fact.id,
        }
    }
}

/// Whether a subscription of the provider grants, as far as the provider goes: paid for, tried, or late with a payment, and not over.
pub(super) fn is_in_force(fact: &ProviderSubscription, status: Status, now: DateTime<Utc>) -> bool {
    let ended_at = fact.ended_at.or(fact.cancel_at);
    let is_settled = match status {
        Status::Active | Status::Trialing | Status::PastDue => true,
        Status::Unpaid | Status::Canceled => false,
    };
    is_settled && ended_at.is_none_or(|ended_at| now < ended_at)
}
