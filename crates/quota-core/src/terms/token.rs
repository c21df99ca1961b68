//! API tokens of a user and their caps (section 8).

use std::fmt;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::amount::Limit;
use crate::balance::Bucket;
use crate::catalog::{Anchor, Cadence};
use crate::ids::TokenId;
use crate::window::{Window, cadence_window};

/// An API token of a user (section 8).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// Its cap in stored units of all features, or unlimited: over its lifetime, or in each window of `per`.
    pub cap: Limit,
    /// How often the cap becomes whole again, counted from `counted_from`; never when absent (T3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per: Option<Cadence>,
    /// When it was made; absent in rows that are older than this field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_at: Option<DateTime<Utc>>,
    /// First instant at which it is denied, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
    /// Since when it is revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<DateTime<Utc>>,
}

impl Token {
    /// A token with a cap over its lifetime and no end.
    ///
    /// ```
    /// use quota_core::amount::Limit;
    /// use quota_core::terms::Token;
    ///
    /// let token = Token::new(Limit::Of(100), "2027-03-01T00:00:00Z".parse()?);
    /// assert_eq!(token.window("2027-03-02T00:00:00Z".parse()?), None);
    /// # Ok::<(), chrono::ParseError>(())
    /// ```
    pub fn new(cap: Limit, made_at: DateTime<Utc>) -> Self {
        Self {
            cap,
            per: None,
            made_at: Some(made_at),
            expires_at: None,
            revoked_at: None,
        }
    }

    /// The window in which its cap counts at `now`, from its making on in UTC; `None` where it counts over its lifetime.
    pub fn window(&self, now: DateTime<Utc>) -> Option<Window> {
        let made_at = self.made_at.unwrap_or(DateTime::UNIX_EPOCH);
        self.per
            .map(|per| cadence_window(per, Anchor::Subscription, made_at, Tz::UTC, now))
    }

    /// The bucket that counts what is used with it at `now`.
    pub(crate) fn bucket(&self, id: &TokenId, now: DateTime<Utc>) -> Bucket {
        match self.window(now) {
            Some(window) => Bucket::TokenWindow(id.clone(), window.starts_at.timestamp_micros()),
            None => Bucket::Token(id.clone()),
        }
    }
}

/// In which time a token's cap counts; as text `lifetime`, or a cadence other than `subscription`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CapSpan {
    /// Over the token's lifetime.
    Lifetime,
    /// In each window of a cadence, counted from the token's making (T3).
    Each(Cadence),
}

/// The text of a lifetime cap.
const LIFETIME: &str = "lifetime";

/// A text that says no time in which a cap counts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not when a cap becomes whole again: say `lifetime`, `hourly`, `daily`, `weekly`, `monthly`, `yearly`, or a span \
     of 1 hour to 366 days such as `5h` or `14d`"
)]
pub struct InvalidCapSpan(String);

impl CapSpan {
    /// The cadence, if the cap has one.
    pub fn cadence(self) -> Option<Cadence> {
        match self {
            Self::Lifetime => None,
            Self::Each(cadence) => Some(cadence),
        }
    }
}

impl fmt::Display for CapSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lifetime => f.write_str(LIFETIME),
            Self::Each(cadence) => cadence.fmt(f),
        }
    }
}

impl std::str::FromStr for CapSpan {
    type Err = InvalidCapSpan;

    fn from_str(text: &str) -> Result<Self, InvalidCapSpan> {
        if text == LIFETIME {
            return Ok(Self::Lifetime);
        }
        match text.parse() {
            // A token has no subscription of its own.
            Ok(Cadence::Subscription) | Err(_) => Err(InvalidCapSpan(text.to_owned())),
            Ok(cadence) => Ok(Self::Each(cadence)),
        }
    }
}

impl Serialize for CapSpan {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CapSpan {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for CapSpan {
    fn schema() -> crate::openapi::SchemaOrRef {
        let words = "`lifetime`, `hourly`, `daily`, `weekly`, `monthly`, `yearly`, or a span of 1 hour to 366 days such as `5h` \
                     or `14d`";
        crate::openapi::text(words, "monthly", None)
    }
}

#[cfg(feature = "openapi")]
impl utoipa::ToSchema for CapSpan {}

/// The cap of a new token: as the caller says, else unlimited for an unlimited user; `None` means that a cap
/// must be given (U7).
pub fn new_token_cap(asked: Option<Limit>, user_is_unlimited: bool) -> Option<Limit> {
    asked.or(user_is_unlimited.then_some(Limit::Unlimited))
}
