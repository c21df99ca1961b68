//! Checkout sessions: how they are opened and paid.

use serde_json::{Value, json};

use super::billing::{self, Start};
use super::invoices::{self, Bill, Line, total};
use super::payments::{Card, Order, Taken, fail, succeed, take};
use super::shape::payments_of;
use super::store::{Due, Store, number, text};

/// A session can be paid for a day.
const OPEN_SECONDS: i64 = 86_400;

/// How a customer pays a session.
#[derive(Clone, Debug, Default)]
pub struct Pay {
    /// What the card does.
    pub card: Card,
    /// A coupon: so many percent less; with 100 nothing is to be paid.
    pub discount_percent: i64,
    /// Tax on what is left.
    pub tax_percent: i64,
    /// The currency and the amount that the customer saw.
    pub presentment: Option<(String, i64)>,
}

impl Pay {
    /// Paid by this card, and nothing else about it.
    pub fn by(card: Card) -> Self {
        Self {
            card,
            ..Self::default()
        }
    }
}

/// Opens a session. `asked` is what the call said.
pub(super) fn open(store: &mut Store, asked: &Value, base_url: &str) -> String {
    let prefix = if store.livemode { "cs_live" } else { "cs_test" };
    let mut session = store.new_object(prefix, "checkout.session");
    let mut lines = Vec::new();
    for line in asked["line_items"].as_array().into_iter().flatten() {
        let price = store.get(text(line, "price")).clone();
        let quantity = text(line, "quantity").parse().unwrap_or(1);
        let amount = number(&price, "unit_amount") * quantity;
        lines.push(json!({
            "id": store.id("li"), "object": "item", "price": price, "quantity": quantity, "currency": price["currency"],
            "amount_subtotal": amount, "amount_total": amount, "description": price["_name"],
        }));
    }
    let subtotal: i64 = lines.iter().map(|line| number(line, "amount_total")).sum();
    let currency = lines.first().map(|line| line["currency"].clone());
    let expires_at = text(asked, "expires_at")
        .parse()
        .unwrap_or(store.now + OPEN_SECONDS);
    for field in "mode client_reference_id customer success_url cancel_url".split(' ') {
        session[field] = asked[field].clone();
    }
    for field in "payment_intent subscription invoice presentment_details".split(' ') {
        session[field] = Value::Null;
    }
    session["status"] = json!("open");
    session["payment_status"] = json!("unpaid");
    session["amount_subtotal"] = json!(subtotal);
    session["amount_total"] = json!(subtotal);
    session["currency"] = currency.unwrap_or_default();
    session["expires_at"] = json!(expires_at);
    session["url"] = json!(format!("{base_url}/_fake/pay/{}", text(&session, "id")));
    if asked["metadata"].is_object() {
        session["metadata"] = asked["metadata"].clone();
    }
    session["_lines"] = json!(lines);
    session["_with_invoice"] = json!(asked["invoice_creation"]["enabled"] == json!("true"));
    session["_payment_metadata"] = asked["payment_intent_data"]["metadata"].clone();
    session["_subscription"] = asked["subscription_data"].clone();
    let id = store.put("session", session);
    store.plan(expires_at, Due::Expire(id.clone()));
    id
}

/// A session can no longer be paid.
pub(super) fn expire(store: &mut Store, id: &str) {
    if text(store.get(id), "status") == "open" {
        store.set(id, "status", "expired");
        store.set(id, "url", Value::Null);
        store.happened("checkout.session.expired", id);
    }
}

/// Somebody pays. A card that is refused, or whose bank asks for the customer, leaves the session open.
pub(super) fn pay(store: &mut Store, id: &str, pay: &Pay) {
    let session = store.get(id).clone();
    assert!(
        text(&session, "status") == "open",
        "{id} is not open any more"
    );
    let subtotal = number(&session, "amount_subtotal");
    let total = total(subtotal, pay.discount_percent, pay.tax_percent);
    store.set(id, "amount_total", total);
    // The lines are lowered alike.
    let lines = store.edit(id)["_lines"].as_array_mut();
    for line in lines.into_iter().flatten() {
        let before = number(line, "amount_subtotal");
        line["amount_total"] = json!(invoices::total(
            before,
            pay.discount_percent,
            pay.tax_percent
        ));
    }
    if let Some((currency, amount)) = &pay.presentment {
        let details = json!({"presentment_amount": amount, "presentment_currency": currency});
        store.set(id, "presentment_details", details);
    }
    if session["customer"].is_null() {
        let customer = super::objects::customer(store, &json!({}));
        store.set(id, "customer", customer);
    }
    if text(&session, "mode") == "subscription" {
        begin(store, id, pay);
    } else {
        buy(store, id, pay, total);
    }
}

fn buy(store: &mut Store, id: &str, pay: &Pay, total: i64) {
    let session = store.get(id).clone();
    if total == 0 {
        store.set(id, "payment_status", "no_payment_required");
        return complete(store, id, pay);
    }
    let order = Order {
        customer: session["customer"].clone(),
        amount: total,
        currency: text(&session, "currency").to_owned(),
        card: pay.card,
        metadata: metadata(&session["_payment_metadata"]),
    };
    // The one intent of a session is used for all tries.
    let (intent, taken) = match session["payment_intent"].as_str() {
        Some(intent) => {
            let taken = super::payments::try_again(store, intent, pay.card);
            (intent.to_owned(), taken)
        }
        None => take(store, &order),
    };
    store.set(id, "payment_intent", intent.as_str());
    store.set(&intent, "_session", id);
    match taken {
        Taken::Paid => {
            store.set(id, "payment_status", "paid");
            complete(store, id, pay);
        }
        Taken::Processing => complete(store, id, pay),
        Taken::Declined | Taken::NeedsCustomer => {}
    }
}

