//! An account's own cap on what it spends on demand (C11): the operator's, and the owner's below it.
//!
//! It changes the terms alone: how far it reaches is asked anew by each request.

use super::desk::Desk;
use super::outcome::Outcome;
use super::spending::plan_in_force;
use crate::amount::AMOUNT_MAX;
use crate::answer::Rejection;
use crate::catalog::Plan;
use crate::change::Change;
use crate::command::{ClearSpendCap, SetSpendCap};
use crate::terms::SpendCap;

/// Sets the cap. An owner may go as far as the operator's cap, or without one as the plan's caps together.
pub(crate) fn set_spend_cap(
    desk: &mut Desk<'_>,
    asked: &SetSpendCap,
) -> Result<Outcome, Rejection> {
    let amount = asked.amount;
    if AMOUNT_MAX < amount {
        return Err(Rejection::OutOfRange {
            field: "amount",
            least: 0,
            most: AMOUNT_MAX,
        });
    }
    let context = desk.context;
    let account = desk.account_mut()?;
    let of_plan = plan_in_force(&context, account).map(|(plan, _)| Plan::on_demand_cap(plan));
    let known = account.terms.spend_cap;
    let most = known.operator.or(of_plan).unwrap_or(0);
    if asked.by_owner && most < amount {
        return Err(Rejection::SpendCapTooHigh { most });
    }
    let mut next = known;
    let (who, own) = if asked.by_owner {
        ("owner", &mut next.owner)
    } else {
        ("operator", &mut next.operator)
    };
    *own = Some(amount);
    let detail = format!("{who}: {amount}");
    put(desk, next, (Change::SpendCapSet, Some(detail)))
}

/// Takes the cap away: by an operator both, so that the plan's caps are back; by the owner its own.
pub(crate) fn clear_spend_cap(
    desk: &mut Desk<'_>,
    asked: &ClearSpendCap,
) -> Result<Outcome, Rejection> {
    let known = desk.account()?.terms.spend_cap;
    let next = if asked.by_owner {
        SpendCap {
            owner: None,
            ..known
        }
    } else {
        SpendCap::default()
    };
    put(desk, next, (Change::SpendCapCleared, None))
}

fn put(
    desk: &mut Desk<'_>,
    next: SpendCap,
    (change, detail): (Change, Option<String>),
) -> Result<Outcome, Rejection> {
    let account = desk.account_mut()?;
    if account.terms.spend_cap == next {
        return Ok(desk.unchanged());
    }
    account.terms.spend_cap = next;
    Ok(desk.book_and_announce(change, detail, Vec::new()))
}
