//! A wallet by the rules alone, small enough to be checked by eye (F5, P8 to P11, P22, R1 to R4, R6).

use chrono::{DateTime, TimeDelta, Utc};

/// What came back of a payment, or may: R, L and D of P9 and P11.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Back {
    pub refunded: u64,
    pub lost: u64,
    pub disputed: u64,
}

/// A pack that was bought, or credits that a code gave.
#[derive(Debug, Clone)]
pub struct Pack {
    /// C of P9.
    pub credits: u64,
    /// M of P9.
    pub money: u64,
    pub began_at: DateTime<Utc>,
    pub ends_at: Option<DateTime<Utc>>,
    pub back: Back,
    pub used: u64,
    pub held: u64,
    /// The bound of days that was told last; 0 for none.
    pub told_days: i64,
}

impl Pack {
    pub fn new(credits: u64, money: u64, began_at: DateTime<Utc>) -> Self {
        Self {
            credits,
            money,
            began_at,
            ends_at: None,
            back: Back::default(),
            used: 0,
            held: 0,
            told_days: 0,
        }
    }

    fn is_live(&self, now: DateTime<Utc>) -> bool {
        self.ends_at.is_none_or(|ends_at| now < ends_at)
    }

    fn part(&self, back: u64) -> u64 {
        let back = back.min(self.money);
        let part = u128::from(self.credits) * u128::from(back);
        let part = part.checked_div(u128::from(self.money)).unwrap_or(0);
        u64::try_from(part).expect("no more than the credits")
    }

    fn revoked(&self) -> u64 {
        self.part(self.back.refunded + self.back.lost)
    }

    fn frozen(&self) -> u64 {
        let claimed = self.part(self.back.refunded + self.back.lost + self.back.disputed);
        claimed - self.revoked()
    }

    fn worth(&self) -> u64 {
        self.credits - self.revoked()
    }

    fn idle(&self) -> u64 {
        let taken = self.used + self.held + self.frozen();
        self.worth().saturating_sub(taken)
    }

    fn short(&self) -> u64 {
        self.used.saturating_sub(self.worth())
    }

    /// What of a dispute is not spent yet.
    fn frozen_left(&self) -> u64 {
        let left = self.worth().saturating_sub(self.used + self.held);
        left.min(self.frozen())
    }
}

/// So many credits of the packs by their places.
pub type Draws = Vec<(usize, u64)>;

/// What is to be told of a pack: credits that can be spent, when they are lost, and the bound of days.
pub type Warning = (u64, DateTime<Utc>, i64);

/// All packs, in the order in which they were credited.
#[derive(Debug, Clone, Default)]
pub struct Wallet {
    pub packs: Vec<Pack>,
}

impl Wallet {
    /// Free, frozen, owed.
    pub fn sums(&self, now: DateTime<Utc>) -> (u64, u64, u64) {
        let live = || self.packs.iter().filter(|pack| pack.is_live(now));
        let (idle, owed): (u64, u64) = (live().map(Pack::idle).sum(), self.owed(now));
        let (free, debt) = (idle.saturating_sub(owed), owed.saturating_sub(idle));
        (free, live().map(Pack::frozen_left).sum(), debt)
    }

    /// What is used beyond the worth of packs, less what those that ended go on covering: use of packs that had begun by then.
    fn owed(&self, now: DateTime<Utc>) -> u64 {
        let mut shorts: Vec<(DateTime<Utc>, u64)> = Vec::new();
        shorts.extend(self.packs.iter().map(|pack| (pack.began_at, pack.short())));
        let ended = self.packs.iter().filter(|pack| !pack.is_live(now));
        let mut ended: Vec<_> = ended.map(|pack| (pack.ends_at, pack.idle())).collect();
        ended.sort_unstable();
        for (ended_at, mut left) in ended {
            for (began_at, short) in &mut shorts {
                let covers = if Some(*began_at) <= ended_at {
                    left.min(*short)
                } else {
                    0
                };
                (*short, left) = (*short - covers, left - covers);
            }
        }
        shorts.iter().map(|(_, short)| short).sum()
    }

    /// The packs that are live, the one that burns first first: the earliest end with none last, then the oldest.
    fn in_burn_order(&self, now: DateTime<Utc>) -> Vec<usize> {
        let places = 0..self.packs.len();
        let mut order: Vec<usize> = places.filter(|at| self.packs[*at].is_live(now)).collect();
        order.sort_by_key(|at| {
            let pack = &self.packs[*at];
            (
                pack.ends_at.unwrap_or(DateTime::<Utc>::MAX_UTC),
                pack.began_at,
            )
        });
        order
    }

