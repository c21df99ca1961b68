//! Boosts that were bought: a line of a payment gives one once, and what comes back of it lowers it (C13, P1, P2, P8, P9, P11, P18).

use crate::bought::{facts, purchase};
use crate::relocated::relocated;
use crate::stage::{
    Stage, amount, code, commit, consume, id, member, put_account, refund, reserve,
};
use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use quota_core::answer::Rejection;
use quota_core::audit::audit;
use quota_core::balance::{Balance, Bucket};
use quota_core::catalog::{Catalog, CatalogFile};
use quota_core::change::Change;
use quota_core::command::{
    CloseWindows, Command, CreditPurchase, GiveBoost, PURCHASES_MAX, Release, TakeBackBoost,
};
use quota_core::draw::{Scope, Source};
use quota_core::event::EventKind;
use quota_core::ids::{BoostId, PriceId, ProviderCode};
use quota_core::payment_misfit::PaymentMisfit;
use quota_core::provider::{OrderRefusal, Wanted, order};
use quota_core::quantity::Quantity;
use quota_core::rules::wallet::Wallet;

/// So many requests for so much money; without an end of its own.
fn requests(payment: &str, units: u64, money: u64, at: DateTime<Utc>) -> CreditPurchase {
    CreditPurchase {
        boost: Some(code("requests")),
        ..purchase(payment, units, money, at)
    }
}

fn bought(stage: &mut Stage, payment: &str, units: u64, money: u64) {
    let asked = requests(payment, units, money, stage.now);
    stage.done("user:a", Command::CreditPurchase(asked));
}

/// The boost that the payment bought, live or closed.
fn boost(stage: &Stage, payment: &str) -> Balance {
    let bucket = Bucket::Boost(code("requests"), name(payment));
    let live = stage.home.accounts[&id("user:a")].books.balance(&bucket);
    let closed = stage.closed.get(&(id("user:a"), bucket.clone()));
    let found = live.or_else(|| closed.map(|closed| &closed.balance));
    found.expect("it was bought").clone()
}

fn name(payment: &str) -> BoostId {
    BoostId::new(&format!("stripe:{payment}:1")).expect("an id")
}

/// What is left of all boosts, and what use of them is.
fn left(stage: &mut Stage) -> u64 {
    stage
        .balance_of("user:a", Scope::User, "requests", None)
        .boosts
}

fn close(stage: &mut Stage) {
    let close = Command::CloseWindows(CloseWindows::default());
    stage.run("user:a", close).expect("it fits");
}

/// A subscriber whose 10 requests of the plan are used up, and who bought 20 for 1000.
fn spent(used: u64) -> Stage {
    let mut stage = Stage::user("pro");
    stage.done("user:a", consume("requests", 10));
    bought(&mut stage, "a", 20, 1000);
    if used != 0 {
        stage.done("user:a", consume("requests", used));
    }
    stage
}

/// P1: a line gives its boost once, however often it is told; the id is made of the purchase, and the books say that it was bought.
#[test]
fn p1_a_line_gives_its_boost_once() {
    let mut stage = spent(0);
    let given = boost(&stage, "a");
    assert_eq!(left(&mut stage), 20);
    bought(&mut stage, "a", 20, 1000);
    assert_eq!((left(&mut stage), boost(&stage, "a")), (20, given));
    let reason = Change::BoostBought;
    let told = stage.events.iter();
    let told = told.filter(|event| event.kind == EventKind::QuotaUpdated { reason });
    assert_eq!(told.count(), 1);
    // As ever (F1): after the allowance, before credits.
    let done = stage.done("user:a", consume("requests", 20));
    let boosts = done
        .entries
        .iter()
        .filter(|entry| entry.source == Source::Boost);
    assert_eq!(boosts.map(|entry| entry.used).sum::<i64>(), 20);
    assert_eq!(audit(&stage.records()), []);
    // Also once it is closed.
    close(&mut stage);
    bought(&mut stage, "a", 20, 1000);
    assert_eq!(left(&mut stage), 0);
    assert_eq!(audit(&stage.records()), []);
}

