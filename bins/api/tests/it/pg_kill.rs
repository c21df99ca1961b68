//! The same on PostgreSQL: the process is killed, the server stays.

use std::sync::Arc;

use quota_core::ports::Storage;
use storage_pg::{PgStore, Settings};
use tokio::task::block_in_place;

use crate::kill::nothing_is_lost_or_doubled;
use crate::nodes::{Node, admin_key};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_on_postgresql_killed_ten_times_loses_and_doubles_nothing() {
    let url = block_in_place(|| testkit::pg::fresh_database("api_kill"));
    storage_pg::migrate(&testkit::pg::direct_url(&url))
        .await
        .expect("it migrates");
    let open = async || {
        let store = PgStore::connect(&url, Settings::patient()).await;
        let store: Arc<dyn Storage> = Arc::new(store.expect("PostgreSQL answers"));
        store
    };
    let secret = admin_key(open().await).await;
    let folder = tempfile::tempdir().expect("a folder");
    let start = || Node::start(folder.path(), &[("DATABASE_URL", &url)]);
    nothing_is_lost_or_doubled(start, &secret, open).await;
}
