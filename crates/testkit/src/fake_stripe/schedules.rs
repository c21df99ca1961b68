//! What will change subscriptions, phase by phase.

use serde_json::{Value, json};

use super::store::{Due, Store, number, rows, text};

/// Gives a subscription a schedule whose one phase is what runs.
pub(super) fn schedule(store: &mut Store, subscription: &str) -> String {
    let runs = store.get(subscription).clone();
    let items: Vec<Value> = rows(&runs, "items")
        .iter()
        .map(|item| json!({"price": item["price"]["id"], "quantity": item["quantity"]}))
        .collect();
    let first = rows(&runs, "items").first().cloned().unwrap_or_default();
    let mut schedule = store.new_object("sub_sched", "subscription_schedule");
    schedule["status"] = json!("active");
    schedule["customer"] = runs["customer"].clone();
    schedule["subscription"] = json!(subscription);
    schedule["end_behavior"] = json!("release");
    schedule["phases"] = json!([{"start_date": first["current_period_start"], "end_date": first["current_period_end"], "items": items,
        "trial_end": runs["trial_end"], "discounts": runs["discounts"]}]);
    let id = store.put("subscription_schedule", schedule);
    store.set(subscription, "schedule", id.as_str());
    store.happened("subscription_schedule.created", &id);
    store.happened("customer.subscription.updated", subscription);
    id
}

/// Says what a schedule will do.
pub(super) fn set_phases(store: &mut Store, id: &str, phases: Value) {
    for phase in phases.as_array().into_iter().flatten() {
        let start = number(phase, "start_date");
        if store.now < start {
            store.plan(start, Due::Phase(id.to_owned()));
        }
    }
    store.set(id, "phases", phases);
    store.happened("subscription_schedule.updated", id);
}

/// Takes a schedule away.
pub(super) fn release(store: &mut Store, id: &str) {
    let subscription = text(store.get(id), "subscription").to_owned();
    store.set(id, "status", "released");
    store.set(id, "released_subscription", subscription.as_str());
    store.set(id, "subscription", Value::Null);
    store.set(&subscription, "schedule", Value::Null);
    store.happened("subscription_schedule.released", id);
    store.happened("customer.subscription.updated", &subscription);
}

/// A phase may begin that is not at the end of a period.
pub(super) fn phase_is_due(store: &mut Store, schedule: &str) {
    let subscription = text(store.get(schedule), "subscription").to_owned();
    if !subscription.is_empty() && begin_phases(store, &subscription) {
        store.happened("customer.subscription.updated", &subscription);
    }
}

/// Gives a subscription the items of the phase that runs by now; whether that changed anything. The last one takes the schedule
/// away.
pub(super) fn begin_phases(store: &mut Store, subscription: &str) -> bool {
    let Some(id) = store.get(subscription)["schedule"]
        .as_str()
        .map(str::to_owned)
    else {
        return false;
    };
    let schedule = store.get(&id).clone();
    let phases = schedule["phases"].as_array().cloned().unwrap_or_default();
    let begun = phases
        .iter()
        .rposition(|phase| number(phase, "start_date") <= store.now);
    let Some(begun) = begun.filter(|_| text(&schedule, "status") == "active") else {
        return false;
    };
    if schedule["_begun"].as_u64() == u64::try_from(begun).ok() || begun == 0 {
        return false;
    }
    store.set(&id, "_begun", begun);
    let old = rows(store.get(subscription), "items")
        .first()
        .cloned()
        .unwrap_or_default();
    let mut items = Vec::new();
    for wanted in phases[begun]["items"].as_array().into_iter().flatten() {
        let mut item = old.clone();
        item["price"] = store.get(text(wanted, "price")).clone();
        item["quantity"] = json!(number(wanted, "quantity").max(1));
        items.push(item);
    }
    store.edit(subscription)["items"]["data"] = json!(items);
    if begun + 1 == phases.len() {
        release(store, &id);
    }
    true
}
