//! Top-ups, and the accounts that may want one (P20).

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::store_error::StoreError;
use crate::ids::AccountId;
use crate::provider::TopUp;

/// Which top-ups of an account are listed, the one that was begun last first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopUpPage {
    /// Whose.
    pub account: AccountId,
    /// Only those behind this one: when it was begun, and its id.
    pub after: Option<(DateTime<Utc>, Uuid)>,
    /// At most so many.
    pub limit: u32,
}

/// Top-ups by account. Nothing of it is on the way of a request for quota.
#[async_trait]
pub trait TopUpStore: Send + Sync {
    /// Enters that an account may want top-ups, so that it is looked at; one that is entered stays.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written.
    async fn enter_top_up_account(&self, account: &AccountId) -> Result<(), StoreError>;

    /// Accounts that were entered, by id, behind `after`; at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    async fn top_up_accounts(
        &self,
        after: Option<&AccountId>,
        limit: u32,
    ) -> Result<Vec<AccountId>, StoreError>;

    /// Writes a new top-up, unless the account has one that is open: `false`, and nothing was written.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written.
    async fn begin_top_up(&self, top_up: &TopUp) -> Result<bool, StoreError>;

    /// Writes a top-up if the stored one is open and of the version before: else `false`, and nothing was written. Account, id, what is
    /// bought and when it was begun are never changed.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written.
    async fn put_top_up(&self, top_up: &TopUp) -> Result<bool, StoreError>;

    /// Removes a top-up that is open and still of this version, and of which the provider has nothing; `false` when there is none such.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written.
    async fn drop_top_up(&self, top_up: &TopUp) -> Result<bool, StoreError>;

    /// The top-up of an account that is open.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    async fn open_top_up(&self, account: &AccountId) -> Result<Option<TopUp>, StoreError>;

    /// Top-ups that are open and may be looked at at `now`, those first that have waited longest; at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    async fn due_top_ups(&self, now: DateTime<Utc>, limit: u32) -> Result<Vec<TopUp>, StoreError>;

    /// A page of an account's top-ups.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    async fn top_ups(&self, page: &TopUpPage) -> Result<Vec<TopUp>, StoreError>;

    /// How many of an account's top-ups that were begun in `[from, until)` are paid or open.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    async fn count_top_ups(
        &self,
        account: &AccountId,
        from: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<u64, StoreError>;
}
