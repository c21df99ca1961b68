//! What an answer says of one scope: how it stands, and what was given back there.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::absent::is_default;
use crate::amount::Limit;
use crate::catalog::{Anchor, Cadence};
use crate::draw::Scope;
use crate::ids::FeatureCode;
use crate::sale::Sale;

/// How one scope stands for one feature after an operation. The short names are those of the ledger's rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScopeBalance {
    /// Whose balance: of the token, the user or the org.
    #[serde(rename = "s")]
    pub scope: Scope,
    /// The feature; none for a token, whose cap counts them all.
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    pub feature: Option<FeatureCode>,
    /// What may be used at most in the current window; none when no subscription in force names the feature.
    #[serde(
        rename = "g",
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::amount::stored_limit_option"
    )]
    pub granted: Option<Limit>,
    /// Spent for good in the current window, in stored units.
    #[serde(rename = "u", default, skip_serializing_if = "is_default")]
    pub used: u64,
    /// Reserved and not yet settled, in stored units.
    #[serde(rename = "h", default, skip_serializing_if = "is_default")]
    pub held: u64,
    /// Spent beyond what there was, in stored units; it counts against the limit (X9).
    #[serde(rename = "o", default, skip_serializing_if = "is_default")]
    pub overage: u64,
    /// What a new request can still get of the allowance, in stored units; none when there is no ceiling.
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    pub remaining: Option<u64>,
    /// The plan's limit in stored units.
    #[serde(
        rename = "p",
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::amount::stored_limit_option"
    )]
    pub plan_value: Option<Limit>,
    /// The override's limit in stored units.
    #[serde(
        rename = "v",
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::amount::stored_limit_option"
    )]
    pub override_value: Option<Limit>,
    /// What add-ons add to either, in stored units (P13).
    #[serde(
        rename = "a",
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::amount::stored_limit_option"
    )]
    pub added: Option<Limit>,
    /// Credits left, where they can pay for the feature.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub credits: Option<u64>,
    /// Units of the feature left in boosts (C13).
    #[serde(rename = "b", default, skip_serializing_if = "is_default")]
    pub boosts: u64,
    /// What credits and the trial bought of a capacity (X4), beside the allowance; none where nothing was.
    #[serde(rename = "m", default, skip_serializing_if = "Option::is_none")]
    pub room: Option<RoomBalance>,
    /// Free uses left, where there are any to begin with.
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    pub trial: Option<u64>,
    /// When the allowance is whole again (W6).
    #[serde(rename = "w", default, skip_serializing_if = "Option::is_none")]
    pub resets_at: Option<DateTime<Utc>>,
    /// Each window that limits the feature, where there are several or something rolled over (C9, C10); what stands above is
    /// that of which least remains.
    #[serde(rename = "n", default, skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<WindowBalance>,
    /// What is sold on demand in the running period, where the plan sells the feature (C11).
    #[serde(rename = "d", default, skip_serializing_if = "Option::is_none")]
    pub on_demand: Option<Box<OnDemandBalance>>,
    /// Of an org, how the member that asks stands under the limit that binds it there (O7).
    #[serde(rename = "l", default, skip_serializing_if = "Option::is_none")]
    pub member: Option<Box<MemberBalance>>,
}

/// How a member stands under the limit that its org sets it (O7). The short names are those of the ledger's rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberBalance {
    /// At most this much in the org's window, in stored units.
    #[serde(rename = "g", deserialize_with = "crate::amount::stored_limit")]
    pub limit: Limit,
    /// What the org was charged for it in that window, in stored units, whatever paid there.
    #[serde(rename = "u", default, skip_serializing_if = "is_default")]
    pub used: u64,
    /// Reserved and not yet settled, in stored units.
    #[serde(rename = "h", default, skip_serializing_if = "is_default")]
    pub held: u64,
    /// What a new request can still get, in stored units; none when there is no ceiling.
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    pub remaining: Option<u64>,
    /// What the org's plan says for each member, in stored units.
    #[serde(
        rename = "p",
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::amount::stored_limit_option"
    )]
    pub plan_value: Option<Limit>,
    /// What was set for all members, in stored units.
    #[serde(
        rename = "a",
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::amount::stored_limit_option"
    )]
    pub all_value: Option<Limit>,
    /// What was set for this member alone, in stored units.
    #[serde(
        rename = "v",
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::amount::stored_limit_option"
    )]
    pub override_value: Option<Limit>,
    /// When the org's window ends, and the count begins anew.
    #[serde(rename = "w", default, skip_serializing_if = "Option::is_none")]
    pub resets_at: Option<DateTime<Utc>>,
}

