//! A database that is away, as requests find it: told to the log when it goes and when it answers again, not by each request.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long after it was told that the database is away this is not told again: one that comes and goes fills no log.
const TOLD_AGAIN_AFTER: Duration = Duration::from_secs(10);

/// Why an answer says that the database is away; goes with the response to where it is logged.
#[derive(Debug, Clone)]
pub(crate) struct Away(pub(crate) String);

#[derive(Debug, Default)]
struct Known {
    refused: u64,
    told_at: Option<Instant>,
    is_told: bool,
}

/// What requests found of the database.
#[derive(Debug, Default)]
pub(crate) struct Outage {
    is_away: AtomicBool,
    known: Mutex<Known>,
}

impl Outage {
    /// A request was refused because the database is away.
    pub(crate) fn refused(&self, cause: &str) {
        if self.begins(Instant::now()) {
            tracing::warn!(
                error = cause,
                "the database is away: requests are refused until it answers, which is told too"
            );
        }
    }

    /// A request was carried out that cannot be without the database.
    pub(crate) fn passed(&self) {
        if let Some(refused) = self.ends() {
            tracing::info!(refused, "the database answers again");
        }
    }

    /// Counts a refusal; whether it is to be told.
    fn begins(&self, now: Instant) -> bool {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.refused = known.refused.saturating_add(1);
        if self.is_away.swap(true, Ordering::Relaxed) {
            return false;
        }
        let told = known.told_at.map(|at| now.saturating_duration_since(at));
        known.is_told = told.is_none_or(|since| TOLD_AGAIN_AFTER <= since);
        if known.is_told {
            known.told_at = Some(now);
        }
        known.is_told
    }

    /// How many were refused, where that is to be told.
    fn ends(&self) -> Option<u64> {
        if !self.is_away.load(Ordering::Relaxed) {
            return None;
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.is_away.swap(false, Ordering::Relaxed) || !known.is_told {
            return None;
        }
        Some(std::mem::take(&mut known.refused))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_is_told_once_with_its_count_and_one_that_flickers_is_not_told_again() {
        let (outage, start) = (Outage::default(), Instant::now());
        assert_eq!(outage.ends(), None);
        let told: Vec<bool> = (0..3).map(|_| outage.begins(start)).collect();
        assert_eq!(told, [true, false, false]);
        assert_eq!((outage.ends(), outage.ends()), (Some(3), None));
        assert!(!outage.begins(start + Duration::from_secs(9)));
        assert_eq!(outage.ends(), None);
        assert!(outage.begins(start + Duration::from_secs(10)));
        assert_eq!(outage.ends(), Some(2), "with what was refused untold");
    }
}
