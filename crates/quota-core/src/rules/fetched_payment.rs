//! What a fetched payment bought, and what becomes of its row: the facts alone decide (P1, P6, P8, P17).

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};

use crate::amount::{AMOUNT_MAX, Amount};
use crate::answer::Rejection;
use crate::catalog::{Catalog, Pack};
use crate::ids::{
    AccountId, Currency, FeatureCode, InvalidId, LineRef, PackCode, PaymentRef, PriceId,
    ProviderCode,
};
use crate::payment::{BoughtLine, Disputed, Paying, Payment, PaymentId, Refunded};
use crate::payment_misfit::PaymentMisfit;
use crate::provider::{FetchedLine, FetchedPayment};

/// The line of an order that names its pack and has no lines.
const ORDER_LINE: &str = "pack";

/// What a fetched payment bought.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bought {
    /// The lines that buy credits or a boost.
    pub lines: Vec<BoughtLine>,
    /// Prices that stand for nothing in the catalog: nobody knows what they bought.
    pub unknown_prices: BTreeSet<PriceId>,
    /// The pack that was ordered and paid with another amount or currency: it is not credited.
    pub mismatched: Option<PackCode>,
}

/// What a fetched payment bought, by price and quantity alone; what was paid before `money_starts_at` bought nothing here.
///
/// ```
/// # use std::collections::BTreeMap;
/// use quota_core::catalog::{Catalog, CatalogFile};
/// use quota_core::ids::{Currency, LineRef, PaymentRef, PriceId, ProviderCode};
/// use quota_core::payment::Paying;
/// use quota_core::provider::{FetchedLine, FetchedPayment};
/// use quota_core::rules::fetched_payment::bought;
///
/// let file: CatalogFile = toml::from_str(r#"
///     [[pack]]
///     code = "small"
///     name = "Small"
///     credits = 500
///     price = 900
///     provider_prices = { stripe = ["price_small"] }
/// "#)?;
/// let catalog = Catalog::default().applied(&file)?;
/// let now = chrono::DateTime::UNIX_EPOCH;
/// let paid = FetchedPayment {
///     payment: PaymentRef::new("cs_1")?,
///     aliases: Vec::new(),
///     customer: None,
///     is_on_test_clock: false,
///     paying: Paying::Paid,
///     amount: 2700,
///     currency: Currency::new("usd")?,
///     lines: vec![FetchedLine {
///         line: LineRef::new("li_1")?,
///         price: Some(PriceId::new("price_small")?),
///         quantity: 3,
///         is_proration: false,
///     }],
///     ordered_pack: None,
///     subscription: None,
///     made_at: now,
///     paid_at: Some(now),
///     refunds: BTreeMap::new(),
///     disputes: BTreeMap::new(),
/// };
/// let stripe = ProviderCode::new("stripe")?;
/// let bought = bought(&stripe, &paid, (&catalog, now), now);
/// assert_eq!(bought.lines[0].credits.get(), 1500);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn bought(
    provider: &ProviderCode,
    fetched: &FetchedPayment,
    (catalog, money_starts_at): (&Catalog, DateTime<Utc>),
    now: DateTime<Utc>,
) -> Bought {
    let mut bought = Bought::default();
    let paid_at = fetched.paid_at.unwrap_or(fetched.made_at);
    if paid_at < money_starts_at {
        return bought;
    }
    for line in fetched.lines.iter().filter(|line| !line.is_proration) {
        let Some(price) = &line.price else {
            continue;
        };
        if let Some(pack) = catalog.pack_of_price(provider, price) {
            bought.lines.extend(line_of(line, (pack, catalog), now));
        } else if catalog.plan_of_price(provider, price).is_none() {
            bought.unknown_prices.insert(price.clone());
        }
    }
    if let Some(code) = fetched
        .ordered_pack
        .as_ref()
        .filter(|_| fetched.lines.is_empty())
    {
        let pack = catalog
            .packs
            .get(code)
            .or_else(|| catalog.former_packs.get(code));
        let is_its = |pack: &&Pack| {
            pack.price == fetched.amount && pack.currency == fetched.currency.as_str()
        };
        match pack.filter(is_its).zip(order_line().ok()) {
            Some((pack, line)) => {
                bought.lines.extend(line_of(&line, (pack, catalog), now));
            }
            None => bought.mismatched = Some(code.clone()),
        }
    }
    bought
}

