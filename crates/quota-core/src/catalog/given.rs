//! What a plan gives of a feature that is not counted (C2).

use std::fmt;

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::feature::{Feature, Kind};
use super::plan_limit::{PlanValue, TEXT_CHARS_MAX};
use crate::amount::{AMOUNT_MAX, Limit};

/// What a plan gives of a flag or a setting, or an override says of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
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

impl fmt::Display for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(has) => has.fmt(f),
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => text.fmt(f),
        }
    }
}

impl Given {
    /// What can be said of a feature of this kind, in words; none where it is counted.
    pub(crate) fn wanted(kind: Kind) -> Option<String> {
        match kind {
            Kind::Flag => Some("true or false".to_owned()),
            Kind::Setting => Some(format!(
                "a whole number from 0 to {AMOUNT_MAX}, or a text of 1 to {TEXT_CHARS_MAX} characters"
            )),
            Kind::Consumable | Kind::Capacity => None,
        }
    }

    /// Whether it can be said of a feature of this kind.
    pub(crate) fn fits(&self, kind: Kind) -> bool {
        match (kind, self) {
            (Kind::Flag, Self::Flag(_)) => true,
            (Kind::Setting, Self::Number(number)) => *number <= AMOUNT_MAX,
            (Kind::Setting, Self::Text(text)) => {
                (1..=TEXT_CHARS_MAX).contains(&text.chars().count())
            }
            (
                Kind::Flag | Kind::Setting | Kind::Consumable | Kind::Capacity,
                Self::Flag(_) | Self::Number(_) | Self::Text(_),
            ) => false,
        }
    }

    /// It, unless it says that a flag is not had.
    pub(crate) fn had(self) -> Option<Self> {
        Some(self).filter(|given| *given != Self::Flag(false))
    }

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

impl<'de> Deserialize<'de> for Given {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FlagOrSetting;
        impl Visitor<'_> for FlagOrSetting {
            type Value = Given;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("true or false for a flag, or a whole number or a text for a setting")
            }
            fn visit_bool<E: Error>(self, has: bool) -> Result<Given, E> {
                Ok(Given::Flag(has))
            }
            fn visit_u64<E: Error>(self, value: u64) -> Result<Given, E> {
                Ok(Given::Number(value))
            }
            fn visit_i64<E: Error>(self, value: i64) -> Result<Given, E> {
                let number = u64::try_from(value);
                let number = number.map_err(|_| E::invalid_value(Unexpected::Signed(value), &self));
                number.map(Given::Number)
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Given, E> {
                Ok(Given::Text(text.to_owned()))
            }
        }
        deserializer.deserialize_any(FlagOrSetting)
    }
}
