//! The units of one capacity, numbered anew while a ledger is read (X3, X4).

use crate::occupancy::Occupancy;

/// How much is known of the numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// Nothing, until something is drawn.
    Nothing,
    /// Which number is the next.
    Next,
    /// All of them.
    All,
}

/// The numbers of one capacity's units, as far as the ledger says them.
#[derive(Debug)]
pub(super) struct Replay {
    occupancy: Occupancy,
    known: Known,
}

impl Replay {
    /// Nothing was drawn yet, or nothing is known of it.
    pub(super) fn new(known: Known) -> Self {
        Self {
            occupancy: Occupancy::default(),
            known,
        }
    }

    /// A unit is drawn that has this number: it is the next, where that was not known.
    pub(super) fn begin(&mut self, first: u64) {
        if self.known == Known::Nothing {
            self.occupancy.drawn = first;
            self.known = Known::Next;
        }
    }

    /// The number of the next unit.
    pub(super) fn next_number(&self) -> u64 {
        self.occupancy.drawn
    }

    /// Notes what was released since the last draw, by what is counted now; where nothing is, all was.
    pub(super) fn keep(&mut self, counted: Option<u64>) {
        match (self.known, counted) {
            (Known::All, Some(units)) => self.occupancy.keep(units),
            (Known::Next, Some(0)) => {
                let drawn = self.occupancy.drawn;
                self.occupancy = Occupancy {
                    drawn,
                    released: drawn,
                    gaps: Vec::new(),
                };
                self.known = Known::All;
            }
            (Known::All, None) => self.known = Known::Next,
            (Known::Next, Some(_) | None) | (Known::Nothing, _) => {}
        }
    }

    /// Draws units; whether theirs are the next numbers. If not, what the ledger says is gone on with.
    pub(super) fn draw(&mut self, first: u64, units: u64) -> bool {
        let is_next = self.occupancy.drawn == first;
        if !is_next {
            self.occupancy.drawn = first;
            self.known = Known::Next;
        }
        self.occupancy.draw(units);
        is_next
    }

    /// Takes refunded units out: `units` from the number `first` on. Of the last ones it depends on what was released which number is the
    /// next.
    pub(super) fn refund(&mut self, first: u64, units: u64) {
        let is_last = self.occupancy.drawn <= first.saturating_add(units);
        match (self.known, is_last) {
            (Known::All, _) => self.occupancy.refund(first, units),
            (Known::Next, true) => self.known = Known::Nothing,
            (Known::Next, false) | (Known::Nothing, _) => {}
        }
    }

    /// Some units were taken out, and it is not known which.
    pub(super) fn forget(&mut self) {
        self.known = Known::Nothing;
    }

    /// Whether these numbers may be kept where the ledger says this.
    pub(super) fn agrees_with(&self, kept: &Occupancy) -> bool {
        match self.known {
            Known::All => self.occupancy == *kept,
            Known::Next => self.occupancy.drawn == kept.drawn,
            Known::Nothing => true,
        }
    }
}
