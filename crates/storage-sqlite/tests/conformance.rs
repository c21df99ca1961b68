//! The store on SQLite keeps every promise of the ports, in a file and in memory.
#![expect(
    clippy::expect_used,
    reason = "a store that does not open is a failed test"
)]

use std::sync::Arc;

use storage_sqlite::{SqliteSettings, SqliteStore};
use tempfile::TempDir;

mod in_a_file {
    use super::{Arc, SqliteSettings, SqliteStore, TempDir};

    async fn open() -> (Arc<SqliteStore>, TempDir) {
        let folder = TempDir::new().expect("a folder");
        let file = folder.path().join("quota.db");
        let store = SqliteStore::open(file, &SqliteSettings::patient()).await;
        (Arc::new(store.expect("opens")), folder)
    }

    testkit::conformance_store!(open);
    testkit::conformance_billing!(open);
    testkit::conformance_codes!(open);
    testkit::conformance_meters!(open);
}

mod in_memory {
    use super::{Arc, SqliteSettings, SqliteStore};

    async fn open() -> (Arc<SqliteStore>, ()) {
        let store = SqliteStore::open_in_memory(&SqliteSettings::patient()).await;
        (Arc::new(store.expect("opens")), ())
    }

    testkit::conformance_store!(open);
    testkit::conformance_billing!(open);
    testkit::conformance_codes!(open);
    testkit::conformance_meters!(open);
}
