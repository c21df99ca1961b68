//! How scopes stand for a feature: what an answer, a check and an overview show.

use chrono::{DateTime, Utc};

use super::allowance::Allowance;
use super::context::Context;
use super::decide::Drawn;
use super::desk::Desk;
use super::funding::{boosts_left, bought_room, credits_left};
use super::had::{Had, had, in_force, scope_of};
use super::member_limit::{MemberLimits, member_balance};
use super::on_demand::Selling;
use super::shown::{Counted, counted, has_begun, show_windows};
use super::spending::{Spending, spending};
use super::wallet::{GrantStanding, Wallet, standings};
use crate::amount::Limit;
use crate::answer::{OnDemandBalance, RoomBalance, ScopeBalance};
use crate::balance::{Balance, Bucket};
use crate::catalog::{Counts, Feature};
use crate::draw::Scope;
use crate::emptied::Emptied;
use crate::home::Account;
use crate::ids::{AccountId, FeatureCode, TokenId};
use crate::terms::Terms;

/// How token, user and org stand after `drawn` was booked.
pub(crate) fn scope_balances(
    desk: &Desk<'_>,
    token: Option<&TokenId>,
    feature: &FeatureCode,
    drawn: &Drawn,
) -> Vec<ScopeBalance> {
    let (home, context) = (&*desk.home, &desk.context);
    let feature = context.catalog.features.get(feature);
    let Some(feature) = feature.filter(|feature| feature.kind.is_counted()) else {
        return Vec::new();
    };
    let scopes = [token.is_some(), true, drawn.org.is_some()];
    let mut standing = Vec::with_capacity(scopes.into_iter().filter(|has| *has).count());
    if let Some(account) = home.accounts.get(&desk.request.account) {
        standing.extend(token.and_then(|token| token_balance(account, token, context.now)));
        standing.push(scope_balance(
            context,
            Scope::User,
            account,
            feature,
            &drawn.user,
        ));
    }
    let user = home.accounts.get(&desk.request.account);
    if let (Some(own), Some(org)) = (&drawn.org, home.accounts.get(&home.id)) {
        let user = user.map(AsRef::as_ref);
        standing.push(org_balance(context, (user, org), feature, own));
    }
    standing
}

/// How an org stands for a feature, and under its limit the member that asks (O7).
pub(super) fn org_balance(
    context: &Context<'_>,
    (user, org): (Option<&Account>, &Account),
    feature: &Feature,
    own: &Allowance,
) -> ScopeBalance {
    let member = user.and_then(|user| member_balance(context.now, (user, org), feature, own));
    ScopeBalance {
        member,
        ..scope_balance(context, Scope::Org, org, feature, own)
    }
}

/// How token, user and org stand for a feature now.
pub(crate) fn standing_of(
    desk: &Desk<'_>,
    token: Option<&TokenId>,
    feature: &FeatureCode,
) -> Vec<ScopeBalance> {
    let (home, context) = (&*desk.home, &desk.context);
    let (Ok(account), Some(found)) = (desk.account(), context.catalog.features.get(feature)) else {
        return Vec::new();
    };
    let org = account.terms.org.as_ref().and(home.accounts.get(&home.id));
    let drawn = Drawn {
        draws: Vec::new(),
        user: context.allowance(account, found),
        org: org.map(|org| context.allowance(org, found)),
        kind: found.kind,
    };
    scope_balances(desk, token, feature, &drawn)
}

/// How a token stands at `now`; its cap counts all features, over its lifetime or in its window (T3).
pub fn token_balance(account: &Account, id: &TokenId, now: DateTime<Utc>) -> Option<ScopeBalance> {
    let token = account.terms.tokens.get(id)?;
    let cap = token.cap;
    let balance = account.books.balance(&token.bucket(id, now));
    let (used, held) = balance.map_or((0, 0), |balance| (balance.used, balance.held));
    let all_taken = balance.map_or(0, Balance::taken);
    Some(ScopeBalance {
        scope: Scope::Token,
        feature: None,
        granted: Some(cap),
        used,
        held,
        overage: balance.map_or(0, |balance| balance.overage),
        remaining: cap.ceiling().map(|_| cap.room(all_taken)),
        plan_value: None,
        override_value: None,
        added: None,
        credits: None,
        boosts: 0,
        room: None,
        trial: None,
        resets_at: token.window(now).and_then(|window| window.ends_at),
        windows: Vec::new(),
        on_demand: None,
        member: None,
    })
}