fn metadata(value: &Value) -> Value {
    if value.is_object() {
        value.clone()
    } else {
        json!({})
    }
}

fn complete(store: &mut Store, id: &str, pay: &Pay) {
    store.set(id, "status", "complete");
    store.set(id, "url", Value::Null);
    let session = store.get(id).clone();
    if session["_with_invoice"] == json!(true) && text(&session, "payment_status") != "unpaid" {
        invoice_of(store, id, pay);
    }
    store.happened("checkout.session.completed", id);
}

/// The invoice that is made of a payment which has been made already.
fn invoice_of(store: &mut Store, id: &str, pay: &Pay) {
    let session = store.get(id).clone();
    let now = store.now;
    let lines = session["_lines"].as_array().into_iter().flatten();
    let lines = lines.map(|line| Line::of(&line["price"], number(line, "quantity"), (now, now)));
    let bill = Bill {
        customer: session["customer"].clone(),
        reason: "manual",
        lines: lines.collect(),
        discount_percent: pay.discount_percent,
        tax_percent: pay.tax_percent,
        ..Bill::default()
    };
    let invoice = invoices::draft(store, &bill);
    invoices::finalize(store, &invoice);
    store.set(id, "invoice", invoice.as_str());
    let Some(intent) = session["payment_intent"].as_str() else {
        invoices::pay(store, &invoice, Card::Good);
        return;
    };
    store.set(intent, "_invoice", invoice.as_str());
    let charge = text(store.get(intent), "latest_charge").to_owned();
    store.set(&charge, "_invoice", invoice.as_str());
    let mut payment = store.new_object("inpay", "invoice_payment");
    payment["invoice"] = json!(invoice);
    payment["status"] = json!("open");
    payment["amount_requested"] = session["amount_total"].clone();
    payment["currency"] = session["currency"].clone();
    payment["payment"] = json!({"type": "payment_intent", "payment_intent": intent});
    let payment = store.put("invoice_payment", payment);
    store.set(&invoice, "_payments", json!([payment]));
    invoices::settle(store, &invoice, intent);
}

fn begin(store: &mut Store, id: &str, pay: &Pay) {
    let session = store.get(id).clone();
    let lines = session["_lines"].as_array().into_iter().flatten();
    let (items, extras): (Vec<&Value>, Vec<&Value>) =
        lines.partition(|line| !line["price"]["recurring"].is_null());
    let name = |line: &&Value| {
        let price = text(&line["price"], "id").to_owned();
        (price, number(line, "quantity"))
    };
    let trial_days = text(&session["_subscription"], "trial_period_days");
    let start = Start {
        customer: session["customer"].clone(),
        items: items.iter().map(name).collect(),
        extras: extras.iter().map(name).collect(),
        trial_days: trial_days.parse().unwrap_or_default(),
        metadata: session["_subscription"]["metadata"].clone(),
        discount_percent: pay.discount_percent,
        tax_percent: pay.tax_percent,
    };
    let is_trial = 0 < start.trial_days;
    let fails = match pay.card {
        Card::Declined | Card::NeedsCustomer => true,
        Card::None => !is_trial,
        Card::Good | Card::Late => false,
    };
    if fails && session["_old"] != json!(true) {
        // Nothing is made before the payment (since 2025-03-31).
        return;
    }
    let (subscription, taken) = billing::start(store, &start, pay.card);
    let invoice = store.get(&subscription)["latest_invoice"].clone();
    store.set(id, "subscription", subscription.as_str());
    let at_trial_end = &session["_subscription"]["trial_settings"]["end_behavior"];
    let without_card = at_trial_end["missing_payment_method"].clone();
    store.set(&subscription, "_without_card", without_card);
    store.set(id, "invoice", invoice.clone());
    if let Some(payment) = invoice.as_str().and_then(|id| payments_of(store, id).pop()) {
        let intent = text(&payment["payment"], "payment_intent").to_owned();
        store.set(&intent, "_session", id);
    }
    if pay.card != Card::None {
        let customer = text(&session, "customer");
        store.edit(customer)["invoice_settings"]["default_payment_method"] = json!(pay.card.word());
    }
    let is_free = invoice
        .as_str()
        .is_some_and(|id| number(store.get(id), "total") == 0);
    match taken {
        Taken::Paid => {
            let status = if is_free {
                "no_payment_required"
            } else {
                "paid"
            };
            store.set(id, "payment_status", status);
            complete(store, id, pay);
        }
        Taken::Processing => complete(store, id, pay),
        Taken::Declined | Taken::NeedsCustomer => {}
    }
}

/// A payment that was under way, or waited for the customer, comes to its end.
pub(super) fn payment_ends(store: &mut Store, intent: &str, is_paid: bool) {
    let of = store.get(intent).clone();
    if is_paid {
        succeed(store, intent);
    } else {
        fail(store, intent);
    }
    if let Some(invoice) = of["_invoice"].as_str() {
        if is_paid {
            invoices::settle(store, invoice, intent);
        } else {
            store.happened("invoice.payment_failed", invoice);
        }
        let taken = if is_paid {
            Taken::Paid
        } else {
            Taken::Declined
        };
        billing::after_payment(store, invoice, taken);
    }
    let Some(session) = of["_session"].as_str() else {
        return;
    };
    if is_paid {
        store.set(session, "payment_status", "paid");
    }
    if text(store.get(session), "status") == "open" {
        if is_paid {
            complete(store, session, &Pay::default());
        }
        return;
    }
    let kind = if is_paid {
        if store.get(session)["_with_invoice"] == json!(true) {
            invoice_of(store, session, &Pay::default());
        }
        "checkout.session.async_payment_succeeded"
    } else {
        "checkout.session.async_payment_failed"
    };
    store.happened(kind, session);
}
