//! From settings to a runner: which store, which cache, which clock, who is told of events.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use cache_memory::MemoryCache;
use cache_redis::{RedisCache, RedisCacheSettings};
use chrono::TimeDelta;
use jobs::{JobSettings, LogSink, Runner};
use quota_core::ports::{Cache, Clock, EventSink, Storage, StoreError};
use quota_service::{Engine, EngineParts, EngineSettings, StoreClock, SystemClock, TimeIds};
use secrecy::ExposeSecret as _;
use storage_pg::{PgStore, Schema};
use storage_sqlite::{SqliteSettings, SqliteStore};
use tokio::task::JoinHandle;

use crate::args::Settings;
use crate::start_error::StartError;

/// How often the clock is set by the database's.
const CLOCK_SET_EVERY: Duration = Duration::from_secs(10);
/// How the driver begins when it cannot read its URL.
const URL_FAULT: &str = "error with configuration: ";

/// A runner and what belongs to it.
pub(crate) struct Wired {
    pub(crate) runner: Runner,
    engine: Engine,
    redis: Option<RedisCache>,
    opened: Opened,
}

/// A database that is open, and the clock that goes with it.
struct Opened {
    storage: Arc<dyn Storage>,
    clock: Arc<dyn Clock>,
    clock_task: Option<JoinHandle<()>>,
    close: Close,
}

enum Close {
    Sqlite(SqliteStore),
    Postgres(Box<PgStore>),
}

/// Which database the settings name.
enum Database<'a> {
    Sqlite(PathBuf),
    Postgres(&'a str),
}

impl<'a> Database<'a> {
    fn of(settings: &'a Settings) -> Result<Self, StartError> {
        let Some(url) = &settings.database_url else {
            return Ok(Self::Sqlite(settings.sqlite_file.clone()));
        };
        let url = url.expose_secret();
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Self::Postgres(url));
        }
        let file = url
            .strip_prefix("sqlite:")
            .map(|rest| rest.strip_prefix("//").unwrap_or(rest));
        match file {
            // A store in memory would be another one for each connection, and empty.
            Some(file) if !file.is_empty() && file != ":memory:" => Ok(Self::Sqlite(file.into())),
            _ => Err(StartError::Setting {
                setting: "DATABASE_URL",
                why: "must begin with `postgres://`, `postgresql://` or `sqlite://`".to_owned(),
            }),
        }
    }
}

impl Wired {
    /// Finishes the batches in hand, tells the nodes what is left to tell, closes the database.
    pub(crate) async fn stop(self) {
        self.runner.stop().await;
        self.engine.stop().await;
        if let Some(task) = self.opened.clock_task {
            task.abort();
        }
        if let Some(redis) = self.redis
            && let Err(error) = redis.flush().await
        {
            tracing::debug!(%error, "Redis was not told what was left to tell");
        }
        match self.opened.close {
            Close::Sqlite(store) => store.close().await,
            Close::Postgres(store) => store.close().await,
        }
    }
}

/// Puts a runner together.
pub(crate) async fn wire(settings: &Settings) -> Result<Wired, StartError> {
    let database = Database::of(settings)?;
    let redis = redis(settings).await?;
    let (cache, sink): (Arc<dyn Cache>, Arc<dyn EventSink>) = match &redis {
        Some(redis) => (Arc::new(redis.clone()), Arc::new(redis.events())),
        None => (Arc::new(MemoryCache::default()), Arc::new(LogSink)),
    };
    let opened = match database {
        Database::Sqlite(file) => open_sqlite(file).await?,
        Database::Postgres(url) => open_postgres(url, settings).await?,
    };
    let parts = EngineParts {
        storage: Arc::clone(&opened.storage),
        cache,
        clock: Arc::clone(&opened.clock),
        ids: Arc::new(TimeIds),
    };
    let engine_settings = EngineSettings {
        grace: span(settings.grace),
        ..EngineSettings::default()
    };
    let engine = Engine::start(parts, engine_settings).await?;
    // Never the host's name: two processes of one host are two workers.
    let owner = format!("worker-{}", engine.next_id());
    Ok(Wired {
        runner: Runner::new(engine.clone(), sink, job_settings(settings), owner),
        engine,
        redis,
        opened,
    })
}

async fn open_sqlite(file: PathBuf) -> Result<Opened, StartError> {
    let opened = SqliteStore::open(&file, &SqliteSettings::default()).await;
    let store = opened.map_err(|cause| StartError::Sqlite { file, cause })?;
    Ok(Opened {
        storage: Arc::new(store.clone()),
        clock: Arc::new(SystemClock),
        clock_task: None,
        close: Close::Sqlite(store),
    })
}

async fn open_postgres(url: &str, settings: &Settings) -> Result<Opened, StartError> {
    let own = storage_pg::Settings {
        connections_max: settings.database_connections,
        ..storage_pg::Settings::default()
    };
    let store = PgStore::connect(url, own).await;
    let store = store.map_err(unusable)?;
    has_schema(&store).await?;
    let storage: Arc<dyn Storage> = Arc::new(store.clone());
    let clock = StoreClock::start(storage.as_ref()).await;
    let clock = Arc::new(clock.map_err(StartError::Postgres)?);
    Ok(Opened {
        clock_task: Some(clock.keep_set(Arc::clone(&storage), CLOCK_SET_EVERY)),
        storage,
        clock,
        close: Close::Postgres(Box::new(store)),
    })
}

/// A URL that the driver cannot read is a wrong setting; what it says of it shows no password.
fn unusable(error: StoreError) -> StartError {
    let told = match &error {
        StoreError::Refused { what } => what.strip_prefix(URL_FAULT),
        _ => None,
    };
    let Some(told) = told else {
        return StartError::Postgres(error);
    };
    StartError::Setting {
        setting: "DATABASE_URL",
        why: format!(
            "cannot be used ({told}): it must be `postgres://user:password@host:port/database`"
        ),
    }
}

/// The schema must be there: better no start than an answer of the database's to every request.
async fn has_schema(store: &PgStore) -> Result<(), StartError> {
    let schema = store.schema().await.map_err(|error| match error {
        StoreError::Refused { what } => StartError::Schema(format!("cannot be looked at: {what}")),
        other => StartError::Postgres(other),
    })?;
    if !schema.is_enough() {
        return Err(StartError::Schema(schema.to_string()));
    }
    if schema != Schema::Current {
        tracing::warn!("the database's schema {schema}");
    }
    Ok(())
}

async fn redis(settings: &Settings) -> Result<Option<RedisCache>, StartError> {
    let Some(url) = &settings.redis_url else {
        return Ok(None);
    };
    let own = RedisCacheSettings {
        prefix: settings.redis_prefix.clone(),
        ..RedisCacheSettings::new(url.expose_secret())
    };
    // The cause may show the URL.
    let connected = RedisCache::connect(&own).await;
    connected.map(Some).map_err(|_| StartError::Setting {
        setting: "REDIS_URL",
        why: "cannot be used: it must be `redis://user:password@host:port/database`, and REDIS_PREFIX must hold no \
              braces"
            .to_owned(),
    })
}

fn job_settings(settings: &Settings) -> JobSettings {
    JobSettings {
        schedules: settings.schedules.0.clone(),
        batch_max: settings.job_batch_max,
        lease_kept: settings.job_lease,
        retries_max: settings.job_retries_max,
        kept: span(settings.job_records_kept),
        ..JobSettings::default()
    }
}

fn span(of: Duration) -> TimeDelta {
    TimeDelta::from_std(of).unwrap_or(TimeDelta::MAX)
}
