//! Refund: a consumption is reversed to its sources (X3, R6).

use super::closed::{Known, closed_balance};
use super::closing::close;
use super::desk::Desk;
use super::member_count::count_back;
use super::numbering::Refundable;
use super::outcome::Outcome;
use super::posting::{Posting, negated, post, scope_account};
use super::refunding::{Refunding, is_occupied, is_since_arrival, most_of, was_reset};
use super::room::give_room_up;
use super::scope_balances::standing_of;
use super::spend::count_credits;
use crate::answer::{Answer, Rejection};
use crate::balance::{Balance, Bucket};
use crate::command::Refund;
use crate::cover::is_needed;
use crate::draw::{Draw, Scope, Source};
use crate::home::{Account, ClosedBalance, Home, MOVES_MAX, Referred};
use crate::ids::{AccountId, FeatureCode};
use crate::item::Item;
use crate::operation::Entry;

/// Reverses a consumption to its sources, last drawn first. One that is in parts is unknown to a single home: whoever knows
/// of others asks [`settle_former`](super::former::settle_former) then.
pub(crate) fn refund(desk: &mut Desk<'_>, asked: &Refund) -> Result<Outcome, Rejection> {
    let id = asked.operation;
    let account = desk.home.accounts.get(&desk.request.account);
    let account = account.ok_or(Rejection::UnknownOperation)?;
    let refunding = Refunding::of((desk.home, &account.books), &desk.request.account, asked)?;
    if is_in_parts(desk.home, &refunding.referred) {
        return Err(Rejection::UnknownOperation);
    }
    let entries = give_all_back(desk, &refunding, &Scope::ALL)?;
    let items = refunding.items;
    let balances = items
        .iter()
        .flat_map(|item| standing_of(desk, None, &item.feature))
        .collect();
    let mut booking = desk.booking(Answer::Refunded {
        items,
        balances,
        elsewhere: None,
    });
    (booking.refers_to, booking.entries) = (Some(id), entries);
    Ok(desk.book(booking))
}

/// Whether more must be read before an operation of this home is refunded: a part that is booked in another home, or closed
/// balances. Those that what it drew from was moved to are not read with it; and where the account lived elsewhere since, a
/// balance may have been closed there, or changed after it was closed here.
pub(super) fn is_in_parts(home: &Home, referred: &Referred) -> bool {
    let operation = &referred.operation;
    let is_untraced = |entry: &Entry| {
        let account = home.accounts.get(&entry.account);
        account.is_some_and(|account| {
            let known = (home, referred.closed.as_slice());
            let place = place_of(known, (&entry.account, account), &entry.bucket);
            let is_live = account.books.balance(&place).is_some();
            let is_here = is_since_arrival(account, operation.sequence)
                && closed_balance(known, &entry.account, &place).is_some();
            !is_live && !is_here
        })
    };
    let mut own = operation.entries.iter();
    let has_untraced = own.any(|entry| !may_be_gone(&entry.bucket) && is_untraced(entry));
    operation.answer.elsewhere().is_some() || has_untraced
}

/// What may be in no books any more: what is charged to a further limit's window is given back only while that runs, and of
/// a token only while it is known; what a member limit counts is no balance.
fn may_be_gone(bucket: &Bucket) -> bool {
    let is_token = matches!(bucket, Bucket::Token(_) | Bucket::TokenWindow(..));
    is_token || bucket.is_further() || bucket.is_member()
}

/// Gives everything back at these scopes, as far as they are in the home of the desk.
pub(super) fn give_all_back(
    desk: &mut Desk<'_>,
    refunding: &Refunding,
    scopes: &[Scope],
) -> Result<Vec<Entry>, Rejection> {
    let mut entries = Vec::new();
    for item in &refunding.items {
        entries.extend(give_back(desk, refunding, item, scopes)?);
    }
    Ok(entries)
}

fn give_back(
    desk: &mut Desk<'_>,
    refunding: &Refunding,
    item: &Item,
    scopes: &[Scope],
) -> Result<Vec<Entry>, Rejection> {
    let mut entries = Vec::new();
    for &scope in scopes {
        let (_, back) = refunding.split(item, &refunding.drawn_at(scope, &item.feature));
        let id = scope_account(desk.home, &desk.request.account, scope).clone();
        let units = refunding.units_of(desk, scope, item);
        let mut refundable = Refundable::of(desk, (scope, &item.feature), units)?;
        for draw in &back {
            let entry = give_draw_back(desk, refunding, (draw, &item.feature), &mut refundable)?;
            entries.extend(entry);
            for bucket in &draw.further {
                let entry = give_further_back(desk, &id, refunding, (draw, bucket))?;
                entries.extend(entry);
            }
        }
        count_credits(desk, &item.feature, &back, negated)?;
        entries.extend(count_back(desk, refunding, &item.feature, &back));
        entries.extend(give_room_up(
            desk,
            refunding,
            (scope, &item.feature),
            (&back, &mut refundable),
        )?);
        entries.extend(refundable.end(desk, &item.feature)?);
    }
    Ok(entries)
}

