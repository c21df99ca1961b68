//! How far back the history is read.

/// Newest runs among which the last one that was not narrowed down is looked for.
pub(crate) const RUNS_LOOKED_AT: u32 = 50;
