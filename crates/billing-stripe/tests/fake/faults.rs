use std::time::Duration;

use billing_stripe::client::{
    Client, ClientParts, HttpSettings, RateKind, RetryRule, StripeError, SubscriptionFilter,
    TransportFault,
};
use billing_stripe::{ApiKey, shapes::Customer};
use testkit::fake_stripe::{Card, Fault, FaultKind, Shape, When};

use crate::{client, fake};

fn forever(kind: FaultKind) -> Fault {
    Fault {
        on: "GET".to_owned(),
        kind,
        when: When::Before,
        times: u32::MAX,
    }
}

#[tokio::test]
async fn what_lasts_is_told_by_its_name() {
    let (fake, client) = fake(Shape::New).await;
    let customer = fake.customer(Card::Good);
    let said = async |kind: FaultKind| -> StripeError {
        fake.fault(forever(kind));
        let error = client.retrieve_customer(&customer).await;
        fake.clear_faults();
        error.expect_err("an error")
    };
    let limited = said(FaultKind::LockTimeout).await;
    assert!(
        matches!(
            limited,
            StripeError::Limited {
                kind: RateKind::LockTimeout,
                ..
            }
        ),
        "{limited:?}"
    );
    let long = said(FaultKind::Limited(Some(120))).await;
    assert!(
        matches!(long, StripeError::Limited { retry_after: Some(wait), .. } if wait == Duration::from_mins(2)),
        "{long:?}"
    );
    let busy = said(FaultKind::KeyInUse).await;
    assert!(matches!(busy, StripeError::Busy { .. }), "{busy:?}");
    let failed = said(FaultKind::Status(503)).await;
    assert!(
        matches!(failed, StripeError::Failed { status: 503, .. }),
        "{failed:?}"
    );
    let broken = said(FaultKind::Broken).await;
    assert!(
        matches!(
            broken,
            StripeError::NoAnswer {
                fault: TransportFault::Broken(_),
                ..
            }
        ),
        "{broken:?}"
    );
    let dead = said(FaultKind::KeyDead).await;
    assert!(matches!(dead, StripeError::KeyDead { .. }), "{dead:?}");
    let forbidden = said(FaultKind::Forbidden("rak_customer_read".to_owned())).await;
    assert!(
        matches!(&forbidden, StripeError::NotPermitted { permission, .. } if permission == "rak_customer_read"),
        "{forbidden:?}"
    );
    for body in [
        "<html>",
        "{\"object\":\"customer\"}",
        "{\"id\":\"cus_1\",\"metadata\":",
        "\u{0}",
    ] {
        let unreadable = said(FaultKind::Body(body.to_owned())).await;
        assert!(
            matches!(unreadable, StripeError::Unreadable { .. }),
            "{unreadable:?}"
        );
    }
    let found: Customer = client.retrieve_customer(&customer).await.expect("one");
    assert_eq!(found.id, customer);
}

#[tokio::test]
async fn no_answer_in_time_is_an_error_that_passes() {
    let (fake, _) = fake(Shape::New).await;
    let mut settings = HttpSettings::new(ApiKey::new("sk_test_12345").expect("a key"));
    settings.base_url = fake.url().parse().expect("this machine");
    settings.timeout = Duration::from_millis(20);
    let parts = ClientParts {
        retry: RetryRule {
            retries_max: 1,
            wait_first: Duration::ZERO,
            ..RetryRule::default()
        },
        ..ClientParts::default()
    };
    let impatient = Client::open(&settings, parts).expect("a client");
    fake.fault(forever(FaultKind::Nothing));
    let error = impatient.account().await.expect_err("an error");
    assert!(error.is_transient());
    let fault = TransportFault::TimedOut;
    let call = "account";
    assert_eq!(error, StripeError::NoAnswer { call, fault });
    assert_eq!(fake.calls()["GET /v1/account"], 2);
}

