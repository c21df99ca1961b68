//! Items: how much of which feature.

use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::ids::FeatureCode;

/// A feature and how much of it, in stored units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// The feature.
    pub feature: FeatureCode,
    /// How much.
    pub amount: Amount,
}
