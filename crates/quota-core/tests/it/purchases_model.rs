//! A small model of bought credits, written from P8 to P11 and F5 alone; and three that are wrong, to see that they are caught.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

/// One grant of the model.
#[derive(Debug, Clone)]
pub struct Pack {
    pub credits: u64,
    pub money: u64,
    pub priority: u32,
    pub begins: DateTime<Utc>,
    pub ends: Option<DateTime<Utc>>,
    pub used: u64,
    pub held: u64,
    /// Refunded, lost, disputed.
    pub facts: [u64; 3],
}

/// What facts are made of the credits: right, or wrong in one of the ways that others were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// A target of the sums.
    Target,
    /// Each fact is subtracted as it is told, and none is told twice.
    ByEvent,
    /// Each fact is subtracted as it is told, however often.
    Repeated,
    /// What others cover is booked once, when a fact is told.
    BookedCover,
}

/// What was drawn at a time: from which pack how much.
pub type Draws = Vec<(usize, u64)>;

/// A wallet with all that it ever had.
#[derive(Debug, Clone, Default)]
pub struct Model {
    pub packs: Vec<Pack>,
}

impl Pack {
    fn claimed(&self, back: u64) -> u64 {
        let back = u128::from(back.min(self.money));
        let part = (u128::from(self.credits) * back).checked_div(self.money.into());
        u64::try_from(part.unwrap_or(0)).expect("no more than the credits")
    }

    fn worth(&self) -> u64 {
        self.credits - self.claimed(self.facts[0] + self.facts[1])
    }

    fn idle(&self) -> u64 {
        let left = self.credits - self.claimed(self.facts.iter().sum());
        left.saturating_sub(self.used + self.held)
    }

    fn short(&self) -> u64 {
        self.used.saturating_sub(self.worth())
    }

    fn frozen(&self) -> u64 {
        let left = self.worth().saturating_sub(self.used + self.held);
        left - self.idle()
    }

    fn has_ended(&self, now: DateTime<Utc>) -> bool {
        self.ends.is_some_and(|ends| ends <= now)
    }
}

impl Model {
    /// Free, debt, frozen.
    pub fn standing(&self, now: DateTime<Utc>) -> (u64, u64, u64) {
        let live = || self.packs.iter().filter(|pack| !pack.has_ended(now));
        let (idle, owed): (u64, u64) = (live().map(Pack::idle).sum(), self.owed(now));
        let frozen = live().map(Pack::frozen).sum();
        (idle.saturating_sub(owed), owed.saturating_sub(idle), frozen)
    }

    /// What live packs have to cover.
    fn owed(&self, now: DateTime<Utc>) -> u64 {
        let mut shorts: Vec<(DateTime<Utc>, u64)> = Vec::new();
        shorts.extend(self.packs.iter().map(|pack| (pack.begins, pack.short())));
        let mut ended: BTreeMap<(DateTime<Utc>, usize), u64> = BTreeMap::new();
        for (at, pack) in self.packs.iter().enumerate() {
            if let Some(ends) = pack.ends.filter(|ends| *ends <= now) {
                ended.insert((ends, at), pack.idle());
            }
        }
        for ((ends, _), mut left) in ended {
            for (begins, short) in &mut shorts {
                let part = if *begins <= ends { left.min(*short) } else { 0 };
                (*short, left) = (*short - part, left - part);
            }
        }
        shorts.iter().map(|(_, short)| short).sum()
    }

    /// Draws credits in burn order, behind what covers; none when there are not enough.
    pub fn draw(&self, credits: u64, now: DateTime<Utc>) -> Option<Draws> {
        let mut order: Vec<usize> = (0..self.packs.len()).collect();
        order.retain(|at| !self.packs[*at].has_ended(now));
        let far = now + TimeDelta::days(10_000);
        order.sort_by_key(|at| {
            let pack = &self.packs[*at];
            (pack.priority, pack.ends.unwrap_or(far), pack.begins, *at)
        });
        let (mut owed, mut missing, mut draws) = (self.owed(now), credits, Vec::new());
        for at in order {
            let idle = self.packs[at].idle();
            let covers = idle.min(owed);
            owed -= covers;
            let part = (idle - covers).min(missing);
            missing -= part;
            draws.push((at, part));
        }
        (missing == 0).then_some(draws)
    }

    /// Tells a fact in one of the ways.
    pub fn tell(&mut self, at: usize, facts: [u64; 3], way: Way, now: DateTime<Utc>) {
        match way {
            Way::Target => self.packs[at].facts = facts,
            Way::ByEvent => {
                let known = self.packs[at].facts;
                let more = [0, 1, 2].map(|one| known[one].max(facts[one]));
                self.packs[at].facts = more;
            }
            Way::Repeated => {
                let known = self.packs[at].facts;
                self.packs[at].facts = [0, 1, 2].map(|one| known[one] + facts[one]);
            }
            Way::BookedCover => {
                self.packs[at].facts = facts;
                let short = self.packs[at].short();
                let mut moved = 0;
                for other in (0..self.packs.len()).filter(|other| *other != at) {
                    let pack = &mut self.packs[other];
                    if !pack.has_ended(now) {
                        let part = pack.idle().min(short - moved);
                        pack.used += part;
                        moved += part;
                    }
                }
                self.packs[at].used -= moved;
            }
        }
    }
}
