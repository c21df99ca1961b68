//! The reference: pgbench with one durable guarded UPDATE and a ledger INSERT in one statement.

use std::process::Command;

use testkit::pg::{PgServer, sql};

use crate::error::{BenchError, other};

const SCRIPT: &str = "\\set id random(1, 10000)
with charged as (
    update reference_accounts set used = used + 1 where id = :id and used + 1 <= granted returning id)
insert into reference_ledger (account, amount, at) select id, 1, now() from charged;
";

const SCHEMA: &str = "create table reference_accounts
    (id int primary key, used bigint not null, granted bigint not null, check (used <= granted)) with (fillfactor = 70);
insert into reference_accounts select n, 0, 1000000000000 from generate_series(1, 10000) n;
create table reference_ledger
    (id bigint generated always as identity primary key, account int not null, amount bigint not null, at timestamptz not null);";

/// pgbench over a database of its own on the server under test.
pub struct Reference {
    url: String,
    script: tempfile::NamedTempFile,
}

impl Reference {
    /// Makes the tables.
    pub fn prepare(server: &PgServer) -> Result<Self, BenchError> {
        let url = server.create_database("reference").map_err(other)?;
        sql(&url, SCHEMA).map_err(other)?;
        let script = tempfile::NamedTempFile::new().map_err(other)?;
        std::fs::write(script.path(), SCRIPT).map_err(other)?;
        Ok(Self { url, script })
    }

    /// Transactions a second over `seconds`, with 32 clients.
    pub fn run(&self, seconds: u64) -> Result<f64, BenchError> {
        let output = Command::new(pgbench())
            .args(["-n", "-M", "prepared", "-c", "32", "-j", "2"])
            .args(["-T", &seconds.to_string(), "-f"])
            .arg(self.script.path())
            .arg(&self.url)
            .output()
            .map_err(other)?;
        let text = String::from_utf8_lossy(&output.stdout);
        let rate = text.lines().find_map(|line| {
            let rest = line.strip_prefix("tps = ")?;
            rest.split_whitespace().next()?.parse().ok()
        });
        let errors = String::from_utf8_lossy(&output.stderr);
        rate.ok_or_else(|| BenchError::Failed(format!("pgbench gave no rate: {errors}")))
    }
}

fn pgbench() -> String {
    let debian = "/usr/lib/postgresql/15/bin/pgbench";
    if std::path::Path::new(debian).exists() {
        return debian.to_owned();
    }
    "pgbench".to_owned()
}
