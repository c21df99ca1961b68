//! What each command says. As JSON, a member that is absent or has its default is left out (but for an account's
//! `spec`): the hash of a request (X1) is made of it, and stays what it was when a command learns to say more.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::absent::is_default;
use crate::amount::{Amount, Limit};
use crate::catalog::Cadence;
use crate::ids::{BoostId, FeatureCode, GrantId, OrgId, PlanCode, TokenId};
use crate::item::Item;
use crate::quantity::Quantity;
use crate::terms::{CapSpan, Policy, Status};

/// Decides and spends all items or none (section 5, X2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consume {
    /// The token that the request came with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenId>,
    /// What is spent; 1 to [`super::ITEMS_MAX`].
    pub items: Vec<Item>,
}

/// Records use that already happened; never denied (X5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Track {
    /// The token that the use came with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenId>,
    /// What was used; 1 to [`super::ITEMS_MAX`].
    pub items: Vec<Item>,
    /// When it was used, if it is told late: it is booked in the windows of that instant, up to
    /// [`super::TOLD_LATE_DAYS_MAX`] days back. Now when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<DateTime<Utc>>,
}

/// Decides and holds (R1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reserve {
    /// The token that the request came with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenId>,
    /// Code of the feature of which units are held.
    pub feature: FeatureCode,
    /// How much of it, in stored units.
    pub amount: Amount,
    /// For how long, in seconds: 1 to [`crate::reservation::TTL_SECONDS_MAX`].
    pub ttl_seconds: u32,
}

/// Settles a hold for what was really used (R2, R5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// Id of the operation that made the hold.
    pub reservation: Uuid,
    /// What was used, in stored units; 0 to [`crate::amount::AMOUNT_MAX`].
    pub actual: u64,
}

/// Gives a hold back (R3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Id of the operation that made the hold.
    pub reservation: Uuid,
}

/// Moves a hold's deadline to `ttl_seconds` from now (R3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extend {
    /// Id of the operation that made the hold.
    pub reservation: Uuid,
    /// For how long from now, in seconds: 1 to [`crate::reservation::TTL_SECONDS_MAX`].
    pub ttl_seconds: u32,
}

/// Reverses a consumption, whole or in part (X3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// Id of the operation that is reversed: a consume, a track or a commit.
    pub operation: Uuid,
    /// Which feature of it; needed for a part of an operation with several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feature: Option<FeatureCode>,
    /// How much of it, in stored units; everything that is left when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Amount>,
}

/// Gives occupied capacity back (X4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseCapacity {
    /// What is occupied no more; a feature of kind `capacity`.
    pub feature: FeatureCode,
    /// How much of it, in stored units; what is beyond `used` has no effect.
    pub amount: Amount,
}

/// Sets `used` and `overage` to 0: of the current windows (X6), or of a token (T3).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reset {
    /// Which features; all when empty and no token is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<FeatureCode>,
    /// The token whose use begins at 0; beside it only the features that are named are reset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenId>,
}

/// Whether an account or a token must be new, must exist, or either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// It must not exist yet.
    New,
    /// It must exist.
    Existing,
    /// It is created or changed, as the case may be.
    Any,
}

/// What is said of an account when it is created or changed; what is absent stays, or takes its default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountSpec {
    /// The org of a new user. An existing user moves by a transaction of its own, not by this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub org: Option<OrgId>,
    /// The zone of its calendar days and months; UTC for a new account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<Tz>,
    /// Whether every request is denied; not for a new account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
    /// Whether the user is never denied at user scope; a new one is inside an org and is not outside (U6). Users only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unlimited: Option<bool>,
    /// What happens when the org is exhausted; a new one denies (O4). Orgs only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Policy>,
}

/// Creates or changes an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PutAccount {
    /// Whether it must be new.
    pub presence: Presence,
    /// What is said of it.
    #[serde(default)]
    pub spec: AccountSpec,
}

/// Creates or changes a token (T2, U7).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PutToken {
    /// Id of the token, unique within its user.
    pub token: TokenId,
    /// Whether it must be new.
    pub presence: Presence,
    /// Its cap in stored units of all features; for a change, absent leaves it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cap: Option<Limit>,
    /// In which time the cap counts (T3): over its lifetime when absent; for a change, absent leaves it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per: Option<CapSpan>,
    /// First instant at which it is denied; for a change, absent leaves it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
}

/// Revokes a token (T2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevokeToken {
    /// Id of the token; it is denied from the next request on.
    pub token: TokenId,
}

/// Starts a subscription: in place of any other, or in the future behind all that is paid for (S8).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscribe {
    /// Code of the plan; its newest version counts.
    pub plan: PlanCode,
    /// First instant; now when absent. In the future, not before the end of what is paid for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<DateTime<Utc>>,
    /// First instant after it; one interval later when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<DateTime<Utc>>,
    /// Its status; when absent `trialing` for the plan's trial, else `active`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// Whether it begins with the plan's trial period. When absent it does if this is the account's first subscription to a plan
    /// with one, and neither an end nor a status is said (S13).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial: Option<bool>,
    /// How many seats of the plan (C12); one when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seats: Option<Quantity>,
}

