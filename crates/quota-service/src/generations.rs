//! A bounded map by account that forgets what was not used for longest, roughly and without any bookkeeping.

use std::collections::HashMap;

use quota_core::ids::AccountId;

/// Two generations: when the younger is full it becomes the older, and what was the older goes. An entry counts by its
/// weight.
pub(crate) struct Generations<V> {
    young: HashMap<AccountId, (usize, V)>,
    old: HashMap<AccountId, (usize, V)>,
    young_weight: usize,
    young_max: usize,
}

impl<V> Generations<V> {
    /// Keeps up to about so much weight; nothing for 0.
    pub(crate) fn new(weight_max: usize) -> Self {
        Self {
            young: HashMap::new(),
            old: HashMap::new(),
            young_weight: 0,
            young_max: weight_max.div_ceil(2),
        }
    }

    /// Whether nothing is ever kept.
    pub(crate) fn is_off(&self) -> bool {
        self.young_max == 0
    }

    /// Takes an entry out.
    pub(crate) fn take(&mut self, id: &AccountId) -> Option<V> {
        if let Some((weight, value)) = self.young.remove(id) {
            self.young_weight -= weight;
            return Some(value);
        }
        self.old.remove(id).map(|(_, value)| value)
    }

    /// Puts an entry in, in the place of an earlier one.
    pub(crate) fn insert(&mut self, id: AccountId, value: V, weight: usize) {
        if self.is_off() {
            return;
        }
        drop(self.take(&id));
        if self.young_weight >= self.young_max {
            self.old = std::mem::take(&mut self.young);
            self.young_weight = 0;
        }
        self.young_weight += weight;
        self.young.insert(id, (weight, value));
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.young.clear();
        self.old.clear();
        self.young_weight = 0;
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
        kept.insert(id(1), 1, 1);
        kept.insert(id(2), 2, 1);
        kept.insert(id(3), 3, 1);
        let again = kept.take(&id(1)).expect("is kept");
        kept.insert(id(1), again, 1);
        kept.insert(id(4), 4, 1);
        assert_eq!(kept.take(&id(2)), None);
        assert_eq!(kept.take(&id(1)), Some(1));
        assert_eq!(kept.take(&id(1)), None);
        assert_eq!(kept.take(&id(4)), Some(4));
    }

    #[test]
    fn what_weighs_much_leaves_room_for_little() {
        let mut kept = Generations::new(10);
        kept.insert(id(1), 1, 7);
        kept.insert(id(2), 2, 1);
        kept.insert(id(3), 3, 7);
        assert_eq!(kept.take(&id(1)), Some(1));
        kept.insert(id(4), 4, 1);
        assert_eq!(kept.take(&id(2)), Some(2));
        assert_eq!(kept.take(&id(3)), Some(3));
    }

    #[test]
    fn nothing_is_kept_for_zero() {
        let mut kept = Generations::new(0);
        kept.insert(id(1), 1, 1);
        assert_eq!(kept.take(&id(1)), None);
    }
}
