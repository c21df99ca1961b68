//! Drafts of what operators ask: accounts, overrides, tokens, subscriptions, credits, boosts.

use chrono::{DateTime, Utc};
use quota_core::amount::{AMOUNT_MAX, Limit};
use quota_core::command::{self as payload, ChangeWhen, Presence, UsageAfterChange};
use quota_core::ids::{BoostId, GrantId, OrgId, TokenId};
use quota_core::terms::{CapSpan, Policy, Status};

use super::draft::{Draft, amount, feature, invalid, parsed};
use super::plans::{plan_code, quantity};
use crate::invalid_field::InvalidField;

/// A draft of [`payload::PutAccount`].
pub type PutAccount = Draft<payload::PutAccount>;
/// A draft of [`payload::PutToken`].
pub type PutToken = Draft<payload::PutToken>;
/// A draft of [`payload::RevokeToken`].
pub type RevokeToken = Draft<payload::RevokeToken>;
/// A draft of [`payload::Subscribe`].
pub type Subscribe = Draft<payload::Subscribe>;
/// A draft of [`payload::Renew`].
pub type Renew = Draft<payload::Renew>;
/// A draft of [`payload::ChangePlan`].
pub type ChangePlan = Draft<payload::ChangePlan>;
/// A draft of [`payload::SetStatus`].
pub type SetStatus = Draft<payload::SetStatus>;
/// A draft of [`payload::Cancel`].
pub type Cancel = Draft<payload::Cancel>;
/// A draft of [`payload::Command::Resume`], which says nothing but that.
pub type Resume = Draft<()>;
/// A draft of [`payload::GrantCredits`].
pub type GrantCredits = Draft<payload::GrantCredits>;
/// A draft of [`payload::TakeBackCredits`].
pub type TakeBackCredits = Draft<payload::TakeBackCredits>;
/// A draft of [`payload::GiveBoost`].
pub type GiveBoost = Draft<payload::GiveBoost>;
/// A draft of [`payload::TakeBackBoost`].
pub type TakeBackBoost = Draft<payload::TakeBackBoost>;
/// A draft of [`payload::SetSpendCap`].
pub type SetSpendCap = Draft<payload::SetSpendCap>;
/// A draft of [`payload::ClearSpendCap`].
pub type ClearSpendCap = Draft<payload::ClearSpendCap>;

/// A limit that can be kept.
pub(super) fn checked(field: &'static str, limit: Limit) -> Result<Limit, InvalidField> {
    match limit {
        Limit::Of(most) if AMOUNT_MAX < most => {
            let why = format!("must be a whole number from 0 to {AMOUNT_MAX}, or unlimited");
            Err(invalid(field, why))
        }
        Limit::Of(_) | Limit::Unlimited => Ok(limit),
    }
}

fn token_id(token: &str) -> Result<TokenId, InvalidField> {
    parsed("token", TokenId::new(token))
}

fn grant_id(grant: &str) -> Result<GrantId, InvalidField> {
    parsed("grant", GrantId::new(grant))
}

fn boost_id(boost: &str) -> Result<BoostId, InvalidField> {
    parsed("boost", BoostId::new(boost))
}

impl Draft<payload::PutAccount> {
    fn with_presence(presence: Presence) -> Self {
        Self::new(Ok(payload::PutAccount {
            presence,
            spec: payload::AccountSpec::default(),
        }))
    }

    /// A new account; it is an error when it exists.
    pub fn create() -> Self {
        Self::with_presence(Presence::New)
    }

    /// A change to an account that exists; what is not said stays.
    pub fn change() -> Self {
        Self::with_presence(Presence::Existing)
    }

    /// Creates the account, or changes it when it exists.
    pub fn create_or_change() -> Self {
        Self::with_presence(Presence::Any)
    }

    /// The org of a new user. [`crate::Engine::move_user`] moves one that exists.
    pub fn org(self, org: &str) -> Self {
        let org = parsed("org", OrgId::new(org));
        self.with(org, |put, org| put.spec.org = Some(org))
    }

    /// The zone of its calendar days and months, such as `Europe/Berlin`.
    pub fn time_zone(self, zone: &str) -> Self {
        let why = "must be a zone of the IANA database, such as `Europe/Berlin`";
        let zone = zone.parse().map_err(|_| invalid("time_zone", why));
        self.with(zone, |put, zone| put.spec.time_zone = Some(zone))
    }

