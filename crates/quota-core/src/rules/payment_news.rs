//! What is told of a payment, and what becomes of its row: known facts and news in, the next row out (P5 to P7, P16).

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::fetched_payment::{FetchedNews, fetched_row};
use crate::amount::AMOUNT_MAX;
use crate::answer::Rejection;
use crate::catalog::{Catalog, Kind};
use crate::ids::{AccountId, Currency, FeatureCode, PaymentRef};
use crate::payment::{BoughtLine, Disputed, Paying, Payment, PaymentId, Refunded};
use crate::payment_misfit::PaymentMisfit;

/// Most lines of one payment; the longest cart that was seen has 40.
pub const LINES_MAX: usize = 100;
/// Most refunds and most disputes of one payment: they are kept in its row.
pub const RETURNS_MAX: usize = 100;

/// What is told of a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaymentNews {
    /// It was paid.
    Paid(PaidNews),
    /// All of it, as its provider has it.
    Fetched(FetchedNews),
    /// Where a refund of it stands.
    Refund {
        /// The refund, as the provider names it.
        refund: PaymentRef,
        /// How much, and where it stands.
        told: Refunded,
        /// The currency, if it is said: that of the payment.
        currency: Option<Currency>,
    },
    /// Where a dispute about it stands.
    Dispute {
        /// The dispute, as the provider names it.
        dispute: PaymentRef,
        /// How much, and where it stands.
        told: Disputed,
        /// The currency, if it is said: that of the payment.
        currency: Option<Currency>,
    },
}

/// A payment that was paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaidNews {
    /// What it came to, in minor units of the currency.
    pub amount: u64,
    /// In which currency.
    pub currency: Currency,
    /// What it buys.
    pub lines: Vec<BoughtLine>,
    /// When it was paid; as it is told when absent.
    pub paid_at: Option<DateTime<Utc>>,
}

/// Refuses what can never be right, whatever is known of the payment. Units are bought of a consumable: one that the catalog has,
/// or once had.
///
/// # Errors
/// [`Rejection`] names the field.
pub fn must_be_possible(news: &PaymentNews, catalog: &Catalog) -> Result<(), Rejection> {
    let paid = match news {
        PaymentNews::Paid(paid) => paid,
        PaymentNews::Fetched(fetched) => {
            return must_be_within("amount", fetched.amount, (0, AMOUNT_MAX));
        }
        PaymentNews::Refund { .. } | PaymentNews::Dispute { .. } => return Ok(()),
    };
    must_be_within("amount", paid.amount, (0, AMOUNT_MAX))?;
    if LINES_MAX < paid.lines.len() {
        let most = u64::try_from(LINES_MAX).unwrap_or(u64::MAX);
        return Err(out_of_range("lines", (0, most)));
    }
    for (at, line) in paid.lines.iter().enumerate() {
        let mut before = paid.lines.iter().take(at);
        if before.any(|before| before.line == line.line) {
            let twice = PaymentMisfit::LineTwice(line.line.clone());
            return Err(Rejection::from(twice).in_list(at));
        }
        let boost = line.boost.as_ref();
        let possible = boost.map_or(Ok(()), |code| must_be_consumable(code, catalog));
        possible.map_err(|rejection| rejection.in_list(at))?;
    }
    Ok(())
}

fn must_be_consumable(code: &FeatureCode, catalog: &Catalog) -> Result<(), Rejection> {
    let known = catalog.features.get(code);
    let known = known.or_else(|| catalog.former_features.get(code));
    let feature = known.ok_or_else(|| Rejection::UnknownFeature(code.clone()))?;
    match feature.kind {
        Kind::Consumable => Ok(()),
        Kind::Capacity | Kind::Flag | Kind::Setting => Err(Rejection::NotConsumable(code.clone())),
    }
}

/// The row of a payment after it was told something; none when that was known.
///
/// # Errors
/// [`Rejection`] when it cannot be told of this payment.
pub fn next_row(
    known: Option<&Payment>,
    (account, id): (&AccountId, &PaymentId),
    news: &PaymentNews,
    now: DateTime<Utc>,
) -> Result<Option<Payment>, Rejection> {
    let next = match (known, news) {
        (known, PaymentNews::Fetched(fetched)) => {
            return fetched_row(known, (account, id), fetched, now);
        }
        (None, PaymentNews::Paid(paid)) => return begun((account, id), paid, now).map(Some),
        (None, PaymentNews::Refund { .. } | PaymentNews::Dispute { .. }) => {
            return Err(Rejection::UnknownPayment(id.payment.clone()));
        }
        (Some(known), PaymentNews::Paid(paid)) => {
            must_be_same(known, paid)?;
            return Ok(None);
        }
        (
            Some(known),
            PaymentNews::Refund {
                refund,
                told,
                currency,
            },
        ) => {
            must_be_in(known, currency.as_ref())?;
            refunded(known, refund, *told)?
        }
        (
            Some(known),
            PaymentNews::Dispute {
                dispute,
                told,
                currency,
            },
        ) => {
            must_be_in(known, currency.as_ref())?;
            disputed(known, dispute, *told)?
        }
    };
    let is_news = known.is_none_or(|known| *known != next);
    Ok(is_news.then(|| newer(next, now)))
}

