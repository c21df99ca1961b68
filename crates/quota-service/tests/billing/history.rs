//! A history of payments and of what is done with the credits, step by step beside [the rules alone](crate::model).

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use quota_core::payment::PaymentStatus;
use quota_service::prelude::OperationRef;
use rand::rngs::StdRng;
use rand::seq::{IndexedMutRandom, IndexedRandom, SliceRandom};
use rand::{RngExt, SeedableRng};
use testkit::fake_stripe::{Card, Pay, RefundAs};

use crate::history_top_ups::TopUps;
use crate::model::{Back, Draws, Pack, Wallet};
use crate::sessions::Opened;
use crate::shop::{DAY, SHAPES, Shop, Stored};

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
pub struct Bought {
    /// The session in which it was paid, if there was one.
    session: Option<String>,
    intent: String,
    credits: u64,
    money: u64,
    /// How long what it buys lasts.
    days: Option<i64>,
    is_paid: bool,
    /// What is left to be refunded, and each refund with whether it counts.
    left: u64,
    refunds: Vec<(String, u64, bool)>,
    disputes: Vec<(String, u64, &'static str)>,
    /// Its place in the wallet, once it is credited.
    pub place: Option<usize>,
}

impl Bought {
    fn new(intent: &str, (credits, money): (u64, u64)) -> Self {
        Self {
            session: None,
            intent: intent.to_owned(),
            credits,
            money,
            days: None,
            is_paid: true,
            left: money,
            refunds: Vec::new(),
            disputes: Vec::new(),
            place: None,
        }
    }

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

/// Somebody who pays and uses, in a shop in which others did before.
pub struct History<'a, S> {
    pub shop: &'a Shop<S>,
    pub name: String,
    pub customer: String,
    pub random: StdRng,
    pub bought: Vec<Bought>,
    /// Which payment an object is part of.
    pub objects: HashMap<String, usize>,
    pub wallet: Wallet,
    pub holds: Vec<(OperationRef, DateTime<Utc>, Draws)>,
    pub top_ups: TopUps,
    /// Codes that were redeemed.
    pub codes: Vec<String>,
    /// How many warnings of an expiry were told.
    pub warned: usize,
    /// The events before it are of others.
    pub first_event: usize,
    /// Events that were not told yet.
    untold: Vec<usize>,
    /// Events that were told: told again, they are kept already, and nothing is fetched.
    told: HashSet<usize>,
}

impl<'a, S: Stored> History<'a, S> {
    pub async fn new(shop: &'a Shop<S>, seed: u64) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        shop.fake.answer_in(SHAPES.choose(&mut random).copied());
        let name = format!("ann{seed}");
        let customer = shop.customer(&name).await;
        shop.fake.drop_pending();
        Self {
            shop,
            name,
            customer,
            random,
            bought: Vec::new(),
            objects: HashMap::new(),
            wallet: Wallet::default(),
            holds: Vec::new(),
            top_ups: TopUps::default(),
            codes: Vec::new(),
            warned: 0,
            first_event: shop.fake.events().len(),
            untold: Vec::new(),
            told: HashSet::new(),
        }
    }

    pub async fn step(&mut self) {
        match self.random.random_range(0..30) {
            0..4 => self.buy().await,
            4 => self.debit_ends(),
            5..8 => self.refund(),
            8 => self.refund_ends(),
            9 | 10 => self.dispute(),
            11 | 12 => self.dispute_goes_on(),
            13..16 => self.spend().await,
            16 => self.reserve().await,
            17 => self.settle().await,
            18 => self.shop.pass(self.random.random_range(1..5_000)),
            19 => self.shop.pass(self.random.random_range(1..15 * DAY)),
            20 => self.tell_all().await,
            21 | 22 => self.tell(3).await,
            23 => self.redeem().await,
            24 | 25 => self.set_top_up().await,
            26 | 27 => self.look().await,
            28 => self.warn().await,
            _ => self.close().await,
        }
        let pending = self.shop.pending().into_iter();
        let can_be_told = |place: &usize| self.shop.webhook(*place).is_some();
        self.untold.extend(pending.filter(can_be_told));
        self.shop.fake.drop_pending();
        self.expire();
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.shop.engine.now()
    }

