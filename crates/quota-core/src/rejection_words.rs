//! What rejections say of what they met, where that takes more than a line.

use crate::command::{BOOSTS_MAX, GRANTS_MAX, TOKENS_MAX};
use crate::ids::{FeatureCode, OrgId};
use crate::terms::ADDONS_MAX;

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

/// That an account has as many of something as there can be, and what makes room.
pub(crate) fn crowded(field: &str) -> String {
    let (most, next) = match field {
        "token" => (TOKENS_MAX, "revoke one first"),
        "grant" => (GRANTS_MAX, "grant more at once, or use some up first"),
        "boost" => (BOOSTS_MAX, "give more at once, or use some up first"),
        "addon" => (ADDONS_MAX, "end one first"),
        _ => return format!("the account has the maximum number of {field}s"),
    };
    format!("the account has {most} {field}s, which is the maximum: {next}")
}
