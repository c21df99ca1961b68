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
    /// Where in that: keys, and places in a list, counted from 0.
    pub within: Vec<String>,
    /// What is wrong with it.
    pub why: String,
}

/// Whether a text is a currency code.
pub(super) fn is_currency(text: &str) -> bool {
    text.len() == 3 && text.chars().all(|c| c.is_ascii_lowercase())
}

/// What is wrong with what a plan says of a feature, and where in it.
pub(super) struct Fault {
    pub(super) within: Vec<String>,
    pub(super) why: String,
}

impl Fault {
    /// Of a key of it.
    pub(super) fn at(key: &str, why: impl Into<String>) -> Self {
        Self {
            within: vec![key.to_owned()],
            why: why.into(),
        }
    }

    /// The same, seen from what has it under `key`.
    pub(super) fn below(mut self, key: impl Into<String>) -> Self {
        self.within.insert(0, key.into());
        self
    }
}

impl From<String> for Fault {
    fn from(why: String) -> Self {
        let within = Vec::new();
        Self { within, why }
    }
}

impl From<&str> for Fault {
    fn from(why: &str) -> Self {
        why.to_owned().into()
    }
}

/// Of one member of a field that is a table.
pub(super) fn of_member(
    entry: &str,
    field: &'static str,
    code: &FeatureCode,
    fault: impl Into<Fault>,
) -> InvalidCatalog {
    let fault = fault.into();
    let why = format!("of `{code}` {}", fault.why);
    InvalidCatalog {
        member: Some(code.clone()),
        within: fault.within,
        ..refused(entry, field, &why)
    }
}

pub(super) fn refused(entry: &str, field: &'static str, why: &str) -> InvalidCatalog {
    InvalidCatalog {
        entry: entry.to_owned(),
        field,
        member: None,
        within: Vec::new(),
        why: why.to_owned(),
    }
}