    /// Whether every request is denied.
    pub fn disabled(self, is_disabled: bool) -> Self {
        self.with(Ok(is_disabled), |put, is| put.spec.disabled = Some(is))
    }

    /// Whether the user is never denied at user scope (U6). Users only.
    pub fn unlimited(self, is_unlimited: bool) -> Self {
        self.with(Ok(is_unlimited), |put, is| put.spec.unlimited = Some(is))
    }

    /// What happens when the org is exhausted (O4). Orgs only.
    pub fn policy(self, policy: Policy) -> Self {
        self.with(Ok(policy), |put, policy| put.spec.policy = Some(policy))
    }
}

impl Draft<payload::PutToken> {
    fn with_presence(token: &str, presence: Presence) -> Self {
        Self::new(token_id(token).map(|token| payload::PutToken {
            token,
            presence,
            cap: None,
            per: None,
            expires_at: None,
        }))
    }

    /// A new token; it is an error when it exists.
    pub fn create(token: &str) -> Self {
        Self::with_presence(token, Presence::New)
    }

    /// A change to a token that exists; what is not said stays.
    pub fn change(token: &str) -> Self {
        Self::with_presence(token, Presence::Existing)
    }

    /// How much may be used with it, of all features together, in stored units.
    pub fn cap(self, cap: Limit) -> Self {
        self.with(checked("cap", cap), |put, cap| put.cap = Some(cap))
    }

    /// In which time the cap counts: over its lifetime, or in each window of a cadence.
    pub fn per(self, per: CapSpan) -> Self {
        self.with(Ok(per), |put, per| put.per = Some(per))
    }

    /// First instant at which it is denied.
    pub fn expires_at(self, at: DateTime<Utc>) -> Self {
        self.with(Ok(at), |put, at| put.expires_at = Some(at))
    }
}

impl Draft<payload::RevokeToken> {
    /// The token that is denied from the next request on.
    pub fn of(token: &str) -> Self {
        Self::new(token_id(token).map(|token| payload::RevokeToken { token }))
    }
}

impl Draft<payload::Subscribe> {
    /// One interval of a plan, from now on.
    pub fn to(plan: &str) -> Self {
        Self::new(plan_code(plan).map(payload::Subscribe::to))
    }

    /// First instant of it; in the future, not before the end of what is paid for.
    pub fn starts_at(self, at: DateTime<Utc>) -> Self {
        self.with(Ok(at), |asked, at| asked.starts_at = Some(at))
    }

    /// First instant after it, in place of one interval later.
    pub fn ends_at(self, at: DateTime<Utc>) -> Self {
        self.with(Ok(at), |asked, at| asked.ends_at = Some(at))
    }

    /// Its status; when it is not said `trialing` for a trial period, else active.
    pub fn status(self, status: Status) -> Self {
        self.with(Ok(status), |asked, status| asked.status = Some(status))
    }

    /// How many seats of the plan (C12); one when it is not said.
    pub fn seats(self, seats: u32) -> Self {
        let set = |asked: &mut payload::Subscribe, seats| asked.seats = Some(seats);
        self.with(quantity("seats", seats), set)
    }

    /// Whether it begins with the plan's trial period, whatever the account had before (S13).
    pub fn trial(self, trial: bool) -> Self {
        self.with(Ok(trial), |asked, trial| asked.trial = Some(trial))
    }
}

impl Draft<payload::Renew> {
    /// One interval behind the last that is paid for.
    pub fn next() -> Self {
        Self::new(Ok(payload::Renew::default()))
    }

    /// First instant after it, in place of one interval later.
    pub fn ends_at(self, at: DateTime<Utc>) -> Self {
        self.with(Ok(at), |asked, at| asked.ends_at = Some(at))
    }
}

impl Draft<payload::ChangePlan> {
    /// The new plan: at once if it is dearer and no shorter, else at the period's end (S5).
    pub fn to(plan: &str) -> Self {
        Self::new(plan_code(plan).map(|plan| payload::ChangePlan {
            plan,
            when: None,
            usage: UsageAfterChange::default(),
        }))
    }

    /// Whether it acts at once or at the end of the period; an upgrade acts at once unless this says otherwise (S5).
    pub fn when(self, when: ChangeWhen) -> Self {
        self.with(Ok(when), |asked, when| asked.when = Some(when))
    }

