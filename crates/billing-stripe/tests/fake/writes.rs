use std::time::Duration;

use billing_stripe::client::{
    CheckoutLine, CustomerFields, ItemChange, MeterCancel, MeterSumFilter, MeterUse, NewInvoice,
    NewInvoiceItem, NewOffSessionIntent, NewPortalSession, NewPrice, NewProduct, NewRecurring,
    NewSchedulePhase, NewSession, PhaseLine, PortalFeatures, PriceFilter, StripeError,
    SubscriptionChange, Told,
};
use billing_stripe::read::{is_paid, item_for, phases_ahead};
use billing_stripe::shapes::{CheckoutMode, Interval, Metadata, Subscription, SubscriptionStatus};
use serde_json::json;
use testkit::fake_stripe::{Card, Fault, FaultKind, Shape, Subscribe, When};

use crate::{at, fake, key};

/// An upgrade as our own `change_plan` asks for it: a period begins, and only when it is paid.
pub fn upgrade(subscription: &Subscription, price: &str) -> SubscriptionChange {
    SubscriptionChange {
        items: vec![ItemChange {
            id: Some(subscription.items.data[0].id.clone()),
            price: Some(price.to_owned()),
            ..ItemChange::default()
        }],
        billing_cycle_anchor: Some("now"),
        proration_behavior: Some("always_invoice"),
        payment_behavior: Some("pending_if_incomplete"),
        ..SubscriptionChange::default()
    }
}

fn new_session(mode: CheckoutMode, customer: &str, prices: &[&str]) -> NewSession {
    let lines = prices.iter().map(|price| CheckoutLine {
        price: (*price).to_owned(),
        quantity: 1,
    });
    NewSession {
        mode,
        line_items: lines.collect(),
        customer: Some(customer.to_owned()),
        client_reference_id: Some("org:acme".to_owned()),
        success_url: "https://shop.test/done/{CHECKOUT_SESSION_ID}".to_owned(),
        cancel_url: None,
        expires_at: None,
        allow_promotion_codes: Some(true),
        with_invoice: None,
        setup_future_usage: None,
        payment_metadata: Metadata::new(),
        payment_method_collection: None,
        subscription_data: None,
        metadata: Metadata::from([("account".to_owned(), "org:acme".to_owned())]),
    }
}

/// A session for one pack.
pub fn pack_session(customer: &str, with_invoice: bool) -> NewSession {
    NewSession {
        with_invoice: with_invoice.then_some(true),
        ..new_session(CheckoutMode::Payment, customer, &["pack"])
    }
}

/// A session for a plan, and what is bought with it.
pub fn plan_session(customer: &str, prices: &[&str]) -> NewSession {
    new_session(CheckoutMode::Subscription, customer, prices)
}

#[tokio::test]
async fn a_first_checkout_that_is_clicked_twice_makes_one_customer() {
    // Situation 34.
    let (fake, client) = fake(Shape::New).await;
    fake.set_latency(Duration::from_millis(5));
    let fields = CustomerFields {
        email: Some("a@example.com".to_owned()),
        ..CustomerFields::default()
    };
    let once = key("customer:org:acme");
    let clicks = (0..8).map(|_| client.create_customer(&fields, &once));
    let mut made = Vec::new();
    for click in futures::future::join_all(clicks).await {
        // Whoever met the first one at work is told so, once it has asked often enough.
        match click {
            Ok(customer) => made.push(customer.id),
            Err(error) => assert!(matches!(error, StripeError::Busy { .. }), "{error:?}"),
        }
    }
    assert!(!made.is_empty());
    assert!(made.iter().all(|id| *id == made[0]), "{made:?}");
    let customers = fake
        .events()
        .into_iter()
        .filter(|event| event.kind == "customer.created");
    assert_eq!(customers.count(), 1);
    let other = CustomerFields::default();
    let error = client.create_customer(&other, &once).await;
    assert!(
        matches!(error, Err(StripeError::KeyReused { .. })),
        "{error:?}"
    );
}

