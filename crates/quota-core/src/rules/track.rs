//! Track: use that already happened is recorded, and never denied (X5).

use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};

use super::closed::closed_of;
use super::closing::{close, is_over};
use super::context::{Use, Uses};
use super::decide::{Drawn, Mode, draw_by};
use super::desk::Desk;
use super::opening::opened;
use super::outcome::Outcome;
use super::past::{Opened, Past, past};
use super::posting::{Drawing, scope_account};
use super::scope_balances::{scope_balances, token_balance};
use super::spend::{check_count, spend, take};
use crate::answer::{Answer, Rejection, ScopeBalance};
use crate::balance::Balance;
use crate::command::{TOLD_LATE_DAYS_MAX, Track};
use crate::draw::Scope;
use crate::ids::{AccountId, FeatureCode, TokenId};
use crate::item::Item;
use crate::operation::Entry;

/// Spends all items: they were used already, now or at an earlier instant.
pub(crate) fn track(desk: &mut Desk<'_>, asked: &Track) -> Result<Outcome, Rejection> {
    let wanted = Uses {
        token: asked.token.as_ref(),
        items: &asked.items,
        mode: Mode::Force,
    };
    must_exist(desk, wanted)?;
    match asked.at {
        Some(at) => track_late(desk, wanted, at.trunc_subsecs(6)),
        None => spend(desk, wanted),
    }
}

/// What is recorded after the fact cannot be denied, so what it names must exist.
fn must_exist(desk: &Desk<'_>, wanted: Uses<'_>) -> Result<(), Rejection> {
    check_count(wanted.items)?;
    let account = desk.account()?;
    if let Some(token) = wanted.token
        && !account.terms.tokens.contains_key(token)
    {
        return Err(Rejection::UnknownToken(token.clone()));
    }
    for (index, item) in wanted.items.iter().enumerate() {
        let found = desk.context.drawn(&item.feature);
        found.map_err(|rejection| rejection.in_list(index))?;
    }
    Ok(())
}

/// Books use in the windows of `at`, that of a token's cap too (T3): those that were closed are live for that moment. What has no
/// window pays as it would now: credits, the trial. The answer says how the windows stand that were booked in.
fn track_late(
    desk: &mut Desk<'_>,
    wanted: Uses<'_>,
    at: DateTime<Utc>,
) -> Result<Outcome, Rejection> {
    must_be_known(desk, at)?;
    let (mut entries, mut opened) = (Vec::new(), Vec::new());
    let mut drawn = Vec::with_capacity(wanted.items.len());
    let of_token = open_cap(desk, wanted.token, at)?;
    for (index, item) in wanted.items.iter().enumerate() {
        let windows = open(desk, item, at)?;
        let taken = spend_in(desk, (wanted, at), item, &windows);
        let (posted, part) = taken.map_err(|rejection| rejection.in_list(index))?;
        entries.extend(posted);
        drawn.push((&item.feature, part));
        opened.push(windows);
    }
    let balances = standing(desk, (wanted, at), &drawn);
    let user = desk.request.account.clone();
    close_again(desk, &user, of_token.as_slice());
    for windows in &opened {
        for past in std::iter::once(&windows.user).chain(&windows.org) {
            close_again(desk, &past.account, &past.opened);
        }
    }
    for entry in &mut entries {
        entry.used_at = Some(at);
    }
    let mut booking = desk.booking(Answer::Allowed { balances });
    booking.entries = entries;
    Ok(desk.book(booking))
}

/// Refuses an instant that is to come, or so long ago that it is not told any more, or before there was the account.
fn must_be_known(desk: &Desk<'_>, at: DateTime<Utc>) -> Result<(), Rejection> {
    let (now, days_max) = (desk.context.now, TOLD_LATE_DAYS_MAX);
    let began_at = desk.account()?.terms.began_at();
    let oldest = now.checked_sub_signed(TimeDelta::days(i64::from(days_max)));
    if now < at || oldest.is_some_and(|oldest| at < oldest) {
        let field = "at";
        return Err(Rejection::NotRecent { field, days_max });
    }
    if at < began_at {
        let account = desk.request.account.clone();
        return Err(Rejection::BeforeAccount { account, began_at });
    }
    Ok(())
}

/// The windows that an item is booked in.
struct Windows {
    user: Past,
    org: Option<Past>,
}

