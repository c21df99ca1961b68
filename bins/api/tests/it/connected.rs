//! An API that is connected to a fake Stripe.

use std::sync::Arc;
use std::time::Duration;

use billing_stripe::client::{Client, ClientParts, HttpSettings, RetryRule, Unpaced};
use billing_stripe::provider::{Stripe, StripeWebhooks};
use billing_stripe::{ApiKey, Mode, WebhookSecrets};
use http_api::{ApiSettings, ConnectedProvider};
use quota_core::ports::{BillingStore, Storage};
use quota_service::billing::{Billing, BillingParts, BillingSettings};
use testkit::fake_stripe::FakeStripe;

use crate::api_under_test::Api;

/// What the fake's webhooks are signed with.
pub(crate) const SECRET: &str = "whsec_of_the_test";

/// Two plans and a pack, with their prices at Stripe.
pub(crate) const CATALOG: &str = r#"
[[feature]]
code = "requests"
name = "Requests"
unit = "request"
kind = "consumable"
cadence = "monthly"
credit_cost = 1

[[plan]]
code = "pro"
name = "Pro"
price = 2900
limits = { requests = 1000 }
provider_prices = { stripe = ["price_pro"] }

[[plan]]
code = "max"
name = "Max"
price = 9900
limits = { requests = 10000 }
provider_prices = { stripe = ["price_max"] }

[[pack]]
code = "pack_500"
name = "500 credits"
credits = 500
price = 900
provider_prices = { stripe = ["price_pack"] }
"#;

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

/// An API over a store, connected to the fake; nothing is in it but an admin key. Its clock stands where the fake's does.
pub(crate) async fn connected<S: Storage + BillingStore + 'static>(
    store: Arc<S>,
    fake: &FakeStripe,
) -> Api {
    let (api, billing) = connecting(store, fake).await;
    billing.connection().await.expect("the fake is there");
    api
}

/// The same, before anything was asked of the fake.
pub(crate) async fn connecting<S: Storage + BillingStore + 'static>(
    store: Arc<S>,
    fake: &FakeStripe,
) -> (Api, Billing) {
    let (engine, clock) = Api::engine(Arc::clone(&store) as Arc<dyn Storage>).await;
    clock.set(chrono::DateTime::from_timestamp(fake.now(), 0).expect("an instant"));
    let parts = BillingParts {
        engine: engine.clone(),
        store,
        provider: Arc::new(Stripe::new(client(fake), Mode::Test)),
    };
    let secrets = WebhookSecrets::parse(SECRET).expect("a secret");
    let billing = Billing::new(parts, BillingSettings::default());
    let provider = ConnectedProvider {
        billing: billing.clone(),
        webhooks: Arc::new(StripeWebhooks::new(secrets, Mode::Test)),
        return_origins: vec!["https://app.example".to_owned()],
    };
    let settings = ApiSettings {
        provider: Some(provider),
        ..ApiSettings::default()
    };
    (
        Api::serving((engine, clock), settings, false).await,
        billing,
    )
}
