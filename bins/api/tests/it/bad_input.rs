//! Bad input: each gets a problem that names the field, and changes nothing.

use reqwest::Method;
use serde_json::{Value, json};

use crate::api_under_test::{Answer, Api};

/// A request that must be refused, and how.
struct Bad {
    method: Method,
    path: &'static str,
    body: Vec<u8>,
    status: u16,
    code: &'static str,
    /// JSON pointer, or `?name` for a part of the path or of the query.
    place: &'static str,
}

fn bad(
    (method, path): (Method, &'static str),
    body: impl Into<Vec<u8>>,
    (status, code, place): (u16, &'static str, &'static str),
) -> Bad {
    Bad {
        method,
        path,
        body: body.into(),
        status,
        code,
        place,
    }
}

/// Where the problem says that the mistake is.
fn place(answer: &Answer) -> String {
    let error = &answer.body["errors"][0];
    match (&error["pointer"], &error["parameter"]) {
        (Value::String(pointer), _) => pointer.clone(),
        (_, Value::String(parameter)) => format!("?{parameter}"),
        _ => String::new(),
    }
}

/// Sends each; none of them changes the account.
async fn all_are_refused(cases: Vec<Bad>) {
    let api = Api::in_memory().await;
    api.user("ann", Some("article_pro")).await;
    let before = api.everything_of("users/ann").await;
    for case in cases {
        let headers = [("content-type", "application/json")];
        let shown = String::from_utf8_lossy(&case.body)
            .chars()
            .take(200)
            .collect::<String>();
        let answer = api.send(case.method, case.path, &headers, case.body).await;
        let told = format!("{} {shown}: {}", case.path, answer.text);
        assert_eq!(answer.status, case.status, "{told}");
        assert_eq!(answer.body["code"], case.code, "{told}");
        assert_eq!(answer.body["status"], case.status, "{told}");
        assert_eq!(place(&answer), case.place, "{told}");
        assert_eq!(
            answer.header("content-type"),
            Some("application/problem+json"),
            "{told}"
        );
        assert!(answer.body["type"].is_string(), "{told}");
        assert!(answer.body["title"].is_string(), "{told}");
        assert_eq!(api.everything_of("users/ann").await, before, "{told}");
    }
}

const CONSUME: (Method, &str) = (Method::POST, "/v1/consume");

fn consume_with(amount: &str) -> String {
    format!(r#"{{"user":"ann","feature":"articles_per_month","amount":{amount}}}"#)
}

#[tokio::test]
async fn an_amount_is_a_whole_number_from_one_to_ten_to_the_fifteenth() {
    let amounts = [
        "0",
        "-1",
        "1.5",
        "\"1\"",
        "1000000000000001",
        "1000000000000000000000000000000",
        "1e30",
        "true",
        "null",
        "[1]",
    ];
    let refused = (422, "invalid_body", "/amount");
    let mut cases: Vec<Bad> = amounts
        .iter()
        .map(|amount| bad(CONSUME, consume_with(amount), refused))
        .collect();
    cases.push(bad(
        CONSUME,
        consume_with("1e400"),
        (400, "malformed_body", "/amount"),
    ));
    for path in ["/v1/track", "/v1/check", "/v1/capacity/release"] {
        cases.push(bad((Method::POST, path), consume_with("0"), refused));
    }
    let item = r#"{"user":"ann","items":[{"feature":"articles_per_month","amount":1},{"feature":"articles_per_month","amount":0}]}"#;
    cases.push(bad(CONSUME, item, (422, "invalid_body", "/items/1/amount")));
    let credits = r#"{"id":"pack","amount":0}"#;
    cases.push(bad(
        (Method::POST, "/v1/users/ann/credits"),
        credits,
        refused,
    ));
    all_are_refused(cases).await;
}

#[tokio::test]
async fn unknown_missing_and_repeated_fields_are_named() {
    let unknown = r#"{"user":"ann","feature":"articles_per_month","amount":1,"amuont":2}"#;
    let repeated = r#"{"user":"ann","feature":"articles_per_month","amount":1,"amount":2}"#;
    let both = r#"{"user":"ann","feature":"articles_per_month","amount":1,"items":[]}"#;
    let item = r#"{"user":"ann","items":[{"feature":"articles_per_month","amount":1,"x":2}]}"#;
    all_are_refused(vec![
        bad(CONSUME, unknown, (422, "invalid_body", "/amuont")),
        bad(CONSUME, repeated, (422, "invalid_body", "/amount")),
        bad(CONSUME, item, (422, "invalid_body", "/items/0/x")),
        bad(CONSUME, both, (422, "invalid_body", "/items")),
        bad(
            CONSUME,
            r#"{"user":"ann","items":[]}"#,
            (422, "invalid_body", "/items"),
        ),
        bad(
            CONSUME,
            r#"{"feature":"articles_per_month","amount":1}"#,
            (422, "invalid_body", "/user"),
        ),
        bad(
            CONSUME,
            r#"{"user":"ann","amount":1}"#,
            (422, "invalid_body", "/feature"),
        ),
        bad(
            CONSUME,
            r#"{"user":"ann","feature":"articles_per_month"}"#,
            (422, "invalid_body", "/amount"),
        ),
        bad(CONSUME, "", (400, "malformed_body", "")),
        bad(CONSUME, "{", (400, "malformed_body", "")),
        bad(CONSUME, "[]", (422, "invalid_body", "")),
        bad(
            (Method::PUT, "/v1/users/ann"),
            r#"{"plan":"article_pro"}"#,
            (422, "invalid_body", "/plan"),
        ),
        bad(
            (Method::PATCH, "/v1/users/ann"),
            r#"{"policy":"track"}"#,
            (422, "invalid_body", "/policy"),
        ),
        bad(
            (Method::GET, "/v1/users?limit=0"),
            "",
            (422, "invalid_parameter", "?limit"),
        ),
        bad(
            (Method::GET, "/v1/users?limit=1001"),
            "",
            (422, "invalid_parameter", "?limit"),
        ),
        bad(
            (Method::GET, "/v1/users?page=2"),
            "",
            (422, "invalid_parameter", "?page"),
        ),
        bad(
            (Method::GET, "/v1/users/ann/ledger?after=x"),
            "",
            (422, "invalid_parameter", "?after"),
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_query_that_is_no_text_is_refused_and_its_part_is_named() {
    let refused = |path, place| bad((Method::GET, path), "", (422, "invalid_parameter", place));
    all_are_refused(vec![
        refused("/v1/users?after=%ff", "?after"),
        refused("/v1/users?limit=5&after=a%C3", "?after"),
        refused("/v1/users?org=%80", "?org"),
        refused("/v1/users?limit=%ff", "?limit"),
        refused("/v1/users?%ff=1", "?query"),
        refused("/v1/users/ann/ledger?after=%ff", "?after"),
    ])
    .await;
    let api = Api::in_memory().await;
    let decoded = api.get("/v1/users?after=%C3%A9&org=a%2fb").await;
    let said = decoded.expect(404).body["detail"].to_string();
    assert!(said.contains("`a/b`"), "{said}");
    api.get("/v1/users?after=100%&limit=%31").await.expect(200);
}

#[tokio::test]
async fn an_array_is_never_read_as_an_object_by_position() {
    let consume = r#"["ann",null,"articles_per_month",3,null,null,null,null]"#;
    let item = r#"{"user":"ann","items":[["articles_per_month",2]]}"#;
    let later = r#"{"user":"ann","items":[{"feature":"articles_per_month","amount":1},["x",[]]]}"#;
    let key = r#"["billing","admin"]"#;
    let plan = r#"{"plan":[["free","Free",0,"usd","month",false,{}]]}"#;
    let batch = (Method::POST, "/v1/batch");
    let at = |place| (422, "invalid_body", place);
    all_are_refused(vec![
        bad(CONSUME, consume, at("")),
        bad(CONSUME, item, at("/items/0")),
        bad(CONSUME, later, at("/items/1")),
        bad((Method::POST, "/v1/track"), item, at("/items/0")),
        bad((Method::POST, "/v1/check"), consume, at("")),
        bad(batch, "[[]]", at("")),
        bad((Method::POST, "/v1/keys"), key, at("")),
        bad(
            (Method::PUT, "/v1/users/ann"),
            "[null,null,true,null,null]",
            at(""),
        ),
        bad((Method::POST, "/v1/users/ann/reset"), "[[],null]", at("")),
        bad(
            (Method::POST, "/v1/catalog/apply"),
            plan,
            (422, "invalid_catalog", "/plan/0"),
        ),
        bad(CONSUME, r#"{"user":"ann","items":[[}"#, at("/items/0")),
        bad(
            CONSUME,
            r#"{"user":"ann","items":[}"#,
            (400, "malformed_body", "/items/0"),
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_body_that_is_too_large_or_no_text_is_refused() {
    let mut large = consume_with("1").into_bytes();
    large.resize(2 * 1024 * 1024, b' ');
    let mut broken = br#"{"user":"a"#.to_vec();
    broken.extend([0xff, 0xfe]);
    broken.extend(br#"","feature":"articles_per_month","amount":1}"#);
    all_are_refused(vec![
        bad(CONSUME, large, (413, "body_too_large", "")),
        bad(CONSUME, broken, (400, "malformed_body", "/user")),
    ])
    .await;
}

#[tokio::test]
async fn ids_that_cannot_be_are_named() {
    let long = "x".repeat(1_000);
    let user =
        |id: &str| json!({"user": id, "feature": "articles_per_month", "amount": 1}).to_string();
    let at = |place| (422, "invalid_body", place);
    let feature = |id: &str| json!({"user": "ann", "feature": id, "amount": 1}).to_string();
    let token = |id: &str| {
        json!({"user": "ann", "token": id, "feature": "articles_per_month", "amount": 1})
            .to_string()
    };
    let resource =
        json!({"user": "ann", "feature": "articles_per_month", "amount": 1, "resource_id": "a\nb"});
    let mut cases = Vec::new();
    for id in ["", &long, "a\u{0}b", "a\u{7f}b", " a"] {
        cases.push(bad(CONSUME, user(id), at("/user")));
        cases.push(bad(CONSUME, token(id), at("/token")));
        cases.push(bad(CONSUME, feature(id), at("/feature")));
        let body = json!({"id": id}).to_string();
        cases.push(bad((Method::POST, "/v1/users"), body.clone(), at("/id")));
        cases.push(bad((Method::POST, "/v1/orgs"), body, at("/id")));
    }
    let in_path = |place| (422, "invalid_parameter", place);
    let long_path: &'static str = Box::leak(format!("/v1/users/{long}/overview").into_boxed_str());
    cases.extend([
        bad(CONSUME, resource.to_string(), at("/resource_id")),
        bad((Method::GET, long_path), "", in_path("?id")),
        bad(
            (Method::GET, "/v1/users/a%00b/overview"),
            "",
            in_path("?id"),
        ),
        bad((Method::GET, "/v1/users/%ff/overview"), "", in_path("?id")),
        bad(
            (Method::PUT, "/v1/users/ann/overrides/Big"),
            r#"{"limit":1}"#,
            in_path("?feature"),
        ),
        bad(
            (Method::POST, "/v1/reservations/res.x.y/commit"),
            r#"{"actual":1}"#,
            in_path("?id"),
        ),
        bad(
            (Method::POST, "/v1/consumptions/op.dXNlcjphbm4.no/refund"),
            "{}",
            in_path("?id"),
        ),
    ]);
    all_are_refused(cases).await;
}

#[tokio::test]
async fn zones_and_dates_that_do_not_exist_are_named() {
    let zone = r#"{"time_zone":"Mars/Olympus"}"#;
    let at = |place| (422, "invalid_body", place);
    let start = (Method::POST, "/v1/users/ann/subscription");
    let own = (Method::PUT, "/v1/users/ann/overrides/articles_per_month");
    all_are_refused(vec![
        bad((Method::PUT, "/v1/users/ann"), zone, at("/time_zone")),
        bad(start.clone(), r#"{"plan":"article_pro","starts_at":"2026-02-30T00:00:00Z"}"#, at("/starts_at")),
        bad(start.clone(), r#"{"plan":"article_pro","ends_at":"tomorrow"}"#, at("/ends_at")),
        bad(start.clone(), r#"{"plan":"article_pro","starts_at":"2026-12-02T00:00:00Z","ends_at":"2026-12-01T00:00:00Z"}"#, (422, "ends_before_start", "/ends_at")),
        bad(start.clone(), r#"{"plan":"nothing"}"#, (422, "unknown_plan", "/plan")),
        bad(start, r#"{"plan":"article_pro","status":"paused"}"#, at("/status")),
        bad(own.clone(), r#"{"limit":5,"expires_at":"2020-01-01T00:00:00Z"}"#, (422, "not_in_future", "/expires_at")),
        bad(own.clone(), r#"{"limit":-2}"#, at("/limit")),
        bad(own.clone(), r#"{"limit":1.5}"#, at("/limit")),
        bad(own, r#"{"limit":"plenty"}"#, at("/limit")),
        bad((Method::PUT, "/v1/users/ann/overrides/nothing"), r#"{"limit":5}"#, (404, "unknown_feature", "?feature")),
    ])
    .await;
}

#[tokio::test]
async fn instants_that_no_answer_could_repeat_are_named() {
    let at = |place| (422, "invalid_body", place);
    let start = (Method::POST, "/v1/users/ann/subscription");
    let renew = (Method::POST, "/v1/users/ann/subscription/renew");
    let own = (Method::PUT, "/v1/users/ann/overrides/articles_per_month");
    let token = |method| (method, "/v1/users/ann/tokens/ci");
    let mut cases = Vec::new();
    for instant in ["9999-12-31T23:59:59-14:00", "0000-01-01T00:00:00+14:00"] {
        let starts = json!({"plan": "article_pro", "starts_at": instant});
        let ends = json!({"plan": "article_pro", "ends_at": instant});
        let renewed = json!({"ends_at": instant});
        let limit = json!({"limit": 5, "expires_at": instant});
        let cap = json!({"cap": 5, "expires_at": instant});
        let new = json!({"id": "ci", "cap": 5, "expires_at": instant});
        let grant = json!({"id": "pack", "amount": 5, "expires_at": instant});
        cases.extend([
            bad(start.clone(), starts.to_string(), at("/starts_at")),
            bad(start.clone(), ends.to_string(), at("/ends_at")),
            bad(renew.clone(), renewed.to_string(), at("/ends_at")),
            bad(own.clone(), limit.to_string(), at("/expires_at")),
            bad(token(Method::PUT), cap.to_string(), at("/expires_at")),
            bad(token(Method::PATCH), cap.to_string(), at("/expires_at")),
            bad(
                (Method::POST, "/v1/users/ann/tokens"),
                new.to_string(),
                at("/expires_at"),
            ),
            bad(
                (Method::POST, "/v1/users/ann/credits"),
                grant.to_string(),
                at("/expires_at"),
            ),
        ]);
    }
    // Its month would end in the year 10000.
    let late = json!({"plan": "article_pro", "starts_at": "9999-12-01T00:00:00Z"});
    cases.push(bad(start, late.to_string(), at("/starts_at")));
    all_are_refused(cases).await;
}

#[tokio::test]
async fn the_last_instants_that_can_be_written_are_taken() {
    let api = Api::in_memory().await;
    api.user("ann", None).await;
    let last = "9999-12-31T23:59:59+00:00";
    let start = "9999-11-30T23:59:59Z";
    for period in [
        json!({"plan": "article_pro", "starts_at": start}),
        json!({"plan": "article_pro", "starts_at": start, "ends_at": last}),
        json!({"plan": "article_pro", "ends_at": "9999-12-31T09:59:59-14:00"}),
    ] {
        api.subscribe("users/ann", period).await;
        let held = api.get("/v1/users/ann/subscription").await.expect(200);
        let ends_at = held.body["ends_at"].as_str().unwrap_or_default();
        assert!(ends_at.starts_with("9999-12-"), "{}", held.text);
    }
}

#[tokio::test]
async fn a_hold_of_no_time_or_of_ten_years_is_refused() {
    let hold = |ttl: u64| {
        json!({"user": "ann", "feature": "articles_per_month", "amount": 1, "ttl_seconds": ttl})
            .to_string()
    };
    let reserve = (Method::POST, "/v1/reservations");
    let at = (422, "out_of_range", "/ttl_seconds");
    all_are_refused(vec![
        bad(reserve.clone(), hold(0), at),
        bad(reserve.clone(), hold(315_360_000), at),
        bad(
            reserve,
            hold(u64::MAX),
            (422, "invalid_body", "/ttl_seconds"),
        ),
    ])
    .await;
}

#[tokio::test]
async fn what_exists_is_not_made_again_and_what_does_not_is_not_found() {
    all_are_refused(vec![
        bad(
            (Method::POST, "/v1/users"),
            r#"{"id":"ann"}"#,
            (409, "account_exists", ""),
        ),
        bad(
            (Method::POST, "/v1/users"),
            r#"{"id":"ben","org":"none"}"#,
            (422, "unknown_org", "/org"),
        ),
        bad(
            (Method::PATCH, "/v1/users/nobody"),
            "{}",
            (404, "unknown_account", ""),
        ),
        bad(
            (Method::GET, "/v1/users/nobody/overview"),
            "",
            (404, "unknown_account", ""),
        ),
        bad(
            (Method::GET, "/v1/users/nobody/ledger"),
            "",
            (404, "unknown_account", ""),
        ),
        bad(
            (Method::POST, "/v1/users/ann/tokens"),
            r#"{"id":"ci"}"#,
            (422, "cap_required", "/cap"),
        ),
        bad(
            (Method::PATCH, "/v1/users/ann/tokens/none"),
            r#"{"cap":1}"#,
            (404, "unknown_token", "?token"),
        ),
        bad(
            (Method::DELETE, "/v1/users/ann/tokens/none"),
            "",
            (404, "unknown_token", "?token"),
        ),
    ])
    .await;
}

#[tokio::test]
async fn use_of_what_is_not_there_names_its_field() {
    let track = (Method::POST, "/v1/track");
    let release = (Method::POST, "/v1/capacity/release");
    let one = |user: &str, feature: &str| json!({"user": user, "feature": feature, "amount": 1});
    let mut unknown = one("ann", "articles_per_month");
    unknown["token"] = json!("none");
    let several = json!({"user": "ann", "items": [
        {"feature": "articles_per_month", "amount": 1}, {"feature": "nothing", "amount": 1}]});
    let nobody = one("nobody", "articles_per_month").to_string();
    let no_feature = (404, "unknown_feature", "/feature");
    let in_list = (404, "unknown_feature", "/items/1/feature");
    let no_user = (404, "unknown_user", "/user");
    all_are_refused(vec![
        bad(track.clone(), nobody.clone(), no_user),
        bad(release, nobody, no_user),
        bad(track.clone(), one("ann", "nothing").to_string(), no_feature),
        bad(track.clone(), several.to_string(), in_list),
        bad(track, unknown.to_string(), (404, "unknown_token", "/token")),
    ])
    .await;
}

#[tokio::test]
async fn an_unknown_feature_is_found_in_the_list_that_it_came_in() {
    let features = r#"{"features":["articles_per_month","nothing"]}"#;
    let at = (404, "unknown_feature", "/features/1");
    let reset = (Method::POST, "/v1/users/ann/reset");
    all_are_refused(vec![bad(reset, features, at)]).await;
}

#[tokio::test]
async fn operations_and_reservations_that_are_not_there_are_not_found() {
    let op = "/v1/consumptions/op.dXNlcjphbm4.00000000-0000-7000-8000-000000000000/refund";
    let res = "/v1/reservations/res.dXNlcjphbm4.00000000-0000-7000-8000-000000000000/release";
    all_are_refused(vec![
        bad((Method::POST, op), "", (404, "unknown_operation", "")),
        bad((Method::POST, res), "", (404, "unknown_reservation", "")),
    ])
    .await;
}

#[tokio::test]
async fn two_users_with_one_id_are_one_user_and_a_conflict() {
    let api = Api::in_memory().await;
    let (first, second) = tokio::join!(
        api.post(
            "/v1/users",
            json!({"id": "ann", "time_zone": "Europe/Berlin"})
        ),
        api.post("/v1/users", json!({"id": "ann", "time_zone": "Asia/Tokyo"})),
    );
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
    let users = api.get("/v1/users").await.expect(200);
    assert_eq!(users.body["items"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_key_with_another_body_is_refused_and_changes_nothing() {
    // X1: same key, other body -> 422 `idempotency_key_reused`.
    let api = Api::in_memory().await;
    api.user("ann", Some("article_pro")).await;
    let ask =
        |amount: u64| json!({"user": "ann", "feature": "articles_per_month", "amount": amount});
    api.post_keyed("/v1/consume", "k-1", &ask(1))
        .await
        .expect(200);
    let before = api.everything_of("users/ann").await;
    let mut explained = ask(1);
    explained["reason"] = json!("because");
    for other in [ask(2), explained] {
        let answer = api.post_keyed("/v1/consume", "k-1", &other).await;
        let answer = answer.expect(422);
        assert_eq!(answer.body["code"], "idempotency_key_reused");
        assert_eq!(answer.body["errors"][0]["header"], "Idempotency-Key");
        assert_eq!(api.everything_of("users/ann").await, before);
    }
    let operation = |key| json!({"idempotency_key": key, "user": "ann", "feature": "articles_per_month", "amount": 2});
    let nothing = json!({"operation": "track", "user": "ann", "items": [
        {"feature": "articles_per_month", "amount": 1}, {"feature": "nothing", "amount": 1}]});
    let batch = json!({"operations": [nothing, operation("k-1")]});
    let batch = api.post("/v1/batch", batch).await.expect(200);
    let errors = |index: usize| &batch.body["results"][index]["errors"];
    let feature = "/operations/0/items/1/feature";
    assert_eq!(errors(0)[0]["pointer"], feature, "{}", batch.text);
    let reused = &errors(1)[0];
    assert_eq!(reused["pointer"], "/operations/1/idempotency_key");
    assert_eq!(reused["header"], Value::Null);
    assert_eq!(api.everything_of("users/ann").await, before);
    let long = "k".repeat(256);
    for key in ["", " ", &long] {
        let answer = api
            .post_keyed("/v1/users/ann/subscription/cancel", key, &json!({}))
            .await;
        let told = answer.text.clone();
        assert_eq!(answer.status, 422, "{key}: {told}");
        assert_eq!(
            answer.body["errors"][0]["header"], "Idempotency-Key",
            "{told}"
        );
    }
    assert_eq!(api.everything_of("users/ann").await, before);
}

/// R1: whatever cannot be how long a reservation lasts is told the least and the most, in seconds.
#[tokio::test]
async fn a_reservations_time_is_told_with_its_least_and_most() {
    let api = Api::in_memory().await;
    api.user("ann", Some("article_pro")).await;
    for ttl in ["0", "2592001", "-1", "4294967296"] {
        let body = format!(
            r#"{{"user":"ann","feature":"articles_per_month","amount":1,"ttl_seconds":{ttl}}}"#
        );
        let headers = [("content-type", "application/json")];
        let path = "/v1/reservations";
        let refused = api.send(Method::POST, path, &headers, body.into_bytes());
        let refused = refused.await.expect(422);
        let error = &refused.body["errors"][0];
        assert_eq!(error["pointer"], "/ttl_seconds", "{error}");
        let detail = error["detail"].as_str().unwrap_or_default();
        let says_all = ["seconds", "1 to 2592000"]
            .iter()
            .all(|word| detail.contains(word));
        assert!(says_all, "{ttl}: {detail}");
    }
}
