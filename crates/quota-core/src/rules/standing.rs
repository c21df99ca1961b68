//! How scopes stand for a feature: what an answer, a check and an overview show.

use super::allowance::{Allowance, Standing};
use super::booking::Context;
use super::decide::{Drawn, Scope};
use super::funding::credits_left;
use crate::amount::Limit;
use crate::answer::ScopeBalance;
use crate::balance::Bucket;
use crate::catalog::Feature;
use crate::home::{Account, Home};
use crate::ids::{AccountId, FeatureCode, TokenId};

/// How token, user and org stand after `drawn` was booked.
pub(crate) fn scope_balances(
    home: &Home,
    context: &Context<'_>,
    user: &AccountId,
    token: Option<&TokenId>,
    feature: &FeatureCode,
    drawn: &Drawn,
) -> Vec<ScopeBalance> {
    let Some(feature) = context.catalog.features.get(feature) else {
        return Vec::new();
    };
    let mut standing = Vec::with_capacity(3);
    if let Some(account) = home.accounts.get(user) {
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
    home: &Home,
    context: &Context<'_>,
    user: &AccountId,
    token: Option<&TokenId>,
    feature: &FeatureCode,
) -> Vec<ScopeBalance> {
    let Some(account) = home.accounts.get(user) else {
        return Vec::new();
    };
    let Some(found) = context.catalog.features.get(feature) else {
        return Vec::new();
    };
    let org = account.terms.org.as_ref().and(home.accounts.get(&home.id));
    let drawn = Drawn {
        draws: Vec::new(),
        user: context.allowance(account, found),
        org: org.map(|org| context.allowance(org, found)),
    };
    scope_balances(home, context, user, token, feature, &drawn)
}

/// How a token stands; its cap counts all features.
pub fn token_balance(account: &Account, token: &TokenId) -> Option<ScopeBalance> {
    let cap = account.terms.tokens.get(token)?.cap;
    let balance = account.books.balance(&Bucket::Token(token.clone()));
    let (used, held) = balance.map_or((0, 0), |balance| (balance.used, balance.held));
    Some(ScopeBalance {
        scope: Scope::Token,
        feature: None,
        granted: Some(cap),
        used,
        held,
        overage: balance.map_or(0, |balance| balance.overage),
        remaining: cap.ceiling().map(|_| cap.room(used.saturating_add(held))),
        plan_value: None,
        override_value: None,
        credits: None,
        trial: None,
        resets_at: None,
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
    let balance = account.books.balance(&own.bucket);
    let (used, held) = balance.map_or((0, 0), |balance| (balance.used, balance.held));
    let in_force = own.standing == Standing::InForce;
    let granted = if account.terms.unlimited {
        Some(Limit::Unlimited)
    } else {
        own.limit().filter(|_| in_force)
    };
    let trial = Bucket::Trial(feature.code.clone());
    let trial_taken = account
        .books
        .balance(&trial)
        .map_or(0, |balance| balance.used.saturating_add(balance.held));
    let has_trial = scope == Scope::User && feature.trial_limit != 0;
    ScopeBalance {
        scope,
        feature: Some(feature.code.clone()),
        granted,
        used,
        held,
        overage: balance.map_or(0, |balance| balance.overage),
        remaining: granted
            .filter(|limit| *limit != Limit::Unlimited)
            .map(|limit| limit.room(used.saturating_add(held))),
        plan_value: own.plan_value.filter(|_| in_force),
        override_value: own.override_value.filter(|_| in_force),
        credits: feature
            .credit_cost
            .map(|_| credits_left(&account.books.balances, context.now)),
        trial: has_trial.then(|| feature.trial_limit.saturating_sub(trial_taken)),
        resets_at: own.resets_at(),
    }
}
