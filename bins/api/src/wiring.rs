//! From settings to an engine: which store, which cache, which clock.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use cache_memory::{MemoryCache, MemoryCacheSettings};
use cache_redis::{RedisCache, RedisCacheSettings, RedisEvents};
use chrono::TimeDelta;
use http_api::{SchemaCheck, SchemaReport};
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
/// Shortest time for which keys are remembered (X1).
const KEYS_KEPT_MIN: Duration = Duration::from_hours(7 * 24);

/// How long a check may be behind what another process did, where nobody tells of it.
const UNHEARD_TTL: Duration = Duration::from_secs(1);
/// How often it is looked whether another node applied a catalog.
const CATALOG_READ_EVERY: Duration = Duration::from_secs(1);

/// An engine and what belongs to it.
pub(crate) struct Wired {
    pub(crate) engine: Engine,
    pub(crate) events: Arc<dyn EventSink>,
    pub(crate) is_embedded: bool,
    redis: Option<RedisCache>,
    close: Close,
    tasks: Vec<JoinHandle<()>>,
}

enum Close {
    Sqlite(SqliteStore),
    Postgres(Box<PgStore>),
}

/// Which database the settings name.
enum Database {
    Sqlite(PathBuf),
    Postgres,
}

impl Database {
    fn of(settings: &Settings) -> Result<Self, StartError> {
        let Some(url) = &settings.database_url else {
            return Ok(Self::Sqlite(settings.sqlite_file.clone()));
        };
        let url = url.expose_secret();
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Self::Postgres);
        }
        let file = url
            .strip_prefix("sqlite:")
            .map(|rest| rest.strip_prefix("//").unwrap_or(rest));
        match file {
            // A store in memory would be another one for each connection, and gone with the process.
            Some(file) if !file.is_empty() && file != ":memory:" => Ok(Self::Sqlite(file.into())),
            _ => Err(StartError::Setting {
                setting: "DATABASE_URL",
                why: "must begin with `postgres://`, `postgresql://` or `sqlite://`".to_owned(),
            }),
        }
    }
}

impl Wired {
    /// How `/readyz` asks for the schema; a SQLite file is brought up to date when it is opened.
    pub(crate) fn schema_check(&self) -> Option<SchemaCheck> {
        let Close::Postgres(store) = &self.close else {
            return None;
        };
        let store = store.clone();
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
        for task in self.tasks {
            task.abort();
        }
        if let Some(redis) = self.redis
            && let Err(error) = redis.flush().await
        {
            tracing::debug!(%error, "Redis was not told what was left to tell");
        }
        match self.close {
            Close::Sqlite(store) => store.close().await,
            Close::Postgres(store) => store.close().await,
        }
    }
}

