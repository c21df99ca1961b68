//! What the schema itself holds, whoever writes to it.
#![expect(clippy::expect_used, reason = "a call that fails is a failed test")]

use quota_core::ports::{Audits, Store, StoreError, Upkeep};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Row};
use storage_sqlite::{SqliteSettings, SqliteStore, foreign_table};
use tempfile::TempDir;
use testkit::fixtures::{batch, first_write, home_query, load_query, user};

async fn open() -> (SqliteStore, SqliteConnection, TempDir) {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("quota.db");
    let store = SqliteStore::open(&file, &SqliteSettings::patient()).await;
    let store = store.expect("opens");
    let written = store.write(&batch(vec![first_write(&user("alice"))])).await;
    written.expect("writes");
    let other = SqliteConnectOptions::new().filename(file).connect().await;
    (store, other.expect("connects"), folder)
}

async fn refused(connection: &mut SqliteConnection, statement: &'static str) -> String {
    let done = sqlx::query(statement).execute(connection).await;
    done.expect_err("is refused").to_string()
}

/// A file with tables and none of ours is another program's; one that is empty, missing or ours is not.
#[tokio::test]
async fn a_file_of_another_program_is_told_by_its_tables() {
    let (store, mut other, folder) = open().await;
    let own = folder.path().join("quota.db");
    assert_eq!(foreign_table(&own).await.expect("is read"), None);
    // An application that keeps tables of its own beside ours.
    let made = sqlx::query("create table articles (id integer)");
    made.execute(&mut other).await.expect("is made");
    assert_eq!(foreign_table(&own).await.expect("is read"), None);
    store.close().await;
    let file = folder.path().join("app.db");
    let options = SqliteConnectOptions::new().filename(&file);
    let mut app = options.create_if_missing(true).connect().await;
    let app = app.as_mut().expect("connects");
    assert_eq!(foreign_table(&file).await.expect("is read"), None);
    for table in [
        "create table accounts (id integer)",
        "create table _sqlx_migrations (version integer)",
    ] {
        sqlx::query(table)
            .execute(&mut *app)
            .await
            .expect("is made");
    }
    let found = foreign_table(&file).await.expect("is read");
    assert_eq!(found.as_deref(), Some("accounts"));
}

/// Operations are never changed or removed.
#[tokio::test]
async fn the_ledger_takes_no_change() {
    let (_store, mut other, _folder) = open().await;
    for statement in [
        "update operations set at = 0",
        "update operations set entries = '[]' where home = 'user:alice'",
        "delete from operations",
    ] {
        let what = refused(&mut other, statement).await;
        assert!(what.contains("operations_are_kept"), "{what}");
    }
}

/// No balance is negative, and no grant is overdrawn, whatever statement tries.
#[tokio::test]
async fn the_books_take_nothing_negative_or_overdrawn() {
    let (_store, mut other, _folder) = open().await;
    for statement in [
        "update accounts set books = json_set(books, '$.balances[0].u', -1)",
        "update accounts set books = json_set(books, '$.balances[0].h', -1)",
        "update accounts set books = json_set(books, '$.balances[0].o', -1)",
        "update accounts set books = json_set(books, '$.balances[0].b', 'grant:a', \
         '$.balances[0].u', 999999, '$.balances[0].h', 2)",
    ] {
        let what = refused(&mut other, statement).await;
        assert!(what.contains("accounts_books_are_sound"), "{what}");
    }
    let whole = "update accounts set books = json_set(books, '$.balances[0].b', 'grant:a', \
                 '$.balances[0].u', 999998, '$.balances[0].h', 2)";
    let done = sqlx::query(whole).execute(&mut other).await;
    assert_eq!(done.expect("is taken").rows_affected(), 1);
}

/// A row that the rules cannot read is named, not skipped.
#[tokio::test]
async fn a_row_that_cannot_be_read_is_named() {
    let (store, mut other, _folder) = open().await;
    let broken = "update accounts set terms = '{}'";
    let done = sqlx::query(broken).execute(&mut other).await;
    done.expect("writes");
    let query = load_query(vec![home_query(&user("alice"))]);
    let loaded = store.load(&query).await.expect_err("is corrupt");
    let StoreError::Corrupt { table, key, what } = loaded else {
        panic!("{loaded:?} is not corrupt");
    };
    assert_eq!((table, key.as_str()), ("accounts", "user:alice"));
    assert!(what.starts_with("terms: "), "{what}");
}

/// While another process writes for too long, the store is unavailable; reads go on, and writes do afterwards.
#[tokio::test]
async fn a_file_that_another_process_holds_is_unavailable() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("quota.db");
    let settings = SqliteSettings {
        busy_seconds: 0,
        ..SqliteSettings::patient()
    };
    let store = SqliteStore::open(&file, &settings).await.expect("opens");
    let other = SqliteConnectOptions::new().filename(file).connect().await;
    let mut other = other.expect("connects");
    let held = sqlx::query("begin immediate").execute(&mut other).await;
    held.expect("begins");
    let write = batch(vec![first_write(&user("alice"))]);
    let busy = store.write(&write).await.expect_err("is busy");
    assert!(busy.is_transient(), "{busy:?}");
    store.ping().await.expect("reads go on");
    let freed = sqlx::query("rollback").execute(&mut other).await;
    freed.expect("ends");
    assert_eq!(store.write(&write).await.expect("writes").len(), 1);
}

/// A file that is opened again has everything, and no migration runs twice.
#[tokio::test]
async fn what_was_written_is_there_after_opening_again() {
    let (store, _other, folder) = open().await;
    let alice = user("alice");
    let before = store.audit_home(&alice).await.expect("reads");
    store.close().await;
    let closed = store.audit_home(&alice).await.expect_err("is closed");
    assert!(closed.is_transient(), "{closed:?}");
    let file = folder.path().join("quota.db");
    let again = SqliteStore::open(file, &SqliteSettings::patient()).await;
    let again = again.expect("opens");
    assert_eq!(again.audit_home(&alice).await.expect("reads"), before);
}

/// The connections are as durable as they are meant to be.
#[tokio::test]
async fn a_file_is_in_wal_mode() {
    let (_store, mut other, _folder) = open().await;
    let row = sqlx::query("pragma journal_mode")
        .fetch_one(&mut other)
        .await;
    let mode: String = row.expect("reads").get(0);
    assert_eq!(mode, "wal");
}
