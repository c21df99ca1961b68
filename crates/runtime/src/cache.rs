//! The cache and the channel of events: Redis where it is set, else this process.

use std::sync::Arc;
use std::time::Duration;

use cache_memory::{MemoryCache, MemoryCacheSettings};
use cache_redis::{RedisCache, RedisCacheSettings};
use clap::Args;
use jobs::LogSink;
use quota_core::ports::{Cache, EventSink, Turns};
use secrecy::{ExposeSecret as _, SecretString};

use crate::{OpenDatabase, StartError, secret};

/// How long an entry is used where other processes write the database and nothing tells this one of it.
const UNHEARD_TTL: Duration = Duration::from_secs(1);

/// Which cache is used.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Cache")]
pub struct CacheArgs {
    /// `redis://user:password@host:port/database`; without it the cache is in this process and events are only logged.
    #[arg(long, env = "REDIS_URL", hide_env_values = true, value_name = "URL", value_parser = secret)]
    pub redis_url: Option<SecretString>,
    /// First part of every key in Redis.
    #[arg(
        long,
        env = "QUOTA_REDIS_PREFIX",
        hide_env_values = true,
        value_name = "TEXT",
        default_value = "q"
    )]
    pub redis_prefix: String,
}

/// A cache that is open, and where events go.
pub struct OpenCache {
    /// What checks and overviews look into: Redis, this process's memory, or nothing.
    pub cache: Arc<dyn Cache>,
    /// Who receives events.
    pub events: Arc<dyn EventSink>,
    redis: Option<RedisCache>,
}

impl CacheArgs {
    /// Opens the cache. A Redis that is away is found later.
    ///
    /// # Errors
    /// [`StartError::Setting`] when the URL or the prefix cannot be used.
    pub async fn open(&self, database: &OpenDatabase) -> Result<OpenCache, StartError> {
        let Some(url) = &self.redis_url else {
            return Ok(OpenCache {
                cache: Arc::new(memory_cache(database)),
                events: Arc::new(LogSink),
                redis: None,
            });
        };
        let own = RedisCacheSettings {
            prefix: self.redis_prefix.clone(),
            ..RedisCacheSettings::new(url.expose_secret())
        };
        // The cause may show the URL.
        let redis = RedisCache::connect(&own).await;
        let redis = redis.map_err(|_| StartError::Setting {
            setting: "REDIS_URL",
            why: "cannot be used: it must be `redis://user:password@host:port/database`, \
                  and QUOTA_REDIS_PREFIX must hold no braces"
                .to_owned(),
        })?;
        Ok(OpenCache {
            cache: Arc::new(redis.clone()),
            events: Arc::new(redis.events()),
            redis: Some(redis),
        })
    }
}

impl OpenCache {
    /// Turns that all processes over the same Redis share.
    pub fn turns(&self) -> Option<Arc<dyn Turns>> {
        let redis = self.redis.as_ref()?;
        Some(Arc::new(redis.turns()))
    }

    /// Tells the other nodes what they have not been told yet. Call it when the engine has stopped.
    pub async fn close(self) {
        if let Some(redis) = self.redis
            && let Err(error) = redis.flush().await
        {
            tracing::debug!(%error, "Redis did not take the last versions");
        }
    }
}

fn memory_cache(database: &OpenDatabase) -> MemoryCache {
    if database.is_sqlite() {
        return MemoryCache::default();
    }
    MemoryCache::new(&MemoryCacheSettings {
        entry_ttl: UNHEARD_TTL,
        ..MemoryCacheSettings::default()
    })
}
