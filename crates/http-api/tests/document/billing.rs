//! What is asked of a payment provider: every status that is such an operation's own.

use axum::http::Method;
use serde_json::{Value, json};
use testkit::fake_stripe::{Card, Endpoint, FakeStripe, Pay, Subscribe, sign};

use crate::api::{Answer, Api, JSON, Sent, noon};
use crate::connected::SECRET;

const NONE: Value = Value::Null;
const WEBHOOK: &str = "/v1/webhooks/stripe";
const CHECKOUT: &str = "post /v1/checkout";
const PORTAL: &str = "post /v1/portal";

/// Everything that can be asked about a provider: first of one that refuses the key, then of one that answers.
pub(crate) async fn told(api: &Api, fake: &FakeStripe) {
    for account in ["users/payer", "orgs/payers", "users/payer.other"] {
        api.ask(&format!("put /v1/{account}"), json!({}), 201).await;
    }
    fake.set_key_dead(true);
    webhook(api, &of_another_account()).await.is(502);
    fake.set_key_dead(false);
    webhooks(api, fake).await;
    for account in ["users/payer", "orgs/payers"] {
        let early = json!({"pack": "pack_sold", "below": 1, "most_per_month": 3});
        let top_up = format!("put /v1/{account}/top-up");
        api.ask(&top_up, early, 409).await;
        let customer = customer(api, fake, account).await;
        let session = claimed(api, fake, account).await;
        let checkout = checkouts(api, fake, account).await;
        top_ups(api, account).await;
        add_ons(api, account).await;
        fake.set_key_dead(true);
        refused(api, account, (&customer, &session, &checkout)).await;
        fake.set_key_dead(false);
        let unlink = format!("delete /v1/billing/customers/{customer}");
        api.ask(&unlink, NONE, 204).await;
        api.ask(&unlink, NONE, 404).await;
    }
}

/// The account's id, as bodies name it.
fn named(account: &str) -> String {
    account.replace("users/", "user:").replace("orgs/", "org:")
}

impl Answer {
    #[track_caller]
    fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }
}

/// Sends a body that is signed now.
async fn webhook(api: &Api, body: &str) -> Answer {
    let signature = sign(body, &[SECRET.to_owned()], noon().timestamp());
    let sent = Sent {
        headers: vec![JSON, ("stripe-signature", &signature)],
        body: body.into(),
        ..Sent::default()
    };
    api.send(&Method::POST, WEBHOOK, sent).await
}

fn event(livemode: bool) -> Value {
    json!({
        "id": "evt_of_the_test", "object": "event", "type": "customer.created",
        "created": noon().timestamp(), "livemode": livemode,
        "data": {"object": {"id": "cus_of_the_test", "object": "customer"}},
    })
}

fn of_another_account() -> String {
    let mut event = event(false);
    event["account"] = json!("acct_other");
    event.to_string()
}

async fn webhooks(api: &Api, fake: &FakeStripe) {
    let session = fake.payment_link("price_pack", 1);
    fake.pay(&session, &Pay::by(Card::Good));
    let told = fake.pending().pop().expect("an event");
    let endpoint = Endpoint::new(WEBHOOK, SECRET);
    let body = fake.webhook(told.place, &endpoint).body;
    for is_new in [true, false] {
        let kept = webhook(api, &body).await.is(200);
        assert_eq!(kept.body["is_new"], is_new);
    }
    for (body, code) in [
        (event(true).to_string(), "webhook_of_other_mode"),
        ("{}".to_owned(), "webhook_unreadable"),
    ] {
        let refused = webhook(api, &body).await.is(400);
        assert_eq!(refused.body["code"], code);
    }
    webhook(api, &of_another_account()).await.is(200);
    let replay = format!("post /v1/billing/events/{}/replay", told.id);
    api.ask(&replay, NONE, 200).await;
    for query in ["", "?limit=1", "?state=ignored"] {
        let events = format!("get /v1/billing/events{query}");
        let list = api.ask(&events, NONE, 200).await;
        assert_ne!(list.body["items"], json!([]), "{query}");
    }
    problems(api).await;
}

