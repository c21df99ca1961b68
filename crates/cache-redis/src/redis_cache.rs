//! The cache: this process first, then Redis.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use deadpool_redis::redis::cmd;
use quota_core::ids::AccountId;
use quota_core::ports::{Cache, CacheError, CachedHome};
use tokio::time::timeout;

use crate::events::RedisEvents;
use crate::fault::Fault;
use crate::local::{HomeRecord, Origin, Permit};
use crate::record;
use crate::scripts::{EntryKeys, Put, PutAnswer, found, put_answer};
use crate::shared::Shared;
use crate::tasks::Tasks;
use crate::turns::RedisTurns;
use crate::{ConnectError, RedisCacheSettings};

/// A cache that several nodes share. See the crate's page for what holds.
#[derive(Clone)]
pub struct RedisCache {
    shared: Arc<Shared>,
    tasks: Arc<Tasks>,
}

impl fmt::Debug for RedisCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisCache")
            .field("is_linked", &self.shared.link.is_on())
            .finish_non_exhaustive()
    }
}

impl RedisCache {
    /// A cache over the server of these settings. Waits for it no longer than one connection may take: a server that
    /// is away is found later, in the background. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// [`ConnectError`] when the settings cannot be used.
    pub async fn connect(settings: &RedisCacheSettings) -> Result<Self, ConnectError> {
        let shared = Arc::new(Shared::new(settings)?);
        let tasks = Arc::new(Tasks::start(&shared));
        // Off or on, the cache works.
        if timeout(settings.connect_timeout, shared.link.until_on())
            .await
            .is_err()
        {
            tracing::warn!(
                "Redis does not answer: until it does, checks read the database and are slower, may miss for up to a second what \
                 another process wrote, and events wait; it is tried again all the time"
            );
        }
        Ok(Self { shared, tasks })
    }

    /// A sink that tells events over the same connections.
    pub fn events(&self) -> RedisEvents {
        RedisEvents::new(Arc::clone(&self.shared), Arc::clone(&self.tasks))
    }

    /// Turns that all processes share that have the same Redis and prefix.
    pub fn turns(&self) -> RedisTurns {
        RedisTurns::new(Arc::clone(&self.shared), Arc::clone(&self.tasks))
    }

    /// Tells the other nodes at once what is still gathered; for a graceful stop.
    ///
    /// # Errors
    /// [`CacheError`] when Redis is away; it is told when Redis is back, if this process still runs.
    pub async fn flush(&self) -> Result<(), CacheError> {
        Ok(self.shared.tell_pending().await?)
    }

    fn entry_keys(&self, home: &AccountId, account: &AccountId) -> EntryKeys {
        EntryKeys {
            record: self.shared.keys.record(home),
            entry: self.shared.keys.entry(home, account),
        }
    }

    async fn ask(
        &self,
        home: &AccountId,
        account: &AccountId,
    ) -> Result<Option<Arc<CachedHome>>, Fault> {
        let Shared {
            link,
            local,
            scripts,
            ..
        } = &*self.shared;
        let (home_record, epoch) = (local.record(home), local.epoch());
        let keys = self.entry_keys(home, account);
        let answer = link.run(|connection| scripts.get(connection, keys)).await?;
        let found = found(answer)?;
        home_record.note(found.stamp);
        let Some(entry) = found.entry else {
            return Ok(None);
        };
        let Some(entry) = record::read(&entry, home, account) else {
            tracing::debug!(%home, "an entry of another form in Redis");
            return Ok(None);
        };
        // Redis may not have heard yet of what this node knows.
        if entry.version < home_record.newest() {
            return Ok(None);
        }
        let origin = Origin {
            epoch,
            is_confirmed: true,
        };
        local.store(home_record, Arc::clone(&entry), &origin);
        Ok(Some(entry))
    }

    async fn offer(&self, record: &HomeRecord, entry: &CachedHome) -> Result<PutAnswer, Fault> {
        let Permit::Store(expected) = record.permit() else {
            return Ok(PutAnswer {
                stamp: None,
                is_stored: false,
            });
        };
        if !self.shared.link.is_on() {
            return Err(Fault::Away);
        }
        let put = Put {
            version: entry.version,
            expected,
            json: record::written(entry).map_err(Fault::Unwritable)?,
        };
        let keys = self.entry_keys(&entry.home, &entry.account);
        let scripts = &self.shared.scripts;
        let link = &self.shared.link;
        let answer = link.run(|connection| scripts.put(connection, keys, put));
        let answer = put_answer(answer.await?)?;
        match answer.stamp {
            Some(stamp) => record.note(stamp),
            None => record.note_gone(),
        }
        Ok(answer)
    }
}

#[async_trait]
impl Cache for RedisCache {
    async fn get(
        &self,
        home: &AccountId,
        account: &AccountId,
    ) -> Result<Option<Arc<CachedHome>>, CacheError> {
        if let Some(entry) = self.shared.local.entry(home, account, Instant::now()) {
            return Ok(Some(entry));
        }
        Ok(self.ask(home, account).await?)
    }

    async fn put(&self, entry: Arc<CachedHome>) -> Result<(), CacheError> {
        let local = &self.shared.local;
        let (record, epoch) = (local.record(&entry.home), local.epoch());
        if record.raise(entry.version) > entry.version {
            return Ok(());
        }
        let answer = self.offer(&record, &entry).await;
        let origin = Origin {
            epoch,
            is_confirmed: answer.as_ref().is_ok_and(|answer| answer.is_stored),
        };
        local.store(record, entry, &origin);
        answer?;
        Ok(())
    }

    async fn advance(&self, homes: &[(AccountId, u64)], is_urgent: bool) -> Result<(), CacheError> {
        let Shared { local, pending, .. } = &*self.shared;
        for (home, version) in homes {
            local.record(home).raise(*version);
        }
        if !is_urgent {
            pending.add(homes);
            return Ok(());
        }
        let outcome = self.shared.tell(homes).await;
        if outcome.is_err() {
            pending.add(homes);
        }
        Ok(outcome?)
    }

    fn name(&self) -> &'static str {
        "redis"
    }

    async fn ping(&self) -> Result<(), CacheError> {
        let ping = |mut to| async move { cmd("PING").query_async::<()>(&mut to).await };
        Ok(self.shared.link.run(ping).await?)
    }
}
