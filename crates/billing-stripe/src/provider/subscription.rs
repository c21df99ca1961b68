//! What a subscription says: pure functions over its shape.

use chrono::{DateTime, Utc};
use quota_core::ids::{PriceId, SubscriptionRef};
use quota_core::provider::{ProviderChange, ProviderItem, ProviderPeriod, ProviderSubscription};

use super::fault::Fault;
use crate::read::{
    Period, PhaseAhead, end_of, is_over, is_paused_in_collection, item_price, own_period,
    phases_ahead, top_period,
};
use crate::shapes::{Invoice, Open, Subscription, SubscriptionItem};

/// The word for a status that is not there: no rule knows it.
const NO_STATUS: &str = "missing";

/// A subscription as quota-core takes it. `invoice` is that of the running period, where it is known.
pub(super) fn fact(
    subscription: &Subscription,
    invoice: Option<&Invoice>,
) -> Result<ProviderSubscription, Fault> {
    let id = &subscription.id;
    let created = subscription.created.or(subscription.start_date);
    let items: Result<Vec<_>, Fault> = subscription
        .items
        .data
        .iter()
        .map(|one| item(id, one))
        .collect();
    let is_over = is_over(subscription);
    let end = end_of(subscription, last_period(subscription));
    let status = subscription.status.as_ref().map_or(NO_STATUS, Open::word);
    Ok(ProviderSubscription {
        id: SubscriptionRef::new(id)?,
        status: status.to_owned(),
        items: items?,
        period: top_period(subscription).map(period),
        is_paid: invoice.and_then(is_paid),
        cancel_at: end.filter(|_| !is_over),
        ended_at: end.filter(|_| is_over),
        trial_end: subscription.trial_end,
        created: created
            .ok_or_else(|| Fault::unreadable(id, "it does not say when it was made"))?,
        has_pending_update: subscription.pending_update.is_some(),
        scheduled: scheduled(subscription)?,
        is_collection_paused: is_paused_in_collection(subscription),
    })
}

fn item(subscription: &str, item: &SubscriptionItem) -> Result<ProviderItem, Fault> {
    let price = item_price(item);
    let price = price.ok_or_else(|| Fault::unreadable(subscription, "an item has no price"))?;
    Ok(ProviderItem {
        price: PriceId::new(price)?,
        quantity: item.quantity,
        period: own_period(item).map(period),
    })
}

fn period(period: Period) -> ProviderPeriod {
    ProviderPeriod {
        starts_at: period.starts_at,
        ends_at: period.ends_before,
    }
}

/// The period with which a subscription ends that ends with its period: its own, or that of its items which lasts longest.
fn last_period(subscription: &Subscription) -> Option<Period> {
    let of_items = subscription.items.data.iter().filter_map(own_period);
    top_period(subscription).or_else(|| of_items.max_by_key(|period| period.ends_before))
}

/// Whether an invoice is paid, where it says how it stands.
fn is_paid(invoice: &Invoice) -> Option<bool> {
    invoice.status.as_ref()?;
    Some(crate::read::is_paid(invoice))
}

/// The next phase of the schedule, as a change of price.
fn scheduled(subscription: &Subscription) -> Result<Option<ProviderChange>, Fault> {
    let ahead = phases_ahead(subscription, runs_since(subscription));
    let next = ahead.into_iter().min_by_key(|phase| phase.starts_at);
    let Some(next) = next else {
        return Ok(None);
    };
    let Some(price) = next_price(subscription, &next) else {
        return Ok(None);
    };
    Ok(Some(ProviderChange {
        price: PriceId::new(price)?,
        at: next.starts_at,
    }))
}

/// When the phase began that runs: the schedule says it; else it began with the period at the latest.
fn runs_since(subscription: &Subscription) -> DateTime<Utc> {
    let schedule = subscription.schedule.as_ref().and_then(|one| one.whole());
    let current = schedule.and_then(|schedule| schedule.current_phase.as_ref());
    let begun = current.and_then(|phase| phase.start_date);
    let with_period = || last_period(subscription).map(|period| period.starts_at);
    begun.or_else(with_period).unwrap_or(DateTime::UNIX_EPOCH)
}

/// The price that a phase brings in place of one that goes; where none goes or none comes, its first.
fn next_price<'a>(subscription: &Subscription, next: &'a PhaseAhead) -> Option<&'a str> {
    let items = subscription.items.data.iter();
    let now: Vec<&str> = items.filter_map(item_price).collect();
    let then: Vec<&str> = next.items.iter().map(|(price, _)| price.as_str()).collect();
    let one_goes = now.iter().any(|price| !then.contains(price));
    let comes = then.iter().find(|price| !now.contains(price));
    comes.filter(|_| one_goes).or_else(|| then.first()).copied()
}
