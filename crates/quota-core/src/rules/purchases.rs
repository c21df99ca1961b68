//! Credits and boosts that were bought: a line of a payment buys a grant or a boost, what comes back of the payment lowers it,
//! and a debt that comes of that may be forgiven (P8 to P11, P18). Of a boost nothing is owed.

use chrono::{DateTime, TimeDelta, Utc};

use super::boosts::{is_known, period_end};
use super::closed::{closed_balance, closed_of};
use super::desk::Desk;
use super::outcome::Outcome;
use super::posting::{negated, signed, worth_entry};
use super::wallet::Wallet;
use crate::amount::{AMOUNT_MAX, Amount, Limit};
use crate::answer::Rejection;
use crate::balance::{Balance, Bucket};
use crate::change::Change;
use crate::command::{CreditPurchase, ForgiveDebt, PURCHASES_MAX, SetPaymentFacts};
use crate::cover::needed_of_closed;
use crate::draw::Source;
use crate::home::{Account, Books, ClosedBalance, Home};
use crate::ids::{AccountId, GrantId, PaymentRef, ProviderCode};
use crate::operation::Entry;
use crate::payment_misfit::PaymentMisfit;
use crate::purchase::{Backing, PaymentFacts, Purchase};

/// How long a boost lasts that says no end and is credited while no period runs whose end it could have: as long as the longest
/// month.
const BOOST_SPAN: TimeDelta = TimeDelta::days(31);

/// Adds the credits or the boost that a line of a payment bought. Said again, it sets what came back of the payment.
pub(crate) fn credit_purchase(
    desk: &mut Desk<'_>,
    asked: &CreditPurchase,
) -> Result<Outcome, Rejection> {
    must_be_money("money", asked.money)?;
    let bucket = asked.line.bucket(asked.boost.as_ref());
    if let Some(known) = known_purchase(desk, asked, &bucket)? {
        must_be_same(&known, asked)?;
        let (provider, payment) = (&asked.line.provider, &asked.line.payment);
        return tell(desk, (provider, payment), (asked.facts, asked.fetched_at));
    }
    let purchase = Purchase {
        line: asked.line.clone(),
        money: asked.money,
        currency: asked.currency.clone(),
        facts: asked.facts,
        fetched_at: asked.fetched_at,
    };
    let (now, credits) = (desk.context.now, asked.credits.get());
    let backing = Backing::of(purchase, credits);
    let source = source_of(&bucket);
    let ends_at = end_of(desk, asked)?;
    let account = desk.account_mut()?;
    let waits = PURCHASES_MAX <= live_purchases(&account.books, now);
    let revoked = backing.revoked;
    let bought = Balance {
        ends_at,
        priority: asked.priority,
        backing: Some(Box::new(backing)),
        ..Balance::new(bucket.clone(), Limit::Of(credits), now)
    };
    if waits {
        account.books.waiting.push(bought);
    } else {
        account.books.balances.push(bought);
    }
    let name = bucket.clone();
    let mut entries = vec![worth_entry(desk, bucket.clone(), source, signed(credits))];
    if revoked != 0 {
        entries.push(worth_entry(desk, bucket, source, negated(revoked)));
    }
    let place = if waits { ", waiting" } else { "" };
    let (change, what) = match &asked.boost {
        Some(feature) => (Change::BoostBought, format!(" {feature}")),
        None => (Change::CreditsBought, String::new()),
    };
    let detail = Some(format!("{}: {credits}{what}{place}", own_name(&name)));
    Ok(desk.book_and_announce(change, detail, entries))
}

/// When what a line buys is over: a boost that says nothing of it ends with the period that runs (C13).
fn end_of(desk: &Desk<'_>, asked: &CreditPurchase) -> Result<Option<DateTime<Utc>>, Rejection> {
    if asked.boost.is_none() || asked.expires_at.is_some() {
        return Ok(asked.expires_at);
    }
    let period_end = period_end(&desk.context, desk.account()?);
    // What is paid is never refused (P18).
    Ok(period_end.or_else(|| desk.context.now.checked_add_signed(BOOST_SPAN)))
}

/// What a purchase in this bucket pays with.
fn source_of(bucket: &Bucket) -> Source {
    if matches!(bucket, Bucket::Boost(..)) {
        Source::Boost
    } else {
        Source::Credits
    }
}

/// The id of a grant or a boost.
fn own_name(bucket: &Bucket) -> &str {
    if let Bucket::Grant(grant) = bucket {
        grant.as_str()
    } else if let Bucket::Boost(_, boost) = bucket {
        boost.as_str()
    } else {
        ""
    }
}

/// A sum of money that the books can hold.
fn must_be_money(field: &'static str, money: u64) -> Result<(), Rejection> {
    if money <= AMOUNT_MAX {
        return Ok(());
    }
    Err(Rejection::OutOfRange {
        field,
        least: 0,
        most: AMOUNT_MAX,
    })
}

