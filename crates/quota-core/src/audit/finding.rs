//! What the auditor found.

use crate::balance::Bucket;
use crate::ids::AccountId;

/// Something that cannot be, if every rule was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The invariant that is broken, by its number.
    pub invariant: &'static str,
    /// Whose records do not agree.
    pub account: Option<AccountId>,
    /// Which balance.
    pub bucket: Option<Bucket>,
    /// What is wrong, in words and numbers.
    pub what: String,
}

impl Finding {
    pub(super) fn of(invariant: &'static str, account: &AccountId, what: String) -> Self {
        Self {
            invariant,
            account: Some(account.clone()),
            bucket: None,
            what,
        }
    }

    pub(super) fn at(mut self, bucket: &Bucket) -> Self {
        self.bucket = Some(bucket.clone());
        self
    }
}
