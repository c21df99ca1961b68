//! Spending: one request over all its scopes, all its items or none (O5, X2).

use super::context::{Use, Uses};
use super::decide::{Drawn, Mode, draw};
use super::desk::Desk;
use super::member_count::count_drawn;
use super::numbering::number;
use super::outcome::Outcome;
use super::posting::{
    Drawing, Posting, count_units, fits_counters, post_by, scope_account, signed,
};
use super::purchases::{admit_waiting, has_waiting};
use super::refusal::first_refusal;
use super::room::buy_room;
use super::scope_balances::{scope_balances, standing_of};
use super::settle::paid_units;
use crate::answer::{Answer, Rejection, ScopeBalance};
use crate::catalog::Kind;
use crate::command::{Consume, ITEMS_MAX};
use crate::denial::{Denial, Reason};
use crate::draw::{Draw, Scope};
use crate::ids::{AccountId, FeatureCode, TokenId};
use crate::item::Item;
use crate::operation::Entry;

/// Decides all items and spends them, or spends none.
pub(crate) fn consume(desk: &mut Desk<'_>, asked: &Consume) -> Result<Outcome, Rejection> {
    let wanted = Uses {
        token: asked.token.as_ref(),
        items: &asked.items,
        mode: Mode::Ask,
    };
    spend(desk, wanted)
}

/// Spends all items, or says which of them cannot be had.
pub(crate) fn spend(desk: &mut Desk<'_>, wanted: Uses<'_>) -> Result<Outcome, Rejection> {
    let items = wanted.items;
    check_count(items)?;
    // One item needs no way back: it is decided before anything changes.
    let before = (items.len() > 1).then(|| desk.home.accounts_of(&desk.request.account));
    if items.len() > 1 {
        must_be_drawn(desk, items)?;
    }
    let (mut entries, mut balances) = (Vec::new(), Vec::new());
    for (index, item) in items.iter().enumerate() {
        let why = match spend_item(desk, wanted, item) {
            Ok(Ok((posted, _))) if posted.is_empty() => {
                // What requests use is drawn from something.
                Err(desk.context.not_drawn(&item.feature).in_list(index))
            }
            Ok(Ok((mut posted, standing))) => {
                if entries.is_empty() {
                    entries = posted;
                } else {
                    entries.append(&mut posted);
                }
                balances = standing;
                continue;
            }
            Ok(Err(denial)) => {
                // Of several items this was asked before: no index is lost.
                must_be_drawn(desk, std::slice::from_ref(item))?;
                Ok(denial)
            }
            Err(rejection) => Err(rejection.in_list(index)),
        };
        desk.home.accounts.extend(before.into_iter().flatten());
        let (item, denial) = first_refusal(desk, wanted, (item, why))?;
        return Ok(denied(desk, wanted.token, &item, denial));
    }
    if items.len() > 1 {
        balances = standing_of_items(desk, wanted);
    }
    let mut booking = desk.booking(Answer::Allowed { balances });
    booking.entries = entries;
    Ok(desk.book(booking))
}

/// Refuses to spend a flag, a setting (C2) or the members of an org (C12). Of several items this is asked before anything is booked; of one, which is the
/// usual case, only once nothing was drawn.
fn must_be_drawn(desk: &Desk<'_>, items: &[Item]) -> Result<(), Rejection> {
    for (index, item) in items.iter().enumerate() {
        let drawn = desk.context.must_be_drawn(&item.feature);
        drawn.map_err(|rejection| rejection.in_list(index))?;
    }
    Ok(())
}

/// How the scopes stand now for every feature of several items, each scope and feature once. A wallet pays for several
/// features and a token's cap counts them all, so what stood after one item may be outdated after the next.
pub(crate) fn standing_of_items(desk: &Desk<'_>, wanted: Uses<'_>) -> Vec<ScopeBalance> {
    let mut balances: Vec<ScopeBalance> = Vec::new();
    for item in wanted.items {
        for balance in standing_of(desk, wanted.token, &item.feature) {
            let is_same = |known: &ScopeBalance| {
                known.scope == balance.scope && known.feature == balance.feature
            };
            if !balances.iter().any(is_same) {
                balances.push(balance);
            }
        }
    }
    balances
}

/// Refuses an empty list and one that is too long.
pub(crate) fn check_count(items: &[Item]) -> Result<(), Rejection> {
    if items.is_empty() || items.len() > ITEMS_MAX {
        return Err(Rejection::OutOfRange {
            field: "items",
            least: 1,
            most: ITEMS_MAX.try_into().unwrap_or(u64::MAX),
        });
    }
    Ok(())
}

type Part = (Vec<Entry>, Vec<ScopeBalance>);