/// How many grants and boosts have something left.
fn live_purchases(books: &Books, now: DateTime<Utc>) -> usize {
    let is_live = |balance: &&Balance| balance.bucket.is_given() && balance.remaining(now) != 0;
    books.balances.iter().filter(is_live).count()
}

/// What the line bought before, live, waiting or closed; or what has the name of that, whoever gave it.
fn known_purchase(
    desk: &Desk<'_>,
    asked: &CreditPurchase,
    bucket: &Bucket,
) -> Result<Option<Balance>, Rejection> {
    let books = &desk.account()?.books;
    let is_it = |known: &&Balance| {
        let purchase = purchase_of(known);
        known.bucket == *bucket || purchase.is_some_and(|of| of.line == asked.line)
    };
    if let Some(live) = books.all().find(is_it) {
        return Ok(Some(live.clone()));
    }
    if let Some(closed) = closed_of(desk).find(is_it) {
        return Ok(Some(closed.clone()));
    }
    if let Bucket::Grant(grant) = bucket
        && books.closed_grants.contains(grant)
    {
        return Err(Rejection::GrantExists);
    }
    if let Bucket::Boost(_, boost) = bucket
        && is_known(books, boost)
    {
        return Err(Rejection::BoostExists);
    }
    Ok(None)
}

/// Refuses a purchase that is said again and was another one.
fn must_be_same(known: &Balance, asked: &CreditPurchase) -> Result<(), Rejection> {
    let Some(purchase) = purchase_of(known) else {
        return Err(if asked.boost.is_some() {
            Rejection::BoostExists
        } else {
            Rejection::GrantExists
        });
    };
    let field = if known.bucket != asked.line.bucket(asked.boost.as_ref()) {
        "boost"
    } else if known.granted != Limit::Of(asked.credits.get()) {
        "credits"
    } else if purchase.money != asked.money {
        "money"
    } else if purchase.currency != asked.currency {
        "currency"
    } else {
        return Ok(());
    };
    Err(PaymentMisfit::LineDiffers { field }.into())
}

/// Sets what came back of a payment, for all grants and boosts that it bought.
pub(crate) fn set_payment_facts(
    desk: &mut Desk<'_>,
    asked: &SetPaymentFacts,
) -> Result<Outcome, Rejection> {
    let of = (&asked.provider, &asked.payment);
    tell(desk, of, (asked.facts, asked.fetched_at))
}

/// Tells the grants and boosts that a payment bought what came back of it, as one fetch saw it. What a later one saw stays (P6).
fn tell(
    desk: &mut Desk<'_>,
    (provider, payment): (&ProviderCode, &PaymentRef),
    (facts, fetched_at): (PaymentFacts, DateTime<Utc>),
) -> Result<Outcome, Rejection> {
    must_be_money("refunded", facts.refunded)?;
    must_be_money("lost", facts.lost)?;
    must_be_money("disputed", facts.disputed)?;
    let is_of = |balance: &Balance| {
        let purchase = purchase_of(balance);
        purchase.is_some_and(|purchase| purchase.line.is_of(provider, payment))
    };
    let is_news = |balance: &Balance| {
        let purchase = purchase_of(balance).filter(|_| is_of(balance));
        purchase.is_some_and(|known| known.fetched_at < fetched_at)
    };
    let is_open = desk.account()?.books.all().any(is_of);
    if !is_open && !closed_of(desk).any(is_of) {
        return Err(Rejection::UnknownPayment(payment.clone()));
    }
    let closed = closed_of(desk).filter(|closed| is_news(closed) && is_changed(closed, facts));
    let closed: Vec<Bucket> = closed.map(|closed| closed.bucket.clone()).collect();
    for bucket in &closed {
        reopen_grant(desk, bucket)?;
    }
    let books = &mut desk.account_mut()?.books;
    let all = books.balances.iter_mut().chain(&mut books.waiting);
    let (mut told, mut words) = (Vec::new(), Vec::new());
    let mut is_other = false;
    for balance in all.filter(|balance| is_news(balance)) {
        is_other |= is_changed(balance, facts);
        let before = balance.worth();
        set_facts(balance, (facts, fetched_at));
        told.push((balance.bucket.clone(), before, balance.worth()));
        words.push(in_words(balance));
    }
    if told.is_empty() {
        return Ok(desk.unchanged());
    }
    let detail = Some(words.join("; "));
    if !is_other {
        // Only that it was looked at: an earlier fetch that saw something else is not to come after it.
        let account = desk.request.account.clone();
        desk.home.changes.accounts.insert(account);
        return Ok(desk.book(desk.change_booking(Change::PaymentFactsSet, detail)));
    }
    recall_cover(desk)?;
    let changed = told
        .into_iter()
        .filter(|(_, before, after)| before != after);
    let entry = |(bucket, before, after)| {
        let by = signed(after).saturating_sub(signed(before));
        let source = source_of(&bucket);
        worth_entry(desk, bucket, source, by)
    };
    let entries: Vec<Entry> = changed.map(entry).collect();
    Ok(desk.book_and_announce(Change::PaymentFactsSet, detail, entries))
}