async fn problems(api: &Api) {
    let list = api.ask("get /v1/billing/problems", NONE, 200).await;
    let items = list.body["items"].as_array().expect("a list");
    assert_eq!(items.len(), 2, "{}", list.text);
    for problem in items {
        let at = format!(
            "post /v1/billing/problems/{}",
            problem["id"].as_str().expect("an id")
        );
        api.ask(&format!("{at}/retry"), NONE, 200).await;
        api.ask(&format!("{at}/settle"), NONE, 200).await;
        let note = json!({"note": "told the customer"});
        let settled = api.ask(&format!("{at}/settle"), note, 200).await;
        assert!(settled.body["settled"].is_object(), "{}", settled.text);
    }
    let all = api
        .ask("get /v1/billing/problems?open=false&limit=1", NONE, 200)
        .await;
    assert!(all.body["next"].is_string(), "{}", all.text);
}

/// Links a customer who has a subscription.
async fn customer(api: &Api, fake: &FakeStripe, account: &str) -> String {
    let nobody = json!({"account": named(account), "return_url": "https://app.example/"});
    api.ask(PORTAL, nobody, 409).await;
    let customer = fake.customer(Card::Good);
    let items = [("price_sold", 1)];
    let subscribed = Subscribe {
        items: &items,
        ..Subscribe::default()
    };
    fake.subscribe(&customer, &subscribed);
    let link = format!("put /v1/billing/customers/{customer}");
    api.ask(&link, json!({"account": named(account)}), 200)
        .await;
    let other = json!({"account": "user:payer.other"});
    api.ask(&link, other, 409).await;
    let listed = format!("get /v1/{account}/customers");
    let listed = api.ask(&listed, NONE, 200).await;
    assert_eq!(listed.body["items"][0]["customer"], customer.as_str());
    let sync = format!("post /v1/{account}/sync");
    api.ask(&sync, NONE, 200).await;
    customer
}

/// Claims what was paid without an account; the first one keeps it.
async fn claimed(api: &Api, fake: &FakeStripe, account: &str) -> String {
    let session = fake.payment_link("price_pack", 1);
    fake.pay(&session, &Pay::by(Card::Good));
    let claim = json!({"object": {"kind": "session", "id": session}});
    let path = format!("post /v1/{account}/purchases/claim");
    api.ask(&path, claim.clone(), 200).await;
    let other = if account.starts_with("users") {
        "orgs/payers"
    } else {
        "users/payer"
    };
    let late = format!("post /v1/{other}/purchases/claim");
    api.ask(&late, claim, 409).await;
    session
}

fn order(account: &str, what: &str, code: &str) -> Value {
    json!({
        "account": named(account),
        what: code,
        "success_url": "https://app.example/paid?checkout={CHECKOUT_SESSION_ID}",
        "cancel_url": "https://app.example/plans",
    })
}

async fn checkouts(api: &Api, fake: &FakeStripe, account: &str) -> String {
    let unsold = order(account, "plan", "article_free");
    api.ask(CHECKOUT, unsold, 409).await;
    let unknown = order(account, "pack", "nothing");
    api.ask(CHECKOUT, unknown, 404).await;
    let mut wanted = order(account, "pack", "pack_sold");
    wanted["quantity"] = json!(2);
    let made = api.ask(CHECKOUT, wanted, 201).await;
    let id = made.body["id"].as_str().expect("an id").to_owned();
    let get = format!("get /v1/checkout/{id}");
    api.ask(&get, NONE, 200).await;
    fake.pay(&id, &Pay::by(Card::Good));
    let paid = api.ask(&get, NONE, 200).await;
    assert_eq!(paid.body["payment"]["outcome"], "applied", "{}", paid.text);
    let portal = json!({"account": named(account), "return_url": "https://app.example/"});
    api.ask(PORTAL, portal, 201).await;
    id
}

