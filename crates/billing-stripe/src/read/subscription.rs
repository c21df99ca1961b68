//! What a subscription is for, from when to when, and what will become of it.

use chrono::{DateTime, Utc};

use crate::shapes::{ScheduleStatus, Subscription, SubscriptionItem, SubscriptionStatus};

/// The time that is paid for, `[starts_at, ends_before)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// Its first instant.
    pub starts_at: DateTime<Utc>,
    /// The instant at which it is over.
    pub ends_before: DateTime<Utc>,
}

impl Period {
    /// None when a side is missing, or nothing is between them.
    fn of(starts_at: Option<DateTime<Utc>>, ends_before: Option<DateTime<Utc>>) -> Option<Self> {
        let (starts_at, ends_before) = (starts_at?, ends_before?);
        (starts_at < ends_before).then_some(Self {
            starts_at,
            ends_before,
        })
    }
}

/// The price of an item, also where it is still called a plan.
pub fn item_price(item: &SubscriptionItem) -> Option<&str> {
    let price = item.price.as_ref().map(|price| price.id.as_str());
    price.or_else(|| item.plan.as_ref().map(|plan| plan.id.as_str()))
}

/// How many of an item: one where it is not said.
pub fn item_quantity(item: &SubscriptionItem) -> u64 {
    item.quantity.unwrap_or(1)
}

/// The first item that has one of these prices.
pub fn item_for<'a>(
    subscription: &'a Subscription,
    prices: &[&str],
) -> Option<&'a SubscriptionItem> {
    let has_one =
        |item: &&SubscriptionItem| item_price(item).is_some_and(|price| prices.contains(&price));
    subscription.items.data.iter().find(has_one)
}

/// The period of a subscription, as the item that has one of these prices says; else as the subscription does. None: what is
/// known of it already stays.
pub fn period_of(subscription: &Subscription, prices: &[&str]) -> Option<Period> {
    let item = item_for(subscription, prices).and_then(own_period);
    item.or_else(|| top_period(subscription))
}

/// The period of an item, where items have periods of their own.
pub fn own_period(item: &SubscriptionItem) -> Option<Period> {
    Period::of(item.current_period_start, item.current_period_end)
}

/// The period of a subscription as a whole, where it has one.
pub fn top_period(subscription: &Subscription) -> Option<Period> {
    Period::of(
        subscription.current_period_start,
        subscription.current_period_end,
    )
}

/// Whether a subscription is over for good.
pub fn is_over(subscription: &Subscription) -> bool {
    let status = subscription.status.as_ref();
    status.is_some_and(|status| {
        status.is(SubscriptionStatus::Canceled) || status.is(SubscriptionStatus::IncompleteExpired)
    })
}

/// When a subscription ended, or when it is set to end: `ended_at` once it is over, `cancel_at`, else the end of its period if
/// the flag says so. None: it goes on.
pub fn end_of(subscription: &Subscription, period: Option<Period>) -> Option<DateTime<Utc>> {
    if is_over(subscription) {
        return subscription.ended_at.or(subscription.canceled_at);
    }
    let at_period_end = period.filter(|_| subscription.cancel_at_period_end);
    subscription
        .cancel_at
        .or_else(|| at_period_end.map(|period| period.ends_before))
}

/// Whether collection is paused while the state stays `active`. The state `paused` is another thing.
pub fn is_paused_in_collection(subscription: &Subscription) -> bool {
    subscription.pause_collection.is_some()
}

/// The prices that a change would bring which waits for its payment. Empty: there is none.
pub fn pending_prices(subscription: &Subscription) -> Vec<&str> {
    let pending = subscription.pending_update.iter();
    let items = pending.flat_map(|update| &update.subscription_items);
    items.filter_map(item_price).collect()
}

/// What a schedule will make of a subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhaseAhead {
    /// From when.
    pub starts_at: DateTime<Utc>,
    /// Price and quantity of each item.
    pub items: Vec<(String, u64)>,
}

/// The phases of a subscription's schedule that begin after `now`, if the schedule was expanded and still runs.
pub fn phases_ahead(subscription: &Subscription, now: DateTime<Utc>) -> Vec<PhaseAhead> {
    let schedule = subscription.schedule.as_ref().and_then(|one| one.whole());
    let runs = |status: ScheduleStatus| {
        schedule
            .and_then(|schedule| schedule.status.as_ref())
            .is_some_and(|found| found.is(status))
    };
    if !runs(ScheduleStatus::Active) && !runs(ScheduleStatus::NotStarted) {
        return Vec::new();
    }
    let phases = schedule.iter().flat_map(|schedule| &schedule.phases);
    let ahead = phases.filter_map(|phase| {
        let starts_at = phase.start_date.filter(|start| now < *start)?;
        let items = phase.items.iter().filter_map(|item| {
            let price = item.price.clone().or_else(|| item.plan.clone())?;
            Some((price, item.quantity.unwrap_or(1)))
        });
        Some(PhaseAhead {
            starts_at,
            items: items.collect(),
        })
    });
    ahead.collect()
}
