//! An account's terms: everything a decision needs beside balances, small and rarely changed.

mod addon;
mod auto_top_up;
mod lapse;
mod queue;
mod subscription;
mod token;
mod unheard;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::absent::is_default;
use crate::amount::Limit;
use crate::balance::Bucket;
use crate::catalog::Given;
use crate::change::Effect;
use crate::ids::{AccountId, FeatureCode, OrgId, PlanCode, TokenId};
use crate::share::Share;

pub use addon::{ADDONS_MAX, Addon};
pub use auto_top_up::{
    AutoTopUp, TOP_UP_FAILURES_MAX, TOP_UPS_A_MONTH_MAX, TopUpFailure, TopUpOff, TopUpOffReason,
};
pub use lapse::Lapse;
pub(crate) use lapse::Seen;
pub use queue::PERIODS_AHEAD_MAX;
pub(crate) use queue::QueueFull;
pub use subscription::{PlanChange, Status, Subscription, UnknownStatus};
pub use token::{CapSpan, InvalidCapSpan, Token, new_token_cap};

/// What an org does when it is exhausted (O4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// Members are denied.
    #[default]
    Enforce,
    /// The excess is booked as overage and nobody is denied by it.
    Track,
}

/// An account's own limit for one feature; beats the plan's (F6).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Override {
    /// The limit, in shown units.
    pub limit: Limit,
    /// First instant at which the plan's value is back, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
    /// Why it was set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who set it, as the request said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
}

impl Override {
    /// Whether it counts at `now`.
    pub fn is_active(&self, now: DateTime<Utc>) -> bool {
        self.expires_at.is_none_or(|expires_at| now < expires_at)
    }
}

/// What an account has of a flag or a setting whatever its plan gives of it (F6).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenOverride {
    /// Whether it has the flag, or the setting's value.
    pub value: Given,
    /// First instant at which what the plan gives is back, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
    /// Why it was set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who set it, as the request said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
}

impl GivenOverride {
    /// Whether it counts at `now`.
    pub fn is_active(&self, now: DateTime<Utc>) -> bool {
        self.expires_at.is_none_or(|expires_at| now < expires_at)
    }
}

/// The terms of a user or an org.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// When the account came to be; windows without a subscription are counted from it.
    pub created_at: DateTime<Utc>,
    /// The zone of its calendar days and months.
    pub time_zone: Tz,
    /// Whether every request is denied.
    #[serde(default)]
    pub disabled: bool,
    /// Whether it is never denied at user scope, yet counted (section 6). Users only.
    #[serde(default)]
    pub unlimited: bool,
    /// Whether `unlimited` is the default inside an org and was said by nobody (U8). Rows from before this was kept lack
    /// it, and count as said: nobody loses by an upgrade what an operator may have given.
    #[serde(default, skip_serializing_if = "is_default")]
    pub unlimited_by_default: bool,
    /// The org that pays with it. Users only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub org: Option<OrgId>,
    /// What happens when it is exhausted. Orgs only.
    #[serde(default)]
    pub policy: Policy,
    /// Its subscription: the running one, or the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscription: Option<Subscription>,
    /// When its first subscription to a plan with a trial period began, with the trial or without: from then on it is given none
    /// unasked (S13).
    #[serde(
        rename = "trial_began_at",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub trial_settled_at: Option<DateTime<Utc>>,
    /// Its add-ons by their plans, ended ones included until their places are needed (C13).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub addons: BTreeMap<PlanCode, Addon>,
    /// Its own limits by feature, those that have expired included (F6).
    #[serde(default)]
    pub overrides: BTreeMap<FeatureCode, Override>,
    /// What it has of flags and settings by itself, what has expired included (F6).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub given: BTreeMap<FeatureCode, GivenOverride>,
    /// Its API tokens, ended ones included until their places are needed. Users only.
    #[serde(default)]
    pub tokens: BTreeMap<TokenId, Token>,
    /// Where it lived before it joined or left an org, latest last: keys that were used there are still looked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former_homes: Vec<FormerHome>,
    /// What it was charged for members that left it. Orgs only. Here and not in the books, so that it costs a consume nothing.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub left_members: BTreeMap<AccountId, LeftMember>,
    /// How many members it has (C12). Orgs only. Here and not in the books, so that it costs a consume nothing.
    #[serde(default, skip_serializing_if = "is_default")]
    pub members: u64,
    /// Limits by feature, those that have expired included (O7): of an org what each of its members may use, of a user what
    /// it may itself, as a member of its org.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub member_limits: BTreeMap<FeatureCode, Override>,
    /// Its own caps on what it spends on demand (C11).
    #[serde(default, skip_serializing_if = "is_default")]
    pub spend_cap: SpendCap,
    /// What is bought for it when its credits run low (P20). Here and not in the books, so that it costs a consume nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_top_up: Option<Box<AutoTopUp>>,
    /// The number of its newest event; 0 when it has none. Here and not in the books, so that it costs a consume nothing.
    #[serde(default, skip_serializing_if = "is_default")]
    pub last_event: u64,
}

impl Terms {
    /// When the account began: when it was made, or before that with a subscription that was started in the past.
    pub(crate) fn began_at(&self) -> DateTime<Utc> {
        let held = self.subscription.as_ref();
        let since = held.map(|held| held.runs_since().min(held.starts_at));
        since.map_or(self.created_at, |since| since.min(self.created_at))
    }

    /// What becomes of `unlimited` when the user leaves its org: a default ends, what was said goes on (U8).
    pub(crate) fn leave_org(&mut self) -> Option<Effect> {
        self.org.take()?;
        self.member_limits.clear();
        if std::mem::take(&mut self.unlimited_by_default) {
            self.unlimited = false;
            return Some(Effect::UnlimitedEnded);
        }
        self.unlimited.then_some(Effect::UnlimitedKept)
    }

    /// The number of the event that the account has now, counted from here on.
    pub(crate) fn next_event(&mut self) -> u64 {
        self.last_event = self.last_event.saturating_add(1);
        self.last_event
    }
}

/// An account's own caps on the money that it spends on demand in a period, over all features, in minor units of its plan's
/// currency (C11).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SpendCap {
    /// What an operator set: lower than the plan's caps together, or higher and then in their place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<u64>,
    /// What the account's owner set: it only ever lowers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<u64>,
}

/// A member that left its org.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftMember {
    /// When it left last.
    pub left_at: DateTime<Utc>,
    /// What the org was charged for it while it was a member; see [`crate::home::Books::shares`].
    pub shares: BTreeMap<Bucket, Share>,
}

/// The home that a user left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormerHome {
    /// The home that it left.
    pub home: AccountId,
    /// When it left: a key that was used there is looked for as long after it as keys are kept (X1).
    pub left_at: DateTime<Utc>,
    /// The sequence of its arrival in the home that came next: what was booked there up to it was before the move.
    #[serde(default, skip_serializing_if = "is_default")]
    pub arrived: u64,
}

/// Whether a new user is unlimited: as the caller says, else inside an org yes and outside no (U6).
pub fn new_user_is_unlimited(asked: Option<bool>, org: Option<&OrgId>) -> bool {
    asked.unwrap_or(org.is_some())
}
