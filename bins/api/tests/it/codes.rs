//! Codes by the API: made and told once, redeemed, guessed, revoked (P15), with the worked example E31.

use std::sync::Arc;

use chrono::TimeDelta;
use futures::future::join_all;
use http_api::ApiSettings;
use quota_core::ports::{CodeStore, Storage};
use quota_service::Codes;
use serde_json::{Value, json};
use testkit::memory::MemoryStore;

use crate::api_under_test::{Answer, Api, CATALOG};
use crate::stores::on_every_store_with;

on_every_store_with!(
    with_codes,
    e31_of_fifty_at_once_three_are_credited_and_the_others_refused,
    p15_a_code_gives_credits_units_or_a_plan,
    p15_a_code_is_redeemed_once_for_an_account,
    p15_ten_failures_in_a_minute_stop_a_guesser,
    p15_codes_are_listed_without_their_secrets_and_revoked,
    p15_a_code_has_a_window,
    p15_what_cannot_be_given_takes_no_use,
    x1_a_key_stands_for_one_redemption_and_for_one_batch,
);

const AT_ONCE: usize = 64;

/// An API with codes, over a store that keeps them.
async fn with_codes<S: Storage + CodeStore + 'static>(store: Arc<S>) -> Api {
    let storage: Arc<dyn Storage> = Arc::<S>::clone(&store);
    let (engine, clock) = Api::engine(storage).await;
    let settings = ApiSettings {
        codes: Some(Codes::new(engine.clone(), store)),
        ..ApiSettings::default()
    };
    let api = Api::serving((engine, clock), settings, false).await;
    api.apply(CATALOG).await;
    api
}

fn credits() -> Value {
    json!({"credits": {"amount": 100, "days": 90}})
}

fn asked(gift: &Value, uses_max: u32) -> Value {
    json!({"name": "spring", "count": 1, "uses_max": uses_max, "gift": gift})
}

/// One code: its id, and what is typed.
async fn one_code(api: &Api, gift: Value, uses_max: u32) -> (String, String) {
    let made = api.post("/v1/codes", asked(&gift, uses_max)).await;
    let made = made.expect(201).body;
    let text = |name: &str| made["codes"][0][name].as_str().expect("a text").to_owned();
    (text("id"), text("code"))
}

async fn redeem(api: &Api, account: &str, code: &str) -> Answer {
    let path = format!("/v1/{account}/redeem");
    api.post(&path, json!({"code": code})).await
}

async fn balance(api: &Api, account: &str) -> u64 {
    let credits = api.get(&format!("/v1/{account}/credits")).await.expect(200);
    credits.body["balance"].as_u64().expect("a number")
}

async fn uses(api: &Api, id: &str) -> u64 {
    let code = api.get(&format!("/v1/codes/{id}")).await.expect(200);
    code.body["uses"].as_u64().expect("a number")
}

/// E31: a code with 3 uses, 50 accounts at once: 3 credited, 47 `code_used`.
async fn e31_of_fifty_at_once_three_are_credited_and_the_others_refused(api: Api) {
    let names: Vec<String> = (0..50).map(|number| format!("users/u{number}")).collect();
    for name in &names {
        api.put(&format!("/v1/{name}"), json!({})).await.expect(201);
    }
    let (id, code) = one_code(&api, credits(), 3).await;
    let all = join_all(names.iter().map(|name| redeem(&api, name, &code))).await;
    let credited = all.iter().filter(|answer| answer.status == 201).count();
    let used = all
        .iter()
        .filter(|answer| answer.body["code"] == "code_used");
    let used = used.inspect(|answer| assert_eq!(answer.status, 409));
    assert_eq!((credited, used.count()), (3, 47));
    let balances = join_all(names.iter().map(|name| balance(&api, name))).await;
    assert_eq!(balances.iter().sum::<u64>(), 300);
    assert_eq!(uses(&api, &id).await, 3);
    let listed = api.get(&format!("/v1/codes/{id}/uses")).await.expect(200);
    assert_eq!(listed.body["items"].as_array().map(Vec::len), Some(3));
}

