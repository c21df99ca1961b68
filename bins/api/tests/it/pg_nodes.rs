//! Two processes over one PostgreSQL: they agree without speaking to each other.

use std::sync::Arc;

use reqwest::Method;
use serde_json::json;
use storage_pg::{PgStore, Settings};
use tempfile::TempDir;
use tokio::task::{JoinSet, block_in_place};

use crate::nodes::{CATALOG, Client, Node, admin_key};

const MEMBERS: [&str; 4] = ["ann", "ben", "cleo", "dan"];
/// What the org may take, and how often it is asked for by each of 16 clients.
const SEATS: usize = 300;
const TRIES: usize = 30;

/// Two nodes, an org and its members.
struct Pair {
    nodes: [Node; 2],
    clients: [Client; 2],
    _folder: TempDir,
}

impl Pair {
    async fn start(name: &str, redis: Option<&str>) -> Self {
        let url = block_in_place(|| testkit::pg::fresh_database(name));
        storage_pg::migrate(&testkit::pg::direct_url(&url))
            .await
            .expect("it migrates");
        let store = PgStore::connect(&url, Settings::patient()).await;
        let store = store.expect("PostgreSQL answers");
        let secret = admin_key(Arc::new(store)).await;
        let folder = tempfile::tempdir().expect("a folder");
        let mut environment = vec![("DATABASE_URL", url.as_str())];
        if let Some(redis) = redis {
            environment.extend([("REDIS_URL", redis), ("QUOTA_REDIS_PREFIX", name)]);
        }
        let node = || block_in_place(|| Node::start(folder.path(), &environment));
        let nodes = [node(), node()];
        let mut clients = [
            Client::of(&nodes[0], &secret),
            Client::of(&nodes[1], &secret),
        ];
        let [first, second] = &mut clients;
        first.apply(CATALOG).await;
        first.done(Method::PUT, "/v1/orgs/acme", json!({})).await;
        let path = "/v1/orgs/acme/subscription";
        first
            .done(Method::POST, path, json!({"plan": "wide"}))
            .await;
        for (number, user) in MEMBERS.iter().enumerate() {
            let by = if number % 2 == 0 {
                &mut *first
            } else {
                &mut *second
            };
            let path = format!("/v1/users/{user}");
            by.done(Method::PUT, &path, json!({"org": "acme"})).await;
        }
        Self {
            nodes,
            clients,
            _folder: folder,
        }
    }
}

/// Asks for seats; how many were given.
async fn take_seats(mut client: Client, user: &'static str, by: usize) -> usize {
    let mut given = 0;
    for round in 0..TRIES {
        let key = format!("{user}-{by}-{round}");
        let body = json!({"user": user, "feature": "seats", "amount": 1});
        let (status, body) = client.ask(Method::POST, "/v1/consume", &key, &body).await;
        match status {
            200 => given += 1,
            429 => assert_eq!(body["reason"], "org_limit_reached", "{body}"),
            _ => panic!("{key}: {status} {body}"),
        }
    }
    given
}

/// O5, X4: an org's limit is one limit, however many nodes decide.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_give_an_org_exactly_its_limit() {
    let mut pair = Pair::start("api_two_limit", None).await;
    let mut clients = JoinSet::new();
    for by in 0..4 {
        for user in MEMBERS {
            clients.spawn(take_seats(pair.clients[by % 2].clone(), user, by));
        }
    }
    let mut given = 0;
    while let Some(own) = clients.join_next().await {
        given += own.expect("a client ends well");
    }
    assert_eq!(given, SEATS, "of {} tries", 16 * TRIES);
    for client in &mut pair.clients {
        assert_eq!(client.used("orgs/acme", "seats").await, 300);
    }
}

/// C11: 64 clients of two processes and a cap of 100: 10 units of the allowance and 25 for 4 each are given, and no more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_never_pass_a_spend_cap() {
    let mut pair = Pair::start("api_two_caps", None).await;
    let [first, _] = &mut pair.clients;
    first.done(Method::PUT, "/v1/users/eve", json!({})).await;
    let plan = json!({"plan": "metered"});
    let path = "/v1/users/eve/subscription";
    first.done(Method::POST, path, plan).await;
    let mut clients = JoinSet::new();
    for by in 0..64 {
        let mut client = pair.clients[by % 2].clone();
        clients.spawn(async move {
            let body = json!({"user": "eve", "feature": "seats", "amount": 1});
            let key = format!("eve-{by}");
            let (status, body) = client.ask(Method::POST, "/v1/consume", &key, &body).await;
            match status {
                200 => 1,
                429 => {
                    assert_eq!(body["reason"], "spend_cap_reached", "{body}");
                    0
                }
                _ => panic!("{key}: {status} {body}"),
            }
        });
    }
    let mut given = 0;
    while let Some(own) = clients.join_next().await {
        given += own.expect("a client ends well");
    }
    assert_eq!(given, 35);
    for client in &mut pair.clients {
        let path = "/v1/users/eve/overview";
        let overview = client.done(Method::GET, path, json!({})).await;
        assert_eq!(overview["spending"]["owed"], 100, "{overview}");
    }
}

