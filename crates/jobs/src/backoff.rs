//! How long to wait before trying again.

use std::time::Duration;

use crate::JobSettings;

/// Parts that the jitter is counted in.
const PARTS: u32 = 1 << 16;

/// The wait before a retry: it doubles with every one up to the longest, and is shortened by up to a half, so that
/// workers that failed together do not come back together. `random` is any number, such as a new id's.
pub(crate) fn wait_before(settings: &JobSettings, retry: u32, random: u128) -> Duration {
    let factor = 2_u32.saturating_pow(retry);
    let longest = settings.wait_first.saturating_mul(factor);
    let longest = longest.min(settings.wait_max);
    let part = u32::try_from(random % u128::from(PARTS)).unwrap_or(0);
    longest / 2 + (longest / 2 / PARTS).saturating_mul(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_stays_within_its_bounds_and_never_falls_below_half() {
        let settings = JobSettings::default();
        for retry in 0..40 {
            let whole = settings
                .wait_first
                .saturating_mul(2_u32.saturating_pow(retry));
            let whole = whole.min(settings.wait_max);
            for random in [0, 1, 40_000, u128::from(PARTS) - 1, u128::MAX] {
                let wait = wait_before(&settings, retry, random);
                assert!(
                    whole / 2 <= wait && wait <= whole,
                    "retry {retry}: {wait:?}"
                );
            }
        }
    }
}
