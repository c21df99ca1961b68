//! What payment providers tell: purchases, what came back of them, and subscriptions; told in any order, early and late.

use chrono::{DateTime, TimeDelta, Utc};
use quota_core::amount::{AMOUNT_MAX, Amount};
use quota_core::command::{
    Command, CreditPurchase, ForgiveDebt, SetPaymentFacts, SyncSubscription, TakeBackCredits,
};
use quota_core::ids::{
    Currency, FeatureCode, GrantId, LineRef, PaymentRef, PriceId, ProviderCode, SubscriptionRef,
};
use quota_core::provider::{ProviderItem, ProviderPeriod, ProviderSubscription};
use quota_core::purchase::{PaymentFacts, PaymentLine};
use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

const STATUSES: [&str; 8] = [
    "active",
    "active",
    "active",
    "trialing",
    "past_due",
    "unpaid",
    "canceled",
    "of_tomorrow",
];
const PRICES: [&str; 6] = [
    "price_pro",
    "price_pro",
    "price_max",
    "price_eco",
    "price_more",
    "price_of_tomorrow",
];

fn of<T, E: std::fmt::Debug>(made: Result<T, E>) -> T {
    made.expect("a literal")
}

fn stripe() -> ProviderCode {
    of(ProviderCode::new("stripe"))
}

/// The line of one of four payments.
fn line(random: &mut StdRng) -> (PaymentLine, u64) {
    let number = random.random_range(0..4);
    let line = PaymentLine {
        provider: stripe(),
        payment: of(PaymentRef::new(&format!("cs_{number}"))),
        line: of(LineRef::new("li_1")),
    };
    (line, number)
}

fn facts(random: &mut StdRng) -> PaymentFacts {
    let mut sum = || match random.random_range(0..6) {
        0 => random.random_range(0..1_000),
        1 => 1_000,
        2 => AMOUNT_MAX,
        _ => 0,
    };
    PaymentFacts {
        refunded: sum(),
        lost: sum(),
        disputed: sum(),
    }
}

/// Something that has to do with payment, at `now`.
pub(super) fn payment(random: &mut StdRng, now: DateTime<Utc>) -> Command {
    let fetched_at = now - TimeDelta::minutes(random.random_range(0..300));
    match random.random_range(0..8) {
        0..3 => purchase(random, fetched_at),
        3 | 4 => {
            let (line, _) = line(random);
            Command::SetPaymentFacts(SetPaymentFacts {
                provider: line.provider,
                payment: line.payment,
                facts: facts(random),
                fetched_at,
            })
        }
        5 => Command::ForgiveDebt(ForgiveDebt {
            credits: random.random_bool(0.3).then(|| of(Amount::new(2))),
        }),
        6 => Command::TakeBackCredits(TakeBackCredits {
            grant: of(GrantId::new(&format!("g{}", random.random_range(0..60)))),
            credits: Some(of(Amount::new(random.random_range(1..20)))),
        }),
        _ => {
            let count = random.random_range(0..3);
            let one = |random: &mut StdRng| subscription(random, now);
            let subscriptions = (0..count).map(|_| one(random)).collect();
            Command::SyncSubscription(SyncSubscription {
                provider: stripe(),
                subscriptions,
                fetched_at,
            })
        }
    }
}

fn purchase(random: &mut StdRng, fetched_at: DateTime<Utc>) -> Command {
    let (line, number) = line(random);
    let ends = random.random_bool(0.4);
    Command::CreditPurchase(CreditPurchase {
        line,
        credits: of(Amount::new(10 + number)),
        // What a payment buys does not change.
        boost: (number == 3).then(|| of(FeatureCode::new("art"))),
        money: [0, 999, 1_000, AMOUNT_MAX][usize::try_from(number).expect("one of four")],
        currency: of(Currency::new("eur")),
        priority: u32::from(random.random_bool(0.3)),
        expires_at: ends.then(|| fetched_at + TimeDelta::days(random.random_range(1..40))),
        facts: if random.random_bool(0.2) {
            facts(random)
        } else {
            PaymentFacts::default()
        },
        fetched_at,
    })
}

fn subscription(random: &mut StdRng, now: DateTime<Utc>) -> ProviderSubscription {
    let number = random.random_range(0..3);
    let starts_at = now - TimeDelta::hours(random.random_range(0..800));
    let text = |all: &[&'static str], random: &mut StdRng| {
        let one = all.choose(random);
        *one.expect("not empty")
    };
    let items = (0..random.random_range(1..3)).map(|_| ProviderItem {
        price: of(PriceId::new(text(&PRICES, random))),
        quantity: random.random_bool(0.5).then(|| random.random_range(0..4)),
        period: None,
    });
    let items = items.collect();
    let status = text(&STATUSES, random).to_owned();
    ProviderSubscription {
        id: of(SubscriptionRef::new(&format!("sub_{number}"))),
        items,
        period: random.random_bool(0.9).then(|| ProviderPeriod {
            starts_at,
            ends_at: starts_at + TimeDelta::days(random.random_range(1..60)),
        }),
        is_paid: random.random_bool(0.7).then_some(true),
        cancel_at: random
            .random_bool(0.2)
            .then(|| now + TimeDelta::days(random.random_range(1..30))),
        ended_at: (status == "canceled").then_some(now),
        status,
        trial_end: None,
        created: starts_at,
        has_pending_update: false,
        scheduled: None,
        is_collection_paused: false,
    }
}