#[tokio::test]
async fn whatever_goes_wrong_before_the_effect_or_after_one_object_is_made() {
    // Situation 51.
    let kinds = [
        FaultKind::Limited(None),
        FaultKind::LockTimeout,
        FaultKind::KeyInUse,
        FaultKind::Status(502),
        FaultKind::Broken,
    ];
    let (fake, client) = fake(Shape::New).await;
    let mut number = 0;
    for when in [When::Before, When::After] {
        for kind in &kinds {
            number += 1;
            fake.fault(Fault::once("POST /v1/customers", kind.clone(), when));
            let once = key(&format!("customer:{number}"));
            let made = client
                .create_customer(&CustomerFields::default(), &once)
                .await;
            assert!(made.is_ok(), "{kind:?} {when:?}: {made:?}");
        }
    }
    assert_eq!(fake.clear_faults(), 0);
    let customers = fake
        .events()
        .into_iter()
        .filter(|event| event.kind == "customer.created");
    assert_eq!(customers.count(), number);
    assert_eq!(
        fake.calls()["POST /v1/customers"],
        2 * u64::try_from(number).expect("few")
    );
}

#[tokio::test]
async fn a_key_holds_for_a_day() {
    // What must never happen twice needs an identity of its own beside the key.
    let (fake, client) = fake(Shape::New).await;
    let fields = CustomerFields::default();
    let create = async || {
        let made = client.create_customer(&fields, &key("c")).await;
        made.expect("one").id
    };
    let first = create().await;
    fake.advance(86_399);
    assert_eq!(create().await, first);
    fake.advance(1);
    assert_ne!(create().await, first);
}

#[tokio::test]
async fn a_failure_that_is_kept_stays_one() {
    let (fake, client) = fake(Shape::New).await;
    fake.fault(Fault::once(
        "POST /v1/customers",
        FaultKind::KeptFailure,
        When::After,
    ));
    let once = key("k");
    for _ in 0..2 {
        let error = client
            .create_customer(&CustomerFields::default(), &once)
            .await;
        assert!(
            matches!(error, Err(StripeError::Failed { status: 500, .. })),
            "{error:?}"
        );
    }
    assert_eq!(fake.calls()["POST /v1/customers"], 3);
}

#[tokio::test]
async fn a_subscription_is_changed_set_to_end_and_ended() {
    let (fake, client) = fake(Shape::New).await;
    let customer = fake.customer(Card::Good);
    let how = Subscribe {
        items: &[("pro", 1)],
        ..Subscribe::default()
    };
    let id = fake.subscribe(&customer, &how);
    let found = client.retrieve_subscription(&id).await.expect("one");
    let changed = client
        .update_subscription(&id, &upgrade(&found, "max"), &key("u"))
        .await
        .expect("changed");
    assert!(item_for(&changed, &["max"]).is_some());
    let schedule = client.create_schedule(&id, &key("sc")).await.expect("one");
    let runs = &schedule.phases[0];
    let end = runs.end_date.expect("an end").timestamp();
    let phase = |start_date, end_date, price: &str| NewSchedulePhase {
        start_date,
        end_date,
        items: vec![PhaseLine {
            price: price.to_owned(),
            quantity: Some(1),
        }],
        ..NewSchedulePhase::default()
    };
    let start = runs.start_date.expect("a start").timestamp();
    let phases = [
        phase(Some(start), Some(end), "max"),
        phase(Some(end), None, "pro"),
    ];
    let updated = client
        .update_schedule(&schedule.id, &phases, &key("su"))
        .await;
    assert_eq!(updated.expect("updated").phases.len(), 2);
    let found = client.retrieve_subscription(&id).await.expect("one");
    assert_eq!(phases_ahead(&found, at(fake.now())).len(), 1);
    client
        .release_schedule(&schedule.id, &key("sr"))
        .await
        .expect("released");
    let found = client.retrieve_subscription(&id).await.expect("one");
    assert_eq!(phases_ahead(&found, at(fake.now())), []);
    fake.fault(Fault::once(
        "DELETE /v1/subscriptions",
        FaultKind::Broken,
        When::After,
    ));
    let ended = client.cancel_subscription(&id).await.expect("ended");
    let status = ended.status.expect("a state");
    assert!(status.is(SubscriptionStatus::Canceled));
}

