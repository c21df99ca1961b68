//! Schedules: a cron expression in a time zone.

use std::fmt;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};

/// The word for a job that only runs when it is asked for.
const NEVER: &str = "never";

/// A text that is no schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is no schedule: {why}; allowed are `{NEVER}` or a cron expression of five fields (minute, hour, day, \
     month, weekday), or of six with seconds first"
)]
pub struct InvalidSchedule {
    /// The text.
    pub text: String,
    /// What is wrong with it.
    pub why: String,
}

/// When a job runs.
///
/// A fixed time of day comes once a day in every zone: one that a change of the clocks leaps over comes at the first
/// instant after the gap, one that comes twice comes at the first of the two. A time that recurs within the day, such
/// as every five minutes, goes on through both.
#[derive(Debug, Clone)]
pub struct Schedule {
    cron: Option<Cron>,
    zone: Tz,
}

impl Schedule {
    /// Reads a cron expression, or `never`.
    ///
    /// # Errors
    /// [`InvalidSchedule`] says what is wrong and what is allowed.
    pub fn parse(text: &str, zone: Tz) -> Result<Self, InvalidSchedule> {
        if text.trim() == NEVER {
            return Ok(Self::never());
        }
        let parser = CronParser::builder()
            .seconds(Seconds::Optional)
            .year(Year::Disallowed)
            .build();
        let cron = parser.parse(text).map_err(|error| InvalidSchedule {
            text: text.to_owned(),
            why: error.to_string(),
        })?;
        Ok(Self {
            cron: Some(cron),
            zone,
        })
    }

    /// The schedule of a job that only runs when it is asked for.
    pub fn never() -> Self {
        Self {
            cron: None,
            zone: Tz::UTC,
        }
    }

    /// The first instant after `after`, if there is one.
    pub fn next_after(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let after = after.with_timezone(&self.zone);
        let next = self.cron.as_ref()?.find_next_occurrence(&after, false);
        next.ok().map(|next| next.with_timezone(&Utc))
    }

    /// The zone that its times of day are meant in.
    pub fn zone(&self) -> Tz {
        self.zone
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cron {
            Some(cron) => f.write_str(cron.as_str()),
            None => f.write_str(NEVER),
        }
    }
}
