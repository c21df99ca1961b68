//! Boosts are given, and taken back (C13): units of one feature until an instant.

use chrono::{DateTime, Utc};

use super::closing::why_empty;
use super::context::Context;
use super::desk::Desk;
use super::had::in_force;
use super::outcome::Outcome;
use super::posting::{negated, signed, worth_entry};
use crate::amount::Limit;
use crate::answer::Rejection;
use crate::balance::{Balance, Bucket};
use crate::catalog::Kind;
use crate::change::Change;
use crate::command::{BOOSTS_MAX, GiveBoost, TakeBackBoost};
use crate::draw::Source;
use crate::emptied::Emptied;
use crate::home::{Account, Books};
use crate::ids::BoostId;
use crate::payment_misfit::PaymentMisfit;

/// Gives units of a feature until an instant; without one, until the end of the subscription's running period.
///
/// Not of a capacity: what is occupied stays when the boost ends (S6), and would be counted nowhere. An override raises
/// such a limit.
pub(crate) fn give_boost(desk: &mut Desk<'_>, asked: &GiveBoost) -> Result<Outcome, Rejection> {
    let context = desk.context;
    let feature = context.counted(&asked.feature)?;
    if feature.kind != Kind::Consumable {
        return Err(Rejection::NotConsumable(feature.code.clone()));
    }
    context.must_be_later("ends_at", asked.ends_at)?;
    let account = desk.account_mut()?;
    let ends_at = asked.ends_at.or_else(|| period_end(&context, account));
    let ends_at = ends_at.ok_or(Rejection::EndRequired { field: "ends_at" })?;
    if is_known(&account.books, &asked.boost) {
        return Err(Rejection::BoostExists);
    }
    let is_live = |balance: &&Balance| {
        matches!(balance.bucket, Bucket::Boost(..)) && balance.remaining(context.now) != 0
    };
    if account.books.balances.iter().filter(is_live).count() >= BOOSTS_MAX {
        return Err(Rejection::Full {
            field: "boost",
            most: BOOSTS_MAX,
            next: "give more at once, or use some up first",
        });
    }
    let bucket = Bucket::Boost(feature.code.clone(), asked.boost.clone());
    let amount = asked.amount.get();
    account.books.balances.push(Balance {
        ends_at: Some(ends_at),
        ..Balance::new(bucket.clone(), Limit::Of(amount), context.now)
    });
    let entry = worth_entry(desk, bucket, Source::Boost, signed(amount));
    let detail = Some(format!("{}: {amount} {}", asked.boost, feature.code));
    Ok(desk.book_and_announce(Change::BoostGiven, detail, vec![entry]))
}

/// Takes back what nobody has used or reserved of a boost.
pub(crate) fn take_back_boost(
    desk: &mut Desk<'_>,
    asked: &TakeBackBoost,
) -> Result<Outcome, Rejection> {
    let now = desk.context.now;
    let boost = &asked.boost;
    let is_closed = desk.account()?.books.closed_boosts.contains(boost);
    let why = why_empty(desk, |closed| is_boost(closed, boost));
    let account = desk.account_mut()?;
    let mut balances = account.books.balances.iter_mut();
    let Some(balance) = balances.find(|balance| is_boost(&balance.bucket, boost)) else {
        return Err(if is_closed {
            Rejection::BoostEmpty { why }
        } else {
            Rejection::UnknownBoost(boost.clone())
        });
    };
    if balance.backing.is_some() {
        return Err(PaymentMisfit::BoostBought(boost.clone()).into());
    }
    let left = balance.remaining(now);
    if left == 0 {
        let why = Emptied::of(balance, now);
        return Err(Rejection::BoostEmpty { why });
    }
    balance.granted = Limit::Of(balance.granted.room(left));
    let bucket = balance.bucket.clone();
    let entry = worth_entry(desk, bucket, Source::Boost, negated(left));
    let detail = Some(format!("{boost}: {left}"));
    Ok(desk.book_and_announce(Change::BoostTakenBack, detail, vec![entry]))
}

/// The end of the running period of the account's subscription, if one is in force.
pub(super) fn period_end(context: &Context<'_>, account: &Account) -> Option<DateTime<Utc>> {
    let held = in_force(context, &account.terms)?;
    held.period(context.now).ends_at
}

fn is_boost(bucket: &Bucket, boost: &BoostId) -> bool {
    matches!(bucket, Bucket::Boost(_, id) if id == boost)
}

/// Whether the account has or had a boost of that id, of whatever feature.
pub(super) fn is_known(books: &Books, boost: &BoostId) -> bool {
    let mut known = books.all();
    books.closed_boosts.contains(boost) || known.any(|balance| is_boost(&balance.bucket, boost))
}
