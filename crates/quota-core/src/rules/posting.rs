//! Postings: how a change reaches a balance and the ledger together, so that each balance is the sum of its entries.

use super::allowance::Allowance;
use super::desk::Desk;
use super::opening::{current_grant, opened};
use super::share::count_share;
pub(crate) use super::signs::{negated, signed};
use crate::amount::COUNT_MAX;
use crate::answer::Rejection;
use crate::balance::Bucket;
use crate::draw::{Draw, Scope, Source};
use crate::home::{Account, Home};
use crate::ids::{AccountId, AccountKind, FeatureCode};
use crate::operation::Entry;

/// A change of one balance of one account.
#[derive(Debug, Clone)]
pub(crate) struct Posting {
    pub(crate) scope: Scope,
    pub(crate) bucket: Bucket,
    pub(crate) feature: Option<FeatureCode>,
    pub(crate) source: Source,
    pub(crate) unit_cost: u64,
    pub(crate) used: i64,
    pub(crate) held: i64,
    pub(crate) overage: i64,
}

/// Whether a draw is spent or held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Drawing {
    /// Spent for good.
    Spend,
    /// Held until it is settled; overage is not held, it is booked when the hold is settled.
    Hold,
}

impl Posting {
    /// A posting that changes nothing yet.
    pub(crate) fn of(draw: &Draw, feature: &FeatureCode) -> Self {
        Self {
            scope: draw.scope,
            bucket: draw.bucket.clone(),
            feature: Some(feature.clone()),
            source: draw.source,
            unit_cost: draw.unit_cost,
            used: 0,
            held: 0,
            overage: 0,
        }
    }

    /// What a draw takes of each balance that it is charged to: of its own, and of the windows of further limits (C9).
    pub(crate) fn all_drawn(
        draw: &Draw,
        feature: &FeatureCode,
        drawing: Drawing,
    ) -> (Self, Vec<Self>) {
        let own = Self::drawn(draw, feature, drawing);
        let further = draw.further.iter().map(|bucket| own.further(bucket));
        let further = further.collect();
        (own, further)
    }

    /// The same change of another bucket: the window of a further limit that is charged with it (C9).
    pub(crate) fn further(&self, bucket: &Bucket) -> Self {
        Self {
            bucket: bucket.clone(),
            ..self.clone()
        }
    }

    /// What a draw takes.
    pub(crate) fn drawn(draw: &Draw, feature: &FeatureCode, drawing: Drawing) -> Self {
        let mut posting = Self::of(draw, feature);
        match (drawing, draw.source) {
            (Drawing::Spend, Source::Overage) => posting.overage = signed(draw.amount),
            (Drawing::Hold, Source::Overage) => {}
            (
                drawing,
                Source::Allowance
                | Source::Room
                | Source::Boost
                | Source::OnDemand
                | Source::Credits
                | Source::Trial
                | Source::Unlimited,
            ) => match drawing {
                Drawing::Spend => posting.used = signed(draw.amount),
                Drawing::Hold => posting.held = signed(draw.amount),
            },
        }
        posting
    }
}

fn add_checked(counter: u64, by: i64) -> Result<u64, Rejection> {
    let next = counter.checked_add_signed(by);
    next.filter(|next| *next <= COUNT_MAX)
        .ok_or(Rejection::CounterFull)
}

/// The account that a scope's balances belong to: the org is the home itself.
pub(crate) fn scope_account<'a>(
    home: &'a Home,
    user: &'a AccountId,
    scope: Scope,
) -> &'a AccountId {
    match scope {
        Scope::Token | Scope::User => user,
        Scope::Org => &home.id,
    }
}

/// The scope at which an account's own balances are changed.
pub(crate) fn own_scope(id: &AccountId) -> Scope {
    match id.kind() {
        AccountKind::User => Scope::User,
        AccountKind::Org => Scope::Org,
    }
}

/// Applies a posting and gives back its ledger entry. A balance that is touched for the first time is opened.
///
/// Refused when a counter would leave its range; what was changed before that, whoever carries the request out undoes.
pub(crate) fn post(
    desk: &mut Desk<'_>,
    id: &AccountId,
    posting: Posting,
) -> Result<Entry, Rejection> {
    post_by(desk, id, None, posting)
}

