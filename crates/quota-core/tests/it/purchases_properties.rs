//! Bought credits over whole histories, beside a model (P6, P9 to P11).

use crate::bought::{purchase, told};
use crate::purchases_model::{Draws, Model, Pack, Way};
use crate::stage::{Stage, commit, consume, id, refund, reserve};
use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use quota_core::audit::audit;
use quota_core::command::{CloseWindows, Command, Release};
use quota_core::rules::wallet::{Wallet, standings};
use uuid::Uuid;

/// Credits that a unit of `renders` costs.
const COST: u64 = 2;

#[derive(Debug, Clone)]
enum Step {
    Buy {
        credits: u64,
        money: u64,
        priority: u32,
        days: Option<i64>,
    },
    Spend(u64),
    Hold(u64),
    /// A hold is settled for a part of what it holds, in thirds; or released.
    Settle(usize, Option<u64>),
    /// What was spent is given back (X3).
    GiveBack(usize),
    Tell(usize, [u64; 3]),
    Later(i64),
    Close,
}

fn a_buy() -> impl Strategy<Value = Step> {
    let days = prop::option::of(1_i64..20);
    (1_u64..60, 0_u64..1_000, 0_u32..2, days).prop_map(|(credits, money, priority, days)| {
        Step::Buy {
            credits,
            money,
            priority,
            days,
        }
    })
}

/// Facts as they come: sums up to a little more than was paid.
fn sums() -> impl Strategy<Value = [u64; 3]> {
    let sum = || prop_oneof![Just(0), 0_u64..400, Just(1_000)];
    [sum(), sum(), sum()]
}

/// What does not ask for credits: the same whatever was told before.
fn an_after() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0_usize..4, prop::option::of(0_u64..=3)).prop_map(|(at, thirds)| Step::Settle(at, thirds)),
        (0_usize..6).prop_map(Step::GiveBack),
        (1_i64..8).prop_map(Step::Later),
        Just(Step::Close),
    ]
}

fn a_use() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (1_u64..20).prop_map(Step::Spend),
        1 => (1_u64..20).prop_map(Step::Hold),
    ]
}

fn a_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => a_buy(),
        3 => a_use(),
        3 => (0_usize..6, sums()).prop_map(|(at, sums)| Step::Tell(at, sums)),
        3 => an_after(),
    ]
}

/// A stage and the model beside it.
struct Beside {
    stage: Stage,
    model: Model,
    way: Way,
    spent: Vec<Option<(Uuid, Draws)>>,
    held: Vec<Option<(Uuid, u64, Draws)>>,
    bought: usize,
}

impl Beside {
    fn new(way: Way) -> Self {
        Self {
            stage: Stage::user(""),
            model: Model::default(),
            way,
            spent: Vec::new(),
            held: Vec::new(),
            bought: 0,
        }
    }

