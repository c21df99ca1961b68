//! The connections to Redis, and the switch that keeps callers from waiting for a Redis that does not answer.
//!
//! One command that does not come back in time turns the link off: from then on callers are refused at once. A task
//! in the background opens new connections, tells what waits to be told, and turns it on again.

use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use deadpool_redis::redis::aio::{MultiplexedConnection, PubSub};
use deadpool_redis::redis::{AsyncConnectionConfig, Client, RedisResult};
use deadpool_redis::{Connection, Manager, Pool, Runtime};
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::fault::Fault;
use crate::{ConnectError, RedisCacheSettings};

/// Connections to Redis. They are many commands wide, so a few are enough; a checkout from the pool for each command
/// would cost a round trip more.
pub(crate) struct Link {
    pool: Pool,
    client: Client,
    connections: RwLock<Vec<MultiplexedConnection>>,
    connections_max: usize,
    turn: AtomicUsize,
    is_on: AtomicBool,
    off: Notify,
    on: Notify,
    command_timeout: Duration,
    connect_timeout: Duration,
}

impl Link {
    /// A link that is off.
    pub(crate) fn new(settings: &RedisCacheSettings) -> Result<Self, ConnectError> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(settings.connect_timeout))
            .set_response_timeout(Some(settings.command_timeout));
        let url = settings.url.as_str();
        let manager = Manager::new_with_config(url, config).map_err(ConnectError::Url)?;
        let connections_max = settings.connections.max(1);
        let pool = Pool::builder(manager)
            .max_size(connections_max)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(settings.connect_timeout))
            .create_timeout(Some(settings.connect_timeout))
            .build()
            .map_err(ConnectError::Pool)?;
        Ok(Self {
            pool,
            client: Client::open(url).map_err(ConnectError::Url)?,
            connections: RwLock::default(),
            connections_max,
            turn: AtomicUsize::new(0),
            is_on: AtomicBool::new(false),
            off: Notify::new(),
            on: Notify::new(),
            command_timeout: settings.command_timeout,
            connect_timeout: settings.connect_timeout,
        })
    }

    pub(crate) fn is_on(&self) -> bool {
        self.is_on.load(Ordering::Acquire)
    }

    /// Runs a command if the link is on.
    pub(crate) async fn run<T, F, R>(&self, command: F) -> Result<T, Fault>
    where
        F: FnOnce(MultiplexedConnection) -> R,
        R: Future<Output = RedisResult<T>>,
    {
        if !self.is_on() {
            return Err(Fault::Away);
        }
        let connection = self.connection().ok_or(Fault::Away)?;
        let outcome = self.timed(command(connection)).await;
        if let Err(fault) = &outcome
            && fault.is_away()
        {
            self.turn_off(fault);
        }
        outcome
    }

    /// Runs a command in its time, whether the link is on or not.
    pub(crate) async fn timed<T>(
        &self,
        command: impl Future<Output = RedisResult<T>>,
    ) -> Result<T, Fault> {
        match timeout(self.command_timeout, command).await {
            Ok(answer) => answer.map_err(Fault::Refused),
            Err(_) => Err(Fault::TimedOut),
        }
    }

    fn connection(&self) -> Option<MultiplexedConnection> {
        let connections = self
            .connections
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let place = turn.checked_rem(connections.len())?;
        connections.get(place).cloned()
    }

    fn turn_off(&self, fault: &Fault) {
        if self.is_on.swap(false, Ordering::AcqRel) {
            tracing::warn!(error = %fault, "Redis is away; the cache goes on without it");
            self.off.notify_one();
        }
    }

    /// Waits until the link is off.
    pub(crate) async fn until_off(&self) {
        while self.is_on() {
            self.off.notified().await;
        }
    }

    /// Waits until the link is on; for one caller only.
    pub(crate) async fn until_on(&self) {
        while !self.is_on() {
            self.on.notified().await;
        }
    }

    /// New connections; the first of them, to be tried before the link is turned on.
    pub(crate) async fn reconnect(&self) -> Result<MultiplexedConnection, Fault> {
        let mut fresh = Vec::with_capacity(self.connections_max);
        for _ in 0..self.connections_max {
            let connection = self.pool.get().await.map_err(Fault::Pool)?;
            fresh.push(Connection::take(connection));
        }
        let first = fresh.first().cloned().ok_or(Fault::Away)?;
        let mut connections = self
            .connections
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *connections = fresh;
        Ok(first)
    }

    /// Lets callers through.
    pub(crate) fn turn_on(&self) {
        if !self.is_on.swap(true, Ordering::AcqRel) {
            tracing::info!("Redis answers");
            self.on.notify_one();
        }
    }

    /// A connection that listens to these channels.
    pub(crate) async fn subscribe(&self, channels: &[String]) -> Result<PubSub, Fault> {
        let subscribe = async {
            let mut listener = self.client.get_async_pubsub().await?;
            listener.subscribe(channels).await?;
            Ok(listener)
        };
        match timeout(self.connect_timeout, subscribe).await {
            Ok(listener) => listener.map_err(Fault::Refused),
            Err(_) => Err(Fault::TimedOut),
        }
    }
}
