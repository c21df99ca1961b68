//! The two shapes in which objects are shown, and what is expanded in them.

use serde_json::{Value, json};

use super::store::{Store, number, rows, text};

/// As many as a list inside an object shows.
const INSIDE_MAX: usize = 10;

/// Which of Stripe's versions an object is shown in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shape {
    /// As before 2025-03-31: the period on the subscription, `paid` and `payment_intent` on the invoice, `plan` on the item.
    Old,
    /// As in `2026-10-28.endive`.
    #[default]
    New,
}

impl Shape {
    /// The shape of a version, `2026-10-28.endive`.
    pub(super) fn of_version(version: &str) -> Self {
        if version < "2025-03-31" {
            Self::Old
        } else {
            Self::New
        }
    }

    /// A version that has it.
    pub const fn version(self) -> &'static str {
        match self {
            Self::Old => "2017-08-15",
            Self::New => "2026-10-28.endive",
        }
    }
}

/// An object as it is shown, with what is asked for in full.
pub(super) fn show(store: &Store, object: &Value, shape: Shape, expand: &[String]) -> Value {
    let mut shown = object.clone();
    shape_one(store, &mut shown, shape);
    for path in expand {
        let parts: Vec<&str> = path.split('.').collect();
        expand_one(store, &mut shown, &parts, shape);
    }
    hide(&mut shown);
    shown
}

fn shape_one(store: &Store, object: &mut Value, shape: Shape) {
    match text(object, "object") {
        "subscription" => subscription(object, shape),
        "subscription_schedule" => {
            object["current_phase"] = current_phase(store, object);
        }
        "invoice" => invoice(store, object, shape),
        "payment_intent" | "charge" if shape == Shape::Old => {
            object["invoice"] = object["_invoice"].clone();
        }
        _ => {}
    }
}

fn subscription(object: &mut Value, shape: Shape) {
    first_ten(&mut object["items"]);
    if shape == Shape::New {
        return;
    }
    let first = rows(object, "items").first().cloned().unwrap_or_default();
    for side in ["current_period_start", "current_period_end"] {
        object[side] = first[side].clone();
    }
    if let Some(fields) = object.as_object_mut() {
        fields.remove("billing_mode");
    }
    let items = object["items"]["data"].as_array_mut();
    for row in items.into_iter().flatten() {
        item(row, shape);
    }
}

/// One item of a subscription.
pub(super) fn item(row: &mut Value, shape: Shape) {
    if shape == Shape::New {
        return;
    }
    row["plan"] = plan(&row["price"]);
    if let Some(fields) = row.as_object_mut() {
        fields.remove("current_period_start");
        fields.remove("current_period_end");
    }
}

/// When the phase began that runs, and when it ends; nothing of a schedule that does nothing any more.
pub(super) fn current_phase(store: &Store, schedule: &Value) -> Value {
    let phases = schedule["phases"].as_array().into_iter().flatten();
    let mut begun = phases.filter(|phase| number(phase, "start_date") <= store.now);
    match begun
        .next_back()
        .filter(|_| text(schedule, "status") == "active")
    {
        Some(runs) => json!({"start_date": runs["start_date"], "end_date": runs["end_date"]}),
        None => Value::Null,
    }
}

/// A price, as plans were.
fn plan(price: &Value) -> Value {
    json!({
        "id": price["id"], "object": "plan", "amount": price["unit_amount"], "currency": price["currency"],
        "interval": price["recurring"]["interval"], "interval_count": price["recurring"]["interval_count"],
        "product": price["product"], "metadata": price["metadata"],
    })
}

