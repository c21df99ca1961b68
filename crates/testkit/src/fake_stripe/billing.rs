//! Subscriptions: how they begin, renew, change and end.

use chrono::{DateTime, Months, TimeDelta, Utc};
use serde_json::{Value, json};

use super::invoices::{self, Bill, Line};
use super::payments::{Card, Taken};
use super::shape::list;
use super::store::{Due, Store, number, rows, text};

/// A subscription that is to begin.
#[derive(Clone, Debug, Default)]
pub(super) struct Start {
    pub(super) customer: Value,
    pub(super) items: Vec<(String, i64)>,
    pub(super) trial_days: i64,
    pub(super) metadata: Value,
    /// What is bought once, on the first invoice.
    pub(super) extras: Vec<(String, i64)>,
    pub(super) discount_percent: i64,
    pub(super) tax_percent: i64,
}

/// The instant `count` intervals of a price behind an anchor: the day of the month is the anchor's, or the month's last.
pub(super) fn behind(anchor: i64, price: &Value, count: i64) -> i64 {
    let each = number(&price["recurring"], "interval_count").max(1);
    let count = count * each;
    let Some(from) = DateTime::<Utc>::from_timestamp(anchor, 0) else {
        return anchor;
    };
    let months = |count: i64| Months::new(u32::try_from(count).unwrap_or_default());
    let at = match text(&price["recurring"], "interval") {
        "day" => from + TimeDelta::days(count),
        "week" => from + TimeDelta::weeks(count),
        "year" => from + months(12 * count),
        _ => from + months(count),
    };
    at.timestamp()
}

/// The end of the period that begins at an instant.
fn period_end(anchor: i64, price: &Value, starts_at: i64) -> i64 {
    let ends = (1..).map(|count| behind(anchor, price, count));
    let mut later = ends.skip_while(|end| *end <= starts_at);
    later.next().unwrap_or(starts_at)
}

fn item(store: &mut Store, price: &str, quantity: i64) -> Value {
    let mut item = store.new_object("si", "subscription_item");
    if let Some(fields) = item.as_object_mut() {
        fields.remove("livemode");
    }
    item["price"] = store.get(price).clone();
    item["quantity"] = json!(quantity);
    item
}

/// Begins a subscription. Without a trial its first invoice is paid at once, or the subscription is `incomplete`.
pub(super) fn start(store: &mut Store, start: &Start, card: Card) -> (String, Taken) {
    let now = store.now;
    let mut subscription = store.new_object("sub", "subscription");
    let mut items = Vec::new();
    for (price, quantity) in &start.items {
        items.push(item(store, price, *quantity));
    }
    let currency = items.first().map(|item| item["price"]["currency"].clone());
    subscription["customer"] = start.customer.clone();
    subscription["currency"] = currency.unwrap_or_default();
    for field in "cancel_at canceled_at ended_at trial_start trial_end schedule pause_collection pending_update default_payment_method test_clock".split(' ') {
        subscription[field] = Value::Null;
    }
    subscription["cancel_at_period_end"] = json!(false);
    subscription["collection_method"] = json!("charge_automatically");
    subscription["billing_mode"] = json!({"type": "flexible"});
    subscription["start_date"] = json!(now);
    subscription["latest_invoice"] = Value::Null;
    subscription["status"] = json!("incomplete");
    if start.metadata.is_object() {
        subscription["metadata"] = start.metadata.clone();
    }
    let trial_end = now + start.trial_days * 86_400;
    subscription["billing_cycle_anchor"] = json!(trial_end);
    subscription["items"] = list(&items);
    let id = store.put("subscription", subscription);
    if 0 < start.trial_days {
        store.set(&id, "status", "trialing");
        store.set(&id, "trial_start", now);
        store.set(&id, "trial_end", trial_end);
        set_period(store, &id, now, Some(trial_end));
    } else {
        set_period(store, &id, now, None);
    }
    let invoice = first_invoice(store, &id, start);
    store.happened("customer.subscription.created", &id);
    invoices::finalize(store, &invoice);
    let taken = invoices::pay(store, &invoice, card);
    after_payment(store, &invoice, taken);
    (id, taken)
}

