//! The client against the fake Stripe, in the shape of today and in the old one.
#![expect(clippy::expect_used, reason = "a test that cannot go on says why")]

mod by_hand;
mod events;
mod faults;
mod many;
mod payments;
mod subscriptions;
mod writes;

use std::sync::Arc;
use std::time::Duration;

use billing_stripe::ApiKey;
use billing_stripe::client::{
    Client, ClientParts, HttpSettings, IdempotencyKey, RetryRule, Unpaced,
};
use chrono::{DateTime, Utc};
use testkit::fake_stripe::{FakeStripe, Shape};

const SHAPES: [Shape; 2] = [Shape::New, Shape::Old];
const DAY: i64 = 86_400;

/// A fake that answers in one shape, with a plan and a pack, and a client of it that waits for nothing.
async fn fake(shape: Shape) -> (FakeStripe, Client) {
    let fake = FakeStripe::start().await;
    fake.answer_in(Some(shape));
    fake.plan("pro", 2_900);
    fake.plan("max", 9_900);
    fake.pack("pack", 900);
    fake.drop_pending();
    let client = client(&fake);
    (fake, client)
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

fn key(text: &str) -> IdempotencyKey {
    IdempotencyKey::new(text).expect("a key")
}

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).expect("an instant")
}

fn instant(text: &str) -> i64 {
    text.parse::<DateTime<Utc>>()
        .expect("an instant")
        .timestamp()
}
