//! Occupancy: which of a capacity's units are still there, of those that an account drew one after the other.

use serde::{Deserialize, Serialize};

use crate::absent::is_default;

/// Refunds in the middle that are remembered; of more, the earliest counts as released.
const GAPS_MAX: usize = 8;

/// The units of one capacity that an account drew, numbered in the order of drawing. A release names no consumption: it is taken
/// to be of those that were drawn first. So a refund knows which of its units were released before (X3, X4). The short names
/// are those of the stored books.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Occupancy {
    /// How many were drawn; the number of the next.
    #[serde(rename = "d")]
    pub drawn: u64,
    /// Those with a lower number are there no more.
    #[serde(rename = "r", default, skip_serializing_if = "is_default")]
    pub released: u64,
    /// What was refunded between these and the last: first number, and the number after the last.
    #[serde(rename = "g", default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<(u64, u64)>,
}

impl Occupancy {
    /// Numbers new units; gives the number of the first.
    pub(crate) fn draw(&mut self, units: u64) -> u64 {
        let first = self.drawn;
        self.drawn = self.drawn.saturating_add(units);
        first
    }

    /// How many are there.
    pub(crate) fn left(&self) -> u64 {
        let refunded = self
            .gaps
            .iter()
            .map(|(first, end)| end.saturating_sub(*first));
        let gone = refunded.fold(self.released, u64::saturating_add);
        self.drawn.saturating_sub(gone)
    }

    /// Releases what was drawn first, until at most `units` are left.
    pub(crate) fn keep(&mut self, units: u64) {
        let mut extra = self.left().saturating_sub(units);
        while extra != 0 {
            let next_gap = self.gaps.first().map_or(self.drawn, |(first, _)| *first);
            let step = extra.min(next_gap.saturating_sub(self.released));
            self.released = self.released.saturating_add(step);
            extra = extra.saturating_sub(step);
            self.pass_gaps();
        }
    }

    /// How many of these units are there: `units` from the number `first` on, of which none was refunded.
    pub(crate) fn left_of(&self, first: u64, units: u64) -> u64 {
        let end = first.saturating_add(units);
        end.saturating_sub(first.max(self.released))
    }

    /// Takes refunded units out: `units` from the number `first` on.
    pub(crate) fn refund(&mut self, first: u64, units: u64) {
        let end = first.saturating_add(units);
        debug_assert!(
            units == 0 || end <= self.drawn,
            "what is refunded was drawn"
        );
        let first = first.max(self.released);
        if end <= first {
            return;
        }
        if end == self.drawn {
            self.drawn = first;
            self.drop_last_gaps();
            return;
        }
        self.gaps.push((first, end));
        self.gaps.sort_unstable();
        self.gaps.dedup_by(|next, before| {
            let touches = before.1 == next.0;
            if touches {
                before.1 = next.1;
            }
            touches
        });
        self.pass_gaps();
        if GAPS_MAX < self.gaps.len() {
            let (first, end) = self.gaps.remove(0);
            self.keep(self.left().saturating_sub(end.saturating_sub(first)));
        }
    }

    /// Whether what was refunded lies in order between the released units and the last one, as these functions leave it.
    pub(crate) fn is_sound(&self) -> bool {
        let mut before = self.released;
        let mut gaps = self.gaps.iter();
        let is_ordered = gaps.all(|(first, end)| {
            let is_behind = before < *first && first < end;
            before = *end;
            is_behind
        });
        let is_last = before < self.drawn || (self.gaps.is_empty() && before == self.drawn);
        is_ordered && is_last && self.gaps.len() <= GAPS_MAX
    }

    /// What was refunded just after the released units is gone with them.
    fn pass_gaps(&mut self) {
        while let Some((first, end)) = self.gaps.first().copied()
            && first <= self.released
        {
            self.released = end;
            self.gaps.remove(0);
        }
    }

    /// What was refunded just before the end was never drawn, for all that follows.
    fn drop_last_gaps(&mut self) {
        while let Some((first, end)) = self.gaps.last().copied()
            && end == self.drawn
        {
            self.drawn = first;
            self.gaps.pop();
        }
    }
}
