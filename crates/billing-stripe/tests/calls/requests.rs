use std::collections::BTreeSet;

use billing_stripe::client::{
    Answer, Change, CheckoutLine, Client, ClientParts, CustomerFields, DisputeFilter, EventFilter,
    IntentFilter, InvoiceFilter, InvoicePaymentFilter, ItemChange, MeterSumFilter, MeterUse,
    Method, NewInvoice, NewInvoiceItem, NewPortalSession, NewPrice, NewProduct, NewRecurring,
    NewSchedulePhase, NewSession, PhaseLine, PortalFeatures, PriceFilter, RefundFilter,
    SessionFilter, SessionSubscription, StripeError, SubscriptionChange, SubscriptionFilter, Told,
};
use billing_stripe::shapes::{CheckoutMode, Interval, Metadata};
use serde_json::json;

use crate::{Script, answer, key, known};

fn account() -> Metadata {
    Metadata::from([("account".to_owned(), "org:acme".to_owned())])
}

/// An answer that any call can read: an object, and an empty list.
fn any() -> Answer {
    answer(200, &json!({"id": "x", "data": [], "has_more": false}))
}

/// Makes a call and says what was sent, with brackets as they are meant.
macro_rules! sent {
    ($client:ident => $call:expr) => {{
        let script = Script::new([Ok(any())]);
        let $client = script.client();
        let answered = $call.await;
        assert!(answered.is_ok(), "{answered:?}");
        let request = script.sent().remove(0);
        known::check(&request);
        let method = match request.method {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Delete => "DELETE",
        };
        assert_eq!(request.idempotency_key.is_some(), method == "POST");
        let form = request.form.map(|form| format!(" {form}"));
        let line = format!("{method} {}{}", request.path, form.unwrap_or_default());
        line.replace("%5B", "[")
            .replace("%5D", "]")
            .replace("%3A", ":")
            .replace("%2F", "/")
    }};
}

#[tokio::test(start_paused = true)]
async fn subscriptions_are_called_as_stripe_documents() {
    let k = key("k");
    let change = SubscriptionChange {
        items: vec![
            ItemChange {
                id: Some("si_1".into()),
                price: Some("price_2".into()),
                quantity: Some(3),
                deleted: None,
            },
            ItemChange {
                id: Some("si_2".into()),
                deleted: Some(true),
                ..ItemChange::default()
            },
        ],
        billing_cycle_anchor: Some("now"),
        proration_behavior: Some("always_invoice"),
        payment_behavior: Some("pending_if_incomplete"),
        ..SubscriptionChange::default()
    };
    assert_eq!(
        sent!(c => c.update_subscription("sub_1", &change, &k)),
        "POST /v1/subscriptions/sub_1 billing_cycle_anchor[type]=now&items[0][id]=si_1&items[0][price]=price_2\
         &items[0][quantity]=3&items[1][deleted]=true&items[1][id]=si_2&payment_behavior=pending_if_incomplete\
         &proration_behavior=always_invoice"
    );
    let resume = SubscriptionChange {
        cancel_at: Some(Change::Clear),
        cancel_at_period_end: Some(false),
        ..SubscriptionChange::default()
    };
    assert_eq!(
        sent!(c => c.update_subscription("sub_1", &resume, &k)),
        "POST /v1/subscriptions/sub_1 cancel_at=&cancel_at_period_end=false"
    );
    let end = SubscriptionChange {
        cancel_at: Some(Change::To(5)),
        metadata: account(),
        ..SubscriptionChange::default()
    };
    assert_eq!(
        sent!(c => c.update_subscription("sub_1", &end, &k)),
        "POST /v1/subscriptions/sub_1 cancel_at=5&metadata[account]=org:acme"
    );
    assert_eq!(
        sent!(c => c.retrieve_subscription("sub_1")),
        "GET /v1/subscriptions/sub_1?expand[0]=schedule&expand[1]=latest_invoice"
    );
    assert_eq!(
        sent!(c => c.list_subscription_items("sub_1").all()),
        "GET /v1/subscription_items?limit=100&subscription=sub_1"
    );
    assert_eq!(
        sent!(c => c.cancel_subscription("sub_1")),
        "DELETE /v1/subscriptions/sub_1"
    );
    assert_eq!(
        sent!(c => c.resume_subscription("sub_1", &k)),
        "POST /v1/subscriptions/sub_1/resume "
    );
}

