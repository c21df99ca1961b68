//! What is done with the accounts of the demo.

use chrono::{DateTime, Days, Utc};
use quota_core::amount::Amount;
use quota_core::command::{Command, Consume, GiveBoost, SetAddon, Subscribe};
use quota_core::ids::{BoostId, FeatureCode, PlanCode};
use quota_core::item::Item;
use quota_core::quantity::Quantity;
use quota_core::terms::Status;

use crate::command_error::CommandError;

/// One step of an account's history.
pub(super) enum Step {
    /// A plan that was paid for so many days ago.
    Subscribed(&'static str, u64),
    /// A plan that is tried.
    Tries(&'static str),
    /// So many seats of a plan.
    Seats(&'static str, u32),
    /// So many of an add-on.
    Addon(&'static str, u32),
    /// So much of a feature is used.
    Use(&'static str, u64),
    /// Support gives so much of a feature until the period ends.
    Boost(&'static str, u64),
}

impl Step {
    pub(super) fn command(&self, now: DateTime<Utc>) -> Result<Command, CommandError> {
        Ok(match *self {
            Self::Subscribed(plan, days) => Command::Subscribe(Subscribe {
                starts_at: now.checked_sub_days(Days::new(days)),
                status: Some(Status::Active),
                ..Subscribe::to(PlanCode::new(plan)?)
            }),
            Self::Tries(plan) => Command::Subscribe(Subscribe::to(PlanCode::new(plan)?)),
            Self::Seats(plan, seats) => Command::Subscribe(Subscribe {
                seats: Some(Quantity::new(seats)?),
                ..Subscribe::to(PlanCode::new(plan)?)
            }),
            Self::Addon(plan, quantity) => Command::SetAddon(SetAddon {
                plan: PlanCode::new(plan)?,
                quantity: Quantity::new(quantity)?,
                ends_at: None,
            }),
            Self::Use(feature, amount) => Command::Consume(Consume {
                token: None,
                items: vec![Item {
                    feature: FeatureCode::new(feature)?,
                    amount: Amount::new(amount)?,
                }],
            }),
            Self::Boost(feature, amount) => Command::GiveBoost(GiveBoost {
                boost: BoostId::new("from-support")?,
                feature: FeatureCode::new(feature)?,
                amount: Amount::new(amount)?,
                ends_at: None,
            }),
        })
    }
}
