//! Amounts as changes of balances, up and down.

/// Counters stay below [`COUNT_MAX`](crate::amount::COUNT_MAX), so their changes fit a signed number.
pub(crate) fn signed(amount: u64) -> i64 {
    i64::try_from(amount).unwrap_or(i64::MAX)
}

/// A change by so much down.
pub(crate) fn negated(amount: u64) -> i64 {
    signed(amount).saturating_neg()
}
