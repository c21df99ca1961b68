//! Which refusal several items get: the first of F7 over all of them, in whatever order they were sent (X2).

use super::context::{Use, Uses};
use super::decide::drawn_before_denial;
use super::desk::Desk;
use super::posting::{Drawing, Posting, fits_counters, post, scope_account};
use crate::amount::Amount;
use crate::answer::Rejection;
use crate::denial::Denial;
use crate::home::Account;
use crate::item::Item;

/// The refusal to tell, of items of which one is refused: `why`, unless a denial of another one comes before it. The home
/// is as it was before the first item, and is so again afterwards.
pub(crate) fn first_refusal(
    desk: &mut Desk<'_>,
    wanted: Uses<'_>,
    (item, why): (&Item, Result<Denial, Rejection>),
) -> Result<(Item, Denial), Rejection> {
    if wanted.items.len() == 1 {
        return why.map(|denial| (item.clone(), denial));
    }
    let before = desk.home.accounts_of(&desk.request.account);
    let mut first: Option<(Item, Denial)> = None;
    for item in by_feature(wanted.items) {
        let Some(denial) = judge(desk, wanted, &item)? else {
            continue;
        };
        let is_first = |(_, known): &(Item, Denial)| denial.reason < known.reason;
        if first.as_ref().is_none_or(is_first) {
            first = Some((item, denial));
        }
    }
    desk.home.accounts.extend(before);
    first.map_or_else(|| why.map(|denial| (item.clone(), denial)), Ok)
}

/// The items with those of one feature as one: what would have been enough is told of all that was asked for of it (F7). Amounts
/// that are too large together stay apart.
fn by_feature(items: &[Item]) -> Vec<Item> {
    let mut merged: Vec<Item> = Vec::with_capacity(items.len());
    for item in items {
        let known = merged
            .iter_mut()
            .find(|known| known.feature == item.feature);
        let sum = known.as_ref().and_then(|known| {
            let sum = known.amount.get().saturating_add(item.amount.get());
            Amount::new(sum).ok()
        });
        match (known, sum) {
            (Some(known), Some(sum)) => known.amount = sum,
            (_, _) => merged.push(item.clone()),
        }
    }
    merged
}

/// Whether an item is denied. What the scopes before the one that denies it would give is booked, so that each scope is
/// asked for all that the items want of it; the scope that denies it gives nothing.
fn judge(desk: &mut Desk<'_>, wanted: Uses<'_>, item: &Item) -> Result<Option<Denial>, Rejection> {
    let user = &desk.request.account;
    let asked = Use {
        user,
        token: wanted.token,
        feature: &item.feature,
        amount: item.amount,
    };
    let question = desk.context.question(desk.home, asked, wanted.mode)?;
    let (draws, denial) = drawn_before_denial(&question);
    let account = |scope| {
        let id = scope_account(desk.home, user, scope);
        desk.home.accounts.get(id).map(AsRef::<Account>::as_ref)
    };
    // A counter that would leave its range is told of when nothing is denied.
    if fits_counters(&draws, &item.feature, account).is_err() {
        return Ok(denial);
    }
    for draw in &draws {
        let id = scope_account(desk.home, user, draw.scope).clone();
        let (own, further) = Posting::all_drawn(draw, &item.feature, Drawing::Spend);
        for posting in std::iter::once(own).chain(further) {
            post(desk, &id, posting)?;
        }
    }
    Ok(denial)
}
