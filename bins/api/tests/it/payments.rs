//! Payments of any provider by the API (P1, P5 to P11, P16, P18), with the worked examples E15 to E27.

use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::api_under_test::{Answer, Api};
use crate::stores::on_every_store;

on_every_store!(
    e15_to_e19_refunds_by_their_sum_and_a_debt_that_the_next_purchase_pays,
    e20_to_e22_thirds_and_disputes,
    e23_to_e25_what_is_reserved_covered_and_given_back,
    e26_and_e27_a_coupon_and_tax,
    p1_sixty_four_purchases_of_one_ref_are_one_grant,
    p5_and_p7_payments_are_listed_and_found_by_any_id,
    p16_what_does_not_fit_is_refused_by_its_field,
    p16_a_purchase_that_does_not_fit_is_refused_by_its_field,
    p10_a_debt_is_forgiven_with_a_reason,
);

const AT_ONCE: usize = 64;

async fn buy(api: &Api, payment: &str, credits: u64, amount: u64) -> Answer {
    let lines = json!([{"ref": "1", "credits": credits}]);
    let body = json!({"provider": "bank", "ref": payment, "amount": amount, "currency": "eur", "lines": lines});
    api.post("/v1/users/ann/purchases", body).await
}

async fn refund(api: &Api, (payment, id): (&str, &str), amount: u64, status: &str) {
    let body = json!({"provider": "bank", "payment": payment, "ref": id, "amount": amount, "status": status});
    api.post("/v1/users/ann/refunds", body).await.expect(201);
}

async fn dispute(api: &Api, payment: &str, amount: u64, status: &str) {
    let body = json!({"provider": "bank", "payment": payment, "ref": "dp", "amount": amount, "status": status});
    api.post("/v1/users/ann/disputes", body).await.expect(201);
}

/// A user without a plan, who bought 100 credits for 1000 and used some of them.
async fn spent(api: &Api, payment: &str, used: u64) {
    buy(api, payment, 100, 1000).await.expect(201);
    if used != 0 {
        api.consume("ann", "try_on", used).await.expect(200);
    }
}

/// What can be spent, and what is owed.
async fn free_and_debt(api: &Api) -> (u64, u64) {
    let credits = api.get("/v1/users/ann/credits").await.expect(200).body;
    let debt = credits["debt"].as_u64().unwrap_or(0);
    (credits["balance"].as_u64().expect("a number"), debt)
}

/// E15 to E19.
async fn e15_to_e19_refunds_by_their_sum_and_a_debt_that_the_next_purchase_pays(api: Api) {
    api.user("ann", None).await;
    spent(&api, "a", 30).await;
    refund(&api, ("a", "r1"), 250, "succeeded").await;
    assert_eq!(free_and_debt(&api).await, (45, 0), "E15");
    refund(&api, ("a", "r2"), 250, "succeeded").await;
    assert_eq!(free_and_debt(&api).await, (20, 0), "E16");
    refund(&api, ("a", "r3"), 500, "pending").await;
    assert_eq!(free_and_debt(&api).await, (0, 30), "E17");
    buy(&api, "b", 100, 1000).await.expect(201);
    assert_eq!(free_and_debt(&api).await, (70, 0), "E18");
    refund(&api, ("a", "r3"), 500, "failed").await;
    assert_eq!(free_and_debt(&api).await, (120, 0), "E19");
    let payment = api.get("/v1/payments/bank/a").await.expect(200).body;
    assert_eq!(payment["status"], "partly_refunded");
    let grant = api
        .get("/v1/users/ann/credits/bank:a:1")
        .await
        .expect(200)
        .body;
    assert_eq!(grant["revoked"], 50);
    assert_eq!(grant["purchase"]["payment"], "a");
    assert_eq!(grant["purchase"]["currency"], "eur");
}

