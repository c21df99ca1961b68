//! Items: how much of which feature.

use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::ids::FeatureCode;

/// A feature and how much of it, in stored units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Code of the feature, as in the catalog.
    pub feature: FeatureCode,
    /// How much of it: 1 to 10^15 stored units.
    pub amount: Amount,
}
