//! Instants as text, in the one form that they have on the wire.

use chrono::{DateTime, SecondsFormat, Utc};

/// RFC 3339 in UTC with `Z`, as in JSON. chrono's own `to_rfc3339` says `+00:00`.
///
/// ```
/// let at = "2027-04-30T14:00:00.5+02:00".parse()?;
/// assert_eq!(quota_core::instant::text(&at), "2027-04-30T12:00:00.500Z");
/// # Ok::<(), chrono::ParseError>(())
/// ```
pub fn text(at: &DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}