/// X1: a key has one effect, whichever node it is sent to, at the same time or later.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_sent_to_two_processes_has_one_effect() {
    let mut pair = Pair::start("api_two_keys", None).await;
    let [first, second] = &mut pair.clients;
    for round in 0..30 {
        let key = format!("k-{round}");
        let body = json!({"user": "ann", "feature": "calls", "amount": 2});
        let (one, other) = tokio::join!(
            first.ask(Method::POST, "/v1/consume", &key, &body),
            second.ask(Method::POST, "/v1/consume", &key, &body),
        );
        assert_eq!((one.0, other.0), (200, 200), "{} {}", one.1, other.1);
        assert_eq!(one.1["id"], other.1["id"]);
        assert_ne!(one.1["replayed"], other.1["replayed"], "one is the first");
    }
    assert_eq!(first.used("users/ann", "calls").await, 60);
}

/// T2, DESIGN 6: what is revoked on one node is refused by the other: for good at once, and in what it shows
/// when it has heard of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_process_revokes_the_other_refuses() {
    let redis = block_in_place(testkit::redis::shared_url);
    let mut pair = Pair::start("api_two_revoked", Some(redis)).await;
    let [first, second] = &mut pair.clients;
    let tokens = "/v1/users/ann/tokens";
    let token = json!({"id": "ci", "cap": 100});
    first.done(Method::POST, tokens, token).await;
    let ask = json!({"user": "ann", "token": "ci", "feature": "calls", "amount": 1});
    let (status, body) = second.ask(Method::POST, "/v1/consume", "c-1", &ask).await;
    assert_eq!(status, 200, "{body}");
    let (_, body) = second.ask(Method::POST, "/v1/check", "c-2", &ask).await;
    assert_eq!(body["allowed"], true, "{body}");
    let made = json!({"name": "app", "scope": "write"});
    let made = first.done(Method::POST, "/v1/keys", made).await;
    let secret = made["secret"].as_str().expect("a secret");
    let mut app = Client::of(&pair.nodes[1], secret);
    let (status, body) = app.ask(Method::POST, "/v1/check", "c-3", &ask).await;
    assert_eq!(status, 200, "{body}");

    let path = format!("{tokens}/ci");
    first.done(Method::DELETE, &path, json!({})).await;
    let id = made["id"].as_str().expect("an id");
    let path = format!("/v1/keys/{id}");
    first.done(Method::DELETE, &path, json!({})).await;
    let (status, body) = second.ask(Method::POST, "/v1/consume", "c-4", &ask).await;
    assert_eq!((status, &body["reason"]), (403, &json!("token_revoked")));
    let (mut shows, mut lets_in) = (true, true);
    while shows || lets_in {
        let (_, body) = second.ask(Method::POST, "/v1/check", "c-5", &ask).await;
        shows = body["allowed"] == true;
        let (status, _) = app.ask(Method::POST, "/v1/check", "c-6", &ask).await;
        lets_in = status == 200;
    }
}

/// O1, X1: whom one node moves, the other charges where it lives now, and knows its keys.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_that_one_process_moves_is_charged_by_the_other_where_it_lives_now() {
    let mut pair = Pair::start("api_two_moves", None).await;
    let [first, second] = &mut pair.clients;
    // What is only the default in an org would end with the first move (U8).
    let unlimited = json!({"unlimited": true});
    let said = first.ask(Method::PATCH, "/v1/users/ann", "unlimited", &unlimited);
    assert_eq!(said.await.0, 200);
    let calls = |amount: u64| json!({"user": "ann", "feature": "calls", "amount": amount});
    let consume = "/v1/consume";
    let (status, before) = second.ask(Method::POST, consume, "k-0", &calls(5)).await;
    assert_eq!(status, 200, "{before}");
    let mut charged = 5;
    for round in 1..=3 {
        for (place, org) in [("out", json!(null)), ("in", json!("acme"))] {
            let body = json!({"org": org});
            let key = format!("move-{place}-{round}");
            let moved = first.ask(Method::PUT, "/v1/users/ann/org", &key, &body);
            let (status, body) = moved.await;
            assert_eq!(status, 200, "{body}");
            let key = format!("k-{place}-{round}");
            let (status, body) = second.ask(Method::POST, consume, &key, &calls(1)).await;
            let is_member = body["balances"]
                .as_array()
                .is_some_and(|balances| balances.iter().any(|balance| balance["scope"] == "org"));
            assert_eq!((status, is_member), (200, place == "in"), "{key}: {body}");
            charged += u64::from(is_member);
            let (_, again) = first.ask(Method::POST, consume, &key, &calls(1)).await;
            assert_eq!(
                (&again["id"], &again["replayed"]),
                (&body["id"], &json!(true))
            );
        }
    }
    assert_eq!(first.used("orgs/acme", "calls").await, charged);
}
