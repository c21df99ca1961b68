//! Decisions: one body for allowed and denied, for use, settlement and refunds.

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use quota_core::amount::Limit;
use quota_core::catalog::{Anchor, Cadence, Given};
use quota_core::denial::Reason;
use quota_core::draw::{Scope, Source};
use quota_core::ids::{BoostId, FeatureCode, GrantId, TokenId};
use quota_core::reservation::ReservationState;
use serde::{Deserialize, Serialize};

use crate::{MemberBalanceBody, OfferBody, OnDemandBody};

/// What was taken from one balance, or given back to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DrawBody {
    /// Whose balance: the token's, the user's or the org's.
    pub scope: Scope,
    /// What paid: the allowance, room that was bought before, a boost, credits, the free trial, a sale on demand, no limit at all, or nothing (overage).
    pub source: Source,
    /// How much: credits where `source` is `credits`, which is the units that they paid for times the feature's `credit_cost`; else
    /// stored units of the feature.
    pub amount: u64,
    /// Code of the feature, as in the catalog.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feature: Option<FeatureCode>,
    /// Id of the credit grant, where credits paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant: Option<GrantId>,
    /// Id of the boost, where one paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub boost: Option<BoostId>,
    /// Id of the token, where the balance is a token's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenId>,
}

/// How much capacity was given back at one scope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReleasedBody {
    /// Whose balance: the user's or the org's.
    pub scope: Scope,
    /// How much, in stored units.
    pub amount: u64,
}

/// The balance of one scope for one feature.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BalanceBody {
    /// Whose balance: the token's, the user's or the org's.
    pub scope: Scope,
    /// Code of the feature; absent for a token, whose cap counts all features.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feature: Option<FeatureCode>,
    /// The limit of the current window, in stored units; absent when no subscription in force names the feature.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "quota_core::amount::stored_limit_option"
    )]
    pub granted: Option<Limit>,
    /// Used in the current window, in stored units.
    pub used: u64,
    /// Reserved and not yet settled, in stored units.
    pub held: u64,
    /// Used beyond the limit, in stored units.
    pub overage: u64,
    /// What is left of the allowance, in stored units; absent when there is no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remaining: Option<u64>,
    /// Whether there is no limit.
    pub unlimited: bool,
    /// The plan's limit in stored units.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "quota_core::amount::stored_limit_option"
    )]
    pub plan_value: Option<Limit>,
    /// The account's own limit in stored units; where `granted` is not that and what add-ons add, it does not count now.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "quota_core::amount::stored_limit_option"
    )]
    pub override_value: Option<Limit>,
    /// What add-ons add to the plan's limit, or to the account's own, in stored units.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "quota_core::amount::stored_limit_option"
    )]
    pub added: Option<Limit>,
    /// Credits left, if credits can pay for the feature.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credits: Option<u64>,
    /// Units left in boosts, in stored units; absent when there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub boosts: Option<u64>,
    /// What credits and the trial bought of a capacity, beside the allowance; absent when nothing was bought.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<RoomBody>,
    /// Free uses left, if the feature has a free trial.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trial: Option<u64>,
    /// When the current window ends and `used` starts again at 0.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "crate::instant::serialize_option"
    )]
    pub resets_at: Option<DateTime<Utc>>,
    /// Each window that limits the feature, where there are several or something rolled over; what stands beside this is that
    /// of which least remains.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<WindowBody>,
    /// What is sold on demand in the running period, if the plan sells the feature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_demand: Option<OnDemandBody>,
    /// Of an org: how the member stands under the limit that the org sets it, if one binds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<MemberBalanceBody>,
}

/// What credits and the free trial bought of a capacity: it stays bought while it is free.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RoomBody {
    /// Bought and not refunded, in stored units.
    pub granted: u64,
    /// Occupied, in stored units.
    pub used: u64,
    /// Reserved and not yet settled, in stored units.
    pub held: u64,
    /// Free, in stored units: a new request takes it before it pays again.
    pub remaining: u64,
}