fn first_invoice(store: &mut Store, id: &str, start: &Start) -> String {
    let subscription = store.get(id).clone();
    let is_trial = text(&subscription, "status") == "trialing";
    let mut lines = lines_of(&subscription);
    if is_trial {
        for line in &mut lines {
            line.amount = 0;
        }
    }
    for (price, quantity) in &start.extras {
        lines.push(Line::of(
            store.get(price),
            *quantity,
            (store.now, store.now),
        ));
    }
    let bill = Bill {
        customer: subscription["customer"].clone(),
        subscription: json!(id),
        reason: "subscription_create",
        lines,
        discount_percent: start.discount_percent,
        tax_percent: start.tax_percent,
        metadata: Value::Null,
    };
    invoices::draft(store, &bill)
}

/// The lines that pay for the period that runs.
fn lines_of(subscription: &Value) -> Vec<Line> {
    let items = rows(subscription, "items").iter();
    let lines = items.map(|item| {
        let period = (
            number(item, "current_period_start"),
            number(item, "current_period_end"),
        );
        Line::of(&item["price"], number(item, "quantity"), period)
    });
    lines.collect()
}

/// Gives every item the period that begins at an instant, and plans its end.
fn set_period(store: &mut Store, id: &str, starts_at: i64, ends_at: Option<i64>) {
    let anchor = number(store.get(id), "billing_cycle_anchor");
    let mut first_end = i64::MAX;
    let items = store.edit(id)["items"]["data"].as_array_mut();
    for item in items.into_iter().flatten() {
        let end = ends_at.unwrap_or_else(|| period_end(anchor, &item["price"], starts_at));
        item["current_period_start"] = json!(starts_at);
        item["current_period_end"] = json!(end);
        first_end = first_end.min(end);
    }
    store.plan(first_end, Due::PeriodEnd(id.to_owned()));
}

/// The first end among the items.
pub(super) fn ends_at(subscription: &Value) -> i64 {
    let ends = rows(subscription, "items").iter();
    let ends = ends.map(|item| number(item, "current_period_end"));
    ends.min().unwrap_or_default()
}

/// Carries a subscription over the end of its period, if it is one still.
pub(super) fn period_ends(store: &mut Store, id: &str) {
    let subscription = store.get(id).clone();
    let status = text(&subscription, "status");
    let runs = matches!(status, "active" | "trialing" | "past_due" | "unpaid");
    if !runs || store.now < ends_at(&subscription) {
        return;
    }
    let set_to_end = subscription["cancel_at"]
        .as_i64()
        .is_some_and(|at| at <= store.now);
    if set_to_end || subscription["cancel_at_period_end"] == json!(true) {
        return end(store, id);
    }
    super::schedules::begin_phases(store, id);
    if status == "trialing" {
        if card_of(store, id) == Card::None {
            let how = store.get(id)["_without_card"].as_str().unwrap_or("cancel");
            if how == "pause" {
                store.set(id, "status", "paused");
                return store.happened("customer.subscription.paused", id);
            }
            return end(store, id);
        }
        store.set(id, "status", "active");
    }
    let starts_at = ends_at(&subscription);
    set_period(store, id, starts_at, None);
    let bill = Bill {
        customer: subscription["customer"].clone(),
        subscription: json!(id),
        reason: "subscription_cycle",
        lines: lines_of(store.get(id)),
        ..Bill::default()
    };
    store.happened("customer.subscription.updated", id);
    let invoice = invoices::draft(store, &bill);
    invoices::finalize_later(store, &invoice);
}

/// What an invoice's payment makes of its subscription.
pub(super) fn after_payment(store: &mut Store, invoice: &str, taken: Taken) {
    let Some(id) = store.get(invoice)["_subscription"]
        .as_str()
        .map(str::to_owned)
    else {
        return;
    };
    let status = text(store.get(&id), "status").to_owned();
    let becomes = match (taken, status.as_str()) {
        (Taken::Paid | Taken::Processing, "incomplete") | (Taken::Paid, "past_due" | "unpaid") => {
            "active"
        }
        (Taken::Declined | Taken::NeedsCustomer, "active") => "past_due",
        (Taken::Declined | Taken::NeedsCustomer, "past_due")
            if invoices::is_given_up(store, invoice) =>
        {
            let how = store.get(&id)["_after_dunning"]
                .as_str()
                .unwrap_or("cancel");
            if how == "cancel" {
                return end(store, &id);
            }
            "unpaid"
        }
        _ => return,
    };
    store.set(&id, "status", becomes);
    store.happened("customer.subscription.updated", &id);
}

