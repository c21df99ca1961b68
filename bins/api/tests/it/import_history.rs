//! What an import books of payments and customers, before the provider is connected: its sync credits nothing of it again.

use std::sync::Arc;

use quota_core::ids::{AccountId, Currency, CustomerRef, PaymentRef, ProviderCode};
use quota_core::origin::Origin;
use quota_core::payment::{PaymentId, PaymentMode};
use quota_core::ports::{BillingStore, Storage};
use quota_core::provider::{CustomerId, CustomerLink};
use quota_core::rules::payment_news::{PaidNews, PaymentNews};
use quota_service::prelude::PutAccount;
use quota_service::{BookPayment, Engine};
use serde_json::Value;
use testkit::fake_stripe::{Card, Endpoint, FakeStripe};

use crate::api_under_test::Api;
use crate::connected::{CATALOG, SECRET, connected};
use crate::stores::on_every_store_with;

on_every_store_with!(shop, p17_what_was_paid_before_the_connection_stays_history,);

const DAY: i64 = 86_400;

/// An API that was connected a day after a pack was paid, and after that payment and its customer were brought over.
struct Shop {
    api: Api,
    fake: FakeStripe,
    customer: String,
}

async fn shop<S: Storage + BillingStore + 'static>(store: Arc<S>) -> Shop {
    let fake = FakeStripe::start().await;
    fake.pack("price_pack", 900);
    let customer = fake.customer(Card::Good);
    let invoice = fake.invoice(&customer, &[("price_pack", 1)]);
    fake.pay_invoice(&invoice);
    let ids = [fake.intent_of(&invoice), invoice.clone()];
    let (engine, clock) = Api::engine(Arc::clone(&store) as Arc<dyn Storage>).await;
    fake.advance(DAY);
    clock.set(chrono::DateTime::from_timestamp(fake.now(), 0).expect("an instant"));
    brought_over(&engine, &ids, &fake.object(&invoice)).await;
    let link = CustomerLink {
        id: CustomerId {
            provider: stripe(),
            mode: PaymentMode::Test,
            customer: CustomerRef::new(&customer).expect("an id"),
        },
        account: ann(),
        linked_at: engine.now(),
        synced_at: None,
    };
    store.link_customer(&link).await.expect("it is linked");
    engine.stop().await;
    fake.advance(DAY);
    let api = connected(store, &fake).await;
    api.apply(CATALOG).await;
    let url = format!("{}/v1/webhooks/stripe", api.address);
    fake.endpoint(Endpoint::new(&url, SECRET));
    Shop {
        api,
        fake,
        customer,
    }
}

fn ann() -> AccountId {
    AccountId::parse("user:ann").expect("a literal id")
}

fn stripe() -> ProviderCode {
    ProviderCode::new("stripe").expect("a literal code")
}

/// What a `user` and a `payment` line come to.
async fn brought_over(engine: &Engine, [intent, invoice]: &[String; 2], paid: &Value) {
    let made = engine.put_account("user:ann", PutAccount::create_or_change());
    made.await.expect("it is made");
    let payment = |id: &str| PaymentRef::new(id).expect("an id");
    let asked = BookPayment {
        account: ann(),
        id: PaymentId {
            provider: stripe(),
            mode: PaymentMode::Test,
            payment: payment(intent),
        },
        aliases: vec![payment(invoice)],
        news: PaymentNews::Paid(PaidNews {
            amount: 900,
            currency: Currency::new(paid["currency"].as_str().expect("a text")).expect("a code"),
            lines: Vec::new(),
            paid_at: Some(engine.now() - chrono::TimeDelta::days(1)),
        }),
        key: None,
        origin: Origin::default(),
    };
    let booked = engine.book_payment(asked).await.expect("it is booked");
    assert!(booked.is_news);
}

impl Shop {
    /// All events of the provider are told, those from before the connection too.
    async fn told(&self) {
        self.api.pass(chrono::TimeDelta::seconds(1));
        let all: Vec<usize> = (0..self.fake.events().len()).collect();
        for status in self.fake.deliver(&all).await {
            assert_eq!(status, 200);
        }
        // They are worked on behind the answers.
        loop {
            let path = "/v1/billing/events?state=waiting";
            let waiting = self.api.get(path).await.expect(200).body;
            if waiting["items"].as_array().expect("a list").is_empty() {
                return;
            }
            tokio::task::yield_now().await;
        }
    }

    /// The balance of credits, and how many payments there are.
    async fn has(&self) -> (u64, usize) {
        let credits = self.api.get("/v1/users/ann/credits").await.expect(200).body;
        let payments = self
            .api
            .get("/v1/users/ann/payments")
            .await
            .expect(200)
            .body;
        let payments = payments["items"].as_array().expect("a list").len();
        (credits["balance"].as_u64().expect("a number"), payments)
    }
}

/// P7, P17: the provider tells of a payment that was brought over, by other ids of it: it is the same one, and credits nothing.
/// What is paid afterwards is credited.
async fn p17_what_was_paid_before_the_connection_stays_history(shop: Shop) {
    shop.told().await;
    assert_eq!(shop.has().await, (0, 1));
    let invoice = shop.fake.invoice(&shop.customer, &[("price_pack", 1)]);
    shop.fake.pay_invoice(&invoice);
    shop.told().await;
    assert_eq!(shop.has().await, (500, 2));
}
