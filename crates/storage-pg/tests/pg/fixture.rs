//! A migrated store of its own for each test, and values to put into it.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use quota_core::answer::Answer;
use quota_core::balance::Balance;
use quota_core::draw::{Scope, Source};
use quota_core::home::Account;
use quota_core::ids::{AccountId, FeatureCode, IdempotencyKey};
use quota_core::operation::{Entry, Operation, OperationKind, id_at};
use quota_core::origin::Origin;
use quota_core::ports::{
    AccountWrite, HomeQuery, HomeWrite, KeyQuery, LoadQuery, Loaded, Store, WriteBatch,
};
use serde_json::json;
use storage_pg::{PgStore, Settings};
use uuid::Uuid;

pub(crate) async fn fresh(name: &str) -> (PgStore, String) {
    let name = name.to_owned();
    let url = tokio::task::spawn_blocking(move || testkit::pg::fresh_database(&name));
    let url = url.await.expect("a database");
    let store = PgStore::connect(&url, Settings::patient())
        .await
        .expect("the server answers");
    let direct = testkit::pg::direct_url(&url);
    storage_pg::migrate(&direct)
        .await
        .expect("an empty database migrates");
    (store, url)
}

/// Another store on a database that was migrated.
pub(crate) async fn reopened(url: &str) -> PgStore {
    let store = PgStore::connect(url, Settings::patient()).await;
    store.expect("the server answers")
}

/// Runs SQL as the superuser, beside the store.
pub(crate) async fn sql(url: &str, statement: &str) -> Result<String, String> {
    let (url, statement) = (url.to_owned(), statement.to_owned());
    let ran = tokio::task::spawn_blocking(move || testkit::pg::sql(&url, &statement));
    ran.await
        .expect("psql runs")
        .map_err(|error| error.to_string())
}

/// The 21st of November 2026, 10:00, in whole microseconds; within the first partition or before it.
pub(crate) fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::<Utc>::UNIX_EPOCH + TimeDelta::seconds(1_795_255_200 + seconds)
}

pub(crate) fn id(text: &str) -> AccountId {
    AccountId::parse(text).expect("a literal id")
}

pub(crate) fn key(text: &str) -> IdempotencyKey {
    IdempotencyKey::new(text).expect("a literal key")
}

pub(crate) fn feature() -> FeatureCode {
    FeatureCode::new("articles").expect("a literal code")
}

/// Read from JSON, so that what is new and has a default needs no change here.
pub(crate) fn balance(used: u64) -> Balance {
    let balance = json!({
        "b": "grant:pack-1", "g": 100, "u": used, "s": at(0).timestamp_micros(),
    });
    serde_json::from_value(balance).expect("a balance")
}

pub(crate) fn account(used: u64) -> Arc<Account> {
    let terms = json!({ "created_at": at(0), "time_zone": "UTC" });
    let books = json!({ "balances": [balance(used)], "lifetime": { "articles": used } });
    Arc::new(Account {
        terms: serde_json::from_value(terms).expect("terms"),
        books: serde_json::from_value(books).expect("books"),
    })
}

pub(crate) fn operation(account: &AccountId, sequence: u64) -> Operation {
    Operation {
        id: id_at(Uuid::now_v7(), sequence),
        account: account.clone(),
        sequence,
        at: at(1),
        kind: OperationKind::Consume,
        key: None,
        body_hash: [7; 32],
        refers_to: None,
        entries: vec![Entry {
            scope: Scope::User,
            account: account.clone(),
            bucket: balance(0).bucket,
            feature: Some(feature()),
            source: Source::Credits,
            used: 1,
            held: 0,
            overage: 0,
            granted: 0,
            unit_cost: 1,
            used_at: None,
            first_unit: None,
        }],
        answer: Answer::Allowed {
            balances: Vec::new(),
        },
        origin: Origin::default(),
    }
}

/// A user's home with one new operation and `used` in its books.
pub(crate) fn change(home: &AccountId, expected_version: u64, used: u64) -> HomeWrite {
    HomeWrite {
        home: home.clone(),
        expected_version,
        new_version: expected_version + 1,
        hold_before: None,
        accounts: vec![AccountWrite {
            has_new_terms: true,
            id: home.clone(),
            account: account(used),
            due_at: None,
        }],
        operations: vec![operation(home, expected_version + 1).into()],
        reservations: Vec::new(),
        events: Vec::new(),
        closed: Vec::new(),
        unseen_keys: Vec::new(),
    }
}

pub(crate) fn batch(homes: Vec<HomeWrite>) -> WriteBatch {
    WriteBatch {
        catalog_version: 0,
        keys_since: at(-1_000_000),
        lease: None,
        homes,
    }
}

pub(crate) fn ask(home: &AccountId) -> HomeQuery {
    HomeQuery::of(home.clone())
}

pub(crate) fn query(homes: Vec<HomeQuery>) -> LoadQuery {
    LoadQuery {
        now: at(10),
        keys_since: at(-1_000_000),
        homes,
    }
}

pub(crate) async fn load(store: &PgStore, homes: Vec<HomeQuery>) -> Loaded {
    store.load(&query(homes)).await.expect("loads")
}

pub(crate) async fn write(store: &PgStore, homes: Vec<HomeWrite>) -> Vec<AccountId> {
    store.write(&batch(homes)).await.expect("writes")
}

pub(crate) fn key_query(account: &AccountId, text: &str) -> KeyQuery {
    KeyQuery {
        account: account.clone(),
        key: key(text),
    }
}