#[tokio::test]
async fn the_catalog_is_made_and_found_again() {
    let (fake, client) = fake(Shape::New).await;
    let product = NewProduct {
        name: "Pro".to_owned(),
        metadata: Metadata::from([("plan".to_owned(), "pro".to_owned())]),
        ..NewProduct::default()
    };
    let product = client
        .create_product(&product, &key("p"))
        .await
        .expect("one");
    let price = NewPrice {
        product: product.id.clone(),
        currency: "eur".to_owned(),
        unit_amount: 2_900,
        recurring: Some(NewRecurring {
            interval: Interval::Year,
            interval_count: 1,
            meter: None,
            usage_type: None,
        }),
        lookup_key: Some("pro_year".to_owned()),
        ..NewPrice::default()
    };
    let made = client.create_price(&price, &key("y")).await.expect("one");
    let taken = client.create_price(&price, &key("z")).await;
    assert!(
        matches!(taken, Err(StripeError::Refused { .. })),
        "{taken:?}"
    );
    let by_key = PriceFilter {
        lookup_keys: vec!["pro_year".to_owned(), "none".to_owned()],
        ..PriceFilter::default()
    };
    let found = client.list_prices(&by_key).all().await.expect("all");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].id, made.id);
    let price = client.retrieve_price(&made.id).await.expect("one");
    let whole = price.product.as_ref().and_then(|product| product.whole());
    assert_eq!(
        whole.and_then(|product| product.name.as_deref()),
        Some("Pro")
    );
    client
        .set_price_active(&made.id, false, &key("a"))
        .await
        .expect("one");
    let active = PriceFilter {
        active: Some(true),
        ..PriceFilter::default()
    };
    let found = client.list_prices(&active).all().await.expect("all");
    assert!(found.iter().all(|price| price.id != made.id));
    let renamed = NewProduct {
        name: "Professional".to_owned(),
        ..NewProduct::default()
    };
    let renamed = client
        .update_product(&product.id, &renamed, &key("n"))
        .await;
    assert_eq!(renamed.expect("one").name.as_deref(), Some("Professional"));
    assert_eq!(client.list_products().all().await.expect("all").len(), 4);
    assert_eq!(fake.calls()["POST /v1/prices"], 2);
}

#[tokio::test]
async fn the_portal_is_set_up_and_opened() {
    let (fake, client) = fake(Shape::New).await;
    let features = PortalFeatures {
        features: json!({"subscription_cancel": {"enabled": true, "mode": "at_period_end"}}),
        default_return_url: Some("https://shop.test".to_owned()),
        metadata: Metadata::new(),
    };
    let made = client
        .create_portal_configuration(&features, &key("c"))
        .await;
    let made = made.expect("one");
    client
        .update_portal_configuration(&made.id, &features, &key("cu"))
        .await
        .expect("one");
    let listed = client
        .list_portal_configurations()
        .all()
        .await
        .expect("all");
    assert_eq!(listed.len(), 1);
    let session = NewPortalSession {
        customer: fake.customer(Card::Good),
        return_url: None,
        configuration: Some(made.id),
    };
    let session = client.create_portal_session(&session, &key("s")).await;
    assert!(
        session
            .expect("one")
            .url
            .is_some_and(|url| url.starts_with(fake.url()))
    );
}

