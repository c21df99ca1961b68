//! Previews: what a change of plan, seats or add-ons would come to.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use quota_core::catalog::{Cadence, Given};
use quota_core::ids::{AccountId, FeatureCode, PlanCode};
use quota_core::quantity::Quantity;
use serde::{Deserialize, Serialize};

use crate::{BalanceBody, ChangeBody, SpendingBody, SubscriptionBody};

/// What a change would come to; nothing of it was done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PreviewBody {
    /// Always `true`: nothing was changed.
    pub dry_run: bool,
    /// The account that would be changed, such as `user:alice`.
    pub account: AccountId,
    /// When this was worked out.
    pub at: DateTime<Utc>,
    /// What would change, such as `plan_changed` or `plan_change_scheduled`, or `nothing`.
    #[cfg_attr(feature = "openapi", schema(example = "plan_change_scheduled"))]
    pub changed: String,
    /// To what, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// When it would act.
    pub acts_at: DateTime<Utc>,
    /// Whether that is at once.
    pub acts_now: bool,
    /// Whether it acts only if the subscription is renewed until then.
    pub needs_renewal: bool,
    /// The account's subscription and what it owes, now.
    pub before: PlanStateBody,
    /// The same once the change has acted, if nothing else happens until then.
    pub after: PlanStateBody,
    /// Every counted feature of the catalog by code, before and after.
    pub features: Vec<FeaturePreview>,
    /// Every flag of the catalog by code, before and after.
    pub flags: BTreeMap<FeatureCode, FlagPreview>,
    /// The settings that the account has a value of, before or after.
    pub settings: BTreeMap<FeatureCode, SettingPreview>,
    /// Limits of which more is used than they would be. Nothing is taken away; nothing more is granted until less is used.
    pub over: Vec<OverBody>,
    /// What the account would lose.
    pub drops: Vec<DropBody>,
}

/// The plan side of an account at one instant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PlanStateBody {
    /// The subscription, with its seats and add-ons; absent when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscription: Option<SubscriptionBody>,
    /// What is owed for use on demand in the running period, and how far that may go, if something is sold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spending: Option<SpendingBody>,
}

/// A feature before and after a change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FeaturePreview {
    /// Code of the feature, as in the catalog.
    pub feature: FeatureCode,
    /// Its name for people.
    pub name: String,
    /// The unit that people see, such as `MB`.
    pub unit: String,
    /// Stored units in one shown unit.
    pub scale: u64,
    /// How the account stands now.
    pub before: BalanceBody,
    /// How it would stand.
    pub after: BalanceBody,
}

/// A flag before and after a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FlagPreview {
    /// Whether the account has it now.
    pub before: bool,
    /// Whether it would have it.
    pub after: bool,
}

/// A setting before and after a change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SettingPreview {
    /// Its value now; absent when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Given>,
    /// The value that it would have; absent when there would be none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Given>,
}

/// A limit of which more is used than it would be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OverBody {
    /// Code of the feature, as in the catalog.
    pub feature: FeatureCode,
    /// Of several limits on the feature, the one that is meant, such as `weekly` or `5h`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Cadence>,
    /// The limit that it would be, in stored units.
    pub limit: u64,
    /// What would be used of it and held, in stored units.
    pub used: u64,
    /// How much that is too much, in stored units.
    pub over_by: u64,
}

/// What kind of thing would be lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DropKind {
    /// A feature of which nothing would be granted any more.
    Feature,
    /// A flag.
    Flag,
    /// The value of a setting.
    Setting,
    /// The sale on demand of a feature; what is owed stays owed.
    OnDemand,
    /// The rest of the running period, which was paid for.
    PaidTime,
    /// A trial, or what was left of it.
    Trial,
    /// Periods that were paid ahead, or a start that waited.
    PeriodsAhead,
    /// A change of plan that waited.
    PlanChange,
    /// Seats of a period that waits: it would have as many as are set.
    Seats,
    /// A cancellation that had not acted yet: the subscription would go on.
    Cancellation,
    /// The end that was set when the subscription was started: it would go on.
    End,
}

/// Something that an account would lose.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DropBody {
    /// What kind of thing it is.
    pub kind: DropKind,
    /// The same as a sentence.
    pub detail: String,
    /// Code of the feature, where it is one that goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feature: Option<FeatureCode>,
    /// Code of the plan, where time or a change to one goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<PlanCode>,
    /// How many periods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub periods: Option<u64>,
    /// How many seats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seats: Option<Quantity>,
    /// Until when it was paid for, or when it would have acted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<DateTime<Utc>>,
}

/// What was changed, or with `dry_run` what would be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ChangeOrPreview {
    /// With `dry_run`: what the change would come to; nothing was changed.
    Preview(Box<PreviewBody>),
    /// It was changed.
    Change(ChangeBody),
}

#[cfg(feature = "openapi")]
mod schemas {
    use utoipa::openapi::schema::AnyOfBuilder;
    use utoipa::openapi::{Ref, RefOr, Schema};
    use utoipa::{PartialSchema, ToSchema};

    use super::{ChangeBody, ChangeOrPreview, PreviewBody};

    impl PartialSchema for ChangeOrPreview {
        fn schema() -> RefOr<Schema> {
            AnyOfBuilder::new()
                .description(Some("What was changed, or with `dry_run` what would be."))
                .item(Ref::from_schema_name(ChangeBody::name()))
                .item(Ref::from_schema_name(PreviewBody::name()))
                .into()
        }
    }

    impl ToSchema for ChangeOrPreview {
        fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
            let named = |name: std::borrow::Cow<'static, str>, schema| (name.into_owned(), schema);
            schemas.push(named(ChangeBody::name(), ChangeBody::schema()));
            schemas.push(named(PreviewBody::name(), PreviewBody::schema()));
            ChangeBody::schemas(schemas);
            PreviewBody::schemas(schemas);
        }
    }
}
