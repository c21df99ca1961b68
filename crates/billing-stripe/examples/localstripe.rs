//! Walks through the life of subscriptions at a localstripe, which speaks the API of 2017: `interop/localstripe.sh` starts one. Here
//! no word of ours stands on the other side.
#![expect(clippy::expect_used, reason = "what cannot go on says why")]

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use billing_stripe::client::{
    Client, ClientParts, CustomerFields, HttpSettings, HttpTransport, IdempotencyKey,
    InvoiceFilter, Method, Request, StripeError, SubscriptionFilter, Transport, Unpaced,
};
use billing_stripe::read::{about, item_for, period_of, what_happened};
use billing_stripe::shapes::{Customer, Event, Subscription};
use billing_stripe::{ApiKey, WebhookSecrets, verify};
use chrono::Utc;
use serde_json::Value;

const SECRET: &str = "whsec_test123";
/// A card that can be kept and not charged.
const FAILING: &str = "4000000000000341";
const GOOD: &str = "4242424242424242";
/// Webhooks come about a second late.
const WEBHOOKS_WAIT: Duration = Duration::from_secs(5);

/// The kinds of webhooks that came, or what is wrong with one.
type Hooks = Arc<Mutex<Vec<Result<String, String>>>>;

struct Old {
    raw: HttpTransport,
    client: Client,
}

#[tokio::main]
async fn main() {
    let url = std::env::args()
        .nth(1)
        .expect("the address of a localstripe");
    let mut settings = HttpSettings::new(ApiKey::new("sk_test_12345").expect("a key"));
    settings.base_url = url.parse().expect("an address of this machine");
    let parts = ClientParts {
        pace: Arc::new(Unpaced),
        expands: false,
        ..ClientParts::default()
    };
    let old = Old {
        raw: HttpTransport::open(&settings).expect("a transport"),
        client: Client::open(&settings, parts).expect("a client"),
    };
    let hooks = listen(&old).await;
    let customer = old.customer("a").await;
    lives(&old, &customer).await;
    pages(&old, &customer).await;
    refusals(&old).await;
    tokio::time::sleep(WEBHOOKS_WAIT).await;
    let came = hooks.lock().expect("a lock").clone();
    let kinds: BTreeSet<String> = came
        .into_iter()
        .map(|hook| hook.expect("a webhook that we believe"))
        .collect();
    assert!(kinds.contains("customer.subscription.created"), "{kinds:?}");
    assert!(kinds.contains("customer.subscription.deleted"), "{kinds:?}");
    println!("webhooks that verified: {kinds:?}");
}

impl Old {
    /// A write in the words of 2017, for what our client does not do.
    async fn post(&self, path: &str, form: &[(&str, &str)]) -> Value {
        let pairs: Vec<String> = form
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let request = Request {
            method: Method::Post,
            path: path.to_owned(),
            form: Some(pairs.join("&")),
            idempotency_key: None,
        };
        let answer = self.raw.send(&request).await.expect("an answer");
        serde_json::from_slice(&answer.body).unwrap_or_default()
    }

    /// A customer made by our client.
    async fn customer(&self, name: &str) -> Customer {
        let fields = CustomerFields {
            email: Some(format!("{name}@example.com")),
            ..CustomerFields::default()
        };
        let key = IdempotencyKey::new(name).expect("a key");
        let made = self.client.create_customer(&fields, &key).await;
        made.expect("a customer")
    }

    async fn card(&self, customer: &str, number: &str) {
        let card = [
            ("type", "card"),
            ("card[number]", number),
            ("card[exp_month]", "12"),
            ("card[exp_year]", "2034"),
            ("card[cvc]", "123"),
        ];
        let made = self.post("/v1/payment_methods", &card).await;
        let id = made["id"].as_str().expect("a card").to_owned();
        let path = format!("/v1/payment_methods/{id}/attach");
        self.post(&path, &[("customer", customer)]).await;
        let default = [("invoice_settings[default_payment_method]", id.as_str())];
        self.post(&format!("/v1/customers/{customer}"), &default)
            .await;
    }

    async fn read(&self, id: &str) -> Subscription {
        let found = self.client.retrieve_subscription(id).await;
        found.expect("a subscription")
    }
}

fn word(subscription: &Subscription) -> &str {
    subscription
        .status
        .as_ref()
        .map_or("none", |status| status.word())
}