    /// What can be spent of each pack, in burn order: those that burn first cover before they give.
    fn spendable(&self, now: DateTime<Utc>) -> Draws {
        let mut owed = self.owed(now);
        let order = self.in_burn_order(now).into_iter();
        let parts = order.map(|at| {
            let idle = self.packs[at].idle();
            let covers = idle.min(owed);
            owed -= covers;
            (at, idle - covers)
        });
        parts.collect()
    }

    /// What so many credits are drawn from; none where there are not so many.
    pub fn draws(&self, credits: u64, now: DateTime<Utc>) -> Option<Draws> {
        let mut left = credits;
        let mut draws = self.spendable(now);
        for (_, part) in &mut draws {
            *part = left.min(*part);
            left -= *part;
        }
        draws.retain(|(_, part)| *part != 0);
        (left == 0).then_some(draws)
    }

    /// What is told when it is looked which packs end within these days, each of them once for each bound (P22).
    pub fn warnings(&mut self, bounds: &[i64], now: DateTime<Utc>) -> Vec<Warning> {
        let mut told = Vec::new();
        for (at, credits) in self.spendable(now) {
            let pack = &mut self.packs[at];
            let Some(ends_at) = pack.ends_at.filter(|_| credits != 0) else {
                continue;
            };
            let within = bounds
                .iter()
                .filter(|days| ends_at - now <= TimeDelta::days(**days));
            let Some(days) = within.min() else {
                continue;
            };
            if pack.told_days == 0 || *days < pack.told_days {
                pack.told_days = *days;
                told.push((credits, ends_at, *days));
            }
        }
        told
    }

    pub fn spend(&mut self, draws: &Draws) {
        for (place, credits) in draws {
            self.packs[*place].used += credits;
        }
    }

    pub fn hold(&mut self, draws: &Draws) {
        for (place, credits) in draws {
            self.packs[*place].held += credits;
        }
    }

    pub fn give_back(&mut self, draws: &Draws) {
        for (place, credits) in draws {
            self.packs[*place].held -= credits;
        }
    }
}

/// E15 to E27, as the book has them.
#[test]
fn the_model_is_the_book() {
    let now = DateTime::<Utc>::UNIX_EPOCH;
    let pack = |credits, money, used, held| Pack {
        used,
        held,
        ..Pack::new(credits, money, now)
    };
    let after = |mut pack: Pack, refunded, lost, disputed| {
        pack.back = Back {
            refunded,
            lost,
            disputed,
        };
        let (free, _, owed) = Wallet { packs: vec![pack] }.sums(now);
        (free, owed)
    };
    let e15 = || pack(100, 1_000, 30, 0);
    assert_eq!(after(e15(), 250, 0, 0), (45, 0));
    assert_eq!(after(e15(), 500, 0, 0), (20, 0));
    assert_eq!(after(e15(), 1_000, 0, 0), (0, 30));
    let e20 = |refunded| after(pack(10, 999, 0, 0), refunded, 0, 0).0;
    assert_eq!([e20(333), e20(666), e20(999)], [7, 4, 0]);
    let e21 = || pack(100, 1_000, 40, 0);
    assert_eq!(after(e21(), 0, 0, 1_000), (0, 0));
    assert_eq!(after(e21(), 0, 0, 0), (60, 0));
    assert_eq!(after(e21(), 0, 1_000, 0), (0, 40));
    let e22 = || pack(100, 1_000, 10, 0);
    assert_eq!(after(e22(), 400, 0, 600), (0, 0));
    assert_eq!(after(e22(), 400, 0, 0), (50, 0));
    assert_eq!(after(e22(), 400, 600, 0), (0, 10));
    assert_eq!(after(pack(100, 1_000, 20, 30), 1_000, 0, 0), (0, 20));
    assert_eq!(after(pack(100, 1_000, 50, 0), 1_000, 0, 0), (0, 50));
    assert_eq!(after(pack(100, 0, 0, 0), 0, 0, 0), (100, 0));
    assert_eq!(after(pack(30, 1_190, 0, 0), 595, 0, 0), (15, 0));
    let mut e24 = Wallet {
        packs: vec![pack(100, 1_000, 80, 0), pack(50, 500, 0, 0)],
    };
    e24.packs[0].back.refunded = 1_000;
    assert_eq!(e24.sums(now), (0, 0, 30));
    // A pack that ends goes on covering what it covered (P10), and one that began later covers nothing of it when it has ended.
    e24.packs[1].ends_at = Some(now + TimeDelta::days(1));
    let late = Pack::new(20, 200, now + TimeDelta::days(2));
    e24.packs.push(late);
    assert_eq!(e24.sums(now + TimeDelta::days(2)), (0, 0, 10));
    e24.packs[2].began_at = now - TimeDelta::days(3);
    e24.packs[2].ends_at = Some(now - TimeDelta::days(1));
    assert_eq!(e24.sums(now + TimeDelta::days(2)), (0, 0, 30));
}
