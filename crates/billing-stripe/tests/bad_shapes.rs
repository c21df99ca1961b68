//! Null where objects were, types that nobody expects, and fields that are not there: no object but keeps its id, and nothing
//! panics.

use billing_stripe::read::{
    about, end_of, is_settled, line_fact, parts_that_paid, pending_prices, period_of, phases_ahead,
    subscription_of,
};
use billing_stripe::shapes::{
    Charge, CheckoutSession, Customer, Dispute, Event, Invoice, InvoiceLine, InvoicePayment,
    PaymentIntent, Price, Product, Refund, Schedule, Subscription, SubscriptionItem,
};
use chrono::DateTime;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Objects with all that is read of them.
fn whole() -> Value {
    let price = json!({"id": "price_1", "active": true, "livemode": false, "currency": "eur", "unit_amount": 900,
        "lookup_key": "pro", "type": "recurring", "recurring": {"interval": "month", "interval_count": 1, "meter": "mtr_1"},
        "product": {"id": "prod_1", "name": "Pro", "active": true, "default_price": "price_1", "metadata": {}}, "metadata": {"a": "b"}});
    let item = json!({"id": "si_1", "price": price, "plan": {"id": "price_1"}, "quantity": 2,
        "current_period_start": 1, "current_period_end": 2, "metadata": {}});
    let line = json!({"id": "il_1", "amount": 900, "currency": "eur", "quantity": 1, "description": "Pro", "price": price,
        "plan": {"id": "price_1"}, "pricing": {"price_details": {"price": "price_1", "product": "prod_1"}}, "subscription": "sub_1",
        "parent": {"subscription_item_details": {"subscription": "sub_1", "proration": false}, "invoice_item_details": {}},
        "proration": false, "period": {"start": 1, "end": 2}, "metadata": {}});
    let payment = json!({"id": "inpay_1", "invoice": "in_1", "status": "paid", "amount_paid": 900, "currency": "eur",
        "payment": {"type": "payment_intent", "payment_intent": "pi_1", "charge": "ch_1"}});
    let invoice = json!({"id": "in_1", "status": "paid", "customer": "cus_1", "livemode": false, "created": 1, "currency": "eur",
        "total": 900, "amount_paid": 900, "amount_due": 900, "billing_reason": "manual", "subscription": "sub_1",
        "parent": {"subscription_details": {"subscription": "sub_1", "metadata": {}}}, "payment_intent": "pi_1", "charge": "ch_1",
        "paid_out_of_band": false, "payments": {"data": [payment], "has_more": false}, "lines": {"data": [line], "has_more": false},
        "period_start": 1, "period_end": 2, "hosted_invoice_url": "https://x", "next_payment_attempt": 3, "metadata": {}});
    let schedule = json!({"id": "sub_sched_1", "status": "active", "subscription": "sub_1", "end_behavior": "release",
        "phases": [{"start_date": 1, "end_date": 2, "items": [{"price": "price_1", "plan": "price_1", "quantity": 1}], "metadata": {}}], "metadata": {}});
    let subscription = json!({"id": "sub_1", "status": "active", "customer": "cus_1", "livemode": false, "created": 1, "start_date": 1,
        "current_period_start": 1, "current_period_end": 2, "billing_cycle_anchor": 1, "cancel_at": 2, "cancel_at_period_end": true,
        "canceled_at": 2, "ended_at": 2, "trial_start": 1, "trial_end": 2, "items": {"data": [item], "has_more": false},
        "schedule": schedule, "latest_invoice": invoice, "pause_collection": {"behavior": "void", "resumes_at": 3},
        "pending_update": {"expires_at": 3, "subscription_items": [item]}, "default_payment_method": "pm_1",
        "collection_method": "charge_automatically", "currency": "eur", "metadata": {}, "test_clock": "clock_1"});
    let intent = json!({"id": "pi_1", "livemode": false, "created": 1, "status": "succeeded", "amount": 900, "amount_received": 900,
        "currency": "eur", "customer": "cus_1", "invoice": "in_1", "latest_charge": "ch_1", "next_action": {},
        "last_payment_error": {"code": "card_declined", "decline_code": "x", "message": "no"},
        "presentment_details": {"presentment_amount": 1, "presentment_currency": "usd"}, "metadata": {}});
    json!({
        "customer": {"id": "cus_1", "created": 1, "livemode": false, "deleted": false, "email": "a@example.com", "metadata": {},
            "invoice_settings": {"default_payment_method": "pm_1"}, "default_source": "card_1", "test_clock": "clock_1"},
        "price": price, "product": {"id": "prod_1", "name": "Pro", "active": true, "metadata": {}},
        "item": item, "subscription": subscription, "schedule": schedule, "invoice": invoice, "line": line, "payment": payment,
        "session": {"id": "cs_1", "livemode": false, "created": 1, "mode": "payment", "status": "complete", "payment_status": "paid",
            "customer": "cus_1", "client_reference_id": "x", "subscription": "sub_1", "payment_intent": intent, "invoice": "in_1",
            "amount_total": 900, "currency": "eur", "presentment_details": {"presentment_amount": 1, "presentment_currency": "usd"},
            "line_items": {"data": [{"id": "li_1", "price": price, "quantity": 1, "amount_total": 900, "amount_subtotal": 900, "currency": "eur"}]},
            "expires_at": 2, "url": "https://x", "metadata": {}},
        "intent": intent,
        "charge": {"id": "ch_1", "livemode": false, "created": 1, "status": "succeeded", "amount": 900, "amount_refunded": 0,
            "currency": "eur", "customer": "cus_1", "payment_intent": "pi_1", "invoice": "in_1", "disputed": false, "metadata": {}},
        "refund": {"id": "re_1", "created": 1, "status": "failed", "amount": 900, "currency": "eur", "charge": "ch_1",
            "payment_intent": "pi_1", "reason": "duplicate", "failure_reason": "x", "metadata": {}},
        "dispute": {"id": "dp_1", "livemode": false, "created": 1, "status": "won", "amount": 900, "currency": "eur", "charge": "ch_1",
            "payment_intent": "pi_1", "reason": "fraudulent", "metadata": {}},
        "event": {"id": "evt_1", "object": "event", "type": "a.b", "created": 1, "livemode": false, "api_version": "x", "account": "acct_1",
            "context": "acct_1", "data": {"object": {"id": "sub_1", "object": "subscription", "customer": "cus_1", "payment_intent": "pi_1", "charge": "ch_1"}},
            "related_object": {"id": "sub_1", "type": "subscription", "url": "/v1/x"}},
    })
}

