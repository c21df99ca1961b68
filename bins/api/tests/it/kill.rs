//! The built binary is killed under load, ten times, and started again: what was answered is there, and there once.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::Arc;
use std::time::Duration;

use quota_core::ids::AccountId;
use quota_core::ports::Storage;
use reqwest::Method;
use serde_json::json;
use storage_sqlite::{SqliteSettings, SqliteStore};
use testkit::races::Aftermath;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinSet, block_in_place};

use crate::nodes::{CATALOG, Client, Node, admin_key};

const KILLS: u32 = 10;
/// Answers between two kills.
const ANSWERS: usize = 60;
/// Longest time from the last of these answers to the kill.
const MICROS_MAX: u64 = 5_000;
/// Users, and how many clients spend for each; the last user has 40 units.
const USERS: [(&str, &str); 3] = [("ann", "wide"), ("ben", "wide"), ("cleo", "narrow")];
const CLIENTS_OF_USER: u64 = 3;

/// What a client was told.
struct Told {
    user: &'static str,
    id: String,
    /// How much was taken; nothing by a denial.
    amount: u64,
}

/// Asks again and again, each time until it is answered, until the load is over.
async fn spend(
    mut client: Client,
    (user, number): (&'static str, u64),
    tell: mpsc::Sender<Told>,
    mut over: watch::Receiver<bool>,
) {
    let mut amount = number;
    for round in 0.. {
        if *over.borrow_and_update() {
            return;
        }
        amount = amount % 3 + 1;
        let key = format!("{user}-{number}-{round}");
        let body = json!({"user": user, "feature": "calls", "amount": amount});
        let (status, body) = client.ask(Method::POST, "/v1/consume", &key, &body).await;
        assert!(status == 200 || status == 429, "{key}: {status} {body}");
        let told = Told {
            user,
            id: body["id"].as_str().expect("an id").to_owned(),
            amount: if status == 200 { amount } else { 0 },
        };
        if tell.send(told).await.is_err() {
            return;
        }
    }
}

async fn cast(client: &mut Client) {
    client.apply(CATALOG).await;
    for (user, plan) in USERS {
        let path = format!("/v1/users/{user}");
        client.done(Method::PUT, &path, json!({})).await;
        let path = format!("{path}/subscription");
        client
            .done(Method::POST, &path, json!({"plan": plan}))
            .await;
    }
}

/// A moment that nobody chose.
fn random_moment() -> Duration {
    Duration::from_micros(RandomState::new().build_hasher().finish() % MICROS_MAX)
}

/// Kills and starts a process ten times under load; gives what the clients were told and the last process.
async fn under_load(start: impl Fn() -> Node, secret: &str) -> (Vec<Told>, Node, Client) {
    let mut node = block_in_place(&start);
    let (place, address) = watch::channel(node.address.clone());
    let mut client = Client::new(secret, address);
    cast(&mut client).await;
    let (end, over) = watch::channel(false);
    let (tell, mut heard) = mpsc::channel(1);
    let mut clients = JoinSet::new();
    for (user, _) in USERS {
        for number in 0..CLIENTS_OF_USER {
            let client = client.clone();
            clients.spawn(spend(client, (user, number), tell.clone(), over.clone()));
        }
    }
    drop(tell);
    let mut told = Vec::new();
    for _ in 0..KILLS {
        let enough = told.len() + ANSWERS;
        while told.len() < enough {
            told.push(heard.recv().await.expect("clients are at work"));
        }
        let moment = tokio::time::sleep(random_moment());
        tokio::pin!(moment);
        loop {
            tokio::select! {
                () = &mut moment => break,
                Some(one) = heard.recv() => told.push(one),
            }
        }
        block_in_place(|| node.kill_9());
        node = block_in_place(&start);
        place.send_replace(node.address.clone());
    }
    end.send_replace(true);
    while let Some(one) = heard.recv().await {
        told.push(one);
    }
    while let Some(ended) = clients.join_next().await {
        ended.expect("a client ends well");
    }
    (told, node, client)
}

/// Every id in a user's ledger of consumptions, by how often it is there.
async fn booked(client: &mut Client, user: &str) -> BTreeMap<String, u32> {
    let mut found = BTreeMap::new();
    let mut after = String::new();
    loop {
        let path = format!("/v1/users/{user}/ledger?limit=1000{after}");
        let page = client.done(Method::GET, &path, json!({})).await;
        for operation in page["items"].as_array().expect("a list") {
            if operation["kind"] == "consume" {
                let id = operation["id"].as_str().expect("an id").to_owned();
                *found.entry(id).or_default() += 1;
            }
        }
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return found,
        }
    }
}

/// I7, I8: kills a process ten times under load, and looks at what is left: over HTTP, and by the auditor.
pub(crate) async fn nothing_is_lost_or_doubled(
    start: impl Fn() -> Node,
    secret: &str,
    open: impl AsyncFn() -> Arc<dyn Storage>,
) {
    let (told, mut node, mut client) = under_load(start, secret).await;
    let mut taken = BTreeMap::new();
    for (user, plan) in USERS {
        let own = || told.iter().filter(|one| one.user == user);
        let sum: u64 = own().map(|one| one.amount).sum();
        assert_eq!(client.used(&format!("users/{user}"), "calls").await, sum);
        assert!(sum > 0, "{user} was served");
        assert!(plan == "wide" || (38..=40).contains(&sum), "{user}: {sum}");
        let ids: BTreeMap<String, u32> = own().map(|one| (one.id.clone(), 1)).collect();
        assert_eq!(ids.len(), own().count(), "an id names one operation");
        assert_eq!(booked(&mut client, user).await, ids, "{user}");
        taken.insert(user, sum);
    }
    // Killed once more, with nothing on the way: what is in the store is all that it knew.
    block_in_place(|| node.kill_9());
    let after = Aftermath::of(open().await.as_ref()).await;
    for (user, sum) in taken {
        let account = AccountId::parse(&format!("user:{user}")).expect("an id");
        assert_eq!(after.used(&account), sum, "{user}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_on_sqlite_killed_ten_times_loses_and_doubles_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("quota.db");
    let open = async || {
        let store = SqliteStore::open(&file, &SqliteSettings::patient()).await;
        let store: Arc<dyn Storage> = Arc::new(store.expect("SQLite opens"));
        store
    };
    let secret = admin_key(open().await).await;
    let start = || Node::start(folder.path(), &[]);
    nothing_is_lost_or_doubled(start, &secret, open).await;
}
