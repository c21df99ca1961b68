//! An add-on that an account holds beside its base plan (C13).

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::absent::is_default;
use crate::provider::Provided;
use crate::quantity::Quantity;

/// Most add-ons that an account may hold at a time: each request that asks for a limit looks through them. Ended ones are
/// kept until their places are needed.
pub const ADDONS_MAX: usize = 20;

/// An add-on that an account holds, or held; the plan that it is of is its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Addon {
    /// The version it stays on, if the plan is pinned; counts from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan_version: Option<u32>,
    /// How many of it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub quantity: Quantity,
    /// Since when it is held, in whatever quantity.
    pub starts_at: DateTime<Utc>,
    /// First instant at which it is held no more; none while it has no end of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<DateTime<Utc>>,
    /// In which subscription of which provider it is sold, where one decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provided: Option<Box<Provided>>,
}

impl Addon {
    /// Whether it is held at `at`. It grants only while the base plan is in force too (P13).
    pub fn is_held(&self, at: DateTime<Utc>) -> bool {
        self.starts_at <= at && !self.is_over(at)
    }

    /// Whether it has ended.
    pub fn is_over(&self, now: DateTime<Utc>) -> bool {
        self.ends_at.is_some_and(|ends_at| ends_at <= now)
    }
}