/// P15: credits, units of a feature or a plan for a time, for users and orgs; the ledger says of which code it came.
async fn p15_a_code_gives_credits_units_or_a_plan(api: Api) {
    api.user("ann", None).await;
    api.put("/v1/orgs/acme", json!({})).await.expect(201);
    let plan = json!({"plan": {"plan": "article_pro", "days": 10}});
    let boost = json!({"boost": {"feature": "articles_per_month", "amount": 7, "days": 3}});
    for account in ["users/ann", "orgs/acme"] {
        for gift in [plan.clone(), boost.clone(), credits()] {
            let (id, code) = one_code(&api, gift.clone(), 1).await;
            let redeemed = redeem(&api, account, &code).await.expect(201);
            assert_eq!(redeemed.body["code_id"], id, "{}", redeemed.text);
            let (kind, given) = gift.as_object().expect("one").iter().next().expect("one");
            let told = &redeemed.body["gift"][kind];
            assert_eq!(told["days"], given["days"], "{}", redeemed.text);
            let ledger = api.get(&format!("/v1/{account}/ledger?limit=1")).await;
            let origin = &ledger.expect(200).body["items"][0]["origin"];
            assert_eq!(origin["resource_type"], "code", "{origin}");
            assert_eq!(origin["resource_id"], id, "{origin}");
        }
        let held = api.get(&format!("/v1/{account}/subscription")).await;
        assert_eq!(held.expect(200).body["plan"], "article_pro");
        let boosts = api.get(&format!("/v1/{account}/boosts")).await.expect(200);
        assert_eq!(boosts.body["boosts"][0]["remaining"], 7, "{}", boosts.text);
        assert_eq!(balance(&api, account).await, 100);
    }
    api.pass(TimeDelta::days(10));
    let denied = api.consume("ann", "articles_per_month", 1).await;
    assert_eq!(denied.expect(403).body["reason"], "subscription_expired");
}

/// P15: once for an account, however often and however many at once; and however it is typed.
async fn p15_a_code_is_redeemed_once_for_an_account(api: Api) {
    api.user("ann", None).await;
    let (id, code) = one_code(&api, credits(), 9).await;
    let sloppy = format!("  {} ", code.to_lowercase().replace('-', " "));
    let all = (0..AT_ONCE).map(|number| {
        let typed = if number % 2 == 0 { &code } else { &sloppy };
        redeem(&api, "users/ann", typed)
    });
    let all = join_all(all).await;
    let news = all.iter().filter(|answer| answer.status == 201).count();
    let again = all.iter().filter(|answer| answer.status == 200).count();
    assert_eq!((news, again), (1, AT_ONCE - 1));
    let again = redeem(&api, "users/ann", &code).await.expect(200);
    assert_eq!(again.body["grant"], format!("code:{id}"));
    assert_eq!(balance(&api, "users/ann").await, 100);
    assert_eq!(uses(&api, &id).await, 1);
}

/// P15: ten failures in a minute, each answered alike; then nothing is looked at until the minute is over.
async fn p15_ten_failures_in_a_minute_stop_a_guesser(api: Api) {
    api.user("ann", None).await;
    api.user("bob", None).await;
    let (_, code) = one_code(&api, credits(), 9).await;
    let guesses = ["", "x", &code[1..], "ABCDE-FGHJK-MNPQR-STVWX-YZ012", "код"];
    let mut told: Option<Value> = None;
    for number in 0..10 {
        let answer = redeem(&api, "users/ann", guesses[number % 5])
            .await
            .expect(404);
        assert_eq!(answer.body["code"], "unknown_code");
        let first = told.get_or_insert_with(|| answer.body.clone());
        assert_eq!(*first, answer.body, "the same for all");
    }
    for guess in [guesses[3], &code] {
        let stopped = redeem(&api, "users/ann", guess).await.expect(429);
        assert_eq!(stopped.body["code"], "too_many_failures");
        assert_eq!(stopped.header("retry-after"), Some("60"));
    }
    redeem(&api, "users/bob", &code).await.expect(201);
    api.pass(TimeDelta::seconds(59));
    let stopped = redeem(&api, "users/ann", &code).await.expect(429);
    assert_eq!(stopped.header("retry-after"), Some("1"));
    api.pass(TimeDelta::seconds(1));
    redeem(&api, "users/ann", &code).await.expect(201);
    let all = join_all((0..AT_ONCE).map(|_| redeem(&api, "users/ann", "x"))).await;
    let told = all.iter().filter(|answer| answer.status == 404).count();
    let stopped = all.iter().filter(|answer| answer.status == 429).count();
    assert_eq!((told, stopped), (10, AT_ONCE - 10));
    let nobody = redeem(&api, "users/nobody", "x").await.expect(404);
    assert_eq!(nobody.body["code"], "unknown_account");
}

