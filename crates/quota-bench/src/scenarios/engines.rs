//! The engine in this process, over PostgreSQL and SQLite, and the older design beside it.

use std::sync::Arc;
use std::time::Duration;

use quota_core::ports::Storage;
use storage_sqlite::{SqliteSettings, SqliteStore};
use testkit::pg::sql;
use testkit::redis::RedisServer;

use super::{Bench, Title};
use crate::error::{BenchError, other};
use crate::legacy::Legacy;
use crate::load::{self, Load, Measured};
use crate::machine::as_float;
use crate::report::Report;
use crate::seed::{self, Caller};

const USER: Title = Title {
    key: "engine_user",
    what: "engine in process, 256 in flight, 10,000 users, user scope, with key",
    at_least: Some(4.0),
};
const WINDOWS: Title = Title {
    key: "engine_windows",
    what: "as engine_user, two windows limit the feature and one rolls over",
    at_least: Some(3.4),
};
const FULL: Title = Title {
    key: "engine_full",
    what: "token, user, org and key, 1,000 orgs of 10",
    at_least: Some(2.0),
};
const HOT: Title = Title {
    key: "engine_hot_org",
    what: "token, user, org and key, one org of 1,000",
    at_least: Some(3.0),
};
const SQLITE: Title = Title {
    key: "sqlite_engine",
    what: "embedded SQLite, 256 in flight, synchronous=FULL, with key",
    at_least: Some(4.0),
};
const LEGACY: Title = Title {
    key: "legacy",
    what: "ours beside the older design, 50 tasks on one user",
    at_least: Some(40.0),
};

impl Bench<'_> {
    pub(super) async fn engines(&self, report: &mut Report) -> Result<(), BenchError> {
        for title in [USER, WINDOWS, FULL, HOT] {
            if !self.settings.wants(title.key) {
                continue;
            }
            let url = self.database(title.key)?;
            let (storage, mut catalog) = self.store(&url).await?;
            if title.key == WINDOWS.key {
                catalog = seed::windows_catalog(storage.as_ref(), &catalog).await?;
            }
            let callers = match title.key {
                "engine_user" | "engine_windows" => seed::users(&storage, &catalog, 10_000).await?,
                "engine_full" => seed::orgs(&storage, &catalog, "o", (1_000, 10)).await?,
                _ => seed::orgs(&storage, &catalog, "hot", (1, 1_000)).await?,
            };
            self.measure(report, title, &storage, callers.clone())
                .await?;
            let bytes = self.wal_bytes(&url, &storage, callers).await?;
            let name = format!("{}_wal", title.key);
            report.figure(&name, "bytes of WAL for each consume", bytes);
        }
        Ok(())
    }

    pub(super) async fn sqlite(&self, report: &mut Report) -> Result<(), BenchError> {
        if !self.settings.wants(SQLITE.key) {
            return Ok(());
        }
        // Beside the repository and not in a folder of temporary files, which may be in memory.
        std::fs::create_dir_all("target/bench").map_err(other)?;
        let folder = tempfile::tempdir_in("target/bench").map_err(other)?;
        let path = folder.path().join("quota.db");
        let store = SqliteStore::open(&path, &SqliteSettings::default()).await;
        let storage: Arc<dyn Storage> = Arc::new(store.map_err(other)?);
        let catalog = seed::catalog(storage.as_ref()).await?;
        let callers = seed::users(&storage, &catalog, 10_000).await?;
        self.measure(report, SQLITE, &storage, callers).await?;
        Ok(())
    }

    /// Measures consumes of `callers` in this process.
    pub(super) async fn measure(
        &self,
        report: &mut Report,
        title: Title,
        storage: &Arc<dyn Storage>,
        callers: Vec<Caller>,
    ) -> Result<(), BenchError> {
        let engine = self.engine(storage).await?;
        let callers = Arc::new(callers);
        let load = Load {
            in_flight: self.settings.in_flight,
            lasts: self.lasts(),
            rate: None,
        };
        let warm_up = Load {
            lasts: Duration::from_secs(1),
            ..load
        };
        load::run(&engine, &callers, warm_up).await?;
        let run = || load::run(&engine, &callers, load);
        let row = self.rounds(title, || self.pgbench(), run).await?;
        let half = Load {
            rate: Some(row.rate / 2.0),
            ..load
        };
        let calm = load::run(&engine, &callers, half).await?;
        engine.stop().await;
        let name = |what: &str| format!("{}_half_{what}", title.key);
        report.figure(&name("p50"), "ms at half load", calm.millis(0.5));
        report.figure(&name("p99"), "ms at half load", calm.millis(0.99));
        report.add(row);
        Ok(())
    }

    /// What one consume writes to the log, on average.
    async fn wal_bytes(
        &self,
        url: &str,
        storage: &Arc<dyn Storage>,
        callers: Vec<Caller>,
    ) -> Result<f64, BenchError> {
        let engine = self.engine(storage).await?;
        let load = Load {
            in_flight: self.settings.in_flight,
            lasts: Duration::from_secs(1),
            rate: None,
        };
        let before = wal(url)?;
        let measured = load::run(&engine, &Arc::new(callers), load).await?;
        engine.stop().await;
        let written = as_float(wal(url)?.saturating_sub(before));
        Ok(written / as_float(measured.latency.len()))
    }

    /// The older design is the reference: 50 tasks on one user, there and here.
    pub(super) async fn legacy(&self, report: &mut Report) -> Result<(), BenchError> {
        if !self.settings.wants(LEGACY.key) {
            return Ok(());
        }
        let redis = tokio::task::block_in_place(RedisServer::start).map_err(other)?;
        let legacy = Legacy::prepare(&self.database("legacy")?, &redis.url()).await?;
        let (storage, catalog) = self.store(&self.database("legacy_ours")?).await?;
        let callers = Arc::new(seed::users(&storage, &catalog, 1).await?);
        let engine = self.engine(&storage).await?;
        let load = Load {
            in_flight: 50,
            lasts: self.lasts(),
            rate: None,
        };
        let old = || async {
            let old: Measured = legacy.run(self.lasts()).await?;
            Ok(old.rate)
        };
        let row = self
            .rounds(LEGACY, old, || load::run(&engine, &callers, load))
            .await?;
        engine.stop().await;
        report.add(row);
        Ok(())
    }
}

/// Where the write-ahead log stands, in bytes.
fn wal(url: &str) -> Result<u64, BenchError> {
    let asked = "select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint";
    let text = tokio::task::block_in_place(|| sql(url, asked)).map_err(other)?;
    text.trim().parse().map_err(other)
}
