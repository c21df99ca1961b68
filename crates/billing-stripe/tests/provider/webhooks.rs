//! What is believed of what comes as a webhook.

use billing_stripe::provider::StripeWebhooks;
use billing_stripe::{Mode, WebhookSecrets};
use quota_core::payment::PaymentMode;
use quota_core::ports::{Webhook, WebhookReader, WebhookRefusal};
use quota_core::provider::ObjectKind;
use testkit::fake_stripe::{Card, Endpoint, FakeStripe, Shape, sign};

use crate::{at, fake};

const NOW: i64 = 1_800_000_000;

fn reader(secrets: &str, mode: Mode) -> StripeWebhooks {
    let secrets = WebhookSecrets::parse(secrets).expect("secrets");
    StripeWebhooks::new(secrets, mode)
}

/// What becomes of a body that is signed with a secret of the endpoint's.
fn signed(reader: &StripeWebhooks, body: &str) -> Result<Webhook, WebhookRefusal> {
    let signature = sign(body, &["whsec_new".to_owned()], NOW);
    reader.read(&[signature.as_bytes()], body.as_bytes(), at(NOW))
}

/// The webhook of the last thing that happened.
fn last(fake: &FakeStripe, endpoint: &Endpoint) -> testkit::fake_stripe::Webhook {
    let place = fake.events().len() - 1;
    fake.webhook(place, endpoint)
}

/// P3, situations 54, 58 and 60: signed with one of the secrets, byte for byte; nothing else is read.
#[tokio::test]
async fn a_webhook_is_believed_if_it_is_signed_with_one_of_the_secrets() {
    let (fake, _) = fake(Shape::New).await;
    let customer = fake.customer(Card::Good);
    let endpoint = Endpoint::new("http://127.0.0.1:1/", "whsec_new");
    for is_thin in [false, true] {
        let endpoint = Endpoint {
            is_thin,
            ..endpoint.clone()
        };
        let sent = last(&fake, &endpoint);
        let now = at(fake.now());
        let read = |secrets: &str, body: &str| {
            let reader = reader(secrets, Mode::Test);
            assert_eq!(reader.signature_header(), "stripe-signature");
            reader.read(&[sent.signature.as_bytes()], body.as_bytes(), now)
        };
        for secrets in ["whsec_new", "whsec_old,whsec_new"] {
            let webhook = read(secrets, &sent.body).expect("it is signed");
            let about = webhook.event.about.expect("a customer");
            assert_eq!((about.kind, &about.id), (ObjectKind::Customer, &customer));
            assert_eq!((webhook.account, webhook.event.received_at), (None, now));
        }
        let other = format!("{} ", sent.body);
        for (secrets, body) in [("whsec_old", &sent.body), ("whsec_new", &other)] {
            let refusal = read(secrets, body).expect_err("it is not");
            assert!(matches!(refusal, WebhookRefusal::NotSigned(_)), "{refusal}");
        }
    }
    let reader = reader("whsec_new", Mode::Test);
    let refusal = reader.read(&[], b"{}", at(NOW)).expect_err("no header");
    assert!(matches!(refusal, WebhookRefusal::NotSigned(_)), "{refusal}");
    assert!(!format!("{reader:?}").contains("whsec"), "{reader:?}");
}

/// P14, situations 56 and 57: the other mode is refused, and the account that an event is of is told.
#[tokio::test]
async fn mode_and_account_of_a_webhook_are_told() {
    let (fake, _) = fake(Shape::New).await;
    fake.customer(Card::Good);
    let mut endpoint = Endpoint::new("http://127.0.0.1:1/", "whsec_new");
    endpoint.account = Some("acct_other".to_owned());
    let (sent, now) = (last(&fake, &endpoint), at(fake.now()));
    let read = |mode: Mode| {
        let reader = reader("whsec_new", mode);
        reader.read(&[sent.signature.as_bytes()], sent.body.as_bytes(), now)
    };
    let webhook = read(Mode::Test).expect("it is signed");
    assert_eq!(webhook.account.as_deref(), Some("acct_other"));
    let refusal = read(Mode::Live).expect_err("it is a test");
    assert_eq!(refusal, WebhookRefusal::OtherMode(PaymentMode::Test));
}

#[test]
fn what_is_signed_and_no_event_says_why() {
    let reader = reader("whsec_new", Mode::Test);
    for body in [
        "",
        "null",
        "[]",
        "{}",
        r#"{"id": "evt_1"}"#,
        r#"{"id": "evt_1", "type": "invoice.paid"}"#,
    ] {
        let refusal = signed(&reader, body).expect_err("no event");
        assert!(
            matches!(refusal, WebhookRefusal::Unreadable(_)),
            "{refusal}"
        );
    }
    let whole = r#"{"id": "evt_1", "type": "of.tomorrow", "livemode": false}"#;
    let webhook = signed(&reader, whole).expect("an event");
    assert_eq!(webhook.event.about, None);
}
