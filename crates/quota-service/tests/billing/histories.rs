//! Random histories of payments and of what is done with the credits, beside [the rules alone](crate::model): P1, P2, P8 to P11, R1 to R6.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use quota_service::prelude::{Commit, Decision, OperationRef, Release, Reserve};
use rand::rngs::StdRng;
use rand::seq::{IndexedMutRandom, IndexedRandom, SliceRandom};
use rand::{RngExt, SeedableRng};
use testkit::fake_stripe::{Card, Pay, RefundAs};

use crate::longer;
use crate::model::{Back, Draws, Pack, Wallet};
use crate::sessions::Opened;
use crate::shop::{SHAPES, Shop};

/// Histories of each of the four tests, unless more are asked for.
const HISTORIES: usize = 250;
const STEPS: usize = 24;
const TTL_SECONDS: u32 = 3_600;
const STATUSES: [&str; 6] = [
    "needs_response",
    "under_review",
    "won",
    "lost",
    "appeal_under_review",
    "warning_needs_response",
];

/// A payment as Stripe has it.
#[derive(Debug)]
struct Bought {
    session: String,
    intent: String,
    credits: u64,
    money: u64,
    is_paid: bool,
    /// What is left to be refunded, and each refund with whether it counts.
    left: u64,
    refunds: Vec<(String, u64, bool)>,
    disputes: Vec<(String, u64, &'static str)>,
    /// Its place in the wallet, once it is credited.
    place: Option<usize>,
}

impl Bought {
    fn back(&self) -> Back {
        let counting = self.refunds.iter().filter(|(_, _, counts)| *counts);
        let disputed = |words: &[&str]| {
            let of_words = self.disputes.iter();
            let of_words = of_words.filter(|(_, _, word)| words.contains(word));
            of_words.map(|(_, amount, _)| amount).sum()
        };
        Back {
            refunded: counting.map(|(_, amount, _)| amount).sum(),
            lost: disputed(&["lost", "appeal_under_review"]),
            disputed: disputed(&["needs_response", "under_review"]),
        }
    }
}

struct History {
    shop: Shop,
    customer: String,
    random: StdRng,
    bought: Vec<Bought>,
    /// Which payment an object is part of.
    objects: HashMap<String, usize>,
    wallet: Wallet,
    holds: Vec<(OperationRef, DateTime<Utc>, u64, Draws)>,
    /// Events that were not told yet.
    untold: Vec<usize>,
    /// Events that were told: told again, they are kept already, and nothing is fetched.
    told: HashSet<usize>,
}

impl History {
    async fn new(seed: u64) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let shape = *SHAPES.choose(&mut random).expect("two");
        let shop = Shop::open(shape).await;
        let customer = shop.customer("ann").await;
        shop.fake.drop_pending();
        Self {
            shop,
            customer,
            random,
            bought: Vec::new(),
            objects: HashMap::new(),
            wallet: Wallet::default(),
            holds: Vec::new(),
            untold: Vec::new(),
            told: HashSet::new(),
        }
    }

    async fn step(&mut self) {
        match self.random.random_range(0..20) {
            0..3 => self.buy().await,
            3 => self.debit_ends(),
            4..7 => self.refund(),
            7 => self.refund_ends(),
            8 | 9 => self.dispute(),
            10 | 11 => self.dispute_goes_on(),
            12 | 13 => self.spend().await,
            14 => self.reserve().await,
            15 => self.settle().await,
            16 => self.shop.pass(self.random.random_range(1..5_000)),
            17 => self.tell(self.untold.len()).await,
            _ => self.tell(3).await,
        }
        self.untold.extend(self.shop.pending());
        self.shop.fake.drop_pending();
        self.expire();
    }

    /// A payment, of those for which something holds.
    fn one(&mut self, holds: impl Fn(&Bought) -> bool) -> Option<usize> {
        let all: Vec<usize> = (0..self.bought.len())
            .filter(|at| holds(&self.bought[*at]))
            .collect();
        all.choose(&mut self.random).copied()
    }

    async fn buy(&mut self) {
        let quantity = self.random.random_range(1..4);
        let lines = [("price_small", quantity)];
        let opened = Opened {
            with_invoice: self.random.random_bool(0.3),
            ..Opened::purchase(&lines)
        };
        let session = self.shop.session(&self.customer, &opened).await;
        let is_late = self.random.random_bool(0.2);
        let pay = Pay {
            card: if is_late { Card::Late } else { Card::Good },
            tax_percent: *[0, 7, 19].choose(&mut self.random).expect("three"),
            discount_percent: *[0, 0, 33].choose(&mut self.random).expect("three"),
            ..Pay::default()
        };
        self.shop.fake.pay(&session, &pay);
        let intent = self.shop.fake.intent_of(&session);
        let money = self.shop.fake.object(&intent)["amount"]
            .as_u64()
            .expect("a sum");
        let at = self.bought.len();
        self.bought.push(Bought {
            session,
            intent,
            credits: quantity * 100,
            money,
            is_paid: !is_late,
            left: money,
            refunds: Vec::new(),
            disputes: Vec::new(),
            place: None,
        });
        self.learn(at);
    }

