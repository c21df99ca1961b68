//! Draws: what a request takes, from which balance, at which scope.

use serde::{Deserialize, Serialize};

use crate::absent::{is_one, one};
use crate::balance::Bucket;

/// Who bound or paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// The API token that the request came with; its cap counts all features (T1).
    Token,
    /// The user that the request names.
    User,
    /// The user's org, charged for every member (O1).
    Org,
}

impl Scope {
    /// All of them, in the order in which they are drawn on.
    pub(crate) const ALL: [Self; 3] = [Self::Token, Self::User, Self::Org];
}

/// Where a part of a request comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The plan's or the override's allowance.
    Allowance,
    /// Room of a capacity that credits or a trial paid for once, and that is free again (X4).
    Room,
    /// Units of the feature that were given until an instant (C13).
    Boost,
    /// Prepaid credits of a grant, where the feature has a `credit_cost` (F3).
    Credits,
    /// The free uses that a feature has in a lifetime (F2).
    Trial,
    /// Sold beyond all that is paid for, at the plan's price and up to a cap in money (C11).
    OnDemand,
    /// No ceiling applies; the use is counted.
    Unlimited,
    /// Beyond what there was: the use had happened already, or the org's policy is `track`.
    Overage,
}

impl Source {
    /// What an entry drew on that does not say it.
    pub(crate) fn allowance() -> Self {
        Self::Allowance
    }

    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde passes a reference"
    )]
    pub(crate) fn is_allowance(&self) -> bool {
        *self == Self::Allowance
    }

    /// What a change of a bucket is booked under, where no request draws on it.
    pub(crate) fn of(bucket: &Bucket) -> Self {
        match bucket {
            Bucket::Window(..)
            | Bucket::Further(..)
            | Bucket::Standing(_)
            | Bucket::Tracked(..)
            | Bucket::Token(_)
            | Bucket::TokenWindow(..) => Self::Allowance,
            Bucket::Trial(_) => Self::Trial,
            Bucket::Grant(_) => Self::Credits,
            Bucket::Boost(..) => Self::Boost,
            Bucket::Room(_) => Self::Room,
            Bucket::OnDemand(..) => Self::OnDemand,
            Bucket::Member(..) => Self::Unlimited,
        }
    }
}

/// What is taken from one balance: credits for a grant, units of the feature elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draw {
    /// Whose balance: of the token, the user or the org.
    pub scope: Scope,
    /// Which balance of it, as it was named at that time; it may have been moved since.
    pub bucket: Bucket,
    /// The windows of further limits that the same units are charged to (C9).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub further: Vec<Bucket>,
    /// What kind of source.
    pub source: Source,
    /// How much: credits of a grant, stored units of the feature elsewhere.
    pub amount: u64,
    /// What one unit of the feature costs in this balance: credits for a grant, 1 elsewhere.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub unit_cost: u64,
}
