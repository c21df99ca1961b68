//! The measurements, one after the other.

use std::sync::Arc;
use std::time::Duration;

use quota_core::catalog::Catalog;
use quota_core::ports::Storage;
use quota_service::{Engine, EngineParts, EngineSettings, NoCache, SystemClock, TimeIds};
use storage_pg::PgStore;
use storage_sqlite::{SqliteSettings, SqliteStore};
use testkit::pg::PgServer;

use crate::Settings;
use crate::error::{BenchError, other};
use crate::load::{self, Load, Measured};
use crate::reference::Reference;
use crate::report::{Report, Row};
use crate::seed::{self, Caller};

/// Rounds are repeated until enough count, but not for ever.
const ROUNDS_LOST_MAX: usize = 10;
/// A round counts only where other processes used less of the machine.
const OTHERS_MAX: f64 = 0.15;

/// The server as it is run for measuring: everything durable, and memory enough not to measure the disk's reads.
const SERVER: [(&str, &str); 6] = [
    ("fsync", "on"),
    ("synchronous_commit", "on"),
    ("shared_buffers", "2GB"),
    ("max_wal_size", "8GB"),
    ("checkpoint_timeout", "15min"),
    ("max_connections", "100"),
];

/// Takes every measurement that is wanted.
pub async fn run(settings: &Settings) -> Result<Report, BenchError> {
    let server = tokio::task::block_in_place(|| PgServer::start_with(&SERVER)).map_err(other)?;
    let reference = tokio::task::block_in_place(|| Reference::prepare(&server))?;
    let mut report = Report::begin();
    let bench = Bench {
        settings,
        server: &server,
        reference: &reference,
    };
    bench.engines(&mut report).await?;
    bench.sqlite(&mut report).await?;
    report.write()?;
    Ok(report)
}

struct Bench<'a> {
    settings: &'a Settings,
    server: &'a PgServer,
    reference: &'a Reference,
}

/// What a row is called and what it has to reach.
#[derive(Clone, Copy)]
struct Title {
    key: &'static str,
    what: &'static str,
    at_least: Option<f64>,
}