    /// Which objects are part of a payment.
    fn learn(&mut self, at: usize) {
        let (fake, bought) = (&self.shop.fake, &self.bought[at]);
        let invoice = fake.object(&bought.session)["invoice"].clone();
        let charge = fake.object(&bought.intent)["latest_charge"].clone();
        let made = [invoice, charge];
        let made = made.iter().filter_map(|id| id.as_str().map(str::to_owned));
        let ids = [bought.session.clone(), bought.intent.clone()];
        for id in ids.into_iter().chain(made) {
            self.objects.insert(id, at);
        }
    }

    fn debit_ends(&mut self) {
        let Some(at) = self.one(|bought| !bought.is_paid) else {
            return;
        };
        let comes = self.random.random_bool(0.8);
        let intent = self.bought[at].intent.clone();
        self.shop.fake.payment_ends(&intent, comes);
        self.bought[at].is_paid = comes;
        self.learn(at);
    }

    fn refund(&mut self) {
        let Some(at) = self.one(|bought| bought.is_paid && bought.left != 0) else {
            return;
        };
        let bought = &mut self.bought[at];
        let amount = if self.random.random_bool(0.3) {
            bought.left
        } else {
            self.random.random_range(1..=bought.left)
        };
        let how = *[
            RefundAs::Succeeded,
            RefundAs::Pending,
            RefundAs::RequiresAction,
        ]
        .choose(&mut self.random)
        .expect("three");
        let money = i64::try_from(amount).expect("small");
        let refund = self.shop.fake.refund(&bought.intent, money, how);
        let refund = refund.expect("so much is left");
        bought.left -= amount;
        bought.refunds.push((refund.clone(), amount, true));
        self.objects.insert(refund, at);
    }

    fn refund_ends(&mut self) {
        let Some(at) = self.one(|bought| !bought.refunds.is_empty()) else {
            return;
        };
        let status = *["failed", "canceled", "succeeded"]
            .choose(&mut self.random)
            .expect("three");
        let refund = self.bought[at].refunds.choose_mut(&mut self.random);
        let (id, _, counts) = refund.expect("there is one");
        *counts = status == "succeeded";
        self.shop.fake.refund_becomes(id, status);
    }

    fn dispute(&mut self) {
        let Some(at) = self.one(|bought| bought.is_paid && bought.disputes.len() < 2) else {
            return;
        };
        let status = *STATUSES.choose(&mut self.random).expect("some");
        let bought = &mut self.bought[at];
        let amount = self.random.random_range(1..=bought.money);
        let money = i64::try_from(amount).expect("small");
        let dispute = self.shop.fake.dispute(&bought.intent, money, status);
        bought.disputes.push((dispute.clone(), amount, status));
        self.objects.insert(dispute, at);
    }

    fn dispute_goes_on(&mut self) {
        let Some(at) = self.one(|bought| !bought.disputes.is_empty()) else {
            return;
        };
        let becomes = *STATUSES.choose(&mut self.random).expect("some");
        let dispute = self.bought[at].disputes.choose_mut(&mut self.random);
        let (id, _, status) = dispute.expect("there is one");
        *status = becomes;
        self.shop.fake.dispute_becomes(id, becomes);
    }

    async fn spend(&mut self) {
        let credits = self.random.random_range(1..120);
        let draws = self.wallet.draws(credits);
        assert_eq!(
            self.shop.spend("ann", credits).await,
            draws.is_some(),
            "{credits}"
        );
        self.wallet.spend(&draws.unwrap_or_default());
    }

    async fn reserve(&mut self) {
        let credits = self.random.random_range(1..120);
        let draws = self.wallet.draws(credits);
        let asked = Reserve::of("requests", credits, TTL_SECONDS);
        let held = self.shop.engine.reserve("user:ann", asked).await;
        match (held.expect("is decided"), draws) {
            (Decision::Allowed(held), Some(draws)) => {
                self.wallet.hold(&draws);
                let ends_at = self.shop.engine.now() + TimeDelta::seconds(TTL_SECONDS.into());
                self.holds.push((held.reference(), ends_at, credits, draws));
            }
            (Decision::Denied(_), None) => {}
            (decision, draws) => panic!("{decision:?}, and {draws:?} by the model"),
        }
    }

