//! Changes of plan to and fro: no unit is gained that was not paid for (S5, S11, S12, S13, E28, E43): situations 38 to 40 and 46.

use quota_core::command::{ChangePlan, UsageAfterChange};
use quota_core::ids::PlanCode;
use quota_core::provider::ProblemKind;
use quota_core::terms::Status;
use quota_service::billing::SubscriptionAsk;
use testkit::fake_stripe::{Card, Pay, Subscribe};

use crate::shop::{DAY, SHAPES, START, Shop, a_plan, account, at, to};

/// How often a plan is changed to and fro within one period.
const FLIPS: u64 = 100;

/// A shop in which ann is a customer with one subscription, ten days in, told of.
async fn ten_days_in(shape: testkit::fake_stripe::Shape, price: &str) -> (Shop, String, String) {
    let shop = Shop::open(shape).await;
    let customer = shop.customer("ann").await;
    let subscription = shop.fake.subscribe(&customer, &to(&[(price, 1)]));
    shop.pass_days(10);
    shop.deliver_pending().await;
    (shop, customer, subscription)
}

/// Situation 38 (S5, S11, E28): an upgrade that keeps the period counts use on; a hundred changes to and fro refill nothing, whether each is
/// told or only the last.
#[tokio::test]
async fn a_hundred_changes_within_a_period_gain_nothing() {
    for shape in SHAPES {
        for is_told in [true, false] {
            let (shop, _, subscription) = ten_days_in(shape, "price_pro").await;
            assert!(shop.spend("ann", 100).await);
            let mut used = 100;
            for flip in 0..FLIPS {
                let price = if flip % 2 == 0 {
                    "price_max"
                } else {
                    "price_pro"
                };
                shop.fake.change_price(&subscription, price, false);
                if is_told {
                    shop.deliver_pending().await;
                    let limit = if flip % 2 == 0 { 1_000 } else { 100 };
                    assert_eq!(shop.left("ann").await, limit.max(used) - used);
                    used += u64::from(shop.spend("ann", 2).await) * 2;
                }
            }
            shop.deliver_pending().await;
            let standing = shop.standing("ann").await;
            assert_eq!(standing.requests, (Some(100), used), "{shape:?} {is_told}");
            assert!(!shop.spend("ann", 1).await);
            let held = standing.held.expect("runs on");
            assert_eq!(
                (held.starts_at, held.ends_at),
                (at(START), at(START + 28 * DAY))
            );
        }
    }
}

/// Situation 38: the same by two subscriptions: the dearer one comes and goes, and the other's use is as it was left.
#[tokio::test]
async fn a_second_subscription_that_comes_and_goes_gains_nothing() {
    for shape in SHAPES {
        let (shop, customer, _) = ten_days_in(shape, "price_pro").await;
        assert!(shop.spend("ann", 100).await);
        for _ in 0..10 {
            shop.pass(60);
            let dearer = shop.fake.subscribe(&customer, &to(&[("price_max", 1)]));
            shop.deliver_pending().await;
            assert_eq!(shop.plan("ann").await.as_deref(), Some("max"));
            shop.pass(60);
            shop.fake.end(&dearer);
            shop.deliver_pending().await;
            let standing = shop.standing("ann").await;
            assert_eq!(standing.requests, (Some(100), 100), "{shape:?}");
        }
    }
}

/// Situation 39 (S5): an upgrade with a new period restarts, once for each.
#[tokio::test]
async fn an_upgrade_with_a_new_period_restarts() {
    for shape in SHAPES {
        let (shop, _, subscription) = ten_days_in(shape, "price_pro").await;
        assert!(shop.spend("ann", 100).await);
        shop.fake.change_price(&subscription, "price_max", true);
        shop.deliver_pending().await;
        let standing = shop.standing("ann").await;
        assert_eq!(standing.requests, (Some(1_000), 0));
        let held = standing.held.expect("runs on");
        assert_eq!(held.starts_at, at(START + 10 * DAY));
        assert!(shop.spend("ann", 7).await);
        let all: Vec<usize> = (0..shop.fake.events().len()).rev().collect();
        shop.deliver(&all).await;
        assert_eq!(shop.standing("ann").await.requests, (Some(1_000), 7));
    }
}

