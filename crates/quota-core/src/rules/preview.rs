//! A preview: what a change of the subscription, its seats or add-ons would come to, or its end. The command itself is carried out on a
//! copy of the home that is thrown away, so that a preview says what the change does and nothing else.

use chrono::{DateTime, TimeDelta, Utc};

use super::context::Context;
use super::dropped::{Dropped, dropped};
use super::execute::execute;
use super::expire_holds::expire_due;
use super::scope_balances::{FeatureStanding, Overview, overview};
use crate::amount::Limit;
use crate::answer::{Answer, Rejection, ScopeBalance};
use crate::catalog::{Cadence, Kind};
use crate::change::Change;
use crate::command::{Command, Renew, Request, SetStatus};
use crate::home::{Account, Home};
use crate::ids::{AccountId, FeatureCode};
use crate::terms::{Status, Subscription};

/// What a change would come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// What would change, and in words to what; none when there is nothing to do.
    pub change: Option<(Change, Option<String>)>,
    /// When it acts: now, or when the plan takes over that it schedules or queues, the period begins that it adds, or the
    /// subscription ends that it cancels (S4, S5, S8).
    pub acts_at: DateTime<Utc>,
    /// Whether the plan takes over only if the subscription is renewed until then.
    pub needs_renewal: bool,
    /// How the account stands now.
    pub before: Overview,
    /// How it stands once the change has acted, if nothing else happens until then.
    pub after: Overview,
    /// Of what more is used than it may have then: nothing is taken away, and nothing more is granted (S6).
    pub over: Vec<Over>,
    /// What it has now and has not then, by the code of the feature.
    pub lost: Vec<Lost>,
    /// What of the subscription gives way: time and periods that were paid for, a change that waited, an end.
    pub dropped: Vec<Dropped>,
}

/// A limit below what is used of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Over {
    /// Code of the feature.
    pub feature: FeatureCode,
    /// Of several limits on the feature, which one.
    pub window: Option<Cadence>,
    /// The limit in stored units; 0 of a capacity that the plan does not have.
    pub limit: u64,
    /// What is used of it and held, in stored units.
    pub used: u64,
}

/// Something that an account has not any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// Code of the feature.
    pub feature: FeatureCode,
    /// What of it is lost.
    pub what: WhatIsLost,
}

/// What of a feature is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhatIsLost {
    /// Its limit: the plan does not name it, and neither an add-on nor an override does.
    Limit,
    /// The flag.
    Flag,
    /// The setting's value.
    Setting,
    /// The sale on demand (C11). What is owed stays owed.
    OnDemand,
}

/// What `command` would come to for an account of `home`, a copy that is thrown away.
///
/// # Errors
/// The [`Rejection`] that the command itself would get.
pub fn preview(
    context: &Context<'_>,
    mut home: Home,
    id: &AccountId,
    command: Command,
) -> Result<Preview, Rejection> {
    let held_before = home.clone();
    let outcome = execute(&mut home, &Request::rehearsal(id, command), context)?;
    let change = match &outcome.operation.answer {
        Answer::Changed { change, detail, .. } => Some((*change, detail.clone())),
        Answer::Allowed { .. }
        | Answer::Reserved { .. }
        | Answer::Settled { .. }
        | Answer::Denied { .. }
        | Answer::Refunded { .. }
        | Answer::Released { .. }
        | Answer::Unchanged => None,
    };
    let before = seen(context, &held_before, id)?;
    let next = terms_of(&home, id)?.terms.subscription.clone();
    let acts_at = acts_at(change.as_ref(), next.as_ref(), context.now);
    let waits = change
        .as_ref()
        .is_some_and(|(change, _)| *change == Change::PlanChangeScheduled && context.now < acts_at);
    let needs_renewal = waits && !takes_over(next.as_ref(), acts_at);
    if needs_renewal {
        renew(context, &mut home, id, acts_at)?;
    }
    let then = Context {
        now: acts_at,
        ..*context
    };
    // A hold whose deadline comes before counts no more then (R4).
    expire_due(&mut home, &then);
    let after = seen(&then, &home, id)?;
    let current = before.terms.subscription.as_ref();
    let current = current.map(|held| held.current(context.catalog, context.now));
    let dropped = match (current, &next) {
        (Some(current), Some(next)) => dropped(&current, next, context.now),
        (None, _) | (_, None) => Vec::new(),
    };
    Ok(Preview {
        change,
        acts_at,
        needs_renewal,
        over: over(&after),
        lost: lost(&before, &after),
        dropped,
        before,
        after,
    })
}

fn terms_of<'a>(home: &'a Home, id: &AccountId) -> Result<&'a Account, Rejection> {
    let account = home.accounts.get(id);
    account.map(AsRef::as_ref).ok_or(Rejection::UnknownAccount)
}

