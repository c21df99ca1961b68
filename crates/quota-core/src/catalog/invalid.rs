//! A catalog file that breaks a rule: where, and why.

use std::collections::BTreeSet;
use std::fmt;

use crate::ids::FeatureCode;

/// Most mistakes that are told of one file: who mends them reads no more at a time.
pub const MISTAKES_MAX: usize = 50;

/// A catalog file that breaks rules: every mistake with its place, up to [`MISTAKES_MAX`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidCatalog {
    /// At least one, in the order of the checks: features, plans, what they say of each other, packs.
    pub mistakes: Vec<CatalogMistake>,
    /// How many there are beside them.
    pub left_out: usize,
}

impl std::error::Error for InvalidCatalog {}

impl fmt::Display for InvalidCatalog {
    /// Each mistake, and how many more there are.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, mistake) in self.mistakes.iter().enumerate() {
            if index != 0 {
                f.write_str("; ")?;
            }
            mistake.fmt(f)?;
        }
        match self.left_out {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}

impl InvalidCatalog {
    /// These mistakes, if there are any. Of one place the first counts: what follows from it is no mistake of its own.
    pub(super) fn of(found: Vec<CatalogMistake>) -> Option<Self> {
        let mut mistakes: Vec<CatalogMistake> = Vec::new();
        let mut left_out = 0_usize;
        let mut seen = BTreeSet::new();
        for mistake in found {
            let (entry, field) = (mistake.entry.clone(), mistake.field);
            let place = (entry, field, mistake.member.clone(), mistake.within.clone());
            if !seen.insert(place) {
                continue;
            }
            if mistakes.len() < MISTAKES_MAX {
                mistakes.push(mistake);
            } else {
                left_out = left_out.saturating_add(1);
            }
        }
        (!mistakes.is_empty()).then_some(Self { mistakes, left_out })
    }
}

/// One thing in a catalog file that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{entry}: {field} {why}")]
pub struct CatalogMistake {
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

impl CatalogMistake {
    /// The same, in what stands there in its field.
    pub(super) fn within(self, within: Vec<String>) -> Self {
        Self { within, ..self }
    }
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
) -> CatalogMistake {
    let fault = fault.into();
    let why = format!("of `{code}` {}", fault.why);
    CatalogMistake {
        member: Some(code.clone()),
        within: fault.within,
        ..refused(entry, field, &why)
    }
}

pub(super) fn refused(entry: &str, field: &'static str, why: &str) -> CatalogMistake {
    CatalogMistake {
        entry: entry.to_owned(),
        field,
        member: None,
        within: Vec::new(),
        why: why.to_owned(),
    }
}
