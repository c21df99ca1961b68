//! The port of a payment provider over Stripe, against the fake one: the facts that are handed on, in the shape of today and in the
//! old one.
#![expect(clippy::expect_used, reason = "a test that cannot go on says why")]

mod acts;
mod charges;
mod customers;
mod events;
mod lists;
mod payments;
mod roots;
mod sale;
mod webhooks;

use std::sync::Arc;
use std::time::Duration;

use billing_stripe::client::{Client, ClientParts, HttpSettings, RetryRule, Unpaced};
use billing_stripe::provider::Stripe;
use billing_stripe::{ApiKey, Mode};
use chrono::{DateTime, Utc};
use quota_core::ids::{CustomerRef, PaymentRef};
use quota_core::ports::PaymentProvider;
use quota_core::provider::{FetchedPayment, ObjectKind, ProviderObject};
use testkit::fake_stripe::{FakeStripe, Shape};

const SHAPES: [Shape; 2] = [Shape::New, Shape::Old];
const DAY: i64 = 86_400;

/// A fake that answers in one shape, with two plans, an add-on and a pack, and the port over it.
async fn fake(shape: Shape) -> (FakeStripe, Stripe) {
    let fake = FakeStripe::start().await;
    fake.answer_in(Some(shape));
    fake.plan("pro", 2_900);
    fake.plan("max", 9_900);
    fake.plan("seats", 500);
    fake.pack("pack", 900);
    fake.drop_pending();
    let stripe = Stripe::new(client(&fake), Mode::Test);
    (fake, stripe)
}

fn client(fake: &FakeStripe) -> Client {
    let mut settings = HttpSettings::new(ApiKey::new("sk_test_12345").expect("a key"));
    settings.base_url = fake.url().parse().expect("this machine");
    let parts = ClientParts {
        pace: Arc::new(Unpaced),
        retry: RetryRule {
            wait_first: Duration::ZERO,
            ..RetryRule::default()
        },
        ..ClientParts::default()
    };
    Client::open(&settings, parts).expect("a client")
}

fn object(kind: ObjectKind, id: &str) -> ProviderObject {
    let id = id.to_owned();
    ProviderObject { kind, id }
}

/// The payment that an object belongs to.
async fn payment(stripe: &Stripe, kind: ObjectKind, id: &str) -> FetchedPayment {
    let found = stripe.payment(&object(kind, id)).await.expect("an answer");
    found.expect("a payment")
}

fn named(id: &str) -> PaymentRef {
    PaymentRef::new(id).expect("a name")
}

fn customer_ref(id: &str) -> CustomerRef {
    CustomerRef::new(id).expect("a name")
}

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).expect("an instant")
}