/// Situation 40 (S12): an upgrade whose card fails leaves the plan, the period and the use of what was paid for last, and acts when it is
/// paid.
#[tokio::test]
async fn an_upgrade_whose_card_fails_leaves_what_was_paid_for() {
    for shape in SHAPES {
        for begins_period in [false, true] {
            let (shop, customer, subscription) = ten_days_in(shape, "price_pro").await;
            assert!(shop.spend("ann", 90).await);
            let before = shop.held("ann").await;
            shop.fake.set_card(&customer, Card::Declined);
            shop.fake
                .change_price(&subscription, "price_max", begins_period);
            shop.deliver_pending().await;
            let standing = shop.standing("ann").await;
            assert_eq!(
                standing.requests,
                (Some(100), 90),
                "{shape:?} {begins_period}"
            );
            let held = standing.held.expect("runs on");
            assert_eq!((held.plan.as_str(), held.status), ("pro", Status::PastDue));
            assert_eq!(
                (held.starts_at, held.ends_at),
                (before.starts_at, before.ends_at)
            );
            shop.pass_days(1);
            shop.fake.set_card(&customer, Card::Good);
            shop.fake.retry_payment(&subscription);
            shop.deliver_pending().await;
            let standing = shop.standing("ann").await;
            let used = if begins_period { 0 } else { 90 };
            assert_eq!(standing.requests, (Some(1_000), used));
        }
    }
}

/// Situation 40 (S11, S12): the same for a plan that grants when it is paid: what was paid for goes on.
#[tokio::test]
async fn an_unpaid_upgrade_leaves_a_plan_that_was_paid_first() {
    for shape in SHAPES {
        for begins_period in [false, true] {
            let (shop, customer, subscription) = ten_days_in(shape, "price_paid").await;
            assert!(shop.spend("ann", 90).await);
            shop.fake.set_card(&customer, Card::Declined);
            shop.fake
                .change_price(&subscription, "price_max", begins_period);
            shop.deliver_pending().await;
            assert_eq!(shop.plan("ann").await.as_deref(), Some("paid"), "{shape:?}");
            assert_eq!(shop.standing("ann").await.requests, (Some(200), 90));
        }
    }
}

/// Situation 40: a hundred upgrades that are never paid give no new period.
#[tokio::test]
async fn unpaid_upgrades_give_no_new_period() {
    for shape in SHAPES {
        let (shop, customer, subscription) = ten_days_in(shape, "price_pro").await;
        assert!(shop.spend("ann", 100).await);
        shop.fake.set_card(&customer, Card::Declined);
        for flip in 0..FLIPS {
            let price = if flip % 2 == 0 {
                "price_max"
            } else {
                "price_pro"
            };
            shop.pass(60);
            shop.fake.change_price(&subscription, price, true);
            shop.deliver_pending().await;
            assert!(!shop.spend("ann", 1).await, "{shape:?} {flip}");
        }
    }
}

/// Situation 40: a change that waits for its payment at Stripe changes nothing, and ends either way.
#[tokio::test]
async fn a_pending_update_changes_nothing_until_it_is_paid() {
    for shape in SHAPES {
        for is_paid in [true, false] {
            let (shop, customer, subscription) = ten_days_in(shape, "price_pro").await;
            let before = shop.standing("ann").await;
            shop.fake.set_card(&customer, Card::Declined);
            shop.tick();
            let ask = SubscriptionAsk::ChangePlan(ChangePlan {
                plan: PlanCode::new("max").expect("a plan"),
                when: None,
                usage: UsageAfterChange::default(),
            });
            let ann = account("ann");
            let asked = shop.billing.change_at_provider(&ann, &ask, "k-1").await;
            asked.expect("is asked").expect("is the provider's");
            shop.deliver_pending().await;
            assert_eq!(shop.standing("ann").await.held, before.held);
            shop.fake.pending_update_ends(&subscription, is_paid);
            shop.fake.set_card(&customer, Card::Good);
            shop.fake.retry_payment(&subscription);
            shop.deliver_pending().await;
            let plan = shop.plan("ann").await;
            assert_eq!(plan.as_deref(), Some(if is_paid { "max" } else { "pro" }));
        }
    }
}

