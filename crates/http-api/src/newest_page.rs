//! Pages of lists that are ordered by time, the newest first.

use std::str::FromStr;

use chrono::{DateTime, Utc};

use crate::params::Page;
use crate::problem::Problem;

/// Which page is wanted of a list that is ordered by time, the newest first.
pub(crate) struct NewestPage<T> {
    /// The time and the id of the last row of the page before.
    pub(crate) after: Option<(DateTime<Utc>, T)>,
    /// At most so many rows.
    pub(crate) limit: u32,
}

impl<T: FromStr> NewestPage<T> {
    pub(crate) fn read(after: Option<&str>, limit: Option<&str>) -> Result<Self, Problem> {
        let wrong = || Problem::invalid_parameter("after", "must be the `next` of a page");
        let place = |text: &str| {
            let (micros, id) = text.split_once('.')?;
            let at = DateTime::from_timestamp_micros(micros.parse().ok()?)?;
            Some((at, id.parse().ok()?))
        };
        let after = after
            .map(|text| place(text).ok_or_else(wrong))
            .transpose()?;
        let limit = Page::read(None, limit)?.limit;
        Ok(Self { after, limit })
    }
}

/// Where the next page of such a list goes on: `next`, if there is more than a page.
pub(crate) fn next_place<T, I: std::fmt::Display>(
    rows: &mut Vec<T>,
    limit: u32,
    place: impl Fn(&T) -> (DateTime<Utc>, I),
) -> Option<String> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = limit < rows.len();
    rows.truncate(limit);
    let last = rows.last().filter(|_| has_more)?;
    let (at, id) = place(last);
    Some(format!("{}.{id}", at.timestamp_micros()))
}
