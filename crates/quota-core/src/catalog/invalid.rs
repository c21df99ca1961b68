//! A catalog file that breaks a rule: where, and why.

use crate::ids::FeatureCode;

/// A catalog file that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{entry}: {field} {why}")]
pub struct InvalidCatalog {
    /// Which entry, such as "feature `storage`".
    pub entry: String,
    /// Which of its fields.
    pub field: &'static str,
    /// Which member of that field, where it is a table: the feature that a plan limits.
    pub member: Option<FeatureCode>,
    /// What is wrong with it.
    pub why: String,
}

/// Whether a text is a currency code.
pub(super) fn is_currency(text: &str) -> bool {
    text.len() == 3 && text.chars().all(|c| c.is_ascii_lowercase())
}

/// Of one member of a field that is a table.
pub(super) fn of_member(
    entry: &str,
    field: &'static str,
    code: &FeatureCode,
    why: &str,
) -> InvalidCatalog {
    InvalidCatalog {
        member: Some(code.clone()),
        ..refused(entry, field, &format!("of `{code}` {why}"))
    }
}

pub(super) fn refused(entry: &str, field: &'static str, why: &str) -> InvalidCatalog {
    InvalidCatalog {
        entry: entry.to_owned(),
        field,
        member: None,
        why: why.to_owned(),
    }
}
