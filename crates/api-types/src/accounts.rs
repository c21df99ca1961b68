//! Users and orgs, their overrides, and the answer to a change.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use quota_core::amount::Limit;
use quota_core::catalog::Given;
use quota_core::ids::{AccountId, AccountKind, FeatureCode, OrgId, TokenId, UserId};
use quota_core::terms::Policy;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Label, SubscriptionBody, Zone};

/// What an account has of one feature by itself, in place of what its plan says: a limit, or of a flag or a setting a value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OwnOverrideView {
    /// The limit in shown units, or `"unlimited"`; of what is counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<Limit>,
    /// Of a flag whether it is had, of a setting its value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Given>,
    /// First instant at which what the plan says counts again; never when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
    /// Why it was set, as it was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who set it: the name of the API key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
}

/// A limit that an org sets for its members.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OverrideView {
    /// The limit in shown units, or `"unlimited"`.
    pub limit: Limit,
    /// First instant at which it counts no more; never when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
    /// Why it was set, as it was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who set it: the name of the API key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
}

/// A user or an org.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AccountBody {
    /// Its id, without `user:` or `org:`.
    #[cfg_attr(feature = "openapi", schema(example = "alice"))]
    pub id: String,
    /// Whether it is a user or an org.
    pub kind: AccountKind,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// The zone of its calendar days and months, by its name in the tz database.
    #[cfg_attr(feature = "openapi", schema(example = "Europe/Berlin"))]
    pub time_zone: String,
    /// Whether every request is denied.
    pub disabled: bool,
    /// Users only: whether the user's own limits never deny a request; use is still counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unlimited: Option<bool>,
    /// Users only: the org that is charged too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub org: Option<OrgId>,
    /// Orgs only: what happens when a limit of the org is reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<Policy>,
    /// The current subscription, or the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subscription: Option<SubscriptionBody>,
    /// What it has by itself in place of what its plan says, by feature.
    pub overrides: BTreeMap<FeatureCode, OwnOverrideView>,
    /// Of an org what was set for each of its members, of a user what was set for it as a member of its org; by feature.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub member_limits: BTreeMap<FeatureCode, OverrideView>,
}

/// A page of accounts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AccountList {
    /// The accounts, by id.
    pub items: Vec<AccountBody>,
    /// Send it as `after` to get the next page; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// The `org` field of a body that changes a user: absent, `null`, or an id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum OrgField {
    /// The body has no such field.
    #[default]
    Absent,
    /// The field is `null`.
    Null,
    /// The field names an org.
    Id(OrgId),
}

impl OrgField {
    /// The org, where the field names one.
    pub fn org(self) -> Option<OrgId> {
        match self {
            Self::Id(org) => Some(org),
            Self::Absent | Self::Null => None,
        }
    }

    fn is_absent(&self) -> bool {
        *self == Self::Absent
    }
}

impl Serialize for OrgField {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Id(org) => org.serialize(to),
            Self::Absent | Self::Null => to.serialize_none(),
        }
    }
}

impl<'de> Deserialize<'de> for OrgField {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let org = Option::deserialize(from)?;
        Ok(org.map_or(Self::Null, Self::Id))
    }
}

/// Settings of a user. Fields that are absent stay as they are, or take their default for a new user.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct UserBody {
    /// The org of a new user. An existing user is moved with `PUT /v1/users/{id}/org`.
    #[serde(default, skip_serializing_if = "OrgField::is_absent")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<OrgId>))]
    pub org: OrgField,
    /// The zone of calendar days and months; UTC by default.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::said::deserialize"
    )]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, nullable = false, example = "Europe/Berlin"))]
    pub time_zone: Option<Zone>,
    /// Whether every request is denied.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::said::deserialize"
    )]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub disabled: Option<bool>,
    /// Whether the user's own limits never deny a request; by default only for a user in an org.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::said::deserialize"
    )]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub unlimited: Option<bool>,
    /// Why; booked with the change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Label>,
}

/// A user to be made, outside an org or in one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewUserBody {
    /// Your id for the user.
    pub id: UserId,
    /// The org that the user is made in; none when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub org: Option<OrgId>,
    /// The zone of calendar days and months; UTC by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, example = "Europe/Berlin"))]
    pub time_zone: Option<Zone>,
    /// Whether every request is denied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
    /// Whether the user's own limits never deny a request; by default only for a user in an org.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unlimited: Option<bool>,
    /// Why; booked with the change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Label>,
}

/// Settings of an org. Fields that are absent stay as they are, or take their default for a new org.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct OrgBody {
    /// The zone of calendar days and months; UTC by default.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::said::deserialize"
    )]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, nullable = false, example = "Europe/Berlin"))]
    pub time_zone: Option<Zone>,
    /// Whether every request of its members is denied.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::said::deserialize"
    )]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub disabled: Option<bool>,
    /// What happens when a limit of the org is reached.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::said::deserialize"
    )]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub policy: Option<Policy>,
    /// Why; booked with the change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Label>,
}

/// An org to be made, without members and without a subscription.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewOrgBody {
    /// Your id for the org.
    pub id: OrgId,
    /// The zone of calendar days and months; UTC by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, example = "Europe/Berlin"))]
    pub time_zone: Option<Zone>,
    /// Whether every request of its members is denied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
    /// What happens when a limit of the org is reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<Policy>,
    /// Why; booked with the change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Label>,
}

/// The org that a user joins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", schema(example = json!({"org": "acme", "reason": "joined the team"})))]
pub struct MoveBody {
    /// The org to join, or `null` to leave the current one. Required, so that an empty body moves nobody.
    #[serde(deserialize_with = "Option::deserialize")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<OrgId>, required))]
    pub org: Option<OrgId>,
    /// Why; booked with the change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Label>,
}

/// What an account has of a feature by itself, in place of what its plan says: a `limit`, or of a flag or a setting a `value`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct OverrideBody {
    /// The limit in shown units, or `"unlimited"`; required for what is counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<Limit>,
    /// Of a flag `true` or `false`, of a setting a whole number or a text; required for these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Given>,
    /// First instant at which the plan's value counts again; never when absent.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::instant::deserialize_option"
    )]
    pub expires_at: Option<DateTime<Utc>>,
    /// Why; booked with the change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Label>,
}

/// A reason, or nothing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ReasonBody {
    /// Why; booked with the change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Label>,
}

/// The features whose use is set to 0.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ResetBody {
    /// Codes of the features, at least one; all of them when absent, unless a token is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(min_items = 1))]
    pub features: Option<Vec<FeatureCode>>,
    /// A token of the user, whose use begins at 0; beside it only the features that are named are reset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenId>,
    /// Why; booked with the change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Label>,
}

/// The result of a change to an account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChangeBody {
    /// The operation's id; absent when nothing changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The account that was changed, such as `user:alice`.
    pub account: AccountId,
    /// When it was decided.
    pub at: DateTime<Utc>,
    /// What changed, such as `override_set`, or `nothing`.
    #[cfg_attr(feature = "openapi", schema(example = "override_set"))]
    pub changed: String,
    /// The new value, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// A user that was unlimited and left its org: whether it still is. Its tokens stay as they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unlimited: Option<bool>,
    /// Overrides only: whether the limit counts now; `detail` says why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_force: Option<bool>,
    /// Whether this repeats the answer to an earlier request with the same `Idempotency-Key`.
    pub replayed: bool,
}
