//! Which object an event is about, whatever it is shown as.

use billing_stripe::provider::{code, event_of};
use billing_stripe::shapes::Event;
use chrono::{DateTime, Utc};
use quota_core::ids::CustomerRef;
use quota_core::payment::PaymentMode;
use quota_core::provider::{EventState, KeptEvent, ObjectKind};
use serde_json::{Value, json};
use testkit::fake_stripe::{Card, Endpoint, Pay, RefundAs, Shape, Subscribe};

use crate::{at, fake};

fn read(event: Value) -> Option<KeptEvent> {
    let event: Event = serde_json::from_value(event).expect("an event");
    event_of(&code(), &event, DateTime::UNIX_EPOCH)
}

fn snapshot(kind: &str, object: &Value) -> Value {
    json!({"id": "evt_1", "object": "event", "type": kind, "created": 1_800_000_000, "livemode": true, "data": {"object": object}})
}

fn thin(kind: &str, object: &str) -> Value {
    json!({"id": "evt_1", "object": "v2.core.event", "type": format!("v1.{kind}"), "created": "2027-01-15T08:00:00.000Z",
        "livemode": true, "related_object": {"id": "x_1", "type": object, "url": "/v1/x/x_1"}})
}

/// What Stripe calls an object, what it is here, and kinds of events about it.
const LOOKED_AT: [(&str, ObjectKind, &str); 8] = [
    (
        "customer",
        ObjectKind::Customer,
        "customer.created customer.deleted",
    ),
    (
        "subscription",
        ObjectKind::Subscription,
        "customer.subscription.created customer.subscription.paused customer.subscription.pending_update_applied",
    ),
    (
        "subscription_schedule",
        ObjectKind::Schedule,
        "subscription_schedule.updated",
    ),
    (
        "checkout.session",
        ObjectKind::Session,
        "checkout.session.completed checkout.session.async_payment_failed",
    ),
    (
        "invoice",
        ObjectKind::Invoice,
        "invoice.paid invoice.payment_failed invoice.payment_action_required invoice.voided invoice.marked_uncollectible",
    ),
    ("charge", ObjectKind::Charge, "charge.refunded"),
    (
        "refund",
        ObjectKind::Refund,
        "charge.refund.updated refund.created refund.failed",
    ),
    (
        "dispute",
        ObjectKind::Dispute,
        "charge.dispute.created charge.dispute.closed",
    ),
];

/// P3: of each kind of event one object is fetched, which a snapshot and a thin event name alike.
#[test]
fn each_kind_of_event_is_about_one_kind_of_object() {
    let kinds = LOOKED_AT.iter().flat_map(|(word, expected, kinds)| {
        kinds.split(' ').map(move |kind| (kind, *word, *expected))
    });
    for (kind, word, expected) in kinds {
        let shown = snapshot(
            kind,
            &json!({"id": "x_1", "object": word, "customer": "cus_1"}),
        );
        for event in [shown, thin(kind, word)] {
            let kept = read(event).expect("an event");
            let about = kept
                .about
                .as_ref()
                .unwrap_or_else(|| panic!("{kind} is about nothing"));
            assert_eq!((about.kind, about.id.as_str()), (expected, "x_1"), "{kind}");
            assert_eq!(
                (kept.kind.as_str(), kept.state),
                (kind, EventState::Waiting)
            );
            assert_eq!(kept.made_at, at(1_800_000_000));
        }
    }
}

/// What is not looked at is kept as that; nothing is fetched for it.
#[test]
fn other_events_are_about_nothing() {
    for (kind, word) in [
        ("invoice.created", "invoice"),
        ("invoice.upcoming", "invoice"),
        ("charge.succeeded", "charge"),
        ("payment_intent.created", "payment_intent"),
        ("customer.discount.created", "discount"),
        ("customer.of_tomorrow", "customer"),
        ("balance.available", "balance"),
        // A kind that is looked at, of an object that it cannot be about.
        ("invoice.paid", "charge"),
        ("refund.created", "customer"),
    ] {
        let metadata = json!({"quota_pack": "small"});
        let shown = json!({"id": "x_1", "object": word, "metadata": metadata});
        for event in [snapshot(kind, &shown), thin(kind, word)] {
            let kept = read(event).expect("an event");
            assert_eq!(
                (kept.about, kept.state),
                (None, EventState::Ignored),
                "{kind}"
            );
        }
    }
    let upcoming = json!({"object": "subscription", "customer": "cus_1"});
    let kept = read(snapshot("customer.subscription.updated", &upcoming));
    assert_eq!(kept.expect("an event").about, None, "it has no id");
}