/// Situation 46 (S13): who had a trial is offered none by our checkout; one that is given elsewhere is listed for as long as it runs.
#[tokio::test]
async fn a_trial_is_given_once() {
    for shape in SHAPES {
        let shop = Shop::open(shape).await;
        shop.user("ann").await;
        let session = shop.check_out("ann", a_plan("tried"), 1).await;
        shop.fake.pay(&session, &Pay::by(Card::Good));
        shop.deliver_pending().await;
        let trial = shop.held("ann").await;
        assert_eq!(
            (trial.status, trial.ends_at),
            (Status::Trialing, at(START + 14 * DAY))
        );
        assert_eq!(shop.problems().await.len(), 0);
        let first = shop.fake.object(&session)["subscription"].clone();
        shop.pass_days(1);
        shop.fake.end(first.as_str().expect("a subscription"));
        shop.deliver_pending().await;
        assert_eq!(shop.plan("ann").await, None);
        let session = shop.check_out("ann", a_plan("tried"), 1).await;
        shop.fake.pay(&session, &Pay::by(Card::Good));
        shop.deliver_pending().await;
        let paid = shop.held("ann").await;
        assert_eq!((paid.status, paid.is_in_force), (Status::Active, true));
        let second = shop.fake.object(&session)["subscription"].clone();
        shop.fake.end(second.as_str().expect("a subscription"));
        shop.pass_days(1);
        let customer = shop.customers("ann").await.remove(0);
        let trial = Subscribe {
            items: &[("price_tried", 1)],
            trial_days: 14,
            ..Subscribe::default()
        };
        shop.fake.subscribe(&customer, &trial);
        for _ in 0..3 {
            shop.deliver_pending().await;
            shop.sync_customer(&customer).await;
            assert_eq!(shop.problem_kinds().await, [ProblemKind::SecondTrial]);
        }
        shop.pass_days(15);
        shop.deliver_pending().await;
        assert_eq!(shop.problems().await.len(), 0);
    }
}

/// Situation 45 (P12): who cannot pay one plan and buys a cheaper one has that once the grace of the first is over, whatever becomes of the
/// first.
#[tokio::test]
async fn what_is_late_beyond_its_grace_is_in_nobodys_way() {
    for shape in SHAPES {
        let shop = Shop::open(shape).await;
        let customer = shop.customer("ann").await;
        shop.fake.subscribe(&customer, &to(&[("price_max", 1)]));
        shop.deliver_pending().await;
        shop.fake.set_card(&customer, Card::Declined);
        shop.pass(28 * DAY + 3_600);
        shop.deliver_pending().await;
        assert_eq!(shop.held("ann").await.status, Status::PastDue);
        shop.fake.set_card(&customer, Card::Good);
        shop.fake.subscribe(&customer, &to(&[("price_pro", 1)]));
        shop.fake.set_card(&customer, Card::Declined);
        shop.deliver_pending().await;
        assert_eq!(
            shop.plan("ann").await.as_deref(),
            Some("max"),
            "within the grace"
        );
        // The dunning goes on for two weeks.
        for day in 4..14 {
            shop.pass_days(if day == 4 { 4 } else { 1 });
            shop.deliver_pending().await;
            shop.full_sync().await;
            let plan = shop.plan("ann").await;
            assert_eq!(plan.as_deref(), Some("pro"), "{shape:?} {day}");
        }
    }
}
