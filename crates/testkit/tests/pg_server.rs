//! The throw-away PostgreSQL keeps its promises.

use std::path::Path;

use testkit::pg::{PgServer, fresh_database, sql};

const ROWS: &str = "create table entries (id bigint primary key);
     insert into entries select generate_series(1, 1000)";

#[test]
fn acknowledged_rows_outlive_a_kill_9_and_the_port_stays() {
    let mut server = PgServer::start().unwrap();
    let url = server.create_database("crash").unwrap();
    sql(&url, ROWS).unwrap();

    server.kill_9().unwrap();
    assert!(
        sql(&url, "select 1").is_err(),
        "nobody answers on port {}",
        server.port()
    );
    server.restart().unwrap();

    assert_eq!(
        sql(&url, "select count(*), max(id) from entries").unwrap(),
        "1000|1000"
    );
}

#[test]
fn a_restart_without_a_kill_is_a_crash_too() {
    let mut server = PgServer::start().unwrap();
    let url = server.create_database("crash").unwrap();
    sql(&url, ROWS).unwrap();
    server.restart().unwrap();
    assert_eq!(sql(&url, "select count(*) from entries").unwrap(), "1000");
    server.stop().unwrap();
    assert!(sql(&url, "select 1").is_err());
    server.restart().unwrap();
    assert_eq!(sql(&url, "select count(*) from entries").unwrap(), "1000");
}

#[test]
fn each_database_is_a_new_one_and_durable_unless_told_otherwise() {
    let server = PgServer::start_with(&[("work_mem", "5MB")]).unwrap();
    let (one, two) = (
        server.create_database("same").unwrap(),
        server.create_database("same").unwrap(),
    );
    assert_ne!(one, two);
    sql(&one, ROWS).unwrap();
    assert!(
        sql(&two, "select * from entries").is_err(),
        "the table is in the other database"
    );
    assert_eq!(sql(&two, "show work_mem").unwrap(), "5MB");
    assert_eq!(sql(&two, "show fsync").unwrap(), "on");
    assert_eq!(sql(&two, "show synchronous_commit").unwrap(), "on");
}

#[test]
fn the_folder_goes_with_the_server() {
    let server = PgServer::start().unwrap();
    let folder = server.folder().to_owned();
    assert!(folder.join("data/PG_VERSION").is_file());
    drop(server);
    assert!(!Path::new(&folder).exists());
}

#[test]
fn the_runs_server_gives_every_test_a_database() {
    let (one, two) = (fresh_database("shared"), fresh_database("shared"));
    assert_ne!(one, two);
    assert_eq!(
        sql(&one, "select current_database() like 'shared\\_%'").unwrap(),
        "t"
    );
}