#[tokio::test]
async fn a_stripe_that_is_away_is_an_error_that_passes() {
    let (fake, client) = fake(Shape::New).await;
    drop(fake);
    let error = client.account().await.expect_err("an error");
    assert!(error.is_transient(), "{error:?}");
}

#[tokio::test]
async fn a_removed_customer_answers_and_a_forgotten_object_does_not() {
    // Situations 32 and 62.
    let (fake, client) = fake(Shape::New).await;
    let customer = fake.customer(Card::Good);
    fake.remove_customer(&customer);
    let gone = client
        .retrieve_customer(&customer)
        .await
        .expect("what is left");
    assert!(gone.deleted);
    let session = fake.payment_link("pack", 1);
    fake.forget(&session);
    let error = client.retrieve_session(&session).await;
    assert!(
        matches!(error, Err(StripeError::NotFound { .. })),
        "{error:?}"
    );
    let other_kind = client.retrieve_invoice(&customer).await;
    assert!(
        matches!(other_kind, Err(StripeError::NotFound { .. })),
        "{other_kind:?}"
    );
}

#[tokio::test]
async fn a_list_is_whole_though_pages_fail_on_the_way() {
    let (fake, client) = fake(Shape::New).await;
    fake.many_subscriptions(250, "pro");
    for kind in [
        FaultKind::Status(500),
        FaultKind::Broken,
        FaultKind::LockTimeout,
    ] {
        fake.fault(Fault::once("GET /v1/subscriptions", kind, When::After));
    }
    let filter = SubscriptionFilter::default();
    let all = client.list_subscriptions(&filter).all().await.expect("all");
    assert_eq!(all.len(), 250);
    assert_eq!(fake.calls()["GET /v1/subscriptions"], 6);
}

#[tokio::test]
async fn every_call_names_its_version_and_a_stripe_that_listens_answers_in_it() {
    let (fake, client_before) = fake(Shape::Old).await;
    let how = testkit::fake_stripe::Subscribe {
        items: &[("pro", 1)],
        ..testkit::fake_stripe::Subscribe::default()
    };
    let id = fake.subscribe(&fake.customer(Card::Good), &how);
    let old = client_before.retrieve_subscription(&id).await.expect("one");
    assert!(old.current_period_end.is_some());
    fake.answer_in(None);
    let new = client(&fake).retrieve_subscription(&id).await.expect("one");
    assert!(new.current_period_end.is_none());
    assert!(new.items.data[0].current_period_end.is_some());
}

#[tokio::test]
async fn a_server_without_tls_is_no_stripe() {
    // The client speaks TLS with nothing installed for its process, and the key does not go out in the clear.
    let (fake, _) = fake(Shape::New).await;
    let mut settings = HttpSettings::new(ApiKey::new("sk_test_12345").expect("a key"));
    let encrypted = fake.url().replace("http://", "https://");
    settings.base_url = encrypted.parse().expect("an address");
    let parts = ClientParts {
        retry: RetryRule {
            retries_max: 0,
            ..RetryRule::default()
        },
        ..ClientParts::default()
    };
    let error = Client::open(&settings, parts)
        .expect("a client")
        .account()
        .await;
    assert!(
        matches!(
            error,
            Err(StripeError::NoAnswer {
                fault: TransportFault::NoConnection(_),
                ..
            })
        ),
        "{error:?}"
    );
    assert_eq!(fake.calls_total(), 0);
}

#[tokio::test]
async fn an_answer_without_end_is_given_up() {
    let (fake, client) = fake(Shape::New).await;
    let endless = "x".repeat(17 << 20);
    fake.fault(Fault::once("GET", FaultKind::Body(endless), When::Before));
    let error = client.account().await.expect_err("an error");
    assert!(!error.is_transient());
    let bytes = 16 << 20;
    let fault = TransportFault::TooLong(bytes);
    let call = "account";
    assert_eq!(error, StripeError::NoAnswer { call, fault });
}
