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

/// What a look at an account came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TopUpLook {
    /// Nothing is to be bought.
    NotDue,
    /// As many were bought in this month as may be.
    MonthFull,
    /// Another one is at it, or its time has not come.
    UnderWay,
    /// It is not known yet what comes of it.
    Open,
    /// It was paid, and its credits are there.
    Paid,
    /// It will not be paid.
    Failed,
    /// Money of one came back: it was switched off.
    SwitchedOff,
}