/// Puts an engine together.
pub(crate) async fn wire(settings: &Settings) -> Result<Wired, StartError> {
    let engine_settings = engine_settings(settings)?;
    let database = Database::of(settings)?;
    let (cache, events, redis) = cache(settings, &database).await?;
    let (storage, clock, close, clock_task): (Arc<dyn Storage>, Arc<dyn Clock>, _, _) =
        match &database {
            Database::Sqlite(file) => {
                let store = open_sqlite(file).await?;
                let clock = Arc::new(SystemClock);
                (Arc::new(store.clone()), clock, Close::Sqlite(store), None)
            }
            Database::Postgres => {
                let store = open_postgres(settings).await?;
                has_schema(&store).await?;
                let storage: Arc<dyn Storage> = Arc::new(store.clone());
                let clock = StoreClock::start(storage.as_ref()).await;
                let clock = Arc::new(clock.map_err(StartError::Postgres)?);
                let task = clock.keep_set(Arc::clone(&storage), CLOCK_SET_EVERY);
                (storage, clock, Close::Postgres(Box::new(store)), Some(task))
            }
        };
    let parts = EngineParts {
        storage,
        cache,
        clock,
        ids: Arc::new(TimeIds),
    };
    // The ledger's months are made by the worker's jobs too; an api without a worker must not run out of them.
    let months = parts.storage.make_ledger_months(parts.clock.now()).await;
    months.map_err(StartError::Postgres)?;
    let engine = Engine::start(parts, engine_settings).await?;
    let mut tasks = vec![engine.keep_catalog_fresh(CATALOG_READ_EVERY)];
    tasks.extend(clock_task);
    Ok(Wired {
        engine,
        events,
        is_embedded: matches!(database, Database::Sqlite(_)),
        redis,
        close,
        tasks,
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

async fn open_sqlite(file: &PathBuf) -> Result<SqliteStore, StartError> {
    let opened = SqliteStore::open(file, &SqliteSettings::default()).await;
    opened.map_err(|cause| StartError::Sqlite {
        file: file.clone(),
        cause,
    })
}

async fn open_postgres(settings: &Settings) -> Result<PgStore, StartError> {
    let url = settings.database_url.as_ref();
    let url = url.map_or("", |url| url.expose_secret());
    let own = storage_pg::Settings {
        connections_max: settings.database_connections,
        ..storage_pg::Settings::default()
    };
    let store = PgStore::connect(url, own).await;
    store.map_err(unusable)
}

/// A cache in this process. Beside a PostgreSQL that other processes write too, and with no Redis to hear of it by, it
/// keeps an entry for a second only.
fn memory_cache(database: &Database) -> MemoryCache {
    match database {
        Database::Sqlite(_) => MemoryCache::default(),
        Database::Postgres => MemoryCache::new(&MemoryCacheSettings {
            entry_ttl: UNHEARD_TTL,
            ..MemoryCacheSettings::default()
        }),
    }
}

type CacheParts = (Arc<dyn Cache>, Arc<dyn EventSink>, Option<RedisCache>);

async fn cache(settings: &Settings, database: &Database) -> Result<CacheParts, StartError> {
    let Some(url) = &settings.redis_url else {
        return Ok((
            Arc::new(memory_cache(database)),
            Arc::new(jobs::LogSink),
            None,
        ));
    };
    let own = RedisCacheSettings {
        prefix: settings.redis_prefix.clone(),
        ..RedisCacheSettings::new(url.expose_secret())
    };
    let redis = RedisCache::connect(&own).await;
    let redis = redis.map_err(|_| StartError::Setting {
        setting: "REDIS_URL",
        why: "cannot be used: it must be `redis://user:password@host:port/database`, \
              and REDIS_PREFIX must hold no braces"
            .to_owned(),
    })?;
    let events: RedisEvents = redis.events();
    Ok((Arc::new(redis.clone()), Arc::new(events), Some(redis)))
}

fn engine_settings(settings: &Settings) -> Result<EngineSettings, StartError> {
    if settings.keys_kept < KEYS_KEPT_MIN {
        return Err(StartError::Setting {
            setting: "KEYS_KEPT",
            why: "must be at least 7d: a repeated request gets its first answer for that long"
                .to_owned(),
        });
    }
    let count = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
    let span = |value| TimeDelta::from_std(value).unwrap_or(TimeDelta::MAX);
    Ok(EngineSettings {
        shards: count(settings.shards),
        queue_max: count(settings.queue_max),
        batch_max: count(settings.batch_max),
        deadline: settings.deadline,
        grace: span(settings.grace),
        keys_kept: span(settings.keys_kept),
        homes_kept: count(settings.homes_kept),
    })
}

/// Brings the database's schema up to date.
pub(crate) async fn migrate(settings: &Settings) -> Result<(), StartError> {
    match Database::of(settings)? {
        Database::Sqlite(file) => open_sqlite(&file).await?.close().await,
        Database::Postgres => {
            let store = open_postgres(settings).await?;
            store.migrate().await.map_err(StartError::Postgres)?;
            store.close().await;
        }
    }
    println!("the schema is up to date");
    Ok(())
}