/// Paid, past due, recovered, ended.
async fn lives(old: &Old, customer: &Customer) {
    let product = old
        .post("/v1/products", &[("name", "Pro"), ("type", "service")])
        .await;
    let product = product["id"].as_str().expect("a product");
    for (id, interval, amount) in [("month", "month", "1500"), ("year", "year", "15000")] {
        let plan = [
            ("id", id),
            ("product", product),
            ("currency", "usd"),
            ("amount", amount),
            ("interval", interval),
        ];
        old.post("/v1/plans", &plan).await;
    }
    old.card(&customer.id, GOOD).await;
    let first = [
        ("customer", customer.id.as_str()),
        ("items[0][plan]", "month"),
    ];
    let made = old.post("/v1/subscriptions", &first).await;
    let id = made["id"].as_str().expect("a subscription");
    let paid = old.read(id).await;
    assert_eq!(word(&paid), "active");
    assert!(period_of(&paid, &["month"]).is_some(), "{paid:?}");
    let item = item_for(&paid, &["month"]).expect("an item");
    old.card(&customer.id, FAILING).await;
    let dearer = [
        ("items[0][id]", item.id.as_str()),
        ("items[0][plan]", "year"),
    ];
    old.post(&format!("/v1/subscriptions/{id}"), &dearer).await;
    assert_eq!(word(&old.read(id).await), "past_due");
    old.card(&customer.id, GOOD).await;
    let invoices = old.client.list_invoices(&InvoiceFilter::default());
    for invoice in invoices.all().await.expect("invoices") {
        if invoice
            .status
            .as_ref()
            .is_some_and(|status| status.word() == "open")
        {
            old.post(&format!("/v1/invoices/{}/pay", invoice.id), &[])
                .await;
        }
    }
    let recovered = old.read(id).await;
    assert_eq!(word(&recovered), "active");
    assert!(item_for(&recovered, &["year"]).is_some());
    let ended = old.client.cancel_subscription(id).await.expect("ended");
    assert_eq!(word(&ended), "canceled");
    println!("active, past_due, active, canceled");
}

/// Sixty subscriptions are all found, the ended one with them.
async fn pages(old: &Old, customer: &Customer) {
    for _ in 0..60 {
        let one = [
            ("customer", customer.id.as_str()),
            ("items[0][plan]", "month"),
        ];
        old.post("/v1/subscriptions", &one).await;
    }
    let filter = SubscriptionFilter {
        customer: Some(customer.id.clone()),
    };
    let all = old
        .client
        .list_subscriptions(&filter)
        .all()
        .await
        .expect("all");
    let ids: BTreeSet<&str> = all.iter().map(|one| one.id.as_str()).collect();
    let ended = all.iter().filter(|one| word(one) == "canceled").count();
    assert_eq!((ids.len(), ended), (61, 1));
    println!("61 subscriptions, one of them canceled");
}

/// What it has not is a plain text, and no trouble.
async fn refusals(old: &Old) {
    let session = old.client.retrieve_session("cs_1").await;
    assert!(
        matches!(session, Err(StripeError::NotFound { .. })),
        "{session:?}"
    );
    let gone = old.client.retrieve_subscription("sub_none").await;
    assert!(
        matches!(gone, Err(StripeError::NotFound { .. })),
        "{gone:?}"
    );
}

/// Receives webhooks and has localstripe send them.
async fn listen(old: &Old) -> Hooks {
    let hooks = Hooks::default();
    let router = Router::new()
        .fallback(receive)
        .with_state(Arc::clone(&hooks));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, router).await });
    let url = format!("http://{address}/hook");
    let settings = [("url", url.as_str()), ("secret", SECRET)];
    old.post("/_config/webhooks/ours", &settings).await;
    hooks
}

async fn receive(State(hooks): State<Hooks>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let all = headers.get_all("stripe-signature");
    let signatures: Vec<&[u8]> = all.iter().map(HeaderValue::as_bytes).collect();
    let secrets = WebhookSecrets::parse(SECRET).expect("a secret");
    let hook = match verify(&signatures, &body, &secrets, Utc::now()) {
        Ok(_) => read(&body),
        Err(error) => Err(error.to_string()),
    };
    hooks.lock().expect("a lock").push(hook);
    StatusCode::OK
}

fn read(body: &[u8]) -> Result<String, String> {
    let event: Event = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let kind = what_happened(&event).ok_or("no kind")?;
    about(&event).ok_or_else(|| format!("{kind} names no object"))?;
    Ok(kind.to_owned())
}
