//! Who lives where, and moves between homes.

use async_trait::async_trait;

use super::store_error::StoreError;
use crate::ids::AccountId;
use crate::relocation::Relocation;

/// Who lives where: a user of an org has an entry that names the org; anyone else is a home of their own. A store may enter
/// users that are homes too, as PostgreSQL does so that none is made twice, but gives no such entry out.
#[async_trait]
pub trait Directory: Send + Sync {
    /// The org that a user lives in; `None` for whoever is a home of their own, or does not exist.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    async fn home_of(&self, account: &AccountId) -> Result<Option<AccountId>, StoreError>;

    /// Enters `home` for an account that has no entry and no row of its own as a home; gives back where it lives
    /// now, `home` or where it lived already.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written.
    async fn claim(&self, account: &AccountId, home: &AccountId) -> Result<AccountId, StoreError>;

    /// Moves a user from one home to another in one transaction: its row, its entry, both versions, and the
    /// operations that say so. `false` when either home is no longer at the version given.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written.
    async fn relocate(&self, moved: &Relocation) -> Result<bool, StoreError>;
}
