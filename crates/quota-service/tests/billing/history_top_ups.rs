//! Auto top-up in a history, and what the rules say of it (P20).

use chrono::{DateTime, Datelike, TimeDelta, Utc};
use quota_core::command::Command;
use quota_core::provider::{ProblemKind, TopUpState};
use quota_service::billing::TopUpLook;
use rand::RngExt;
use rand::seq::IndexedRandom;
use testkit::fake_stripe::Card;

use crate::history::History;
use crate::model::Back;
use crate::shop::{Stored, account};
use crate::transport::CallFault;

const FAILURES_MAX: u32 = 3;
/// Calls of a look at Stripe.
const CALLS_MAX: u64 = 3;
/// A call that never comes.
const NEVER: u64 = 1_000_000_000;
/// Longer than any pause of an open one.
const PAUSE_SECONDS: i64 = 7_200;

/// A top-up that the model has set, as it stands.
#[derive(Debug, Clone)]
struct Wanted {
    below: u64,
    most: u32,
    set_at: DateTime<Utc>,
    failures: u32,
    next_at: Option<DateTime<Utc>>,
    is_on: bool,
}

/// Auto top-up of an account, as the rules have it.
#[derive(Debug, Default)]
pub struct TopUps {
    wanted: Option<Wanted>,
    /// Since when one is open.
    open: Option<DateTime<Utc>>,
    /// Those that were paid: when they were begun, and which payment each is.
    paid: Vec<(DateTime<Utc>, usize)>,
    /// Payments that were made for one, whether it has ended or not.
    payments: Vec<usize>,
    failed: usize,
    is_declined: bool,
    has_problem: bool,
    told: Vec<&'static str>,
}

impl TopUps {
    /// One that was begun then ended unpaid.
    fn fails(&mut self, opened_at: DateTime<Utc>, now: DateTime<Utc>) {
        self.failed += 1;
        self.has_problem = true;
        let wanted = self.wanted.as_mut();
        let counts = |wanted: &&mut Wanted| wanted.is_on && wanted.set_at <= opened_at;
        if let Some(wanted) = wanted.filter(counts) {
            wanted.failures += 1;
            wanted.next_at = Some(now + TimeDelta::hours(1 << (wanted.failures - 1)));
            wanted.is_on = wanted.failures < FAILURES_MAX;
            if !wanted.is_on {
                self.told.push("top_up_switched_off");
                return;
            }
        }
        self.told.push("top_up_failed");
    }

    /// One that was begun then was paid.
    fn is_paid(&mut self, opened_at: DateTime<Utc>, payment: usize) {
        self.paid.push((opened_at, payment));
        self.has_problem = false;
        self.told.push("top_up_paid");
        let wanted = self.wanted.as_mut();
        let counts = |wanted: &&mut Wanted| wanted.is_on && wanted.set_at <= opened_at;
        if let Some(wanted) = wanted.filter(counts) {
            (wanted.failures, wanted.next_at) = (0, None);
        }
    }
}