#[tokio::test(start_paused = true)]
async fn schedules_are_called_as_stripe_documents() {
    let k = key("k");
    let phase = NewSchedulePhase {
        start_date: Some(1),
        end_date: Some(2),
        items: vec![PhaseLine {
            price: "pro".to_owned(),
            quantity: Some(1),
        }],
        ..NewSchedulePhase::default()
    };
    assert_eq!(
        sent!(c => c.create_schedule("sub_1", &k)),
        "POST /v1/subscription_schedules from_subscription=sub_1"
    );
    assert_eq!(
        sent!(c => c.update_schedule("sub_sched_1", &[phase], &k)),
        "POST /v1/subscription_schedules/sub_sched_1 end_behavior=release&phases[0][end_date]=2\
         &phases[0][items][0][price]=pro&phases[0][items][0][quantity]=1&phases[0][start_date]=1&proration_behavior=none"
    );
    assert_eq!(
        sent!(c => c.release_schedule("sub_sched_1", &k)),
        "POST /v1/subscription_schedules/sub_sched_1/release "
    );
    assert_eq!(
        sent!(c => c.retrieve_schedule("sub_sched_1")),
        "GET /v1/subscription_schedules/sub_sched_1"
    );
}

#[tokio::test(start_paused = true)]
async fn checkout_is_called_as_stripe_documents() {
    let k = key("k");
    let session = NewSession {
        mode: CheckoutMode::Payment,
        line_items: vec![CheckoutLine {
            price: "pack".to_owned(),
            quantity: 2,
        }],
        customer: Some("cus_1".into()),
        client_reference_id: Some("org:acme".into()),
        success_url: "https://x/{CHECKOUT_SESSION_ID}".to_owned(),
        cancel_url: None,
        expires_at: None,
        allow_promotion_codes: None,
        with_invoice: Some(true),
        setup_future_usage: Some("off_session"),
        payment_metadata: account(),
        subscription_data: Some(SessionSubscription {
            trial_period_days: Some(14),
            without_card: Some("pause"),
            ..SessionSubscription::default()
        }),
        payment_method_collection: Some("if_required"),
        metadata: Metadata::new(),
    };
    assert_eq!(
        sent!(c => c.create_session(&session, &k)),
        "POST /v1/checkout/sessions client_reference_id=org:acme&customer=cus_1&invoice_creation[enabled]=true\
         &line_items[0][price]=pack&line_items[0][quantity]=2&mode=payment&payment_intent_data[metadata][account]=org:acme\
         &payment_intent_data[setup_future_usage]=off_session&payment_method_collection=if_required\
         &subscription_data[trial_period_days]=14&subscription_data[trial_settings][end_behavior][missing_payment_method]=pause\
         &success_url=https://x/%7BCHECKOUT_SESSION_ID%7D"
    );
    assert_eq!(
        sent!(c => c.retrieve_session("cs_1")),
        "GET /v1/checkout/sessions/cs_1?expand[0]=line_items"
    );
    assert_eq!(
        sent!(c => c.list_session_lines("cs_1").expect("an id").all()),
        "GET /v1/checkout/sessions/cs_1/line_items?limit=100"
    );
    assert_eq!(
        sent!(c => c.expire_session("cs_1", &k)),
        "POST /v1/checkout/sessions/cs_1/expire "
    );
    let filter = SessionFilter {
        payment_intent: Some("pi_1".into()),
        created_since: Some(5),
        ..SessionFilter::default()
    };
    assert_eq!(
        sent!(c => c.list_sessions(&filter).all()),
        "GET /v1/checkout/sessions?created[gte]=5&limit=100&payment_intent=pi_1"
    );
}

