//! How scopes stand for a feature: what an answer, a check and an overview show.

use chrono::{DateTime, Utc};

use super::allowance::{Allowance, Standing};
use super::context::Context;
use super::decide::Drawn;
use super::desk::Desk;
use super::funding::{boosts_left, bought_room, credits_left};
use super::had::{Had, had, in_force, scope_of};
use super::on_demand::Selling;
use super::spending::{Spending, spending};
use crate::amount::Limit;
use crate::answer::{OnDemandBalance, RoomBalance, ScopeBalance, WindowBalance};
use crate::balance::{Balance, Bucket};
use crate::catalog::{Counts, Feature, Per};
use crate::draw::Scope;
use crate::home::Account;
use crate::ids::{AccountId, FeatureCode, TokenId};
use crate::terms::Terms;
use crate::window::Window;

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
        standing.extend(token.and_then(|token| token_balance(account, token)));
        standing.push(scope_balance(
            context,
            Scope::User,
            account,
            feature,
            &drawn.user,
        ));
    }
    if let (Some(own), Some(org)) = (&drawn.org, home.accounts.get(&home.id)) {
        standing.push(scope_balance(context, Scope::Org, org, feature, own));
    }
    standing
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
    };
    scope_balances(desk, token, feature, &drawn)
}

/// How a token stands; its cap counts all features.
pub fn token_balance(account: &Account, token: &TokenId) -> Option<ScopeBalance> {
    let cap = account.terms.tokens.get(token)?.cap;
    let balance = account.books.balance(&Bucket::Token(token.clone()));
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
        resets_at: None,
        windows: Vec::new(),
        on_demand: None,
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
    let in_force = own.standing == Standing::InForce;
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
    let trial = Bucket::Trial(feature.code.clone());
    let trial_taken = account.books.balance(&trial).map_or(0, Balance::taken);
    let has_trial = scope == Scope::User && feature.trial_limit != 0;
    let mut balance = ScopeBalance {
        scope,
        feature: Some(feature.code.clone()),
        granted,
        used: counted.used,
        held: counted.held,
        overage: counted.overage,
        remaining: granted.and_then(|limit| counted.left_of(limit)),
        plan_value: own.plan_value.filter(|_| in_force),
        override_value: own.override_value,
        added: own.added,
        credits: feature
            .credit_cost
            .map(|_| credits_left(&account.books.balances, context.now)),
        boosts: boosts_left(&account.books.balances, &feature.code, context.now),
        room: bought(account, feature),
        trial: has_trial.then(|| feature.trial_limit.saturating_sub(trial_taken)),
        resets_at: resets_at(account, scope, own),
        windows: Vec::new(),
        on_demand: own
            .selling
            .as_ref()
            .map(|sold| Box::new(on_demand_balance(account, sold))),
    };
    let is_by_plan = !account.terms.unlimited && own.override_value.is_none();
    if is_by_plan && (!own.further.is_empty() || own.rolled_over != 0) {
        show_windows(&mut balance, scope, account, own);
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

fn on_demand_balance(account: &Account, sold: &Selling) -> OnDemandBalance {
    let counted = counted(account, &sold.bucket);
    OnDemandBalance {
        used: counted.used,
        held: counted.held,
        owed: sold.sale.owed(counted.used),
        sale: sold.sale.clone(),
        cap: sold.cap,
        remaining: sold.most.saturating_sub(counted.taken),
        starts_at: sold.period.starts_at,
        ends_at: sold.period.ends_at,
    }
}

/// When the feature's own window is whole again. One that a request began just now was waiting when that was decided.
fn resets_at(account: &Account, scope: Scope, own: &Allowance) -> Option<DateTime<Utc>> {
    if own.is_waiting && has_begun(account, &own.bucket) {
        return own.window.ends_at;
    }
    own.resets_at(scope)
}

fn has_begun(account: &Account, bucket: &Bucket) -> bool {
    account.books.balance(bucket).is_some()
}

/// What a balance counts; nothing where it is not open.
#[derive(Debug, Clone, Copy, Default)]
struct Counted {
    used: u64,
    held: u64,
    overage: u64,
    taken: u64,
}

impl Counted {
    /// So many members of an org (C12).
    fn members(members: u64) -> Self {
        Self {
            used: members,
            taken: members,
            ..Self::default()
        }
    }

    fn left_of(self, limit: Limit) -> Option<u64> {
        limit.ceiling().map(|_| limit.room(self.taken))
    }
}

fn counted(account: &Account, bucket: &Bucket) -> Counted {
    let balance = account.books.balance(&account.books.resolved(bucket));
    balance.map_or(Counted::default(), |balance| Counted {
        used: balance.used,
        held: balance.held,
        overage: balance.overage,
        taken: balance.taken(),
    })
}

/// Adds each window that limits the feature, and shows the one of which least remains; of equals the one that ends last.
fn show_windows(balance: &mut ScopeBalance, scope: Scope, account: &Account, own: &Allowance) {
    let own_window = own.own_per.zip(own.limit_at(scope)).map(|(per, limit)| {
        let begun = Some(own.window).filter(|_| !own.is_waiting || has_begun(account, &own.bucket));
        let window = window_balance(account, &own.bucket, (per, limit, own.rolled_over), begun);
        WindowBalance {
            added: own.added,
            ..window
        }
    });
    let further = own.further.iter().map(|limit| {
        let has_begun = !limit.is_waiting || has_begun(account, &limit.bucket);
        let begun = Some(limit.window).filter(|_| has_begun);
        let place = (limit.per, limit.limit, limit.rolled_over);
        let window = window_balance(account, &limit.bucket, place, begun);
        WindowBalance {
            added: limit.added,
            ..window
        }
    });
    balance.windows = own_window.into_iter().chain(further).collect();
    let least = balance.windows.iter().min_by_key(|window| {
        let left = window.remaining.unwrap_or(u64::MAX);
        (left, std::cmp::Reverse(window.resets_at))
    });
    if let Some(least) = least {
        balance.granted = Some(least.granted);
        (balance.used, balance.held, balance.overage) = (least.used, least.held, least.overage);
        (balance.remaining, balance.resets_at) = (least.remaining, least.resets_at);
        let added = least.added.and_then(Limit::ceiling).unwrap_or(0);
        let of_plan = least.granted.minus(least.rolled_over).minus(added);
        (balance.plan_value, balance.added) = (Some(of_plan), least.added);
    }
}

fn window_balance(
    account: &Account,
    bucket: &Bucket,
    (per, granted, rolled_over): (Per, Limit, u64),
    begun: Option<Window>,
) -> WindowBalance {
    let counted = counted(account, bucket);
    WindowBalance {
        per: per.cadence,
        anchor: per.anchor,
        granted,
        used: counted.used,
        held: counted.held,
        overage: counted.overage,
        remaining: counted.left_of(granted),
        rolled_over,
        added: None,
        starts_at: begun.map(|window| window.starts_at),
        resets_at: begun.and_then(|window| window.ends_at),
    }
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
    /// Its credit grants that still count.
    pub grants: Vec<Balance>,
    /// Its boosts that still count.
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
    /// Units used over all windows (U2).
    pub lifetime: u64,
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
        org: org.map(|org| {
            let own = context.allowance(org, feature);
            scope_balance(context, Scope::Org, org, feature, &own)
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
    let live = |is_one: fn(&Bucket) -> bool| -> Vec<Balance> {
        let is_live =
            |balance: &&Balance| is_one(&balance.bucket) && balance.remaining(context.now) != 0;
        let balances = account.books.balances.iter();
        let mut live: Vec<Balance> = balances.filter(is_live).cloned().collect();
        live.sort_by(|one, other| one.bucket.cmp(&other.bucket));
        live
    };
    Overview {
        account: id.clone(),
        version,
        at: context.now,
        is_in_force: in_force(context, &account.terms).is_some(),
        terms: account.terms.clone(),
        features: counted.map(standing).collect(),
        had: had(context, id, (account, org)),
        tokens: tokens
            .filter_map(|token| Some((token.clone(), token_balance(account, token)?)))
            .collect(),
        grants: live(|bucket| matches!(bucket, Bucket::Grant(_))),
        boosts: live(|bucket| matches!(bucket, Bucket::Boost(..))),
        spending: spending(context, account),
    }
}
