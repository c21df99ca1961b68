//! What goes well, and what is refused for what there is: every status that is an operation's own.

use axum::http::Method;
use serde_json::{Value, json};

use crate::api::{Answer, Api, CATALOG, JSON, Sent, TOML, one_article};
use crate::codes;

/// Most of an amount, of the items of a request, and how many such requests fill a counter.
const AMOUNT_MAX: u64 = 1_000_000_000_000_000;
const ITEMS_MAX: usize = 100;
const REQUESTS_TO_FILL: usize = 90;

const NONE: Value = Value::Null;

fn id(answer: &Answer) -> String {
    answer.body["id"].as_str().expect("an id").to_owned()
}

/// Everything that can be asked of a healthy API.
pub(crate) async fn told(api: &Api) {
    for account in ["users/ann", "orgs/acme"] {
        subscription(api, account).await;
        terms(api, account).await;
        money(api, account).await;
        payments(api, account).await;
        codes::told(api, account).await;
        boosts(api, account).await;
        addons(api, account).await;
        spend_cap(api, account).await;
    }
    orgs(api).await;
    tokens(api).await;
    looking(api).await;
    spending(api).await;
    batches(api).await;
    holding(api).await;
    giving_back(api).await;
    full_counters(api).await;
    catalog(api).await;
    operating(api).await;
}

async fn subscription(api: &Api, account: &str) {
    let at = format!("/v1/{account}/subscription");
    let (get, post) = (format!("get {at}"), format!("post {at}"));
    let steps = ["renew", "change-plan", "cancel", "resume", "status"];
    let [renew, change, cancel, resume, status] = steps.map(|step| format!("{post}/{step}"));
    api.ask(&format!("put /v1/{account}"), json!({}), 201).await;
    api.ask(&get, NONE, 404).await;
    let (pro, free) = (
        json!({"plan": "article_pro"}),
        json!({"plan": "article_free"}),
    );
    api.ask(&renew, NONE, 409).await;
    api.ask(&change, free.clone(), 409).await;
    api.ask(&cancel, NONE, 409).await;
    api.ask(&resume, NONE, 409).await;
    api.ask(&status, json!({"status": "unpaid"}), 409).await;
    let seats = format!("put {at}/seats");
    api.ask(&seats, json!({"seats": 5}), 409).await;
    api.ask(&post, dry(&pro), 200).await;
    api.ask(&post, pro.clone(), 200).await;
    api.ask(&seats, dry(&json!({"seats": 5})), 200).await;
    api.ask(&seats, json!({"seats": 5, "reason": "a team"}), 200)
        .await;
    api.ask(&get, NONE, 200).await;
    api.ask(&status, json!({"status": "past_due"}), 200).await;
    api.ask(&get, NONE, 200).await;
    api.ask(&renew, dry(&json!({})), 200).await;
    api.ask(&renew, NONE, 200).await;
    api.ask(&get, NONE, 200).await;
    let behind = json!({"plan": "article_pro", "starts_at": "2027-06-01T00:00:00Z"});
    api.ask(&post, behind.clone(), 200).await;
    api.ask(&get, NONE, 200).await;
    for _ in 0..22 {
        api.ask(&renew, json!({}), 200).await;
    }
    api.ask(&post, behind, 409).await;
    let at_end = json!({"when": "period_end"});
    api.ask(&cancel, dry(&at_end), 200).await;
    api.ask(&cancel, at_end, 200).await;
    api.ask(&resume, dry(&json!({})), 200).await;
    api.ask(&resume, json!({"reason": "stays"}), 200).await;
    api.ask(&cancel, json!({"when": "now"}), 200).await;
    api.ask(&renew, json!({}), 409).await;
    api.ask(&post, pro, 200).await;
    let later = json!({"plan": "article_free", "when": "period_end", "usage": "keep"});
    api.ask(&change, dry(&later), 200).await;
    api.ask(&change, later, 200).await;
    api.ask(&get, NONE, 200).await;
    let why = json!({"plan": "article_pro", "when": "now", "reason": "stays"});
    api.ask(&change, dry(&why), 200).await;
    api.ask(&change, why, 200).await;
    api.ask(&get, NONE, 200).await;
}