/// One window of a feature that several limits bind, or into which something rolled over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WindowBody {
    /// How often its limit becomes whole, such as `weekly` or `5h`.
    pub per: Cadence,
    /// What it is counted from.
    pub anchor: Anchor,
    /// Its limit in stored units, with what add-ons add and what rolled over from the window before.
    #[serde(deserialize_with = "quota_core::amount::stored_limit")]
    pub granted: Limit,
    /// What add-ons add to it, in stored units.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "quota_core::amount::stored_limit_option"
    )]
    pub added: Option<Limit>,
    /// Used in it, in stored units.
    pub used: u64,
    /// Reserved in it and not yet settled, in stored units.
    pub held: u64,
    /// Used in it beyond the limit, in stored units.
    pub overage: u64,
    /// What is left in it, in stored units; absent when there is no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remaining: Option<u64>,
    /// What rolled over from the window before, in stored units.
    pub rolled_over: u64,
    /// When it began; absent for one that begins with the next accepted request.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "crate::instant::serialize_option"
    )]
    pub starts_at: Option<DateTime<Utc>>,
    /// When it ends; absent for one that has not begun.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "crate::instant::serialize_option"
    )]
    pub resets_at: Option<DateTime<Utc>>,
}

/// The answer to a request about use. A denial has the members of a problem too.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DecisionBody {
    /// Denials only: a URI that names the kind of problem.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Denials only: the name of the HTTP status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<Cow<'static, str>>,
    /// Denials only: the HTTP status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Denials only: the reason as a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Denials only: the same as `reason`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<Cow<'static, str>>,
    /// The operation's id, or the new reservation's; absent for a check.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "openapi",
        schema(example = "op.dXNlcjphbGljZQ.0199c2f0-0000-7000-8000-000000000000")
    )]
    pub id: Option<String>,
    /// Id of the reservation that the operation is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reservation: Option<String>,
    /// When it was decided.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "crate::instant::serialize_option"
    )]
    pub at: Option<DateTime<Utc>>,
    /// Whether the request was carried out; for a check, whether it would be; for a release of capacity, whether anything
    /// was given back.
    pub allowed: bool,
    /// Whether this repeats the answer to an earlier request with the same `Idempotency-Key`.
    pub replayed: bool,
    /// Why it was denied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// Checks of a setting only: its value, where the plan has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Given>,
    /// Checks of several `items` only: the value of each setting among them, by its code.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<FeatureCode, Given>,
    /// Whose limit denied it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    /// Code of the feature that was denied; of several the one whose reason comes first: an unknown feature before one that is
    /// not in the plan, that before a limit, and what the user lacks before what its org lacks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feature: Option<FeatureCode>,
    /// How much of the feature was asked for, in stored units; of several features only the denied one's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requested: Option<u64>,
    /// How much would have been allowed: the least over all scopes, so that a request for so much succeeds; 0 where none does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub available: Option<u64>,
    /// Of several limits on the feature, the one that binds longest, such as `weekly` or `5h`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<Cadence>,
    /// When the limit that denied it resets; of several, when all have room again.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "crate::instant::serialize_option"
    )]
    pub resets_at: Option<DateTime<Utc>>,
    /// First instant at which the reservation holds nothing any more.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "crate::instant::serialize_option"
    )]
    pub expires_at: Option<DateTime<Utc>>,
    /// State of the reservation after the operation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<ReservationState>,
    /// Whether a reservation was committed after its deadline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub late: Option<bool>,
    /// What was taken, in this order; for a check, what would be.
    pub draws: Vec<DrawBody>,
    /// What was given back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub returned: Vec<DrawBody>,
    /// Releases of capacity only: how much was given back at each scope, 0 included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released: Option<Vec<ReleasedBody>>,
    /// Denials only, where `offers` was asked for: what would end it, bought now; plans, then add-ons, then credits. Empty when
    /// nothing of the catalog would.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offers: Option<Vec<OfferBody>>,
    /// The balances afterwards.
    pub balances: Vec<BalanceBody>,
}