#[tokio::test(start_paused = true)]
async fn the_portal_is_called_as_stripe_documents() {
    let k = key("k");
    let portal = NewPortalSession {
        customer: "cus_1".to_owned(),
        return_url: None,
        configuration: Some("bpc_1".into()),
    };
    assert_eq!(
        sent!(c => c.create_portal_session(&portal, &k)),
        "POST /v1/billing_portal/sessions configuration=bpc_1&customer=cus_1"
    );
    let features = PortalFeatures {
        features: json!({"subscription_update": {"enabled": true, "default_allowed_updates": ["price"]}}),
        default_return_url: None,
        metadata: Metadata::new(),
    };
    let form = "features[subscription_update][default_allowed_updates][0]=price&features[subscription_update][enabled]=true";
    assert_eq!(
        sent!(c => c.create_portal_configuration(&features, &k)),
        format!("POST /v1/billing_portal/configurations {form}")
    );
    assert_eq!(
        sent!(c => c.update_portal_configuration("bpc_1", &features, &k)),
        format!("POST /v1/billing_portal/configurations/bpc_1 {form}")
    );
    assert_eq!(
        sent!(c => c.list_portal_configurations().all()),
        "GET /v1/billing_portal/configurations?limit=100"
    );
}

#[tokio::test(start_paused = true)]
async fn payments_are_called_as_stripe_documents() {
    assert_eq!(
        sent!(c => c.retrieve_intent("pi_1")),
        "GET /v1/payment_intents/pi_1"
    );
    assert_eq!(
        sent!(c => c.retrieve_charge("ch_1")),
        "GET /v1/charges/ch_1"
    );
    assert_eq!(
        sent!(c => c.retrieve_refund("re_1")),
        "GET /v1/refunds/re_1"
    );
    assert_eq!(
        sent!(c => c.retrieve_dispute("dp_1")),
        "GET /v1/disputes/dp_1"
    );
    let refunds = RefundFilter {
        payment_intent: Some("pi_1".into()),
        ..RefundFilter::default()
    };
    assert_eq!(
        sent!(c => c.list_refunds(&refunds).all()),
        "GET /v1/refunds?limit=100&payment_intent=pi_1"
    );
    let disputes = DisputeFilter {
        charge: Some("ch_1".into()),
        ..DisputeFilter::default()
    };
    assert_eq!(
        sent!(c => c.list_disputes(&disputes).all()),
        "GET /v1/disputes?charge=ch_1&limit=100"
    );
    let intents = IntentFilter {
        created_since: Some(5),
        ..IntentFilter::default()
    };
    assert_eq!(
        sent!(c => c.list_intents(&intents).all()),
        "GET /v1/payment_intents?created[gte]=5&limit=100"
    );
    assert_eq!(
        sent!(c => c.cancel_intent("pi_1", &key("k"))),
        "POST /v1/payment_intents/pi_1/cancel "
    );
    assert_eq!(
        sent!(c => c.list_payment_methods("cus_1").expect("an id").all()),
        "GET /v1/customers/cus_1/payment_methods?limit=100"
    );
}

#[tokio::test(start_paused = true)]
async fn invoices_are_called_as_stripe_documents() {
    let k = key("k");
    assert_eq!(
        sent!(c => c.retrieve_invoice("in_1")),
        "GET /v1/invoices/in_1?expand[0]=payments"
    );
    let filter = InvoiceFilter {
        status: Some("paid"),
        ..InvoiceFilter::default()
    };
    assert_eq!(
        sent!(c => c.list_invoices(&filter).all()),
        "GET /v1/invoices?limit=100&status=paid"
    );
    assert_eq!(
        sent!(c => c.list_invoice_lines("in_1").expect("an id").all()),
        "GET /v1/invoices/in_1/lines?limit=100"
    );
    let by_intent = InvoicePaymentFilter::Intent("pi_1".to_owned());
    assert_eq!(
        sent!(c => c.list_invoice_payments(&by_intent).all()),
        "GET /v1/invoice_payments?limit=100&payment[payment_intent]=pi_1&payment[type]=payment_intent"
    );
    let by_invoice = InvoicePaymentFilter::Invoice("in_1".to_owned());
    assert_eq!(
        sent!(c => c.list_invoice_payments(&by_invoice).all()),
        "GET /v1/invoice_payments?invoice=in_1&limit=100"
    );
    let invoice = NewInvoice {
        customer: "cus_1".to_owned(),
        description: None,
        metadata: account(),
    };
    assert_eq!(
        sent!(c => c.create_invoice(&invoice, &k)),
        "POST /v1/invoices auto_advance=false&collection_method=charge_automatically&customer=cus_1\
         &metadata[account]=org:acme&pending_invoice_items_behavior=exclude"
    );
    let item = NewInvoiceItem {
        customer: "cus_1".to_owned(),
        invoice: "in_1".to_owned(),
        price: "pack".to_owned(),
        quantity: 1,
    };
    assert_eq!(
        sent!(c => c.create_invoice_item(&item, &k)),
        "POST /v1/invoiceitems customer=cus_1&invoice=in_1&pricing[price]=pack&quantity=1"
    );
    assert_eq!(
        sent!(c => c.finalize_invoice("in_1", &k)),
        "POST /v1/invoices/in_1/finalize "
    );
    assert_eq!(
        sent!(c => c.pay_invoice("in_1", &k)),
        "POST /v1/invoices/in_1/pay off_session=true"
    );
    assert_eq!(
        sent!(c => c.void_invoice("in_1", &k)),
        "POST /v1/invoices/in_1/void "
    );
}

