//! Random histories of use on demand, with processes that die in between (P21): in the end the sums are equal.

use quota_service::prelude::{AccountId, Commit, Decision, OperationRef, Release, Reserve};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use crate::stage::{DAY, HOUR, Kind, Process, Stage, units};
use crate::switch::Death;

const STEPS: u32 = 30;

struct History {
    stage: Stage,
    customer: String,
    chance: StdRng,
    process: Process,
    done: Vec<(OperationRef, u64)>,
    held: Vec<Decision>,
}

impl History {
    async fn begin(kind: Kind, seed: u64) -> Self {
        let stage = Stage::open(kind).await;
        Self {
            customer: stage.spent("ann").await,
            process: stage.process(),
            chance: StdRng::seed_from_u64(seed),
            stage,
            done: Vec::new(),
            held: Vec::new(),
        }
    }

    async fn step(&mut self, pause_max: i64) {
        match self.chance.random_range(0..9) {
            0..=2 => {
                let amount = self.chance.random_range(1..20);
                let done = self.stage.consume("ann", amount).await;
                self.done.push((done, amount));
            }
            3 if !self.done.is_empty() => {
                let place = self.chance.random_range(0..self.done.len());
                let (of, left) = &mut self.done[place];
                if *left != 0 {
                    let amount = self.chance.random_range(1..=*left);
                    *left -= amount;
                    let of = of.clone();
                    self.stage.refund(&of, amount).await;
                }
            }
            4 => {
                let asked = Reserve::of("requests", self.chance.random_range(1..9), 60);
                let held = self.stage.engine.reserve("user:ann", asked).await;
                self.held.push(held.expect("is held"));
            }
            5 if !self.held.is_empty() => {
                let held = self.held.swap_remove(0).reply().reference();
                let engine = &self.stage.engine;
                if self.chance.random() {
                    // Committed after its deadline it counts as late.
                    let actual = self.chance.random_range(1..12);
                    engine
                        .commit(Commit::of(&held, actual))
                        .await
                        .expect("is committed");
                } else {
                    drop(engine.release(Release::of(&held)).await);
                }
            }
            6 => self.stage.pass(self.chance.random_range(1..pause_max)),
            7 => {
                let call = self.process.switch.calls() + self.chance.random_range(1..25);
                let how = if self.chance.random() {
                    Death::Before
                } else {
                    Death::After
                };
                self.process.switch.die_at(call, how);
                if !self.process.work().await {
                    self.process = self.stage.process();
                }
            }
            _ => {
                if !self.process.work().await {
                    self.process = self.stage.process();
                }
            }
        }
    }
}

async fn histories(kind: Kind, cases: u64, pause_max: i64) {
    for seed in 0..cases {
        let mut history = History::begin(kind, seed).await;
        for _ in 0..STEPS {
            history.step(pause_max).await;
        }
        let stage = &history.stage;
        for _ in 0..3 {
            stage.pass(70);
            assert!(stage.process().work().await, "seed {seed}");
        }
        let sums = stage.sums("user:ann").await;
        let counted = stage.fake.metered(&history.customer);
        assert_eq!(counted, units(sums.told), "seed {seed}: {sums:?}");
        assert_eq!(
            sums.told,
            sums.owed() + sums.carried(),
            "seed {seed}: {sums:?}"
        );
        let ann = AccountId::parse("user:ann").expect("an id");
        let sales = stage.engine.sales(&ann).await;
        let booked: u64 = sales.expect("is read").iter().map(|sold| sold.used).sum();
        assert_eq!(sums.owed(), booked, "seed {seed}: {sums:?}");
        if pause_max < HOUR / 2 {
            // All of it was within a day: nothing is left to be netted.
            assert_eq!(
                (sums.carried(), counted),
                (0, units(booked)),
                "seed {seed}: {sums:?}"
            );
        }
        assert_eq!((sums.unknown, sums.too_old), (0, 0), "seed {seed}");
    }
}

fn cases(kind: Kind, in_memory: u64) -> u64 {
    let said = std::env::var("QUOTA_SEQUENCES").ok();
    let said: u64 = said.and_then(|said| said.parse().ok()).unwrap_or(250);
    let cases = match kind {
        Kind::Memory => in_memory,
        Kind::Sqlite => in_memory / 10,
        Kind::Postgres => in_memory / 50,
    };
    (cases * said / 250).max(2)
}

/// Within a day the provider counts just what is booked.
async fn what_is_counted_is_what_is_booked(kind: Kind) {
    histories(kind, cases(kind, 100), HOUR / 3).await;
}

/// Over days it counts what it was told, which is what is booked and what could not be taken back yet.
async fn over_days_what_is_counted_is_what_was_told(kind: Kind) {
    histories(kind, cases(kind, 100), DAY / 2).await;
}

crate::over_every_store! {
    what_is_counted_is_what_is_booked
    over_days_what_is_counted_is_what_was_told
}
