//! One request over token, user and org together: all of it is drawn, or nothing is (O5, F4).

use chrono::{DateTime, TimeDelta, Utc};

use super::allowance::{Allowance, Asked, Standing, allowance};
use super::bound::{Bound, cap_bound};
use super::by_plan::taken;
use super::drawing::push_draws;
use super::funding::{Funds, Headroom, affordable, boosts_left, room_left, sources, split};
use super::given::given;
use super::member_limit::must_fit;
use crate::amount::{Amount, COUNT_MAX, Limit};
use crate::balance::Bucket;
use crate::catalog::{Catalog, Feature, Kind};
use crate::denial::{Denial, Reason};
use crate::draw::{Draw, Scope, Source};
use crate::home::AccountView;
use crate::ids::{FeatureCode, TokenId};
use crate::terms::{Policy, Token};

/// What a decision looks at.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The instant of the decision.
    pub now: DateTime<Utc>,
    /// The catalog in force.
    pub catalog: &'a Catalog,
    /// How long a past-due subscription stays in force.
    pub grace: TimeDelta,
    /// The user, if known.
    pub user: Option<AccountView<'a>>,
    /// The user's org, if it has one.
    pub org: Option<AccountView<'a>>,
    /// The token that the request came with.
    pub token: Option<&'a TokenId>,
    /// What is asked for.
    pub feature: &'a FeatureCode,
    /// How much of it, in stored units.
    pub amount: Amount,
    /// Whether it may still be denied.
    pub mode: Mode,
}

/// Whether a request asks, or tells what happened already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It may be denied.
    Ask,
    /// It is never denied; what nothing pays for is overage (R2, X5).
    Force,
}

/// The answer to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Everything is drawn, in this order.
    Allowed(Vec<Draw>),
    /// Nothing is drawn at any scope.
    Denied(Denial),
}

/// What a request draws, and the allowances that it was decided with.
#[derive(Debug, Clone)]
pub(crate) struct Drawn {
    pub(crate) draws: Vec<Draw>,
    pub(crate) user: Allowance,
    pub(crate) org: Option<Allowance>,
    /// What kind of feature it is.
    pub(crate) kind: Kind,
}

impl Drawn {
    /// The allowance that a scope was decided by; a token has none.
    pub(crate) fn allowance(&self, scope: Scope) -> Option<&Allowance> {
        match scope {
            Scope::Token => None,
            Scope::User => Some(&self.user),
            Scope::Org => self.org.as_ref(),
        }
    }
}

/// Decides one request. Reasons are looked for in the order of F7: token, then user, then org.
pub fn decide(question: &Question<'_>) -> Decision {
    match draw(question) {
        Ok(drawn) => Decision::Allowed(drawn.draws),
        Err(denial) => Decision::Denied(denial),
    }
}

/// Decides by the allowances that count at the instant of the question.
pub(crate) fn draw(question: &Question<'_>) -> Result<Drawn, Denial> {
    draw_by(question, question.now, |_, account, feature| {
        own_of(question, account, feature)
    })
}

