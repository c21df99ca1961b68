//! Denials: why nothing is drawn.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::catalog::Cadence;
use crate::draw::Scope;
use crate::terms::Lapse;

/// Why a request is denied, in the order of F7.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "F7 of docs/RULES.md says what each means")]
pub enum Reason {
    UnknownUser,
    UnknownFeature,
    AccountDisabled,
    TokenRevoked,
    TokenExpired,
    TokenExhausted,
    PaymentOverdue,
    SubscriptionExpired,
    NoSubscription,
    NotInPlan,
    SpendCapReached,
    LimitReached,
    CreditsExhausted,
    MemberLimitReached,
    OrgDisabled,
    OrgSubscriptionExpired,
    OrgNotInPlan,
    OrgLimitReached,
}

impl Reason {
    /// The reason as a word, the same as in JSON.
    pub fn code(self) -> &'static str {
        match self {
            Self::UnknownUser => "unknown_user",
            Self::UnknownFeature => "unknown_feature",
            Self::AccountDisabled => "account_disabled",
            Self::TokenRevoked => "token_revoked",
            Self::TokenExpired => "token_expired",
            Self::TokenExhausted => "token_exhausted",
            Self::PaymentOverdue => "payment_overdue",
            Self::SubscriptionExpired => "subscription_expired",
            Self::NoSubscription => "no_subscription",
            Self::NotInPlan => "not_in_plan",
            Self::SpendCapReached => "spend_cap_reached",
            Self::LimitReached => "limit_reached",
            Self::CreditsExhausted => "credits_exhausted",
            Self::MemberLimitReached => "member_limit_reached",
            Self::OrgDisabled => "org_disabled",
            Self::OrgSubscriptionExpired => "org_subscription_expired",
            Self::OrgNotInPlan => "org_not_in_plan",
            Self::OrgLimitReached => "org_limit_reached",
        }
    }
}

/// Why not, who bound, and what would have been enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denial {
    /// The first reason that applies.
    pub reason: Reason,
    /// The scope that bound.
    pub scope: Scope,
    /// Units that would have been granted: the least over all scopes that would deny more.
    pub available: u64,
    /// Units that would have been granted at that scope, where another one grants less.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of_scope: Option<u64>,
    /// When that scope's allowance is whole again; of several limits that bound, when all have room again.
    pub resets_at: Option<DateTime<Utc>>,
    /// Of several limits on the feature, the one that binds longest (C9).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Cadence>,
    /// Why the subscription of that scope is not in force, where it is denied for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lapse: Option<Lapse>,
}

impl Denial {
    /// The same, for one whose subscription is not in force.
    pub(crate) fn lapsed(self, lapse: Option<Lapse>) -> Self {
        Self { lapse, ..self }
    }

    /// A denial of which there is nothing to count: no amount would have been enough.
    pub(crate) fn flat(reason: Reason, scope: Scope) -> Self {
        Self {
            reason,
            scope,
            available: 0,
            of_scope: None,
            resets_at: None,
            window: None,
            lapse: None,
        }
    }
}
