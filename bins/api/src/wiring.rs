//! From settings to an engine: which store, which cache, which clock.

use std::sync::Arc;
use std::time::Duration;

use http_api::{ConnectedProvider, SchemaCheck, SchemaReport};
use quota_core::ports::{BillingStore, Cache, EventSink};
use quota_service::{Codes, Engine, EngineParts, EngineSettings, NoCache, TimeIds};
use runtime::{
    CacheArgs, DatabaseArgs, MissingFile, OpenCache, OpenDatabase, ProviderArgs, Readiness,
    StartError,
};
use tokio::task::JoinHandle;

/// How often it is looked whether another node applied a catalog.
const CATALOG_READ_EVERY: Duration = Duration::from_secs(1);

/// An engine and what belongs to it.
pub(crate) struct Wired {
    pub(crate) engine: Engine,
    pub(crate) events: Arc<dyn EventSink>,
    /// The payment provider, if one is connected.
    pub(crate) provider: Option<ConnectedProvider>,
    /// Codes that are redeemed.
    pub(crate) codes: Codes,
    cache: OpenCache,
    database: OpenDatabase,
    catalog_task: JoinHandle<()>,
}

impl Wired {
    /// Whether the database belongs to this machine alone.
    pub(crate) fn is_embedded(&self) -> bool {
        self.database.is_sqlite()
    }

    /// What is kept of payment providers.
    pub(crate) fn billing(&self) -> Arc<dyn BillingStore> {
        Arc::clone(&self.database.billing)
    }

    /// What `/readyz` beside the metrics answers.
    pub(crate) fn readiness(&self) -> Readiness {
        let provider = self.provider.as_ref();
        let provider = provider.map(|connected| connected.billing.clone());
        Readiness::new(&self.engine, &self.database).with_provider(provider)
    }

    /// How `/readyz` asks for the schema; a SQLite file is brought up to date when it is opened.
    pub(crate) fn schema_check(&self) -> Option<SchemaCheck> {
        let store = self.database.postgres()?.clone();
        Some(Arc::new(move || {
            let store = store.clone();
            Box::pin(async move {
                let schema = store.schema().await?;
                Ok(SchemaReport {
                    is_enough: schema.is_enough(),
                    words: schema.to_string(),
                })
            })
        }))
    }

    /// Answers what was taken, tells the other nodes what is left to tell, closes the database.
    pub(crate) async fn stop(self) {
        self.engine.stop().await;
        self.catalog_task.abort();
        self.cache.close().await;
        self.database.close().await;
    }
}

/// Puts an engine together for serving, or for commands that other nodes must hear of.
pub(crate) async fn wire(
    database: &DatabaseArgs,
    cache: &CacheArgs,
    settings: EngineSettings,
    provider: Option<&ProviderArgs>,
) -> Result<Wired, StartError> {
    let database = database.open(MissingFile::Create).await?;
    wire_over(database, cache, settings, provider).await
}

/// The same over a database that is open.
pub(crate) async fn wire_over(
    database: OpenDatabase,
    cache: &CacheArgs,
    settings: EngineSettings,
    provider: Option<&ProviderArgs>,
) -> Result<Wired, StartError> {
    let cache = cache.open(&database).await?;
    // The ledger's months are made by the worker's jobs too; an api without a worker must not run out of them.
    let now = database.clock.now();
    let months = database.storage.make_ledger_months(now).await;
    months.map_err(StartError::Postgres)?;
    let engine = engine(&database, Arc::clone(&cache.cache), settings).await?;
    let provider = provider.map(|args| connected(args, &engine, (&database, &cache)));
    Ok(Wired {
        provider: provider.transpose()?.flatten(),
        catalog_task: engine.keep_catalog_fresh(CATALOG_READ_EVERY),
        codes: Codes::new(engine.clone(), Arc::clone(&database.codes)),
        events: Arc::clone(&cache.events),
        engine,
        cache,
        database,
    })
}

fn connected(
    args: &ProviderArgs,
    engine: &Engine,
    open: (&OpenDatabase, &OpenCache),
) -> Result<Option<ConnectedProvider>, StartError> {
    let Some(open) = args.open(engine, open)? else {
        return Ok(None);
    };
    Ok(Some(ConnectedProvider {
        webhooks: args.webhooks(&open)?,
        return_origins: args.return_origins.clone(),
        billing: open.billing,
    }))
}

/// Puts an engine together for a command on keys or catalogs: no cache holds those.
pub(crate) async fn wire_command(
    database: &DatabaseArgs,
    missing: MissingFile,
) -> Result<(Engine, OpenDatabase), StartError> {
    let database = database.open(missing).await?;
    let engine = engine(&database, Arc::new(NoCache), EngineSettings::default()).await?;
    Ok((engine, database))
}

async fn engine(
    database: &OpenDatabase,
    cache: Arc<dyn Cache>,
    settings: EngineSettings,
) -> Result<Engine, StartError> {
    let parts = EngineParts {
        storage: Arc::clone(&database.storage),
        cache,
        clock: Arc::clone(&database.clock),
        ids: Arc::new(TimeIds),
    };
    Ok(Engine::start(parts, settings).await?)
}