/// Decides one item and books it on the home, or says why not; the home is unchanged then.
pub(crate) fn spend_item(
    desk: &mut Desk<'_>,
    wanted: Uses<'_>,
    item: &Item,
) -> Result<Result<Part, Denial>, Rejection> {
    let asked = Use {
        user: &desk.request.account,
        token: wanted.token,
        feature: &item.feature,
        amount: item.amount,
    };
    let question = desk.context.question(desk.home, asked, wanted.mode)?;
    let drawn = match draw(&question) {
        Ok(drawn) => drawn,
        // Once more with what was bought and waits: then none waits, or as many are live as may be.
        Err(_) if admit_all(desk) => return spend_item(desk, wanted, item),
        Err(denial) => return Ok(Err(denial)),
    };
    let entries = take(desk, &item.feature, &drawn, Drawing::Spend)?;
    let balances = scope_balances(desk, wanted.token, &item.feature, &drawn);
    Ok(Ok((entries, balances)))
}

/// Books draws, spent or held; nothing is changed when one of them cannot be booked.
pub(crate) fn take(
    desk: &mut Desk<'_>,
    feature: &FeatureCode,
    drawn: &Drawn,
    drawing: Drawing,
) -> Result<Vec<Entry>, Rejection> {
    let user = &desk.request.account;
    let accounts = |scope| {
        let id = scope_account(desk.home, user, scope);
        desk.home.accounts.get(id).map(AsRef::as_ref)
    };
    fits_counters(&drawn.draws, feature, accounts)?;
    let mut entries = Vec::with_capacity(drawn.draws.len());
    for draw in &drawn.draws {
        let id = scope_account(desk.home, user, draw.scope).clone();
        let own = drawn.allowance(draw.scope);
        let (first, further) = Posting::all_drawn(draw, feature, drawing);
        entries.push(post_by(desk, &id, own, first)?);
        for posting in further {
            entries.push(post_by(desk, &id, own, posting)?);
        }
    }
    if drawing == Drawing::Spend {
        count_credits(desk, feature, &drawn.draws, signed)?;
        entries.extend(buy_room(desk, feature, &drawn.draws)?);
        if drawn.kind == Kind::Capacity {
            number(desk, feature, &mut entries)?;
        }
    }
    if let Some(own) = &drawn.org {
        let entry = count_drawn(desk, feature, (own, &drawn.draws), drawing);
        entries.extend(entry);
    }
    Ok(entries)
}

/// Counts the units that credits paid in the lifetime totals of user and org.
pub(crate) fn count_credits(
    desk: &mut Desk<'_>,
    feature: &FeatureCode,
    draws: &[Draw],
    sign: fn(u64) -> i64,
) -> Result<(), Rejection> {
    for scope in [Scope::User, Scope::Org] {
        let units = paid_units(draws.iter().filter(|draw| draw.scope == scope));
        if units != 0 {
            let id = scope_account(desk.home, &desk.request.account, scope).clone();
            count_units(desk, &id, feature, sign(units))?;
            admit(desk, &id);
        }
    }
    Ok(())
}

/// Makes grants of an account live that wait, as far as others were spent (P18); says whether any is.
fn admit(desk: &mut Desk<'_>, id: &AccountId) -> bool {
    // Nearly no account has any, and one that is not changed is not copied.
    let now = desk.context.now;
    let account = has_waiting(desk.home, id).then(|| desk.home.account_mut(id));
    account
        .flatten()
        .is_some_and(|account| admit_waiting(account, now))
}

/// The same, of the user that asks and of its org.
fn admit_all(desk: &mut Desk<'_>) -> bool {
    let (user, org) = (desk.request.account.clone(), desk.home.id.clone());
    let of_user = admit(desk, &user);
    admit(desk, &org) || of_user
}

/// A denial: booked when it carries a key, so that its replay is the same. One that names what there is not is told as a
/// mistake and binds no key (X1): the user or the feature may be there when it is sent again.
pub(crate) fn denied(
    desk: &mut Desk<'_>,
    token: Option<&TokenId>,
    item: &Item,
    denial: Denial,
) -> Outcome {
    let names_unknown = matches!(denial.reason, Reason::UnknownUser | Reason::UnknownFeature);
    let balances = if names_unknown {
        Vec::new()
    } else {
        standing_of(desk, token, &item.feature)
    };
    let booking = desk.booking(Answer::Denied {
        feature: item.feature.clone(),
        requested: item.amount.get(),
        denial,
        balances,
    });
    let has_key = desk.request.key.is_some();
    if has_key && !names_unknown && desk.home.version != 0 {
        desk.book(booking)
    } else {
        desk.leave_unbooked(booking)
    }
}
