//! Writes of subscriptions and their schedules.

use serde_json::{Value, json};

use super::asked::{Written, known, merge, no_such_path, there};
use super::billing::{self, EndBy, Start};
use super::changes::{self, ItemChange, ItemsChange};
use super::reply::Reply;
use super::schedules;
use super::shape::current_phase;
use super::store::{Store, number, text};

/// Begins, changes or resumes a subscription.
pub(super) fn subscription(store: &mut Store, path: &[&str], form: &Value) -> Written {
    match path {
        [_] => {
            known(
                form,
                "customer items trial_period_days metadata payment_behavior",
            )?;
            let customer = there(store, text(form, "customer"), "customer")?;
            let mut start = Start {
                customer: json!(customer),
                trial_days: text(form, "trial_period_days").parse().unwrap_or_default(),
                metadata: form["metadata"].clone(),
                ..Start::default()
            };
            for item in form["items"].as_array().into_iter().flatten() {
                let price = there(store, text(item, "price"), "price")?;
                start
                    .items
                    .push((price, text(item, "quantity").parse().unwrap_or(1)));
            }
            let card = billing::customer_card(store, &customer);
            Ok(billing::start(store, &start, card).0)
        }
        [_, id] => change(store, id, form),
        [_, id, "resume"] => {
            let id = there(store, id, "subscription")?;
            if text(store.get(&id), "status") != "paused" {
                let message = "This subscription is not paused.";
                return Err(Reply::refused("", message));
            }
            billing::resume(store, &id);
            Ok(id)
        }
        _ => Err(no_such_path()),
    }
}

fn change(store: &mut Store, id: &str, form: &Value) -> Written {
    known(
        form,
        "items cancel_at cancel_at_period_end billing_cycle_anchor proration_behavior payment_behavior trial_end metadata default_payment_method pause_collection",
    )?;
    let id = there(store, id, "subscription")?;
    must_be_possible(store.get(&id), form)?;
    let mut change = ItemsChange {
        is_anchored_now: text(&form["billing_cycle_anchor"], "type") == "now",
        is_invoiced: text(form, "proration_behavior") == "always_invoice",
        waits_for_payment: text(form, "payment_behavior") == "pending_if_incomplete",
        ..ItemsChange::default()
    };
    for item in form["items"].as_array().into_iter().flatten() {
        if let Some(price) = item["price"].as_str() {
            there(store, price, "price")?;
        }
        change.items.push(ItemChange {
            id: item["id"].as_str().map(str::to_owned),
            price: item["price"].as_str().map(str::to_owned),
            quantity: text(item, "quantity").parse().ok(),
            is_removed: item["deleted"] == json!("true"),
        });
    }
    match (
        form["cancel_at"].as_str(),
        form["cancel_at_period_end"].as_str(),
    ) {
        (_, Some("true")) => billing::end_with_period(store, &id, EndBy::Flag),
        (Some(""), _) | (None, Some("false")) => billing::go_on(store, &id),
        (Some(at), _) => billing::end_at(store, &id, at.parse().unwrap_or_default()),
        (None, _) => {}
    }
    if form["metadata"].is_object() {
        merge(store, &id, &json!({"metadata": form["metadata"]}));
    }
    if !change.items.is_empty() || change.is_anchored_now {
        changes::change_items(store, &id, &change);
    } else if form["metadata"].is_object() {
        store.happened("customer.subscription.updated", &id);
    }
    Ok(id)
}

/// What Stripe refuses of a change.
fn must_be_possible(subscription: &Value, form: &Value) -> Result<(), Reply> {
    let refused = |message: &str| Err(Reply::refused("", message));
    if text(subscription, "status") == "canceled" {
        return refused(
            "A canceled subscription can only update its cancellation_details and metadata.",
        );
    }
    if form["billing_cycle_anchor"].is_string() {
        // A word, before 2026-09-30.
        return Err(Reply::refused("parameter_invalid_object", "Invalid object"));
    }
    let is_trial = text(subscription, "status") == "trialing";
    if is_trial && !form["billing_cycle_anchor"].is_null() {
        return refused("The billing cycle anchor of a trial is its end.");
    }
    let ends = ["cancel_at", "cancel_at_period_end"];
    let ends = ends.iter().filter(|end| !form[**end].is_null()).count();
    if ends == 2 {
        return refused("Only one of cancel_at and cancel_at_period_end may be given.");
    }
    if ends == 1 && !subscription["schedule"].is_null() {
        return refused("The end of a subscription with a schedule is changed in the schedule.");
    }
    Ok(())
}

/// Makes, changes or releases a schedule.
pub(super) fn schedule(store: &mut Store, path: &[&str], form: &Value) -> Written {
    match path {
        [_] => {
            known(form, "from_subscription metadata")?;
            let subscription = there(store, text(form, "from_subscription"), "subscription")?;
            if !store.get(&subscription)["schedule"].is_null() {
                let message =
                    "You cannot migrate a subscription that is already attached to a schedule.";
                return Err(Reply::refused("", message));
            }
            Ok(schedules::schedule(store, &subscription))
        }
        [_, id] => {
            known(form, "phases end_behavior proration_behavior metadata")?;
            let id = there(store, id, "subscription_schedule")?;
            let mut phases = form["phases"].clone();
            for phase in phases.as_array_mut().into_iter().flatten() {
                for side in ["start_date", "end_date", "trial_end"] {
                    phase[side] = json!(text(phase, side).parse::<i64>().ok());
                }
                for item in phase["items"].as_array_mut().into_iter().flatten() {
                    there(store, text(item, "price"), "price")?;
                    item["quantity"] = json!(text(item, "quantity").parse::<i64>().unwrap_or(1));
                }
            }
            schedules::set_phases(store, &id, phases);
            end_trial_unless_said(store, &id);
            Ok(id)
        }
        [_, id, "release"] => {
            let id = there(store, id, "subscription_schedule")?;
            schedules::release(store, &id);
            Ok(id)
        }
        _ => Err(no_such_path()),
    }
}

/// A running trial ends with phases that do not say it again.
fn end_trial_unless_said(store: &mut Store, schedule: &str) {
    let schedule = store.get(schedule).clone();
    let current = current_phase(store, &schedule);
    let phases = schedule["phases"].as_array().into_iter().flatten();
    let mut running = phases.filter(|phase| phase["start_date"] == current["start_date"]);
    let is_said = running.any(|phase| store.now < number(phase, "trial_end"));
    let subscription = text(&schedule, "subscription");
    if !is_said && text(store.get(subscription), "status") == "trialing" {
        store.set(subscription, "status", "active");
        billing::begin_now(store, subscription, "subscription_update");
    }
}