async fn top_ups(api: &Api, account: &str) {
    let at = format!("/v1/{account}/top-up");
    let (get, put, delete) = (
        format!("get {at}"),
        format!("put {at}"),
        format!("delete {at}"),
    );
    api.ask(&get, NONE, 404).await;
    let body = |pack: &str| json!({"pack": pack, "below": 1, "most_per_month": 3});
    api.ask(&put, body("nothing"), 404).await;
    let mut wanted = body("pack_sold");
    api.ask(&put, wanted.clone(), 200).await;
    wanted["reason"] = json!("as the owner said");
    api.ask(&put, wanted, 200).await;
    let standing = api.ask(&get, NONE, 200).await;
    assert_eq!(standing.body["on"], true, "{}", standing.text);
    api.ask(&delete, json!({"reason": "over"}), 200).await;
    api.ask(&delete, NONE, 200).await;
}

/// An add-on that is billed with the plan, and a change of plan that waits.
async fn add_ons(api: &Api, account: &str) {
    let addon = format!("/v1/{account}/addons/article_more");
    let (put, delete) = (format!("put {addon}"), format!("delete {addon}"));
    let two = json!({"quantity": 2});
    let set = api.ask(&put, two.clone(), 200).await;
    assert_eq!(set.body["changed"], "subscription_synced", "{}", set.text);
    let change = format!("post /v1/{account}/subscription/change-plan");
    let smaller = json!({"plan": "article_few", "when": "period_end"});
    api.ask(&change, smaller, 200).await;
    let more = json!({"quantity": 3});
    for (step, body) in [(&put, more), (&delete, NONE)] {
        let refused = api.ask(step, body, 409).await;
        assert_eq!(refused.body["code"], "change_waits", "{}", refused.text);
    }
    api.ask(&change, json!({"plan": "article_sold"}), 200).await;
}

/// All that asks a provider which refuses the key.
async fn refused(api: &Api, account: &str, (customer, session, checkout): (&str, &str, &str)) {
    let account_body = json!({"account": named(account)});
    let link = format!("put /v1/billing/customers/{customer}");
    api.ask(&link, account_body, 502).await;
    let sync = format!("post /v1/{account}/sync");
    let told = api.ask(&sync, NONE, 502).await;
    assert_eq!(told.body["code"], "provider_key_refused", "{}", told.text);
    let claim = json!({"object": {"kind": "session", "id": session}});
    let path = format!("post /v1/{account}/purchases/claim");
    api.ask(&path, claim, 502).await;
    api.ask(CHECKOUT, order(account, "pack", "pack_sold"), 502)
        .await;
    api.ask(&format!("get /v1/checkout/{checkout}"), NONE, 502)
        .await;
    let portal = json!({"account": named(account), "return_url": "https://app.example/"});
    api.ask(PORTAL, portal, 502).await;
    let held = format!("/v1/{account}/subscription");
    for (step, body) in [
        (
            "/change-plan",
            json!({"plan": "article_pro", "when": "now"}),
        ),
        ("/cancel", NONE),
        ("/resume", NONE),
    ] {
        api.ask(&format!("post {held}{step}"), body, 502).await;
    }
    api.ask(&format!("put {held}/seats"), json!({"seats": 2}), 502)
        .await;
    let addon = format!("/v1/{account}/addons/article_more");
    api.ask(&format!("put {addon}"), json!({"quantity": 1}), 502)
        .await;
    api.ask(&format!("delete {addon}"), NONE, 502).await;
    let renewed = api.ask(&format!("post {held}/renew"), NONE, 409).await;
    assert_eq!(renewed.body["code"], "held_by_provider", "{}", renewed.text);
    let list = api
        .ask("get /v1/billing/problems?open=false", NONE, 200)
        .await;
    let payer = list.body["items"].as_array().into_iter().flatten();
    let payer = payer.filter(|one| one["kind"] == "unknown_payer");
    for problem in payer {
        let id = problem["id"].as_str().expect("an id");
        let retry = format!("post /v1/billing/problems/{id}/retry");
        api.ask(&retry, NONE, 502).await;
    }
}