/// The same, only to be told what it would come to.
fn dry(body: &Value) -> Value {
    let mut body = body.clone();
    body["dry_run"] = json!(true);
    body
}

async fn terms(api: &Api, account: &str) {
    let put = format!("put /v1/{account}");
    api.ask(&put, json!({"disabled": false}), 200).await;
    let zone = json!({"time_zone": "Europe/Berlin", "reason": "moved"});
    api.ask(&format!("patch /v1/{account}"), zone, 200).await;
    let own = format!("/v1/{account}/overrides/articles_per_month");
    let unlimited = json!({"limit": "unlimited", "expires_at": "2026-12-01T00:00:00Z"});
    api.ask(&format!("put {own}"), unlimited, 200).await;
    let limit = json!({"limit": 90, "reason": "asked"});
    api.ask(&format!("put {own}"), limit, 200).await;
    api.ask(&format!("get /v1/{account}"), NONE, 200).await;
    let unset = format!("delete {own}");
    api.ask(&unset, json!({"reason": "over"}), 200).await;
    api.ask(&unset, NONE, 200).await;
    let reset = format!("post /v1/{account}/reset");
    api.ask(&reset, NONE, 200).await;
    let one = json!({"features": ["articles_per_month"]});
    api.ask(&reset, one, 200).await;
}

async fn money(api: &Api, account: &str) {
    let at = format!("/v1/{account}/credits");
    let pack = json!({"id": "pack", "amount": 5, "expires_at": "2027-01-01T00:00:00+01:00"});
    api.ask(&format!("post {at}"), pack.clone(), 201).await;
    api.ask(&format!("post {at}"), pack, 409).await;
    let one = format!("get {at}/pack");
    api.ask(&one, NONE, 200).await;
    let back = format!("post {at}/pack/take-back");
    api.ask(&back, json!({"amount": 2, "reason": "too many"}), 200)
        .await;
    api.ask(&back, json!({"amount": 9}), 409).await;
    api.ask(&back, NONE, 200).await;
    api.ask(&back, NONE, 409).await;
    api.ask(&one, NONE, 200).await;
    let gift = json!({"id": "gift", "amount": 5});
    api.ask(&format!("post {at}"), gift, 201).await;
    let rest = format!("delete {at}/gift");
    api.ask(&rest, json!({"reason": "a mistake"}), 200).await;
    api.ask(&rest, NONE, 409).await;
    api.ask(&format!("delete {at}/nothing"), NONE, 404).await;
    api.ask(&format!("get {at}"), NONE, 200).await;
}

async fn payments(api: &Api, account: &str) {
    let at = format!("post /v1/{account}");
    let name = account.replace('/', "_");
    let line = json!({"ref": "1", "credits": 100, "expires_at": "2027-06-01T00:00:00Z"});
    let purchase = json!({"provider": "bank", "ref": name, "amount": 1000, "currency": "eur", "lines": [line],
        "paid_at": "2026-11-19T08:00:00Z", "ids": [format!("{name}_1")]});
    let buy = format!("{at}/purchases");
    api.ask(&buy, purchase.clone(), 201).await;
    api.ask(&buy, purchase.clone(), 200).await;
    let mut other = purchase;
    other["amount"] = json!(999);
    api.ask(&buy, other, 409).await;
    let told = |path: &str, amount: u64, status: &str| {
        let named = format!("{name}_1");
        let body = json!({"provider": "bank", "payment": named, "ref": "r", "amount": amount, "status": status});
        (format!("{at}/{path}"), body)
    };
    let (refund, part) = told("refunds", 250, "succeeded");
    api.ask(&refund, part.clone(), 201).await;
    api.ask(&refund, part, 200).await;
    api.ask(&refund, told("refunds", 300, "pending").1, 409)
        .await;
    let (dispute, open) = told("disputes", 750, "open");
    api.ask(&dispute, open.clone(), 201).await;
    api.ask(&dispute, open, 200).await;
    let elsewhere = format!("post /v1/{account}.other");
    let kind = format!("put /v1/{account}.other");
    api.ask(&kind, json!({}), 201).await;
    for (path, body) in [told("refunds", 5, "failed"), told("disputes", 5, "won")] {
        api.ask(&path.replace(&at, &elsewhere), body, 409).await;
    }
    let shown = api
        .ask(&format!("get /v1/{account}/payments"), NONE, 200)
        .await;
    assert_eq!(
        shown.body["items"][0]["status"], "disputed",
        "{}",
        shown.text
    );
    let one = format!("get /v1/payments/bank/{name}_1");
    api.ask(&one, NONE, 200).await;
    api.ask(&format!("get /v1/{account}/credits"), NONE, 200)
        .await;
    owing(api, account).await;
}

