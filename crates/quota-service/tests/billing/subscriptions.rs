//! A subscription is what the provider says, in any order (P6, P12, S1, S2, S6, S8, S10 to S12): situations 8 to 10, 35 to 37, 41 to 45, 59
//! and 64.

use chrono::{Months, TimeDelta};
use quota_core::provider::ProblemKind;
use quota_core::terms::Status;
use quota_service::prelude::Consume;
use testkit::fake_stripe::{Card, EndBy};

use crate::shop::{DAY, SHAPES, START, Shop, at, to};

/// A shop in which ann is a customer with one subscription, told of.
async fn subscribed(
    shape: testkit::fake_stripe::Shape,
    items: &[(&str, i64)],
) -> (Shop, String, String) {
    let shop = Shop::open(shape).await;
    let customer = shop.customer("ann").await;
    let subscription = shop.fake.subscribe(&customer, &to(items));
    shop.deliver_pending().await;
    (shop, customer, subscription)
}

/// The events that wait to be told, not told yet.
fn kept_back(shop: &Shop) -> Vec<usize> {
    let places = shop.pending();
    shop.fake.drop_pending();
    places
}

/// Situation 8 (P6): after a subscription was deleted, a late word that it is active changes nothing.
#[tokio::test]
async fn what_was_deleted_stays_so_whatever_comes_late() {
    for shape in SHAPES {
        let (shop, _, subscription) = subscribed(shape, &[("price_pro", 1)]).await;
        shop.fake.change_price(&subscription, "price_max", true);
        let late = kept_back(&shop);
        shop.pass(60);
        shop.fake.end(&subscription);
        shop.deliver_pending().await;
        let ended = shop.standing("ann").await;
        let held = ended.held.clone().expect("there was one");
        assert_eq!((held.status, held.is_in_force), (Status::Canceled, false));
        shop.deliver(&late).await;
        assert_eq!(shop.standing("ann").await.held, ended.held);
        assert!(!shop.spend("ann", 1).await);
    }
}

/// Situation 9 (P12): who resubscribed keeps the new subscription when the end of the old one is told.
#[tokio::test]
async fn the_end_of_an_old_subscription_leaves_the_new_one() {
    for shape in SHAPES {
        let (shop, customer, old) = subscribed(shape, &[("price_max", 1)]).await;
        shop.fake.end(&old);
        let late = kept_back(&shop);
        shop.pass(60);
        shop.fake.subscribe(&customer, &to(&[("price_pro", 1)]));
        shop.deliver_pending().await;
        let new = shop.standing("ann").await;
        assert_eq!(shop.plan("ann").await.as_deref(), Some("pro"));
        shop.deliver(&late).await;
        assert_eq!(shop.standing("ann").await, new);
        assert_eq!(shop.problems().await.len(), 0);
    }
}

/// Situation 10 (P6): the invoice is told to be paid before its subscription is told to be there.
#[tokio::test]
async fn an_invoice_before_its_subscription_comes_to_the_same() {
    for shape in SHAPES {
        for is_reversed in [false, true] {
            let shop = Shop::open(shape).await;
            let customer = shop.customer("ann").await;
            shop.fake.subscribe(&customer, &to(&[("price_paid", 1)]));
            let mut told = kept_back(&shop);
            if is_reversed {
                told.reverse();
            }
            shop.deliver(&told).await;
            let held = shop.held("ann").await;
            assert_eq!((held.plan.as_str(), held.status), ("paid", Status::Active));
            assert_eq!(
                (held.starts_at, held.ends_at),
                (at(START), at(START + 28 * DAY))
            );
            assert!(held.is_in_force, "{shape:?} {is_reversed}");
        }
    }
}

/// Situation 35 (P12): of two live subscriptions the dearer counts, with a problem listed; only its own end ends it.
#[tokio::test]
async fn of_two_live_subscriptions_the_dearer_counts() {
    for shape in SHAPES {
        let (shop, customer, max) = subscribed(shape, &[("price_max", 1)]).await;
        shop.pass_days(1);
        let pro = shop.fake.subscribe(&customer, &to(&[("price_pro", 1)]));
        shop.deliver_pending().await;
        assert_eq!(shop.plan("ann").await.as_deref(), Some("max"));
        assert_eq!(
            shop.problem_kinds().await,
            [ProblemKind::SeveralSubscriptions]
        );
        shop.fake.end_with_period(&pro, EndBy::Flag);
        shop.deliver_pending().await;
        assert_eq!(shop.held("ann").await.cancel_at, None, "that of the other");
        shop.fake.end(&max);
        shop.deliver_pending().await;
        assert_eq!(shop.plan("ann").await.as_deref(), Some("pro"));
        assert_eq!(shop.problems().await.len(), 0);
    }
}

