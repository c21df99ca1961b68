use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use billing_stripe::client::EventFilter;
use billing_stripe::read::{about, foreign_account, is_thin, what_happened};
use billing_stripe::shapes::Event;
use billing_stripe::{SignatureError, WebhookSecrets, verify};
use testkit::fake_stripe::{Card, Endpoint, Pay, Shape, Subscribe};

use crate::{at, fake};

/// What came, as `(signature, body)`.
type Received = Arc<Mutex<Vec<(String, String)>>>;

async fn receive(State(received): State<Received>, headers: HeaderMap, body: Bytes) {
    let signature = headers["stripe-signature"].to_str().expect("a header");
    let body = String::from_utf8(body.to_vec()).expect("a text");
    let webhook = (signature.to_owned(), body);
    received.lock().expect("a lock").push(webhook);
}

async fn receiver() -> (String, Received) {
    let received = Received::default();
    let router = Router::new()
        .fallback(receive)
        .with_state(Arc::clone(&received));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, received)
}

#[tokio::test]
async fn webhooks_of_both_shapes_and_thin_ones_verify_and_name_their_object() {
    let (fake, _) = fake(Shape::New).await;
    let how = Subscribe {
        items: &[("pro", 1)],
        ..Subscribe::default()
    };
    let id = fake.subscribe(&fake.customer(Card::Good), &how);
    let created = fake
        .pending()
        .into_iter()
        .find(|event| event.kind == "customer.subscription.created");
    let created = created.expect("an event");
    let mut endpoint = Endpoint::new("http://127.0.0.1:1/", "whsec_test_new");
    endpoint.secrets.push("whsec_test_old".to_owned());
    endpoint.account = Some("acct_other".to_owned());
    let now = at(fake.now());
    let mut bodies = Vec::new();
    for (shape, thin) in [(Shape::New, false), (Shape::Old, false), (Shape::New, true)] {
        endpoint.shape = shape;
        endpoint.is_thin = thin;
        let webhook = fake.webhook(created.place, &endpoint);
        let headers = [webhook.signature.as_bytes()];
        for secret in ["whsec_test_new", "whsec_test_old"] {
            let secrets = WebhookSecrets::parse(secret).expect("a secret");
            let said = verify(&headers, webhook.body.as_bytes(), &secrets, now);
            assert!(said.is_ok(), "{said:?}");
        }
        let other = WebhookSecrets::parse("whsec_other").expect("a secret");
        let said = verify(&headers, webhook.body.as_bytes(), &other, now);
        assert_eq!(said, Err(SignatureError::NoMatch));
        let event: Event = serde_json::from_str(&webhook.body).expect("an event");
        assert_eq!(is_thin(&event), thin);
        assert_eq!(foreign_account(&event), Some("acct_other"));
        assert_eq!(what_happened(&event), Some("customer.subscription.created"));
        assert_eq!(
            about(&event).map(|object| object.id.to_owned()),
            Some(id.clone())
        );
        bodies.push(webhook.body);
    }
    let has_top_level_period = |body: &str| {
        let body: serde_json::Value = serde_json::from_str(body).expect("json");
        !body["data"]["object"]["current_period_end"].is_null()
    };
    assert!(!has_top_level_period(&bodies[0]) && has_top_level_period(&bodies[1]));
}

#[tokio::test]
async fn events_are_delivered_in_the_order_and_number_that_is_asked_for() {
    let (fake, _) = fake(Shape::New).await;
    let (url, received) = receiver().await;
    fake.endpoint(Endpoint::new(&url, "whsec_test1"));
    let session = fake.payment_link("pack", 1);
    fake.pay(&session, &Pay::by(Card::Good));
    let pending = fake.pending();
    let kinds: Vec<&str> = pending.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(
        kinds,
        [
            "customer.created",
            "payment_intent.created",
            "charge.succeeded",
            "payment_intent.succeeded",
            "checkout.session.completed"
        ]
    );
    let places: Vec<usize> = pending.iter().map(|event| event.place).collect();
    let order = [places[4], places[3], places[4], places[4]];
    assert_eq!(fake.deliver(&order).await, [200; 4]);
    let ids: Vec<String> = received
        .lock()
        .expect("a lock")
        .iter()
        .map(|(_, body)| serde_json::from_str::<Event>(body).expect("an event").id)
        .collect();
    let expected = order.map(|place| fake.events()[place].id.clone());
    assert_eq!(ids, expected);
    fake.drop_pending();
    assert_eq!(fake.deliver_pending().await, [] as [u16; 0]);
    let nowhere = Endpoint::new("http://127.0.0.1:1/", "whsec_test1");
    fake.clear_endpoints();
    fake.endpoint(nowhere);
    assert_eq!(fake.deliver(&[places[0]]).await, [0]);
}

#[tokio::test]
async fn events_may_be_delivered_as_they_happen() {
    let (fake, client) = fake(Shape::New).await;
    let (sender, mut came) = tokio::sync::mpsc::unbounded_channel();
    let router = Router::new().fallback(async move |body: Bytes| {
        let event: Event = serde_json::from_slice(&body).expect("an event");
        sender
            .send(event.kind.expect("a kind"))
            .expect("a test that waits");
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    fake.endpoint(Endpoint::new(&url, "whsec_test1"));
    let delivering = fake.deliver_as_it_happens();
    fake.customer(Card::Good);
    let fields = billing_stripe::client::CustomerFields::default();
    client
        .create_customer(&fields, &crate::key("c"))
        .await
        .expect("one");
    let mut kinds = Vec::new();
    for _ in 0..3 {
        kinds.push(came.recv().await.expect("an event"));
    }
    assert_eq!(
        kinds,
        ["customer.created", "customer.updated", "customer.created"]
    );
    assert!(fake.pending().is_empty());
    delivering.abort();
}

#[tokio::test]
async fn events_are_listed_since_an_instant_and_gone_after_thirty_days() {
    // Situations 48 and 49.
    let (fake, client) = fake(Shape::New).await;
    let since = fake.now();
    fake.advance(1);
    for _ in 0..60 {
        fake.customer(Card::Good);
    }
    let filter = EventFilter {
        created_since: Some(since + 1),
        types: Vec::new(),
    };
    let all = client.list_events(&filter).all().await.expect("all");
    assert_eq!(all.len(), 120);
    assert!(all.windows(2).all(|two| two[1].created <= two[0].created));
    let some = EventFilter {
        types: vec!["customer.created".to_owned()],
        ..filter.clone()
    };
    assert_eq!(
        client.list_events(&some).all().await.expect("all").len(),
        60
    );
    let one = client.retrieve_event(&all[0].id).await.expect("one");
    assert_eq!(one.id, all[0].id);
    fake.advance_days(31);
    assert!(
        client
            .list_events(&filter)
            .all()
            .await
            .expect("all")
            .is_empty()
    );
    assert!(client.retrieve_event(&all[0].id).await.is_err());
}
