//! What is left out of stored JSON: a member that has its default, so that a row from before it was added reads alike.

pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// The default of a number of which there is at least one: a unit's cost, a scale.
pub(crate) fn one() -> u64 {
    1
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
pub(crate) fn is_one(value: &u64) -> bool {
    *value == 1
}
