//! Spans of time in settings: `500ms`, `5s`, `10m`, `72h`, `35d`.

use std::time::Duration;

/// Longest span that a setting may have.
const DAYS_MAX: u64 = 3_660;

/// Reads a span of time, above zero.
///
/// # Errors
/// Says how a span is written.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let span = parse_duration_or_zero(text)?;
    if span.is_zero() {
        return Err("must be longer than that, such as 500ms, 5s, 10m, 72h or 35d".to_owned());
    }
    Ok(span)
}

/// Reads a span of time, which may be `0s`.
///
/// # Errors
/// Says how a span is written.
pub fn parse_duration_or_zero(text: &str) -> Result<Duration, String> {
    let wrong = || {
        format!(
            "use a whole number and a unit, such as 500ms, 5s, 10m, 72h or 35d; at most {DAYS_MAX}d"
        )
    };
    let split = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
    let (number, unit) = text.split_at(split);
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let millis = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(wrong()),
    };
    let span = number.checked_mul(millis).map(Duration::from_millis);
    let most = Duration::from_secs(DAYS_MAX * 86_400);
    span.filter(|span| *span <= most).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_a_number_and_a_unit() {
        assert_eq!(parse_duration("72h"), Ok(Duration::from_hours(72)));
        assert_eq!(parse_duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(parse_duration_or_zero("0s"), Ok(Duration::ZERO));
        for wrong in [
            "",
            "5",
            "s",
            "0s",
            "-1s",
            "1.5h",
            "5 s",
            "99999d",
            "99999999999999999999s",
        ] {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
    }
}
