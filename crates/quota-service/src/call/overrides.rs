//! Drafts of what an account has by itself: limits, flags and settings.

use chrono::{DateTime, Utc};
use quota_core::amount::Limit;
use quota_core::catalog::Given;
use quota_core::command as payload;

use super::changes::checked;
use super::draft::{Draft, feature};

/// A draft of [`payload::SetOverride`].
pub type SetOverride = Draft<payload::SetOverride>;
/// A draft of [`payload::SetGiven`].
pub type SetGiven = Draft<payload::SetGiven>;
/// A draft of [`payload::ClearOverride`].
pub type ClearOverride = Draft<payload::ClearOverride>;

impl Draft<payload::SetOverride> {
    /// The account's own limit for a feature, in shown units.
    pub fn of(code: &str, limit: Limit) -> Self {
        let payload = feature(code).and_then(|feature| {
            Ok(payload::SetOverride {
                feature,
                limit: checked("limit", limit)?,
                expires_at: None,
            })
        });
        Self::new(payload)
    }

    /// First instant at which the plan's limit is back.
    pub fn expires_at(self, at: DateTime<Utc>) -> Self {
        self.with(Ok(at), |set, at| set.expires_at = Some(at))
    }
}

impl Draft<payload::SetGiven> {
    /// Whether the account has a flag, whatever its plan says.
    pub fn flag(code: &str, has: bool) -> Self {
        Self::given(code, Given::Flag(has))
    }

    /// A setting that is a whole number.
    pub fn number(code: &str, number: u64) -> Self {
        Self::given(code, Given::Number(number))
    }

    /// A setting that is a text.
    pub fn text(code: &str, text: &str) -> Self {
        Self::given(code, Given::Text(text.to_owned()))
    }

    fn given(code: &str, value: Given) -> Self {
        Self::new(feature(code).map(|feature| payload::SetGiven {
            feature,
            value,
            expires_at: None,
        }))
    }

    /// First instant at which what the plan gives is back.
    pub fn expires_at(self, at: DateTime<Utc>) -> Self {
        self.with(Ok(at), |set, at| set.expires_at = Some(at))
    }
}

impl Draft<payload::ClearOverride> {
    /// The feature for which what the plan says is back.
    pub fn of(code: &str) -> Self {
        Self::new(feature(code).map(|feature| payload::ClearOverride { feature }))
    }
}
