//! Short texts that are booked with an operation and that no rule looks at.

use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

/// Longest text, in characters.
const CHARS_MAX: usize = 500;

/// A short text.
#[derive(Debug, Clone, PartialEq, Eq, ToSchema)]
#[schema(value_type = String, min_length = 1, max_length = 500)]
pub struct Label(String);

impl Label {
    pub(crate) fn into_text(self) -> String {
        self.0
    }
}

impl<'de> Deserialize<'de> for Label {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;
        let text = String::deserialize(deserializer)?;
        if text.is_empty() || text.chars().count() > CHARS_MAX {
            return Err(D::Error::custom(format_args!(
                "must have 1 to {CHARS_MAX} characters"
            )));
        }
        if text.chars().any(char::is_control) {
            return Err(D::Error::custom("must not contain control characters"));
        }
        Ok(Self(text))
    }
}

/// What a write is about, and why.
#[derive(Debug, Default)]
pub(crate) struct Note {
    pub(crate) resource_type: Option<Label>,
    pub(crate) resource_id: Option<Label>,
    pub(crate) reason: Option<Label>,
}

impl Note {
    pub(crate) fn reason(reason: Option<Label>) -> Self {
        Self {
            reason,
            ..Self::default()
        }
    }
}