/// P7, P8: the line that gave a boost gives nothing else, and a boost that was given by hand keeps its name.
#[test]
fn p7_what_a_line_bought_does_not_change() {
    let mut stage = spent(3);
    let now = stage.now;
    let others = [
        (purchase("a", 20, 1000, now), "boost"),
        (requests("a", 21, 1000, now), "credits"),
        (requests("a", 20, 999, now), "money"),
        (
            CreditPurchase {
                boost: Some(code("try_on")),
                ..purchase("a", 20, 1000, now)
            },
            "boost",
        ),
    ];
    for (other, field) in others {
        let refused = stage
            .run("user:a", Command::CreditPurchase(other))
            .map(drop);
        let differs = PaymentMisfit::LineDiffers { field };
        assert_eq!(refused, Err(differs.into()));
    }
    let by_hand = Command::GiveBoost(GiveBoost {
        boost: name("b"),
        feature: code("requests"),
        amount: amount(5),
        ends_at: None,
    });
    stage.done("user:a", by_hand);
    let asked = requests("b", 20, 1000, stage.now);
    let refused = stage
        .run("user:a", Command::CreditPurchase(asked))
        .map(drop);
    assert_eq!(refused, Err(Rejection::BoostExists));
    assert_eq!(audit(&stage.records()), []);
}

/// C13: without an end of its own a boost ends with the period that runs when it is credited, and 31 days later where none does: what
/// is paid is never refused (P18).
#[test]
fn c13_a_boost_that_was_bought_ends_with_the_running_period() {
    let mut stage = spent(0);
    let running = stage.home.accounts[&id("user:a")]
        .terms
        .subscription
        .clone();
    let period_end = running.expect("a subscription").ends_at;
    assert_eq!(boost(&stage, "a").ends_at, Some(period_end));
    let own = stage.now + TimeDelta::days(3);
    let asked = CreditPurchase {
        expires_at: Some(own),
        ..requests("b", 5, 100, stage.now)
    };
    stage.done("user:a", Command::CreditPurchase(asked));
    assert_eq!(boost(&stage, "b").ends_at, Some(own));
    stage.now = own;
    assert_eq!(left(&mut stage), 20);
    stage.now = period_end;
    assert_eq!(left(&mut stage), 0);

    let mut stage = Stage::user("");
    bought(&mut stage, "a", 20, 1000);
    let ends_at = stage.now + TimeDelta::days(31);
    assert_eq!(boost(&stage, "a").ends_at, Some(ends_at));
    stage.done("user:a", consume("requests", 20));
}

/// P9, P2: refunds and lost disputes lower a boost by their sum; it rises again when that falls. What was used is not owed: no other
/// boost and no credits pay for it.
#[test]
fn p9_what_comes_back_lowers_a_boost_and_nothing_is_owed() {
    let mut stage = spent(6);
    stage.done("user:a", crate::stage::grant("pack", 5));
    bought(&mut stage, "b", 4, 200);
    for (sums, wanted) in [
        ([250, 0, 0], 9 + 4),
        ([500, 0, 0], 4 + 4),
        ([500, 300, 0], 4),
        ([1000, 0, 0], 4),
        ([0, 250, 0], 9 + 4),
        ([0, 0, 0], 14 + 4),
    ] {
        stage.tell("a", sums);
        assert_eq!(left(&mut stage), wanted, "{sums:?}");
        let wallet = Wallet::of(&stage.home.accounts[&id("user:a")].books, stage.now);
        assert_eq!((wallet.free, wallet.debt), (5, 0), "{sums:?}");
        assert_eq!(audit(&stage.records()), [], "{sums:?}");
    }
}

/// P11: an open dispute freezes its share; won frees it, lost takes it.
#[test]
fn p11_a_dispute_freezes_units_and_its_end_decides() {
    for (after, wanted) in [([0, 0, 0], 14), ([0, 1000, 0], 0), ([0, 400, 0], 6)] {
        let mut stage = spent(6);
        stage.tell("a", [0, 0, 1000]);
        assert_eq!((left(&mut stage), boost(&stage, "a").frozen()), (0, 14));
        stage.denied("user:a", consume("requests", 1));
        stage.tell("a", after);
        assert_eq!((left(&mut stage), boost(&stage, "a").frozen()), (wanted, 0));
        assert_eq!(audit(&stage.records()), []);
    }
}

