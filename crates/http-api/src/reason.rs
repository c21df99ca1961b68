//! Reasons of denial (F7) as statuses and words.

use axum::http::StatusCode;
use quota_core::denial::{Denial, Reason};
use quota_core::draw::Scope;
use quota_core::ids::FeatureCode;

/// 429 where waiting or buying helps, 403 where it does not, 404 for what is unknown.
pub(crate) fn status(reason: Reason) -> StatusCode {
    match reason {
        Reason::UnknownUser | Reason::UnknownFeature => StatusCode::NOT_FOUND,
        Reason::AccountDisabled
        | Reason::TokenRevoked
        | Reason::TokenExpired
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
        Reason::UnknownUser => "there is no such user".to_owned(),
        Reason::UnknownFeature => format!("feature `{feature}` is not in the catalog"),
        Reason::AccountDisabled => "the user is disabled".to_owned(),
        Reason::TokenRevoked => "the token is revoked, or does not exist".to_owned(),
        Reason::TokenExpired => "the token has expired".to_owned(),
        Reason::OrgDisabled => "the org is disabled".to_owned(),
        Reason::NoSubscription => {
            format!("the user has no subscription, and nothing else can pay for `{feature}`")
        }
        Reason::NotInPlan => format!("the plan does not have `{feature}`"),
        Reason::OrgNotInPlan => format!("the org's plan does not have `{feature}`"),
        Reason::SubscriptionExpired | Reason::OrgSubscriptionExpired => format!(
            "the {}'s subscription is not in force, and nothing else can pay for `{feature}`",
            whose(denial.scope)
        ),
        Reason::SpendCapReached => format!(
            "{requested} of `{feature}` requested, but the {} can have only {} more before the cap on what it spends",
            whose(denial.scope),
            denial.available
        ),
        Reason::MemberLimitReached => format!(
            "{requested} of `{feature}` requested, but the org lets this member use only {} more",
            denial.available
        ),
        Reason::TokenExhausted
        | Reason::LimitReached
        | Reason::CreditsExhausted
        | Reason::OrgLimitReached => {
            let whose = whose(denial.scope);
            let left = match denial.available {
                0 => "nothing".to_owned(),
                available => format!("only {available}"),
            };
            let of_window = denial
                .window
                .map_or(String::new(), |window| format!(" (limit `{window}`)"));
            format!(
                "{requested} of `{feature}` requested, but the {whose} has {left} left{of_window}"
            )
        }
    }
}

fn whose(scope: Scope) -> &'static str {
    match scope {
        Scope::Token => "token",
        Scope::User => "user",
        Scope::Org => "org",
    }
}
