//! Each fact is read from the shapes of old and of today, and from shapes that nobody promised.
#![expect(clippy::expect_used, reason = "a test that cannot go on says why")]

use billing_stripe::Mode;
use billing_stripe::read::{
    PaidPart, Period, PhaseAhead, about, end_of, foreign_account, is_paid, is_paused_in_collection,
    is_settled, is_thin, item_for, item_price, item_quantity, line_fact, mode_of, parts_that_paid,
    pending_prices, period_of, phases_ahead, subscription_of, what_happened,
};
use billing_stripe::shapes::{
    CheckoutSession, Customer, Event, Invoice, InvoiceLine, Open, Subscription, SubscriptionStatus,
};
use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

const APRIL: i64 = 1_806_537_600;
const MAY: i64 = 1_809_129_600;
const JUNE: i64 = 1_811_808_000;

fn read<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("a tolerant shape")
}

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).expect("an instant")
}

fn period(starts_at: i64, ends_before: i64) -> Period {
    Period {
        starts_at: at(starts_at),
        ends_before: at(ends_before),
    }
}

/// As before 2025-03-31: the period is the subscription's.
fn old_subscription() -> Value {
    json!({
        "id": "sub_1", "object": "subscription", "status": "active", "customer": "cus_1",
        "current_period_start": APRIL, "current_period_end": MAY, "cancel_at_period_end": false,
        "items": {"object": "list", "data": [
            {"id": "si_1", "object": "subscription_item", "plan": {"id": "pro", "amount": 1500}, "quantity": 3},
        ]},
    })
}

/// As today: the period is the item's.
fn new_subscription() -> Value {
    json!({
        "id": "sub_1", "object": "subscription", "status": "active", "customer": "cus_1", "cancel_at": null,
        "cancel_at_period_end": false, "billing_mode": {"type": "flexible"},
        "items": {"object": "list", "has_more": false, "data": [
            {"id": "si_0", "current_period_start": APRIL, "current_period_end": JUNE,
             "price": {"id": "seats", "product": "prod_2"}, "quantity": 5},
            {"id": "si_1", "current_period_start": APRIL, "current_period_end": MAY,
             "price": {"id": "pro", "product": {"id": "prod_1", "name": "Pro"}}, "quantity": 3},
        ]},
    })
}

#[test]
fn the_period_is_that_of_the_item_whose_price_is_the_plan_else_the_subscriptions() {
    // The provider says the period; each version keeps it elsewhere.
    let old: Subscription = read(old_subscription());
    let new: Subscription = read(new_subscription());
    for subscription in [&old, &new] {
        assert_eq!(period_of(subscription, &["pro"]), Some(period(APRIL, MAY)));
    }
    assert_eq!(
        period_of(&new, &["other", "seats"]),
        Some(period(APRIL, JUNE))
    );
    // A price that is none of ours: the old shape has a period all the same, the new one has none to say.
    assert_eq!(period_of(&old, &["other"]), Some(period(APRIL, MAY)));
    assert_eq!(period_of(&new, &["other"]), None);
    let mut backwards = new_subscription();
    backwards["items"]["data"][1]["current_period_end"] = json!(APRIL);
    assert_eq!(period_of(&read(backwards), &["pro"]), None);
}

#[test]
fn an_item_has_its_price_and_quantity_in_both_shapes() {
    for value in [old_subscription(), new_subscription()] {
        let subscription: Subscription = read(value);
        let item = item_for(&subscription, &["pro"]).expect("the plan's item");
        assert_eq!(item_price(item), Some("pro"));
        assert_eq!(item_quantity(item), 3);
    }
    let mut metered = new_subscription();
    metered["items"]["data"][1]["quantity"] = Value::Null;
    let metered: Subscription = read(metered);
    let item = item_for(&metered, &["pro"]).expect("the plan's item");
    assert_eq!(item_quantity(item), 1);
}

#[test]
fn the_end_is_cancel_at_else_the_flag_and_none_once_it_is_cleared() {
    // Situations 43 and 44.
    let end = |value: &Value| {
        let subscription: Subscription = read(value.clone());
        end_of(&subscription, period_of(&subscription, &["pro"]))
    };
    for mut value in [old_subscription(), new_subscription()] {
        assert_eq!(end(&value), None);
        value["cancel_at_period_end"] = json!(true);
        assert_eq!(end(&value), Some(at(MAY)));
        value["cancel_at"] = json!(MAY - 86_400);
        assert_eq!(end(&value), Some(at(MAY - 86_400)), "in mid-period");
        value["cancel_at_period_end"] = json!(false);
        value["cancel_at"] = json!(JUNE);
        assert_eq!(end(&value), Some(at(JUNE)), "beyond the period");
        value["cancel_at"] = Value::Null;
        assert_eq!(end(&value), None, "resumed");
        value["status"] = json!("canceled");
        value["canceled_at"] = json!(APRIL + 60);
        value["ended_at"] = json!(APRIL + 120);
        assert_eq!(end(&value), Some(at(APRIL + 120)));
    }
}

