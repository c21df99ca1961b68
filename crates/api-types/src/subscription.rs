//! Subscriptions.

use chrono::{DateTime, Utc};
use quota_core::catalog::Interval;
use quota_core::command::{ChangeWhen, UsageAfterChange};
use quota_core::ids::PlanCode;
use quota_core::quantity::Quantity;
use quota_core::terms::Status;
use serde::{Deserialize, Serialize};

use crate::{AddonBody, Label};

/// A change of plan that is scheduled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ScheduledBody {
    /// Code of the plan that takes over.
    pub plan: PlanCode,
    /// When it takes over: at the end of what is paid for.
    pub at: DateTime<Utc>,
}

/// A period that follows: it is paid ahead, or a plan takes over with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UpcomingBody {
    /// Code of the plan, as in the catalog.
    pub plan: PlanCode,
    /// How many seats of the plan the account then has.
    #[serde(default)]
    pub seats: Quantity,
    /// The start of the period.
    pub starts_at: DateTime<Utc>,
    /// The end of the period, exclusive.
    pub ends_at: DateTime<Utc>,
}

/// A subscription to a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SubscriptionBody {
    /// Code of the plan, as in the catalog.
    pub plan: PlanCode,
    /// The version of the plan, if the plan is pinned: the subscription stays on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan_version: Option<u32>,
    /// How many seats of the plan the account has: limits for each seat are multiplied by it.
    #[serde(default)]
    pub seats: Quantity,
    /// Whether it is paid for: allowances count while it is `active`, `trialing`, or `past_due` within the grace.
    pub status: Status,
    /// Whether its limits count now.
    pub in_force: bool,
    /// Whether its plan was taken out of the catalog: nothing of it counts then; absent when it was not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(feature = "openapi", schema(example = false))]
    pub plan_removed: bool,
    /// The start of the current period.
    pub starts_at: DateTime<Utc>,
    /// The end of the current period, exclusive.
    pub ends_at: DateTime<Utc>,
    /// The length of one period.
    pub interval: Interval,
    /// Whether it renews by itself at the end of the current period, without a payment.
    pub renews: bool,
    /// First instant at which it renews by itself no more, if it was started with an end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renews_until: Option<DateTime<Utc>>,
    /// Since when a payment is overdue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub past_due_at: Option<DateTime<Utc>>,
    /// When it ends, or ended, if it was canceled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancel_at: Option<DateTime<Utc>>,
    /// The change of plan that is scheduled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scheduled: Option<ScheduledBody>,
    /// What follows by itself, the next first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub upcoming: Vec<UpcomingBody>,
    /// The add-ons beside it that have not ended, by the code of their plan.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addons: Vec<AddonBody>,
}

/// A subscription to start: now, or behind what is paid for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct StartBody {
    /// Code of the plan, as in the catalog.
    pub plan: PlanCode,
    /// The start of the first period; now when absent. In the future it waits for the end of what is paid for. In the past the
    /// subscription has run since then; its end must be in the future, unless `ends_at` or `status` is said and
    /// none runs.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::instant::deserialize_option"
    )]
    pub starts_at: Option<DateTime<Utc>>,
    /// The end of the first period, exclusive; one interval later when absent. A free plan renews by itself every month
    /// until then.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::instant::deserialize_option"
    )]
    pub ends_at: Option<DateTime<Utc>>,
    /// Whether it is paid for; when absent `trialing` for a trial period, else `active`. Not `canceled`: a subscription cannot
    /// start so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// How many seats of the plan: 1 to 100,000; 1 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seats: Option<Quantity>,
    /// Whether it begins with the plan's trial period. When absent it does if this is the account's first subscription to a plan
    /// with one, and neither an end nor a status is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trial: Option<bool>,
    /// Only say what it would come to: nothing is changed, nothing is booked and no key is bound.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(feature = "openapi", schema(example = true))]
    pub dry_run: bool,
    /// Why; booked with the change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Label>,
}

/// One period more, behind the last that is paid for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RenewBody {
    /// The end of the new period, exclusive; one interval later when absent. Not for one that renews by itself for ever.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::instant::deserialize_option"
    )]
    pub ends_at: Option<DateTime<Utc>>,
    /// Only say what it would come to: nothing is changed, nothing is booked and no key is bound.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(feature = "openapi", schema(example = true))]
    pub dry_run: bool,
    /// Why; booked with the change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Label>,
}

/// A change of plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ChangePlanBody {
    /// Code of the plan to change to.
    pub plan: PlanCode,
    /// When the plan changes; when absent, a plan that costs more for a day and has no shorter interval starts now, any
    /// other at the end of the period.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<ChangeWhen>,
    /// Whether use starts again at 0 when the plan changes now; `restart` when absent.
    #[serde(default)]
    pub usage: UsageAfterChange,
    /// Only say what it would come to: nothing is changed, nothing is booked and no key is bound.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(feature = "openapi", schema(example = true))]
    pub dry_run: bool,
    /// Why; booked with the change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Label>,
}

/// When a subscription ends.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CancelBody {
    /// When it ends: at once, or with the period; `period_end` when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<ChangeWhen>,
    /// Only say what it would come to: nothing is changed, nothing is booked and no key is bound.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(feature = "openapi", schema(example = true))]
    pub dry_run: bool,
    /// Why; booked with the change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Label>,
}

/// A cancellation that is taken back.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ResumeBody {
    /// Only say what it would come to: nothing is changed, nothing is booked and no key is bound.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(feature = "openapi", schema(example = true))]
    pub dry_run: bool,
    /// Why; booked with the change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Label>,
}

/// How many seats a subscription has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SeatsBody {
    /// How many seats of the plan from now on: 1 to 100,000.
    pub seats: Quantity,
    /// Only say what it would come to: nothing is changed, nothing is booked and no key is bound.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(feature = "openapi", schema(example = true))]
    pub dry_run: bool,
    /// Why; booked with the change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Label>,
}

/// A subscription's new status.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct StatusBody {
    /// The new status; allowances count only while it is `active`, `trialing`, or `past_due` within the grace.
    pub status: Status,
    /// Why; booked with the change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Label>,
}
