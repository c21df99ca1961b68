//! A bounded map by account that forgets what was not used for longest, roughly and without any bookkeeping.

use std::collections::HashMap;

use quota_core::ids::AccountId;

/// Two generations: when the younger is full it becomes the older, and what was the older goes.
pub(crate) struct Generations<V> {
    young: HashMap<AccountId, V>,
    old: HashMap<AccountId, V>,
    young_max: usize,
}

impl<V> Generations<V> {
    /// Keeps up to about `entries_max` entries; none for 0.
    pub(crate) fn new(entries_max: usize) -> Self {
        Self {
            young: HashMap::new(),
            old: HashMap::new(),
            young_max: entries_max.div_ceil(2),
        }
    }

    /// Whether nothing is ever kept.
    pub(crate) fn is_off(&self) -> bool {
        self.young_max == 0
    }

    /// Takes an entry out.
    pub(crate) fn take(&mut self, id: &AccountId) -> Option<V> {
        self.young.remove(id).or_else(|| self.old.remove(id))
    }

    /// Puts an entry in, in the place of an earlier one.
    pub(crate) fn insert(&mut self, id: AccountId, value: V) {
        if self.is_off() {
            return;
        }
        if self.young.len() >= self.young_max {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(id, value);
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.young.clear();
        self.old.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u32) -> AccountId {
        AccountId::parse(&format!("user:{number}")).expect("an id")
    }

    #[test]
    fn what_is_put_in_again_stays_and_what_is_not_goes() {
        let mut kept = Generations::new(4);
        kept.insert(id(1), 1);
        kept.insert(id(2), 2);
        kept.insert(id(3), 3);
        let again = kept.take(&id(1)).expect("is kept");
        kept.insert(id(1), again);
        kept.insert(id(4), 4);
        assert_eq!(kept.take(&id(2)), None);
        assert_eq!(kept.take(&id(1)), Some(1));
        assert_eq!(kept.take(&id(1)), None);
        assert_eq!(kept.take(&id(4)), Some(4));
    }

    #[test]
    fn nothing_is_kept_for_zero() {
        let mut kept = Generations::new(0);
        kept.insert(id(1), 1);
        assert_eq!(kept.take(&id(1)), None);
    }
}
