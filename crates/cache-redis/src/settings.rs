//! How Redis is reached, and how long things are kept.

use std::fmt;
use std::time::Duration;

/// Settings of a [`RedisCache`](crate::RedisCache). The URL is a secret and is not shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct RedisCacheSettings {
    /// `redis://user:password@host:port/database`.
    pub url: String,
    /// First part of every key and channel: installs that share a server need different ones. No braces.
    pub prefix: String,
    /// How long a connection may take to stand.
    pub connect_timeout: Duration,
    /// How long a command may take; then Redis counts as away until it answers a probe.
    pub command_timeout: Duration,
    /// Connections that commands take turns on.
    pub connections: usize,
    /// How long an entry is kept in Redis.
    pub entry_ttl: Duration,
    /// How long an entry is kept in this process at most.
    pub local_ttl: Duration,
    /// Entries kept in this process at most.
    pub local_entries_max: u64,
    /// Homes whose version is remembered in this process at most.
    pub local_homes_max: u64,
    /// How long usage is gathered before it is told to the other nodes.
    pub gather: Duration,
}

impl RedisCacheSettings {
    /// The usual settings for a server.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            prefix: "q".to_owned(),
            connect_timeout: Duration::from_millis(500),
            command_timeout: Duration::from_millis(100),
            connections: 2,
            entry_ttl: Duration::from_mins(1),
            local_ttl: Duration::from_secs(10),
            local_entries_max: 100_000,
            local_homes_max: 200_000,
            gather: Duration::from_millis(25),
        }
    }
}

impl fmt::Debug for RedisCacheSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisCacheSettings")
            .field("url", &"(secret)")
            .field("prefix", &self.prefix)
            .field("connect_timeout", &self.connect_timeout)
            .field("command_timeout", &self.command_timeout)
            .field("connections", &self.connections)
            .field("entry_ttl", &self.entry_ttl)
            .field("local_ttl", &self.local_ttl)
            .field("local_entries_max", &self.local_entries_max)
            .field("local_homes_max", &self.local_homes_max)
            .field("gather", &self.gather)
            .finish()
    }
}
