//! Short texts that are booked with an operation and that no rule looks at.

use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

/// Longest text, in characters.
const CHARS_MAX: usize = 500;

/// A short text in the caller's words: 1 to 500 characters, none of them a control character.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, min_length = 1, max_length = 500, example = "billing"))]
pub struct Label(String);

/// A text that is no label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidLabel {
    /// It is empty, or too long.
    #[error("must have 1 to {CHARS_MAX} characters, not {chars}")]
    Length {
        /// How many it has.
        chars: usize,
    },
    /// It has a line break, or something else that is not seen.
    #[error("must not contain control characters")]
    Control,
}

impl Label {
    /// The text, as it was sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, taken out.
    pub fn into_text(self) -> String {
        self.0
    }
}

impl TryFrom<String> for Label {
    type Error = InvalidLabel;

    fn try_from(text: String) -> Result<Self, InvalidLabel> {
        let chars = text.chars().count();
        if !(1..=CHARS_MAX).contains(&chars) {
            return Err(InvalidLabel::Length { chars });
        }
        if text.chars().any(char::is_control) {
            return Err(InvalidLabel::Control);
        }
        Ok(Self(text))
    }
}

impl FromStr for Label {
    type Err = InvalidLabel;

    fn from_str(text: &str) -> Result<Self, InvalidLabel> {
        Self::try_from(text.to_owned())
    }
}

impl<'de> Deserialize<'de> for Label {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::try_from(text).map_err(serde::de::Error::custom)
    }
}
