//! A payment provider beside the API under test: a fake Stripe, whose clock is the API's.

use std::sync::Arc;
use std::time::Duration;

use billing_stripe::client::{Client, ClientParts, HttpSettings, RetryRule, Unpaced};
use billing_stripe::provider::{Stripe, StripeWebhooks};
use billing_stripe::{ApiKey, Mode, WebhookSecrets};
use http_api::ConnectedProvider;
use quota_service::Engine;
use quota_service::billing::{Billing, BillingParts, BillingSettings};
use testkit::fake_stripe::FakeStripe;
use testkit::memory::MemoryStore;

use crate::api::noon;

/// What webhooks are signed with.
pub(crate) const SECRET: &str = "whsec_of_the_test";

/// A fake that sells what the catalog names.
pub(crate) async fn fake() -> FakeStripe {
    let fake = FakeStripe::start().await.at(noon().timestamp());
    fake.plan("price_sold", 2_900);
    fake.plan("price_few", 1_900);
    fake.plan("price_more", 900);
    fake.pack("price_pack", 900);
    fake
}

/// The fake, as the API is connected to it. Nothing is asked of it yet.
pub(crate) fn provider(
    engine: &Engine,
    store: Arc<MemoryStore>,
    fake: &FakeStripe,
) -> ConnectedProvider {
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
    let client = Client::open(&settings, parts).expect("a client");
    let parts = BillingParts {
        engine: engine.clone(),
        store,
        provider: Arc::new(Stripe::new(client, Mode::Test)),
    };
    let secrets = WebhookSecrets::parse(SECRET).expect("a secret");
    ConnectedProvider {
        billing: Billing::new(parts, BillingSettings::default()),
        webhooks: Arc::new(StripeWebhooks::new(secrets, Mode::Test)),
        return_origins: vec!["https://app.example".to_owned()],
    }
}
