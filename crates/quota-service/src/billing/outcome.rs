//! What a sync came to.

use std::collections::BTreeSet;

use quota_core::ids::AccountId;
use quota_core::provider::ProblemKind;

/// Why what a provider has is not applied, though it is there: a person may change that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parked {
    /// The customer is no account here.
    UnknownCustomer,
    /// It was paid, and for which account is not known (P14).
    UnknownPayer,
    /// It lives on a clock that is moved by hand.
    TestClock,
    /// The engine refused what follows of it.
    Refused,
}

/// What a sync came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Synced {
    /// The account has what the provider says.
    Applied {
        /// Which account.
        account: AccountId,
        /// Whether something changed here.
        is_news: bool,
        /// What does not fit, and is listed.
        problems: BTreeSet<ProblemKind>,
    },
    /// It is listed as a problem, and nothing changed.
    Parked(Parked),
    /// It is about nothing that is sold here.
    NotOurs,
    /// The object is not there.
    Gone,
}