impl Bench<'_> {
    fn lasts(&self) -> Duration {
        Duration::from_secs(self.settings.seconds)
    }

    async fn store(&self, database: &str) -> Result<(Arc<dyn Storage>, Catalog), BenchError> {
        let url =
            tokio::task::block_in_place(|| self.server.create_database(database)).map_err(other)?;
        let store = PgStore::connect(&url, storage_pg::Settings::default())
            .await
            .map_err(other)?;
        store.migrate().await.map_err(other)?;
        let storage: Arc<dyn Storage> = Arc::new(store);
        let catalog = seed::catalog(storage.as_ref()).await?;
        Ok((storage, catalog))
    }

    async fn engines(&self, report: &mut Report) -> Result<(), BenchError> {
        let user = Title {
            key: "engine_user",
            what: "engine in process, 256 in flight, 10,000 users, user scope, with key",
            at_least: Some(4.0),
        };
        let full = Title {
            key: "engine_full",
            what: "token, user, org and key, 1,000 orgs of 10",
            at_least: Some(2.0),
        };
        let hot = Title {
            key: "engine_hot_org",
            what: "token, user, org and key, one org of 1,000",
            at_least: Some(3.0),
        };
        if self.settings.wants(user.key) {
            let (storage, catalog) = self.store("engine_user").await?;
            let callers = seed::users(&storage, &catalog, 10_000).await?;
            self.measure(report, user, &storage, callers).await?;
        }
        if self.settings.wants(full.key) {
            let (storage, catalog) = self.store("engine_full").await?;
            let callers = seed::orgs(&storage, &catalog, "o", (1_000, 10)).await?;
            self.measure(report, full, &storage, callers).await?;
        }
        if self.settings.wants(hot.key) {
            let (storage, catalog) = self.store("engine_hot_org").await?;
            let callers = seed::orgs(&storage, &catalog, "hot", (1, 1_000)).await?;
            self.measure(report, hot, &storage, callers).await?;
        }
        Ok(())
    }

    async fn sqlite(&self, report: &mut Report) -> Result<(), BenchError> {
        let title = Title {
            key: "sqlite_engine",
            what: "embedded SQLite, 256 in flight, synchronous=FULL, with key",
            at_least: Some(4.0),
        };
        if !self.settings.wants(title.key) {
            return Ok(());
        }
        let folder = tempfile::tempdir_in(self.server.folder()).map_err(other)?;
        let path = folder.path().join("quota.db");
        let store = SqliteStore::open(&path, &SqliteSettings::default())
            .await
            .map_err(other)?;
        let storage: Arc<dyn Storage> = Arc::new(store);
        let catalog = seed::catalog(storage.as_ref()).await?;
        let callers = seed::users(&storage, &catalog, 10_000).await?;
        self.measure(report, title, &storage, callers).await
    }

    async fn measure(
        &self,
        report: &mut Report,
        title: Title,
        storage: &Arc<dyn Storage>,
        callers: Vec<Caller>,
    ) -> Result<(), BenchError> {
        let parts = EngineParts {
            storage: Arc::clone(storage),
            cache: Arc::new(NoCache),
            clock: Arc::new(SystemClock),
            ids: Arc::new(TimeIds),
        };
        let engine = Engine::start(parts, EngineSettings::default())
            .await
            .map_err(other)?;
        let callers = Arc::new(callers);
        let load = Load {
            in_flight: 256,
            lasts: self.lasts(),
            rate: None,
        };
        load::run(
            &engine,
            &callers,
            Load {
                lasts: Duration::from_secs(1),
                ..load
            },
        )
        .await?;
        let row = self
            .rounds(title, || load::run(&engine, &callers, load))
            .await?;
        let half = Load {
            rate: Some(row.rate / 2.0),
            ..load
        };
        let calm = load::run(&engine, &callers, half).await?;
        engine.stop().await;
        report.figure(
            &format!("{}_half_p50", title.key),
            "ms at half load",
            calm.millis(0.5),
        );
        report.figure(
            &format!("{}_half_p99", title.key),
            "ms at half load",
            calm.millis(0.99),
        );
        report.add(row);
        Ok(())
    }

    /// Pairs of reference and load, until enough of them count; the medians.
    async fn rounds<F: Future<Output = Result<Measured, BenchError>>>(
        &self,
        title: Title,
        load: impl Fn() -> F,
    ) -> Result<Row, BenchError> {
        let mut pairs: Vec<(f64, Measured)> = Vec::new();
        for _ in 0..self.settings.rounds + ROUNDS_LOST_MAX {
            if pairs.len() == self.settings.rounds {
                break;
            }
            let reference =
                tokio::task::block_in_place(|| self.reference.run(self.settings.seconds))?;
            let measured = load().await?;
            if measured.spent.others_share < OTHERS_MAX {
                pairs.push((reference, measured));
            } else {
                println!(
                    "{}: a round does not count, others used {:.0} %",
                    title.key,
                    measured.spent.others_share * 100.0
                );
                if std::env::var_os("QUOTA_BENCH_NOISY").is_some() {
                    pairs.push((reference, measured));
                }
            }
        }
        if pairs.is_empty() {
            return Err(BenchError::Failed(format!(
                "{}: no round counts, the machine is busy",
                title.key
            )));
        }
        let column =
            |value: &dyn Fn(&(f64, Measured)) -> f64| median(pairs.iter().map(value).collect());
        Ok(Row {
            key: title.key.to_owned(),
            what: title.what.to_owned(),
            at_least: title.at_least,
            ratio: column(&|(reference, measured)| measured.rate / reference),
            rate: column(&|(_, measured)| measured.rate),
            reference: column(&|(reference, _)| *reference),
            cpu_micros: column(&|(_, measured)| measured.cpu_micros),
            p50_millis: column(&|(_, measured)| measured.millis(0.5)),
            p99_millis: column(&|(_, measured)| measured.millis(0.99)),
            rounds: pairs.len(),
            others_share: pairs
                .iter()
                .map(|(_, measured)| measured.spent.others_share)
                .fold(0.0, f64::max),
        })
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