/// Who spent what was refunded since owes it, and is forgiven; an org owes what its member spent.
async fn owing(api: &Api, account: &str) {
    let (owner, member) = if account.starts_with("orgs") {
        (
            "orgs/indebted",
            json!({"org": "indebted", "unlimited": true}),
        )
    } else {
        ("users/spender", json!({}))
    };
    let user = format!(
        "spender{}",
        if owner.starts_with("orgs") {
            ".of.org"
        } else {
            ""
        }
    );
    if owner.starts_with("orgs") {
        api.ask(&format!("put /v1/{owner}"), json!({}), 201).await;
        // Without a subscription it would be tracked, and its credits pay for nothing (O3).
        let subscription = json!({"plan": "article_pro"});
        api.ask(&format!("post /v1/{owner}/subscription"), subscription, 200)
            .await;
    }
    api.ask(&format!("put /v1/users/{user}"), member, 201).await;
    let lines = json!([{"ref": "1", "credits": 100}]);
    let purchase =
        json!({"provider": "bank", "ref": user, "amount": 1000, "currency": "eur", "lines": lines});
    api.ask(&format!("post /v1/{owner}/purchases"), purchase, 201)
        .await;
    api.ask("post /v1/consume", uses(&user, "try_on", 30), 200)
        .await;
    let refund = json!({"provider": "bank", "payment": user, "ref": "r", "amount": 1000});
    api.ask(&format!("post /v1/{owner}/refunds"), refund, 201)
        .await;
    let forgive = format!("post /v1/{owner}/debt/forgive");
    let part = json!({"amount": 10, "reason": "a gift"});
    api.ask(&forgive, part, 200).await;
    api.ask(&forgive, json!({"reason": "the rest"}), 200).await;
    api.ask(&forgive, json!({"reason": "nothing"}), 409).await;
}

async fn boosts(api: &Api, account: &str) {
    let at = format!("/v1/{account}/boosts");
    let sale = json!({"id": "sale", "feature": "articles_per_month", "amount": 5, "ends_at": "2027-01-01T00:00:00Z"});
    api.ask(&format!("post {at}"), sale.clone(), 201).await;
    api.ask(&format!("post {at}"), sale, 409).await;
    let back = format!("delete {at}/sale");
    api.ask(&back, json!({"reason": "a mistake"}), 200).await;
    api.ask(&back, NONE, 409).await;
    api.ask(&format!("get {at}"), NONE, 200).await;
}