/// How an account stands for a feature, by the allowance that counts now.
pub fn scope_balance(
    context: &Context<'_>,
    scope: Scope,
    account: &Account,
    feature: &Feature,
    own: &Allowance,
) -> ScopeBalance {
    let granted = if account.terms.unlimited {
        Some(Limit::Unlimited)
    } else {
        own.limit_at(scope)
    };
    let counted = match (feature.counts, scope) {
        (None, _) => counted(account, &own.bucket),
        (Some(Counts::Members), Scope::Org) => Counted::members(account.terms.members),
        (Some(Counts::Members), Scope::User | Scope::Token) => Counted::default(),
    };
    let has_trial = scope == Scope::User && feature.trial_limit != 0;
    let trial_left = || {
        let trial = Bucket::Trial(feature.code.clone());
        let taken = account.books.balance(&trial).map_or(0, Balance::taken);
        feature.trial_limit.saturating_sub(taken)
    };
    let mut balance = ScopeBalance {
        scope,
        feature: Some(feature.code.clone()),
        granted,
        used: counted.used,
        held: counted.held,
        overage: counted.overage,
        remaining: granted.and_then(|limit| counted.left_of(limit)),
        plan_value: own.by_base(),
        override_value: own.override_value,
        added: own.added,
        credits: feature
            .credit_cost
            .map(|_| credits_left(&account.books.balances, context.now)),
        boosts: boosts_left(&account.books.balances, &feature.code, context.now),
        room: bought(account, feature),
        trial: has_trial.then(trial_left),
        resets_at: resets_at(account, scope, own),
        windows: Vec::new(),
        on_demand: own
            .selling
            .as_ref()
            .map(|sold| Box::new(on_demand_balance(account, own, sold))),
        member: None,
    };
    let is_by_plan = !account.terms.unlimited && own.override_value.is_none();
    if is_by_plan && (!own.further.is_empty() || own.rolled_over != 0) {
        show_windows(&mut balance, scope, account, own);
    }
    if own.is_read_only && !account.terms.unlimited {
        balance.remaining = Some(0);
    }
    balance
}

/// How the room stands that was bought of a capacity; none where none is counted any more.
fn bought(account: &Account, feature: &Feature) -> Option<RoomBalance> {
    let balance = bought_room(&account.books.balances, feature)?;
    let granted = balance.granted.ceiling().unwrap_or(0);
    let is_counted = granted != 0 || balance.taken() != 0;
    is_counted.then(|| RoomBalance {
        granted,
        used: balance.used,
        held: balance.held,
        remaining: balance.granted.room(balance.taken()),
    })
}

fn on_demand_balance(account: &Account, own: &Allowance, sold: &Selling) -> OnDemandBalance {
    let counted = counted(account, &sold.bucket);
    OnDemandBalance {
        used: counted.used,
        held: counted.held,
        owed: sold.sale.owed(counted.used),
        sale: sold.sale.clone(),
        cap: sold.cap,
        // Nothing is sold that is only to be read (S14).
        remaining: own.on_demand_left(&account.books.balances),
        starts_at: sold.period.starts_at,
        ends_at: sold.period.ends_at,
    }
}

/// When the feature's own window is whole again. One that a request began just now was waiting when that was decided.
fn resets_at(account: &Account, scope: Scope, own: &Allowance) -> Option<DateTime<Utc>> {
    if own.is_waiting && has_begun(account, &own.bucket) {
        return own.window.ends_at.filter(|_| own.counts_at(scope));
    }
    own.resets_at(scope)
}

