//! Meters, the use that is told to them, and its cancellation.

use serde_json::{Value, json};

use super::asked::{Asked, Written, known, no_such_path};
use super::reply::Reply;
use super::store::{Store, number, text};

/// How long an identifier counts once, and what was told can be cancelled.
const DAY: i64 = 86_400;
/// How old use may be, and how far ahead.
const PAST_MAX: i64 = 35 * DAY;
const AHEAD_MAX: i64 = 300;

/// Carries out a write about meters.
pub(super) fn write(store: &mut Store, asked: &Asked<'_>) -> Written {
    match asked.path {
        ["billing", "meters"] => {
            let mut meter = store.new_object("mtr", "billing.meter");
            meter["event_name"] = asked.form["event_name"].clone();
            meter["display_name"] = asked.form["display_name"].clone();
            meter["status"] = json!("active");
            Ok(store.put("meter", meter))
        }
        ["billing", "meter_events"] => event(store, asked.form),
        ["billing", "meter_event_adjustments"] => adjustment(store, asked.form),
        _ => Err(no_such_path()),
    }
}

/// The event of an identifier that counts once still.
fn latest(store: &Store, identifier: &str) -> Option<String> {
    let since = store.now - DAY;
    let is_same =
        |event: &Value| text(event, "identifier") == identifier && since < number(event, "created");
    store.ids("meter_event", is_same).pop()
}

fn event(store: &mut Store, form: &Value) -> Written {
    known(form, "event_name identifier payload timestamp")?;
    let identifier = text(form, "identifier").to_owned();
    if !identifier.is_empty() && latest(store, &identifier).is_some() {
        let message = format!("An event already exists with identifier {identifier}.");
        return Err(Reply::refused("duplicate_meter_event", &message));
    }
    let name = text(form, "event_name").to_owned();
    let is_meter =
        |meter: &Value| text(meter, "event_name") == name && text(meter, "status") == "active";
    if store.ids("meter", is_meter).is_empty() {
        let message = format!("No active meter found for event name {name}.");
        return Err(Reply::refused("no_meter", &message));
    }
    let customer = text(&form["payload"], "stripe_customer_id");
    let is_there = store
        .find(customer)
        .is_some_and(|found| found["deleted"] != json!(true));
    if !is_there {
        let message = format!("No such customer: {customer}");
        return Err(Reply::refused("meter_event_customer_not_found", &message));
    }
    if text(&form["payload"], "value").parse::<u64>().is_err() {
        let message = "The value must be a whole number of 0 or more.";
        return Err(Reply::refused("meter_event_invalid_value", message));
    }
    let at = text(form, "timestamp").parse().unwrap_or(store.now);
    if at < store.now - PAST_MAX {
        let message = "The timestamp must be within the past 35 calendar days.";
        return Err(Reply::refused("timestamp_too_far_in_past", message));
    }
    if store.now + AHEAD_MAX < at {
        let message = "The timestamp must not be more than 5 minutes in the future.";
        return Err(Reply::refused("timestamp_in_future", message));
    }
    let mut event = store.new_object("mtrevt", "billing.meter_event");
    event["event_name"] = json!(name);
    event["identifier"] = json!(identifier);
    event["payload"] = form["payload"].clone();
    event["timestamp"] = json!(at);
    Ok(store.put("meter_event", event))
}

fn adjustment(store: &mut Store, form: &Value) -> Written {
    known(form, "event_name type cancel")?;
    let identifier = text(&form["cancel"], "identifier").to_owned();
    let Some(event) = latest(store, &identifier) else {
        let message = format!("The event {identifier} is not there, or is older than 24 hours.");
        return Err(Reply::refused("meter_event_not_cancellable", &message));
    };
    if store.get(&event)["_cancelled"] == json!(true) {
        let message = format!("The event {identifier} has already been cancelled.");
        return Err(Reply::refused("meter_event_cancelled", &message));
    }
    store.set(&event, "_cancelled", true);
    let mut made = store.new_object("mtradj", "billing.meter_event_adjustment");
    made["event_name"] = form["event_name"].clone();
    made["status"] = json!("pending");
    made["type"] = json!("cancel");
    Ok(store.put("meter_adjustment", made))
}

/// What a meter counted, in whole minutes.
pub(super) fn sum(store: &Store, meter: &str, query: &Value) -> Result<Value, Reply> {
    let Some(found) = store.find(meter) else {
        return Err(Reply::missing(meter));
    };
    let span = ["start_time", "end_time"].map(|side| text(query, side).parse().unwrap_or(0));
    if span.iter().any(|side: &i64| side % 60 != 0) {
        let message = "The times must be aligned with minute boundaries.";
        return Err(Reply::refused("parameter_invalid", message));
    }
    let name = text(found, "event_name");
    let sum = summed(store, |event| {
        text(event, "event_name") == name
            && event["payload"]["stripe_customer_id"] == query["customer"]
            && (span[0]..span[1]).contains(&number(event, "timestamp"))
    });
    Ok(
        json!({"id": format!("mtrsum_{meter}"), "object": "billing.meter_event_summary", "aggregated_value": sum,
        "start_time": span[0], "end_time": span[1], "meter": meter, "livemode": store.livemode}),
    )
}

/// The sum of the events that count and pass.
pub(super) fn summed(store: &Store, counts: impl Fn(&Value) -> bool) -> i64 {
    let told = store.newest("meter_event");
    let told = told.filter(|event| event["_cancelled"] != json!(true) && counts(event));
    let values = told.map(|event| text(&event["payload"], "value").parse::<i64>());
    values.map(Result::unwrap_or_default).sum()
}
