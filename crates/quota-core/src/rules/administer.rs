//! What operators change: accounts, overrides, tokens, credits.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::booking::{Booking, announce, book, close, operation, signed};
use super::moves::move_usage;
use crate::amount::{Amount, COUNT_MAX, Limit};
use crate::answer::{Answer, Rejection};
use crate::balance::{Balance, Bucket};
use crate::command::{AccountSpec, GRANTS_MAX, Presence, Request, TOKENS_MAX};
use crate::draw::{Scope, Source};
use crate::event::EventKind;
use crate::home::{Account, Books, Home};
use crate::ids::{AccountKind, FeatureCode, GrantId, TokenId};
use crate::operation::Entry;
use crate::rules::context::Context;
use crate::rules::outcome::Outcome;
use crate::terms::{Override, Terms, Token, new_token_cap, new_user_is_unlimited};

/// Books a change and announces it (Y5).
pub(crate) fn changed(
    home: &mut Home,
    context: &Context<'_>,
    request: &Request,
    booking: Booking,
) -> Outcome {
    let reason = match &booking.answer {
        Answer::Changed { what, .. } => what.clone(),
        _ => String::new(),
    };
    home.changes.accounts.insert(request.account.clone());
    home.changes.terms.insert(request.account.clone());
    let operation = book(home, context, request, booking);
    announce(home, &operation, EventKind::QuotaUpdated { reason });
    Outcome {
        operation,
        is_booked: true,
    }
}

/// Nothing to do: booked only when a key asks for the same answer again.
pub(crate) fn unchanged(home: &mut Home, context: &Context<'_>, request: &Request) -> Outcome {
    let mut booking = Booking::change("", None);
    booking.answer = Answer::Unchanged;
    let is_booked = request.key.is_some() && home.version != 0;
    let operation = if is_booked {
        book(home, context, request, booking)
    } else {
        operation(home, context, request, booking)
    };
    Outcome {
        operation,
        is_booked,
    }
}

pub(crate) fn account_mut<'a>(
    home: &'a mut Home,
    request: &Request,
) -> Result<&'a mut Account, Rejection> {
    let account = home.account_mut(&request.account);
    account.ok_or(Rejection::UnknownAccount)
}

fn check_kind(kind: AccountKind, spec: &AccountSpec) -> Result<(), Rejection> {
    let wrong = match kind {
        AccountKind::Org if spec.unlimited.is_some() => Some("unlimited"),
        AccountKind::Org if spec.org.is_some() => Some("org"),
        AccountKind::User if spec.policy.is_some() => Some("policy"),
        _ => None,
    };
    wrong.map_or(Ok(()), |field| Err(Rejection::WrongKind { field }))
}

/// Creates or changes an account.
pub(crate) fn put_account(
    home: &mut Home,
    context: &Context<'_>,
    request: &Request,
    presence: Presence,
    spec: &AccountSpec,
) -> Result<Outcome, Rejection> {
    check_kind(request.account.kind(), spec)?;
    let found = home.accounts.get(&request.account);
    match (found, presence) {
        (Some(_), Presence::New) => Err(Rejection::AccountExists),
        (None, Presence::Existing) => Err(Rejection::UnknownAccount),
        (None, _) => create(home, context, request, spec),
        (Some(_), _) => change(home, context, request, spec),
    }
}

fn create(
    home: &mut Home,
    context: &Context<'_>,
    request: &Request,
    spec: &AccountSpec,
) -> Result<Outcome, Rejection> {
    let is_at_home = match &spec.org {
        Some(org) => home.id == crate::ids::AccountId::org(org) && home.version != 0,
        None => home.id == request.account,
    };
    if !is_at_home {
        return Err(Rejection::UnknownOrg);
    }
    let is_user = request.account.kind() == AccountKind::User;
    let terms = Terms {
        created_at: context.now,
        time_zone: spec.time_zone.unwrap_or(Tz::UTC),
        disabled: spec.disabled.unwrap_or(false),
        unlimited: is_user && new_user_is_unlimited(spec.unlimited, spec.org.as_ref()),
        org: spec.org.clone(),
        policy: spec.policy.unwrap_or_default(),
        subscription: None,
        overrides: std::collections::BTreeMap::new(),
        tokens: std::collections::BTreeMap::new(),
        former_homes: Vec::new(),
        last_event: 0,
    };
    let books = Books::default();
    let account = Account { terms, books };
    home.accounts
        .insert(request.account.clone(), Arc::new(account));
    Ok(changed(
        home,
        context,
        request,
        Booking::change("account_created", None),
    ))
}