/// How a feature stands that is sold on demand (C11). The short names are those of the ledger's rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnDemandBalance {
    /// Sold and used for good, in stored units.
    #[serde(rename = "u", default, skip_serializing_if = "is_default")]
    pub used: u64,
    /// Reserved and not yet settled, in stored units.
    #[serde(rename = "h", default, skip_serializing_if = "is_default")]
    pub held: u64,
    /// Price, `per` and currency that the period keeps from its first sale on; before that, those of the plan.
    #[serde(rename = "p")]
    pub sale: Sale,
    /// What the used units come to.
    #[serde(rename = "o", default, skip_serializing_if = "is_default")]
    pub owed: u64,
    /// Most money for this feature in the period.
    #[serde(rename = "m")]
    pub cap: u64,
    /// Units that can still be sold: an account's own cap may bind before that of the feature.
    #[serde(rename = "r", default, skip_serializing_if = "is_default")]
    pub remaining: u64,
    /// When the period began.
    #[serde(rename = "s")]
    pub starts_at: DateTime<Utc>,
    /// First instant after the period; what is sold begins at 0 then.
    #[serde(rename = "e", default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<DateTime<Utc>>,
}

/// How the room stands that was bought of a capacity. The short names are those of the ledger's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomBalance {
    /// Bought and not refunded, in stored units.
    #[serde(rename = "g")]
    pub granted: u64,
    /// Occupied, in stored units; more than was bought where it was refunded while another occupied it.
    #[serde(rename = "u", default, skip_serializing_if = "is_default")]
    pub used: u64,
    /// Reserved and not yet settled, in stored units.
    #[serde(rename = "h", default, skip_serializing_if = "is_default")]
    pub held: u64,
    /// Free: what a new request takes before it pays again, in stored units.
    #[serde(rename = "r", default, skip_serializing_if = "is_default")]
    pub remaining: u64,
}

/// How one window of a feature with several limits stands. The short names are those of the ledger's rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowBalance {
    /// How often its limit becomes whole.
    #[serde(rename = "p")]
    pub per: Cadence,
    /// What it is counted from.
    #[serde(rename = "a", default, skip_serializing_if = "is_default")]
    pub anchor: Anchor,
    /// What may be used at most, in stored units, what came over from the window before included.
    #[serde(rename = "g", deserialize_with = "crate::amount::stored_limit")]
    pub granted: Limit,
    /// What add-ons add to it, in stored units.
    #[serde(
        rename = "q",
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::amount::stored_limit_option"
    )]
    pub added: Option<Limit>,
    /// Spent for good, in stored units.
    #[serde(rename = "u", default, skip_serializing_if = "is_default")]
    pub used: u64,
    /// Reserved and not yet settled, in stored units.
    #[serde(rename = "h", default, skip_serializing_if = "is_default")]
    pub held: u64,
    /// Spent beyond what there was, in stored units.
    #[serde(rename = "o", default, skip_serializing_if = "is_default")]
    pub overage: u64,
    /// What a new request can still get, in stored units; none when there is no ceiling.
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    pub remaining: Option<u64>,
    /// What came over from the window before, in stored units (C10).
    #[serde(rename = "x", default, skip_serializing_if = "is_default")]
    pub rolled_over: u64,
    /// When it began; none for a window that begins with the next accepted request (W7).
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<DateTime<Utc>>,
    /// When it ends; none for one that has not begun.
    #[serde(rename = "w", default, skip_serializing_if = "Option::is_none")]
    pub resets_at: Option<DateTime<Utc>>,
}

/// How much capacity was given back at one scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Released {
    /// The user or its org.
    #[serde(rename = "s")]
    pub scope: Scope,
    /// Units, in stored ones; 0 where nothing was occupied.
    #[serde(rename = "n")]
    pub amount: u64,
}