#[test]
fn collection_that_is_paused_is_not_the_state_paused() {
    let mut value = new_subscription();
    assert!(!is_paused_in_collection(&read(value.clone())));
    value["pause_collection"] = json!({"behavior": "void", "resumes_at": null});
    let paused: Subscription = read(value);
    assert!(is_paused_in_collection(&paused));
    assert_eq!(paused.status, Some(Open::Known(SubscriptionStatus::Active)));
}

#[test]
fn a_change_that_waits_for_payment_names_its_prices() {
    // It does not act yet.
    let mut value = new_subscription();
    value["pending_update"] = json!({"expires_at": MAY, "subscription_items": [
        {"id": "si_1", "price": {"id": "max"}}, {"id": "si_2", "plan": {"id": "old"}},
    ]});
    let subscription: Subscription = read(value);
    assert_eq!(pending_prices(&subscription), ["max", "old"]);
    assert_eq!(period_of(&subscription, &["pro"]), Some(period(APRIL, MAY)));
}

#[test]
fn phases_that_are_still_to_come_are_listed_while_the_schedule_runs() {
    let mut value = new_subscription();
    value["schedule"] = json!({"id": "sub_sched_1", "status": "active", "phases": [
        {"start_date": APRIL, "end_date": MAY, "items": [{"price": "pro", "quantity": 3}]},
        {"start_date": MAY, "end_date": JUNE, "items": [{"price": {"id": "basic"}, "quantity": 2}, {"plan": "old"}]},
    ]});
    let ahead = phases_ahead(&read(value.clone()), at(APRIL + 1));
    let items = vec![("basic".to_owned(), 2), ("old".to_owned(), 1)];
    let starts_at = at(MAY);
    assert_eq!(ahead, [PhaseAhead { starts_at, items }]);
    assert_eq!(phases_ahead(&read(value.clone()), at(MAY)), []);
    value["schedule"]["status"] = json!("released");
    assert_eq!(phases_ahead(&read(value.clone()), at(APRIL)), []);
    value["schedule"] = json!("sub_sched_1");
    assert_eq!(phases_ahead(&read(value), at(APRIL)), []);
}

#[test]
fn an_invoice_names_its_subscription_and_what_paid_it_in_both_shapes() {
    let old: Invoice = read(json!({
        "id": "in_1", "status": "paid", "paid": true, "subscription": "sub_1",
        "payment_intent": {"id": "pi_1", "status": "succeeded"}, "charge": "ch_1",
    }));
    let new: Invoice = read(json!({
        "id": "in_1", "status": "paid",
        "parent": {"type": "subscription_details", "subscription_details": {"subscription": "sub_1", "metadata": {}}},
        "payments": {"object": "list", "data": [
            {"id": "inpay_1", "status": "paid", "payment": {"type": "payment_intent", "payment_intent": "pi_1"}},
            {"id": "inpay_2", "status": "paid", "payment": {"type": "charge", "charge": {"id": "ch_1"}}},
        ]},
    }));
    let intent = PaidPart::Intent("pi_1".to_owned());
    let charge = PaidPart::Charge("ch_1".to_owned());
    for invoice in [&old, &new] {
        assert!(is_paid(invoice));
        assert_eq!(subscription_of(invoice), Some("sub_1"));
        assert_eq!(parts_that_paid(invoice), [intent.clone(), charge.clone()]);
    }
}

#[test]
fn the_state_says_that_an_invoice_is_paid_and_nothing_else_does() {
    let paid = |value: Value| is_paid(&read(value));
    assert!(!paid(
        json!({"id": "in_1", "status": "open", "paid": true, "amount_paid": 900})
    ));
    assert!(!paid(json!({"id": "in_1", "status": "settled"})));
    assert!(!paid(json!({"id": "in_1"})));
    // Situations 23 and 26: of nothing, and paid outside.
    assert!(paid(json!({"id": "in_1", "status": "paid", "total": 0})));
    let outside =
        json!({"id": "in_1", "status": "paid", "paid_out_of_band": true, "payments": null});
    assert!(paid(outside.clone()));
    assert_eq!(parts_that_paid(&read(outside)), []);
    let recorded: Invoice = read(json!({"id": "in_1", "payments": {"data": [
        {"id": "inpay_1", "payment": {"type": "payment_record", "payment_record": "prec_1"}},
    ]}}));
    let record = PaidPart::Record("prec_1".to_owned());
    assert_eq!(parts_that_paid(&recorded), [record]);
}