fn change(
    home: &mut Home,
    context: &Context<'_>,
    request: &Request,
    spec: &AccountSpec,
) -> Result<Outcome, Rejection> {
    let account = account_mut(home, request)?;
    if spec.org.is_some() && spec.org != account.terms.org {
        return Err(Rejection::OtherOrg);
    }
    let mut terms = account.terms.clone();
    terms.disabled = spec.disabled.unwrap_or(terms.disabled);
    terms.unlimited = spec.unlimited.unwrap_or(terms.unlimited);
    terms.policy = spec.policy.unwrap_or(terms.policy);
    terms.time_zone = spec.time_zone.unwrap_or(terms.time_zone);
    if terms == account.terms {
        return Ok(unchanged(home, context, request));
    }
    // Another zone has other calendar windows: what was used today or this month still counts there.
    let entries = move_usage(home, context, &request.account, terms, |_| true)?;
    let booking = Booking {
        entries,
        ..Booking::change("account_changed", None)
    };
    Ok(changed(home, context, request, booking))
}

fn in_future(
    field: &'static str,
    at: Option<DateTime<Utc>>,
    context: &Context<'_>,
) -> Result<(), Rejection> {
    if at.is_some_and(|at| at <= context.now) {
        return Err(Rejection::NotInFuture { field });
    }
    Ok(())
}

/// Sets an account's own limit (F6).
pub(crate) fn set_override(
    home: &mut Home,
    context: &Context<'_>,
    request: &Request,
    (feature, limit, expires_at): (&FeatureCode, Limit, Option<DateTime<Utc>>),
) -> Result<Outcome, Rejection> {
    let scale = context.feature(feature)?.scale;
    if limit.overflows(scale) {
        return Err(Rejection::OutOfRange {
            field: "limit",
            least: 0,
            most: COUNT_MAX.checked_div(scale).unwrap_or(COUNT_MAX),
        });
    }
    in_future("expires_at", expires_at, context)?;
    let own = Override {
        limit,
        expires_at,
        reason: request.origin.reason.clone(),
        actor: request.origin.actor.clone(),
    };
    let account = account_mut(home, request)?;
    if account.terms.overrides.get(feature) == Some(&own) {
        return Ok(unchanged(home, context, request));
    }
    account.terms.overrides.insert(feature.clone(), own);
    let detail = match limit {
        Limit::Unlimited => format!("{feature}: unlimited"),
        Limit::Of(limit) => format!("{feature}: {limit}"),
    };
    let booking = Booking::change("override_set", Some(detail));
    Ok(changed(home, context, request, booking))
}

/// Takes an account's own limit away; the plan's is back.
pub(crate) fn clear_override(
    home: &mut Home,
    context: &Context<'_>,
    request: &Request,
    feature: &FeatureCode,
) -> Result<Outcome, Rejection> {
    let account = account_mut(home, request)?;
    if account.terms.overrides.remove(feature).is_none() {
        return Ok(unchanged(home, context, request));
    }
    let booking = Booking::change("override_cleared", Some(feature.to_string()));
    Ok(changed(home, context, request, booking))
}

/// Creates or changes a token (T2, U7).
pub(crate) fn put_token(
    home: &mut Home,
    context: &Context<'_>,
    request: &Request,
    (id, presence): (&TokenId, Presence),
    (cap, expires_at): (Option<Limit>, Option<DateTime<Utc>>),
) -> Result<Outcome, Rejection> {
    if request.account.kind() != AccountKind::User {
        return Err(Rejection::WrongKind { field: "token" });
    }
    in_future("expires_at", expires_at, context)?;
    let account = account_mut(home, request)?;
    let known = account.terms.tokens.get(id).cloned();
    let token = match (&known, presence) {
        (Some(_), Presence::New) => return Err(Rejection::TokenExists(id.clone())),
        (None, Presence::Existing) => return Err(Rejection::UnknownToken(id.clone())),
        (Some(known), _) if known.revoked_at.is_some() => {
            return Err(Rejection::TokenRevoked(id.clone()));
        }
        (Some(known), _) => Token {
            cap: cap.unwrap_or(known.cap),
            expires_at: expires_at.or(known.expires_at),
            revoked_at: None,
        },
        (None, _) => Token {
            cap: new_token_cap(cap, account.terms.unlimited).ok_or(Rejection::CapRequired)?,
            expires_at,
            revoked_at: None,
        },
    };
    if known.as_ref() == Some(&token) {
        return Ok(unchanged(home, context, request));
    }
    if known.is_none() {
        make_room_for_token(home, context, request)?;
    }
    let account = account_mut(home, request)?;
    if let Some(balance) = account.books.balance_mut(&Bucket::Token(id.clone())) {
        balance.granted = token.cap;
    }
    account.terms.tokens.insert(id.clone(), token);
    let what = if known.is_some() {
        "token_changed"
    } else {
        "token_created"
    };
    Ok(changed(
        home,
        context,
        request,
        Booking::change(what, Some(id.to_string())),
    ))
}

