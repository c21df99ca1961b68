//! How values of quota-core look in the OpenAPI document. Nothing here is built at run time.
#![expect(dead_code, reason = "these types exist for their schemas")]

use serde::Serialize;
use utoipa::ToSchema;

/// A whole number from 0 to 10^15, or `"unlimited"`.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum Limit {
    /// A ceiling.
    Of(u64),
    /// No ceiling.
    Word(Unlimited),
}

/// No ceiling.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Unlimited {
    Unlimited,
}

/// Who bound or paid.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum Scope {
    Token,
    User,
    Org,
}

/// What paid.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum Source {
    Allowance,
    Credits,
    Trial,
    Unlimited,
    Overage,
}

/// Why a request is denied.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum Reason {
    UnknownUser,
    UnknownFeature,
    AccountDisabled,
    TokenRevoked,
    TokenExpired,
    TokenExhausted,
    SubscriptionExpired,
    NotInPlan,
    LimitReached,
    CreditsExhausted,
    OrgDisabled,
    OrgSubscriptionExpired,
    OrgLimitReached,
}

/// Where a reservation stands.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum ReservationState {
    Open,
    Committed,
    Released,
    Expired,
}

/// What an org does when it is exhausted.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum Policy {
    Enforce,
    Track,
}

/// Where a subscription stands.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum Status {
    Active,
    Trialing,
    PastDue,
    Unpaid,
    Canceled,
}

/// When a change acts.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum When {
    Now,
    PeriodEnd,
}

/// What a change of plan at once does to what was used.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum Usage {
    Restart,
    Keep,
}

/// What a key may do.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum KeyScope {
    Read,
    Write,
    Admin,
}

/// What an operation did.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum OperationKind {
    Consume,
    Track,
    Reserve,
    Commit,
    Release,
    Extend,
    Expire,
    Refund,
    ReleaseCapacity,
    Reset,
    Change,
    Close,
}

/// How a run of a job stands.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum RunState {
    Running,
    Succeeded,
    Failed,
    Stopped,
    Lost,
}
