//! A dump that is restored where nothing was prepared.

use storage_pg::{PgStore, Settings};
use testkit::pg::{PgServer, dump, restore};
use tokio::task::block_in_place;

use crate::fixture::{ask, change, fresh, id, load, reopened, sql, write};

/// On a server without the role `quota_app` the grants of a dump are lost. `migrate` makes both, and the application
/// goes on where it was.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dump_restored_where_the_role_is_missing_is_made_usable_by_migrate() {
    let (store, url) = fresh("dumped").await;
    let a = id("user:a");
    write(&store, vec![change(&a, 0, 1)]).await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("quota.dump");
    block_in_place(|| dump(&url, &file, &["--format=custom"])).expect("is dumped");

    let server = block_in_place(PgServer::start).expect("a fresh server");
    let restored = block_in_place(|| server.create_database("restored")).expect("a database");
    let report = block_in_place(|| restore(&restored, &file)).expect_err("a role is missing");
    assert!(report.to_string().contains("quota_app"), "{report}");
    let login = "create role service login in role quota_app";
    let missing = sql(&restored, login).await.expect_err("is missing");
    assert!(missing.contains("quota_app"), "{missing}");

    let owner = reopened(&restored).await;
    owner.migrate().await.expect("makes the role");
    sql(&restored, login).await.expect("a login");
    let as_app = restored.replacen("postgres@", "service@", 1);
    let app = PgStore::connect(&as_app, Settings::patient()).await;
    let app = app.expect("signs in");
    assert!(app.schema().await.expect("may look").is_enough());
    assert_eq!(load(&app, vec![ask(&a)]).await.homes[0].version, 1);
    assert_eq!(write(&app, vec![change(&a, 1, 2)]).await, [a]);
    let delete = sql(&as_app, "delete from operations").await;
    assert!(delete.expect_err("may not").contains("permission denied"));
}
