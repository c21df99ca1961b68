//! From settings to a runner: which store, which cache, which clock, who receives events.

use std::sync::Arc;

use jobs::Runner;
use quota_service::billing::Billing;
use quota_service::{Engine, EngineParts, TimeIds};
use runtime::{MissingFile, OpenCache, OpenDatabase, Readiness, ScheduleArgs, StartError};

use crate::args::WorkArgs;

/// A runner and what belongs to it.
pub(crate) struct Wired {
    pub(crate) runner: Runner,
    engine: Engine,
    provider: Option<Billing>,
    cache: OpenCache,
    database: OpenDatabase,
}

impl Wired {
    /// What `/readyz` beside the metrics answers.
    pub(crate) fn readiness(&self) -> Readiness {
        Readiness::new(&self.engine, &self.database).with_provider(self.provider.clone())
    }

    /// Finishes the batches in flight, tells the nodes what is left to tell, closes the database.
    pub(crate) async fn stop(self) {
        self.runner.stop().await;
        self.engine.stop().await;
        self.cache.close().await;
        self.database.close().await;
    }
}

/// Puts a runner together.
pub(crate) async fn wire(args: &WorkArgs, schedules: &ScheduleArgs) -> Result<Wired, StartError> {
    let database = args.database.open(MissingFile::Refuse).await?;
    let cache = args.cache.open(&database).await?;
    let parts = EngineParts {
        storage: Arc::clone(&database.storage),
        cache: Arc::clone(&cache.cache),
        clock: Arc::clone(&database.clock),
        ids: Arc::new(TimeIds),
    };
    let engine = Engine::start(parts, args.rules.engine_settings()).await?;
    // Never the host's name: two processes of one host are two workers.
    let owner = format!("worker-{}", engine.next_id());
    let events = Arc::clone(&cache.events);
    let settings = args.job.settings(schedules);
    let provider = args.provider.open(&engine, (&database, &cache))?;
    let provider = provider.map(|open| open.billing);
    let runner = Runner::new(engine.clone(), events, settings, owner);
    Ok(Wired {
        runner: runner.with_billing(provider.clone()),
        engine,
        provider,
        cache,
        database,
    })
}
