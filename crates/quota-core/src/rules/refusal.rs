//! Which refusal several items get: the first of F7 over all of them, in whatever order they were sent (X2).

use super::context::{Spending, Use};
use super::decide::drawn_before_denial;
use super::desk::Desk;
use super::posting::{Drawing, Posting, fits_counters, post, scope_account};
use crate::answer::Rejection;
use crate::denial::Denial;
use crate::home::Account;
use crate::item::Item;

/// The refusal to tell, of items of which one is refused: `why`, unless a denial of another one comes before it. The home
/// is as it was before the first item, and is so again afterwards.
pub(crate) fn first_refusal<'a>(
    desk: &mut Desk<'_>,
    spending: Spending<'a>,
    (item, why): (&'a Item, Result<Denial, Rejection>),
) -> Result<(&'a Item, Denial), Rejection> {
    if spending.items.len() == 1 {
        return why.map(|denial| (item, denial));
    }
    let before = desk.home.accounts_of(&desk.request.account);
    let mut first: Option<(&Item, Denial)> = None;
    for item in spending.items {
        let Some(denial) = judge(desk, spending, item)? else {
            continue;
        };
        if first.is_none_or(|(_, known)| denial.reason < known.reason) {
            first = Some((item, denial));
        }
    }
    desk.home.accounts.extend(before);
    first.map_or_else(|| why.map(|denial| (item, denial)), Ok)
}

/// Whether an item is denied. What the scopes before the one that denies it would give is booked, so that each scope is
/// asked for all that the items want of it; the scope that denies it gives nothing.
fn judge(
    desk: &mut Desk<'_>,
    spending: Spending<'_>,
    item: &Item,
) -> Result<Option<Denial>, Rejection> {
    let user = &desk.request.account;
    let asked = Use {
        user,
        token: spending.token,
        feature: &item.feature,
        amount: item.amount,
    };
    let question = desk.context.question(desk.home, asked, spending.mode)?;
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
