//! The same tests on every store.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use storage_pg::PgStore;
use storage_sqlite::{SqliteSettings, SqliteStore};

use crate::api_under_test::Api;

pub(crate) type Example = Pin<Box<dyn Future<Output = ()>>>;

/// Runs an example on a SQLite file.
pub(crate) async fn on_sqlite(example: impl FnOnce(Api) -> Example) {
    let over = async |store| Api::over(store).await;
    with_sqlite(async |store| example(over(store).await).await).await;
}

/// Runs something on a SQLite file.
pub(crate) async fn with_sqlite(work: impl AsyncFnOnce(Arc<SqliteStore>)) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = SqliteStore::open(folder.path().join("quota.db"), &SqliteSettings::patient()).await;
    let store = store.expect("SQLite opens");
    work(Arc::new(store.clone())).await;
    store.close().await;
}

/// Runs an example on a database of its own in PostgreSQL.
pub(crate) async fn on_pg(name: &str, example: impl FnOnce(Api) -> Example) {
    let over = async |store| Api::over(store).await;
    with_pg(name, async |store| example(over(store).await).await).await;
}

/// Runs something on a database of its own in PostgreSQL.
pub(crate) async fn with_pg(name: &str, work: impl AsyncFnOnce(Arc<PgStore>)) {
    let name = format!("api_{name}");
    let url = tokio::task::spawn_blocking(move || testkit::pg::fresh_database(&name));
    let url = url.await.expect("a database");
    storage_pg::migrate(&testkit::pg::direct_url(&url))
        .await
        .expect("it migrates");
    let store = PgStore::connect(&url, storage_pg::Settings::patient()).await;
    let store = store.expect("PostgreSQL answers");
    work(Arc::new(store.clone())).await;
    store.close().await;
}

/// Makes a test of each example on the store in memory, on SQLite and on PostgreSQL.
macro_rules! on_every_store {
    ($($example:ident),* $(,)?) => {
        mod memory {
            $(#[tokio::test]
            async fn $example() {
                super::$example(crate::api_under_test::Api::in_memory().await).await;
            })*
        }
        mod sqlite {
            $(#[tokio::test]
            async fn $example() {
                crate::stores::on_sqlite(|api| Box::pin(super::$example(api))).await;
            })*
        }
        mod pg {
            $(#[tokio::test]
            async fn $example() {
                let example = |api| -> crate::stores::Example { Box::pin(super::$example(api)) };
                crate::stores::on_pg(stringify!($example), example).await;
            })*
        }
    };
}
pub(crate) use on_every_store;

/// Makes a test of each example on every store, given what is made of the store.
macro_rules! on_every_store_with {
    ($made:ident, $($example:ident),* $(,)?) => {
        mod memory {
            $(#[tokio::test]
            async fn $example() {
                let store = std::sync::Arc::new(testkit::memory::MemoryStore::new());
                super::$example(super::$made(store).await).await;
            })*
        }
        mod sqlite {
            $(#[tokio::test]
            async fn $example() {
                let work = async |store| super::$example(super::$made(store).await).await;
                crate::stores::with_sqlite(work).await;
            })*
        }
        mod pg {
            $(#[tokio::test]
            async fn $example() {
                let work = async |store| super::$example(super::$made(store).await).await;
                crate::stores::with_pg(stringify!($example), work).await;
            })*
        }
    };
}
pub(crate) use on_every_store_with;