/// P15: secrets are told once; what is kept is listed page by page; a code is revoked alone or with its batch.
async fn p15_codes_are_listed_without_their_secrets_and_revoked(api: Api) {
    api.user("ann", None).await;
    let many = json!({"name": "card", "count": 1_000, "gift": credits()});
    let made = api.post("/v1/codes", many).await.expect(201).body;
    let batch = made["batch"]["id"].as_str().expect("an id");
    let codes = made["codes"].as_array().expect("codes");
    assert_eq!(codes.len(), 1_000);
    one_code(&api, credits(), 1).await;
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let path = format!("/v1/codes?batch={batch}&limit=300{after}");
        let page = api.get(&path).await.expect(200);
        let secret = codes[0]["code"].as_str().expect("a secret");
        assert!(!page.text.contains(secret), "a secret is told once");
        let items = page.body["items"].as_array().expect("items").iter();
        seen.extend(items.map(|code| code["number"].as_u64().expect("a number")));
        let Some(next) = page.body["next"].as_str() else {
            break;
        };
        after = format!("&after={next}");
    }
    assert_eq!(seen, (1..=1_000).collect::<Vec<u64>>());
    let batches = api.get("/v1/code-batches?limit=1").await.expect(200);
    let next = batches.body["next"].as_str().expect("there is one more");
    let rest = api.get(&format!("/v1/code-batches?after={next}")).await;
    assert_eq!(
        rest.expect(200).body["items"].as_array().map(Vec::len),
        Some(1)
    );
    let text = |number: usize, name: &str| codes[number][name].as_str().expect("a text").to_owned();
    redeem(&api, "users/ann", &text(0, "code"))
        .await
        .expect(201);
    for (number, revoke) in [
        (1, format!("/v1/codes/{}/revoke", text(1, "id"))),
        (2, format!("/v1/code-batches/{batch}/revoke")),
    ] {
        for _ in 0..2 {
            api.post(&revoke, json!({})).await.expect(200);
        }
        let late = redeem(&api, "users/ann", &text(number, "code")).await;
        assert_eq!(late.expect(409).body["code"], "code_revoked");
    }
    redeem(&api, "users/ann", &text(0, "code"))
        .await
        .expect(200);
    let whole = api
        .get(&format!("/v1/code-batches/{batch}"))
        .await
        .expect(200);
    assert_eq!(whole.body["uses"], 1, "{}", whole.text);
    assert!(whole.body["revoked_at"].is_string(), "{}", whole.text);
    assert_eq!(balance(&api, "users/ann").await, 100);
}

/// P15: from an instant on, and until another.
async fn p15_a_code_has_a_window(api: Api) {
    api.user("ann", None).await;
    let mut window = asked(&credits(), 5);
    window["from"] = json!("2026-11-20T12:00:10Z");
    window["until"] = json!("2026-11-20T12:00:20Z");
    let made = api.post("/v1/codes", window).await.expect(201).body;
    let code = made["codes"][0]["code"].as_str().expect("a secret");
    let id = made["codes"][0]["id"].as_str().expect("an id");
    for (status, refusal, state) in [
        (409, "code_not_begun", "not_begun"),
        (201, "", "open"),
        (409, "code_expired", "expired"),
    ] {
        let shown = api.get(&format!("/v1/codes/{id}")).await.expect(200);
        assert_eq!(shown.body["state"], state, "{}", shown.text);
        let name = format!("users/{state}");
        api.put(&format!("/v1/{name}"), json!({})).await.expect(201);
        let answer = redeem(&api, &name, code).await.expect(status);
        if status == 409 {
            assert_eq!(answer.body["code"], refusal, "{}", answer.text);
            assert_eq!(answer.body["errors"][0]["pointer"], "/code");
        }
        api.pass(TimeDelta::seconds(10));
    }
}