/// Decides by the allowances that are given for the user and for the org, and by a token's cap as it counts at `used_at`.
pub(crate) fn draw_by(
    question: &Question<'_>,
    used_at: DateTime<Utc>,
    own: impl Fn(Scope, &AccountView<'_>, &Feature) -> Allowance,
) -> Result<Drawn, Denial> {
    let mut draws = Vec::with_capacity(3);
    let outcome = draw_onto((question, used_at), &own, &mut draws);
    let (user, org, kind) = outcome.map_err(|denial| at_every_scope(question, &own, denial))?;
    Ok(Drawn {
        draws,
        user,
        org,
        kind,
    })
}

/// The draws that the scopes before the one that refuses would give; all of them when none does.
pub(crate) fn drawn_before_denial(question: &Question<'_>) -> (Vec<Draw>, Option<Denial>) {
    let mut draws = Vec::new();
    let own = |_, account: &AccountView<'_>, feature: &Feature| own_of(question, account, feature);
    let now = question.now;
    let denial = draw_onto((question, now), own, &mut draws).err();
    let denial = denial.map(|denial| at_every_scope(question, own, denial));
    (draws, denial)
}

/// A denial that says what all scopes together would have granted: with so much the next scope may refuse (F7).
fn at_every_scope(
    question: &Question<'_>,
    own: impl Fn(Scope, &AccountView<'_>, &Feature) -> Allowance,
    mut denial: Denial,
) -> Denial {
    let of_scope = denial.available;
    while let Ok(amount) = Amount::new(denial.available) {
        let fewer = Question {
            amount,
            ..*question
        };
        match draw_onto((&fewer, fewer.now), &own, &mut Vec::new()) {
            Err(next) if next.available < denial.available => denial.available = next.available,
            Ok(_) | Err(_) => break,
        }
    }
    denial.of_scope = Some(of_scope).filter(|of_scope| *of_scope != denial.available);
    denial
}

impl<'a> Question<'a> {
    /// With what its allowances are counted.
    pub(crate) fn asked(&self) -> Asked<'a> {
        Asked {
            catalog: self.catalog,
            grace: self.grace,
            now: self.now,
        }
    }
}

fn own_of(question: &Question<'_>, account: &AccountView<'_>, feature: &Feature) -> Allowance {
    allowance((account.terms, account.balances), feature, question.asked())
}

/// Appends what each scope gives, token, user and org in this order, until one refuses.
fn draw_onto(
    (question, used_at): (&Question<'_>, DateTime<Utc>),
    own: impl Fn(Scope, &AccountView<'_>, &Feature) -> Allowance,
    draws: &mut Vec<Draw>,
) -> Result<(Allowance, Option<Allowance>, Kind), Denial> {
    let user = question
        .user
        .ok_or(Denial::flat(Reason::UnknownUser, Scope::User))?;
    let feature = question.catalog.features.get(question.feature);
    let feature = feature.ok_or(Denial::flat(Reason::UnknownFeature, Scope::User))?;
    if user.terms.disabled && question.mode == Mode::Ask {
        return Err(Denial::flat(Reason::AccountDisabled, Scope::User));
    }
    if !feature.is_drawn() {
        // Nothing to draw: a check says whether it is had, and who would spend it is refused.
        token_of(question, &user)?;
        if feature.counts.is_none() {
            given((&user, question.org.as_ref()), feature, question.asked())?;
        }
        let of_org = question.org.map(|org| own(Scope::Org, &org, feature));
        return Ok((own(Scope::User, &user, feature), of_org, feature.kind));
    }
    token_draws((question, used_at), &user, draws)?;
    let of_user = own(Scope::User, &user, feature);
    let of_user = user_draws(question, (&user, of_user), feature, draws)?;
    let of_org = match &question.org {
        Some(org) => {
            let own = own(Scope::Org, org, feature);
            if question.mode == Mode::Ask {
                let asked = (question.now, question.amount);
                must_fit(asked, (&user, org, &own), feature)?;
            }
            Some(org_draws(question, (org, own), feature, draws)?)
        }
        None => None,
    };
    Ok((of_user, of_org, feature.kind))
}

/// The token that the request came with, which may still be used.
pub(super) fn token_of<'a>(
    question: &Question<'a>,
    user: &AccountView<'a>,
) -> Result<Option<(&'a TokenId, &'a Token)>, Denial> {
    let Some(id) = question.token else {
        return Ok(None);
    };
    let revoked = Denial::flat(Reason::TokenRevoked, Scope::Token);
    let token = user.terms.tokens.get(id).ok_or(revoked)?;
    let has_come = |at: Option<DateTime<Utc>>| at.is_some_and(|at| at <= question.now);
    if question.mode == Mode::Ask {
        if has_come(token.revoked_at) {
            return Err(revoked);
        }
        if has_come(token.expires_at) {
            return Err(Denial::flat(Reason::TokenExpired, Scope::Token));
        }
    }
    Ok(Some((id, token)))
}

fn token_draws(
    (question, used_at): (&Question<'_>, DateTime<Utc>),
    user: &AccountView<'_>,
    draws: &mut Vec<Draw>,
) -> Result<(), Denial> {
    let Some((id, token)) = token_of(question, user)? else {
        return Ok(());
    };
    let bucket = token.bucket(id, used_at);
    let source = if token.cap == Limit::Unlimited {
        Source::Unlimited
    } else {
        Source::Allowance
    };
    let order = [Headroom {
        source,
        units: token.cap.room(taken(user.balances, &bucket)),
    }];
    let mut parts = split(&order, question.amount.get());
    if parts.short_by != 0 {
        if question.mode == Mode::Ask {
            let bound = cap_bound(token, question.now, question.amount.get());
            return Err(short(Reason::TokenExhausted, Scope::Token, &order, bound));
        }
        parts.parts.push((Source::Overage, parts.short_by));
    }
    draws.extend(parts.parts.iter().map(|&(source, amount)| Draw {
        scope: Scope::Token,
        bucket: bucket.clone(),
        further: Vec::new(),
        source,
        amount,
        unit_cost: 1,
    }));
    Ok(())
}

fn user_draws(
    question: &Question<'_>,
    (user, own): (&AccountView<'_>, Allowance),
    feature: &Feature,
    draws: &mut Vec<Draw>,
) -> Result<Allowance, Denial> {
    let trial_used = taken(user.balances, &Bucket::Trial(feature.code.clone()));
    let order = sources(&Funds {
        unlimited: user.terms.unlimited,
        allowance: own.room(Scope::User, user.balances),
        room: room_left(user.balances, feature),
        boosts: boosts_left(user.balances, &feature.code, question.now),
        credits: affordable(user.balances, feature.credit_cost, question.now),
        trial: feature.trial_limit.saturating_sub(trial_used),
        on_demand: own.on_demand_left(user.balances),
    });
    let mut parts = split(&order, question.amount.get());
    if parts.short_by != 0 {
        if question.mode == Mode::Ask {
            let reason = user_reason(&own, feature);
            let bound = bound(question, (Scope::User, user, &own), &order);
            return Err(short(reason, Scope::User, &order, bound).lapsed(own.lapse));
        }
        parts.parts.push((Source::Overage, parts.short_by));
    }
    push_draws(
        question.now,
        (Scope::User, user, &own),
        feature,
        &parts.parts,
        draws,
    );
    Ok(own)
}

/// The first reason of F7 that applies to a user whose sources do not suffice.
fn user_reason(own: &Allowance, feature: &Feature) -> Reason {
    let is_payable = feature.credit_cost.is_some() || feature.trial_limit != 0;
    match (own.standing, own.limit()) {
        (Standing::Overdue, _) => Reason::PaymentOverdue,
        (Standing::InForce, Some(_)) if own.is_read_only => Reason::PaymentOverdue,
        (Standing::Expired, _) => Reason::SubscriptionExpired,
        (Standing::InForce, Some(_)) if own.selling.is_some() => Reason::SpendCapReached,
        (Standing::InForce, Some(_)) => Reason::LimitReached,
        (Standing::Never, _) if is_payable => Reason::CreditsExhausted,
        (Standing::Never, _) => Reason::NoSubscription,
        (Standing::InForce, None) => Reason::NotInPlan,
    }
}

fn org_draws(
    question: &Question<'_>,
    (org, own): (&AccountView<'_>, Allowance),
    feature: &Feature,
    draws: &mut Vec<Draw>,
) -> Result<Allowance, Denial> {
    if org.terms.disabled && question.mode == Mode::Ask {
        return Err(Denial::flat(Reason::OrgDisabled, Scope::Org));
    }
    let order = if own.only_tracks_org() {
        vec![Headroom {
            source: Source::Unlimited,
            units: COUNT_MAX,
        }]
    } else {
        sources(&Funds {
            unlimited: false,
            allowance: own.room(Scope::Org, org.balances),
            room: room_left(org.balances, feature),
            boosts: boosts_left(org.balances, &feature.code, question.now),
            credits: affordable(org.balances, feature.credit_cost, question.now),
            trial: 0,
            on_demand: own.on_demand_left(org.balances),
        })
    };
    let mut parts = split(&order, question.amount.get());
    if parts.short_by != 0 {
        if question.mode == Mode::Ask && org.terms.policy == Policy::Enforce {
            let bound = bound(question, (Scope::Org, org, &own), &order);
            let denial = short(org_reason(&own), Scope::Org, &order, bound);
            return Err(denial.lapsed(own.lapse));
        }
        parts.parts.push((Source::Overage, parts.short_by));
    }
    push_draws(
        question.now,
        (Scope::Org, org, &own),
        feature,
        &parts.parts,
        draws,
    );
    Ok(own)
}

/// The first reason of F7 that applies to an org whose sources do not suffice.
fn org_reason(own: &Allowance) -> Reason {
    match (own.standing, own.limit()) {
        (Standing::Overdue, _) => Reason::PaymentOverdue,
        (Standing::InForce, Some(_)) if own.is_read_only => Reason::PaymentOverdue,
        (Standing::Expired, _) => Reason::OrgSubscriptionExpired,
        (Standing::InForce, None) => Reason::OrgNotInPlan,
        (Standing::InForce, Some(_)) if own.selling.is_some() => Reason::SpendCapReached,
        (Standing::InForce, Some(_)) | (Standing::Never, _) => Reason::OrgLimitReached,
    }
}

/// Which limits of an account have no room for what other sources do not pay.
fn bound(
    question: &Question<'_>,
    (scope, account, own): (Scope, &AccountView<'_>, &Allowance),
    order: &[Headroom],
) -> Bound {
    let others = order.iter().filter(|one| one.source != Source::Allowance);
    let paid = others.fold(0_u64, |sum, one| sum.saturating_add(one.units));
    let wanted = question.amount.get().saturating_sub(paid);
    own.bound(scope, account.balances, wanted)
}

fn short(reason: Reason, scope: Scope, order: &[Headroom], bound: Bound) -> Denial {
    let available = order
        .iter()
        .fold(0_u64, |sum, headroom| sum.saturating_add(headroom.units));
    // No window of what the plan does not have begins whole.
    let is_in_plan = !matches!(reason, Reason::NotInPlan | Reason::OrgNotInPlan);
    Denial {
        reason,
        scope,
        available,
        of_scope: None,
        resets_at: bound.resets_at.filter(|_| is_in_plan),
        window: bound.window,
        lapse: None,
    }
}
