//! How fast batches of single-operation homes are loaded and written; `DATABASE_URL` names an empty database,
//! without it a server is started for the purpose.
//!
//! `cargo run --release -p storage-pg --example pg_write_speed -- [homes in the database] [homes in a batch] [batches]`
#![expect(
    clippy::expect_used,
    reason = "a measurement that cannot go on says why"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use quota_core::answer::Answer;
use quota_core::home::Account;
use quota_core::ids::{AccountId, IdempotencyKey};
use quota_core::operation::{Operation, OperationKind, id_at};
use quota_core::origin::Origin;
use quota_core::ports::{
    AccountWrite, HomeQuery, HomeWrite, KeyQuery, LoadQuery, Store, Upkeep, WriteBatch,
};
use serde_json::json;
use storage_pg::{PgStore, Settings};
use testkit::pg::{BENCH_SETTINGS, PgServer};
use uuid::Uuid;

#[tokio::main]
async fn main() {
    let numbers: Vec<u64> = std::env::args()
        .skip(1)
        .map_while(|text| text.parse().ok())
        .collect();
    let number = |at: usize, default: u64| numbers.get(at).copied().unwrap_or(default);
    let (homes, size, batches) = (number(0, 100_000), number(1, 256), number(2, 200));
    let own = std::env::var("DATABASE_URL").err();
    let server = own.map(|_| PgServer::start_with(&BENCH_SETTINGS).expect("a server"));
    let url = server.as_ref().map_or_else(
        || std::env::var("DATABASE_URL").expect("is set"),
        |server| server.url("postgres"),
    );
    let store = PgStore::connect(&url, Settings::default())
        .await
        .expect("the server answers");
    store.migrate().await.expect("migrates");
    let now = store.time().await.expect("answers").expect("a time");
    for first in (0..homes).step_by(1000) {
        let names: Vec<u64> = (first..homes.min(first + 1000)).collect();
        let writes = names
            .iter()
            .map(|name| write_of(&home(*name), 0, now))
            .collect();
        store.write(&batch(writes, now)).await.expect("writes");
    }
    println!("{homes} homes are there");

    let mut spent = (Duration::ZERO, Duration::ZERO);
    let mut done = 0;
    for round in 0..batches {
        // A prime step spreads a batch over the whole table.
        let names = (0..size).map(|n| home((round * size + n) * 7_919 % homes));
        let query = LoadQuery {
            now,
            keys_since: now - TimeDelta::days(7),
            homes: names.map(ask).collect(),
        };
        let begun = Instant::now();
        let loaded = store.load(&query).await.expect("loads");
        spent.0 += begun.elapsed();
        let writes = loaded.homes.iter().zip(&query.homes).map(|(home, asked)| {
            let mut write = write_of(&home.id, home.version, now);
            Arc::make_mut(&mut write.operations[0]).key = Some(asked.keys[0].key.clone());
            write
        });
        let batch = batch(writes.collect(), now);
        let begun = Instant::now();
        done += store.write(&batch).await.expect("writes").len();
        spent.1 += begun.elapsed();
    }
    let millis = |span: Duration| {
        span.as_secs_f64() * 1000.0 / f64::from(u32::try_from(batches).expect("few"))
    };
    let seconds = (spent.0 + spent.1).as_secs_f64();
    println!(
        "load {:.2} ms, write {:.2} ms a batch of {size}",
        millis(spent.0),
        millis(spent.1)
    );
    println!(
        "{:.0} homes/s",
        f64::from(u32::try_from(done).expect("few")) / seconds
    );
}

fn home(number: u64) -> AccountId {
    AccountId::parse(&format!("user:{number:08}")).expect("an id")
}

fn ask(home: AccountId) -> HomeQuery {
    let key = IdempotencyKey::new(&Uuid::now_v7().to_string()).expect("a key");
    HomeQuery {
        accounts: vec![home.clone()],
        keys: vec![KeyQuery {
            account: home.clone(),
            key,
        }],
        ..HomeQuery::of(home)
    }
}

fn batch(homes: Vec<HomeWrite>, now: DateTime<Utc>) -> WriteBatch {
    WriteBatch {
        catalog_version: 0,
        keys_since: now - TimeDelta::days(7),
        lease: None,
        homes,
    }
}

/// One consume: an account with three balances, an operation with one entry and two scopes in its answer.
fn write_of(home: &AccountId, version: u64, now: DateTime<Utc>) -> HomeWrite {
    let balance = |bucket: &str| json!({ "b": bucket, "g": 1_000_000, "u": version, "s": now.timestamp_micros(), "e": now.timestamp_micros() });
    let terms = json!({
        "created_at": now, "time_zone": "UTC", "subscription": {
            "plan": "article_pro", "status": "active", "anchor_at": now, "starts_at": now,
            "ends_at": now + TimeDelta::days(30), "interval": "month" },
    });
    let books = json!({
        "balances": [balance("window:articles:1700000000000000"), balance("grant:pack-1"), balance("trial:articles")],
        "lifetime": { "articles": version },
    });
    let account = Account {
        terms: serde_json::from_value(terms).expect("terms"),
        books: serde_json::from_value(books).expect("books"),
    };
    let scope = json!({
        "s": "user", "f": "articles", "g": 1_000_000, "u": version, "r": 5, "p": 1_000_000, "c": 7, "w": now });
    let entry = json!({
        "s": "user", "a": home, "b": "window:articles:1700000000000000", "f": "articles",
        "c": "allowance", "u": 1 });
    let operation = Operation {
        id: id_at(Uuid::now_v7(), version + 1),
        account: home.clone(),
        sequence: version + 1,
        at: now,
        kind: OperationKind::Consume,
        key: None,
        body_hash: [3; 32],
        refers_to: None,
        entries: vec![serde_json::from_value(entry).expect("an entry")],
        answer: Answer::Allowed {
            balances: vec![serde_json::from_value(scope).expect("a balance")],
        },
        origin: Origin::default(),
    };
    HomeWrite {
        home: home.clone(),
        expected_version: version,
        new_version: version + 1,
        hold_before: None,
        accounts: vec![AccountWrite {
            has_new_terms: version == 0,
            id: home.clone(),
            account: account.into(),
            due_at: Some(DateTime::<Utc>::UNIX_EPOCH),
        }],
        operations: vec![operation.into()],
        reservations: Vec::new(),
        events: Vec::new(),
        closed: Vec::new(),
        unseen_keys: Vec::new(),
    }
}