/// R2, R6, X3: what was reserved before a refund is committed all the same, and what is given back comes back to no more than is left.
#[test]
fn p9_a_refund_while_units_are_reserved() {
    for commits in [true, false] {
        let mut stage = spent(4);
        let used = stage.operations.last().expect("the use").id;
        let held = stage.done("user:a", reserve("requests", 6, 60)).id;
        stage.tell("a", [500, 0, 0]);
        assert_eq!(left(&mut stage), 0);
        let end = if commits {
            commit(held, 6)
        } else {
            Command::Release(Release { reservation: held })
        };
        stage.done("user:a", end);
        assert_eq!(left(&mut stage), if commits { 0 } else { 6 });
        stage.done("user:a", refund(used, None));
        assert_eq!(left(&mut stage), if commits { 4 } else { 10 });
        assert_eq!(audit(&stage.records()), []);
    }
}

/// P9: one that was used beyond its worth is closed, since nothing is owed, and rises again when the refund fails.
#[test]
fn p9_a_boost_that_was_closed_rises_again() {
    let mut stage = spent(6);
    stage.tell("a", [1000, 0, 0]);
    close(&mut stage);
    let books = &stage.home.accounts[&id("user:a")].books;
    assert!(books.closed_boosts.contains(&name("a")));
    stage.tell("a", [500, 0, 0]);
    assert_eq!(left(&mut stage), 4);
    close(&mut stage);
    stage.tell("a", [0, 0, 0]);
    assert_eq!(left(&mut stage), 14);
    assert_eq!(audit(&stage.records()), []);
}

/// P16: only its provider takes back what was bought.
#[test]
fn what_was_bought_is_not_taken_back_by_hand() {
    let mut stage = spent(0);
    let boost = name("a");
    let asked = Command::TakeBackBoost(TakeBackBoost {
        boost: boost.clone(),
    });
    let refused = stage.run("user:a", asked).map(drop);
    assert_eq!(refused, Err(PaymentMisfit::BoostBought(boost).into()));
    assert_eq!(left(&mut stage), 20);
}

/// O8: a boost goes along when its user moves, and what comes back of it afterwards lowers it there.
#[test]
fn a_bought_boost_moves_with_its_account() {
    let mut stage = spent(6);
    let mut org = Stage::org_alone("pro");
    relocated(&mut stage, &mut org);
    org.tell("a", [500, 0, 0]);
    let moved = boost(&org, "a");
    assert_eq!((moved.worth(), moved.used), (10, 6));
    assert_eq!(audit(&org.records()), []);
}

/// P18: beyond a thousand live purchases one waits, whatever the others are, and enters when nothing else pays.
#[test]
fn p18_a_boost_beyond_the_bound_waits_in_line() {
    let mut stage = spent(0);
    for number in 1..PURCHASES_MAX {
        stage.buy(&format!("p{number}"), 1, 10);
    }
    bought(&mut stage, "last", 7, 700);
    let wallet = stage.wallet();
    assert_eq!((wallet.free, wallet.waiting), (999, 0));
    assert_eq!(left(&mut stage), 20);
    stage.tell("last", [100, 0, 0]);
    stage.done("user:a", consume("requests", 20));
    stage.done("user:a", consume("requests", 6));
    assert_eq!(left(&mut stage), 0);
    assert_eq!(audit(&stage.records()), []);
}

#[derive(Debug, Clone)]
enum Step {
    Buy(u64, u64),
    Use(u64),
    Hold(u64),
    Settle(usize, u64),
    Tell(usize, [u64; 3]),
    Close,
}

fn a_step() -> impl Strategy<Value = Step> {
    let sum = || prop_oneof![Just(0_u64), 0_u64..400, Just(1_000)];
    prop_oneof![
        (1_u64..30, prop_oneof![Just(0_u64), Just(999), Just(1_000)])
            .prop_map(|(units, money)| Step::Buy(units, money)),
        (1_u64..12).prop_map(Step::Use),
        (1_u64..12).prop_map(Step::Hold),
        (0_usize..4, 0_u64..=3).prop_map(|(at, thirds)| Step::Settle(at, thirds)),
        (0_usize..4, [sum(), sum(), sum()]).prop_map(|(at, sums)| Step::Tell(at, sums)),
        Just(Step::Close),
    ]
}

