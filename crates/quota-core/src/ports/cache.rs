//! The cache: reads only. It never says yes to a consume.

use std::error::Error;
use std::sync::Arc;

use async_trait::async_trait;

use crate::home::Account;
use crate::ids::AccountId;

/// A cache that did not answer; the caller goes to the store.
#[derive(Debug, thiserror::Error)]
#[error("the cache is unavailable")]
pub struct CacheError(#[source] pub Box<dyn Error + Send + Sync>);

/// What a check or an overview reads: some accounts of a home at one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CachedHome {
    /// The home that the account lives in.
    pub home: AccountId,
    /// The home's version: a newer one replaces an older one, never the other way round.
    pub version: u64,
    /// See [`crate::home::Home::hold_before`]: from that instant on the entry must not be used.
    pub hold_before: Option<chrono::DateTime<chrono::Utc>>,
    /// The account that the entry is looked up by.
    pub account: AccountId,
    /// As it was at that version.
    pub user: Account,
    /// Its org's account at that version, if it has one.
    pub org: Option<Account>,
}

/// A cache of accounts, guarded by the version of their home.
#[async_trait]
pub trait Cache: Send + Sync {
    /// The entry of an account that lives in `home`, unless this cache has heard of a newer version of that home.
    ///
    /// # Errors
    /// [`CacheError`] when it does not answer in time.
    async fn get(
        &self,
        home: &AccountId,
        account: &AccountId,
    ) -> Result<Option<Arc<CachedHome>>, CacheError>;

    /// Stores an entry unless the home is known to have a newer version.
    ///
    /// # Errors
    /// [`CacheError`] when it does not answer in time.
    async fn put(&self, entry: Arc<CachedHome>) -> Result<(), CacheError>;

    /// Says that homes have reached a version: older entries of them count no more. Here that holds when the call
    /// returns; on other nodes too when `is_urgent` (terms changed), else soon after, many at once (usage).
    ///
    /// # Errors
    /// [`CacheError`] when it does not answer in time.
    async fn advance(&self, homes: &[(AccountId, u64)], is_urgent: bool) -> Result<(), CacheError>;

    /// What it is, for metrics: `memory`, `redis`.
    fn name(&self) -> &'static str;

    /// Whether it answers; for `/readyz`.
    ///
    /// # Errors
    /// [`CacheError`] when it does not.
    async fn ping(&self) -> Result<(), CacheError>;
}
