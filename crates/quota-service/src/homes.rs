//! Who lives where, remembered for a while; a stale answer is noticed at load.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};

use quota_core::ids::{AccountId, AccountKind};
use quota_core::ports::{Storage, StoreError};

use crate::generations::Generations;

/// Accounts whose home is remembered.
const REMEMBERED_MAX: usize = 200_000;
/// Parts with a lock of their own, so that callers seldom wait for one another.
const PARTS: usize = 32;

/// Homes by account; none where an account is its own home.
type Part = Mutex<Generations<Option<AccountId>>>;

/// The directory, cached.
pub(crate) struct Homes {
    storage: Arc<dyn Storage>,
    remembered: [Part; PARTS],
    hasher: RandomState,
}

impl Homes {
    pub(crate) fn new(storage: Arc<dyn Storage>) -> Self {
        Self {
            storage,
            remembered: std::array::from_fn(|_| {
                Mutex::new(Generations::new(REMEMBERED_MAX / PARTS))
            }),
            hasher: RandomState::new(),
        }
    }

    /// The home of an account: itself, unless the directory says otherwise.
    pub(crate) async fn of(&self, account: &AccountId) -> Result<AccountId, StoreError> {
        if account.kind() == AccountKind::Org {
            return Ok(account.clone());
        }
        if let Some(home) = self.remembered(account) {
            return Ok(home);
        }
        self.look_up(account).await
    }

    /// The home as the store has it now.
    pub(crate) async fn look_up(&self, account: &AccountId) -> Result<AccountId, StoreError> {
        let found = self.storage.home_of(account).await?;
        let home = found.unwrap_or_else(|| account.clone());
        self.remember(account, &home);
        Ok(home)
    }

    pub(crate) fn remember(&self, account: &AccountId, home: &AccountId) {
        let elsewhere = (home != account).then(|| home.clone());
        self.with_part(account, |part| part.insert(account.clone(), elsewhere));
    }

    fn remembered(&self, account: &AccountId) -> Option<AccountId> {
        self.with_part(account, |part| {
            let home = part.get(account)?;
            Some(home.as_ref().unwrap_or(account).clone())
        })
    }

    fn with_part<T>(
        &self,
        account: &AccountId,
        run: impl FnOnce(&mut Generations<Option<AccountId>>) -> T,
    ) -> T {
        let place = shard(self.hasher.hash_one(account), PARTS);
        let part = self.remembered[place].lock();
        run(&mut part.unwrap_or_else(PoisonError::into_inner))
    }
}

/// Which of `shards` a hash falls to; 0 when there is none.
pub(crate) fn shard(hash: u64, shards: usize) -> usize {
    let shards = u64::try_from(shards).unwrap_or(1).max(1);
    usize::try_from(hash % shards).unwrap_or(0)
}
