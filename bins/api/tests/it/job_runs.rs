//! Jobs by hand, over HTTP and by the real runner on SQLite: for all, for one account, for some features.

use std::sync::Arc;

use chrono::TimeDelta;
use quota_core::ports::JobStore as _;
use serde_json::{Value, json};
use storage_sqlite::{SqliteSettings, SqliteStore};
use tempfile::TempDir;

use crate::api_under_test::{Api, noon};

async fn stage() -> (Api, SqliteStore, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("quota.db");
    let store = SqliteStore::open(file, &SqliteSettings::patient()).await;
    let store = store.expect("SQLite opens");
    let api = Api::with_jobs(Arc::new(store.clone())).await;
    (api, store, folder)
}

/// Runs a job to its end; how it ended.
async fn ran(api: &Api, job: &str, body: Value) -> Value {
    let path = format!("/v1/jobs/{job}/run");
    let begun = api.post(&path, body).await.expect(202).body;
    assert_eq!(begun["state"], "running");
    assert_eq!(begun["asked_by"], "admin of the test");
    loop {
        let path = format!("/v1/jobs/{job}/runs?limit=1");
        let newest = api.get(&path).await.expect(200).body["items"][0].clone();
        assert_eq!(newest["id"], begun["id"]);
        if newest["state"] != "running" {
            assert_eq!(newest["state"], "succeeded", "{newest}");
            return newest;
        }
    }
}

/// A subscription that ended before today, and nobody has written that down.
async fn ended_long_ago(api: &Api, user: &str) {
    api.user(user, None).await;
    let period = json!({"plan": "article_pro", "starts_at": "2026-09-01T00:00:00Z",
        "ends_at": "2026-10-01T00:00:00Z"});
    api.subscribe(&format!("users/{user}"), period).await;
}

#[tokio::test]
async fn a_job_runs_for_one_account_and_then_for_the_others() {
    // S9.
    let (api, store, _folder) = stage().await;
    for user in ["ann", "ben", "cleo"] {
        ended_long_ago(&api, user).await;
    }
    let before = api.everything_of("users/ben").await;
    let job = "expire_subscriptions";
    let one = ran(&api, job, json!({"account": "user:ann"})).await;
    assert_eq!((&one["done"], &one["failed"]), (&json!(1), &json!(0)));
    assert_eq!(one["filter"], "account user:ann");
    assert_eq!(api.everything_of("users/ben").await, before);
    let ledger = api.get("/v1/users/ann/ledger?limit=1").await.expect(200);
    let origin = &ledger.body["items"][0]["origin"];
    assert_eq!(origin["actor"], format!("job:{job}"));
    assert_eq!(origin["request_id"], one["id"]);
    let path = format!("/v1/runs/{}/batches", one["id"].as_str().expect("an id"));
    let batches = api.get(&path).await.expect(200).body;
    assert_eq!(batches["items"][0]["number"], 1);
    assert_eq!(batches["items"][0]["done"], 1);
    let all = ran(&api, job, json!({})).await;
    assert_eq!(all["done"], 2, "ben and cleo; ann is done");
    assert_eq!(all["filter"], Value::Null);
    assert_eq!(ran(&api, job, json!({})).await["done"], 0);
    let history = api.get(&format!("/v1/jobs/{job}/runs")).await.expect(200);
    assert_eq!(history.body["items"].as_array().map(Vec::len), Some(3));
    let jobs = api.get("/v1/jobs").await.expect(200).body;
    let jobs = jobs["items"].as_array().cloned().unwrap_or_default();
    let listed = jobs.iter().find(|listed| listed["name"] == job);
    let last = &listed.expect("the job")["last_run"];
    assert_eq!(last["id"], history.body["items"][0]["id"]);
    store.close().await;
}