impl Subscribe {
    /// The plan for one interval from now on, as that is by default.
    pub fn to(plan: PlanCode) -> Self {
        Self {
            plan,
            starts_at: None,
            ends_at: None,
            status: None,
            seats: None,
            trial: None,
        }
    }
}

/// Sets the seats of the subscription and of all that follows it, at once (C12).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetSeats {
    /// How many seats of the plan the account has from now on.
    pub seats: Quantity,
}

/// Gives the account so many of an add-on, from now on in place of what it has of it (C13).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetAddon {
    /// Code of the add-on's plan; its newest version counts, but for one that is held already and pinned.
    pub plan: PlanCode,
    /// How many of it the account has from now on, 1 to 100,000.
    pub quantity: Quantity,
    /// First instant at which it is held no more; when absent, it goes on with the base plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<DateTime<Utc>>,
}

/// Ends an add-on, at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndAddon {
    /// Code of the add-on's plan; the account must hold it.
    pub plan: PlanCode,
}

/// Adds a period behind the last that is paid for (S4, S8).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Renew {
    /// First instant after the new period; one interval later when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<DateTime<Utc>>,
}

/// When a change of plan acts (S5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ChangeWhen {
    /// At once, with a new period.
    Now,
    /// At the end of the running period.
    PeriodEnd,
}

/// What an immediate change of plan does to consumable usage (S5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum UsageAfterChange {
    /// It begins at 0.
    #[default]
    Restart,
    /// It counts on under the new limit.
    Keep,
}

/// Changes the plan (S5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangePlan {
    /// Code of the new plan; its newest version counts.
    pub plan: PlanCode,
    /// When it acts; when absent, at once to a plan that is dearer for a day and no shorter, else at the period's end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<ChangeWhen>,
    /// What an immediate change does to consumable usage.
    #[serde(default, skip_serializing_if = "is_default")]
    pub usage: UsageAfterChange,
}

/// Sets the status of the subscription (S1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetStatus {
    /// The new status; `canceled` ends the subscription at once.
    pub status: Status,
}

/// Cancels the subscription (S8).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancel {
    /// Now instead of at the period's end.
    #[serde(default, skip_serializing_if = "is_default")]
    pub at_once: bool,
}

/// Adds prepaid credits as a grant of its own (F5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantCredits {
    /// The grant's id, unique within the account for ever.
    pub grant: GrantId,
    /// How many credits.
    pub credits: Amount,
    /// The lower number burns first (F5).
    #[serde(default, skip_serializing_if = "is_default")]
    pub priority: u32,
    /// First instant at which what is left is lost; never when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
}

/// Takes back what is left of a grant, or a part of it (P19).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakeBackCredits {
    /// Id of the grant, as it was given when the credits were granted.
    pub grant: GrantId,
    /// How many credits; all that is left when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credits: Option<Amount>,
}

/// Gives units of one feature until an instant (C13).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GiveBoost {
    /// The boost's id, unique within the account for ever.
    pub boost: BoostId,
    /// The feature whose units they are; not a capacity.
    pub feature: FeatureCode,
    /// How many, in stored units.
    pub amount: Amount,
    /// First instant at which what is left is lost; when absent, the end of the subscription's running period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<DateTime<Utc>>,
}

/// Takes back what is left of a boost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakeBackBoost {
    /// Id of the boost, as it was given.
    pub boost: BoostId,
}

/// Sets an account's own cap on what it spends on demand in a period, over all features (C11).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetSpendCap {
    /// In minor units of the plan's currency; 0 to [`crate::amount::AMOUNT_MAX`].
    pub amount: u64,
    /// Whether the account's owner asks, who may only lower it; else an operator does.
    #[serde(default, skip_serializing_if = "is_default")]
    pub by_owner: bool,
}

/// Takes an account's own cap on what it spends on demand away.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClearSpendCap {
    /// Whether the account's owner asks: then only what it set itself goes.
    #[serde(default, skip_serializing_if = "is_default")]
    pub by_owner: bool,
}

/// Tells what of the account's credits will be lost soon, once for each grant and bound (P22). Asked by the job for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TellExpiry {
    /// The bounds, in days of 24 hours before the end.
    pub days: Vec<u32>,
}

/// Closes windows that ended in the books (W5). Asked by the reset jobs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloseWindows {
    /// Only of features whose windows are closed with those of this cadence: hours, weeks and spans with the days, years
    /// with the months.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cadence: Option<Cadence>,
    /// Only of these features; all when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<FeatureCode>,
}