/// Finds the windows of an item at the user and at its org, and has them live.
fn open(desk: &mut Desk<'_>, item: &Item, at: DateTime<Utc>) -> Result<Windows, Rejection> {
    let is_member = desk.account()?.terms.org.is_some();
    let feature = desk.context.feature(&item.feature)?;
    let mut open_at = |scope| -> Result<Past, Rejection> {
        let id = scope_account(desk.home, &desk.request.account, scope).clone();
        let past = past(desk, id, feature, at)?;
        if let Some(account) = desk.home.account_mut(&past.account) {
            let opened = past.opened.iter().map(Opened::live);
            account.books.balances.extend(opened);
        }
        Ok(past)
    };
    Ok(Windows {
        user: open_at(Scope::User)?,
        org: if is_member {
            Some(open_at(Scope::Org)?)
        } else {
            None
        },
    })
}

/// Has the window of a token's cap live that held `at`; none where that counts now, or the cap has no windows. What was used before
/// the token was made counts in the first of them.
fn open_cap(
    desk: &mut Desk<'_>,
    token: Option<&TokenId>,
    at: DateTime<Utc>,
) -> Result<Option<Opened>, Rejection> {
    let context = desk.context;
    let account = desk.account()?;
    let known = token.and_then(|id| Some((id, account.terms.tokens.get(id)?)));
    let Some((id, token)) = known else {
        return Ok(None);
    };
    let bucket = token.bucket(id, at);
    if bucket == token.bucket(id, context.now) || account.books.balance(&bucket).is_some() {
        return Ok(None);
    }
    let closed = closed_of(desk).find(|known| known.bucket == bucket);
    let opened = match closed {
        Some(closed) => Opened::Closed(closed.clone()),
        None => Opened::New(Balance {
            granted: token.cap,
            ..opened(account, &context, &bucket)
        }),
    };
    desk.account_mut()?.books.balances.push(opened.live());
    Ok(Some(opened))
}

fn spend_in(
    desk: &mut Desk<'_>,
    (wanted, at): (Uses<'_>, DateTime<Utc>),
    item: &Item,
    windows: &Windows,
) -> Result<(Vec<Entry>, Drawn), Rejection> {
    let asked = Use {
        user: &desk.request.account,
        token: wanted.token,
        feature: &item.feature,
        amount: item.amount,
    };
    let question = desk.context.question(desk.home, asked, wanted.mode)?;
    let drawn = draw_by(&question, at, |scope, _, _| {
        let org = windows.org.as_ref().filter(|_| scope == Scope::Org);
        org.unwrap_or(&windows.user).own.clone()
    });
    // What it names exists, and what happened already is not denied.
    let drawn = drawn.map_err(|_| Rejection::UnknownAccount)?;
    let entries = take(desk, &item.feature, &drawn, Drawing::Spend)?;
    Ok((entries, drawn))
}

/// How the scopes stand in those windows, each scope and feature once: what stood after one item may be outdated after
/// the next.
fn standing(
    desk: &Desk<'_>,
    (wanted, at): (Uses<'_>, DateTime<Utc>),
    drawn: &[(&FeatureCode, Drawn)],
) -> Vec<ScopeBalance> {
    let mut balances: Vec<ScopeBalance> = Vec::new();
    for (feature, drawn) in drawn {
        for balance in scope_balances(desk, wanted.token, feature, drawn) {
            let is_same = |known: &ScopeBalance| {
                known.scope == balance.scope && known.feature == balance.feature
            };
            if !balances.iter().any(is_same) {
                balances.push(balance);
            }
        }
    }
    let capped = wanted.token.zip(desk.account().ok());
    let then = capped.and_then(|(token, account)| token_balance(account, token, at));
    let of_token = balances
        .iter_mut()
        .find(|balance| balance.scope == Scope::Token);
    if let (Some(shown), Some(then)) = (of_token, then) {
        *shown = then;
    }
    balances
}

/// Closes the windows that were opened for this, once more or for the first time.
fn close_again(desk: &mut Desk<'_>, id: &AccountId, opened: &[Opened]) {
    let context = desk.context;
    for opened in opened {
        let bucket = opened.bucket();
        let Some(account) = desk.home.account_mut(id) else {
            return;
        };
        let Some(balance) = account.books.balance(bucket) else {
            continue;
        };
        let is_closed = match opened {
            Opened::Closed(_) => true,
            Opened::New(_) if balance.spent() == 0 => {
                let balances = &mut account.books.balances;
                balances.retain(|balance| balance.bucket != *bucket);
                false
            }
            Opened::New(_) => is_over(account, balance, &context),
        };
        if is_closed {
            close(desk.home, id, bucket);
        }
    }
}