/// Every place in a value, as a pointer, but the value itself.
fn places(value: &Value, at: &str, into: &mut Vec<String>) {
    let inside: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), value))
            .collect(),
        Value::Array(values) => values
            .iter()
            .enumerate()
            .map(|(n, value)| (n.to_string(), value))
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    };
    for (name, value) in inside {
        let place = format!("{at}/{name}");
        into.push(place.clone());
        places(value, &place, into);
    }
}

/// Reads an object and asks it everything; whether it could be read.
fn ask(kind: &str, value: &Value) -> bool {
    fn read<T: DeserializeOwned>(value: &Value, ask: impl FnOnce(&T)) -> bool {
        let read: Option<T> = serde_json::from_value(value.clone()).ok();
        read.inspect(|object| ask(object)).is_some()
    }
    match kind {
        "customer" => read::<Customer>(value, |_| ()),
        "price" => read::<Price>(value, |_| ()),
        "product" => read::<Product>(value, |_| ()),
        "item" => read::<SubscriptionItem>(value, |_| ()),
        "schedule" => read::<Schedule>(value, |_| ()),
        "payment" => read::<InvoicePayment>(value, |_| ()),
        "intent" => read::<PaymentIntent>(value, |_| ()),
        "charge" => read::<Charge>(value, |_| ()),
        "subscription" => read::<Subscription>(value, |subscription| {
            let period = period_of(subscription, &["price_1"]);
            end_of(subscription, period);
            phases_ahead(subscription, DateTime::UNIX_EPOCH);
            pending_prices(subscription);
        }),
        "invoice" => read::<Invoice>(value, |invoice| {
            subscription_of(invoice);
            parts_that_paid(invoice);
        }),
        "line" => read::<InvoiceLine>(value, |line| {
            line_fact(line);
        }),
        "session" => read::<CheckoutSession>(value, |session| {
            is_settled(session);
        }),
        "refund" => read::<Refund>(value, |_refund| {}),
        "dispute" => read::<Dispute>(value, |_dispute| {}),
        "event" => read::<Event>(value, |event| {
            about(event);
        }),
        other => panic!("no shape for {other}"),
    }
}

#[test]
fn any_field_may_be_null_missing_or_of_another_type_and_the_object_is_read_or_refused() {
    let strange = [
        json!(null),
        json!(7),
        json!(-1.5),
        json!("x"),
        json!([]),
        json!({}),
        json!(true),
        json!([null]),
    ];
    let mut unread = Vec::new();
    let mut tried = 0;
    for (kind, object) in whole().as_object().expect("objects") {
        assert!(ask(kind, object), "{kind} as it is");
        let mut all = Vec::new();
        places(object, "", &mut all);
        for place in all {
            for value in &strange {
                let mut changed = object.clone();
                *changed.pointer_mut(&place).expect("a place") = value.clone();
                tried += 1;
                if !ask(kind, &changed) && value.is_null() {
                    unread.push(format!("{kind}{place}"));
                }
            }
        }
    }
    assert!(3_000 < tried, "{tried}");
    // With null for a value only what has lost its id, or is null in a list, cannot be read.
    for place in unread {
        let in_list = place.ends_with(|c: char| c.is_ascii_digit());
        assert!(place.ends_with("/id") || in_list, "{place}");
    }
}

#[test]
fn an_object_with_nothing_but_its_id_is_read() {
    for kind in whole().as_object().expect("objects").keys() {
        assert!(ask(kind, &json!({"id": "x"})), "{kind}");
        assert!(!ask(kind, &json!({})), "{kind} without an id");
        assert!(!ask(kind, &json!([])), "{kind} that is a list");
    }
}

#[test]
fn a_word_that_is_new_is_kept_as_it_is() {
    let subscription: Subscription =
        serde_json::from_value(json!({"id": "sub_1", "status": "dormant"}))
            .expect("a subscription");
    let status = subscription.status.expect("a status");
    assert_eq!(status.word(), "dormant");
    assert_eq!(
        serde_json::to_value(&status).expect("a word"),
        json!("dormant")
    );
}

#[test]
fn what_is_nested_without_end_is_refused_and_nothing_overflows() {
    let deep = format!(
        "{{\"id\":\"evt_1\",\"data\":{}1{}}}",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    assert!(serde_json::from_str::<Event>(&deep).is_err());
}