async fn addons(api: &Api, account: &str) {
    let one = format!("/v1/{account}/addons/article_more");
    let (put, delete) = (format!("put {one}"), format!("delete {one}"));
    let two = json!({"quantity": 2, "ends_at": "2027-01-01T00:00:00Z", "reason": "a busy month"});
    api.ask(&put, dry(&two), 200).await;
    api.ask(&put, two, 200).await;
    api.ask(&put, json!({"quantity": 3}), 200).await;
    let list = format!("get /v1/{account}/addons");
    let held = api.ask(&list, NONE, 200).await;
    assert_eq!(held.body["addons"][0]["quantity"], 3, "{}", held.text);
    api.ask(&format!("get /v1/{account}/subscription"), NONE, 200)
        .await;
    let fresh = format!("put /v1/{account}.new");
    api.ask(&fresh, json!({}), 201).await;
    let without_base = format!("{fresh}/addons/article_more");
    api.ask(&without_base, json!({"quantity": 1}), 409).await;
    api.ask(&delete, json!({"reason": "over"}), 200).await;
    api.ask(&delete, NONE, 404).await;
    api.ask(&put, json!({"quantity": 1}), 200).await;
}

async fn spend_cap(api: &Api, account: &str) {
    let at = format!("/v1/{account}/spend-cap");
    api.ask(&format!("put {at}"), json!({"amount": 500}), 200)
        .await;
    let own = json!({"amount": 400, "by": "owner", "reason": "enough"});
    api.ask(&format!("put {at}"), own, 200).await;
    let much = json!({"amount": 501, "by": "owner"});
    api.ask(&format!("put {at}"), much, 409).await;
    let delete = format!("delete {at}");
    api.ask(&delete, json!({"by": "owner"}), 200).await;
    api.ask(&delete, json!({"reason": "no need"}), 200).await;
    api.ask(&delete, NONE, 200).await;
    api.ask(&format!("get /v1/{account}/spending"), NONE, 200)
        .await;
}

async fn member_limits(api: &Api) {
    let all = "/v1/orgs/acme/member-limits/articles_per_month";
    let one = "/v1/orgs/acme/members/bea/limits/articles_per_month";
    let until = json!({"limit": 40, "expires_at": "2027-06-01T00:00:00Z", "reason": "fair"});
    for at in [all, one] {
        let (get, delete) = (format!("get {at}"), format!("delete {at}"));
        api.ask(&get, NONE, 200).await;
        api.ask(&format!("put {at}"), until.clone(), 200).await;
        api.ask(&get, NONE, 200).await;
        api.ask(&delete, json!({"reason": "over"}), 200).await;
        api.ask(&delete, NONE, 200).await;
        api.ask(&format!("put {at}"), json!({"limit": 90}), 200)
            .await;
    }
    api.ask("get /v1/orgs/acme/overview", NONE, 200).await;
    let nobody = one.replace("bea", "ann");
    for method in ["put", "delete", "get"] {
        let body = if method == "put" { until.clone() } else { NONE };
        api.ask(&format!("{method} {nobody}"), body, 404).await;
    }
    let unknown = all.replace("articles_per_month", "nothing");
    api.ask(&format!("get {unknown}"), NONE, 404).await;
    api.ask(&format!("put {unknown}"), until, 404).await;
}

async fn orgs(api: &Api) {
    let other = json!({"id": "other", "policy": "track"});
    api.ask("post /v1/orgs", other.clone(), 201).await;
    api.ask("post /v1/orgs", other, 409).await;
    let bea = json!({"id": "bea", "org": "acme", "unlimited": true});
    api.ask("post /v1/users", bea.clone(), 201).await;
    api.ask("post /v1/users", bea, 409).await;
    let elsewhere = json!({"org": "other"});
    for method in ["put", "patch"] {
        let operation = format!("{method} /v1/users/bea");
        api.ask(&operation, elsewhere.clone(), 409).await;
    }
    member_limits(api).await;
    api.ask("post /v1/consume", one_article("bea"), 200).await;
    api.ask("put /v1/users/bea/org", elsewhere, 200).await;
    let back = json!({"org": "acme", "reason": "back"});
    api.ask("put /v1/users/bea/org", back, 200).await;
}