fn order_line() -> Result<FetchedLine, InvalidId> {
    Ok(FetchedLine {
        line: LineRef::new(ORDER_LINE)?,
        price: None,
        quantity: 1,
        is_proration: false,
    })
}

/// The credits or the boost of so many packs; they last from now on. Of none nothing is had.
fn line_of(
    line: &FetchedLine,
    (pack, catalog): (&Pack, &Catalog),
    now: DateTime<Utc>,
) -> Option<BoughtLine> {
    let (each, days) = match &pack.boost {
        Some(boost) => {
            let shown = boost.amount.get();
            (
                shown.saturating_mul(scale_of(catalog, &boost.feature)),
                boost.days,
            )
        }
        None => (pack.credits?.get(), pack.days),
    };
    let all = each.saturating_mul(line.quantity);
    let expires_at = days.and_then(|days| now.checked_add_signed(TimeDelta::days(days.into())));
    Some(BoughtLine {
        line: line.line.clone(),
        credits: Amount::new(all.min(AMOUNT_MAX)).ok()?,
        boost: pack.boost.as_ref().map(|boost| boost.feature.clone()),
        priority: pack.priority,
        expires_at,
    })
}

/// Stored units in a shown one of a feature, also of one that has left the catalog since.
fn scale_of(catalog: &Catalog, code: &FeatureCode) -> u64 {
    let known = catalog.features.get(code);
    let known = known.or_else(|| catalog.former_features.get(code));
    known.map_or(1, |feature| feature.scale)
}

/// A payment as a fetch saw it, with what it bought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchedNews {
    /// Whether the money came.
    pub paying: Paying,
    /// What it came to, in minor units of the currency; at most [`AMOUNT_MAX`].
    pub amount: u64,
    /// In which currency.
    pub currency: Currency,
    /// What it bought.
    pub lines: Vec<BoughtLine>,
    /// All its refunds.
    pub refunds: BTreeMap<PaymentRef, Refunded>,
    /// All its disputes.
    pub disputes: BTreeMap<PaymentRef, Disputed>,
    /// When it was paid.
    pub paid_at: Option<DateTime<Utc>>,
    /// When the fetch began: what one saw that began later stands (P6).
    pub fetched_at: DateTime<Utc>,
}

/// The row of a payment after a fetch; none when one that began then or later was told already. What was credited stays as it was
/// credited, and what was paid stays paid.
///
/// # Errors
/// [`Rejection`] when a payment that was credited has another amount or currency now.
pub(super) fn fetched_row(
    known: Option<&Payment>,
    (account, id): (&AccountId, &PaymentId),
    told: &FetchedNews,
    now: DateTime<Utc>,
) -> Result<Option<Payment>, Rejection> {
    let fresh = Payment {
        account: account.clone(),
        id: id.clone(),
        amount: told.amount,
        currency: told.currency.clone(),
        paying: told.paying,
        lines: told.lines.clone(),
        refunds: told.refunds.clone(),
        disputes: told.disputes.clone(),
        created_at: now,
        paid_at: told.paid_at,
        fetched_at: told.fetched_at,
        version: 1,
    };
    let Some(known) = known else {
        return Ok(Some(fresh));
    };
    if told.fetched_at <= known.fetched_at {
        return Ok(None);
    }
    let mut next = Payment {
        created_at: known.created_at,
        version: known.version.saturating_add(1),
        ..fresh
    };
    if known.paying == Paying::Paid {
        must_be_same(known, told)?;
        next.paying = Paying::Paid;
        next.paid_at = known.paid_at;
        next.lines = with_new_lines(&known.lines, &told.lines);
    }
    Ok(Some(next))
}

/// The lines that are credited, and those that were not known as lines that buy something.
fn with_new_lines(known: &[BoughtLine], told: &[BoughtLine]) -> Vec<BoughtLine> {
    let is_new = |line: &&BoughtLine| known.iter().all(|known| known.line != line.line);
    let new = told.iter().filter(is_new);
    known.iter().chain(new).cloned().collect()
}

fn must_be_same(known: &Payment, told: &FetchedNews) -> Result<(), Rejection> {
    let differs = |field, known: String| Err(PaymentMisfit::Differs { field, known }.into());
    if known.amount != told.amount {
        return differs("amount", known.amount.to_string());
    }
    if known.currency != told.currency {
        return differs("currency", format!("`{}`", known.currency));
    }
    Ok(())
}