/// E20, E21 and E22.
async fn e20_to_e22_thirds_and_disputes(api: Api) {
    api.user("ann", None).await;
    buy(&api, "t", 10, 999).await.expect(201);
    for (id, left) in [("r1", 7), ("r2", 4), ("r3", 0)] {
        refund(&api, ("t", id), 333, "succeeded").await;
        assert_eq!(free_and_debt(&api).await, (left, 0), "E20");
    }
    spent(&api, "d", 40).await;
    dispute(&api, "d", 1000, "open").await;
    assert_eq!(free_and_debt(&api).await, (0, 0), "E21, open");
    let credits = api.get("/v1/users/ann/credits").await.expect(200).body;
    assert_eq!(credits["frozen"], 60, "P11");
    dispute(&api, "d", 1000, "won").await;
    assert_eq!(free_and_debt(&api).await, (60, 0), "E21, won");
    dispute(&api, "d", 1000, "lost").await;
    assert_eq!(free_and_debt(&api).await, (0, 40), "E21, lost");
    api.post(
        "/v1/users/ann/debt/forgive",
        json!({"reason": "E22 begins anew"}),
    )
    .await
    .expect(200);
    spent(&api, "e", 10).await;
    refund(&api, ("e", "r"), 400, "succeeded").await;
    dispute(&api, "e", 600, "open").await;
    assert_eq!(free_and_debt(&api).await, (0, 0), "E22, open");
    dispute(&api, "e", 600, "won").await;
    assert_eq!(free_and_debt(&api).await, (50, 0), "E22, won");
    dispute(&api, "e", 600, "lost").await;
    assert_eq!(free_and_debt(&api).await, (0, 10), "E22, lost");
}

/// E23 (R2), E24 and E25 (X3).
async fn e23_to_e25_what_is_reserved_covered_and_given_back(api: Api) {
    api.user("ann", None).await;
    spent(&api, "h", 20).await;
    let hold = json!({"user": "ann", "feature": "try_on", "amount": 30, "ttl_seconds": 60});
    let reserved = api.post("/v1/reservations", hold).await.expect(200).body;
    refund(&api, ("h", "r"), 1000, "succeeded").await;
    assert_eq!(free_and_debt(&api).await, (0, 20), "E23");
    let id = reserved["id"].as_str().expect("an id");
    let commit = format!("/v1/reservations/{id}/commit");
    api.post(&commit, json!({"actual": 30})).await.expect(200);
    assert_eq!(free_and_debt(&api).await, (0, 50), "E23, commit");
    api.post(
        "/v1/users/ann/debt/forgive",
        json!({"reason": "E24 begins anew"}),
    )
    .await
    .expect(200);
    buy(&api, "b", 50, 500).await.expect(201);
    let until = api.engine.now() + TimeDelta::days(30);
    let lines = json!([{"ref": "1", "credits": 100, "expires_at": until}]);
    let first =
        json!({"provider": "bank", "ref": "a", "amount": 1000, "currency": "eur", "lines": lines});
    api.post("/v1/users/ann/purchases", first).await.expect(201);
    let used = api.consume("ann", "try_on", 30).await.expect(200).body;
    api.consume("ann", "try_on", 50).await.expect(200);
    refund(&api, ("a", "r"), 1000, "succeeded").await;
    assert_eq!(free_and_debt(&api).await, (0, 30), "E24");
    let id = used["id"].as_str().expect("an id");
    let back = format!("/v1/consumptions/{id}/refund");
    api.post(&back, json!({})).await.expect(200);
    assert_eq!(free_and_debt(&api).await, (0, 0), "E25");
}

/// E26 and E27.
async fn e26_and_e27_a_coupon_and_tax(api: Api) {
    api.user("ann", None).await;
    buy(&api, "free", 100, 0).await.expect(201);
    assert_eq!(free_and_debt(&api).await, (100, 0), "E26");
    let body = json!({"provider": "bank", "payment": "free", "ref": "r", "amount": 1});
    let none = api.post("/v1/users/ann/refunds", body).await.expect(422);
    assert_eq!(
        none.body["errors"][0]["pointer"], "/amount",
        "E26: nothing to refund"
    );
    buy(&api, "three", 30, 1190).await.expect(201);
    refund(&api, ("three", "r"), 595, "succeeded").await;
    assert_eq!(free_and_debt(&api).await, (115, 0), "E27");
}