/// As [`post`], with the allowance that counts now when it is known already.
///
/// What changes beside the balance, unless credits pay: the account's lifetime total, and at org scope the share of the member
/// that asks (`count_share`), which is in the member's own books, or with the org if the member has left.
pub(crate) fn post_by(
    desk: &mut Desk<'_>,
    id: &AccountId,
    own: Option<&Allowance>,
    posting: Posting,
) -> Result<Entry, Rejection> {
    let context = desk.context;
    let account = desk.home.account_mut(id);
    let account = account.ok_or(Rejection::UnknownAccount)?;
    let bucket = account.books.resolved(&posting.bucket);
    if account.books.balance(&bucket).is_none() {
        let opened = opened(account, &context, &bucket);
        account.books.balances.push(opened);
    }
    let granted = current_grant(account, &context, &bucket, (own, posting.scope));
    let lifetime = lifetime_change(&posting);
    if let Some(feature) = &posting.feature
        && lifetime != 0
    {
        count(account, feature, lifetime)?;
    }
    let balance = account.books.balance_mut(&bucket);
    let balance = balance.ok_or(Rejection::UnknownAccount)?;
    let used = add_checked(balance.used, posting.used)?;
    let held = add_checked(balance.held, posting.held)?;
    let overage = add_checked(balance.overage, posting.overage)?;
    (balance.used, balance.held, balance.overage) = (used, held, overage);
    if let Some((granted, rolled_over)) = granted {
        balance.rolled_over = rolled_over;
        balance.granted = match balance.sale {
            // A cap that was lowered takes nothing away (S6).
            Some(_) => granted.at_least(balance.taken()),
            None => granted,
        };
    }
    desk.home.changes.accounts.insert(id.clone());
    let charged = charged_to_org(&posting);
    if let (Some(code), true) = (&posting.feature, charged != 0) {
        count_share(desk, (id, &bucket), code, charged);
    }
    Ok(Entry {
        scope: posting.scope,
        account: id.clone(),
        bucket,
        feature: posting.feature,
        source: posting.source,
        used: posting.used,
        held: posting.held,
        overage: posting.overage,
        granted: 0,
        unit_cost: posting.unit_cost,
        used_at: None,
        first_unit: None,
    })
}

/// A change of what a grant or a boost of the account itself is worth.
pub(crate) fn worth_entry(desk: &Desk<'_>, bucket: Bucket, source: Source, granted: i64) -> Entry {
    Entry {
        scope: own_scope(&desk.request.account),
        account: desk.request.account.clone(),
        feature: bucket.feature().cloned(),
        bucket,
        source,
        used: 0,
        held: 0,
        overage: 0,
        granted,
        unit_cost: 1,
        used_at: None,
        first_unit: None,
    }
}

/// Units by which a posting changes the lifetime total; credits are counted by whoever books them, in units.
fn lifetime_change(posting: &Posting) -> i64 {
    if posting.scope == Scope::Token || is_counted_elsewhere(posting) {
        return 0;
    }
    posting.used.saturating_add(posting.overage)
}

/// Whether the units of a posting are counted elsewhere: by whoever books credits, or in the feature's own window.
fn is_counted_elsewhere(posting: &Posting) -> bool {
    posting.source == Source::Credits || posting.bucket.is_further()
}

/// Units by which a posting changes what the org is charged for whoever asks; what its credits paid is not counted.
fn charged_to_org(posting: &Posting) -> i64 {
    if posting.scope != Scope::Org || is_counted_elsewhere(posting) {
        return 0;
    }
    posting.used.saturating_add(posting.overage)
}

/// Changes a lifetime total alone: for units that credits paid.
pub(crate) fn count_units(
    desk: &mut Desk<'_>,
    id: &AccountId,
    feature: &FeatureCode,
    by: i64,
) -> Result<(), Rejection> {
    let account = desk.home.account_mut(id);
    count(account.ok_or(Rejection::UnknownAccount)?, feature, by)
}

fn count(account: &mut Account, feature: &FeatureCode, by: i64) -> Result<(), Rejection> {
    let total = account.books.lifetime.get(feature).copied().unwrap_or(0);
    let next = add_checked(total, by)?;
    account.books.lifetime.insert(feature.clone(), next);
    Ok(())
}

/// Refuses draws with which a counter could leave its range: those of further limits (C9) and the lifetime total included.
pub(crate) fn fits_counters<'a>(
    draws: &[Draw],
    feature: &FeatureCode,
    account: impl Fn(Scope) -> Option<&'a Account>,
) -> Result<(), Rejection> {
    let total = draws
        .iter()
        .fold(0_u64, |sum, draw| sum.saturating_add(draw.amount));
    let fits = draws.iter().all(|draw| {
        let Some(account) = account(draw.scope) else {
            return false;
        };
        let lifetime = account.books.lifetime.get(feature).copied().unwrap_or(0);
        let buckets = std::iter::once(&draw.bucket).chain(&draw.further);
        let most = buckets.fold(lifetime, |most, bucket| {
            let balance = account.books.balance(&account.books.resolved(bucket));
            let counters = balance.map(|balance| [balance.used, balance.overage, balance.held]);
            counters.into_iter().flatten().fold(most, u64::max)
        });
        most.saturating_add(total) <= COUNT_MAX
    });
    if fits {
        Ok(())
    } else {
        Err(Rejection::CounterFull)
    }
}
