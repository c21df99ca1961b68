//! Homes that one queue keeps in memory between its batches, as its last write will have left them. What is kept may be
//! stale: a write finds out, since it passes only at the version that was kept; what is not written is never answered
//! from here.

use quota_core::home::Home;
use quota_core::ids::AccountId;
use quota_core::reservation::{Reservation, ReservationState};

use crate::generations::Generations;

/// Batches for which nothing is kept after many homes turned out to be stale: another node works on them too.
const PAUSE_BATCHES: u32 = 64;

/// Accounts that are kept of one home; with more of them only its own stays, and they are read again as they ask.
const ACCOUNTS_MAX: usize = 2_048;

/// The homes of one queue.
pub(crate) struct KeptHomes {
    homes: Generations<Box<Home>>,
    pause: u32,
    outdated: usize,
}

impl KeptHomes {
    /// Keeps homes of up to about `accounts_max` accounts; none for 0.
    pub(crate) fn new(accounts_max: usize) -> Self {
        Self {
            homes: Generations::new(accounts_max),
            pause: 0,
            outdated: 0,
        }
    }

    /// Takes a home out, if it is kept.
    pub(crate) fn take(&mut self, id: &AccountId) -> Option<Box<Home>> {
        self.homes.take(id)
    }

    /// Keeps a home as it is written, or was.
    pub(crate) fn keep(&mut self, mut home: Box<Home>) {
        // A hold that is due and was not ended, since its home only replayed answers: it must be read again.
        let is_forgotten = |held: &Reservation| {
            let before = home.hold_before;
            held.state == ReservationState::Open
                && before.is_none_or(|before| held.expires_at < before)
        };
        let is_kept = !self.homes.is_off() && self.pause == 0 && home.version != 0;
        if !is_kept || home.reservations.values().any(is_forgotten) {
            return;
        }
        if home.accounts.len() > ACCOUNTS_MAX {
            home.accounts.retain(|id, _| *id == home.id);
        }
        home.reservations.clear();
        home.referred.clear();
        home.closed.clear();
        debug_assert_eq!(
            home.changes,
            quota_core::home::Changes::default(),
            "what is kept is written"
        );
        let weight = home.accounts.len();
        self.homes.insert(home.id.clone(), home, weight);
    }

    /// Forgets a home.
    pub(crate) fn forget(&mut self, id: &AccountId) {
        drop(self.homes.take(id));
    }

    /// Forgets all homes.
    pub(crate) fn clear(&mut self) {
        self.homes.clear();
    }

    /// So many homes had moved on when what was missing of them was read.
    pub(crate) fn outdated(&mut self, homes: usize) {
        self.outdated += homes;
    }

    /// Learns how a batch went: `stale` of `used` kept homes had moved on.
    pub(crate) fn learn(&mut self, used: usize, stale: usize) {
        let outdated = std::mem::take(&mut self.outdated);
        let (used, stale) = (used + outdated, stale + outdated);
        self.pause = self.pause.saturating_sub(1);
        if used != 0 && stale * 4 > used {
            self.pause = PAUSE_BATCHES;
            self.homes.clear();
        }
    }
}
