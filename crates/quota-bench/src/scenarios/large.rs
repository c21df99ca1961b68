//! The same with a ledger of 10 million rows, and memory with a million users.

use std::sync::Arc;
use std::time::Duration;

use testkit::pg::sql;

use super::{Bench, Title};
use crate::error::{BenchError, other};
use crate::load::{self, Load};
use crate::machine::{as_float, resident};
use crate::report::Report;
use crate::seed;

/// Rows of a ledger that has been in use for long, written past the engine into homes of its own.
const LEDGER: &str = "\
insert into operations (home, shard, account, id, sequence, life, at, kind, key, body_hash, entries, answer)
select 'user:old' || n % 1000000, n % 64, 'user:old' || n % 1000000, gen_random_uuid(), n / 1000000 + 1, 1, now(), 'consume',
    'old-' || n, decode(repeat('00', 32), 'hex'),
    '[{\"s\":\"user\",\"a\":\"user:old\",\"b\":\"window:calls:1700000000000000\",\"f\":\"calls\",\"c\":\"allowance\",\"u\":1}]',
    '{\"is\":\"allowed\",\"balances\":[]}'
from generate_series(1, 10000000) n";

const USERS: usize = 1_000_000;

impl Bench<'_> {
    pub(super) async fn large(&self, report: &mut Report) -> Result<(), BenchError> {
        let titles = [
            (
                "engine_user_10m",
                "engine_user with 10 million ledger rows and 1 million users",
            ),
            ("engine_full_10m", "engine_full with 10 million ledger rows"),
            (
                "engine_hot_org_10m",
                "engine_hot_org with 10 million ledger rows",
            ),
        ];
        let url = self.database("large")?;
        let (storage, catalog) = self.store(&url).await?;
        println!("filling the ledger");
        tokio::task::block_in_place(|| sql(&url, LEDGER)).map_err(other)?;
        let users = seed::users(&storage, &catalog, USERS).await?;
        tokio::task::block_in_place(|| sql(&url, "vacuum analyze")).map_err(other)?;
        let full = seed::orgs(&storage, &catalog, "o", (1_000, 10)).await?;
        let hot = seed::orgs(&storage, &catalog, "hot", (1, 1_000)).await?;
        let few = users.iter().take(10_000).cloned().collect();
        for ((key, what), callers) in titles.into_iter().zip([few, full, hot]) {
            let title = Title {
                key,
                what,
                at_least: None,
            };
            self.measure(report, title, &storage, callers).await?;
        }
        let before = resident(std::process::id());
        let engine = self.engine(&storage).await?;
        let load = Load {
            in_flight: self.settings.in_flight,
            lasts: Duration::from_mins(1),
            rate: None,
        };
        load::run(&engine, &Arc::new(users), load).await?;
        let after = resident(std::process::id());
        engine.stop().await;
        let grown = as_float(after.saturating_sub(before)) / 1_048_576.0;
        report.figure(
            "memory_1m_users",
            "MiB that the engine adds after a minute over 1 million users",
            grown,
        );
        Ok(())
    }
}