/// Situation 36 (P12): a price that the catalog does not know leaves the plan as it was, and is listed until it is known.
#[tokio::test]
async fn an_unknown_price_changes_nothing_and_is_listed() {
    for shape in SHAPES {
        let (shop, customer, subscription) = subscribed(shape, &[("price_pro", 1)]).await;
        let before = shop.standing("ann").await;
        shop.pass(60);
        shop.fake.change_price(&subscription, "price_other", false);
        shop.deliver_pending().await;
        let after = shop.standing("ann").await;
        assert_eq!((after.held, after.requests), (before.held, before.requests));
        let kinds = shop.problem_kinds().await;
        assert_eq!(kinds, [ProblemKind::UnknownPrice]);
        shop.fake.change_price(&subscription, "price_max", false);
        shop.deliver_pending().await;
        assert_eq!(shop.plan("ann").await.as_deref(), Some("max"));
        assert_eq!(shop.problems().await.len(), 0);
        // A new one of an unknown price gives nothing.
        shop.fake.end(&subscription);
        shop.fake.subscribe(&customer, &to(&[("price_other", 1)]));
        shop.deliver_pending().await;
        assert_eq!(shop.plan("ann").await, None);
    }
}

/// Situation 37: a price that is changed in the dashboard is followed; another price of the same plan is the same plan.
#[tokio::test]
async fn a_price_that_is_changed_elsewhere_is_followed() {
    for shape in SHAPES {
        let (shop, _, subscription) = subscribed(shape, &[("price_pro", 1)]).await;
        let pro = shop.held("ann").await;
        assert!(shop.spend("ann", 40).await);
        shop.fake
            .change_price(&subscription, "price_pro_of_old", false);
        shop.deliver_pending().await;
        assert_eq!(shop.held("ann").await, pro);
        shop.fake.change_price(&subscription, "price_max", false);
        shop.deliver_pending().await;
        let standing = shop.standing("ann").await;
        assert_eq!(standing.requests, (Some(1_000), 40));
        shop.pass(60);
        shop.fake
            .change_price(&subscription, "price_pro_year", false);
        shop.deliver_pending().await;
        let yearly = shop.held("ann").await;
        assert_eq!(yearly.plan, "pro");
        assert_eq!(yearly.ends_at - yearly.starts_at, TimeDelta::days(365));
    }
}

/// Situation 41 (S5): the portal's downgrade is listed as scheduled, and acts at the period's end; it may be taken back.
#[tokio::test]
async fn a_downgrade_in_the_portal_is_scheduled_and_acts_at_the_end() {
    for shape in SHAPES {
        let (shop, _, subscription) = subscribed(shape, &[("price_max", 1)]).await;
        assert!(shop.spend("ann", 300).await);
        shop.fake
            .change_price_at_period_end(&subscription, "price_pro");
        shop.deliver_pending().await;
        let held = shop.held("ann").await;
        let scheduled = held.scheduled.expect("is scheduled");
        assert_eq!(
            (scheduled.plan.as_str(), scheduled.at),
            ("pro", held.ends_at)
        );
        assert_eq!(shop.left("ann").await, 700);
        shop.pass_days(28);
        shop.deliver_pending().await;
        let after = shop.standing("ann").await;
        let held = after.held.expect("runs on");
        assert_eq!((held.plan.as_str(), held.scheduled), ("pro", None));
        assert_eq!(after.requests, (Some(100), 0));
        assert_eq!(after.problems, []);
    }
}

/// Situation 42 (S6, C12): fewer seats than are used take nothing away, and give nothing more.
#[tokio::test]
async fn fewer_seats_than_are_used_take_nothing_away() {
    for shape in SHAPES {
        let (shop, _, subscription) = subscribed(shape, &[("price_team", 5)]).await;
        let occupy = |number| Consume::of("projects", number);
        let taken = shop.engine.consume("user:ann", occupy(4)).await;
        assert!(taken.expect("is decided").is_allowed());
        shop.fake.change_quantity(&subscription, 3);
        shop.deliver_pending().await;
        assert_eq!(shop.held("ann").await.seats, 3);
        let more = shop.engine.consume("user:ann", occupy(1)).await;
        assert!(!more.expect("is decided").is_allowed());
        shop.fake.change_quantity(&subscription, 5);
        shop.deliver_pending().await;
        let more = shop.engine.consume("user:ann", occupy(1)).await;
        assert!(more.expect("is decided").is_allowed());
        let beyond = shop.engine.consume("user:ann", occupy(1)).await;
        assert!(!beyond.expect("is decided").is_allowed());
    }
}

/// Situation 43 (S8, E42): an end that is set and taken back leaves use and period; however it was set.
#[tokio::test]
async fn an_end_that_is_taken_back_leaves_everything() {
    for shape in SHAPES {
        for by in [EndBy::Flag, EndBy::Instant] {
            let (shop, _, subscription) = subscribed(shape, &[("price_pro", 1)]).await;
            assert!(shop.spend("ann", 40).await);
            let before = shop.standing("ann").await;
            shop.fake.end_with_period(&subscription, by);
            shop.deliver_pending().await;
            let set = shop.held("ann").await;
            assert_eq!(set.cancel_at, Some(set.ends_at), "{shape:?} {by:?}");
            shop.fake.go_on(&subscription);
            shop.deliver_pending().await;
            let on = shop.standing("ann").await;
            assert_eq!((on.held, on.requests), (before.held, before.requests));
            shop.pass_days(28);
            shop.deliver_pending().await;
            assert_eq!(shop.left("ann").await, 100);
        }
    }
}