#[test]
fn a_line_says_the_same_in_all_shapes() {
    // P8: what and how many is price and quantity.
    let lines = [
        json!({"id": "il_1", "amount": 900, "quantity": 3, "plan": {"id": "pack"}, "subscription": "sub_1", "proration": true}),
        json!({"id": "il_1", "amount": 900, "quantity": 3, "price": {"id": "pack"}, "plan": null, "subscription": "sub_1", "proration": true}),
        json!({"id": "il_1", "amount": 900, "quantity": 3,
            "pricing": {"type": "price_details", "price_details": {"price": "pack", "product": "prod_1"}},
            "parent": {"subscription_item_details": {"subscription": "sub_1", "proration": true}, "invoice_item_details": null}}),
        json!({"id": "il_1", "amount": 900, "quantity": 3,
            "pricing": {"price_details": {"price": {"id": "pack"}}},
            "parent": {"invoice_item_details": {"subscription": "sub_1", "proration": true}}}),
    ];
    for line in lines {
        let line: InvoiceLine = read(line);
        let fact = line_fact(&line);
        assert_eq!((fact.id, fact.price), ("il_1", Some("pack")));
        assert_eq!((fact.quantity, fact.amount), (3, Some(900)));
        assert_eq!(
            (fact.subscription, fact.is_proration),
            (Some("sub_1"), true)
        );
    }
    let bare: InvoiceLine = read(json!({"id": "il_1", "pricing": null, "parent": null}));
    let fact = line_fact(&bare);
    assert_eq!(
        (fact.price, fact.quantity, fact.subscription),
        (None, 1, None)
    );
    assert!(!fact.is_proration);
}

#[test]
fn completed_is_not_paid() {
    // P1, P8, situations 5 to 7 and 22.
    let settled = |status: &str, payment: &str| {
        let session = json!({"id": "cs_1", "status": status, "payment_status": payment});
        is_settled(&read::<CheckoutSession>(session))
    };
    assert!(settled("complete", "paid"));
    assert!(settled("complete", "no_payment_required"));
    for (status, payment) in [
        ("complete", "unpaid"),
        ("open", "paid"),
        ("expired", "no_payment_required"),
        ("complete", "half"),
    ] {
        assert!(!settled(status, payment), "{status} {payment}");
    }
    assert!(!is_settled(&read(json!({"id": "cs_1", "status": null}))));
}

#[test]
fn an_event_names_its_object_with_a_picture_or_without() {
    // P3: either is a hint, and the object is fetched.
    let snapshot: Event = read(json!({
        "id": "evt_1", "object": "event", "type": "customer.subscription.updated", "livemode": true,
        "created": APRIL, "api_version": "2017-08-15", "account": "acct_2",
        "data": {"object": {"id": "sub_1", "object": "subscription", "customer": {"id": "cus_1"}}},
    }));
    let thin: Event = read(json!({
        "id": "evt_test_1", "object": "v2.core.event", "type": "v1.customer.subscription.updated", "livemode": true,
        "created": "2027-04-01T00:00:00.000Z", "context": "acct_2",
        "related_object": {"id": "sub_1", "type": "subscription", "url": "/v1/subscriptions/sub_1"},
    }));
    for event in [&snapshot, &thin] {
        let object = about(event).expect("an object");
        assert_eq!((object.id, object.object), ("sub_1", Some("subscription")));
        let kind = what_happened(event);
        assert_eq!(kind, Some("customer.subscription.updated"));
        assert_eq!(mode_of(event), Some(Mode::Live));
        assert_eq!(foreign_account(event), Some("acct_2"));
        assert_eq!(event.created, Some(at(APRIL)));
    }
    assert!(is_thin(&thin) && !is_thin(&snapshot));
    assert_eq!(
        about(&snapshot).and_then(|object| object.customer),
        Some("cus_1")
    );
}

#[test]
fn an_event_without_a_fetchable_object_names_none() {
    for value in [
        json!({"id": "evt_1", "type": "invoice.upcoming", "data": {"object": {"object": "invoice", "customer": "cus_1"}}}),
        json!({"id": "evt_1", "data": {"object": null}}),
        json!({"id": "evt_1", "data": null, "related_object": null, "type": 5}),
        json!({"id": "evt_1", "data": "x", "created": {}}),
    ] {
        let event: Event = read(value);
        assert_eq!(about(&event), None);
    }
    let customer: Event =
        read(json!({"id": "evt_1", "data": {"object": {"id": "cus_1", "object": "customer"}}}));
    assert_eq!(
        about(&customer).and_then(|object| object.customer),
        Some("cus_1")
    );
}

#[test]
fn a_removed_customer_says_so() {
    // Situation 32.
    let customer: Customer = read(json!({"id": "cus_1", "object": "customer", "deleted": true}));
    assert!(customer.deleted);
    let customer: Customer = read(json!({"id": "cus_1", "deleted": null, "metadata": null}));
    assert!(!customer.deleted && customer.metadata.is_empty());
}