#[tokio::test(start_paused = true)]
async fn the_catalog_is_called_as_stripe_documents() {
    let k = key("k");
    let product = NewProduct {
        name: "Pro".to_owned(),
        ..NewProduct::default()
    };
    assert_eq!(
        sent!(c => c.create_product(&product, &k)),
        "POST /v1/products name=Pro"
    );
    assert_eq!(
        sent!(c => c.update_product("prod_1", &product, &k)),
        "POST /v1/products/prod_1 name=Pro"
    );
    assert_eq!(
        sent!(c => c.retrieve_product("prod_1")),
        "GET /v1/products/prod_1"
    );
    assert_eq!(
        sent!(c => c.list_products().all()),
        "GET /v1/products?limit=100"
    );
    let price = NewPrice {
        product: "prod_1".to_owned(),
        currency: "eur".to_owned(),
        unit_amount: 900,
        recurring: Some(NewRecurring {
            interval: Interval::Month,
            interval_count: 1,
            meter: None,
            usage_type: None,
        }),
        lookup_key: Some("pro".into()),
        ..NewPrice::default()
    };
    assert_eq!(
        sent!(c => c.create_price(&price, &k)),
        "POST /v1/prices currency=eur&lookup_key=pro&product=prod_1&recurring[interval]=month\
         &recurring[interval_count]=1&unit_amount=900"
    );
    assert_eq!(
        sent!(c => c.set_price_active("p", false, &k)),
        "POST /v1/prices/p active=false"
    );
    assert_eq!(
        sent!(c => c.retrieve_price("p")),
        "GET /v1/prices/p?expand[0]=product"
    );
    let prices = PriceFilter {
        active: Some(true),
        lookup_keys: vec!["a".to_owned(), "b".to_owned()],
        product: None,
    };
    assert_eq!(
        sent!(c => c.list_prices(&prices).all()),
        "GET /v1/prices?active=true&limit=100&lookup_keys[0]=a&lookup_keys[1]=b"
    );
}

#[tokio::test(start_paused = true)]
async fn customers_events_and_meters_are_called_as_stripe_documents() {
    let k = key("k");
    let customer = CustomerFields {
        email: Some("a@example.com".into()),
        metadata: account(),
        ..CustomerFields::default()
    };
    let form = "email=a%40example.com&metadata[account]=org:acme";
    assert_eq!(
        sent!(c => c.create_customer(&customer, &k)),
        format!("POST /v1/customers {form}")
    );
    assert_eq!(
        sent!(c => c.update_customer("cus_1", &customer, &k)),
        format!("POST /v1/customers/cus_1 {form}")
    );
    assert_eq!(
        sent!(c => c.retrieve_customer("cus_1")),
        "GET /v1/customers/cus_1"
    );
    let events = EventFilter {
        created_since: Some(5),
        types: vec!["invoice.paid".to_owned()],
    };
    assert_eq!(
        sent!(c => c.list_events(&events).all()),
        "GET /v1/events?created[gte]=5&limit=100&types[0]=invoice.paid"
    );
    assert_eq!(
        sent!(c => c.retrieve_event("evt_1")),
        "GET /v1/events/evt_1"
    );
    assert_eq!(sent!(c => c.account()), "GET /v1/account");
    assert_eq!(
        sent!(c => c.list_meters().all()),
        "GET /v1/billing/meters?limit=100"
    );
    let sums = MeterSumFilter {
        customer: "cus_1".to_owned(),
        start_time: 0,
        end_time: 60,
    };
    assert_eq!(
        sent!(c => c.list_meter_sums("mtr_1", &sums).expect("an id").all()),
        "GET /v1/billing/meters/mtr_1/event_summaries?customer=cus_1&end_time=60&limit=100&start_time=0"
    );
}