async fn tokens(api: &Api) {
    let at = "/v1/users/ann/tokens";
    let (post, put) = (format!("post {at}"), format!("put {at}"));
    let ci = json!({"id": "ci", "cap": 5, "expires_at": "2026-12-01T00:00:00Z"});
    api.ask(&post, ci.clone(), 201).await;
    api.ask(&post, ci, 409).await;
    api.ask(&format!("{put}/ci"), json!({"cap": 6}), 200).await;
    let old = json!({"cap": "unlimited"});
    api.ask(&format!("{put}/old"), old.clone(), 201).await;
    let patch = format!("patch {at}");
    api.ask(&format!("{patch}/ci"), json!({"cap": 7}), 200)
        .await;
    let delete = format!("delete {at}/old");
    api.ask(&delete, json!({"reason": "lost"}), 200).await;
    api.ask(&format!("{put}/old"), old.clone(), 409).await;
    api.ask(&format!("{patch}/old"), old, 409).await;
    api.ask(&format!("get {at}"), NONE, 200).await;
    api.ask(&format!("get {at}/ci"), NONE, 200).await;
}

async fn looking(api: &Api) {
    for account in ["users/ann", "users/bea", "orgs/acme"] {
        api.ask(&format!("get /v1/{account}"), NONE, 200).await;
        let overview = format!("get /v1/{account}/overview");
        api.ask(&overview, NONE, 200).await;
        entitled(api, account).await;
        let ledger = format!("get /v1/{account}/ledger");
        api.ask(&ledger, NONE, 200).await;
        let page = api.ask(&format!("{ledger}?limit=1"), NONE, 200).await;
        assert!(page.body["next"].is_string(), "{}", page.text);
    }
    for list in ["users", "users?org=acme", "orgs", "orgs/acme/members"] {
        let operation = format!("get /v1/{list}");
        let page = api.ask(&operation, NONE, 200).await;
        assert_ne!(page.body["items"], json!([]), "{list}");
    }
    api.ask("get /v1/users?limit=1", NONE, 200).await;
    api.ask("get /v1/users?org=nobody", NONE, 404).await;
}

/// Asks twice, the second time with the tag of the first answer.
async fn entitled(api: &Api, account: &str) {
    let path = format!("/v1/{account}/entitlements");
    let first = api.ask(&format!("get {path}"), NONE, 200).await;
    let sent = Sent {
        secret: Some(&api.read),
        headers: vec![("if-none-match", first.headers["etag"].as_str())],
        ..Sent::default()
    };
    let same = api.send(&Method::GET, &path, sent).await;
    assert_eq!(same.status, 304, "{}", same.text);
}

fn uses(user: &str, feature: &str, amount: u64) -> Value {
    json!({"user": user, "feature": feature, "amount": amount})
}

/// The same, with what would end a denial.
fn offering(mut asked: Value) -> Value {
    asked["offers"] = json!(true);
    asked
}

async fn spending(api: &Api) {
    let too_many = uses("ann", "articles_per_month", 1_000);
    let not_in_plan = uses("ann", "llm_tokens", 1);
    for (asked, allowed) in [
        (one_article("ann"), true),
        (too_many.clone(), false),
        (not_in_plan.clone(), false),
        (one_article("nobody"), false),
    ] {
        let answer = api.ask("post /v1/check", asked.clone(), 200).await;
        assert_eq!(answer.body["allowed"], allowed, "{}", answer.text);
        let offered = api.ask("post /v1/check", offering(asked), 200).await;
        let is_listed = offered.body["offers"].is_array();
        assert_eq!(is_listed, !allowed, "{}", offered.text);
    }
    let items = json!([{"feature": "articles_per_month", "amount": 2},
        {"feature": "gallery_albums", "amount": 1}]);
    let several = json!({"user": "ann", "token": "ci", "items": items});
    api.ask("post /v1/check", several, 200).await;
    let consume = "post /v1/consume";
    api.ask(consume, not_in_plan, 403).await;
    api.ask(consume, one_article("nobody"), 404).await;
    api.ask(consume, offering(too_many.clone()), 429).await;
    api.ask(consume, too_many, 429).await;
    let whole = json!({"user": "ann", "token": "ci", "items": [
        {"feature": "articles_per_month", "amount": 2},
        {"feature": "gallery_albums", "amount": 1},
    ], "resource_type": "article", "resource_id": "7", "reason": "written"});
    api.ask(consume, whole.clone(), 200).await;
    for replayed in [false, true] {
        let sent = Sent {
            secret: Some(&api.write),
            headers: vec![JSON, ("idempotency-key", "k-1")],
            body: one_article("ann").to_string().into(),
        };
        let answer = api.send(&Method::POST, "/v1/consume", sent).await;
        assert_eq!(answer.body["replayed"], replayed, "{}", answer.text);
    }
    let track = "post /v1/track";
    api.ask(track, uses("ann", "articles_per_month", 500), 200)
        .await;
    api.ask(track, uses("ann", "nothing", 1), 404).await;
}