/// P8: an intent is fetched if it may be an order of ours; what pays a session or an invoice is told by that.
#[test]
fn a_payment_is_looked_at_if_it_may_be_an_order() {
    let intent =
        |metadata: Value| json!({"id": "pi_1", "object": "payment_intent", "metadata": metadata});
    let about = |event: Value| read(event).expect("an event").about;
    let kind = "payment_intent.succeeded";
    let ours = about(snapshot(kind, &intent(json!({"quota_pack": "small"}))));
    assert_eq!(ours.expect("ours").kind, ObjectKind::Intent);
    assert_eq!(
        about(snapshot(kind, &intent(json!({"account": "user:eve"})))),
        None
    );
    assert_eq!(about(snapshot(kind, &intent(Value::Null))), None);
    let unknown = about(thin(kind, "payment_intent"));
    assert_eq!(unknown.expect("perhaps ours").kind, ObjectKind::Intent);
}

/// A payment of an invoice is about the invoice; a thin event does not say which.
#[test]
fn a_payment_of_an_invoice_is_about_the_invoice() {
    let paid = json!({"id": "inpay_1", "object": "invoice_payment", "invoice": "in_1"});
    let kept = read(snapshot("invoice_payment.paid", &paid)).expect("an event");
    let about = kept.about.expect("an invoice");
    assert_eq!(
        (about.kind, about.id.as_str()),
        (ObjectKind::Invoice, "in_1")
    );
    let kept = read(thin("invoice_payment.paid", "invoice_payment")).expect("an event");
    assert_eq!((kept.about, kept.state), (None, EventState::Ignored));
}

/// P1: id and mode are what it is kept by; without them it cannot be.
#[test]
fn an_event_has_an_id_a_kind_and_a_mode() {
    let whole = snapshot(
        "charge.refunded",
        &json!({"id": "ch_1", "object": "charge", "customer": "cus_1"}),
    );
    let kept = read(whole.clone()).expect("an event");
    assert_eq!(kept.id.to_string(), "stripe:live:evt_1");
    let customer = kept.customer.as_ref().map(CustomerRef::as_str);
    assert_eq!((customer, kept.tries, kept.error), (Some("cus_1"), 0, None));
    assert_eq!((kept.received_at, kept.next_try_at), (at(0), at(0)));
    let lacking = |field: &str| {
        let mut event = whole.clone();
        event[field] = Value::Null;
        event
    };
    assert_eq!(read(lacking("livemode")), None);
    assert_eq!(read(lacking("type")), None);
    let kept = read(lacking("created")).expect("an event");
    assert_eq!(kept.made_at, kept.received_at);
    let mut test = whole.clone();
    test["livemode"] = json!(false);
    assert_eq!(read(test).expect("an event").id.mode, PaymentMode::Test);
    let mut nameless = whole;
    nameless["id"] = json!(" ");
    assert_eq!(read(nameless), None);
}

/// What the fake tells in the shape of today, the old one, and thin, is about the same objects.
#[tokio::test]
async fn snapshots_of_both_shapes_and_thin_events_are_about_the_same() {
    let (fake, _) = fake(Shape::New).await;
    let how = Subscribe {
        items: &[("pro", 1)],
        ..Subscribe::default()
    };
    let customer = fake.customer(Card::Good);
    let subscription = fake.subscribe(&customer, &how);
    fake.change_price_at_period_end(&subscription, "max");
    let session = fake.payment_link("pack", 1);
    fake.pay(&session, &Pay::by(Card::Good));
    let intent = fake.intent_of(&session);
    fake.refund(&intent, 100, RefundAs::Succeeded)
        .expect("a refund");
    let dispute = fake.dispute(&intent, 100, "needs_response");
    fake.dispute_becomes(&dispute, "won");
    let mut endpoint = Endpoint::new("http://127.0.0.1:1/", "whsec_1");
    let now: DateTime<Utc> = at(fake.now());
    let mut looked_at = 0;
    for event in fake.pending() {
        let mut told = Vec::new();
        for (shape, is_thin) in [(Shape::New, false), (Shape::Old, false), (Shape::New, true)] {
            endpoint.shape = shape;
            endpoint.is_thin = is_thin;
            let body = fake.webhook(event.place, &endpoint).body;
            let event: Event = serde_json::from_str(&body).expect("an event");
            told.push(event_of(&code(), &event, now).expect("an event").about);
        }
        assert_eq!(told[0], told[1], "{}", event.kind);
        let is_by_picture = matches!(
            event.kind.split('.').next(),
            Some("payment_intent" | "invoice_payment")
        );
        assert!(is_by_picture || told[0] == told[2], "{}", event.kind);
        looked_at += usize::from(told[0].is_some());
    }
    assert!(10 < looked_at, "{looked_at}");
}
