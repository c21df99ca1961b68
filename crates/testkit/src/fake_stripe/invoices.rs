//! Invoices: how they are made, become final, and are paid.

use serde_json::{Value, json};

use super::payments::{Card, Order, Taken, succeed, take};
use super::shape::{list, payments_of};
use super::store::{Due, Store, number, rows, text};

/// A draft of a renewal waits so long before it is paid.
const DRAFT_SECONDS: i64 = 3_600;
/// The days between the tries to be paid; after the last one it is over.
const RETRY_DAYS: [i64; 3] = [3, 5, 7];

/// An invoice that is to be made.
#[derive(Clone, Debug, Default)]
pub(super) struct Bill {
    pub(super) customer: Value,
    pub(super) subscription: Value,
    pub(super) reason: &'static str,
    pub(super) lines: Vec<Line>,
    pub(super) discount_percent: i64,
    pub(super) tax_percent: i64,
    pub(super) metadata: Value,
}

/// A line of it.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) price: Value,
    pub(super) quantity: i64,
    pub(super) amount: i64,
    pub(super) proration: bool,
    pub(super) period: (i64, i64),
}

impl Line {
    /// A whole line at its price.
    pub(super) fn of(price: &Value, quantity: i64, period: (i64, i64)) -> Self {
        Self {
            price: price.clone(),
            quantity,
            amount: number(price, "unit_amount") * quantity,
            proration: false,
            period,
        }
    }
}

/// What is left of a sum after a discount, with tax on it.
pub(super) fn total(subtotal: i64, discount_percent: i64, tax_percent: i64) -> i64 {
    let net = subtotal - subtotal * discount_percent / 100;
    net + net * tax_percent / 100
}

/// Makes a draft.
pub(super) fn draft(store: &mut Store, bill: &Bill) -> String {
    let mut invoice = store.new_object("in", "invoice");
    let mut lines = Vec::new();
    for line in &bill.lines {
        lines.push(json!({
            "id": store.id("il"), "object": "line_item", "amount": line.amount, "quantity": line.quantity,
            "currency": line.price["currency"], "description": line.price["_name"], "metadata": {},
            "period": {"start": line.period.0, "end": line.period.1},
            "_price": line.price, "_proration": line.proration,
            "_subscription": if line.price["recurring"].is_null() { Value::Null } else { bill.subscription.clone() },
        }));
    }
    let currency = bill
        .lines
        .first()
        .map(|line| line.price["currency"].clone());
    invoice["customer"] = bill.customer.clone();
    invoice["status"] = json!("draft");
    invoice["currency"] = currency.unwrap_or_else(|| json!("eur"));
    invoice["billing_reason"] = json!(bill.reason);
    invoice["attempt_count"] = json!(0);
    invoice["next_payment_attempt"] = Value::Null;
    invoice["period_start"] = invoice["created"].clone();
    invoice["period_end"] = invoice["created"].clone();
    invoice["lines"] = list(&lines);
    invoice["metadata"] = if bill.metadata.is_object() {
        bill.metadata.clone()
    } else {
        json!({})
    };
    invoice["_subscription"] = bill.subscription.clone();
    invoice["_discount"] = json!(bill.discount_percent);
    invoice["_tax"] = json!(bill.tax_percent);
    invoice["_payments"] = json!([]);
    let id = store.put("invoice", invoice);
    add_up(store, &id);
    if let Some(subscription) = bill.subscription.as_str() {
        store.set(subscription, "latest_invoice", id.as_str());
    }
    store.happened("invoice.created", &id);
    id
}

/// Adds up the lines again.
pub(super) fn add_up(store: &mut Store, id: &str) {
    let invoice = store.edit(id);
    let subtotal: i64 = rows(invoice, "lines")
        .iter()
        .map(|line| number(line, "amount"))
        .sum();
    let total = total(
        subtotal,
        number(invoice, "_discount"),
        number(invoice, "_tax"),
    )
    .max(0);
    invoice["subtotal"] = json!(subtotal);
    invoice["total"] = json!(total);
    invoice["amount_due"] = json!(total);
    invoice["amount_paid"] = json!(0);
    invoice["amount_remaining"] = json!(total);
}

/// Has a draft become final later.
pub(super) fn finalize_later(store: &mut Store, id: &str) {
    let at = store.now + DRAFT_SECONDS;
    store.plan(at, Due::Finalize(id.to_owned()));
}

/// Makes a draft final.
pub(super) fn finalize(store: &mut Store, id: &str) {
    if text(store.get(id), "status") != "draft" {
        return;
    }
    store.set(id, "status", "open");
    store.set(
        id,
        "hosted_invoice_url",
        format!("https://invoice.test/{id}"),
    );
    store.happened("invoice.finalized", id);
}

/// Tries to be paid. An invoice of nothing is paid without a payment.
pub(super) fn pay(store: &mut Store, id: &str, card: Card) -> Taken {
    let invoice = store.get(id).clone();
    if number(&invoice, "amount_remaining") == 0 {
        paid(store, id);
        return Taken::Paid;
    }
    let attempt = number(&invoice, "attempt_count") + 1;
    store.set(id, "attempt_count", attempt);
    let order = Order {
        customer: invoice["customer"].clone(),
        amount: number(&invoice, "amount_remaining"),
        currency: text(&invoice, "currency").to_owned(),
        card: Card::None,
        metadata: json!({}),
    };
    let (intent, taken) = payment(store, id, &order, card);
    match taken {
        Taken::Paid => settle(store, id, &intent),
        Taken::Processing => {}
        Taken::Declined | Taken::NeedsCustomer => {
            if taken == Taken::NeedsCustomer {
                store.happened("invoice.payment_action_required", id);
            }
            plan_retry(store, id, attempt);
            store.happened("invoice.payment_failed", id);
        }
    }
    taken
}