    /// Commits some of a hold, or gives it back.
    async fn settle(&mut self) {
        if self.holds.is_empty() {
            return;
        }
        let at = self.random.random_range(0..self.holds.len());
        let (reference, _, credits, draws) = self.holds.remove(at);
        self.wallet.give_back(&draws);
        let engine = &self.shop.engine;
        if self.random.random_bool(0.3) {
            engine
                .release(Release::of(&reference))
                .await
                .expect("is given back");
            return;
        }
        let actual = self.random.random_range(1..=credits);
        let committed = engine.commit(Commit::of(&reference, actual)).await;
        committed.expect("is spent");
        let mut left = actual;
        let mut spent = Draws::new();
        for (place, drawn) in draws {
            let part = drawn.min(left);
            left -= part;
            spent.push((place, part));
        }
        self.wallet.spend(&spent);
    }

    /// A hold past its deadline counts nothing (R4).
    fn expire(&mut self) {
        let now = self.shop.engine.now();
        let (live, over): (Vec<_>, Vec<_>) = std::mem::take(&mut self.holds)
            .into_iter()
            .partition(|(_, ends_at, ..)| now < *ends_at);
        self.holds = live;
        for (_, _, _, draws) in over {
            self.wallet.give_back(&draws);
        }
    }

    /// Tells so many events, in any order, some twice.
    async fn tell(&mut self, count: usize) {
        self.untold.shuffle(&mut self.random);
        let from = self.untold.len().saturating_sub(count);
        let told = self.untold.split_off(from);
        for place in told {
            if self.random.random_bool(0.1) {
                self.untold.push(place);
            }
            let webhook = self.shop.webhook(place).expect("an event");
            self.shop.deliver(&[place]).await;
            self.expire();
            let about = webhook.event.about;
            let is_kept = about.and_then(|about| self.objects.get(&about.id).copied());
            let is_new = self.told.insert(place);
            if let Some(at) = is_kept.filter(|_| is_new) {
                self.fetched(at);
            }
        }
    }

    /// A payment was fetched: what the wallet knows of it is what there is.
    fn fetched(&mut self, at: usize) {
        let bought = &mut self.bought[at];
        if !bought.is_paid {
            return;
        }
        let place = *bought.place.get_or_insert(self.wallet.packs.len());
        if place == self.wallet.packs.len() {
            self.wallet.packs.push(Pack {
                credits: bought.credits,
                money: bought.money,
                back: Back::default(),
                used: 0,
                held: 0,
            });
        }
        self.wallet.packs[place].back = bought.back();
    }

    async fn is_as_the_model(&self, told: &str) {
        let standing = self.shop.standing("ann").await;
        let sums = (standing.free, standing.frozen, standing.debt);
        assert_eq!(
            sums,
            self.wallet.sums(),
            "{told}: {:#?} {:#?}",
            self.bought,
            self.wallet
        );
        let credited = self
            .bought
            .iter()
            .filter(|bought| bought.place.is_some())
            .count();
        assert_eq!(standing.grants.len(), credited, "{told}");
    }
}

/// A history, with everything told at its end, in any order and often.
async fn history(seed: u64) {
    let mut history = History::new(seed).await;
    for step in 0..STEPS {
        history.step().await;
        history
            .is_as_the_model(&format!("{seed}, step {step}"))
            .await;
    }
    history.untold = (0..history.shop.fake.events().len())
        .filter(|place| history.shop.webhook(*place).is_some())
        .collect();
    let all = history.untold.len();
    history.tell(all).await;
    history
        .is_as_the_model(&format!("{seed}, at the end"))
        .await;
    let paid = history
        .bought
        .iter()
        .filter(|bought| bought.is_paid)
        .count();
    let credited = history.wallet.packs.len();
    assert!(paid <= credited, "{seed}: all that was paid is credited");
    assert_eq!(history.shop.problems().await.len(), 0, "{seed}");
    history.shop.engine.stop().await;
}

async fn histories(first: u64) {
    let count = u64::try_from(longer(HISTORIES)).expect("small");
    for seed in first..first + count {
        history(seed).await;
    }
}

/// P1, P2, P9, P10, P11: what an account has of its packs is what the facts leave of them, whatever was told when.
#[tokio::test]
async fn random_histories_are_as_the_rules_say() {
    histories(0).await;
}

/// The same, others.
#[tokio::test]
async fn more_random_histories_are_as_the_rules_say() {
    histories(1_000_000).await;
}

/// The same, others.
#[tokio::test]
async fn other_random_histories_are_as_the_rules_say() {
    histories(2_000_000).await;
}

/// The same, others.
#[tokio::test]
async fn further_random_histories_are_as_the_rules_say() {
    histories(3_000_000).await;
}