    fn now(&self) -> DateTime<Utc> {
        self.stage.now
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Buy {
                credits,
                money,
                priority,
                days,
            } => self.buy((credits, money), priority, days),
            Step::Spend(units) => self.spend(units),
            Step::Hold(units) => self.hold(units),
            Step::Settle(at, thirds) => self.settle(at, thirds),
            Step::GiveBack(at) => self.give_back(at),
            Step::Tell(at, sums) if at < self.bought => {
                self.stage.later(TimeDelta::seconds(1));
                self.tell(at, sums, self.now());
            }
            Step::Tell(..) => {}
            Step::Later(days) => self.stage.later(TimeDelta::days(days)),
            Step::Close => {
                let close = Command::CloseWindows(CloseWindows::default());
                self.stage.run("user:a", close).expect("it fits");
            }
        }
    }

    fn buy(&mut self, (credits, money): (u64, u64), priority: u32, days: Option<i64>) {
        // No two begin at once: their order is that in which they were bought.
        self.stage.later(TimeDelta::seconds(1));
        let ends = days.map(|days| self.now() + TimeDelta::days(days));
        let mut asked = purchase(&format!("p{}", self.bought), credits, money, self.now());
        (asked.priority, asked.expires_at) = (priority, ends);
        self.stage.done("user:a", Command::CreditPurchase(asked));
        self.bought += 1;
        self.model.packs.push(Pack {
            credits,
            money,
            priority,
            begins: self.now(),
            ends,
            used: 0,
            held: 0,
            facts: [0; 3],
        });
    }

    fn spend(&mut self, units: u64) {
        let outcome = self.stage.run("user:a", consume("renders", units));
        let operation = outcome.expect("it fits").operation;
        let drawn = self.model.draw(units * COST, self.now());
        if self.way == Way::Target {
            assert_eq!(operation.answer.is_allowed(), drawn.is_some(), "{units}");
        }
        if let (true, Some(draws)) = (operation.answer.is_allowed(), drawn) {
            for (at, credits) in &draws {
                self.model.packs[*at].used += credits;
            }
            self.spent.push(Some((operation.id, draws)));
        }
    }

    fn hold(&mut self, units: u64) {
        let asked = reserve("renders", units, 2_592_000);
        let operation = self.stage.run("user:a", asked).expect("it fits").operation;
        let drawn = self.model.draw(units * COST, self.now());
        if let (true, Some(draws)) = (operation.answer.is_allowed(), drawn) {
            for (at, credits) in &draws {
                self.model.packs[*at].held += credits;
            }
            self.held.push(Some((operation.id, units, draws)));
        }
    }

    fn settle(&mut self, at: usize, thirds: Option<u64>) {
        let Some((held, units, draws)) = self.held.get_mut(at).and_then(Option::take) else {
            return;
        };
        let actual = thirds.map_or(0, |thirds| units * thirds / 3);
        let command = match thirds {
            Some(_) => commit(held, actual),
            None => Command::Release(Release { reservation: held }),
        };
        // Its time may be over: then it is spent as if it had not been held, and the model knows nothing of it.
        self.stage.done("user:a", command);
        let mut left = actual * COST;
        for (at, credits) in draws {
            let spent = left.min(credits);
            left -= spent;
            self.model.packs[at].held -= credits;
            self.model.packs[at].used += spent;
        }
    }

    fn give_back(&mut self, at: usize) {
        let Some((spent, draws)) = self.spent.get_mut(at).and_then(Option::take) else {
            return;
        };
        self.stage.done("user:a", refund(spent, None));
        for (at, credits) in draws {
            let used = &mut self.model.packs[at].used;
            *used = used.saturating_sub(credits);
        }
    }

    fn tell(&mut self, at: usize, sums: [u64; 3], fetched_at: DateTime<Utc>) {
        let command = told(&format!("p{at}"), sums, fetched_at);
        self.stage.run("user:a", command).expect("it fits");
        self.model.tell(at, sums, self.way, self.stage.now);
    }

    fn wallet(&self) -> (u64, u64, u64) {
        let Wallet {
            free, debt, frozen, ..
        } = self.stage.wallet();
        (free, debt, frozen)
    }

    fn is_alike(&self) -> bool {
        self.wallet() == self.model.standing(self.now())
    }

    /// What covers and what is short: nothing covers twice, and nothing covers what is not short.
    fn check_cover(&self) {
        let books = &self.stage.home.accounts[&id("user:a")].books;
        let all = standings(&books.balances, self.now());
        let short: u64 = all.iter().map(|grant| grant.balance.short()).sum();
        let covers: u64 = all.iter().map(|grant| grant.covers).sum();
        assert_eq!(covers + self.stage.wallet().debt, short);
        assert!(all.iter().all(|grant| grant.covers <= grant.balance.idle()));
    }
}

/// Holds last thirty days: a history takes no longer.
const DAYS_MAX: i64 = 29;

fn is_short(steps: &[Step]) -> bool {
    let days = steps.iter().map(|step| match step {
        Step::Later(days) => *days,
        Step::Buy { .. }
        | Step::Spend(_)
        | Step::Hold(_)
        | Step::Settle(..)
        | Step::GiveBack(_)
        | Step::Tell(..)
        | Step::Close => 0,
    });
    days.sum::<i64>() < DAYS_MAX
}

