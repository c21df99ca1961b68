//! Fills a new file with data of every kind, for a dump that later versions must be able to read:
//! `cargo run -p storage-sqlite --example fill_sqlite_for_dump FILE`, then `sqlite3 FILE .dump`.
#![expect(clippy::expect_used, reason = "a tool that cannot go on says why")]

use std::sync::Arc;

use storage_sqlite::{SqliteSettings, SqliteStore};

#[tokio::main]
async fn main() {
    let file = std::env::args().nth(1).expect("the name of a file");
    let store = SqliteStore::open(&file, &SqliteSettings::patient()).await;
    let store = Arc::new(store.expect("opens"));
    testkit::old_data::fill(store.clone()).await;
    print!("{}", testkit::old_data::contents(store.as_ref()).await);
    store.close().await;
}
