//! Keys under which a write has one effect however often it is sent.

use sha2::{Digest, Sha256};
use thiserror::Error;

/// As long as Stripe takes.
const KEY_LENGTH_MAX: usize = 255;

/// Why a text is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("an idempotency key has 1 to {KEY_LENGTH_MAX} visible ASCII characters")]
pub struct KeyError;

/// What makes a write happen once: the same key is the same write. Stripe forgets keys after at least a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// A key.
    ///
    /// # Errors
    /// [`KeyError`] when Stripe would not take it.
    pub fn new(key: impl Into<String>) -> Result<Self, KeyError> {
        let key = key.into();
        let fits = !key.is_empty() && key.len() <= KEY_LENGTH_MAX;
        let is_plain = key.bytes().all(|byte| byte.is_ascii_graphic());
        (fits && is_plain).then_some(Self(key)).ok_or(KeyError)
    }

    /// The key of a step of what the caller names by `key`; with no step that itself. What a header cannot carry, or what is too long, is
    /// carried as its digest: still the same for the same.
    pub(crate) fn of(key: &str, step: &str) -> Self {
        let whole = if step.is_empty() {
            key.to_owned()
        } else {
            format!("{key}:{step}")
        };
        Self::new(whole.as_str()).unwrap_or_else(|_| Self(hex::encode(Sha256::digest(&whole))))
    }

    /// The key as it is sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_what_a_header_can_carry() {
        assert!(IdempotencyKey::new("checkout:org:acme:1").is_ok());
        assert!(IdempotencyKey::new("k".repeat(255)).is_ok());
        for wrong in ["", "a b", "ä", "a\n", &"k".repeat(256)] {
            assert_eq!(IdempotencyKey::new(wrong), Err(KeyError), "{wrong:?}");
        }
    }

    #[test]
    fn a_step_has_a_key_of_its_own_whatever_the_caller_named_it_by() {
        assert_eq!(IdempotencyKey::of("k", "").as_str(), "k");
        assert_eq!(IdempotencyKey::of("k", "release").as_str(), "k:release");
        let long = "ä".repeat(255);
        let (first, second) = (
            IdempotencyKey::of(&long, "a"),
            IdempotencyKey::of(&long, "b"),
        );
        assert_eq!((first.as_str().len(), first == second), (64, false));
        assert_eq!(first, IdempotencyKey::of(&long, "a"));
    }
}
