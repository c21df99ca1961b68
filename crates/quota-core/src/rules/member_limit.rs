//! How much of its org's use is one member's (O7): which limit binds it, and what of it is used.
//!
//! A member uses what its org was charged for it in the org's window of the feature, whatever paid there. What the window itself
//! paid is the member's share of it, which is counted anyway (O6). What credits, boosts or on demand paid is counted beside it, and
//! while a limit binds the member what it holds (`member_count`).

use chrono::{DateTime, Utc};

use super::allowance::{Allowance, Standing};
use super::charged::charged_in;
use crate::amount::{Amount, Limit};
use crate::answer::MemberBalance;
use crate::balance::{Balance, Bucket};
use crate::catalog::{Feature, Kind};
use crate::denial::{Denial, Reason};
use crate::draw::Scope;
use crate::home::{Account, AccountView};
use crate::ids::FeatureCode;
use crate::share::Share;
use crate::terms::{Override, Terms};

/// What an org says of one feature to its members, in stored units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemberLimits {
    /// What its plan says.
    pub plan_value: Option<Limit>,
    /// What was set for all its members.
    pub of_all: Option<Limit>,
}

impl MemberLimits {
    /// What the org says, as its terms are now; only while its subscription is in force.
    pub fn of(org: &Terms, own: &Allowance, feature: &Feature, now: DateTime<Utc>) -> Self {
        let in_force = own.standing == Standing::InForce;
        Self {
            plan_value: own.member_limit.filter(|_| in_force),
            of_all: set(org, feature, now).filter(|_| in_force),
        }
    }

    /// The limit of a member of which nothing else is said.
    pub fn limit(self) -> Option<Limit> {
        self.of_all.or(self.plan_value)
    }
}

/// What was set in these terms and counts at `now`, in stored units.
fn set(terms: &Terms, feature: &Feature, now: DateTime<Utc>) -> Option<Limit> {
    let set = terms.member_limits.get(&feature.code);
    let set = set.filter(|set: &&Override| set.is_active(now));
    set.map(|set| set.limit.scaled(feature.scale))
}

/// What was set for this member alone; what counts for it.
type Limits = (Option<Limit>, Limit);

/// The limit that binds a member: its own, else that of all, else the plan's. `own` is the org's allowance. None where the
/// member was said to be unlimited, and while the org's subscription is not in force.
fn limits_of(
    (user, org): (&Terms, &Terms),
    own: &Allowance,
    feature: &Feature,
    now: DateTime<Utc>,
) -> Option<Limits> {
    let is_said_unlimited = user.unlimited && !user.unlimited_by_default;
    if is_said_unlimited || own.standing != Standing::InForce {
        return None;
    }
    let own_limit = set(user, feature, now);
    let of_org = || MemberLimits::of(org, own, feature, now).limit();
    let limit = own_limit.or_else(of_org)?;
    Some((own_limit, limit))
}

/// Whether a limit binds a member now, so that what it uses and holds is counted.
pub(super) fn is_bound(
    terms: (&Terms, &Terms),
    own: &Allowance,
    feature: &Feature,
    now: DateTime<Utc>,
) -> bool {
    limits_of(terms, own, feature, now).is_some()
}

/// What a member has used and holds of a feature in its org's window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Counted {
    used: u64,
    held: u64,
}

/// The name under which a member's use beside its share is counted in the window of this bucket.
pub(super) fn counting(code: &FeatureCode, first: &Bucket) -> Bucket {
    let start = first.starts_at_micros();
    // What has no start never grows old.
    Bucket::Member(code.clone(), if start == i64::MAX { 0 } else { start })
}

/// What this member has used and holds in the org's window: of a capacity all that it occupies.
fn counted(
    (member, org): (&AccountView<'_>, &[Balance]),
    own: &Allowance,
    feature: &Feature,
    now: DateTime<Utc>,
) -> Counted {
    let window = org.iter().find(|balance| balance.bucket == own.bucket);
    let first = window.map_or(&own.bucket, Balance::first_bucket);
    let beside = member.shares.get(&counting(&feature.code, first));
    let beside = beside.copied().unwrap_or_default();
    let used = if feature.kind == Kind::Capacity {
        charged_in(org, window, (feature, now), member.shares)
    } else {
        let is_since_reset =
            window.is_none_or(|window| window.reset_sequence == beside.reset_sequence);
        let by_others = if is_since_reset { beside.units } else { 0 };
        window
            .map_or(0, |window| Share::of(member.shares, window))
            .saturating_add(by_others)
    };
    Counted {
        used,
        held: beside.held,
    }
}

/// Refuses what a member may not use of its org any more. Under policy `track` too: that the org is exhausted denies nobody
/// then (O4), and this is about the member.
pub(super) fn must_fit(
    (now, amount): (DateTime<Utc>, Amount),
    (user, org, own): (&AccountView<'_>, &AccountView<'_>, &Allowance),
    feature: &Feature,
) -> Result<(), Denial> {
    let terms = (user.terms, org.terms);
    let Some((_, limit)) = limits_of(terms, own, feature, now) else {
        return Ok(());
    };
    let counted = counted((user, org.balances), own, feature, now);
    let available = limit.room(counted.used.saturating_add(counted.held));
    if amount.get() <= available {
        return Ok(());
    }
    Err(Denial {
        reason: Reason::MemberLimitReached,
        scope: Scope::Org,
        available,
        of_scope: None,
        resets_at: own.resets_at(Scope::Org),
        window: None,
        lapse: None,
    })
}

/// How a member stands under the limit that its org sets it; none where none binds it. `own` is the org's allowance.
pub fn member_balance(
    now: DateTime<Utc>,
    (user, org): (&Account, &Account),
    feature: &Feature,
    own: &Allowance,
) -> Option<Box<MemberBalance>> {
    if !feature.is_drawn() {
        return None;
    }
    let terms = (&user.terms, &org.terms);
    let (override_value, limit) = limits_of(terms, own, feature, now)?;
    let of_org = MemberLimits::of(&org.terms, own, feature, now);
    let balances = org.books.balances.as_slice();
    let Counted { used, held } = counted((&user.view(), balances), own, feature, now);
    let taken = used.saturating_add(held);
    Some(Box::new(MemberBalance {
        limit,
        used,
        held,
        remaining: limit.ceiling().map(|_| limit.room(taken)),
        plan_value: of_org.plan_value,
        all_value: of_org.of_all,
        override_value,
        resets_at: own.resets_at(Scope::Org),
    }))
}