async fn batches(api: &Api) {
    let mut tracked = one_article("nobody");
    tracked["operation"] = json!("track");
    let operations = json!({"operations": [
        uses("bea", "articles_per_month", 1),
        uses("ann", "articles_per_month", 1_000),
        tracked,
        {"user": "ann"},
    ]});
    let batch = api.ask("post /v1/batch", operations, 200).await;
    let results = batch.body["results"].as_array().expect("results").iter();
    let statuses: Vec<Value> = results.map(|result| result["status"].clone()).collect();
    assert_eq!(statuses, [NONE, json!(429), json!(404), json!(422)]);
}

/// Holds some of what the gateway's user has.
async fn held(api: &Api) -> String {
    let mut asked = uses("gus", "llm_tokens", 100);
    asked["ttl_seconds"] = json!(60);
    let answer = api.ask("post /v1/reservations", asked, 200).await;
    format!("post /v1/reservations/{}", id(&answer))
}

async fn holding(api: &Api) {
    let subscription = json!({"plan": "llm_free"});
    api.ask("put /v1/users/gus", json!({}), 201).await;
    api.ask("post /v1/users/gus/subscription", subscription, 200)
        .await;
    for (asked, status) in [
        (one_article("gus"), 403),
        (one_article("nobody"), 404),
        (uses("gus", "llm_tokens", AMOUNT_MAX), 429),
    ] {
        let mut asked = asked;
        asked["ttl_seconds"] = json!(60);
        api.ask("post /v1/reservations", asked, status).await;
    }
    let kept = held(api).await;
    let shown = kept.replace("post ", "get ");
    api.ask(&shown, NONE, 200).await;
    let extend = format!("{kept}/extend");
    api.ask(&extend, json!({"ttl_seconds": 90}), 200).await;
    let away = json!({"org": "acme"});
    api.ask("put /v1/users/gus/org", away, 409).await;
    let overview = api.ask("get /v1/users/gus/overview", NONE, 200).await;
    assert!(overview.text.contains(r#""held":100"#), "{}", overview.text);
    let commit = format!("{kept}/commit");
    api.ask(&commit, json!({"actual": 40}), 200).await;
    api.ask(&commit, json!({"actual": 41}), 409).await;
    api.ask(&extend, json!({"ttl_seconds": 90}), 409).await;
    api.ask(&format!("{kept}/release"), NONE, 409).await;
    let unused = held(api).await;
    let why = json!({"reason": "gave up"});
    api.ask(&format!("{unused}/release"), why, 200).await;
    api.ask("get /v1/users/gus/ledger", NONE, 200).await;
}

async fn giving_back(api: &Api) {
    let albums = uses("ann", "gallery_albums", 2);
    let consumed = api.ask("post /v1/consume", albums.clone(), 200).await;
    api.ask("post /v1/capacity/release", albums, 200).await;
    let articles = uses("bea", "articles_per_month", 2);
    let spent = api.ask("post /v1/consume", articles, 200).await;
    let refund = format!("post /v1/consumptions/{}/refund", id(&spent));
    let shown = format!("get /v1/operations/{}", id(&spent));
    api.ask(&shown, NONE, 200).await;
    let one = json!({"feature": "articles_per_month", "amount": 1});
    api.ask(&refund, one, 200).await;
    api.ask(&refund, NONE, 200).await;
    api.ask(&refund, json!({"amount": 1}), 409).await;
    api.ask(&refund, NONE, 409).await;
    let other = json!({"feature": "articles_per_month"});
    let refund = format!("post /v1/consumptions/{}/refund", id(&consumed));
    api.ask(&refund, other, 404).await;
    api.ask("get /v1/users/ann/ledger", NONE, 200).await;
}

async fn full_counters(api: &Api) {
    let unlimited = json!({"unlimited": true});
    api.ask("put /v1/users/max", unlimited, 201).await;
    let item = json!({"feature": "articles_per_month", "amount": AMOUNT_MAX});
    let most = json!({"user": "max", "items": vec![item; ITEMS_MAX]});
    for _ in 0..REQUESTS_TO_FILL {
        api.ask("post /v1/track", most.clone(), 200).await;
    }
    api.ask("post /v1/track", one_article("max"), 409).await;
    api.ask("post /v1/consume", one_article("max"), 409).await;
    let item = json!({"feature": "articles_per_month", "amount": 1});
    let twice = json!({"user": "max", "items": [item, item]});
    api.ask("post /v1/consume", twice.clone(), 409).await;
    let full = api.ask("post /v1/check", twice, 409).await;
    assert_eq!(full.body["errors"][0]["pointer"], "/items", "{}", full.text);
    let mut asked = one_article("max");
    asked["ttl_seconds"] = json!(60);
    api.ask("post /v1/reservations", asked, 409).await;
    api.ask("get /v1/users/max/overview", NONE, 200).await;
}

async fn catalog(api: &Api) {
    api.ask("get /v1/catalog", NONE, 200).await;
    let tighter = CATALOG.replace("articles_per_month = 100", "articles_per_month = 1");
    for path in ["/v1/catalog/plan", "/v1/catalog/apply"] {
        let sent = Sent {
            secret: Some(&api.admin),
            headers: vec![TOML],
            body: tighter.clone().into(),
        };
        let answer = api.send(&Method::POST, path, sent).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let changed = &answer.body["plans_changed"]["article_pro"];
        assert_eq!(changed[0]["to"], 1, "{}", answer.text);
        assert_ne!(answer.body["over_limit"], json!([]), "{}", answer.text);
    }
    let emptied = api.ask("post /v1/catalog/plan", json!({}), 200).await;
    assert_ne!(emptied.body["held"], json!([]), "{}", emptied.text);
    api.ask("post /v1/catalog/apply", json!({}), 409).await;
}

async fn operating(api: &Api) {
    let key = json!({"name": "app", "scope": "write"});
    let made = api.ask("post /v1/keys", key, 201).await;
    api.ask("get /v1/keys", NONE, 200).await;
    let revoke = format!("delete /v1/keys/{}", id(&made));
    api.ask(&revoke, NONE, 204).await;
    api.ask("get /v1/keys", NONE, 200).await;
    api.ask("get /v1/jobs", NONE, 200).await;
    let runner = api.jobs.as_ref().expect("it runs jobs");
    let whole = jobs::JobFilter::default();
    let run = runner
        .run(jobs::work::audit_full::NAME, whole, "test")
        .await;
    let run = run.expect("it runs").id;
    api.ask("get /v1/jobs/audit_full/runs", NONE, 200).await;
    let batches = api
        .ask(&format!("get /v1/runs/{run}/batches"), NONE, 200)
        .await;
    assert_eq!(batches.body["items"][0]["number"], 1, "{batches:?}");
    let only = json!({"account": "user:ann"});
    api.ask("post /v1/jobs/reset_daily/run", only, 202).await;
    api.ask("post /v1/jobs/audit/run", NONE, 409).await;
    for probe in [
        "get /healthz",
        "get /readyz",
        "get /metrics",
        "get /v1/catalog/schema",
    ] {
        api.ask(probe, NONE, 200).await;
    }
}