/// P1: the same purchase from many callers at once, and under keys of their own.
async fn p1_sixty_four_purchases_of_one_ref_are_one_grant(api: Api) {
    api.user("ann", None).await;
    let api = Arc::new(api);
    let buyers = (0..AT_ONCE).map(|_| {
        let api = Arc::clone(&api);
        tokio::spawn(async move { buy(&api, "p", 100, 1000).await })
    });
    let mut answers = Vec::new();
    for buyer in buyers.collect::<Vec<_>>() {
        answers.push(buyer.await.expect("ends"));
    }
    let count = |status: u16| {
        answers
            .iter()
            .filter(|answer| answer.status == status)
            .count()
    };
    assert_eq!((count(201), count(200)), (1, AT_ONCE - 1));
    assert_eq!(free_and_debt(&api).await, (100, 0));
    let credits = api.get("/v1/users/ann/credits").await.expect(200).body;
    assert_eq!(credits["grants"].as_array().map(Vec::len), Some(1));
    let body = json!({"provider": "bank", "payment": "p", "ref": "r", "amount": 400});
    for is_replay in [None, Some("true")] {
        let answer = api
            .post_keyed("/v1/users/ann/refunds", "k", &body)
            .await
            .expect(201);
        assert_eq!(answer.header("idempotent-replayed"), is_replay, "X1");
    }
    let other = json!({"provider": "bank", "payment": "p", "ref": "r2", "amount": 400});
    let reused = api
        .post_keyed("/v1/users/ann/refunds", "k", &other)
        .await
        .expect(422);
    assert_eq!(reused.body["code"], "idempotency_key_reused");
    assert_eq!(free_and_debt(&api).await, (60, 0));
}

/// P5 and P7: an account's payments, newest first by pages; each is found by each of its ids and is nobody else's.
async fn p5_and_p7_payments_are_listed_and_found_by_any_id(api: Api) {
    api.user("ann", None).await;
    api.put("/v1/orgs/acme", json!({})).await.expect(201);
    let purchase = |payment: &str| {
        json!({"provider": "alipay", "ref": payment, "amount": 1000, "currency": "cny",
            "lines": [{"ref": "1", "credits": 10}], "ids": [format!("trade {payment}")]})
    };
    for payment in ["a:1", "b", "c"] {
        let body = purchase(payment);
        api.post("/v1/users/ann/purchases", body).await.expect(201);
        api.pass(TimeDelta::seconds(1));
    }
    let mut listed: Vec<Value> = Vec::new();
    let mut path = "/v1/users/ann/payments?limit=2".to_owned();
    loop {
        let page = api.get(&path).await.expect(200).body;
        let items = page["items"].as_array().expect("a list");
        listed.extend(items.iter().map(|item| item["ref"].clone()));
        match page["next"].as_str() {
            Some(next) => path = format!("/v1/users/ann/payments?limit=2&after={next}"),
            None => break,
        }
    }
    assert_eq!(listed, ["c", "b", "a:1"]);
    for id in ["b", "trade%20b"] {
        let found = api
            .get(&format!("/v1/payments/alipay/{id}"))
            .await
            .expect(200)
            .body;
        assert_eq!(
            (&found["ref"], &found["account"]),
            (&json!("b"), &json!("user:ann"))
        );
        assert_eq!(
            (&found["status"], &found["mode"]),
            (&json!("paid"), &json!("live"))
        );
    }
    api.get("/v1/payments/bank/b").await.expect(404);
    for body in [
        purchase("b"),
        purchase("trade b"),
        json!({"provider": "alipay", "ref": "new", "amount": 5,
        "currency": "cny", "lines": [], "ids": ["c"]}),
    ] {
        let taken = api.post("/v1/orgs/acme/purchases", body).await.expect(409);
        assert_eq!(taken.body["code"], "payment_of_another_account");
    }
    let none = api.get("/v1/orgs/acme/payments").await.expect(200).body;
    assert_eq!(none["items"], json!([]));
    api.get("/v1/payments/alipay/new").await.expect(404);
    let wrong = api
        .get("/v1/users/ann/payments?after=nothing")
        .await
        .expect(422);
    assert_eq!(wrong.body["errors"][0]["parameter"], "after");
}

/// P16: a clear answer that names the field; nothing is booked.
async fn p16_what_does_not_fit_is_refused_by_its_field(api: Api) {
    api.user("ann", None).await;
    let early = json!({"provider": "bank", "payment": "p", "ref": "r", "amount": 5});
    let unknown = api
        .post("/v1/users/ann/refunds", early.clone())
        .await
        .expect(404);
    assert_eq!(
        unknown.body["code"], "unknown_payment",
        "a refund needs its payment"
    );
    buy(&api, "p", 100, 1000).await.expect(201);
    let with = |name: &str, value: Value| {
        let mut body = early.clone();
        body[name] = value;
        body
    };
    for (body, pointer) in [
        (with("amount", json!(1001)), "/amount"),
        (with("amount", json!(-5)), "/amount"),
        (with("amount", json!(0)), "/amount"),
        (with("currency", json!("usd")), "/currency"),
        (with("status", json!("maybe")), "/status"),
        (with("ref", json!("")), "/ref"),
    ] {
        let refused = api.post("/v1/users/ann/refunds", body).await.expect(422);
        assert_eq!(
            refused.body["errors"][0]["pointer"], pointer,
            "{}",
            refused.text
        );
    }
    assert_eq!(free_and_debt(&api).await, (100, 0));
}