/// The same, told now: later than what was told before, whatever the clocks say.
fn newer(payment: Payment, now: DateTime<Utc>) -> Payment {
    let after = payment
        .fetched_at
        .checked_add_signed(TimeDelta::microseconds(1));
    Payment {
        fetched_at: after.map_or(now, |after| now.max(after)),
        version: payment.version.saturating_add(1),
        ..payment
    }
}

fn begun(
    (account, id): (&AccountId, &PaymentId),
    paid: &PaidNews,
    now: DateTime<Utc>,
) -> Result<Payment, Rejection> {
    let is_over = |line: &BoughtLine| line.expires_at.is_some_and(|at| at <= now);
    if let Some(at) = paid.lines.iter().position(is_over) {
        let field = "expires_at";
        return Err(Rejection::NotInFuture { field }.in_list(at));
    }
    Ok(Payment {
        account: account.clone(),
        id: id.clone(),
        amount: paid.amount,
        currency: paid.currency.clone(),
        paying: Paying::Paid,
        lines: paid.lines.clone(),
        refunds: BTreeMap::new(),
        disputes: BTreeMap::new(),
        created_at: now,
        paid_at: Some(paid.paid_at.unwrap_or(now)),
        fetched_at: now,
        version: 1,
    })
}

/// Refuses a payment that is told again and was another one.
fn must_be_same(known: &Payment, paid: &PaidNews) -> Result<(), Rejection> {
    let differs = |field, known: String| Err(PaymentMisfit::Differs { field, known }.into());
    if known.amount != paid.amount {
        return differs("amount", known.amount.to_string());
    }
    if known.currency != paid.currency {
        return differs("currency", format!("`{}`", known.currency));
    }
    if known.lines != paid.lines {
        let words = |line: &BoughtLine| {
            let of = line.boost.as_ref().map(|feature| format!(" {feature}"));
            let (name, credits) = (&line.line, line.credits.get());
            format!("`{name}`: {credits}{}", of.unwrap_or_default())
        };
        let lines: Vec<String> = known.lines.iter().map(words).collect();
        return differs("lines", lines.join(", "));
    }
    Ok(())
}

fn must_be_in(known: &Payment, currency: Option<&Currency>) -> Result<(), Rejection> {
    match currency {
        Some(other) if *other != known.currency => {
            Err(PaymentMisfit::OtherCurrency(known.currency.clone()).into())
        }
        Some(_) | None => Ok(()),
    }
}

fn refunded(known: &Payment, refund: &PaymentRef, told: Refunded) -> Result<Payment, Rejection> {
    let before = known.refunds.get(refund);
    if let Some(before) = before.filter(|before| before.amount != told.amount) {
        let differs = PaymentMisfit::Differs {
            field: "amount",
            known: before.amount.to_string(),
        };
        return Err(differs.into());
    }
    must_have_room(
        "refund",
        known.refunds.contains_key(refund),
        known.refunds.len(),
    )?;
    let mut next = known.clone();
    next.refunds.remove(refund);
    let left = known.amount.saturating_sub(next.facts().refunded);
    if told.status.counts() {
        must_be_within("amount", told.amount, (0, left))?;
    }
    must_be_within("amount", told.amount, (0, known.amount))?;
    next.refunds.insert(refund.clone(), told);
    Ok(next)
}

fn disputed(known: &Payment, dispute: &PaymentRef, told: Disputed) -> Result<Payment, Rejection> {
    must_have_room(
        "dispute",
        known.disputes.contains_key(dispute),
        known.disputes.len(),
    )?;
    must_be_within("amount", told.amount, (0, known.amount))?;
    let mut next = known.clone();
    next.disputes.insert(dispute.clone(), told);
    Ok(next)
}

fn must_have_room(what: &'static str, is_known: bool, count: usize) -> Result<(), Rejection> {
    if is_known || count < RETURNS_MAX {
        return Ok(());
    }
    let most = RETURNS_MAX;
    Err(PaymentMisfit::Full { what, most }.into())
}

fn must_be_within(
    field: &'static str,
    value: u64,
    (least, most): (u64, u64),
) -> Result<(), Rejection> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(out_of_range(field, (least, most)))
}

fn out_of_range(field: &'static str, (least, most): (u64, u64)) -> Rejection {
    Rejection::OutOfRange { field, least, most }
}
