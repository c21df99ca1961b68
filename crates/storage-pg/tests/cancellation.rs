//! sqlx 0.9.0 gives a connection back to its pool inside an open transaction when `begin()` is dropped. This shows
//! the defect on a plain pool, and that the store's pool and its own transactions are safe from it.
#![expect(clippy::expect_used, reason = "a test that cannot go on says why")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use quota_core::ids::AccountId;
use quota_core::ports::{HomeQuery, LoadQuery, Records, Store};
use sqlx::postgres::{PgPool, PgPoolOptions};
use storage_pg::{PgStore, Settings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// How long the proxy holds back each answer; the caller gives up in the middle of it.
const DELAY: Duration = Duration::from_millis(60);
const PATIENCE: Duration = Duration::from_millis(20);

/// A proxy before the server that can hold back its answers.
struct SlowProxy {
    url: String,
    delay_millis: Arc<AtomicU64>,
}

impl SlowProxy {
    async fn before(url: &str) -> Self {
        let (start, rest) = url.split_once('@').expect("a user in the URL");
        let (server, database) = rest.split_once('/').expect("a database in the URL");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("is bound").port();
        let delay_millis = Arc::new(AtomicU64::new(0));
        let (server, delay) = (server.to_owned(), Arc::clone(&delay_millis));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&server)
                    .await
                    .expect("the server answers");
                tokio::spawn(carry(client, server, Arc::clone(&delay)));
            }
        });
        Self {
            url: format!("{start}@127.0.0.1:{port}/{database}"),
            delay_millis,
        }
    }

    fn set(&self, delay: Duration) {
        let millis = u64::try_from(delay.as_millis()).expect("small");
        self.delay_millis.store(millis, Ordering::SeqCst);
    }
}

async fn carry(client: TcpStream, server: TcpStream, delay_millis: Arc<AtomicU64>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let forth = tokio::spawn(async move {
        drop(tokio::io::copy(&mut from_client, &mut to_server).await);
    });
    let mut answer = vec![0; 65_536];
    while let Ok(read @ 1..) = from_server.read(&mut answer).await {
        let millis = delay_millis.load(Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(millis)).await;
        if to_client.write_all(&answer[..read]).await.is_err() {
            break;
        }
    }
    forth.abort();
}

async fn fresh() -> String {
    let url = tokio::task::spawn_blocking(|| testkit::pg::fresh_database("cancellation"));
    let url = url.await.expect("a database");
    let sql = "create table notes (note text)";
    outside(&url, sql).await;
    url
}

/// Runs SQL by another connection.
async fn outside(url: &str, statement: &'static str) -> String {
    let url = url.to_owned();
    let ran = tokio::task::spawn_blocking(move || testkit::pg::sql(&url, statement));
    ran.await.expect("psql runs").expect("the server takes it")
}

/// Gives up on a `begin()` while its answer is on the way, then inserts by the same connection.
async fn insert_after_a_dropped_begin(pool: &PgPool, proxy: &SlowProxy) {
    let warm = pool.acquire().await.expect("a connection");
    drop(warm);
    tokio::time::sleep(PATIENCE).await;
    proxy.set(DELAY);
    let begun = tokio::time::timeout(PATIENCE, pool.begin()).await;
    assert!(begun.is_err(), "the answer was held back");
    proxy.set(Duration::ZERO);
    sqlx::query("insert into notes values ('kept')")
        .execute(pool)
        .await
        .expect("says that it inserted");
}

/// When this fails, sqlx has been mended, and the guard of the store's pool may go.
#[tokio::test]
async fn a_plain_pool_loses_what_is_written_after_a_dropped_begin() {
    let url = fresh().await;
    let proxy = SlowProxy::before(&url).await;
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .test_before_acquire(false)
        .connect(&proxy.url)
        .await
        .expect("connects");
    insert_after_a_dropped_begin(&pool, &proxy).await;
    assert_eq!(outside(&url, "select count(*) from notes").await, "0");
}

#[tokio::test]
async fn the_stores_pool_loses_nothing_after_a_dropped_begin() {
    let url = fresh().await;
    let proxy = SlowProxy::before(&url).await;
    let settings = Settings {
        connections_max: 1,
        ..Settings::default()
    };
    let store = PgStore::connect(&proxy.url, settings)
        .await
        .expect("connects");
    insert_after_a_dropped_begin(store.pool(), &proxy).await;
    assert_eq!(outside(&url, "select count(*) from notes").await, "1");
}

#[tokio::test]
async fn a_caller_that_gives_up_on_a_locked_home_leaves_no_transaction_behind() {
    let url = fresh().await;
    let proxy = SlowProxy::before(&url).await;
    let settings = Settings {
        connections_max: 1,
        ..Settings::default()
    };
    let store = PgStore::connect(&proxy.url, settings)
        .await
        .expect("connects");
    store.migrate().await.expect("migrates");
    let home = AccountId::parse("user:a").expect("a literal id");
    let now = store.time().await.expect("answers").expect("a time");
    let query = LoadQuery {
        now,
        keys_since: now,
        homes: vec![HomeQuery {
            home,
            accounts: Vec::new(),
            reservations: Vec::new(),
            operations: Vec::new(),
            keys: Vec::new(),
        }],
    };
    for _ in 0..5 {
        proxy.set(DELAY);
        let decide = Box::new(|_| None);
        let given_up = tokio::time::timeout(PATIENCE, store.write_locked(&query, decide)).await;
        assert!(given_up.is_err(), "the answer was held back");
        proxy.set(Duration::ZERO);
        // The only connection comes back when the task has ended its transaction.
        store.ping().await.expect("answers");
    }
    let open = "select count(*) from pg_stat_activity
        where datname = current_database() and state like 'idle in transaction%'";
    assert_eq!(outside(&url, open).await, "0");
}
