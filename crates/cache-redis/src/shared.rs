//! What the cache, the event sink and the tasks in the background share.

use std::time::Duration;

use deadpool_redis::redis::aio::MultiplexedConnection;
use deadpool_redis::redis::{ErrorKind, Pipeline, RedisResult, ServerErrorKind, cmd};
use quota_core::ids::AccountId;

use crate::fault::Fault;
use crate::keys::Keys;
use crate::link::Link;
use crate::local::Local;
use crate::message;
use crate::pending::{BATCH_MAX, Pending};
use crate::scripts::Scripts;
use crate::{ConnectError, RedisCacheSettings};

/// A record outlives its entries by far, and what a node may still have on its way.
const RECORD_TTL_MIN: Duration = Duration::from_mins(5);

/// What is shared.
pub(crate) struct Shared {
    pub(crate) keys: Keys,
    pub(crate) link: Link,
    pub(crate) local: Local,
    pub(crate) pending: Pending,
    pub(crate) scripts: Scripts,
    /// This node's name on its own channel.
    pub(crate) node: u64,
    /// How long usage is gathered before the other nodes hear of it.
    pub(crate) gather: Duration,
}

impl Shared {
    pub(crate) fn new(settings: &RedisCacheSettings) -> Result<Self, ConnectError> {
        let record_ttl = RECORD_TTL_MIN.max(settings.entry_ttl * 2);
        Ok(Self {
            keys: Keys::new(&settings.prefix)?,
            link: Link::new(settings)?,
            local: Local::new(settings),
            pending: Pending::default(),
            scripts: Scripts::new(settings.entry_ttl, record_ttl),
            node: rand::random(),
            gather: settings.gather,
        })
    }

    /// Tells homes' versions: their records first, so that whoever hears of it finds them raised.
    pub(crate) async fn tell(&self, homes: &[(AccountId, u64)]) -> Result<(), Fault> {
        for homes in homes.chunks(BATCH_MAX) {
            let pipeline = self.telling(homes, false);
            let tell = |connection| self.told(connection, pipeline);
            self.link.run(tell).await?;
        }
        Ok(())
    }

    fn telling(&self, homes: &[(AccountId, u64)], is_lost: bool) -> Pipeline {
        let mut pipeline = Pipeline::with_capacity(homes.len() + 2);
        for (home, version) in homes {
            pipeline.add_command(self.scripts.raise(&self.keys.record(home), *version));
            pipeline.ignore();
        }
        let mut publish = |text: String| {
            let mut publish = cmd("PUBLISH");
            publish.arg(self.keys.invalidate()).arg(text);
            pipeline.add_command(publish).ignore();
        };
        if !homes.is_empty() {
            publish(message::of_versions(homes));
        }
        if is_lost {
            publish(message::of_everything());
        }
        pipeline
    }

    async fn told(
        &self,
        mut connection: MultiplexedConnection,
        pipeline: Pipeline,
    ) -> RedisResult<()> {
        let outcome: RedisResult<()> = pipeline.query_async(&mut connection).await;
        match outcome {
            // A server that was started anew has forgotten its scripts.
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                self.scripts.load(&mut connection).await?;
                pipeline.query_async(&mut connection).await
            }
            outcome => outcome,
        }
    }

    /// Tells all that waits, or as much as can be told.
    pub(crate) async fn tell_pending(&self) -> Result<(), Fault> {
        while self.link.is_on() {
            let Some(batch) = self.pending.take() else {
                return Ok(());
            };
            let pipeline = self.telling(&batch.homes, batch.is_lost);
            self.link.run(|to| self.told(to, pipeline)).await?;
            batch.done();
        }
        Err(Fault::Away)
    }

    /// Opens connections and tells what waits; only then are callers let through, so that they find no record lower
    /// than what this node had to tell.
    pub(crate) async fn restore(&self) -> Result<(), Fault> {
        let mut connection = self.link.reconnect().await?;
        self.link.timed(self.scripts.load(&mut connection)).await?;
        while let Some(batch) = self.pending.take() {
            let pipeline = self.telling(&batch.homes, batch.is_lost);
            let told = self.told(connection.clone(), pipeline);
            self.link.timed(told).await?;
            batch.done();
        }
        self.link.turn_on();
        Ok(())
    }
}
