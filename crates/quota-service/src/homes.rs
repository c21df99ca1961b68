//! Who lives where, remembered for a while; a stale answer is noticed at load.

use std::sync::Arc;

use quota_core::ids::{AccountId, AccountKind};
use quota_core::ports::{Storage, StoreError};

/// Accounts whose home is remembered.
const REMEMBERED_MAX: usize = 200_000;

/// The directory, cached.
pub(crate) struct Homes {
    storage: Arc<dyn Storage>,
    remembered: quick_cache::sync::Cache<AccountId, AccountId>,
}

impl Homes {
    pub(crate) fn new(storage: Arc<dyn Storage>) -> Self {
        let remembered = quick_cache::sync::Cache::new(REMEMBERED_MAX);
        Self {
            storage,
            remembered,
        }
    }

    /// The home of an account: itself, unless the directory says otherwise.
    pub(crate) async fn of(&self, account: &AccountId) -> Result<AccountId, StoreError> {
        match self.known(account) {
            Some(home) => Ok(home),
            None => self.look_up(account).await,
        }
    }

    /// The home, if it is remembered; an org is its own.
    pub(crate) fn known(&self, account: &AccountId) -> Option<AccountId> {
        if account.kind() == AccountKind::Org {
            return Some(account.clone());
        }
        self.remembered.get(account)
    }

    /// The home as the store has it now.
    pub(crate) async fn look_up(&self, account: &AccountId) -> Result<AccountId, StoreError> {
        let found = self.storage.home_of(account).await?;
        let home = found.unwrap_or_else(|| account.clone());
        self.remember(account, &home);
        Ok(home)
    }

    pub(crate) fn remember(&self, account: &AccountId, home: &AccountId) {
        self.remembered.insert(account.clone(), home.clone());
    }
}

/// Which of `shards` a hash falls to; 0 when there is none.
pub(crate) fn shard(hash: u64, shards: usize) -> usize {
    let shards = u64::try_from(shards).unwrap_or(1).max(1);
    usize::try_from(hash % shards).unwrap_or(0)
}