fn seen(context: &Context<'_>, home: &Home, id: &AccountId) -> Result<Overview, Rejection> {
    let account = terms_of(home, id)?;
    let org = account.terms.org.as_ref().and(home.accounts.get(&home.id));
    let member = (account, org.map(AsRef::as_ref));
    Ok(overview(context, id, home.version, member))
}

/// When a change acts: one that is scheduled or queued, a renewal and a cancellation at its time, any other now.
fn acts_at(
    change: Option<&(Change, Option<String>)>,
    next: Option<&Subscription>,
    now: DateTime<Utc>,
) -> DateTime<Utc> {
    let (Some((change, _)), Some(next)) = (change, next) else {
        return now;
    };
    let at = if *change == Change::PlanChangeScheduled {
        next.scheduled_change().map(|change| change.at)
    } else if [Change::SubscriptionStarted, Change::SubscriptionRenewed].contains(change) {
        Some(next.last().starts_at)
    } else if *change == Change::SubscriptionCanceled {
        next.canceled_at()
    } else {
        None
    };
    at.map_or(now, |at| at.max(now))
}

/// Whether something that begins at `at` follows by itself.
fn takes_over(next: Option<&Subscription>, at: DateTime<Utc>) -> bool {
    next.is_some_and(|next| next.chain().any(|one| one.starts_at == at))
}

/// Renews the subscription in time for the change that is scheduled; one that is not paid for is paid first.
fn renew(
    context: &Context<'_>,
    home: &mut Home,
    id: &AccountId,
    acts_at: DateTime<Utc>,
) -> Result<(), Rejection> {
    let eve = acts_at.checked_sub_signed(TimeDelta::microseconds(1));
    let eve = Context {
        now: eve.unwrap_or(acts_at),
        ..*context
    };
    let renewal = Request::rehearsal(id, Command::Renew(Renew::default()));
    let Err(refused) = execute(home, &renewal, &eve) else {
        return Ok(());
    };
    if !matches!(refused, Rejection::NotPaid { .. }) {
        return Err(refused);
    }
    let status = Status::Active;
    let payment = Request::rehearsal(id, Command::SetStatus(SetStatus { status }));
    execute(home, &payment, &eve)?;
    execute(home, &renewal, &eve)?;
    Ok(())
}

/// The limits that are below what is used of them.
fn over(after: &Overview) -> Vec<Over> {
    if !after.is_in_force {
        // Nothing is granted at all (S3): that is not for want of a larger plan.
        return Vec::new();
    }
    after.features.iter().flat_map(over_of).collect()
}

fn over_of(standing: &FeatureStanding) -> Vec<Over> {
    let own = &standing.own;
    let code = &standing.feature.code;
    let above = |window: Option<Cadence>, limit: u64, parts: [u64; 3]| {
        let used = parts.into_iter().fold(0, u64::saturating_add);
        (limit < used).then(|| Over {
            feature: code.clone(),
            window,
            limit,
            used,
        })
    };
    if own.windows.is_empty() {
        let limit = match own.granted {
            Some(limit) => limit.ceiling(),
            None => Some(0).filter(|_| standing.feature.kind == Kind::Capacity),
        };
        let parts = [own.used, own.held, own.overage];
        return limit
            .and_then(|limit| above(None, limit, parts))
            .into_iter()
            .collect();
    }
    let windows = own.windows.iter().filter_map(|window| {
        let parts = [window.used, window.held, window.overage];
        above(Some(window.per), window.granted.ceiling()?, parts)
    });
    windows.collect()
}

/// What the account has before and not after.
fn lost(before: &Overview, after: &Overview) -> Vec<Lost> {
    let mut lost = Vec::new();
    let mut goes = |feature: &FeatureCode, what| {
        let feature = feature.clone();
        lost.push(Lost { feature, what });
    };
    for (had, has) in before.features.iter().zip(&after.features) {
        debug_assert_eq!(had.feature.code, has.feature.code, "of the same catalog");
        let code = &had.feature.code;
        if grants(&had.own) && !grants(&has.own) {
            goes(code, WhatIsLost::Limit);
        }
        if had.own.on_demand.is_some() && has.own.on_demand.is_none() {
            goes(code, WhatIsLost::OnDemand);
        }
    }
    for (code, had) in &before.had.flags {
        if *had && after.had.flags.get(code) == Some(&false) {
            goes(code, WhatIsLost::Flag);
        }
    }
    for code in before.had.settings.keys() {
        if !after.had.settings.contains_key(code) {
            goes(code, WhatIsLost::Setting);
        }
    }
    lost
}

/// Whether there is a limit that grants something.
fn grants(balance: &ScopeBalance) -> bool {
    balance.granted.is_some_and(|limit| limit != Limit::Of(0))
}
