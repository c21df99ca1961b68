//! Lists: what is read page by page, beside the hot path.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::store_error::StoreError;
use crate::home::Account;
use crate::ids::{AccountId, AccountKind, OrgId};
use crate::operation::Operation;

/// An account and where it lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountRow {
    /// The home that it lives in.
    pub home: AccountId,
    /// The account's own id, `user:alice` or `org:acme`.
    pub id: AccountId,
    /// The account as it is stored.
    pub account: Account,
}

/// Which accounts are listed, in the order of their ids.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountPage {
    /// Only users or only orgs.
    pub kind: Option<AccountKind>,
    /// Only members of this org.
    pub org: Option<OrgId>,
    /// Only those with a `due_at` not later than this: what is due at this very instant is among them.
    pub due_before: Option<DateTime<Utc>>,
    /// Only ids after this one.
    pub after: Option<AccountId>,
    /// At most so many.
    pub limit: u32,
}

/// Which operations are listed, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerPage {
    /// The home whose ledger is read.
    pub home: AccountId,
    /// Only operations of this account; for the home's own account when it is an org, those of all members too
    /// when `members` is set.
    pub account: AccountId,
    /// Whether operations of every account in the home count.
    pub members: bool,
    /// Only operations with a smaller sequence; it goes on counting from one life of a home to the next.
    pub before: Option<u64>,
    /// At most so many.
    pub limit: u32,
}

/// Lists of accounts, operations and homes, in pages.
#[async_trait]
pub trait Lists: Send + Sync {
    /// A page of accounts.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    async fn accounts(&self, page: &AccountPage) -> Result<Vec<AccountRow>, StoreError>;

    /// A page of the ledger.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    async fn ledger(&self, page: &LedgerPage) -> Result<Vec<Operation>, StoreError>;

    /// Homes with an open reservation whose deadline is not later than `now`.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    async fn homes_with_due_holds(
        &self,
        now: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<AccountId>, StoreError>;
}