fn purchase_of(balance: &Balance) -> Option<&Purchase> {
    balance.backing.as_ref()?.purchase.as_ref()
}

fn is_changed(balance: &Balance, facts: PaymentFacts) -> bool {
    purchase_of(balance).is_some_and(|purchase| purchase.facts != facts)
}

/// Gives what was bought the worth that the facts leave it: a target, whatever it was before.
fn set_facts(balance: &mut Balance, (facts, fetched_at): (PaymentFacts, DateTime<Utc>)) {
    let credits = balance.granted.ceiling().unwrap_or(0);
    let Some(purchase) = purchase_of(balance) else {
        return;
    };
    let purchase = Purchase {
        facts,
        fetched_at,
        ..purchase.clone()
    };
    balance.backing = Some(Box::new(Backing::of(purchase, credits)));
}

/// What was bought, and what came back of its payment: `stripe:cs_1:li_1: 75 of 100, refunded 250 of 1000 eur`.
fn in_words(balance: &Balance) -> String {
    let Some(purchase) = purchase_of(balance) else {
        return String::new();
    };
    let credits = balance.granted.ceiling().unwrap_or(0);
    let facts = purchase.facts;
    let parts = [
        ("refunded", facts.refunded),
        ("lost", facts.lost),
        ("disputed", facts.disputed),
    ];
    let parts = parts.into_iter().filter(|(_, sum)| *sum != 0);
    let parts: Vec<String> = parts.map(|(word, sum)| format!("{word} {sum}")).collect();
    let back = if parts.is_empty() {
        "nothing came back".to_owned()
    } else {
        parts.join(", ")
    };
    let (worth, money, currency) = (balance.worth(), purchase.money, &purchase.currency);
    let name = own_name(&balance.bucket);
    format!("{name}: {worth} of {credits}, {back} of {money} {currency}")
}

/// Makes closed grants live again that cover what is used of others beyond their worth, or may come to.
pub(super) fn recall_cover(desk: &mut Desk<'_>) -> Result<(), Rejection> {
    let now = desk.context.now;
    let balances = &desk.account()?.books.balances;
    for bucket in needed_of_closed(balances, closed_of(desk), now) {
        reopen_grant(desk, &bucket)?;
    }
    Ok(())
}

/// Makes a closed grant or boost live again; says whether there is one.
pub(super) fn reopen_grant(desk: &mut Desk<'_>, bucket: &Bucket) -> Result<bool, Rejection> {
    let id = desk.request.account.clone();
    let Some(known) = closed_balance((&*desk.home, &[]), &id, bucket) else {
        return Ok(false);
    };
    let (live, remnant) = (known.balance.reopened(), known.balance.remnant_of_given());
    let books = &mut desk.account_mut()?.books;
    books.balances.push(live);
    books.note_reopened(bucket);
    desk.home.changes.closed.push(ClosedBalance {
        account: id,
        balance: remnant,
    });
    Ok(true)
}

/// Forgives what was spent of what was taken back: with credits that end as soon as they begin, so that they can be spent by
/// nobody and cover what was short by then (P10). Nothing comes of them if the facts change.
pub(crate) fn forgive_debt(desk: &mut Desk<'_>, asked: &ForgiveDebt) -> Result<Outcome, Rejection> {
    let now = desk.context.now;
    let debt = Wallet::of(&desk.account()?.books, now).debt;
    let credits = asked.credits.map_or(debt, Amount::get);
    if debt < credits || debt == 0 {
        return Err(Rejection::DebtTooSmall { debt });
    }
    let name = format!("forgiven-{}", desk.next_id());
    let Ok(grant) = GrantId::new(&name) else {
        return Err(Rejection::GrantExists);
    };
    let bucket = Bucket::Grant(grant);
    desk.account_mut()?.books.balances.push(Balance {
        ends_at: Some(now),
        ..Balance::new(bucket.clone(), Limit::Of(credits), now)
    });
    let entry = worth_entry(desk, bucket, Source::Credits, signed(credits));
    let detail = Some(format!("{credits} of {debt}"));
    Ok(desk.book_and_announce(Change::DebtForgiven, detail, vec![entry]))
}

/// Makes what was bought live that waits, as far as others were spent (P18); says whether any is. The time that they waited is not lost
/// to them.
pub(super) fn admit_waiting(account: &mut Account, now: DateTime<Utc>) -> bool {
    let books = &mut account.books;
    let room = PURCHASES_MAX.saturating_sub(live_purchases(books, now));
    let count = room.min(books.waiting.len());
    for mut bought in books.waiting.drain(..count) {
        let waited = now.signed_duration_since(bought.starts_at);
        bought.ends_at = bought
            .ends_at
            .map(|ends_at| ends_at.checked_add_signed(waited).unwrap_or(ends_at));
        bought.starts_at = now;
        books.balances.push(bought);
    }
    count != 0
}

/// Whether an account has purchases that wait.
pub(super) fn has_waiting(home: &Home, id: &AccountId) -> bool {
    let account = home.accounts.get(id);
    account.is_some_and(|account| !account.books.waiting.is_empty())
}
