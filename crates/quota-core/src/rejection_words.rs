//! What rejections say of what they met, where that takes more than a line.

use chrono::{DateTime, Utc};

use crate::ids::{FeatureCode, OrgId};
use crate::instant;

/// That a subscription ended, and how it goes on.
pub(crate) fn ended(was_canceled: bool, ended_at: &DateTime<Utc>) -> String {
    let at = instant::text(ended_at);
    if was_canceled {
        format!("the subscription was canceled and ended at {at}: start a new one")
    } else {
        format!("the subscription ended at {at}: renew it, or start a new one")
    }
}

/// The org of a user in words, or that it has none.
pub(crate) fn in_words(org: Option<&OrgId>) -> String {
    org.map_or_else(|| "no org".to_owned(), |org| format!("org `{org}`"))
}

pub(crate) fn listed(features: &[FeatureCode]) -> String {
    let quoted: Vec<String> = features.iter().map(|code| format!("`{code}`")).collect();
    quoted.join(", ")
}

/// That an org has all the members that it may have; what lets it have none, where that is so (C6, S3).
pub(crate) fn full(limit: u64, used: u64, feature: &FeatureCode) -> String {
    let next = "change its plan, or set an override of the org";
    match limit {
        0 => format!(
            "the org may have no members: its plan does not have `{feature}`, allows none, or is not in force; {next}"
        ),
        limit => format!(
            "the org has {used} members, and `{feature}` allows {limit}: get it more seats, {next}"
        ),
    }
}

/// What an override says of a feature, where another thing was said.
pub(crate) fn of_value(feature: &FeatureCode, wanted: Option<&str>) -> String {
    match wanted {
        Some(wanted) => format!("the `value` of feature `{feature}` must be {wanted}"),
        None => format!("feature `{feature}` is counted and has no `value`: set a `limit`"),
    }
}
