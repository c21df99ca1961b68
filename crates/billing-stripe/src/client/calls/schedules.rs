//! What will change a subscription later.

use serde::Serialize;

use super::Nothing;
use crate::client::error::StripeError;
use crate::client::key::IdempotencyKey;
use crate::client::send::{Call, Client, path};
use crate::shapes::{Metadata, PhaseDiscount, Schedule};

const PATH: &str = "/v1/subscription_schedules";

#[derive(Debug, Serialize)]
struct FromSubscription<'a> {
    from_subscription: &'a str,
}

#[derive(Debug, Serialize)]
struct Plan<'a> {
    phases: &'a [NewSchedulePhase],
    end_behavior: &'static str,
    proration_behavior: &'static str,
}

/// One phase. The running one has to be sent again as it is.
#[derive(Clone, Debug, Default, Serialize)]
pub struct NewSchedulePhase {
    /// Its first instant (seconds since 1970).
    pub start_date: Option<i64>,
    /// The instant at which it is over.
    pub end_date: Option<i64>,
    /// What is sold in it.
    pub items: Vec<PhaseLine>,
    /// Until when it is a trial (seconds since 1970); a running trial ends where this is not sent again.
    pub trial_end: Option<i64>,
    /// What is taken off in it; a discount that runs ends where it is not sent again.
    pub discounts: Vec<PhaseDiscount>,
    /// `none`: nothing is settled when it begins.
    pub proration_behavior: Option<&'static str>,
    /// What is attached to it.
    #[serde(skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
}

/// One price of a phase.
#[derive(Clone, Debug, Serialize)]
pub struct PhaseLine {
    /// Its price.
    pub price: String,
    /// How many; none of what is metered.
    pub quantity: Option<u64>,
}

impl Client {
    /// One schedule.
    ///
    /// # Errors
    /// [`StripeError`].
    pub async fn retrieve_schedule(&self, id: &str) -> Result<Schedule, StripeError> {
        let call = Call::get("retrieve_schedule", &path(PATH, id)?, &Nothing {});
        self.call(&call).await
    }

    /// Gives a subscription a schedule whose one phase is what runs.
    ///
    /// # Errors
    /// [`StripeError`].
    pub async fn create_schedule(
        &self,
        subscription: &str,
        key: &IdempotencyKey,
    ) -> Result<Schedule, StripeError> {
        let from = FromSubscription {
            from_subscription: subscription,
        };
        let call = Call::post("create_schedule", PATH, &from, key);
        self.call(&call).await
    }

    /// Says what a schedule will do. After its last phase the subscription goes on without it.
    ///
    /// # Errors
    /// [`StripeError`].
    pub async fn update_schedule(
        &self,
        id: &str,
        phases: &[NewSchedulePhase],
        key: &IdempotencyKey,
    ) -> Result<Schedule, StripeError> {
        let plan = Plan {
            phases,
            end_behavior: "release",
            proration_behavior: "none",
        };
        let call = Call::post("update_schedule", path(PATH, id)?, &plan, key);
        self.call(&call).await
    }

    /// Takes a schedule away; the subscription goes on as it is.
    ///
    /// # Errors
    /// [`StripeError`].
    pub async fn release_schedule(
        &self,
        id: &str,
        key: &IdempotencyKey,
    ) -> Result<Schedule, StripeError> {
        let path = format!("{}/release", path(PATH, id)?);
        let call = Call::post("release_schedule", path, &Nothing {}, key);
        self.call(&call).await
    }
}