/// The intent of an invoice: one for all tries, as Stripe has it.
fn payment(store: &mut Store, invoice: &str, order: &Order, card: Card) -> (String, Taken) {
    let open = payments_of(store, invoice)
        .last()
        .map(|last| (*last).clone());
    if let Some(open) = open.filter(|payment| text(payment, "status") == "open") {
        let intent = text(&open["payment"], "payment_intent").to_owned();
        let taken = super::payments::try_again(store, &intent, card);
        return (intent, taken);
    }
    let was_quiet = std::mem::replace(&mut store.is_quiet, true);
    let (intent, _) = take(store, order);
    store.is_quiet = was_quiet;
    store.set(&intent, "_invoice", invoice);
    store.happened("payment_intent.created", &intent);
    let mut payment = store.new_object("inpay", "invoice_payment");
    payment["invoice"] = json!(invoice);
    payment["status"] = json!("open");
    payment["amount_requested"] = json!(order.amount);
    payment["amount_paid"] = Value::Null;
    payment["currency"] = json!(order.currency);
    payment["is_default"] = json!(true);
    payment["payment"] = json!({"type": "payment_intent", "payment_intent": intent});
    let payment = store.put("invoice_payment", payment);
    let ids = store.edit(invoice)["_payments"].as_array_mut();
    if let Some(ids) = ids {
        ids.push(json!(payment));
    }
    let taken = super::payments::try_again(store, &intent, card);
    (intent, taken)
}

/// The intent of an invoice brought the money.
pub(super) fn settle(store: &mut Store, id: &str, intent: &str) {
    if text(store.get(intent), "status") != "succeeded" {
        succeed(store, intent);
    }
    let of_it = |payment: &&Value| payment["payment"]["payment_intent"] == json!(intent);
    let payment = payments_of(store, id).into_iter().find(of_it).cloned();
    if let Some(payment) = payment {
        let payment_id = text(&payment, "id");
        store.set(payment_id, "status", "paid");
        store.set(
            payment_id,
            "amount_paid",
            payment["amount_requested"].clone(),
        );
        store.happened("invoice_payment.paid", payment_id);
    }
    paid(store, id);
}

fn paid(store: &mut Store, id: &str) {
    let now = store.now;
    let invoice = store.edit(id);
    invoice["status_transitions"] = json!({"paid_at": now});
    invoice["status"] = json!("paid");
    invoice["amount_paid"] = invoice["amount_due"].clone();
    invoice["amount_remaining"] = json!(0);
    invoice["next_payment_attempt"] = Value::Null;
    store.happened("invoice.paid", id);
    store.happened("invoice.payment_succeeded", id);
}

/// Somebody paid elsewhere.
pub(super) fn paid_outside(store: &mut Store, id: &str) {
    store.set(id, "_outside", true);
    paid(store, id);
}

/// Nobody has to pay it any more.
pub(super) fn void(store: &mut Store, id: &str, status: &str) {
    store.set(id, "status", status);
    store.set(id, "next_payment_attempt", Value::Null);
    let kind = if status == "void" {
        "invoice.voided"
    } else {
        "invoice.marked_uncollectible"
    };
    store.happened(kind, id);
}

fn plan_retry(store: &mut Store, id: &str, attempt: i64) {
    let days = usize::try_from(attempt - 1)
        .ok()
        .and_then(|place| RETRY_DAYS.get(place));
    let is_renewal = text(store.get(id), "billing_reason") == "subscription_cycle";
    let Some(days) = days.filter(|_| is_renewal) else {
        store.set(id, "next_payment_attempt", Value::Null);
        return;
    };
    let at = store.now + days * 86_400;
    store.set(id, "next_payment_attempt", at);
    store.plan(at, Due::Retry(id.to_owned()));
}

/// Whether it will not be tried again.
pub(super) fn is_given_up(store: &Store, id: &str) -> bool {
    let invoice = store.get(id);
    text(invoice, "status") == "open" && invoice["next_payment_attempt"].is_null()
}

/// Puts a line on a draft; the id of what the call shows.
pub(super) fn add_line(store: &mut Store, id: &str, price: &str, quantity: i64) -> String {
    let price = store.get(price).clone();
    let line = json!({
        "id": store.id("il"), "object": "line_item", "amount": number(&price, "unit_amount") * quantity, "quantity": quantity,
        "currency": price["currency"], "description": price["_name"], "metadata": {},
        "period": {"start": store.now, "end": store.now}, "_price": price, "_proration": false, "_subscription": null,
    });
    let mut item = store.new_object("ii", "invoiceitem");
    item["invoice"] = json!(id);
    item["customer"] = store.get(id)["customer"].clone();
    let invoice = store.edit(id);
    invoice["currency"] = price["currency"].clone();
    let lines = invoice["lines"]["data"].as_array_mut();
    if let Some(lines) = lines {
        lines.push(line);
    }
    add_up(store, id);
    store.put("invoice_item", item)
}
