//! A wallet by the rules alone, small enough to be checked by eye (F5, P8 to P11, R1 to R4, R6).

/// What came back of a payment, or may: R, L and D of P9 and P11.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Back {
    pub refunded: u64,
    pub lost: u64,
    pub disputed: u64,
}

/// A pack that was bought.
#[derive(Debug, Clone)]
pub struct Pack {
    /// C of P9.
    pub credits: u64,
    /// M of P9.
    pub money: u64,
    pub back: Back,
    pub used: u64,
    pub held: u64,
}

impl Pack {
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

/// All packs, in the order in which they were credited: the oldest burns first.
#[derive(Debug, Clone, Default)]
pub struct Wallet {
    pub packs: Vec<Pack>,
}

impl Wallet {
    /// Free, frozen, owed.
    pub fn sums(&self) -> (u64, u64, u64) {
        let sum = |of: fn(&Pack) -> u64| self.packs.iter().map(of).sum::<u64>();
        let (idle, short) = (sum(Pack::idle), sum(Pack::short));
        let (free, owed) = (idle.saturating_sub(short), short.saturating_sub(idle));
        (free, sum(Pack::frozen_left), owed)
    }

    /// What so many credits are drawn from; none where there are not so many. What covers use beyond a pack's worth is not drawn.
    pub fn draws(&self, credits: u64) -> Option<Draws> {
        let (free, ..) = self.sums();
        if free < credits {
            return None;
        }
        let mut owed: u64 = self.packs.iter().map(Pack::short).sum();
        let (mut left, mut draws) = (credits, Draws::new());
        for (place, pack) in self.packs.iter().enumerate() {
            let covers = pack.idle().min(owed);
            owed -= covers;
            let part = (pack.idle() - covers).min(left);
            left -= part;
            if part != 0 {
                draws.push((place, part));
            }
        }
        assert_eq!(left, 0, "what is free can be drawn");
        Some(draws)
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
    let pack = |credits, money, used, held| Pack {
        credits,
        money,
        back: Back::default(),
        used,
        held,
    };
    let after = |mut pack: Pack, refunded, lost, disputed| {
        pack.back = Back {
            refunded,
            lost,
            disputed,
        };
        let (free, _, owed) = Wallet { packs: vec![pack] }.sums();
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
    assert_eq!(e24.sums(), (0, 0, 30));
}
