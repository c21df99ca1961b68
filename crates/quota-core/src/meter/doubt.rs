//! What became of an event of which nobody knows whether it arrived, by the sum of its minute.

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The provider counts it.
    Counted,
    /// The provider does not count it.
    NotCounted,
    /// The sum fits neither, or both.
    Unknown,
}

/// Most others in doubt within one minute that are told apart.
const OTHERS_MAX: usize = 10;

/// What became of `own` units, when the provider counts `theirs` in a minute in which `told` units are sure, and `others` are in doubt
/// beside it.
///
/// ```
/// use quota_core::meter::{Fate, fate};
///
/// assert_eq!(fate(12, 7, 5, &[]), Fate::Counted);
/// assert_eq!(fate(7, 7, 5, &[]), Fate::NotCounted);
/// assert_eq!(fate(10, 7, 5, &[3]), Fate::NotCounted);
/// assert_eq!(fate(12, 7, 5, &[5]), Fate::Unknown); // one of the two
/// assert_eq!(fate(9, 7, 5, &[]), Fate::Unknown);
/// ```
pub fn fate(theirs: u64, told: u64, own: u64, others: &[u64]) -> Fate {
    let Some(rest) = theirs.checked_sub(told) else {
        return Fate::Unknown;
    };
    if OTHERS_MAX < others.len() {
        return Fate::Unknown;
    }
    let with = rest.checked_sub(own).is_some_and(|rest| fits(rest, others));
    match (with, fits(rest, others)) {
        (true, false) => Fate::Counted,
        (false, true) => Fate::NotCounted,
        (true, true) | (false, false) => Fate::Unknown,
    }
}

/// Whether some of the units come to just that.
fn fits(sum: u64, units: &[u64]) -> bool {
    let Some((first, others)) = units.split_first() else {
        return sum == 0;
    };
    fits(sum, others)
        || sum
            .checked_sub(*first)
            .is_some_and(|rest| fits(rest, others))
}
