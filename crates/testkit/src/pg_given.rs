//! Databases on a server that was given, which may be the coordinator of a Citus cluster, or stand behind a pooler.
//!
//! - `TEST_DATABASE_URL`: what the programs connect to.
//! - `TEST_DIRECT_URL`: the same server without the pooler, where databases are made and migrated; the same by default.
//!
//! Where the database of that URL has the extension `citus` and its workers, each test gets a database that is made like
//! it: on every node, with the extension, the workers added. Each such database costs a process on every node, so those
//! of tests that have ended are dropped as new ones are made.

use std::fs::File;
use std::path::Path;

use crate::ServerError;
use crate::pg_client::{sql, with_database, with_host};

const WORKERS: &str = "select coalesce(string_agg(nodename || ':' || nodeport, ' '), '')
    from pg_dist_node where groupid <> 0";
const IS_CITUS: &str = "select count(*) from pg_extension where extname = 'citus'";
/// Ours, by the process that made them.
const LEFT_OVER: &str =
    "select datname from pg_database where datname ~ '_of[0-9]+_[0-9]+_[0-9a-f]+$'";

/// Makes a database where databases are made.
pub(crate) fn create(direct_url: &str, name: &str) -> Result<(), ServerError> {
    if sql(direct_url, IS_CITUS)? == "0" {
        sql(direct_url, &format!(r#"create database "{name}""#))?;
        return Ok(());
    }
    // Nodes that are told of each other by two at once refuse.
    let lock = File::create(std::env::temp_dir().join("quota-tests-citus.lock"));
    let lock = lock.map_err(ServerError::system("make a lock"))?;
    lock.lock()
        .map_err(ServerError::system("wait for a lock"))?;
    let workers = sql(direct_url, WORKERS)?;
    let workers: Vec<&str> = workers.split_whitespace().collect();
    drop_left_over(direct_url, &workers);
    let nodes = workers.iter().map(|host| with_host(direct_url, host));
    for node in nodes.chain([direct_url.to_owned()]) {
        sql(&node, &format!(r#"create database "{name}""#))?;
        sql(&with_database(&node, name), "create extension citus")?;
    }
    let coordinator = with_database(direct_url, name);
    let host = "select citus_set_coordinator_host(current_setting('citus.local_hostname'))";
    sql(&coordinator, host)?;
    for worker in workers {
        let (host, port) = worker.split_once(':').unwrap_or((worker, "5432"));
        sql(
            &coordinator,
            &format!("select citus_add_node('{host}', {port})"),
        )?;
    }
    Ok(())
}

fn drop_left_over(direct_url: &str, workers: &[&str]) {
    let names = sql(direct_url, LEFT_OVER).unwrap_or_default();
    let has_ended = |name: &&str| {
        let process = name
            .rsplit_once("_of")
            .and_then(|(_, rest)| rest.split('_').next());
        process.is_some_and(|id| !Path::new("/proc").join(id).exists())
    };
    for name in names.lines().filter(has_ended) {
        let workers = workers.iter().map(|host| with_host(direct_url, host));
        for node in std::iter::once(direct_url.to_owned()).chain(workers) {
            // Another test may be dropping it too.
            drop(sql(
                &node,
                &format!(r#"drop database if exists "{name}" with (force)"#),
            ));
        }
    }
}
