//! What kind of mistake a rejection is.

/// What kind of mistake a `Rejection` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RejectionClass {
    /// Something that is named does not exist.
    NotFound,
    /// It does not fit the state that there is.
    Conflict,
    /// A value can never be right.
    Invalid,
}
