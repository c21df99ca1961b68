//! Changes of subscriptions: now, or once they are paid.

use serde_json::{Value, json};

use super::billing::{begin_now, bill_now};
use super::invoices::Line;
use super::payments::Card;
use super::store::{Store, number, rows, text};

/// A change of a subscription's items.
#[derive(Clone, Debug, Default)]
pub(super) struct ItemsChange {
    /// Item, price, quantity, whether it is removed; what is none stays.
    pub(super) items: Vec<ItemChange>,
    /// Whether a period begins now.
    pub(super) is_anchored_now: bool,
    /// Whether what is left of the old price is settled at once.
    pub(super) is_invoiced: bool,
    /// Whether the change waits until it is paid.
    pub(super) waits_for_payment: bool,
}

/// One item of it.
#[derive(Clone, Debug, Default)]
pub(super) struct ItemChange {
    pub(super) id: Option<String>,
    pub(super) price: Option<String>,
    pub(super) quantity: Option<i64>,
    pub(super) is_removed: bool,
}

/// Changes the items of a subscription. A new interval begins a period too.
pub(super) fn change_items(store: &mut Store, id: &str, change: &ItemsChange) {
    let before = store.get(id).clone();
    let after = changed_items(store, &before, change);
    if change.waits_for_payment {
        let pays = super::billing::card_of(store, id) == Card::Good;
        if !pays {
            let expires_at = store.now + 23 * 3_600;
            let update = json!({"expires_at": expires_at, "subscription_items": after});
            store.set(id, "pending_update", update);
            store.happened("customer.subscription.updated", id);
            return;
        }
    }
    let interval = |items: &[Value]| items.first().map(|item| item["price"]["recurring"].clone());
    let old_items = rows(&before, "items");
    let is_new_interval = interval(old_items) != interval(&after);
    store.edit(id)["items"]["data"] = json!(after);
    store.set(id, "pending_update", Value::Null);
    if text(&before, "status") == "trialing" {
        return store.happened("customer.subscription.updated", id);
    }
    if change.is_anchored_now || is_new_interval {
        begin_now(store, id, "subscription_update");
    } else if change.is_invoiced {
        let lines = difference(store.now, old_items, &after);
        bill_now(store, id, "subscription_update", lines);
    }
    store.happened("customer.subscription.updated", id);
}

fn changed_items(store: &mut Store, subscription: &Value, change: &ItemsChange) -> Vec<Value> {
    let mut items: Vec<Value> = rows(subscription, "items").to_vec();
    let period = items.first().cloned().unwrap_or_default();
    for wanted in &change.items {
        let place = items
            .iter()
            .position(|item| item["id"].as_str() == wanted.id.as_deref());
        if wanted.is_removed {
            if let Some(place) = place {
                items.remove(place);
            }
            continue;
        }
        let place = place.unwrap_or_else(|| {
            let mut new = period.clone();
            new["id"] = json!(store.id("si"));
            new["quantity"] = json!(1);
            items.push(new);
            items.len() - 1
        });
        if let Some(price) = &wanted.price {
            items[place]["price"] = store.get(price).clone();
        }
        if let Some(quantity) = wanted.quantity {
            items[place]["quantity"] = json!(quantity);
        }
    }
    items
}

/// What is left of the old items is given back, what is left of the new ones is asked for.
fn difference(now: i64, before: &[Value], after: &[Value]) -> Vec<Line> {
    let mut lines = Vec::new();
    for (items, sign) in [(before, -1), (after, 1)] {
        for item in items {
            let period = (
                number(item, "current_period_start"),
                number(item, "current_period_end"),
            );
            let mut line = Line::of(&item["price"], number(item, "quantity"), (now, period.1));
            let whole = (period.1 - period.0).max(1);
            line.amount = sign * line.amount * (period.1 - now) / whole;
            line.proration = true;
            lines.push(line);
        }
    }
    lines
}

/// A change that waited is paid, or dropped.
pub(super) fn pending_update_ends(store: &mut Store, id: &str, is_paid: bool) {
    let update = store.get(id)["pending_update"].clone();
    if update.is_null() {
        return;
    }
    store.set(id, "pending_update", Value::Null);
    if is_paid {
        store.edit(id)["items"]["data"] = update["subscription_items"].clone();
        begin_now(store, id, "subscription_update");
        store.happened("customer.subscription.pending_update_applied", id);
    } else {
        store.happened("customer.subscription.pending_update_expired", id);
    }
    store.happened("customer.subscription.updated", id);
}
