//! When a fetch begins: of two, the one that began last is believed (P6).

use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Utc};

/// The beginnings that this process has given out: each is later than the one before, also while a clock stands or steps back.
#[derive(Debug, Default)]
pub(super) struct Beginnings {
    last_micros: AtomicI64,
}

impl Beginnings {
    /// The beginning of a fetch at `now`, later than `after`.
    pub(super) fn next(&self, now: DateTime<Utc>, after: Option<DateTime<Utc>>) -> DateTime<Utc> {
        let after = after.map_or(i64::MIN, |after| after.timestamp_micros());
        let now = now.timestamp_micros().max(after.saturating_add(1));
        let next = |last: i64| Some(now.max(last.saturating_add(1)));
        let last = self
            .last_micros
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
        let last = last.unwrap_or_else(|last| last);
        let begins = now.max(last.saturating_add(1));
        DateTime::from_timestamp_micros(begins).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_beginning_is_later_than_those_before() {
        let beginnings = Beginnings::default();
        let at = |micros| DateTime::from_timestamp_micros(micros).unwrap_or_default();
        assert_eq!(beginnings.next(at(10), None), at(10));
        assert_eq!(beginnings.next(at(10), None), at(11));
        assert_eq!(beginnings.next(at(5), None), at(12));
        assert_eq!(beginnings.next(at(5), Some(at(20))), at(21));
        assert_eq!(beginnings.next(at(40), Some(at(20))), at(40));
    }
}
