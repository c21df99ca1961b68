//! What a catalog file leaves out and accounts hold: it goes only when the call names it (C7).

use std::collections::BTreeSet;
use std::fmt;

use chrono::{DateTime, Utc};
use quota_core::balance::{Balance, Bucket};
use quota_core::catalog::Catalog;
use quota_core::ids::{AccountId, FeatureCode, PackCode, PlanCode};
use quota_core::ports::AccountRow;
use quota_core::terms::{Addon, Subscription};

/// The features and plans that a call of `apply` names as meant to go. What the file does not leave out is ignored; what
/// there never was is refused.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Removals {
    /// Codes of the features that go although accounts hold them.
    pub features: BTreeSet<FeatureCode>,
    /// Codes of the plans that go although accounts hold them.
    pub plans: BTreeSet<PlanCode>,
}

impl Removals {
    /// One of them that is neither in the catalog, or was once, nor in that which a file makes of it.
    pub(crate) fn unknown(&self, current: &Catalog, next: &Catalog) -> Option<Entry> {
        let is_feature = |code: &&FeatureCode| {
            let catalogs = [current, next];
            let mut known = catalogs
                .map(|one| (&one.features, &one.former_features))
                .into_iter();
            known.any(|(now, former)| now.contains_key(*code) || former.contains_key(*code))
        };
        let is_plan = |code: &&PlanCode| {
            let catalogs = [current, next];
            let mut known = catalogs
                .map(|one| (&one.plans, &one.former_plans))
                .into_iter();
            known.any(|(now, former)| now.contains_key(*code) || former.contains_key(*code))
        };
        let feature = self.features.iter().find(|code| !is_feature(code));
        let plan = self.plans.iter().find(|code| !is_plan(code));
        let feature = feature.cloned().map(Entry::Feature);
        feature.or_else(|| plan.cloned().map(Entry::Plan))
    }
}

/// A feature, a plan or a pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// By its code, such as `articles_per_month`.
    Feature(FeatureCode),
    /// By its code, such as `article_pro`: all its versions.
    Plan(PlanCode),
    /// By its code, such as `credits_500`.
    Pack(PackCode),
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Feature(code) => write!(f, "feature `{code}`"),
            Self::Plan(code) => write!(f, "plan `{code}`"),
            Self::Pack(code) => write!(f, "pack `{code}`"),
        }
    }
}

/// An entry that a file leaves out and accounts hold: through a subscription, an add-on, an override or a balance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldEntry {
    /// What the file leaves out.
    pub entry: Entry,
    /// How many of the examined accounts hold it.
    pub accounts: u64,
    /// One of them; none when there are more accounts than were examined, and none of those holds it.
    pub example: Option<AccountId>,
}

impl fmt::Display for HeldEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            entry, accounts, ..
        } = self;
        match &self.example {
            Some(example) if *accounts == 1 => write!(f, "{entry} is held by {example}"),
            Some(example) => write!(
                f,
                "{entry} is held by {accounts} accounts, such as {example}"
            ),
            None => write!(f, "{entry} may be held: not all accounts were examined"),
        }
    }
}

impl HeldEntry {
    pub(crate) fn new(entry: Entry) -> Self {
        Self {
            entry,
            accounts: 0,
            example: None,
        }
    }

    /// Counts an account if it holds the entry.
    pub(crate) fn examine(&mut self, row: &AccountRow, now: DateTime<Utc>, catalog: &Catalog) {
        let holds = match &self.entry {
            Entry::Feature(code) => holds_feature(row, code, now, catalog),
            Entry::Plan(code) => holds_plan(row, code, now, catalog),
            // What was bought of it are credits.
            Entry::Pack(_) => false,
        };
        if holds {
            self.accounts += 1;
            self.example.get_or_insert_with(|| row.id.clone());
        }
    }

    /// Whether a call that names `removals` means it to go.
    pub(crate) fn is_named(&self, removals: &Removals) -> bool {
        match &self.entry {
            Entry::Feature(code) => removals.features.contains(code),
            Entry::Plan(code) => removals.plans.contains(code),
            Entry::Pack(_) => true,
        }
    }
}

fn holds_feature(
    row: &AccountRow,
    code: &FeatureCode,
    now: DateTime<Utc>,
    catalog: &Catalog,
) -> bool {
    let terms = &row.account.terms;
    let has_override = terms.overrides.contains_key(code) || terms.given.contains_key(code);
    let counts = |balance: &Balance| {
        let is_used = balance.used != 0 || balance.held != 0 || balance.overage != 0;
        let is_given = balance.bucket.has_own_worth() && balance.remaining(now) != 0;
        (is_used || is_given) && feature_of(&balance.bucket) == Some(code)
    };
    let names = |held: &Subscription| {
        let plan = catalog.held_plan(&held.plan, held.plan_version);
        plan.is_some_and(|plan| plan.limits.contains_key(code))
    };
    let mut addons = held_addons(row, now);
    let of_addon = addons.any(|(addon, held)| {
        let plan = catalog.held_plan(addon, held.plan_version);
        plan.is_some_and(|plan| plan.limits.contains_key(code))
    });
    has_override
        || of_addon
        || row.account.books.balances.iter().any(counts)
        || subscriptions(row, now).into_iter().any(names)
}

/// The account's add-ons that have not ended.
fn held_addons(row: &AccountRow, now: DateTime<Utc>) -> impl Iterator<Item = (&PlanCode, &Addon)> {
    let addons = row.account.terms.addons.iter();
    addons.filter(move |(_, addon)| !addon.is_over(now))
}

fn holds_plan(row: &AccountRow, code: &PlanCode, now: DateTime<Utc>, catalog: &Catalog) -> bool {
    if held_addons(row, now).any(|(addon, _)| addon == code) {
        return true;
    }
    let stored = row.account.terms.subscription.as_ref();
    let fell_back = stored.is_some_and(|held| has_ended(held, now));
    if fell_back && catalog.default_plan.as_ref() == Some(code) {
        return true;
    }
    subscriptions(row, now).into_iter().any(|held| {
        let next = held.scheduled.as_ref().map(|change| &change.plan);
        held.plan == *code || next == Some(code)
    })
}

/// The account's subscription and those that follow it, without what has ended.
fn subscriptions(row: &AccountRow, now: DateTime<Utc>) -> Vec<&Subscription> {
    let first = row.account.terms.subscription.as_ref();
    let chain = std::iter::successors(first, |held| held.upcoming.as_deref());
    chain.filter(|held| !has_ended(held, now)).collect()
}

fn has_ended(held: &Subscription, now: DateTime<Utc>) -> bool {
    let ends_at = held.ends_for_good_at();
    ends_at.is_some_and(|ends_at| ends_at <= now)
}

fn feature_of(bucket: &Bucket) -> Option<&FeatureCode> {
    match bucket {
        Bucket::Window(code, _)
        | Bucket::Further(code, ..)
        | Bucket::Standing(code)
        | Bucket::Tracked(code, _)
        | Bucket::Trial(code)
        | Bucket::Boost(code, _)
        | Bucket::OnDemand(code, _)
        | Bucket::Member(code, _)
        | Bucket::Room(code) => Some(code),
        Bucket::Grant(_) | Bucket::Token(_) | Bucket::TokenWindow(..) => None,
    }
}