/// P15: a gift that is refused gives the use back; the answer says why, and names the code.
async fn p15_what_cannot_be_given_takes_no_use(api: Api) {
    api.user("ann", None).await;
    let boost = json!({"boost": {"feature": "articles_per_month", "amount": 7}});
    let (id, code) = one_code(&api, boost, 1).await;
    let refused = redeem(&api, "users/ann", &code).await.expect(409);
    assert_eq!(refused.body["code"], "code_needs_subscription");
    assert_eq!(refused.body["errors"][0]["pointer"], "/code");
    assert_eq!(uses(&api, &id).await, 0);
    api.subscribe("users/ann", json!({"plan": "article_pro"}))
        .await;
    redeem(&api, "users/ann", &code).await.expect(201);
    assert_eq!(uses(&api, &id).await, 1);
}

/// X1: the same key is the same redemption, and the same batch, whose secrets are not told again.
async fn x1_a_key_stands_for_one_redemption_and_for_one_batch(api: Api) {
    api.user("ann", None).await;
    let made = api
        .post_keyed("/v1/codes", "k-1", &asked(&credits(), 2))
        .await;
    let made = made.expect(201);
    let again = api
        .post_keyed("/v1/codes", "k-1", &asked(&credits(), 2))
        .await;
    let again = again.expect(201);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.body["batch"], made.body["batch"]);
    assert!(again.body["codes"].is_null(), "{}", again.text);
    let other = api
        .post_keyed("/v1/codes", "k-1", &asked(&credits(), 3))
        .await;
    assert_eq!(other.expect(422).body["code"], "idempotency_key_reused");
    let code = made.body["codes"][0]["code"].as_str().expect("a secret");
    let path = "/v1/users/ann/redeem";
    for is_replay in [None, Some("true"), Some("true")] {
        let redeemed = api.post_keyed(path, "k-2", &json!({"code": code})).await;
        assert_eq!(
            redeemed.expect(201).header("idempotent-replayed"),
            is_replay
        );
    }
    redeem(&api, "users/ann", code).await.expect(200);
    let (_, another) = one_code(&api, credits(), 1).await;
    let reused = api.post_keyed(path, "k-2", &json!({"code": another})).await;
    assert_eq!(reused.expect(422).body["code"], "idempotency_key_reused");
    assert_eq!(balance(&api, "users/ann").await, 100);
}

/// A body with what it is refused with: status, code, place.
type Wrong = (Value, u16, &'static str, &'static str);

fn with(name: &str, value: Value) -> Value {
    let mut body = asked(&credits(), 1);
    body[name] = value;
    body
}

fn wrong_numbers() -> Vec<Wrong> {
    let december = || json!("2026-12-01T00:00:00Z");
    let mut empty = with("from", december());
    empty["until"] = december();
    let past = json!("2026-11-20T12:00:00Z");
    vec![
        (with("uses_max", json!(0)), 422, "out_of_range", "/uses_max"),
        (
            with("uses_max", json!(1_000_001)),
            422,
            "out_of_range",
            "/uses_max",
        ),
        (
            with("uses_max", json!(-1)),
            422,
            "invalid_body",
            "/uses_max",
        ),
        (with("count", json!(0)), 422, "out_of_range", "/count"),
        (with("count", json!(1_001)), 422, "out_of_range", "/count"),
        (with("until", past), 422, "not_in_future", "/until"),
        (empty, 422, "empty_window", "/until"),
        (with("name", json!("")), 422, "invalid_body", "/name"),
    ]
}

