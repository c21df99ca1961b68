//! Dumps of earlier versions of the schema.

use std::path::Path;

use testkit::old_data::{CONTENTS_OF_FIRST_DUMP, contents, write_on};
use tokio::task::block_in_place;

use crate::fixture::reopened;

/// Everything that an older version wrote is read after `migrate`, and written on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dump_of_an_earlier_schema_is_migrated_and_read() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dumps/schema_0009.sql");
    let url = block_in_place(|| testkit::pg::fresh_database("old_dump"));
    block_in_place(|| testkit::pg::run_file(&url, &file)).expect("is restored");
    storage_pg::migrate(&url).await.expect("migrates");
    let store = reopened(&url).await;
    assert_eq!(contents(&store).await, CONTENTS_OF_FIRST_DUMP);
    write_on(&store).await;
}