proptest! {
    /// P6, P9, P11: whatever is used, held and told in whatever order, what is left of each boost is what its payment leaves of it, less
    /// what was taken; nothing is owed, and the books add up.
    #[test]
    fn p9_what_is_left_of_a_boost_is_what_its_payment_leaves(steps in prop::collection::vec(a_step(), 1..24)) {
        let mut stage = Stage::user("pro");
        stage.done("user:a", consume("requests", 10));
        let (mut paid, mut holds) = (Vec::new(), Vec::new());
        for step in steps {
            match step {
                Step::Buy(units, money) => {
                    bought(&mut stage, &paid.len().to_string(), units, money);
                    paid.push((units, money, [0; 3]));
                }
                Step::Use(units) => drop(stage.run("user:a", consume("requests", units))),
                Step::Hold(units) if units <= left(&mut stage) => {
                    holds.push((stage.done("user:a", reserve("requests", units, 600)).id, units));
                }
                Step::Settle(at, thirds) if at < holds.len() => {
                    let (held, units) = holds.remove(at);
                    let end = match units * thirds / 3 {
                        0 => Command::Release(Release { reservation: held }),
                        part => commit(held, part),
                    };
                    stage.done("user:a", end);
                }
                Step::Tell(at, sums) if at < paid.len() => {
                    stage.tell(&at.to_string(), sums);
                    paid[at].2 = sums;
                }
                Step::Hold(_) | Step::Settle(..) | Step::Tell(..) => {}
                Step::Close => close(&mut stage),
            }
            let mut wanted = 0;
            for (at, (units, money, sums)) in paid.iter().enumerate() {
                let back = facts(*sums);
                let claimed = (back.refunded + back.lost + back.disputed).min(*money);
                let claimed = (units * claimed).checked_div(*money).unwrap_or(0);
                let taken = boost(&stage, &at.to_string()).taken();
                wanted += (units - claimed).saturating_sub(taken);
            }
            prop_assert_eq!(left(&mut stage), wanted);
            prop_assert_eq!(stage.free_and_debt(), (0, 0));
            prop_assert_eq!(audit(&stage.records()), vec![]);
        }
    }
}

/// C13: where the pack lasts as long as the period that runs, there must be one when it is ordered.
#[test]
fn c13_a_boost_for_the_running_period_is_sold_while_one_runs() {
    let file: CatalogFile = toml::from_str(
        r#"
        [[feature]]
        code = "requests"
        name = "Requests"
        unit = "request"
        kind = "consumable"
        cadence = "monthly"

        [[pack]]
        code = "period"
        name = "20 requests in this period"
        boost = { feature = "requests", amount = 20 }
        price = 500
        provider_prices = { stripe = ["price_period"] }

        [[pack]]
        code = "week"
        name = "20 requests for a week"
        boost = { feature = "requests", amount = 20, days = 7 }
        price = 500
        provider_prices = { stripe = ["price_week"] }
        "#,
    )
    .expect("TOML");
    let catalog = Catalog::default().applied(&file).expect("a catalog");
    let stripe = ProviderCode::new("stripe").expect("a code");
    let ordered = |stage: &Stage, pack: &str, catalog: &Catalog| {
        let wanted = Wanted::Pack(quota_core::ids::PackCode::new(pack).expect("a code"));
        let terms = &stage.home.accounts[&id("user:a")].terms;
        let asked = (&wanted, Quantity::default(), None);
        let clock = (stage.now, crate::stage::GRACE);
        order(&stripe, asked, (terms, catalog), clock)
            .map(|order| (order.price, order.is_recurring))
    };
    let once = |price: &str| Ok((PriceId::new(price).expect("an id"), false));
    let alone = Stage::user("");
    assert_eq!(ordered(&alone, "week", &catalog), once("price_week"));
    let refused = ordered(&alone, "period", &catalog);
    assert!(
        matches!(refused, Err(OrderRefusal::NoPeriod(_))),
        "{refused:?}"
    );
    let mut subscribed = Stage::user("pro");
    let both = Catalog {
        packs: catalog.packs,
        ..subscribed.catalog.clone()
    };
    subscribed.catalog = both.clone();
    assert_eq!(ordered(&subscribed, "period", &both), once("price_period"));
}

/// O1: an org buys a boost as a user does, and its members draw on it.
#[test]
fn an_org_buys_a_boost_for_its_members() {
    let mut stage = Stage::org_alone("pro");
    stage.done("user:a", put_account(member()));
    stage.done("user:a", consume("requests", 10));
    stage.denied("user:a", consume("requests", 1));
    let asked = requests("a", 5, 100, stage.now);
    stage.done("org:o", Command::CreditPurchase(asked));
    stage.done("user:a", consume("requests", 5));
    stage.denied("user:a", consume("requests", 1));
    assert_eq!(audit(&stage.records()), []);
}