fn told() -> MeterUse {
    MeterUse {
        event_name: "articles".to_owned(),
        customer: "cus_1".to_owned(),
        value: 3,
        identifier: "entry:1".to_owned(),
        timestamp: Some(5),
    }
}

#[tokio::test(start_paused = true)]
async fn use_is_told_once_however_often_it_is_sent() {
    // P21.
    assert_eq!(
        sent!(c => c.tell_meter(&told(), &key("k"))),
        "POST /v1/billing/meter_events event_name=articles&identifier=entry:1&payload[stripe_customer_id]=cus_1\
         &payload[value]=3&timestamp=5"
    );
    assert_eq!(
        sent!(c => c.cancel_meter("articles", "entry:1", &key("k"))),
        "POST /v1/billing/meter_event_adjustments cancel[identifier]=entry:1&event_name=articles&type=cancel"
    );
    for error in [
        json!({"error": {"code": "duplicate_meter_event", "message": "no"}}),
        json!({"error": {"message": "An event already exists with identifier entry:1."}}),
    ] {
        let script = Script::new([Ok(answer(400, &error))]);
        let again = script.client().tell_meter(&told(), &key("k")).await;
        assert_eq!(again, Ok(Told::Before));
    }
    let other = json!({"error": {"message": "No such meter"}});
    let script = Script::new([Ok(answer(400, &other))]);
    let refused = script.client().tell_meter(&told(), &key("k")).await;
    assert!(
        matches!(refused, Err(StripeError::Refused { .. })),
        "{refused:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn an_id_leads_to_no_other_path_than_its_own() {
    // An id of a session comes from a browser.
    for (id, path) in [
        ("cs_1/../../charges", "cs_1%2F..%2F..%2Fcharges"),
        ("cs_1?expand[]=x", "cs_1%3Fexpand%5B%5D%3Dx"),
        ("cs 1#\r\n", "cs%201%23%0D%0A"),
    ] {
        let script = Script::new([Ok(any())]);
        let found = script.client().retrieve_session(id).await;
        assert!(found.is_ok(), "{found:?}");
        let expected = format!("/v1/checkout/sessions/{path}?expand%5B0%5D=line_items");
        assert_eq!(script.sent()[0].path, expected);
    }
    for nothing in ["", ".", "..", &"x".repeat(256)] {
        let script = Script::new([]);
        let found = script.client().retrieve_session(nothing).await;
        assert!(
            matches!(found, Err(StripeError::NotFound { .. })),
            "{found:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn calls_are_counted_by_their_name() {
    let script = Script::new([Ok(any()), Ok(any()), Ok(any())]);
    let client = script.client();
    let filter = SubscriptionFilter::default();
    assert!(client.list_subscriptions(&filter).all().await.is_ok());
    assert!(client.account().await.is_ok());
    assert!(client.retrieve_charge("ch_1").await.is_ok());
    let names: BTreeSet<&str> = script.counted().iter().map(|(name, _)| *name).collect();
    let expected = ["account", "list_subscriptions", "retrieve_charge"];
    assert_eq!(names, BTreeSet::from(expected));
}

#[tokio::test(start_paused = true)]
async fn a_stripe_of_old_is_asked_for_nothing_whole() {
    let script = Script::new([Ok(any()), Ok(any()), Ok(any())]);
    let parts = ClientParts {
        expands: false,
        ..script.parts()
    };
    let client = Client::over(script.clone(), parts);
    let all = client.list_subscriptions(&SubscriptionFilter::default());
    assert!(all.all().await.is_ok());
    assert!(client.retrieve_session("cs_1").await.is_ok());
    let paths: Vec<String> = script.sent().into_iter().map(|sent| sent.path).collect();
    let expected = [
        "/v1/subscriptions?limit=100&status=all",
        "/v1/checkout/sessions/cs_1",
    ];
    assert_eq!(paths, expected);
}