    /// What an immediate change does to use.
    pub fn usage(self, usage: UsageAfterChange) -> Self {
        self.with(Ok(usage), |asked, usage| asked.usage = usage)
    }
}

impl Draft<payload::SetStatus> {
    /// The new status; `canceled` ends the subscription at once.
    pub fn to(status: Status) -> Self {
        Self::new(Ok(payload::SetStatus { status }))
    }
}

impl Draft<payload::Cancel> {
    /// At the end of what is paid for.
    pub fn at_period_end() -> Self {
        Self::new(Ok(payload::Cancel { at_once: false }))
    }

    /// Now.
    pub fn at_once() -> Self {
        Self::new(Ok(payload::Cancel { at_once: true }))
    }
}

impl Draft<()> {
    /// The cancellation that has not acted yet is taken back.
    pub fn subscription() -> Self {
        Self::new(Ok(()))
    }
}

impl Draft<payload::GrantCredits> {
    /// So many credits, under an id that is unique within the account for ever.
    pub fn of(grant: &str, credits: u64) -> Self {
        let payload = grant_id(grant).and_then(|grant| {
            Ok(payload::GrantCredits {
                grant,
                credits: amount("credits", credits)?,
                priority: 0,
                expires_at: None,
            })
        });
        Self::new(payload)
    }

    /// Grants with a lower number burn first (F5).
    pub fn priority(self, priority: u32) -> Self {
        self.with(Ok(priority), |grant, priority| grant.priority = priority)
    }

    /// First instant at which what is left is lost.
    pub fn expires_at(self, at: DateTime<Utc>) -> Self {
        self.with(Ok(at), |grant, at| grant.expires_at = Some(at))
    }
}

impl Draft<payload::TakeBackCredits> {
    /// All that is left of a grant.
    pub fn of(grant: &str) -> Self {
        Self::new(grant_id(grant).map(|grant| payload::TakeBackCredits {
            grant,
            credits: None,
        }))
    }

    /// Only so many credits.
    pub fn credits(self, credits: u64) -> Self {
        let set = |asked: &mut payload::TakeBackCredits, part| asked.credits = Some(part);
        self.with(amount("credits", credits), set)
    }
}

impl Draft<payload::GiveBoost> {
    /// So many units of a feature, under an id that is unique within the account for ever; until the end of the
    /// subscription's running period, unless an end is said.
    pub fn of(boost: &str, code: &str, units: u64) -> Self {
        let payload = boost_id(boost).and_then(|boost| {
            Ok(payload::GiveBoost {
                boost,
                feature: feature(code)?,
                amount: amount("amount", units)?,
                ends_at: None,
            })
        });
        Self::new(payload)
    }

    /// First instant at which what is left is lost.
    pub fn ends_at(self, at: DateTime<Utc>) -> Self {
        self.with(Ok(at), |boost, at| boost.ends_at = Some(at))
    }
}

impl Draft<payload::TakeBackBoost> {
    /// All that is left of a boost.
    pub fn of(boost: &str) -> Self {
        Self::new(boost_id(boost).map(|boost| payload::TakeBackBoost { boost }))
    }
}

impl Draft<payload::SetSpendCap> {
    /// Most money that the account may spend on demand in a period, in minor units of its plan's currency.
    pub fn of(amount: u64) -> Self {
        let payload = payload::SetSpendCap {
            amount,
            by_owner: false,
        };
        Self::new(if AMOUNT_MAX < amount {
            let why = format!("must be a whole number from 0 to {AMOUNT_MAX}");
            Err(invalid("amount", why))
        } else {
            Ok(payload)
        })
    }

    /// The account's owner asks and no operator: it may only be lowered.
    pub fn by_owner(self) -> Self {
        self.with(Ok(true), |cap, by_owner| cap.by_owner = by_owner)
    }
}

impl Draft<payload::ClearSpendCap> {
    /// The plan's caps are back.
    pub fn of_account() -> Self {
        Self::new(Ok(payload::ClearSpendCap::default()))
    }

    /// The account's owner asks and no operator: only what it set itself goes.
    pub fn by_owner(self) -> Self {
        self.with(Ok(true), |clear, by_owner| clear.by_owner = by_owner)
    }
}