#[tokio::test]
async fn a_top_up_is_paid_off_session_or_says_why_not() {
    // P20: by an intent, or by an invoice of its own.
    let (fake, client) = fake(Shape::New).await;
    let customer = fake.customer(Card::Good);
    let intent = |method: &str| NewOffSessionIntent {
        amount: 900,
        currency: "eur".to_owned(),
        customer: customer.clone(),
        payment_method: method.to_owned(),
        description: None,
        metadata: Metadata::from([("pack".to_owned(), "pack_small".to_owned())]),
    };
    let good = client
        .create_off_session_intent(&intent("pm_good"), &key("g"))
        .await;
    assert_eq!(good.expect("paid").amount_received, Some(900));
    for (method, code) in [
        ("pm_declined", "card_declined"),
        ("pm_needs_customer", "authentication_required"),
    ] {
        let error = client
            .create_off_session_intent(&intent(method), &key(method))
            .await;
        assert!(
            matches!(&error, Err(StripeError::Declined { code: said, intent: Some(_), .. }) if said == code),
            "{error:?}"
        );
    }
    for (number, card) in [Card::Good, Card::Declined].into_iter().enumerate() {
        fake.set_card(&customer, card);
        let k = |step: &str| key(&format!("topup:{number}:{step}"));
        let invoice = NewInvoice {
            customer: customer.clone(),
            description: Some("Top-up".to_owned()),
            metadata: Metadata::new(),
        };
        let draft = client
            .create_invoice(&invoice, &k("draft"))
            .await
            .expect("a draft");
        let item = NewInvoiceItem {
            customer: customer.clone(),
            invoice: draft.id.clone(),
            price: "pack".to_owned(),
            quantity: 1,
        };
        client
            .create_invoice_item(&item, &k("item"))
            .await
            .expect("a line");
        let open = client
            .finalize_invoice(&draft.id, &k("final"))
            .await
            .expect("open");
        assert_eq!(open.total, Some(900));
        let paid = client.pay_invoice(&draft.id, &k("pay")).await;
        if card == Card::Good {
            assert!(is_paid(&paid.expect("paid")));
        } else {
            assert!(
                matches!(paid, Err(StripeError::Declined { .. })),
                "{paid:?}"
            );
            let void = client
                .void_invoice(&draft.id, &k("void"))
                .await
                .expect("void");
            assert_eq!(void.status.expect("a state").word(), "void");
        }
    }
}

#[tokio::test]
async fn use_is_told_once_and_the_sum_is_asked_for() {
    // P21.
    let (fake, client) = fake(Shape::New).await;
    fake.meter("articles");
    let customer = fake.customer(Card::Good);
    let told = |identifier: &str, value| MeterUse {
        event_name: "articles".to_owned(),
        customer: customer.clone(),
        value,
        identifier: identifier.to_owned(),
        timestamp: Some(fake.now()),
    };
    fake.fault(Fault::once(
        "POST /v1/billing",
        FaultKind::Broken,
        When::After,
    ));
    for (identifier, value) in [("entry:1", 3), ("entry:2", 4)] {
        let now = client
            .tell_meter(&told(identifier, value), &key(identifier))
            .await;
        assert!(matches!(now, Ok(Told::Now(_))), "{now:?}");
    }
    // The key is forgotten after a day, the identifier holds.
    let again = client
        .tell_meter(&told("entry:1", 3), &key("another"))
        .await;
    assert_eq!(again, Ok(Told::Before));
    let meters = client.list_meters().all().await.expect("all");
    let span = MeterSumFilter {
        customer: customer.clone(),
        start_time: fake.now() - fake.now() % 60,
        end_time: fake.now() - fake.now() % 60 + 60,
    };
    let sums = client
        .list_meter_sums(&meters[0].id, &span)
        .expect("an id")
        .all()
        .await;
    let sums = sums.expect("one");
    assert_eq!(sums[0].aggregated_value, Some(7.into()));
    for _ in 0..2 {
        // The same once more has the same effect, under whichever key.
        let keys = [
            key("cancel"),
            key(&format!("cancel-{}", fake.calls_total())),
        ];
        for key in keys {
            let gone = client.cancel_meter("articles", "entry:1", &key).await;
            assert_eq!(gone, Ok(MeterCancel::Done));
        }
    }
    assert_eq!(
        (fake.metered(&customer), fake.meter_events(&customer)),
        (4, 1)
    );
    fake.advance_days(2);
    let late = client
        .cancel_meter("articles", "entry:2", &key("late"))
        .await;
    assert_eq!(late, Ok(MeterCancel::Refused));
    // A day later the identifier counts once more: that is what the caller has to prevent.
    let twice = client.tell_meter(&told("entry:2", 4), &key("late")).await;
    assert!(matches!(twice, Ok(Told::Now(_))), "{twice:?}");
}
