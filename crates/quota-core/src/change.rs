//! Changes: what became of an account's terms, tokens, grants, boosts or windows, in one word.

use serde::{Deserialize, Serialize};

/// What changed; the words are those of answers, events and the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each name says what changed")]
pub enum Change {
    AccountCreated,
    AccountChanged,
    OverrideSet,
    OverrideCleared,
    TokenCreated,
    TokenChanged,
    TokenRevoked,
    CreditsGranted,
    CreditsTakenBack,
    CreditsBought,
    PaymentFactsSet,
    DebtForgiven,
    BoostGiven,
    BoostBought,
    BoostTakenBack,
    SpendCapSet,
    SpendCapCleared,
    TopUpSet,
    TopUpCleared,
    TopUpPaid,
    TopUpFailed,
    TopUpSwitchedOff,
    ExpiryTold,
    MemberLimitSet,
    MemberLimitCleared,
    SubscriptionStarted,
    SubscriptionRenewed,
    PlanChanged,
    PlanChangeScheduled,
    PlanChangeDropped,
    SubscriptionStatusSet,
    SeatsSet,
    AddonSet,
    AddonEnded,
    SubscriptionCanceled,
    SubscriptionResumed,
    SubscriptionExpired,
    SubscriptionSynced,
    WindowsClosed,
    Reset,
    /// The event of a move; the ledgers of the two homes have `moved_out` and `moved_in`.
    Moved,
    /// The events of an org that a user comes to live in, or leaves.
    MemberJoined,
    MemberLeft,
    MovedOut,
    MovedIn,
}

/// What a change came to beside what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// The user that left its org is unlimited still: that was said (U8).
    UnlimitedKept,
    /// The user that left its org is unlimited no more: that was only the default inside it (U8).
    UnlimitedEnded,
    /// The override changes nothing now: the user is unlimited.
    IdleForUnlimited,
    /// The override changes nothing now: no subscription is in force (S3).
    IdleForSubscription,
    /// The member limit changes nothing now: nothing of the org can pay for the feature.
    IdleForPlan,
    /// The override changes nothing: only an org has members to count (C12).
    IdleForUser,
}

impl Effect {
    /// The same in words.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::UnlimitedKept => "still unlimited, as was said",
            Self::UnlimitedEnded => "no longer unlimited: that was the default inside the org",
            Self::IdleForUnlimited => "no effect now: the user is unlimited",
            Self::IdleForSubscription => "no effect now: no subscription is in force",
            Self::IdleForPlan => "no effect now: the org's plan does not have the feature",
            Self::IdleForUser => "no effect: a user has no members; set it for the org",
        }
    }
}

impl Change {
    /// Every change, in the order of their definition.
    pub const ALL: [Self; 45] = [
        Self::AccountCreated,
        Self::AccountChanged,
        Self::OverrideSet,
        Self::OverrideCleared,
        Self::TokenCreated,
        Self::TokenChanged,
        Self::TokenRevoked,
        Self::CreditsGranted,
        Self::CreditsTakenBack,
        Self::CreditsBought,
        Self::PaymentFactsSet,
        Self::DebtForgiven,
        Self::BoostGiven,
        Self::BoostBought,
        Self::BoostTakenBack,
        Self::SpendCapSet,
        Self::SpendCapCleared,
        Self::TopUpSet,
        Self::TopUpCleared,
        Self::TopUpPaid,
        Self::TopUpFailed,
        Self::TopUpSwitchedOff,
        Self::ExpiryTold,
        Self::MemberLimitSet,
        Self::MemberLimitCleared,
        Self::SubscriptionStarted,
        Self::SubscriptionRenewed,
        Self::PlanChanged,
        Self::PlanChangeScheduled,
        Self::PlanChangeDropped,
        Self::SubscriptionStatusSet,
        Self::SeatsSet,
        Self::AddonSet,
        Self::AddonEnded,
        Self::SubscriptionCanceled,
        Self::SubscriptionResumed,
        Self::SubscriptionExpired,
        Self::SubscriptionSynced,
        Self::WindowsClosed,
        Self::Reset,
        Self::Moved,
        Self::MemberJoined,
        Self::MemberLeft,
        Self::MovedOut,
        Self::MovedIn,
    ];

