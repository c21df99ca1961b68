//! Reasons of denial (F7) as statuses and words.

use axum::http::StatusCode;
use quota_core::denial::{Denial, Reason};
use quota_core::draw::Scope;
use quota_core::ids::FeatureCode;
use quota_core::terms::Lapse;

/// Why a user that is named is refused who is not there.
pub(crate) const UNKNOWN_USER: &str = "there is no such user: create it first";

/// 429 where waiting or buying helps, 403 where it does not, 404 for what is unknown.
pub(crate) fn status(reason: Reason) -> StatusCode {
    match reason {
        Reason::UnknownUser | Reason::UnknownFeature => StatusCode::NOT_FOUND,
        Reason::AccountDisabled
        | Reason::TokenRevoked
        | Reason::TokenExpired
        | Reason::PaymentOverdue
        | Reason::SubscriptionExpired
        | Reason::NoSubscription
        | Reason::NotInPlan
        | Reason::OrgDisabled
        | Reason::OrgSubscriptionExpired
        | Reason::OrgNotInPlan => StatusCode::FORBIDDEN,
        Reason::TokenExhausted
        | Reason::SpendCapReached
        | Reason::LimitReached
        | Reason::CreditsExhausted
        | Reason::MemberLimitReached
        | Reason::OrgLimitReached => StatusCode::TOO_MANY_REQUESTS,
    }
}

/// Why, in words.
pub(crate) fn detail(denial: &Denial, requested: u64, feature: Option<&FeatureCode>) -> String {
    let feature = feature.map_or("", FeatureCode::as_str);
    match denial.reason {
        Reason::UnknownUser => UNKNOWN_USER.to_owned(),
        Reason::UnknownFeature => format!("feature `{feature}` is not in the catalog"),
        Reason::AccountDisabled => {
            "the user is disabled: `PATCH /v1/users/{id}` enables it".to_owned()
        }
        Reason::TokenRevoked => "the token is revoked, or does not exist".to_owned(),
        Reason::TokenExpired => {
            "the token has expired: move its `expires_at`, or use another one".to_owned()
        }
        Reason::OrgDisabled => "the org is disabled: `PATCH /v1/orgs/{id}` enables it".to_owned(),
        Reason::NoSubscription if denial.lapse == Some(Lapse::NotBegun) => format!(
            "the user's subscription has not begun yet, and nothing else can pay for `{feature}`: wait for its start, or start another one now"
        ),
        Reason::NoSubscription => format!(
            "the user has no subscription, and nothing else can pay for `{feature}`: start one with `POST …/subscription`, or grant credits"
        ),
        Reason::NotInPlan => {
            format!(
                "neither the plan, an add-on nor an override gives `{feature}`: change the plan, add an add-on that has it, or set an override"
            )
        }
        Reason::OrgNotInPlan => {
            format!(
                "neither the org's plan, an add-on nor an override gives `{feature}`: change the plan, add an add-on that has it, or set an override of the org"
            )
        }
        Reason::PaymentOverdue => format!(
            "a payment for the {}'s subscription is overdue, its plan gives no more of `{feature}` until that is paid, and nothing else can pay",
            whose(denial.scope)
        ),
        Reason::SubscriptionExpired | Reason::OrgSubscriptionExpired => {
            let whose = whose(denial.scope);
            let (why, next) = lapsed(denial.lapse);
            format!(
                "the {whose}'s subscription {why}, and nothing else can pay for `{feature}`: {next}"
            )
        }
        Reason::SpendCapReached => format!(
            "{requested} of `{feature}` requested, but the {} can have {} more before the cap on what it spends",
            whose(denial.scope),
            left(denial)
        ),
        Reason::MemberLimitReached => format!(
            "{requested} of `{feature}` requested, but the org lets this member use {} more",
            left(denial)
        ),
        Reason::TokenExhausted
        | Reason::LimitReached
        | Reason::CreditsExhausted
        | Reason::OrgLimitReached => {
            let whose = whose(denial.scope);
            let left = left(denial);
            let of_window = denial
                .window
                .map_or(String::new(), |window| format!(" (limit `{window}`)"));
            format!(
                "{requested} of `{feature}` requested, but the {whose} has {left} left{of_window}"
            )
        }
    }
}

/// Why a flag or a setting is not had, in words: what would give it. None where the reason is no matter of that.
pub(crate) fn not_given(denial: &Denial, feature: Option<&FeatureCode>) -> Option<String> {
    let feature = feature?;
    match denial.reason {
        Reason::NoSubscription if denial.lapse == Some(Lapse::NotBegun) => Some(format!(
            "the user's subscription has not begun yet, and nothing else gives `{feature}`: wait for its start, or start another one now"
        )),
        Reason::NoSubscription => Some(format!(
            "the user has no subscription, and nothing else gives `{feature}`: start one to a plan that has it with `POST …/subscription`"
        )),
        Reason::SubscriptionExpired | Reason::OrgSubscriptionExpired => {
            let whose = whose(denial.scope);
            let (why, next) = lapsed(denial.lapse);
            Some(format!(
                "the {whose}'s subscription {why}, and nothing else gives `{feature}`: {next}"
            ))
        }
        Reason::UnknownUser
        | Reason::UnknownFeature
        | Reason::AccountDisabled
        | Reason::TokenRevoked
        | Reason::TokenExpired
        | Reason::TokenExhausted
        | Reason::PaymentOverdue
        | Reason::NotInPlan
        | Reason::SpendCapReached
        | Reason::LimitReached
        | Reason::CreditsExhausted
        | Reason::MemberLimitReached
        | Reason::OrgDisabled
        | Reason::OrgNotInPlan
        | Reason::OrgLimitReached => None,
    }
}

/// What is left at the scope that denied it, and what of that can be had where another one has less.
fn left(denial: &Denial) -> String {
    let of_scope = denial.of_scope.unwrap_or(denial.available);
    match (of_scope, denial.available) {
        (0, _) => "nothing".to_owned(),
        (of_scope, available) if of_scope == available => format!("only {of_scope}"),
        (of_scope, available) => format!("only {of_scope} (of which {available} can be had)"),
    }
}

/// Why a subscription is not in force, and what to do.
fn lapsed(lapse: Option<Lapse>) -> (&'static str, &'static str) {
    let pay = "once it is paid, set its status to `active` with `POST …/subscription/status`";
    match lapse {
        Some(Lapse::Unpaid) => ("is unpaid", pay),
        Some(Lapse::PastDue) => ("has been past due for longer than the grace", pay),
        Some(Lapse::Canceled) => (
            "was canceled and has ended",
            "start a new one with `POST …/subscription`",
        ),
        Some(Lapse::PlanRemoved) => (
            "is to a plan that is not in the catalog any more",
            "change it to another plan with `POST …/subscription/change-plan`",
        ),
        Some(Lapse::NotBegun) => (
            "has not begun yet",
            "wait for its start, or start another one now",
        ),
        Some(Lapse::Ended) => ("has ended", "renew it, or start a new one"),
        // Denials of an earlier version did not say why.
        None => ("is not in force", "renew it, or start a new one"),
    }
}

fn whose(scope: Scope) -> &'static str {
    match scope {
        Scope::Token => "token",
        Scope::User => "user",
        Scope::Org => "org",
    }
}