/// Gives one draw back to its balance: a live one, or one that was closed since. What an operator set to 0
/// after the draw stays 0 (X6). Of a capacity no more than is left of it.
fn give_draw_back(
    desk: &mut Desk<'_>,
    refunding: &Refunding,
    (draw, feature): (&Draw, &FeatureCode),
    refundable: &mut Refundable,
) -> Result<Option<Entry>, Rejection> {
    let id = &scope_account(desk.home, &desk.request.account, draw.scope).clone();
    let closed = &refunding.referred.closed;
    let account = desk
        .home
        .accounts
        .get(id)
        .ok_or(Rejection::UnknownAccount)?;
    let known = (&*desk.home, closed.as_slice());
    let bucket = place_of(known, (id, account), &draw.bucket);
    let mut posting = Posting::of(draw, feature);
    posting.bucket = bucket.clone();
    let live = account.books.balance(&bucket);
    let known = match live {
        Some(_) => None,
        None => closed_balance(known, id, &bucket).cloned(),
    };
    let Some(balance) = live.or(known.as_ref().map(|known| &known.balance)) else {
        if may_be_gone(&bucket) {
            return Ok(None);
        }
        return Err(Rejection::BalanceMissing { bucket });
    };
    let was_reset = was_reset(account, balance, refunding);
    // Capacity may have been given back already: there is not more to reverse than is still counted.
    let most = most_of(desk, (draw, feature), (balance, refunding));
    let is_bounded = is_occupied(draw.source) && refunding.is_numbered(feature, draw);
    let most = if is_bounded {
        most.min(refundable.left)
    } else {
        most
    };
    let back = give_back_of(draw, balance).min(most);
    if was_reset || back == 0 {
        return Ok(None);
    }
    if is_bounded {
        refundable.left = refundable.left.saturating_sub(back);
    }
    (posting.used, posting.overage) = signed_back(draw, back);
    let entry = match &known {
        Some(known) => post_to_closed(desk, known, posting),
        None => post(desk, id, posting),
    };
    entry.map(Some)
}

/// Gives a draw back to the window of a further limit that was charged with it, as long as that runs: one that ended limits
/// nothing any more.
fn give_further_back(
    desk: &mut Desk<'_>,
    id: &AccountId,
    refunding: &Refunding,
    (draw, bucket): (&Draw, &Bucket),
) -> Result<Option<Entry>, Rejection> {
    let account = desk.home.accounts.get(id);
    let account = account.ok_or(Rejection::UnknownAccount)?;
    let bucket = account.books.resolved(bucket);
    let (Some(live), Some(feature)) = (account.books.balance(&bucket), bucket.feature()) else {
        return Ok(None);
    };
    let back = give_back_of(draw, live);
    if back == 0 || was_reset(account, live, refunding) {
        return Ok(None);
    }
    let mut posting = Posting::of(draw, feature);
    posting.bucket = bucket.clone();
    (posting.used, posting.overage) = signed_back(draw, back);
    post(desk, id, posting).map(Some)
}

/// Where a draw is counted now: in its bucket, or where that was moved, live or closed.
fn place_of(known: Known<'_>, (id, account): (&AccountId, &Account), bucket: &Bucket) -> Bucket {
    let mut place = account.books.resolved(bucket);
    for _ in 0..MOVES_MAX {
        if account.books.balance(&place).is_some() {
            break;
        }
        let closed = closed_balance(known, id, &place);
        let Some(next) = closed.and_then(|closed| closed.balance.moved_to.as_ref()) else {
            break;
        };
        place = account.books.resolved(next);
    }
    place
}

/// How much of a draw its balance still counts.
fn give_back_of(draw: &Draw, balance: &Balance) -> u64 {
    match draw.source {
        Source::Overage => draw.amount.min(balance.overage),
        Source::Allowance
        | Source::Room
        | Source::Boost
        | Source::Credits
        | Source::Trial
        | Source::OnDemand
        | Source::Unlimited => draw.amount.min(balance.used),
    }
}

/// The change of `used` and of `overage` that gives `back` of a draw back.
fn signed_back(draw: &Draw, back: u64) -> (i64, i64) {
    match draw.source {
        Source::Overage => (0, negated(back)),
        Source::Allowance
        | Source::Room
        | Source::Boost
        | Source::Credits
        | Source::Trial
        | Source::OnDemand
        | Source::Unlimited => (negated(back), 0),
    }
}

/// Books a refund on a closed balance: it is live for that moment, and stays so when it can be spent again.
fn post_to_closed(
    desk: &mut Desk<'_>,
    known: &ClosedBalance,
    posting: Posting,
) -> Result<Entry, Rejection> {
    let now = desk.context.now;
    let bucket = known.balance.bucket.clone();
    let account = desk.home.account_mut(&known.account);
    let account = account.ok_or(Rejection::UnknownAccount)?;
    account.books.balances.push(known.balance.reopened());
    let entry = post(desk, &known.account, posting)?;
    let account = desk.home.accounts.get(&known.account);
    let is_needed = account.is_some_and(|account| {
        let balances = &account.books.balances;
        account
            .books
            .balance(&bucket)
            .is_some_and(|live| is_needed(balances, live))
    });
    let is_over = known.balance.has_ended(now) && !is_needed;
    if is_over || !bucket.is_given() {
        close(desk.home, &known.account, &bucket);
        return Ok(entry);
    }
    if let Some(account) = desk.home.account_mut(&known.account) {
        account.books.note_reopened(&bucket);
    }
    desk.home.changes.closed.push(ClosedBalance {
        account: known.account.clone(),
        balance: known.balance.remnant_of_given(),
    });
    Ok(entry)
}