/// The card that a subscription is paid with.
pub(super) fn card_of(store: &Store, id: &str) -> Card {
    let customer = text(store.get(id), "customer").to_owned();
    customer_card(store, &customer)
}

/// The card of a customer.
pub(super) fn customer_card(store: &Store, customer: &str) -> Card {
    let customer = store.find(customer).cloned().unwrap_or_default();
    Card::of(text(
        &customer["invoice_settings"],
        "default_payment_method",
    ))
}

/// Ends a subscription at once.
pub(super) fn end(store: &mut Store, id: &str) {
    let now = store.now;
    let subscription = store.edit(id);
    if text(subscription, "status") == "canceled" {
        return;
    }
    subscription["status"] = json!("canceled");
    subscription["ended_at"] = json!(now);
    if subscription["canceled_at"].is_null() {
        subscription["canceled_at"] = json!(now);
    }
    store.happened("customer.subscription.deleted", id);
}

/// How a subscription is set to end with its period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndBy {
    /// By `cancel_at_period_end`, as the API and the portals of old do.
    Flag,
    /// By `cancel_at` alone, as the portal does in flexible mode.
    Instant,
}

/// Sets a subscription to end with its period.
pub(super) fn end_with_period(store: &mut Store, id: &str, by: EndBy) {
    let (now, ends_at) = (store.now, ends_at(store.get(id)));
    let subscription = store.edit(id);
    subscription["canceled_at"] = json!(now);
    subscription["cancel_at"] = json!(ends_at);
    subscription["cancel_at_period_end"] = json!(by == EndBy::Flag);
    store.happened("customer.subscription.updated", id);
}

/// Sets a subscription to end at an instant.
pub(super) fn end_at(store: &mut Store, id: &str, at: i64) {
    let now = store.now;
    let subscription = store.edit(id);
    subscription["canceled_at"] = json!(now);
    subscription["cancel_at"] = json!(at);
    subscription["cancel_at_period_end"] = json!(false);
    store.plan(at, Due::Cancel(id.to_owned()));
    store.happened("customer.subscription.updated", id);
}

/// Takes it back.
pub(super) fn go_on(store: &mut Store, id: &str) {
    let subscription = store.edit(id);
    subscription["canceled_at"] = Value::Null;
    subscription["cancel_at"] = Value::Null;
    subscription["cancel_at_period_end"] = json!(false);
    store.happened("customer.subscription.updated", id);
}

/// Lets one that is `paused` go on, with a period that begins now.
pub(super) fn resume(store: &mut Store, id: &str) {
    let now = store.now;
    store.set(id, "billing_cycle_anchor", now);
    store.set(id, "status", "active");
    begin_now(store, id, "subscription_cycle");
    store.happened("customer.subscription.resumed", id);
    store.happened("customer.subscription.updated", id);
}

/// Begins a period now and bills it at once; what became of the payment.
pub(super) fn begin_now(store: &mut Store, id: &str, reason: &'static str) -> Taken {
    let now = store.now;
    store.set(id, "billing_cycle_anchor", now);
    set_period(store, id, now, None);
    let lines = lines_of(store.get(id));
    bill_now(store, id, reason, lines)
}

/// Bills lines at once.
pub(super) fn bill_now(
    store: &mut Store,
    id: &str,
    reason: &'static str,
    lines: Vec<Line>,
) -> Taken {
    let bill = Bill {
        customer: store.get(id)["customer"].clone(),
        subscription: json!(id),
        reason,
        lines,
        ..Bill::default()
    };
    let invoice = invoices::draft(store, &bill);
    invoices::finalize(store, &invoice);
    let card = card_of(store, id);
    let taken = invoices::pay(store, &invoice, card);
    after_payment(store, &invoice, taken);
    taken
}