fn wrong_gifts() -> Vec<Wrong> {
    let gift = |gift: Value| with("gift", gift);
    let credits = |amount: u64, days: u64| json!({"credits": {"amount": amount, "days": days}});
    let plan = |plan: &str, days: u64| json!({"plan": {"plan": plan, "days": days}});
    let much = 1_000_000_000_000_001_u64;
    let mut two = credits(1, 1);
    two["plan"] = plan("article_pro", 1)["plan"].clone();
    vec![
        (gift(json!({})), 422, "invalid_body", "/gift"),
        (gift(two), 422, "invalid_body", "/gift"),
        (
            gift(credits(0, 1)),
            422,
            "invalid_body",
            "/gift/credits/amount",
        ),
        (
            gift(credits(much, 1)),
            422,
            "invalid_body",
            "/gift/credits/amount",
        ),
        (
            gift(credits(1, 0)),
            422,
            "out_of_range",
            "/gift/credits/days",
        ),
        (
            gift(plan("nothing", 1)),
            422,
            "unknown_plan",
            "/gift/plan/plan",
        ),
        (
            gift(plan("article_pro", 0)),
            422,
            "out_of_range",
            "/gift/plan/days",
        ),
        (
            gift(plan("article_pro", 36_501)),
            422,
            "out_of_range",
            "/gift/plan/days",
        ),
    ]
}

fn wrong_boosts() -> Vec<Wrong> {
    let boost = |name: &str, value: Value| {
        let mut boost = json!({"feature": "articles_per_month", "amount": 5});
        boost[name] = value;
        with("gift", json!({"boost": boost}))
    };
    let feature = |code: &str| boost("feature", json!(code));
    let mut both = boost("days", json!(3));
    both["gift"]["boost"]["until"] = json!("2027-01-01T00:00:00Z");
    let past = json!("2026-11-20T12:00:00Z");
    let albums = feature("gallery_albums");
    vec![
        (
            feature("nothing"),
            404,
            "unknown_feature",
            "/gift/boost/feature",
        ),
        (albums, 422, "not_a_consumable", "/gift/boost/feature"),
        (
            boost("amount", json!(0)),
            422,
            "invalid_body",
            "/gift/boost/amount",
        ),
        (
            boost("days", json!(36_501)),
            422,
            "out_of_range",
            "/gift/boost/days",
        ),
        (
            boost("until", past),
            422,
            "not_in_future",
            "/gift/boost/until",
        ),
        (both, 422, "invalid_body", "/gift/boost/days"),
    ]
}

/// What can never be redeemed is not made, and each mistake names its place.
#[tokio::test]
async fn p15_codes_that_can_never_be_redeemed_are_refused_by_their_field() {
    let api = with_codes(Arc::new(MemoryStore::new())).await;
    for wrong in [wrong_numbers(), wrong_gifts(), wrong_boosts()].concat() {
        let (body, status, code, pointer) = wrong;
        let answer = api.post("/v1/codes", body.clone()).await.expect(status);
        let told = (&answer.body["code"], &answer.body["errors"][0]["pointer"]);
        let wanted = (&json!(code), &json!(pointer));
        assert_eq!(told, wanted, "{body}: {}", answer.text);
        let detail = answer.body["detail"].as_str().expect("a text");
        let names_another = detail.starts_with('/') && !detail.starts_with(pointer);
        assert!(!names_another, "{detail}");
    }
    let none = api.get("/v1/codes").await.expect(200);
    assert_eq!(none.body["items"], json!([]));
}

/// What is not there is told by the parameter that names it; a store of one's own need not keep codes at all.
#[tokio::test]
async fn p15_codes_that_are_not_there_are_named() {
    let api = with_codes(Arc::new(MemoryStore::new())).await;
    for list in ["codes?after=x", "codes?batch=x", "code-batches?after=x"] {
        let answer = api.get(&format!("/v1/{list}")).await.expect(422);
        assert_eq!(answer.body["code"], "invalid_parameter", "{list}");
    }
    let unknown = "00000000-0000-7000-8000-000000000000";
    let answer = api.get(&format!("/v1/codes?batch={unknown}")).await;
    assert_eq!(answer.expect(404).body["code"], "unknown_code_batch");
    let answer = api.get(&format!("/v1/codes/{unknown}")).await.expect(404);
    assert_eq!(answer.body["code"], "unknown_code");
    let parameter = &answer.body["errors"][0]["parameter"];
    assert_eq!(parameter, "id", "{}", answer.text);
    let without = Api::in_memory().await;
    let answer = without.post("/v1/codes", asked(&credits(), 1)).await;
    assert_eq!(answer.expect(404).body["code"], "no_codes");
}