/// Forgets tokens that ended when there are many; a token that is not known is denied as a revoked one is.
fn make_room_for_token(
    home: &mut Home,
    context: &Context<'_>,
    request: &Request,
) -> Result<(), Rejection> {
    let account = account_mut(home, request)?;
    if account.terms.tokens.len() < TOKENS_MAX {
        return Ok(());
    }
    let has_come = |at: Option<DateTime<Utc>>| at.is_some_and(|at| at <= context.now);
    let holds = |id: &TokenId| {
        let balance = account.books.balance(&Bucket::Token(id.clone()));
        balance.is_some_and(|balance| balance.held != 0)
    };
    let ended: Vec<TokenId> = account
        .terms
        .tokens
        .iter()
        .filter(|(id, token)| {
            (has_come(token.revoked_at) || has_come(token.expires_at)) && !holds(id)
        })
        .map(|(id, _)| id.clone())
        .collect();
    if ended.is_empty() {
        return Err(Rejection::Full { field: "token" });
    }
    for id in ended {
        account_mut(home, request)?.terms.tokens.remove(&id);
        close(home, &request.account, &Bucket::Token(id));
    }
    Ok(())
}

/// Revokes a token; it is denied from the next request on (T2).
pub(crate) fn revoke_token(
    home: &mut Home,
    context: &Context<'_>,
    request: &Request,
    id: &TokenId,
) -> Result<Outcome, Rejection> {
    let account = account_mut(home, request)?;
    let token = account.terms.tokens.get_mut(id);
    let token = token.ok_or_else(|| Rejection::UnknownToken(id.clone()))?;
    if token.revoked_at.is_some() {
        return Ok(unchanged(home, context, request));
    }
    token.revoked_at = Some(context.now);
    let booking = Booking::change("token_revoked", Some(id.to_string()));
    Ok(changed(home, context, request, booking))
}

/// Adds prepaid credits as a grant of its own.
pub(crate) fn grant_credits(
    home: &mut Home,
    context: &Context<'_>,
    request: &Request,
    (grant, credits): (&GrantId, Amount),
    (priority, expires_at): (u32, Option<DateTime<Utc>>),
) -> Result<Outcome, Rejection> {
    in_future("expires_at", expires_at, context)?;
    let account = account_mut(home, request)?;
    let bucket = Bucket::Grant(grant.clone());
    let is_known = account.books.closed_grants.contains(grant);
    if is_known || account.books.balance(&bucket).is_some() {
        return Err(Rejection::GrantExists);
    }
    let is_live = |balance: &&Balance| {
        matches!(balance.bucket, Bucket::Grant(_)) && balance.remaining(context.now) != 0
    };
    if account.books.balances.iter().filter(is_live).count() >= GRANTS_MAX {
        return Err(Rejection::Full { field: "grant" });
    }
    let granted = Limit::Of(credits.get());
    account.books.balances.push(Balance {
        ends_at: expires_at,
        priority,
        ..Balance::new(bucket.clone(), granted, context.now)
    });
    let scope = match request.account.kind() {
        AccountKind::User => Scope::User,
        AccountKind::Org => Scope::Org,
    };
    let entry = Entry {
        scope,
        account: request.account.clone(),
        bucket,
        feature: None,
        source: Source::Credits,
        used: 0,
        held: 0,
        overage: 0,
        granted: signed(credits.get()),
        unit_cost: 1,
    };
    let booking = Booking {
        entries: vec![entry],
        ..Booking::change(
            "credits_granted",
            Some(format!("{grant}: {}", credits.get())),
        )
    };
    Ok(changed(home, context, request, booking))
}
