//! The measurements, one after the other.

mod api;
mod engines;
mod large;
mod money;
mod money_jobs;

use std::sync::Arc;
use std::time::Duration;

use quota_core::catalog::Catalog;
use quota_core::ports::Storage;
use quota_service::{Engine, EngineParts, EngineSettings, NoCache, SystemClock, TimeIds};
use storage_pg::PgStore;
use testkit::ServerError;
use testkit::pg::{PgServer, sql};

use crate::error::{BenchError, other};
use crate::load::Measured;
use crate::reference::Reference;
use crate::report::{Report, Row};
use crate::seed;
use crate::settings::Settings;

/// Rounds are repeated until enough count, but not for ever.
const ROUNDS_LOST_MAX: usize = 10;
/// A round counts only where other processes used less of the machine.
const OTHERS_MAX: f64 = 0.15;

/// The server as it is run for measuring: everything durable, and memory enough not to measure the disk's reads.
const SERVER: [(&str, &str); 7] = [
    ("fsync", "on"),
    ("synchronous_commit", "on"),
    ("shared_buffers", "2GB"),
    ("max_wal_size", "8GB"),
    ("min_wal_size", "2GB"),
    ("checkpoint_timeout", "15min"),
    ("max_connections", "150"),
];

/// Gives the server the files of its log that one has after a while, to be used again: a new server makes each of them
/// while its users wait.
const WARM_LOG: &str = "\
do $$ begin
    for n in 1..128 loop
        perform pg_logical_emit_message(false, 'bench', 'one more file');
        perform pg_switch_wal();
    end loop;
end $$;
checkpoint";

/// Takes every measurement that is wanted.
pub async fn run(settings: &Settings) -> Result<Report, BenchError> {
    let server = tokio::task::block_in_place(|| PgServer::start_with(&SERVER)).map_err(other)?;
    tokio::task::block_in_place(|| sql(&server.url("postgres"), WARM_LOG)).map_err(other)?;
    let reference = tokio::task::block_in_place(|| Reference::prepare(&server))?;
    let mut report = Report::begin();
    let bench = Bench {
        settings,
        server: &server,
        reference: &reference,
    };
    bench.engines(&mut report).await?;
    bench.sqlite(&mut report).await?;
    bench.legacy(&mut report).await?;
    bench.over_http(&mut report).await?;
    bench.money(&mut report).await?;
    bench.money_jobs(&mut report).await?;
    if settings.large {
        bench.large(&mut report).await?;
    }
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

    /// A new database, and a checkpoint that frees the files of the log.
    fn database(&self, name: &str) -> Result<String, BenchError> {
        tokio::task::block_in_place(|| {
            let url = self.server.create_database(name)?;
            sql(&url, "checkpoint")?;
            Ok(url)
        })
        .map_err(|error: ServerError| other(error))
    }

    async fn store(&self, url: &str) -> Result<(Arc<dyn Storage>, Catalog), BenchError> {
        let store = PgStore::connect(url, storage_pg::Settings::default())
            .await
            .map_err(other)?;
        store.migrate().await.map_err(other)?;
        let storage: Arc<dyn Storage> = Arc::new(store);
        let catalog = seed::catalog(storage.as_ref()).await?;
        Ok((storage, catalog))
    }

    async fn engine(&self, storage: &Arc<dyn Storage>) -> Result<Engine, BenchError> {
        let parts = EngineParts {
            storage: Arc::clone(storage),
            cache: Arc::new(NoCache),
            clock: Arc::new(SystemClock),
            ids: Arc::new(TimeIds),
        };
        let settings = EngineSettings {
            shards: self.settings.shards,
            ..EngineSettings::default()
        };
        Engine::start(parts, settings).await.map_err(other)
    }

    /// pgbench's transactions a second.
    #[expect(
        clippy::unused_async,
        reason = "a reference is awaited, whatever it is"
    )]
    async fn pgbench(&self) -> Result<f64, BenchError> {
        tokio::task::block_in_place(|| self.reference.run(self.settings.seconds))
    }

    /// Pairs of reference and load, until enough of them count; the medians.
    async fn rounds<R, F>(
        &self,
        title: Title,
        reference: impl Fn() -> R,
        load: impl Fn() -> F,
    ) -> Result<Row, BenchError>
    where
        R: Future<Output = Result<f64, BenchError>>,
        F: Future<Output = Result<Measured, BenchError>>,
    {
        let mut pairs: Vec<(f64, Measured)> = Vec::new();
        for _ in 0..self.settings.rounds + ROUNDS_LOST_MAX {
            if pairs.len() == self.settings.rounds {
                break;
            }
            let beside = reference().await?;
            let measured = load().await?;
            if measured.spent.others_share < OTHERS_MAX || self.settings.noisy {
                pairs.push((beside, measured));
            } else {
                let share = measured.spent.others_share * 100.0;
                println!(
                    "{}: a round does not count, others used {share:.0} %",
                    title.key
                );
            }
        }
        row(title, &pairs)
    }
}

fn row(title: Title, pairs: &[(f64, Measured)]) -> Result<Row, BenchError> {
    if pairs.is_empty() {
        let text = format!("{}: no round counts, the machine is busy", title.key);
        return Err(BenchError::Failed(text));
    }
    let column =
        |value: &dyn Fn(&(f64, Measured)) -> f64| median(pairs.iter().map(value).collect());
    let others = pairs
        .iter()
        .map(|(_, measured)| measured.spent.others_share);
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
        others_share: others.fold(0.0, f64::max),
    })
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
