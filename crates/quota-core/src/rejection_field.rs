//! Which field of a request a rejection is about, and whether its sentence says so.

use crate::rejection::Rejection;

impl Rejection {
    /// The field of the request that is at fault, as it is called in JSON, if it is one.
    pub fn field(&self) -> Option<&'static str> {
        match self {
            Self::UnknownOrg | Self::OtherOrg { .. } | Self::MembersFull { .. } => Some("org"),
            Self::UnknownFeature(_)
            | Self::FeatureRequired
            | Self::NotCapacity(_)
            | Self::NotCountable(_)
            | Self::CountsMembers(_)
            | Self::NotConsumable(_)
            | Self::NotInOperation { .. } => Some("feature"),
            Self::UnknownPlan(_) | Self::IsAddon(_) | Self::NotAddon(_) => Some("plan"),
            Self::UnknownToken(_) | Self::TokenExists(_) | Self::TokenRevoked(_) => Some("token"),
            Self::CapRequired => Some("cap"),
            Self::WrongValue { .. } => Some("value"),
            Self::BeforeAccount { .. } => Some("at"),
            Self::WrongKind { field }
            | Self::Full { field, .. }
            | Self::NotInFuture { field }
            | Self::OverAlready { field, .. }
            | Self::EndRequired { field }
            | Self::NotRecent { field, .. }
            | Self::OutOfRange { field, .. } => Some(field),
            Self::RefundTooLarge { .. }
            | Self::GrantTooSmall { .. }
            | Self::DebtTooSmall { .. }
            | Self::SpendCapTooHigh { .. }
            | Self::CounterFull => Some("amount"),
            Self::GrantExists => Some("grant"),
            Self::BoostExists => Some("boost"),
            Self::StartsCanceled => Some("status"),
            Self::NoTrial(_) | Self::TrialAgainstStatus { .. } => Some("trial"),
            Self::EndsBeforeStart { .. } | Self::RenewsByItself => Some("ends_at"),
            Self::UnknownAccount
            | Self::UnknownMember
            | Self::AccountExists
            | Self::UnknownReservation
            | Self::ReservationEnded { .. }
            | Self::UnknownOperation
            | Self::NotRefundable { .. }
            | Self::AlreadyRefunded
            | Self::BalanceMissing { .. }
            | Self::UnknownGrant(_)
            | Self::GrantBought(_)
            | Self::UnknownPayment(_)
            | Self::GrantEmpty { .. }
            | Self::UnknownBoost(_)
            | Self::BoostEmpty { .. }
            | Self::NoSubscription
            | Self::NoBasePlan
            | Self::UnknownAddon(_)
            | Self::PlanRemoved(_)
            | Self::PeriodsAheadFull { .. }
            | Self::Canceled { .. }
            | Self::Ended { .. }
            | Self::NotBegun { .. }
            | Self::NotPaid { .. }
            | Self::NotCanceled { .. }
            | Self::DefaultPlan(_)
            | Self::OpenReservations => None,
            Self::Payment(misfit) => misfit.field(),
            Self::Code(misfit) => misfit.field(),
            Self::InList { cause, .. } => cause.field(),
        }
    }

    /// The field that its sentence is about and does not name.
    ///
    /// ```
    /// use quota_core::answer::Rejection;
    ///
    /// let early = Rejection::NotInFuture { field: "ends_at" };
    /// assert_eq!(early.to_string(), "must be in the future");
    /// assert_eq!(early.unsaid_field(), Some("ends_at"));
    /// assert_eq!(Rejection::UnknownOrg.unsaid_field(), None, "the org does not exist");
    /// ```
    pub fn unsaid_field(&self) -> Option<&'static str> {
        match self {
            Self::CapRequired
            | Self::EndRequired { .. }
            | Self::TrialAgainstStatus { .. }
            | Self::OverAlready { .. }
            | Self::NotInFuture { .. }
            | Self::NotRecent { .. }
            | Self::BeforeAccount { .. }
            | Self::OutOfRange { .. } => self.field(),
            Self::UnknownAccount
            | Self::AccountExists
            | Self::OtherOrg { .. }
            | Self::UnknownOrg
            | Self::UnknownMember
            | Self::MembersFull { .. }
            | Self::CountsMembers(_)
            | Self::UnknownFeature(_)
            | Self::UnknownPlan(_)
            | Self::UnknownToken(_)
            | Self::TokenExists(_)
            | Self::TokenRevoked(_)
            | Self::WrongKind { .. }
            | Self::Full { .. }
            | Self::UnknownReservation
            | Self::ReservationEnded { .. }
            | Self::UnknownOperation
            | Self::NotRefundable { .. }
            | Self::FeatureRequired
            | Self::NotInOperation { .. }
            | Self::RefundTooLarge { .. }
            | Self::AlreadyRefunded
            | Self::BalanceMissing { .. }
            | Self::NotCapacity(_)
            | Self::NotCountable(_)
            | Self::WrongValue { .. }
            | Self::GrantExists
            | Self::UnknownGrant(_)
            | Self::GrantEmpty { .. }
            | Self::GrantTooSmall { .. }
            | Self::GrantBought(_)
            | Self::UnknownPayment(_)
            | Self::Payment(_)
            | Self::Code(_)
            | Self::DebtTooSmall { .. }
            | Self::BoostExists
            | Self::UnknownBoost(_)
            | Self::BoostEmpty { .. }
            | Self::NotConsumable(_)
            | Self::SpendCapTooHigh { .. }
            | Self::NoSubscription
            | Self::NoBasePlan
            | Self::PlanRemoved(_)
            | Self::IsAddon(_)
            | Self::NotAddon(_)
            | Self::UnknownAddon(_)
            | Self::PeriodsAheadFull { .. }
            | Self::Canceled { .. }
            | Self::Ended { .. }
            | Self::NotBegun { .. }
            | Self::NotPaid { .. }
            | Self::NotCanceled { .. }
            | Self::StartsCanceled
            | Self::NoTrial(_)
            | Self::DefaultPlan(_)
            | Self::RenewsByItself
            | Self::EndsBeforeStart { .. }
            | Self::CounterFull
            | Self::OpenReservations => None,
            Self::InList { cause, .. } => cause.unsaid_field(),
        }
    }
}
