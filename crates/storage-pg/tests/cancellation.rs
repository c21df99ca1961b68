//! sqlx 0.9.0 gives a connection back to its pool inside an open transaction when `begin()` is dropped. This shows
//! the defect on a plain pool, and that the store's pool and its own transactions are safe from it.
#![expect(clippy::expect_used, reason = "a test that cannot go on says why")]

use std::sync::Arc;
use std::time::Duration;

use quota_core::ports::{Loaded, Store, Upkeep};
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgPool, PgPoolOptions};
use sqlx::{Postgres, query};
use storage_pg::{PgStore, Settings};
use testkit::fixtures::{batch, first_write, home_query, load_query, next_write, user};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot, watch};

/// How long a test waits for what comes at once.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// A proxy before the server that holds back its answers while it is shut.
struct Proxy {
    url: String,
    is_shut: Arc<watch::Sender<bool>>,
    holds_one: Arc<Notify>,
}

impl Proxy {
    async fn before(url: &str) -> Self {
        let (start, rest) = url.split_once('@').expect("a user in the URL");
        let (server, database) = rest.split_once('/').expect("a database in the URL");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("is bound").port();
        let is_shut = Arc::new(watch::Sender::new(false));
        let holds_one = Arc::new(Notify::new());
        let (server, gate) = (
            server.to_owned(),
            (Arc::clone(&is_shut), Arc::clone(&holds_one)),
        );
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&server)
                    .await
                    .expect("the server answers");
                tokio::spawn(carry(
                    client,
                    server,
                    gate.0.subscribe(),
                    Arc::clone(&gate.1),
                ));
            }
        });
        Self {
            url: format!("{start}@127.0.0.1:{port}/{database}"),
            is_shut,
            holds_one,
        }
    }

    /// Drops `call` when the server has answered it and the answer is on the way.
    async fn give_up<T>(&self, call: impl Future<Output = T>) {
        self.is_shut.send_replace(true);
        tokio::select! {
            _ = call => panic!("the answer was held back"),
            () = self.holds_one.notified() => {}
        }
        self.is_shut.send_replace(false);
    }
}

async fn carry(
    client: TcpStream,
    server: TcpStream,
    mut is_shut: watch::Receiver<bool>,
    holds_one: Arc<Notify>,
) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let forth = tokio::spawn(async move {
        drop(tokio::io::copy(&mut from_client, &mut to_server).await);
    });
    let mut answer = vec![0; 65_536];
    while let Ok(read @ 1..) = from_server.read(&mut answer).await {
        if *is_shut.borrow() {
            holds_one.notify_one();
        }
        let is_open = is_shut.wait_for(|is_shut| !is_shut).await.is_ok();
        if !is_open || to_client.write_all(&answer[..read]).await.is_err() {
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

/// Transactions that were begun and stand still.
async fn left_open(url: &str) -> String {
    let open = "select count(*) from pg_stat_activity
        where datname = current_database() and state like 'idle in transaction%'";
    outside(url, open).await
}

/// A store that has one connection, and the others of its pool, which are in use.
async fn store_on_one(url: &str) -> (PgStore, Vec<PoolConnection<Postgres>>) {
    let settings = Settings {
        acquire_timeout: WAIT_MAX,
        ..Settings::patient()
    };
    let store = PgStore::connect(url, settings).await.expect("connects");
    let others = all_but_one(store.pool()).await;
    (store, others)
}

/// Takes all connections of a pool and gives one back: whoever asks the pool gets this one.
async fn all_but_one(pool: &PgPool) -> Vec<PoolConnection<Postgres>> {
    let mut taken = Vec::new();
    for _ in 0..pool.options().get_max_connections() {
        taken.push(pool.acquire().await.expect("a connection"));
    }
    taken.pop();
    until_one_is_free(pool).await;
    taken
}

/// A connection that was given back is looked at before it is free.
async fn until_one_is_free(pool: &PgPool) {
    let is_free = async {
        while pool.num_idle() == 0 {
            tokio::task::yield_now().await;
        }
    };
    let is_free = tokio::time::timeout(WAIT_MAX, is_free).await;
    is_free.expect("one comes back");
}

/// Gives up on a `begin()` by the only free connection, then inserts by the same one.
async fn insert_after_a_dropped_begin(pool: &PgPool, proxy: &Proxy) {
    proxy.give_up(pool.begin()).await;
    query("insert into notes values ('kept')")
        .execute(pool)
        .await
        .expect("says that it inserted");
}

/// When this fails, sqlx has been mended, and the guard of the store's pool may go.
#[tokio::test]
async fn a_plain_pool_loses_what_is_written_after_a_dropped_begin() {
    let url = fresh().await;
    let proxy = Proxy::before(&url).await;
    let pool = PgPoolOptions::new()
        .max_connections(2)
        .test_before_acquire(false)
        .connect(&proxy.url)
        .await
        .expect("connects");
    let _others = all_but_one(&pool).await;
    insert_after_a_dropped_begin(&pool, &proxy).await;
    assert_eq!(outside(&url, "select count(*) from notes").await, "0");
    assert_eq!(left_open(&url).await, "1");
}

#[tokio::test]
async fn the_stores_pool_loses_nothing_after_a_dropped_begin() {
    let url = fresh().await;
    let proxy = Proxy::before(&url).await;
    let (store, others) = store_on_one(&proxy.url).await;
    insert_after_a_dropped_begin(store.pool(), &proxy).await;
    assert_eq!(outside(&url, "select count(*) from notes").await, "1");
    assert_eq!(left_open(&url).await, "0");
    drop(others);
    store.close().await;
    assert_eq!(outside(&url, "select count(*) from notes").await, "1");
}

/// The transaction is run to its end by a task of its own: the decision is asked for, and what it says is written.
#[tokio::test]
async fn a_caller_that_gives_up_on_a_locked_home_leaves_no_transaction_behind() {
    const CALLS: u64 = 5;
    let url = fresh().await;
    storage_pg::migrate(&testkit::pg::direct_url(&url))
        .await
        .expect("migrates");
    let proxy = Proxy::before(&url).await;
    let direct = PgStore::connect(&url, Settings::patient()).await;
    let direct = direct.expect("connects");
    let (store, _others) = store_on_one(&proxy.url).await;
    let alice = user("alice");
    let created = batch(vec![first_write(&alice)]);
    direct.write(&created).await.expect("writes");
    let asked = load_query(vec![home_query(&alice)]);
    for number in 1..=CALLS {
        let (says, is_decided) = oneshot::channel();
        let decide = Box::new(move |loaded: Loaded| {
            says.send(()).expect("the test waits");
            let home = &loaded.homes[0];
            Some(batch(vec![next_write(&home.id, home.version)]))
        });
        until_one_is_free(store.pool()).await;
        proxy.give_up(store.write_locked(&asked, decide)).await;
        let is_decided = tokio::time::timeout(WAIT_MAX, is_decided).await;
        let is_decided = is_decided.expect("is decided in time");
        is_decided.expect("the task goes on without its caller");
        // The only connection comes back when the task has ended its transaction.
        store.ping().await.expect("answers");
        assert_eq!(left_open(&url).await, "0");
        let loaded = direct.load(&asked).await.expect("loads");
        assert_eq!(loaded.homes[0].version, 1 + number);
    }
}
