//! A value that a field cannot have.

/// A value that a field cannot have, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` {why}")]
pub struct InvalidField {
    /// The field, as it is called in JSON.
    pub field: &'static str,
    /// What is wrong, in words that can be shown to the caller.
    pub why: String,
}