fn invoice(store: &Store, object: &mut Value, shape: Shape) {
    let subscription = object["_subscription"].clone();
    match shape {
        Shape::New => {
            if !subscription.is_null() {
                let details = json!({"subscription": subscription, "metadata": {}});
                object["parent"] =
                    json!({"type": "subscription_details", "subscription_details": details});
            }
        }
        Shape::Old => {
            let payment = payments_of(store, text(object, "id")).last().copied();
            let intent = payment.map(|payment| payment["payment"]["payment_intent"].clone());
            let intent = intent.unwrap_or_default();
            let charge = intent.as_str().and_then(|id| store.find(id));
            object["charge"] = charge
                .map(|intent| intent["latest_charge"].clone())
                .unwrap_or_default();
            object["payment_intent"] = intent;
            object["subscription"] = subscription;
            object["paid"] = json!(text(object, "status") == "paid");
            object["paid_out_of_band"] = json!(object["_outside"] == json!(true));
        }
    }
    let lines = object["lines"]["data"].as_array_mut();
    for row in lines.into_iter().flatten() {
        line(row, shape);
    }
    first_ten(&mut object["lines"]);
}

/// A list inside an object shows its first ten; the rest is listed on its own.
fn first_ten(list: &mut Value) {
    if let Some(data) = list["data"]
        .as_array_mut()
        .filter(|data| INSIDE_MAX < data.len())
    {
        data.truncate(INSIDE_MAX);
        list["has_more"] = json!(true);
    }
}

/// One line of an invoice.
pub(super) fn line(row: &mut Value, shape: Shape) {
    let (price, subscription) = (row["_price"].clone(), row["_subscription"].clone());
    let proration = row["_proration"] == json!(true);
    match shape {
        Shape::New => {
            let details = json!({"price": price["id"], "product": price["product"]});
            row["pricing"] = json!({"type": "price_details", "price_details": details,
                "unit_amount_decimal": number(&price, "unit_amount").to_string()});
            let details = json!({"subscription": subscription, "proration": proration});
            let kind = if price["recurring"].is_null() {
                "invoice_item_details"
            } else {
                "subscription_item_details"
            };
            row["parent"] = json!({"type": kind, kind: details});
        }
        Shape::Old => {
            row["plan"] = if price["recurring"].is_null() {
                Value::Null
            } else {
                plan(&price)
            };
            row["price"] = price;
            row["subscription"] = subscription;
            row["proration"] = json!(proration);
        }
    }
    hide(row);
}

/// The payments of an invoice, oldest first.
pub(super) fn payments_of<'a>(store: &'a Store, invoice: &str) -> Vec<&'a Value> {
    let ids = store.get(invoice)["_payments"].as_array();
    let ids = ids.into_iter().flatten().filter_map(Value::as_str);
    ids.map(|id| store.get(id)).collect()
}

/// A list as it stands inside an object.
pub(super) fn list(data: &[Value]) -> Value {
    json!({"object": "list", "data": data, "has_more": false})
}

fn expand_one(store: &Store, value: &mut Value, path: &[&str], shape: Shape) {
    let Some((field, rest)) = path.split_first() else {
        return;
    };
    if let Some(values) = value.as_array_mut() {
        for value in values {
            expand_one(store, value, path, shape);
        }
        return;
    }
    if *field == "payments" && text(value, "object") == "invoice" {
        let payments = payments_of(store, text(value, "id"));
        value["payments"] = list(&payments.into_iter().cloned().collect::<Vec<_>>());
    }
    if *field == "line_items" && text(value, "object") == "checkout.session" {
        let lines = value["_lines"].as_array().cloned();
        value["line_items"] = list(&lines.unwrap_or_default());
        first_ten(&mut value["line_items"]);
    }
    if let Some(object) = value[*field].as_str().and_then(|id| store.find(id)) {
        let mut whole = object.clone();
        shape_one(store, &mut whole, shape);
        value[*field] = whole;
    }
    let goes_on = value[*field].is_object() || value[*field].is_array();
    if goes_on && !rest.is_empty() {
        expand_one(store, &mut value[*field], rest, shape);
    }
}

/// Takes away what is shown to nobody.
fn hide(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| !name.starts_with('_'));
            fields.values_mut().for_each(hide);
        }
        Value::Array(values) => values.iter_mut().for_each(hide),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