impl<S: Stored> History<'_, S> {
    /// Sets it, or no more; or gives the customer another card.
    pub async fn set_top_up(&mut self) {
        match self.random.random_range(0..6) {
            0 => {
                self.tick();
                let cleared = self.shop.submit(&self.name, Command::ClearTopUp).await;
                cleared.expect("is cleared");
                self.top_ups.wanted = None;
            }
            1 | 2 => {
                let card = *[Card::Good, Card::Declined]
                    .choose(&mut self.random)
                    .expect("two");
                self.shop.fake.set_card(&self.customer, card);
                self.top_ups.is_declined = card == Card::Declined;
            }
            _ => {
                let (below, most) = (
                    self.random.random_range(50..=100),
                    self.random.random_range(1..4),
                );
                self.shop.set_top_up(&self.name, below, most).await;
                self.set(below, most);
            }
        }
    }

    fn set(&mut self, below: u64, most: u32) {
        let set_at = self.now();
        self.top_ups.has_problem = false;
        let wanted = self.top_ups.wanted.as_ref();
        let is_as_asked = wanted.is_some_and(|wanted| {
            wanted.below == below && wanted.most == most && wanted.is_on && wanted.failures == 0
        });
        if !is_as_asked {
            self.top_ups.wanted = Some(Wanted {
                below,
                most,
                set_at,
                failures: 0,
                next_at: None,
                is_on: true,
            });
        }
    }

    /// What a look comes to while none is open.
    fn expected(&self) -> TopUpLook {
        let now = self.now();
        let wanted = self.top_ups.wanted.as_ref().filter(|wanted| wanted.is_on);
        let Some(wanted) = wanted.filter(|wanted| wanted.next_at.is_none_or(|at| at <= now)) else {
            return TopUpLook::NotDue;
        };
        if wanted.below <= self.wallet.sums(now).0 {
            return TopUpLook::NotDue;
        }
        let month = |at: DateTime<Utc>| (at.year(), at.month());
        let paid = self.top_ups.paid.iter();
        let of_month = paid.clone().filter(|(at, _)| month(*at) == month(now));
        if usize::try_from(wanted.most).expect("few") <= of_month.count() {
            return TopUpLook::MonthFull;
        }
        let came_back = |payment: &usize| {
            let place = self.bought[*payment].place.expect("it is credited");
            self.wallet.packs[place].back != Back::default()
        };
        let mut since = paid.filter(|(at, _)| wanted.set_at <= *at);
        match since.any(|(_, payment)| came_back(payment)) {
            true => TopUpLook::SwitchedOff,
            false if self.top_ups.is_declined => TopUpLook::Failed,
            false => TopUpLook::Paid,
        }
    }

    /// Looks whether a pack is to be bought; now and then Stripe does not answer.
    pub async fn look(&mut self) {
        self.tick();
        let expected = self.top_ups.open.is_none().then(|| self.expected());
        let failing = self.may_fail();
        let looked = self.shop.billing.top_up(&account(&self.name)).await;
        let has_failed = failing.is_some_and(|call| call <= self.shop.faults.calls());
        assert_eq!(looked.is_err(), has_failed, "{looked:?}");
        self.shop.faults.fail(NEVER, CallFault::LostBefore);
        self.find_payments();
        let opened_at = self.top_ups.open.unwrap_or_else(|| self.now());
        match looked {
            Ok(look) => {
                if let Some(expected) = expected {
                    assert_eq!(look, expected, "{:#?} {:#?}", self.top_ups, self.wallet);
                }
                self.comes_to(look, opened_at);
            }
            Err(error) => {
                let is_asked = matches!(expected, None | Some(TopUpLook::Paid | TopUpLook::Failed));
                assert!(is_asked, "{expected:?}: {error}");
                self.top_ups.open = Some(opened_at);
            }
        }
        let unpaid = self.top_ups.payments.len() - self.top_ups.paid.len();
        let at_most = usize::from(self.top_ups.open.is_some());
        assert!(unpaid <= at_most, "a payment too many: {:#?}", self.top_ups);
    }

    /// Now and then one of the next calls of Stripe fails; which.
    fn may_fail(&mut self) -> Option<u64> {
        let faults = [
            CallFault::Status(500),
            CallFault::LostBefore,
            CallFault::LostAfter,
        ];
        let fault = *faults.choose(&mut self.random).expect("three");
        let call = self.random.random_range(1..=CALLS_MAX);
        let fails = self.random.random_bool(0.3);
        fails.then(|| {
            self.shop.faults.fail(call, fault);
            self.shop.faults.calls() + call
        })
    }

    fn comes_to(&mut self, look: TopUpLook, opened_at: DateTime<Utc>) {
        let now = self.now();
        self.top_ups.open = None;
        match look {
            TopUpLook::NotDue | TopUpLook::MonthFull => {}
            TopUpLook::UnderWay | TopUpLook::Open => self.top_ups.open = Some(opened_at),
            TopUpLook::Paid => {
                let payment = self.top_ups.payments.last().expect("it was paid");
                let payment = *payment;
                self.top_ups.is_paid(opened_at, payment);
                self.fetched(payment, now);
            }
            TopUpLook::Failed => self.top_ups.fails(opened_at, now),
            TopUpLook::SwitchedOff => {
                self.top_ups.told.push("top_up_switched_off");
                let wanted = self.top_ups.wanted.as_mut();
                wanted.expect("it was set").is_on = false;
            }
        }
    }

    /// The payments that were made at Stripe for a top-up.
    fn find_payments(&mut self) {
        let events = self.shop.fake.events().split_off(self.first_event);
        let made = events.into_iter();
        let made = made.filter(|event| event.kind == "payment_intent.created");
        for event in made {
            let intent = self.shop.fake.object(&event.object);
            let is_top_up = intent["metadata"]["quota_top_up"].is_string();
            let is_new = !self.objects.contains_key(&event.object);
            if is_top_up && is_new && intent["status"] == "succeeded" {
                self.top_ups.payments.push(self.bought.len());
                self.learn_top_up(&event.object);
            }
        }
    }

    /// Nothing is left open, and each was told and paid once.
    pub async fn top_ups_have_ended(&mut self, told: &str) {
        for _ in 0..3 {
            self.shop.pass(PAUSE_SECONDS);
            self.look().await;
        }
        while self.top_ups.open.is_some() {
            self.shop.pass(PAUSE_SECONDS);
            self.look().await;
        }
        let rows = self.shop.top_ups(&self.name).await;
        let count = |state| rows.iter().filter(|row| row.state == state).count();
        assert_eq!(count(TopUpState::Paid), self.top_ups.paid.len(), "{told}");
        assert_eq!(count(TopUpState::Failed), self.top_ups.failed, "{told}");
        assert_eq!(count(TopUpState::Open), 0, "{told}");
        let mut ends = self.shop.told(&self.name).await;
        ends.retain(|end| !end.starts_with("low"));
        assert_eq!(ends, self.top_ups.told, "{told}");
        let mine = format!("top-up:{}", account(&self.name));
        let mut problems = self.shop.problems().await;
        problems.retain(|(kind, about)| *kind != ProblemKind::TopUpFailed || *about == mine);
        let wanted = self
            .top_ups
            .has_problem
            .then_some((ProblemKind::TopUpFailed, mine));
        assert_eq!(problems, wanted.into_iter().collect(), "{told}");
    }
}
