//! Draws: what a request takes, from which balance, at which scope.

use serde::{Deserialize, Serialize};

use crate::balance::Bucket;

/// Who bound or paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// The API token.
    Token,
    /// The user.
    User,
    /// The user's org.
    Org,
}

/// Where a part of a request comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The plan's or the override's allowance.
    Allowance,
    /// Prepaid credits.
    Credits,
    /// The free trial.
    Trial,
    /// No ceiling applies; the use is counted.
    Unlimited,
    /// Beyond what there was: the use had happened already, or the org's policy is `track`.
    Overage,
}

/// What is taken from one balance: credits for a grant, units of the feature elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draw {
    /// Whose balance.
    pub scope: Scope,
    /// Which balance.
    pub bucket: Bucket,
    /// What kind of source.
    pub source: Source,
    /// How much.
    pub amount: u64,
    /// What one unit of the feature costs in this balance: credits for a grant, 1 elsewhere.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub unit_cost: u64,
}

pub(crate) fn one() -> u64 {
    1
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
pub(crate) fn is_one(value: &u64) -> bool {
    *value == 1
}
