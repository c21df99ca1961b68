//! Fills an empty database with data of every kind, for a dump that later versions must be able to read:
//! `cargo run -p storage-pg --example fill_pg_for_dump URL`, then `pg_dump --inserts --no-owner --no-privileges URL`.
#![expect(clippy::expect_used, reason = "a tool that cannot go on says why")]

use std::sync::Arc;

use storage_pg::{PgStore, Settings};

#[tokio::main]
async fn main() {
    let url = std::env::args().nth(1).expect("the URL of a database");
    storage_pg::migrate(&url).await.expect("migrates");
    let store = PgStore::connect(&url, Settings::patient()).await;
    let store = Arc::new(store.expect("connects"));
    testkit::old_data::fill(store.clone()).await;
    print!("{}", testkit::old_data::contents(store.as_ref()).await);
}