/// P16: as much for purchases; one that is known with other money is not another one.
async fn p16_a_purchase_that_does_not_fit_is_refused_by_its_field(api: Api) {
    api.user("ann", None).await;
    buy(&api, "p", 100, 1000).await.expect(201);
    let purchase = |name: &str, value: Value| {
        let mut body = json!({"provider": "bank", "ref": "q", "amount": 1000, "currency": "eur",
            "lines": [{"ref": "1", "credits": 100}, {"ref": "2", "credits": 5}]});
        body[name] = value;
        body
    };
    let line = |line: Value| json!([{"ref": "1", "credits": 100}, line]);
    let over = api.engine.now();
    for (body, pointer) in [
        (
            purchase("amount", json!(1_000_000_000_000_001_u64)),
            "/amount",
        ),
        (purchase("amount", json!(-1)), "/amount"),
        (purchase("currency", json!("EUR")), "/currency"),
        (purchase("provider", json!("Bank!")), "/provider"),
        (
            purchase("lines", line(json!({"ref": "1", "credits": 5}))),
            "/lines/1/ref",
        ),
        (
            purchase(
                "lines",
                line(json!({"ref": "2", "credits": 5, "expires_at": over})),
            ),
            "/lines/1/expires_at",
        ),
        (
            purchase("lines", line(json!({"ref": "2", "credits": 0}))),
            "/lines/1/credits",
        ),
        (purchase("ids", json!(vec!["x"; 21])), "/ids"),
    ] {
        let refused = api.post("/v1/users/ann/purchases", body).await.expect(422);
        assert_eq!(
            refused.body["errors"][0]["pointer"], pointer,
            "{}",
            refused.text
        );
    }
    for (credits, amount, field) in [(100, 999, "/amount"), (99, 1000, "/lines")] {
        let differs = buy(&api, "p", credits, amount).await.expect(409);
        assert_eq!(differs.body["code"], "payment_differs");
        assert_eq!(differs.body["errors"][0]["pointer"], field);
    }
    let nobody =
        json!({"provider": "bank", "ref": "n", "amount": 5, "currency": "eur", "lines": []});
    api.post("/v1/users/nobody/purchases", nobody)
        .await
        .expect(404);
    api.get("/v1/payments/bank/q").await.expect(404);
    api.get("/v1/payments/bank/n").await.expect(404);
    assert_eq!(free_and_debt(&api).await, (100, 0));
}

/// P10: an operator forgives a debt, in part or whole, and says why.
async fn p10_a_debt_is_forgiven_with_a_reason(api: Api) {
    api.user("ann", None).await;
    spent(&api, "a", 30).await;
    refund(&api, ("a", "r"), 1000, "succeeded").await;
    assert_eq!(free_and_debt(&api).await, (0, 30));
    let path = "/v1/users/ann/debt/forgive";
    let silent = api.post(path, json!({"amount": 10})).await.expect(422);
    assert!(silent.text.contains("reason"), "{}", silent.text);
    let part = json!({"amount": 10, "reason": "our mistake"});
    for is_replay in [None, Some("true")] {
        let forgiven = api.post_keyed(path, "f", &part).await.expect(200);
        assert_eq!(forgiven.body["changed"], "debt_forgiven");
        assert_eq!(forgiven.header("idempotent-replayed"), is_replay);
    }
    assert_eq!(free_and_debt(&api).await, (0, 20));
    let more = api
        .post(path, json!({"amount": 21, "reason": "more"}))
        .await
        .expect(409);
    assert_eq!(more.body["code"], "debt_too_small");
    api.post(path, json!({"reason": "the rest"}))
        .await
        .expect(200);
    assert_eq!(free_and_debt(&api).await, (0, 0));
    let none = api
        .post(path, json!({"reason": "nothing"}))
        .await
        .expect(409);
    assert_eq!(none.body["code"], "debt_too_small");
}