proptest! {
    /// P9 to P11 and F5: whatever happens, what can be spent, is owed and is frozen is what the rules say of all that was bought,
    /// used and told: no credit is created, lost or doubled, whether or not jobs ran. The ledger adds up to it.
    #[test]
    fn a_history_of_bought_credits_comes_to_what_the_rules_say(
        steps in prop::collection::vec(a_step(), 1..40).prop_filter("holds live on", |steps| is_short(steps)),
    ) {
        let mut beside = Beside::new(Way::Target);
        for step in &steps {
            beside.step(step);
            prop_assert_eq!(beside.wallet(), beside.model.standing(beside.now()), "after {:?}", step);
            beside.check_cover();
        }
        prop_assert_eq!(audit(&beside.stage.records()), []);
    }

    /// P6 and P10: the end is the same in whatever order facts are told, however often, and between whatever else happens: only
    /// the fetch that began last counts.
    #[test]
    fn the_end_is_free_of_the_order_of_facts(
        before in prop::collection::vec(prop_oneof![a_buy(), a_use()], 2..15),
        facts in prop::collection::vec((0_usize..4, sums()), 1..8),
        after in prop::collection::vec(an_after(), 0..8).prop_filter("holds live on", |steps| is_short(steps)),
        order in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 0..20),
    ) {
        let end = |order: &[usize], places: &[usize]| {
            let mut beside = Beside::new(Way::Target);
            for step in &before {
                beside.step(step);
            }
            let first = beside.now();
            for at in 0..=after.len() {
                for (told, place) in order.iter().zip(places) {
                    let (payment, sums) = facts[*told];
                    if *place == at && payment < beside.bought {
                        // When its fetch began says which counts, not when it is told.
                        let seconds = i64::try_from(*told).expect("a few") + 1;
                        beside.tell(payment, sums, first + TimeDelta::seconds(seconds));
                    }
                }
                if let Some(step) = after.get(at) {
                    beside.step(step);
                }
            }
            assert_eq!(audit(&beside.stage.records()), []);
            beside.wallet()
        };
        let in_order: Vec<usize> = (0..facts.len()).collect();
        let wanted = end(&in_order, &vec![0; facts.len()]);
        // Each at least once, and some again, anywhere.
        let mut told: Vec<usize> = order.iter().map(|(which, _)| which.index(facts.len())).collect();
        let mut places: Vec<usize> = order.iter().map(|(_, place)| place.index(after.len() + 1)).collect();
        told.extend(in_order.iter().rev());
        places.resize(told.len(), after.len());
        prop_assert_eq!(end(&told, &places), wanted);
    }
}

/// P6, P9 and P10: three ways in which others went wrong come to something else: facts that are only ever subtracted, facts that
/// count as often as they are told, and cover that is booked when a fact is told.
#[test]
fn each_wrong_way_is_told_from_the_right_one() {
    let buy = |credits| Step::Buy {
        credits,
        money: 1_000,
        priority: 0,
        days: None,
    };
    // The first is used before the second comes; its refund is told twice, and then fails; the second is disputed.
    let steps = [
        buy(20),
        Step::Spend(8),
        buy(20),
        Step::Tell(0, [500, 0, 0]),
        Step::Tell(0, [500, 0, 0]),
        Step::Tell(0, [0, 0, 0]),
        Step::Tell(1, [0, 0, 1_000]),
    ];
    let after = |way, count: usize| {
        let mut beside = Beside::new(way);
        for step in &steps[..count] {
            beside.step(step);
        }
        beside.is_alike()
    };
    for count in 1..=steps.len() {
        assert!(after(Way::Target, count));
    }
    assert!(!after(Way::Repeated, 5), "the second event");
    assert!(!after(Way::ByEvent, 6), "the failed refund");
    assert!(!after(Way::BookedCover, 7), "what was moved");
}