#[tokio::test]
async fn a_job_runs_for_some_features_and_then_for_the_others() {
    // W5: a reset closes windows in the books.
    let (api, store, _folder) = stage().await;
    api.user("ann", Some("article_pro")).await;
    for feature in ["articles_per_month", "publish_per_month"] {
        api.consume("ann", feature, 1).await.expect(200);
    }
    api.pass(TimeDelta::days(40));
    let closed = async |body: Value| ran(&api, "reset_monthly", body).await;
    let only = json!({"account": "user:ann", "features": ["publish_per_month"]});
    let run = closed(only.clone()).await;
    assert_eq!(run["filter"], "account user:ann, feature publish_per_month");
    assert_eq!(run["done"], 1, "{run}");
    assert_eq!(closed(only).await["done"], 0, "that one is closed");
    let other = closed(json!({"feature": "articles_per_month"})).await;
    assert_eq!(other["done"], 1, "the other was left open: {other}");
    let ledger = api.get("/v1/users/ann/ledger?limit=1").await.expect(200);
    assert_eq!(ledger.body["items"][0]["kind"], "close");
    assert_eq!(closed(json!({})).await["done"], 0, "nothing is left");
    store.close().await;
}

#[tokio::test]
async fn the_batches_of_a_run_that_never_was_are_not_found() {
    let (api, store, _folder) = stage().await;
    let unknown = "/v1/runs/00000000-0000-7000-8000-000000000000/batches";
    let answer = api.get(unknown).await.expect(404);
    assert_eq!(answer.body["code"], "unknown_run");
    // A run that had nothing to do has no batch, and is a run all the same.
    let idle = ran(&api, "sweep_reservations", json!({})).await;
    let path = format!("/v1/runs/{}/batches", idle["id"].as_str().expect("an id"));
    let batches = api.get(&path).await.expect(200);
    assert_eq!(batches.body["items"], json!([]));
    store.close().await;
}

#[tokio::test]
async fn a_run_that_cannot_be_is_refused_and_leaves_no_history() {
    let (api, store, _folder) = stage().await;
    let run = async |job: &str, body: Value| api.post(&format!("/v1/jobs/{job}/run"), body).await;
    let unknown = run("reset_hourly", json!({})).await.expect(404);
    assert_eq!(unknown.body["code"], "unknown_job");
    let unknown = run("audit", json!({"account": "user:nobody"})).await;
    assert_eq!(unknown.expect(404).body["code"], "unknown_account");
    for (body, pointer) in [
        (json!({"feature": "nothing"}), "/feature"),
        (
            json!({"features": ["publish_per_month", "nothing"]}),
            "/features/1",
        ),
    ] {
        let unknown = run("reset_daily", body).await.expect(404);
        assert_eq!(unknown.body["code"], "unknown_feature");
        assert_eq!(unknown.body["errors"][0]["pointer"], pointer);
        assert!(unknown.text.contains("`nothing`"), "{}", unknown.text);
    }
    for (body, pointer) in [
        (json!({"account": "user:ann"}), "/account"),
        (json!({"feature": "storage_space"}), "/feature"),
        (json!({"features": ["storage_space"]}), "/features"),
        (json!({"account": "ann"}), "/account"),
        (json!({"features": [""]}), "/features/0"),
        (json!({"accounts": []}), "/accounts"),
    ] {
        let refused = run("prune", body.clone()).await.expect(422);
        assert_eq!(refused.body["errors"][0]["pointer"], pointer, "{body}");
    }
    let until = noon() + TimeDelta::minutes(1);
    let lease = store.take_lease("prune", "another", noon(), until).await;
    assert!(lease.expect("an answer").is_some());
    let busy = run("prune", json!({})).await.expect(409);
    assert_eq!(busy.body["code"], "job_at_work");
    let history = api.get("/v1/jobs/prune/runs").await.expect(200);
    assert_eq!(history.body["items"], json!([]));
    api.pass(TimeDelta::minutes(1));
    assert_eq!(
        ran(&api, "prune", json!({})).await["owner"],
        "api-of-the-test"
    );
    store.close().await;
}
