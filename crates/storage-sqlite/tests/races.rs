//! Races on a SQLite file.
#![expect(
    clippy::expect_used,
    reason = "a store that does not open is a failed test"
)]

use std::sync::Arc;

use quota_core::ports::Storage;
use storage_sqlite::{SqliteSettings, SqliteStore};
use tempfile::TempDir;

async fn open() -> (Arc<dyn Storage>, TempDir) {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("quota.db");
    let store = SqliteStore::open(file, &SqliteSettings::patient()).await;
    (Arc::new(store.expect("opens")), folder)
}

testkit::conformance_races!(open);
