//! A database of its own for a test: a copy of one that was migrated once.

use std::str::FromStr;
use std::sync::Arc;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use storage_pg::{PgStore, Settings, migrate};
use uuid::Uuid;

/// What is copied; migrated again before each copy, which costs a look when nothing is new.
const TEMPLATE: &str = "quota_template";
/// Whoever holds this lock of the server makes or copies the template: nobody may be connected to it then.
const LOCK: i64 = 0x0071_756F_7461;

/// An empty store on a database that nobody else uses.
pub(crate) async fn open() -> (Arc<PgStore>, ()) {
    let url = if testkit::pg::is_given() {
        fresh().await
    } else {
        copy().await
    };
    let store = PgStore::connect(&url, Settings::patient()).await;
    (Arc::new(store.expect("the copy answers")), ())
}

async fn fresh() -> String {
    let url = tokio::task::spawn_blocking(|| testkit::pg::fresh_database("store")).await;
    let url = url.expect("a database");
    let direct = testkit::pg::direct_url(&url);
    migrate(&direct).await.expect("an empty database migrates");
    url
}

async fn copy() -> String {
    let admin_url = tokio::task::spawn_blocking(testkit::pg::shared_url).await;
    let admin = PgConnectOptions::from_str(admin_url.expect("a server")).expect("a URL");
    let mut connection = admin.connect().await.expect("the server answers");
    let locked = sqlx::query("select pg_advisory_lock($1)").bind(LOCK);
    locked
        .execute(&mut connection)
        .await
        .expect("the lock is free at last");
    let known = sqlx::query("select from pg_database where datname = $1").bind(TEMPLATE);
    let known = known.fetch_optional(&mut connection).await;
    if known.expect("the databases are listed").is_none() {
        run(&mut connection, format!("create database {TEMPLATE}")).await;
    }
    let url_of = |name: &str| admin.clone().database(name).to_url_lossy().to_string();
    migrate(&url_of(TEMPLATE))
        .await
        .expect("the template migrates");
    let name = format!("copy_{}", Uuid::now_v7().simple());
    run(
        &mut connection,
        format!("create database {name} template {TEMPLATE}"),
    )
    .await;
    // The lock goes with the connection.
    connection.close().await.expect("the connection ends");
    url_of(&name)
}

async fn run(connection: &mut PgConnection, statement: String) {
    let ran = sqlx::query(AssertSqlSafe(statement))
        .execute(connection)
        .await;
    ran.expect("the server obeys");
}
