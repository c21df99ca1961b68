//! Commands: everything that may change an account, by callers, operators and jobs alike.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::amount::{Amount, Limit};
use crate::catalog::Cadence;
use crate::ids::{AccountId, FeatureCode, GrantId, IdempotencyKey, OrgId, PlanCode, TokenId};
use crate::item::Item;
use crate::origin::Origin;
use crate::terms::{Policy, Status};

/// Most items in one all-or-nothing batch (X2).
pub const ITEMS_MAX: usize = 100;
/// Most tokens that a user may have that are neither revoked nor expired; they share the user's row.
pub const TOKENS_MAX: usize = 100;
/// Most grants with something left that an account may have; they share its row.
pub const GRANTS_MAX: usize = 200;

/// One request to change something: decided and booked once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Id of the operation that it becomes; grows with time.
    pub id: Uuid,
    /// The account that it is about; scope of its key.
    pub account: AccountId,
    /// The caller's key (X1).
    pub key: Option<IdempotencyKey>,
    /// Hash of what is asked, to tell a repeated request from another one under the same key.
    pub body_hash: [u8; 32],
    /// What is asked.
    pub command: Command,
    /// Who asks, and about what.
    pub origin: Origin,
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
    /// It counts on.
    Keep,
}

/// What is said of an account when it is created or changed; what is absent stays, or takes its default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountSpec {
    /// The org of a new user. An existing user moves by a transaction of its own, not by this.
    pub org: Option<OrgId>,
    /// The zone of calendar days and months.
    pub time_zone: Option<Tz>,
    /// Whether every request is denied.
    pub disabled: Option<bool>,
    /// Whether the user is never denied at user scope.
    pub unlimited: Option<bool>,
    /// What happens when the org is exhausted.
    pub policy: Option<Policy>,
}

/// Whether an account must be new, must exist, or either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// It must not exist yet.
    New,
    /// It must exist.
    Existing,
    /// Either.
    Any,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum Command {
    /// Decides and spends all items or none (section 5, X2).
    Consume {
        /// The token that the request came with.
        token: Option<TokenId>,
        /// What is spent; 1 to [`ITEMS_MAX`].
        items: Vec<Item>,
    },
    /// Records use that already happened; never denied (X5).
    Track {
        /// The token that the use came with.
        token: Option<TokenId>,
        /// What was used; 1 to [`ITEMS_MAX`].
        items: Vec<Item>,
    },
    /// Decides and holds (R1).
    Reserve {
        /// The token that the request came with.
        token: Option<TokenId>,
        /// The feature.
        feature: FeatureCode,
        /// How much is held.
        amount: Amount,
        /// For how long, in seconds: 1 to `TTL_SECONDS_MAX`.
        ttl_seconds: u32,
    },
    /// Settles a hold for what was really used (R2, R5).
    Commit {
        /// The hold.
        reservation: Uuid,
        /// What was used, in stored units; 0 to `AMOUNT_MAX`.
        actual: u64,
    },
    /// Gives a hold back (R3).
    Release {
        /// The hold.
        reservation: Uuid,
    },
    /// Moves a hold's deadline to `ttl_seconds` from now (R3).
    Extend {
        /// The hold.
        reservation: Uuid,
        /// For how long from now, in seconds: 1 to `TTL_SECONDS_MAX`.
        ttl_seconds: u32,
    },
    /// Reverses a consumption, whole or in part (X3).
    Refund {
        /// The operation that is reversed.
        operation: Uuid,
        /// Which feature of it; needed for a part of an operation with several.
        feature: Option<FeatureCode>,
        /// How much of it; everything that is left when absent.
        amount: Option<Amount>,
    },
    /// Gives occupied capacity back (X4).
    ReleaseCapacity {
        /// The feature.
        feature: FeatureCode,
        /// How much.
        amount: Amount,
    },
    /// Sets `used` of the current windows to 0 (X6).
    Reset {
        /// Which features; all when empty.
        features: Vec<FeatureCode>,
    },
    /// Creates or changes an account.
    PutAccount {
        /// Whether it must be new.
        presence: Presence,
        /// What is said of it.
        spec: AccountSpec,
    },
    /// Sets an account's own limit for a feature (F6).
    SetOverride {
        /// The feature.
        feature: FeatureCode,
        /// The limit, in shown units.
        limit: Limit,
        /// When the plan's value is back.
        expires_at: Option<DateTime<Utc>>,
    },
    /// Takes an account's own limit away.
    ClearOverride {
        /// The feature.
        feature: FeatureCode,
    },
    /// Creates or changes a token (T2, U7).
    PutToken {
        /// The token.
        token: TokenId,
        /// Whether it must be new.
        presence: Presence,
        /// Its cap; for a change, absent leaves it.
        cap: Option<Limit>,
        /// When it ends; for a change, absent leaves it.
        expires_at: Option<DateTime<Utc>>,
    },
    /// Revokes a token (T2).
    RevokeToken {
        /// The token.
        token: TokenId,
    },
    /// Starts a subscription in place of any other.
    Subscribe {
        /// The plan.
        plan: PlanCode,
        /// First instant; now when absent.
        starts_at: Option<DateTime<Utc>>,
        /// First instant after it; one interval later when absent.
        ends_at: Option<DateTime<Utc>>,
        /// Where it stands; active when absent.
        status: Option<Status>,
    },
    /// Starts the next period (S4).
    Renew {
        /// First instant after the new period; one interval later when absent.
        ends_at: Option<DateTime<Utc>>,
    },
    /// Changes the plan (S5).
    ChangePlan {
        /// The new plan.
        plan: PlanCode,
        /// When it acts; when absent, at once to a dearer plan and else at the period's end.
        when: Option<ChangeWhen>,
        /// What an immediate change does to consumable usage.
        usage: UsageAfterChange,
    },
    /// Sets where the subscription stands (S1).
    SetStatus {
        /// The status.
        status: Status,
    },
    /// Cancels the subscription (S8).
    Cancel {
        /// Now instead of at the period's end.
        at_once: bool,
    },
    /// Adds prepaid credits.
    GrantCredits {
        /// The grant's id, unique within the account for ever.
        grant: GrantId,
        /// How many.
        credits: Amount,
        /// The lower number burns first (F5).
        priority: u32,
        /// When what is left is lost.
        expires_at: Option<DateTime<Utc>>,
    },
    /// Carries out what is due in the home: holds past their deadline. Asked by the sweeper.
    Sweep,
    /// Records the end of the account's subscription, if it has ended (S9). Asked by the daily job.
    ExpireSubscription,
    /// Closes windows that ended in the books (W5). Asked by the reset jobs.
    CloseWindows {
        /// Only of features with this cadence.
        cadence: Option<Cadence>,
        /// Only of these features; all when empty.
        features: Vec<FeatureCode>,
    },
}
