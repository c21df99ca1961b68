//! Rejections: why a request could not be carried out at all.

use chrono::{DateTime, Utc};

use crate::balance::Bucket;
use crate::code_misfit::CodeMisfit;
use crate::emptied::Emptied;
use crate::ids::{AccountId, BoostId, FeatureCode, GrantId, OrgId, PaymentRef, PlanCode, TokenId};
use crate::instant;
use crate::payment_misfit::PaymentMisfit;
use crate::rejection_words::{ended, full, in_words, listed, of_value};
use crate::reservation::Ending;
use crate::terms::Status;
use crate::unrefundable::Unrefundable;

pub use crate::rejection_class::RejectionClass;

/// Why a request cannot be carried out, whatever the quota. It changes nothing and books nothing; that the holds are over
/// whose deadline had come is booked all the same (R4).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each message says what it is about")]
pub enum Rejection {
    #[error("the account does not exist")]
    UnknownAccount,
    #[error("the account already exists")]
    AccountExists,
    #[error("the user is in {}", in_words(.current.as_ref()))]
    OtherOrg { current: Option<OrgId> },
    #[error("the org does not exist")]
    UnknownOrg,
    #[error("the user is not a member of the org")]
    UnknownMember,
    #[error("{}", full(*.limit, *.used, .feature))]
    MembersFull {
        feature: FeatureCode,
        limit: u64,
        used: u64,
    },
    #[error(
        "feature `{0}` counts the members of an org: it is used by those who join, and by no request"
    )]
    CountsMembers(FeatureCode),
    #[error("feature `{0}` is not in the catalog")]
    UnknownFeature(FeatureCode),
    #[error("plan `{0}` is not in the catalog")]
    UnknownPlan(PlanCode),
    #[error("token `{0}` does not exist")]
    UnknownToken(TokenId),
    #[error("token `{0}` already exists")]
    TokenExists(TokenId),
    #[error("token `{0}` is revoked")]
    TokenRevoked(TokenId),
    #[error("is required, since the user is not unlimited: send a number or \"unlimited\"")]
    CapRequired,
    #[error(
        "`{field}` does not apply here: only users have tokens and can be unlimited, only orgs have a policy"
    )]
    WrongKind { field: &'static str },
    #[error("the account has {most} {field}s, which is the maximum: {next}")]
    Full {
        field: &'static str,
        most: usize,
        next: &'static str,
    },
    #[error("the reservation does not exist")]
    UnknownReservation,
    #[error("the reservation {ending}")]
    ReservationEnded { ending: Ending },
    #[error("the operation does not exist")]
    UnknownOperation,
    #[error("the operation cannot be refunded: {why}")]
    NotRefundable { why: Unrefundable },
    #[error("the operation has several features: name one of them")]
    FeatureRequired,
    #[error("the operation did not use feature `{feature}`; it used {}", listed(.used))]
    NotInOperation {
        feature: FeatureCode,
        used: Vec<FeatureCode>,
    },
    #[error("only {refundable} can still be refunded")]
    RefundTooLarge { refundable: u64 },
    #[error("all of it is refunded already")]
    AlreadyRefunded,
    #[error("nothing is given back: `{bucket}`, from which it drew, is in no books")]
    BalanceMissing { bucket: Bucket },
    #[error("feature `{0}` is not a capacity")]
    NotCapacity(FeatureCode),
    #[error(
        "feature `{0}` is a flag or a setting: nothing of it is counted, so nothing can be spent or limited"
    )]
    NotCountable(FeatureCode),
    #[error("{}", of_value(.feature, .wanted.as_deref()))]
    WrongValue {
        feature: FeatureCode,
        wanted: Option<String>,
    },
    #[error("the grant already exists")]
    GrantExists,
    #[error("grant `{0}` does not exist")]
    UnknownGrant(GrantId),
    #[error("nothing of the grant is left: it {why}")]
    GrantEmpty { why: Emptied },
    #[error("only {left} of the grant is left to take back")]
    GrantTooSmall { left: u64 },
    #[error("grant `{0}` was bought: what comes back of its payment is told by its provider")]
    GrantBought(GrantId),
    #[error("payment `{0}` bought nothing of this account")]
    UnknownPayment(PaymentRef),
    #[error(transparent)]
    Payment(#[from] PaymentMisfit),
    #[error(transparent)]
    Code(#[from] CodeMisfit),
    #[error("the account owes {debt} credits: only that can be forgiven")]
    DebtTooSmall { debt: u64 },
    #[error("the boost already exists")]
    BoostExists,
    #[error("boost `{0}` does not exist")]
    UnknownBoost(BoostId),
    #[error("nothing of the boost is left: it {why}")]
    BoostEmpty { why: Emptied },
    #[error("feature `{0}` is not spent: only units of a consumable are given until an instant")]
    NotConsumable(FeatureCode),
    #[error("is required: no subscription is in force whose period could be the end")]
    EndRequired { field: &'static str },
    #[error(
        "an owner may set at most {most}: the operator's cap, or without one the plan's caps together"
    )]
    SpendCapTooHigh { most: u64 },
    #[error("there is no subscription: start one first")]
    NoSubscription,
    #[error("there is no subscription, and an add-on is held beside a base plan: start one first")]
    NoBasePlan,
    #[error("plan `{0}` is not in the catalog any more: change to another plan")]
    PlanRemoved(PlanCode),
    #[error("plan `{0}` is an add-on: it is held beside the plan that an account subscribes to")]
    IsAddon(PlanCode),
    #[error("plan `{0}` is no add-on: an account subscribes to it")]
    NotAddon(PlanCode),
    #[error("the account does not hold add-on `{0}`")]
    UnknownAddon(PlanCode),
    #[error("{most} periods are paid ahead already: no more can be")]
    PeriodsAheadFull { most: usize },
    #[error("the subscription is canceled and ends at {}: resume it, or start a new one", instant::text(.ends_at))]
    Canceled { ends_at: DateTime<Utc> },
    #[error("{}", ended(*.was_canceled, .ended_at))]
    Ended {
        ended_at: DateTime<Utc>,
        was_canceled: bool,
    },
    #[error("the subscription begins at {}", instant::text(.starts_at))]
    NotBegun { starts_at: DateTime<Utc> },
    #[error("the subscription is not paid for: its status is {}; once it is paid, set that to active", .status.as_str())]
    NotPaid { status: Status },
    #[error("the subscription is not canceled: its status is {}", .status.as_str())]
    NotCanceled { status: Status },
    #[error("a subscription cannot start canceled: cancel the one that runs")]
    StartsCanceled,
    #[error("plan `{0}` has no trial period")]
    NoTrial(PlanCode),
    #[error("does not fit the status `{}`: leave one of them out", .status.as_str())]
    TrialAgainstStatus { status: Status },
    #[error("`{0}` is the plan that every account falls back to: it cannot be canceled")]
    DefaultPlan(PlanCode),
    #[error("the subscription renews by itself: no period of it can be given an end")]
    RenewsByItself,
    #[error("`ends_at` must be later than the start of the period, {}", instant::text(.starts_at))]
    EndsBeforeStart { starts_at: DateTime<Utc> },
    #[error("is too early: the subscription would have ended at {} already", instant::text(.ended_at))]
    OverAlready {
        field: &'static str,
        ended_at: DateTime<Utc>,
    },
    #[error("must be in the future")]
    NotInFuture { field: &'static str },
    #[error("must not be in the future, nor more than {days_max} days ago")]
    NotRecent { field: &'static str, days_max: u32 },
    #[error("must not be before {}: account `{account}` began then", instant::text(.began_at))]
    BeforeAccount {
        account: AccountId,
        began_at: DateTime<Utc>,
    },
    #[error("must be from {least} to {most}{}", if field.ends_with("_seconds") { " seconds" } else { "" })]
    OutOfRange {
        field: &'static str,
        least: u64,
        most: u64,
    },
    #[error("too large: a counter would exceed its maximum of 9 * 10^18")]
    CounterFull,
    #[error("the user has open reservations: commit or release them first")]
    OpenReservations,
    /// Of several things that were asked for together, this one cannot be carried out.
    #[error("{cause}")]
    InList { index: usize, cause: Box<Rejection> },
}

impl Rejection {
    /// The same, said of one of several things that were asked for together.
    #[must_use]
    pub fn in_list(self, index: usize) -> Self {
        Self::InList {
            index,
            cause: Box::new(self),
        }
    }

    /// Which of several things it is about, counted from 0, where it is about one of them.
    pub fn index(&self) -> Option<usize> {
        if let Self::InList { index, .. } = self {
            return Some(*index);
        }
        None
    }

    /// A stable name for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownAccount => "unknown_account",
            Self::AccountExists => "account_exists",
            Self::OtherOrg { .. } => "other_org",
            Self::UnknownOrg => "unknown_org",
            Self::UnknownMember => "unknown_member",
            Self::MembersFull { .. } => "limit_reached",
            Self::CountsMembers(_) => "counts_members",
            Self::UnknownFeature(_) => "unknown_feature",
            Self::UnknownPlan(_) => "unknown_plan",
            Self::UnknownToken(_) => "unknown_token",
            Self::TokenExists(_) => "token_exists",
            Self::TokenRevoked(_) => "token_revoked",
            Self::CapRequired => "cap_required",
            Self::WrongKind { .. } => "wrong_account_kind",
            Self::Full { .. } => "too_many",
            Self::UnknownReservation => "unknown_reservation",
            Self::ReservationEnded { .. } => "reservation_ended",
            Self::UnknownOperation => "unknown_operation",
            Self::NotRefundable { .. } => "not_refundable",
            Self::FeatureRequired => "feature_required",
            Self::NotInOperation { .. } => "not_in_operation",
            Self::RefundTooLarge { .. } => "refund_too_large",
            Self::AlreadyRefunded => "already_refunded",
            Self::BalanceMissing { .. } => "balance_missing",
            Self::NotCapacity(_) => "not_a_capacity",
            Self::NotCountable(_) => "not_countable",
            Self::WrongValue { .. } => "wrong_value",
            Self::GrantExists => "grant_exists",
            Self::UnknownGrant(_) => "unknown_grant",
            Self::GrantEmpty { .. } => "grant_empty",
            Self::GrantTooSmall { .. } => "grant_too_small",
            Self::GrantBought(_) => "grant_bought",
            Self::UnknownPayment(_) => "unknown_payment",
            Self::Payment(misfit) => misfit.code(),
            Self::Code(misfit) => misfit.code(),
            Self::DebtTooSmall { .. } => "debt_too_small",
            Self::BoostExists => "boost_exists",
            Self::UnknownBoost(_) => "unknown_boost",
            Self::BoostEmpty { .. } => "boost_empty",
            Self::NotConsumable(_) => "not_a_consumable",
            Self::EndRequired { .. } => "end_required",
            Self::NoSubscription | Self::NoBasePlan => "no_subscription",
            Self::PlanRemoved(_) => "plan_removed",
            Self::IsAddon(_) => "is_an_addon",
            Self::NotAddon(_) => "not_an_addon",
            Self::UnknownAddon(_) => "unknown_addon",
            Self::SpendCapTooHigh { .. } => "spend_cap_too_high",
            Self::PeriodsAheadFull { .. } => "too_many_periods",
            Self::Canceled { .. } => "subscription_canceled",
            Self::Ended { .. } => "subscription_ended",
            Self::NotBegun { .. } | Self::NotPaid { .. } => "not_in_force",
            Self::NotCanceled { .. } => "not_canceled",
            Self::StartsCanceled => "starts_canceled",
            Self::NoTrial(_) => "no_trial",
            Self::TrialAgainstStatus { .. } => "trial_against_status",
            Self::DefaultPlan(_) => "default_plan",
            Self::RenewsByItself => "renews_by_itself",
            Self::EndsBeforeStart { .. } => "ends_before_start",
            Self::OverAlready { .. } => "over_already",
            Self::NotInFuture { .. } => "not_in_future",
            Self::NotRecent { .. } => "not_recent",
            Self::BeforeAccount { .. } => "before_account",
            Self::OutOfRange { .. } => "out_of_range",
            Self::CounterFull => "counter_full",
            Self::OpenReservations => "open_reservations",
            Self::InList { cause, .. } => cause.code(),
        }
    }

    /// What kind of mistake it is.
    pub fn class(&self) -> RejectionClass {
        match self {
            Self::UnknownAccount
            | Self::UnknownMember
            | Self::UnknownReservation
            | Self::UnknownOperation
            | Self::UnknownFeature(_)
            | Self::NotInOperation { .. }
            | Self::UnknownGrant(_)
            | Self::UnknownPayment(_)
            | Self::UnknownBoost(_)
            | Self::UnknownAddon(_)
            | Self::UnknownToken(_) => RejectionClass::NotFound,
            Self::AccountExists
            | Self::OtherOrg { .. }
            | Self::MembersFull { .. }
            | Self::TokenExists(_)
            | Self::TokenRevoked(_)
            | Self::Full { .. }
            | Self::ReservationEnded { .. }
            | Self::NotRefundable { .. }
            | Self::RefundTooLarge { .. }
            | Self::AlreadyRefunded
            | Self::BalanceMissing { .. }
            | Self::GrantExists
            | Self::GrantEmpty { .. }
            | Self::GrantTooSmall { .. }
            | Self::GrantBought(_)
            | Self::DebtTooSmall { .. }
            | Self::BoostExists
            | Self::BoostEmpty { .. }
            | Self::SpendCapTooHigh { .. }
            | Self::NoSubscription
            | Self::NoBasePlan
            | Self::PlanRemoved(_)
            | Self::PeriodsAheadFull { .. }
            | Self::Canceled { .. }
            | Self::Ended { .. }
            | Self::NotBegun { .. }
            | Self::NotPaid { .. }
            | Self::NotCanceled { .. }
            | Self::RenewsByItself
            | Self::DefaultPlan(_)
            | Self::CounterFull
            | Self::OpenReservations => RejectionClass::Conflict,
            Self::UnknownOrg
            | Self::UnknownPlan(_)
            | Self::IsAddon(_)
            | Self::NotAddon(_)
            | Self::CapRequired
            | Self::WrongKind { .. }
            | Self::FeatureRequired
            | Self::NotCapacity(_)
            | Self::NotCountable(_)
            | Self::WrongValue { .. }
            | Self::CountsMembers(_)
            | Self::NotConsumable(_)
            | Self::EndRequired { .. }
            | Self::StartsCanceled
            | Self::NoTrial(_)
            | Self::TrialAgainstStatus { .. }
            | Self::EndsBeforeStart { .. }
            | Self::NotInFuture { .. }
            | Self::OverAlready { .. }
            | Self::NotRecent { .. }
            | Self::BeforeAccount { .. }
            | Self::OutOfRange { .. } => RejectionClass::Invalid,
            Self::Payment(misfit) => misfit.class(),
            Self::Code(misfit) => misfit.class(),
            Self::InList { cause, .. } => cause.class(),
        }
    }
}
