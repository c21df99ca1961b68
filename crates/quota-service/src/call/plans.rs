//! Drafts of what is asked about seats and add-ons.

use chrono::{DateTime, Utc};
use quota_core::command as payload;
use quota_core::ids::PlanCode;
use quota_core::quantity::Quantity;

use super::draft::{Draft, invalid, parsed};
use crate::invalid_field::InvalidField;

/// A draft of [`payload::SetSeats`].
pub type SetSeats = Draft<payload::SetSeats>;
/// A draft of [`payload::SetAddon`].
pub type SetAddon = Draft<payload::SetAddon>;
/// A draft of [`payload::EndAddon`].
pub type EndAddon = Draft<payload::EndAddon>;

pub(super) fn quantity(field: &'static str, number: u32) -> Result<Quantity, InvalidField> {
    Quantity::new(number).map_err(|error| invalid(field, error))
}

pub(super) fn plan_code(code: &str) -> Result<PlanCode, InvalidField> {
    parsed("plan", PlanCode::new(code))
}

impl Draft<payload::SetSeats> {
    /// So many seats, in this period and in those that follow (C12).
    pub fn to(seats: u32) -> Self {
        Self::new(quantity("seats", seats).map(|seats| payload::SetSeats { seats }))
    }
}

impl Draft<payload::SetAddon> {
    /// So many of an add-on, in place of what the account has of it (C13).
    pub fn of(plan: &str, number: u32) -> Self {
        let payload = plan_code(plan).and_then(|plan| {
            Ok(payload::SetAddon {
                plan,
                quantity: quantity("quantity", number)?,
                ends_at: None,
            })
        });
        Self::new(payload)
    }

    /// First instant at which it is held no more.
    pub fn ends_at(self, at: DateTime<Utc>) -> Self {
        self.with(Ok(at), |asked, at| asked.ends_at = Some(at))
    }
}

impl Draft<payload::EndAddon> {
    /// The add-on that ends now.
    pub fn of(plan: &str) -> Self {
        Self::new(plan_code(plan).map(|plan| payload::EndAddon { plan }))
    }
}
