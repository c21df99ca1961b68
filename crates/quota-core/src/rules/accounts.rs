//! Accounts are created and changed.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono_tz::Tz;

use super::desk::Desk;
use super::members::{join, must_have_place};
use super::moves::move_usage;
use super::outcome::Outcome;
use super::relocate::org_event;
use super::zones::move_to_zone;
use crate::answer::Rejection;
use crate::change::Change;
use crate::command::{AccountSpec, Presence, PutAccount};
use crate::home::{Account, Books};
use crate::ids::{AccountId, AccountKind, OrgId};
use crate::terms::{Policy, SpendCap, Subscription, Terms, new_user_is_unlimited};

fn check_kind(kind: AccountKind, spec: &AccountSpec) -> Result<(), Rejection> {
    let wrong = match kind {
        AccountKind::Org if spec.unlimited.is_some() => Some("unlimited"),
        AccountKind::Org if spec.org.is_some() => Some("org"),
        AccountKind::User if spec.policy.is_some() => Some("policy"),
        AccountKind::Org | AccountKind::User => None,
    };
    wrong.map_or(Ok(()), |field| Err(Rejection::WrongKind { field }))
}

/// Creates or changes an account.
pub(crate) fn put_account(desk: &mut Desk<'_>, asked: &PutAccount) -> Result<Outcome, Rejection> {
    check_kind(desk.request.account.kind(), &asked.spec)?;
    let is_known = desk.home.accounts.contains_key(&desk.request.account);
    match (is_known, asked.presence) {
        (true, Presence::New) => Err(Rejection::AccountExists),
        (false, Presence::Existing) => Err(Rejection::UnknownAccount),
        (false, Presence::New | Presence::Any) => create(desk, &asked.spec),
        (true, Presence::Existing | Presence::Any) => change(desk, &asked.spec),
    }
}

/// That the user came to be in another home: in that org, or in none.
fn elsewhere(desk: &Desk<'_>) -> Rejection {
    let home = &desk.home.id;
    let is_org = home.kind() == AccountKind::Org;
    let org = OrgId::new(home.id()).ok();
    Rejection::OtherOrg {
        current: org.filter(|_| is_org),
    }
}

fn create(desk: &mut Desk<'_>, spec: &AccountSpec) -> Result<Outcome, Rejection> {
    match &spec.org {
        // Another creation was faster, and put it elsewhere.
        Some(org) if desk.home.id != AccountId::org(org) => return Err(elsewhere(desk)),
        Some(_) if desk.home.version == 0 => return Err(Rejection::UnknownOrg),
        None if desk.home.id != desk.request.account => return Err(elsewhere(desk)),
        Some(_) | None => {}
    }
    if spec.org.is_some() {
        join_org(desk)?;
    }
    let is_user = desk.request.account.kind() == AccountKind::User;
    let (now, default) = (desk.context.now, desk.context.catalog.default_plan());
    let detail = default.map(|(plan, _)| format!("with the default plan {}", plan.code));
    let terms = Terms {
        created_at: now,
        time_zone: spec.time_zone.unwrap_or(Tz::UTC),
        disabled: spec.disabled.unwrap_or(false),
        unlimited: is_user && new_user_is_unlimited(spec.unlimited, spec.org.as_ref()),
        unlimited_by_default: is_user && spec.unlimited.is_none() && spec.org.is_some(),
        org: spec.org.clone(),
        policy: spec.policy.unwrap_or_default(),
        subscription: default.map(|(plan, version)| Subscription::start(plan, version, now)),
        trial_settled_at: None,
        addons: BTreeMap::new(),
        overrides: BTreeMap::new(),
        given: BTreeMap::new(),
        tokens: BTreeMap::new(),
        former_homes: Vec::new(),
        left_members: BTreeMap::new(),
        members: 0,
        member_limits: BTreeMap::new(),
        spend_cap: SpendCap::default(),
        auto_top_up: None,
        last_event: 0,
    };
    let books = Books::default();
    let account = Account { terms, books };
    let id = desk.request.account.clone();
    desk.home.accounts.insert(id, Arc::new(account));
    let outcome = desk.book_and_announce(Change::AccountCreated, detail, Vec::new());
    if spec.org.is_some() {
        announce_to_org(desk, &outcome);
    }
    Ok(outcome)
}

/// Tells the org whose home this is that it has a member more (Y3).
fn announce_to_org(desk: &mut Desk<'_>, outcome: &Outcome) {
    let id = desk.home.id.clone();
    if let Some(org) = desk.home.account_mut(&id) {
        let event = org_event((&id, org), &outcome.operation, Change::MemberJoined);
        desk.home.changes.events.push(event);
    }
}

/// Counts one member more of the org whose home this is (C12).
fn join_org(desk: &mut Desk<'_>) -> Result<(), Rejection> {
    let (context, id) = (desk.context, desk.home.id.clone());
    let org = desk.home.account_mut(&id).ok_or(Rejection::UnknownOrg)?;
    must_have_place(&context, org)?;
    join(&mut org.terms);
    desk.home.changes.accounts.insert(id.clone());
    desk.home.changes.terms.insert(id);
    Ok(())
}

fn change(desk: &mut Desk<'_>, spec: &AccountSpec) -> Result<Outcome, Rejection> {
    let account = desk.account()?;
    if spec.org.is_some() && spec.org != account.terms.org {
        let current = account.terms.org.clone();
        return Err(Rejection::OtherOrg { current });
    }
    let mut terms = account.terms.clone();
    terms.disabled = spec.disabled.unwrap_or(terms.disabled);
    if let Some(unlimited) = spec.unlimited {
        (terms.unlimited, terms.unlimited_by_default) = (unlimited, false);
    }
    terms.policy = spec.policy.unwrap_or(terms.policy);
    terms.time_zone = spec.time_zone.unwrap_or(terms.time_zone);
    if terms == account.terms {
        return Ok(desk.unchanged());
    }
    let detail = Some(differences(&account.terms, &terms));
    // Another zone has other calendar windows: what was used today or this month still counts there.
    let entries = if terms.time_zone == account.terms.time_zone {
        move_usage(desk, terms, |_| true)?
    } else {
        move_to_zone(desk, terms)?
    };
    Ok(desk.book_and_announce(Change::AccountChanged, detail, entries))
}

/// What a change of an account made other, in words.
fn differences(before: &Terms, after: &Terms) -> String {
    let mut parts = Vec::new();
    if before.disabled != after.disabled {
        parts.push(
            if after.disabled {
                "disabled"
            } else {
                "enabled"
            }
            .to_owned(),
        );
    }
    if (before.unlimited, before.unlimited_by_default)
        != (after.unlimited, after.unlimited_by_default)
    {
        parts.push(
            if after.unlimited {
                "unlimited"
            } else {
                "limited"
            }
            .to_owned(),
        );
    }
    if before.policy != after.policy {
        let policy = match after.policy {
            Policy::Enforce => "enforce",
            Policy::Track => "track",
        };
        parts.push(format!("policy {policy}"));
    }
    if before.time_zone != after.time_zone {
        parts.push(format!("time zone {}", after.time_zone));
    }
    parts.join(", ")
}