/// Situation 44: an end in the middle of a period, or beyond it, is that instant, with nobody telling.
#[tokio::test]
async fn an_end_at_an_instant_comes_at_that_instant() {
    for shape in SHAPES {
        for days in [10, 40] {
            let (shop, _, subscription) = subscribed(shape, &[("price_pro", 1)]).await;
            let end = START + days * DAY;
            shop.fake.end_at(&subscription, end);
            shop.deliver_pending().await;
            assert_eq!(shop.held("ann").await.cancel_at, Some(at(end)));
            if 28 < days {
                shop.pass(28 * DAY + 3_600);
                shop.deliver_pending().await;
                assert_eq!(shop.held("ann").await.cancel_at, Some(at(end)));
            }
            shop.clock.set(at(end) - TimeDelta::seconds(1));
            assert!(shop.spend("ann", 1).await);
            shop.clock.set(at(end));
            assert!(!shop.spend("ann", 1).await);
            shop.fake.advance_to(end);
            shop.deliver_pending().await;
            let held = shop.held("ann").await;
            assert_eq!((held.status, held.is_in_force), (Status::Canceled, false));
        }
    }
}

/// Situation 45 (S1, S2): a renewal whose bank asks for the customer is past due from its failure on, within the grace, and recovers
/// with period and use untouched; without, it ends with the grace.
#[tokio::test]
async fn a_renewal_that_needs_the_customer_runs_in_grace_and_recovers() {
    for shape in SHAPES {
        for recovers in [true, false] {
            let (shop, customer, subscription) = subscribed(shape, &[("price_pro", 1)]).await;
            shop.fake.set_card(&customer, Card::NeedsCustomer);
            shop.pass(28 * DAY + 3_600);
            shop.deliver_pending().await;
            let late = shop.held("ann").await;
            assert_eq!((late.status, late.is_in_force), (Status::PastDue, true));
            assert!(shop.spend("ann", 60).await);
            let days = if recovers { 2 } else { 3 };
            shop.pass(days * DAY + 1);
            let is_allowed = shop.spend("ann", 1).await;
            assert_eq!(is_allowed, recovers, "the grace is three days");
            if recovers {
                let invoice = shop.fake.object(&subscription)["latest_invoice"].clone();
                let intent = shop.fake.intent_of(invoice.as_str().expect("an invoice"));
                shop.fake.payment_ends(&intent, true);
                shop.deliver_pending().await;
                let held = shop.held("ann").await;
                assert_eq!(held.status, Status::Active);
                assert_eq!(
                    (held.starts_at, held.ends_at),
                    (late.starts_at, late.ends_at)
                );
                assert_eq!(shop.left("ann").await, 39);
            }
        }
    }
}

/// Situation 59: our clock is ten minutes off, ahead or behind, and each period begins by it, with nothing lost and nothing twice.
#[tokio::test]
async fn a_clock_that_is_off_comes_to_the_same() {
    for shape in SHAPES {
        for minutes in [-10, 10] {
            let (shop, _, subscription) = subscribed(shape, &[("price_pro", 1)]).await;
            shop.pass_days(20);
            assert!(shop.spend("ann", 100).await);
            shop.fake.advance_to(START + 28 * DAY);
            shop.clock.set(at(shop.fake.now() + minutes * 60));
            shop.deliver_pending().await;
            let early = shop.engine.now() < at(START + 28 * DAY);
            assert_eq!(shop.left("ann").await, if early { 0 } else { 100 });
            shop.clock.set(at(shop.fake.now() + 3_700));
            shop.full_sync().await;
            assert_eq!(shop.left("ann").await, 100, "{shape:?} {minutes}");
            let held = shop.held("ann").await;
            assert_eq!(held.starts_at, at(START + 28 * DAY));
            shop.fake.end(&subscription);
            shop.deliver_pending().await;
            assert_eq!(shop.plan("ann").await, None);
        }
    }
}

/// Situation 64 (W2): from 31 January on the periods are Stripe's own, told each month or not at all for a month.
#[tokio::test]
async fn the_31st_of_january_is_the_anchor_of_both() {
    for shape in SHAPES {
        let (shop, _, _) = subscribed(shape, &[("price_pro", 1)]).await;
        for month in 1..=12 {
            let held = shop.held("ann").await;
            shop.clock.set(held.ends_at);
            let unheard = shop.held("ann").await;
            shop.fake.advance_to(held.ends_at.timestamp());
            shop.deliver_pending().await;
            let told = shop.held("ann").await;
            assert_eq!(
                (unheard.starts_at, unheard.ends_at),
                (told.starts_at, told.ends_at)
            );
            assert_eq!(told.starts_at, at(START) + Months::new(month), "{shape:?}");
            shop.pass(3_600);
            shop.deliver_pending().await;
        }
    }
}
