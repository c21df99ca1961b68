//! What a plan gives of a feature that is not counted (C2).

use serde::{Deserialize, Serialize};

use super::feature::{Feature, Kind};
use super::plan_limit::PlanValue;
use crate::amount::Limit;

/// What a plan gives of a flag or a setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(untagged)]
pub enum Given {
    /// A flag: had or not.
    Flag(bool),
    /// A setting that is a whole number.
    Number(u64),
    /// A setting that is a text.
    Text(String),
}

impl Given {
    /// What `value` gives of `feature`; none for what is counted, and for a flag that the plan says it has not.
    pub fn of(feature: &Feature, value: &PlanValue) -> Option<Self> {
        match (feature.kind, value) {
            (Kind::Flag, PlanValue::Flag(true)) => Some(Self::Flag(true)),
            (Kind::Setting, PlanValue::Limit(Limit::Of(number))) => Some(Self::Number(*number)),
            // The only text that a limit may be, too.
            (Kind::Setting, PlanValue::Limit(Limit::Unlimited)) => {
                Some(Self::Text(Limit::Unlimited.to_string()))
            }
            (Kind::Setting, PlanValue::Text(text)) => Some(Self::Text(text.clone())),
            (
                Kind::Flag | Kind::Setting | Kind::Consumable | Kind::Capacity,
                PlanValue::Flag(_)
                | PlanValue::Text(_)
                | PlanValue::Limit(_)
                | PlanValue::Limits(_),
            ) => None,
        }
    }
}