/// How an account stands for every feature of the catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overview {
    /// The account that is shown.
    pub account: AccountId,
    /// Version of its home that this shows.
    pub version: u64,
    /// When it was put together.
    pub at: DateTime<Utc>,
    /// Its terms as they are stored: [`Subscription::current`](crate::terms::Subscription::current) is what counts.
    pub terms: Terms,
    /// Whether its subscription is in force.
    pub is_in_force: bool,
    /// Each counted feature: how the account stands, how its org stands, and what was used in all its life.
    pub features: Vec<FeatureStanding>,
    /// What it has of flags and settings.
    pub had: Had,
    /// How each of its tokens stands, ended ones included.
    pub tokens: Vec<(TokenId, ScopeBalance)>,
    /// What its credit grants come to together.
    pub wallet: Wallet,
    /// Its credit grants of which something is left or reserved, those that are disputed or owe something included.
    pub grants: Vec<GrantStanding>,
    /// Its boosts of which something is left or reserved.
    pub boosts: Vec<Balance>,
    /// What it owes for use on demand, and may, where something is sold to it.
    pub spending: Option<Spending>,
}

/// How an account stands for one feature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeatureStanding {
    /// The feature as the catalog in force has it.
    pub feature: Feature,
    /// How the account itself stands.
    pub own: ScopeBalance,
    /// How its org stands, if it has one.
    pub org: Option<ScopeBalance>,
    /// Of an org, what it lets each member use (O7).
    pub each_member: Option<MemberLimits>,
    /// Units used over all windows (U2).
    pub lifetime: u64,
}

/// The grants of an account that still count.
fn grants(account: &Account, now: DateTime<Utc>) -> Vec<GrantStanding> {
    let counts = |grant: &GrantStanding| {
        let balance = &grant.balance;
        let is_claimed = balance.short() != 0 || balance.frozen() != 0 && !balance.has_ended(now);
        has_some(balance, now) || is_claimed
    };
    let mut grants = standings(&account.books.balances, now);
    grants.retain(counts);
    grants.sort_by(|one, other| one.balance.bucket.cmp(&other.balance.bucket));
    grants
}

/// Whether something of a grant or a boost is left, or is reserved and may come back.
fn has_some(balance: &Balance, now: DateTime<Utc>) -> bool {
    balance.remaining(now) != 0 || Emptied::of(balance, now) == Emptied::Reserved
}

/// Puts an overview together.
pub fn overview(
    context: &Context<'_>,
    id: &AccountId,
    version: u64,
    (account, org): (&Account, Option<&Account>),
) -> Overview {
    let scope = scope_of(id);
    let standing = |feature: &Feature| FeatureStanding {
        own: scope_balance(
            context,
            scope,
            account,
            feature,
            &context.allowance(account, feature),
        ),
        each_member: (scope == Scope::Org).then(|| {
            let own = context.allowance(account, feature);
            MemberLimits::of(&account.terms, &own, feature, context.now)
        }),
        org: org.map(|org| {
            let own = context.allowance(org, feature);
            org_balance(context, (Some(account), org), feature, &own)
        }),
        lifetime: account
            .books
            .lifetime
            .get(&feature.code)
            .copied()
            .unwrap_or(0),
        feature: feature.clone(),
    };
    let features = context.catalog.features.values();
    let counted = features.filter(|feature| feature.kind.is_counted());
    let tokens = account.terms.tokens.keys();
    let is_boost = |balance: &&Balance| {
        matches!(balance.bucket, Bucket::Boost(..)) && has_some(balance, context.now)
    };
    let balances = account.books.balances.iter();
    let mut boosts: Vec<Balance> = balances.filter(is_boost).cloned().collect();
    boosts.sort_by(|one, other| one.bucket.cmp(&other.bucket));
    Overview {
        account: id.clone(),
        version,
        at: context.now,
        is_in_force: in_force(context, &account.terms).is_some(),
        terms: account.terms.clone(),
        features: counted.map(standing).collect(),
        had: had(context, id, (account, org)),
        tokens: tokens
            .filter_map(|token| Some((token.clone(), token_balance(account, token, context.now)?)))
            .collect(),
        wallet: Wallet::of(&account.books, context.now),
        grants: grants(account, context.now),
        boosts,
        spending: spending(context, account),
    }
}