    /// A moment later: what ended by now has ended.
    pub fn tick(&mut self) {
        self.shop.tick();
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
        let is_short = self.random.random_bool(0.4);
        let (price, credits, days) = if is_short {
            ("price_short", 50, Some(30))
        } else {
            ("price_small", 100, None)
        };
        let lines = [(price, quantity)];
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
        let money = self.shop.fake.object(&intent)["amount"].as_u64();
        let money = money.expect("a sum");
        self.learn(Bought {
            session: Some(session),
            days,
            is_paid: !is_late,
            ..Bought::new(&intent, (quantity * credits, money))
        });
    }

    fn learn(&mut self, bought: Bought) {
        self.bought.push(bought);
        self.learn_objects(self.bought.len() - 1);
    }

    /// Which objects are part of a payment.
    fn learn_objects(&mut self, at: usize) {
        let (fake, bought) = (&self.shop.fake, &self.bought[at]);
        let session = bought.session.as_ref();
        let invoice = session.map(|session| fake.object(session)["invoice"].clone());
        let charge = fake.object(&bought.intent)["latest_charge"].clone();
        let made = [invoice, Some(charge)];
        let made = made.iter().flatten().filter_map(|id| id.as_str());
        let made = made.map(str::to_owned);
        let known = [session.cloned(), Some(bought.intent.clone())];
        for id in known.into_iter().flatten().chain(made) {
            self.objects.insert(id, at);
        }
    }

    /// A pack of 100 credits that was bought off session.
    pub fn learn_top_up(&mut self, intent: &str) {
        self.learn(Bought::new(intent, (100, 1_000)));
    }

    fn debit_ends(&mut self) {
        let Some(at) = self.one(|bought| !bought.is_paid) else {
            return;
        };
        let comes = self.random.random_bool(0.8);
        let intent = self.bought[at].intent.clone();
        self.shop.fake.payment_ends(&intent, comes);
        self.bought[at].is_paid = comes;
        self.learn_objects(at);
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

    /// Tells all that was not told, in any order.
    async fn tell_all(&mut self) {
        self.tell(self.untold.len()).await;
    }

    /// Tells everything that ever happened, in any order.
    pub async fn tell_all_again(&mut self) {
        let places = self.first_event..self.shop.fake.events().len();
        let can_be_told = |place: &usize| self.shop.webhook(*place).is_some();
        self.untold = places.filter(can_be_told).collect();
        self.shop.fake.drop_pending();
        self.tell_all().await;
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
            self.shop.take(&[place]).await;
            // Work on it begins a moment later.
            let fetched_at = self.now() + TimeDelta::milliseconds(1);
            self.shop.work().await;
            self.expire();
            let about = webhook.event.about;
            let is_kept = about.and_then(|about| self.objects.get(&about.id).copied());
            let is_new = self.told.insert(place);
            if let Some(at) = is_kept.filter(|_| is_new) {
                self.fetched(at, fetched_at);
            }
        }
    }

    /// A payment was fetched: what the wallet knows of it is what there is.
    pub fn fetched(&mut self, at: usize, now: DateTime<Utc>) {
        let bought = &mut self.bought[at];
        if !bought.is_paid {
            return;
        }
        let place = *bought.place.get_or_insert(self.wallet.packs.len());
        if place == self.wallet.packs.len() {
            self.wallet.packs.push(Pack {
                ends_at: bought.days.map(|days| now + TimeDelta::days(days)),
                ..Pack::new(bought.credits, bought.money, now)
            });
        }
        self.wallet.packs[place].back = bought.back();
    }

    pub async fn is_as_the_model(&self, told: &str) {
        let standing = self.shop.standing(&self.name).await;
        let sums = (standing.free, standing.frozen, standing.debt);
        assert_eq!(
            sums,
            self.wallet.sums(self.now()),
            "{told}: {:#?} {:#?} {:#?}",
            self.bought,
            self.wallet,
            self.top_ups,
        );
        let credited = self.bought.iter().filter(|bought| bought.place.is_some());
        let paid = standing.payments.iter();
        let paid = paid.filter(|(_, status, _)| match status {
            PaymentStatus::Pending | PaymentStatus::Failed => false,
            PaymentStatus::Paid
            | PaymentStatus::PartlyRefunded
            | PaymentStatus::Refunded
            | PaymentStatus::Disputed
            | PaymentStatus::Lost => true,
        });
        assert_eq!(paid.count(), credited.count(), "{told}");
    }

    /// All that was paid is credited.
    pub fn all_is_credited(&self) -> bool {
        let mut bought = self.bought.iter();
        bought.all(|bought| bought.is_paid == bought.place.is_some())
    }
}
