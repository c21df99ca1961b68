//! Cadences: how often an allowance becomes whole again (C3).

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

const HOURS_IN_DAY: u16 = 24;
/// Longest span, in hours: 366 days.
const SPAN_HOURS_MAX: u16 = 366 * HOURS_IN_DAY;

/// How often an allowance becomes whole again (C3). There is no `never`.
///
/// Its text is one of the words, or a span such as `5h` or `14d`.
///
/// ```
/// use quota_core::catalog::Cadence;
///
/// let span: Cadence = "5h".parse()?;
/// assert_eq!(span.to_string(), "5h");
/// assert!("400d".parse::<Cadence>().is_err());
/// # Ok::<(), quota_core::catalog::InvalidCadence>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cadence {
    /// Every hour.
    Hourly,
    /// Every day.
    Daily,
    /// Every seven days, in the calendar from Monday.
    Weekly,
    /// Every month.
    Monthly,
    /// Every twelve months, in the calendar from 1 January.
    Yearly,
    /// Once for each period of the subscription.
    Subscription,
    /// Every so many hours or days.
    Span(Span),
}

/// A number of hours from 1 hour to 366 days of 24 hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    hours: u16,
}

/// A text that names no cadence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no cadence: say `hourly`, `daily`, `weekly`, `monthly`, `yearly`, `subscription`, or a span of 1 hour \
     to 366 days such as `5h` or `14d`"
)]
pub struct InvalidCadence(String);

impl Span {
    /// Of so many hours; `None` when that is 0 or more than 366 days.
    pub fn of_hours(hours: u16) -> Option<Self> {
        (1..=SPAN_HOURS_MAX)
            .contains(&hours)
            .then_some(Self { hours })
    }

    /// How many hours it lasts, 1 to 8,784.
    pub fn hours(self) -> u16 {
        self.hours
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_days = self.hours.is_multiple_of(HOURS_IN_DAY);
        match self.hours.checked_div(HOURS_IN_DAY) {
            Some(days) if is_days => write!(f, "{days}d"),
            Some(_) | None => write!(f, "{}h", self.hours),
        }
    }
}

/// Which job closes ended windows in the books (W5); nothing else depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClosedWith {
    /// With the days: every day.
    Days,
    /// With the months: once a month.
    Months,
    /// With the subscription's periods.
    Periods,
}

impl Cadence {
    pub(crate) fn closed_with(self) -> ClosedWith {
        match self {
            Self::Hourly | Self::Daily | Self::Weekly | Self::Span(_) => ClosedWith::Days,
            Self::Monthly | Self::Yearly => ClosedWith::Months,
            Self::Subscription => ClosedWith::Periods,
        }
    }
}

impl fmt::Display for Cadence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hourly => f.write_str("hourly"),
            Self::Daily => f.write_str("daily"),
            Self::Weekly => f.write_str("weekly"),
            Self::Monthly => f.write_str("monthly"),
            Self::Yearly => f.write_str("yearly"),
            Self::Subscription => f.write_str("subscription"),
            Self::Span(span) => span.fmt(f),
        }
    }
}

impl std::str::FromStr for Cadence {
    type Err = InvalidCadence;

    fn from_str(text: &str) -> Result<Self, InvalidCadence> {
        match text {
            "hourly" => Ok(Self::Hourly),
            "daily" => Ok(Self::Daily),
            "weekly" => Ok(Self::Weekly),
            "monthly" => Ok(Self::Monthly),
            "yearly" => Ok(Self::Yearly),
            "subscription" => Ok(Self::Subscription),
            span => {
                let span = span_of(span).ok_or_else(|| InvalidCadence(text.to_owned()))?;
                Ok(Self::Span(span))
            }
        }
    }
}

fn span_of(text: &str) -> Option<Span> {
    let (number, hours_in_one) = match (text.strip_suffix('h'), text.strip_suffix('d')) {
        (Some(hours), _) => (hours, 1),
        (None, Some(days)) => (days, HOURS_IN_DAY),
        (None, None) => return None,
    };
    let is_plain = number.bytes().all(|digit| digit.is_ascii_digit()) && !number.starts_with('0');
    let number: u16 = number.parse().ok().filter(|_| is_plain)?;
    Span::of_hours(number.checked_mul(hours_in_one)?)
}

impl Serialize for Cadence {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Cadence {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The texts of spans: hours from 1 to 8,784, days from 1 to 366.
#[cfg(feature = "openapi")]
const SPANS: &str = "^(([1-9][0-9]{0,2}|[1-7][0-9]{3}|8[0-6][0-9]{2}|87[0-7][0-9]|878[0-4])h|\
                     ([1-9][0-9]?|[12][0-9]{2}|3[0-5][0-9]|36[0-6])d)$";

#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for Cadence {
    fn schema() -> crate::openapi::SchemaOrRef {
        let words = [
            "hourly",
            "daily",
            "weekly",
            "monthly",
            "yearly",
            "subscription",
        ];
        crate::openapi::words_or(
            "`hourly`, `daily`, `weekly`, `monthly`, `yearly`, `subscription`, or a span of 1 hour to 366 days such as `5h` \
             or `14d`",
            &words,
            ("A span of 1 to 8,784 hours or of 1 to 366 days", SPANS),
        )
    }
}

#[cfg(feature = "openapi")]
impl utoipa::ToSchema for Cadence {}
