//! An engine in one call: catalog, clock, cache, and what keeps them fresh.

use std::sync::Arc;
use std::time::Duration;

use quota_core::catalog::CatalogFile;
use quota_core::ports::{Cache, Clock, Storage};
use tokio::task::JoinHandle;

use crate::background::Background;
use crate::{Engine, EngineError, EngineParts, EngineSettings, NoCache, StoreClock, TimeIds};

/// How often the clock is set by the store's.
const CLOCK_SET_EVERY: Duration = Duration::from_secs(10);
/// How often room is made in the ledger: that of the next two months is there.
const ROOM_MADE_EVERY: Duration = Duration::from_hours(24);
/// How often the engine looks whether another node applied a catalog.
const CATALOG_READ_EVERY: Duration = Duration::from_secs(1);

/// An engine that is about to be opened over a store.
#[must_use = "nothing is opened until `open` is called"]
pub struct EngineBuilder {
    storage: Arc<dyn Storage>,
    cache: Arc<dyn Cache>,
    clock: Option<Arc<dyn Clock>>,
    settings: EngineSettings,
    catalog: Option<(CatalogFile, String)>,
}

impl Engine {
    /// An engine over a store whose schema is up to date: `SqliteStore::open` and `PgStore::open` see to that. Clones of
    /// the store share its connections: keep one, to close it when the engine has stopped.
    pub fn over(storage: Arc<dyn Storage>) -> EngineBuilder {
        EngineBuilder {
            storage,
            cache: Arc::new(NoCache),
            clock: None,
            settings: EngineSettings::default(),
            catalog: None,
        }
    }
}

impl EngineBuilder {
    /// What checks and overviews look into before they read the store; nothing when it is not said.
    pub fn cache(mut self, cache: Arc<dyn Cache>) -> Self {
        self.cache = cache;
        self
    }

    /// How the engine is set, in place of the defaults.
    pub fn settings(mut self, settings: EngineSettings) -> Self {
        self.settings = settings;
        self
    }

    /// Plans as code: applied when the engine opens, unless they are in force already. `actor` is written beside them.
    pub fn catalog(mut self, file: CatalogFile, actor: &str) -> Self {
        self.catalog = Some((file, actor.to_owned()));
        self
    }

    /// The clock to decide by, in place of the store's; for tests.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Opens the engine. It decides by the store's clock, or the machine's where the store has none, and keeps clock and
    /// catalog fresh and room in the ledger until it is stopped or its last clone is dropped. Windows, expiry and the ends
    /// of holds need no job: what the `jobs` crate runs is events, pruning and the auditor.
    ///
    /// # Errors
    /// [`EngineError::Store`] when the store does not answer; those of [`Engine::apply_catalog`].
    pub async fn open(self) -> Result<Engine, EngineError> {
        let (clock, clock_task): (Arc<dyn Clock>, _) = if let Some(clock) = self.clock {
            (clock, None)
        } else {
            let clock = Arc::new(StoreClock::start(self.storage.as_ref()).await?);
            let task = clock.keep_set(Arc::clone(&self.storage), CLOCK_SET_EVERY);
            (clock, Some(task))
        };
        let parts = EngineParts {
            storage: self.storage,
            cache: self.cache,
            clock,
            ids: Arc::new(TimeIds),
        };
        let background = Background::default();
        background.extend(clock_task);
        let engine = Engine::start(parts, self.settings).await?;
        background.extend([
            engine.keep_catalog_fresh(CATALOG_READ_EVERY),
            keep_room(&engine),
        ]);
        engine.inner.background.take_over(&background);
        if let Some((file, actor)) = self.catalog {
            engine.apply_catalog(&file, Some(&actor)).await?;
        }
        Ok(engine)
    }
}

/// Makes room in the ledger for the months to come, until the returned task is aborted.
fn keep_room(engine: &Engine) -> JoinHandle<()> {
    let decider = Arc::clone(&engine.inner.decider);
    tokio::spawn(async move {
        let mut tick = tokio::time::interval(ROOM_MADE_EVERY);
        loop {
            tick.tick().await;
            let now = decider.clock.now();
            if let Err(error) = decider.storage.make_ledger_months(now).await {
                tracing::warn!(%error, "no room was made in the ledger for the months to come");
            }
        }
    })
}