    /// Its word, as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AccountCreated => "account_created",
            Self::AccountChanged => "account_changed",
            Self::OverrideSet => "override_set",
            Self::OverrideCleared => "override_cleared",
            Self::TokenCreated => "token_created",
            Self::TokenChanged => "token_changed",
            Self::TokenRevoked => "token_revoked",
            Self::CreditsGranted => "credits_granted",
            Self::CreditsTakenBack => "credits_taken_back",
            Self::CreditsBought => "credits_bought",
            Self::PaymentFactsSet => "payment_facts_set",
            Self::DebtForgiven => "debt_forgiven",
            Self::BoostGiven => "boost_given",
            Self::BoostBought => "boost_bought",
            Self::BoostTakenBack => "boost_taken_back",
            Self::SpendCapSet => "spend_cap_set",
            Self::SpendCapCleared => "spend_cap_cleared",
            Self::TopUpSet => "top_up_set",
            Self::TopUpCleared => "top_up_cleared",
            Self::TopUpPaid => "top_up_paid",
            Self::TopUpFailed => "top_up_failed",
            Self::TopUpSwitchedOff => "top_up_switched_off",
            Self::ExpiryTold => "expiry_told",
            Self::MemberLimitSet => "member_limit_set",
            Self::MemberLimitCleared => "member_limit_cleared",
            Self::SubscriptionStarted => "subscription_started",
            Self::SubscriptionRenewed => "subscription_renewed",
            Self::PlanChanged => "plan_changed",
            Self::PlanChangeScheduled => "plan_change_scheduled",
            Self::PlanChangeDropped => "plan_change_dropped",
            Self::SeatsSet => "seats_set",
            Self::AddonSet => "addon_set",
            Self::AddonEnded => "addon_ended",
            Self::SubscriptionStatusSet => "subscription_status_set",
            Self::SubscriptionCanceled => "subscription_canceled",
            Self::SubscriptionResumed => "subscription_resumed",
            Self::SubscriptionExpired => "subscription_expired",
            Self::SubscriptionSynced => "subscription_synced",
            Self::WindowsClosed => "windows_closed",
            Self::Reset => "reset",
            Self::Moved => "moved",
            Self::MemberJoined => "member_joined",
            Self::MemberLeft => "member_left",
            Self::MovedOut => "moved_out",
            Self::MovedIn => "moved_in",
        }
    }

    /// Whether something came to be that was not there before: HTTP says 201.
    pub fn creates(self) -> bool {
        self.traits().creates
    }

    /// Whether the life of an account in a home begins with it, and if so, whether it came from another home.
    pub(crate) fn begins_life(self) -> Option<bool> {
        self.traits().begins_life
    }

    /// Whether windows of the account may begin or end at other instants after it.
    pub(crate) fn may_move_windows(self) -> bool {
        self.traits().may_move_windows
    }

    /// What is known of it: the one place where a new change says so.
    fn traits(self) -> ChangeTraits {
        let plain = ChangeTraits {
            creates: false,
            begins_life: None,
            may_move_windows: false,
        };
        let moving = ChangeTraits {
            may_move_windows: true,
            ..plain
        };
        match self {
            Self::AccountCreated => ChangeTraits {
                creates: true,
                begins_life: Some(false),
                ..moving
            },
            Self::MovedIn => ChangeTraits {
                begins_life: Some(true),
                ..moving
            },
            Self::TokenCreated
            | Self::CreditsGranted
            | Self::CreditsBought
            | Self::BoostGiven
            | Self::BoostBought => ChangeTraits {
                creates: true,
                ..plain
            },
            Self::OverrideSet
            | Self::OverrideCleared
            | Self::TokenChanged
            | Self::TokenRevoked
            | Self::CreditsTakenBack
            | Self::PaymentFactsSet
            | Self::DebtForgiven
            | Self::BoostTakenBack
            | Self::SpendCapSet
            | Self::SpendCapCleared
            | Self::TopUpSet
            | Self::TopUpCleared
            | Self::TopUpPaid
            | Self::TopUpFailed
            | Self::TopUpSwitchedOff
            | Self::ExpiryTold
            | Self::MemberLimitSet
            | Self::MemberLimitCleared
            | Self::WindowsClosed
            | Self::Reset
            | Self::MemberJoined
            | Self::MemberLeft => plain,
            Self::AccountChanged
            | Self::SubscriptionStarted
            | Self::SubscriptionRenewed
            | Self::PlanChanged
            | Self::PlanChangeScheduled
            | Self::PlanChangeDropped
            | Self::SubscriptionStatusSet
            | Self::SeatsSet
            | Self::AddonSet
            | Self::AddonEnded
            | Self::SubscriptionCanceled
            | Self::SubscriptionResumed
            | Self::SubscriptionExpired
            | Self::SubscriptionSynced
            | Self::Moved
            | Self::MovedOut => moving,
        }
    }
}

struct ChangeTraits {
    creates: bool,
    begins_life: Option<bool>,
    may_move_windows: bool,
}
