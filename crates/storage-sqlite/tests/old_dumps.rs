//! Dumps of earlier versions of the schema.

use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use storage_sqlite::{SqliteSettings, SqliteStore};
use tempfile::TempDir;
use testkit::old_data::{CONTENTS_OF_FIRST_DUMP, contents, write_on};

/// Everything that an older version wrote is read once the file was opened, which migrates it, and written on.
#[tokio::test]
async fn a_dump_of_an_earlier_schema_is_migrated_and_read() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("quota.db");
    let options = SqliteConnectOptions::new().filename(&file);
    let options = options.create_if_missing(true);
    let mut connection = options.connect().await.expect("connects");
    let dump = sqlx::raw_sql(include_str!("dumps/schema_0007.sql"));
    dump.execute(&mut connection).await.expect("is restored");
    drop(connection);
    let store = SqliteStore::open(&file, &SqliteSettings::patient()).await;
    let store = store.expect("opens");
    assert_eq!(contents(&store).await, CONTENTS_OF_FIRST_DUMP);
    write_on(&store).await;
}
