//! Boosts that are sold: bought, told in whatever order, refunded and disputed (C13, P1, P6, P8, P9, P11, P14).

use quota_core::ids::FeatureCode;
use quota_core::payment::PaymentStatus;
use quota_core::ports::{PaymentPage, PaymentStore};
use quota_core::provider::{ObjectKind, OrderRefusal, ProblemKind};
use quota_service::billing::CheckoutError;
use testkit::fake_stripe::{Card, Pay, RefundAs};

use crate::shop::{DAY, SHAPES, START, Shop, a_pack, a_plan, account, at, order};

/// Each boost: its id, what it is worth, what is used of it, what is frozen.
async fn boosts(shop: &Shop) -> Vec<(String, u64, u64, u64)> {
    let boosts = shop.engine.boosts(&account("ann")).await.expect("is read");
    let boosts = boosts.iter().map(|one| {
        let id = one.bucket.to_string();
        let id = id.strip_prefix("boost:requests:").expect("of requests");
        (id.to_owned(), one.worth(), one.used, one.frozen())
    });
    boosts.collect()
}

async fn bought(shop: &Shop, pack: &str, quantity: u32) -> (String, String) {
    let session = shop.buy("ann", pack, quantity).await;
    shop.deliver_pending().await;
    let intent = shop.fake.intent_of(&session);
    (session, intent)
}

/// P1, P6, P8: three times twenty requests, once, whatever tells of the payment and however often; the history says what it bought.
#[tokio::test]
async fn p1_a_boost_that_was_paid_is_given_once_whatever_tells_of_it() {
    for shape in SHAPES {
        let shop = Shop::open(shape).await;
        shop.user("ann").await;
        let (session, intent) = bought(&shop, "extra", 3).await;
        let given = boosts(&shop).await;
        assert_eq!(given.len(), 1);
        assert_eq!((given[0].1, given[0].2), (60, 0));
        let places: Vec<usize> = (0..shop.fake.events().len()).rev().collect();
        shop.deliver(&places).await;
        shop.sync_payment(ObjectKind::Session, &session).await;
        shop.sync_payment(ObjectKind::Intent, &intent).await;
        assert_eq!(boosts(&shop).await, given);
        assert!(shop.spend("ann", 60).await && !shop.spend("ann", 1).await);
        let page = PaymentPage {
            account: account("ann"),
            after: None,
            limit: 10,
        };
        let payments = shop.store.payments(&page).await.expect("is read");
        let [payment] = payments.as_slice() else {
            panic!("one payment: {payments:?}");
        };
        let [line] = payment.lines.as_slice() else {
            panic!("one line: {payment:?}");
        };
        let requests = FeatureCode::new("requests").expect("a code");
        assert_eq!(
            (line.credits.get(), line.boost.as_ref()),
            (60, Some(&requests))
        );
        assert_eq!(
            line.expires_at.map(|end| end > at(START + 30 * DAY)),
            Some(true)
        );
        let standing = shop.standing("ann").await;
        assert_eq!(
            (standing.free, standing.debt, standing.grants.len()),
            (0, 0, 0)
        );
        assert_eq!(standing.problems, []);
    }
}

/// P9, P11: refunds lower it by their sum, disputes freeze it, both give it back; what was used is owed by nobody.
#[tokio::test]
async fn p9_what_comes_back_lowers_a_boost() {
    for shape in SHAPES {
        let shop = Shop::open(shape).await;
        shop.user("ann").await;
        let (session, intent) = bought(&shop, "extra", 1).await;
        let id = boosts(&shop).await[0].0.clone();
        assert_eq!(id.split(':').nth(1), Some(session.as_str()));
        assert!(shop.spend("ann", 6).await);
        let refund = shop.fake.refund(&intent, 250, RefundAs::FailsAfterDays(9));
        refund.expect("so much is left");
        shop.deliver_pending().await;
        assert_eq!(boosts(&shop).await, [(id.clone(), 15, 6, 0)]);
        shop.pass_days(10);
        shop.deliver_pending().await;
        assert_eq!(boosts(&shop).await, [(id.clone(), 20, 6, 0)]);
        let dispute = shop.fake.dispute(&intent, 1_000, "needs_response");
        shop.deliver_pending().await;
        assert_eq!(boosts(&shop).await, [(id.clone(), 20, 6, 14)]);
        assert!(!shop.spend("ann", 1).await);
        shop.fake.dispute_becomes(&dispute, "lost");
        shop.deliver_pending().await;
        assert_eq!(boosts(&shop).await, [(id.clone(), 0, 6, 0)]);
        assert!(!shop.spend("ann", 1).await);
        let standing = shop.standing("ann").await;
        assert_eq!(standing.debt, 0);
        assert_eq!(standing.payments[0].1, PaymentStatus::Lost);
    }
}

/// C13: a boost of the period that runs is sold while one runs, and ends with it.
#[tokio::test]
async fn c13_a_boost_for_the_running_period_needs_one() {
    for shape in SHAPES {
        let shop = Shop::open(shape).await;
        shop.user("ann").await;
        let early = shop
            .billing
            .check_out(&order("ann", a_pack("soon"), 1, 0))
            .await;
        let Err(CheckoutError::Refused { refusal, .. }) = early else {
            panic!("it is refused: {early:?}");
        };
        assert!(matches!(refusal, OrderRefusal::NoPeriod(_)), "{refusal}");
        let session = shop.check_out("ann", a_plan("pro"), 1).await;
        shop.fake.pay(&session, &Pay::by(Card::Good));
        shop.deliver_pending().await;
        bought(&shop, "soon", 1).await;
        let given = shop.engine.boosts(&account("ann")).await.expect("is read");
        let period_end = shop.held("ann").await.ends_at;
        assert_eq!(given[0].ends_at, Some(period_end));
        assert!(shop.spend("ann", 120).await && !shop.spend("ann", 1).await);
    }
}

/// P14: a boost that somebody unknown bought is listed, and given to whom the customer is linked.
#[tokio::test]
async fn p14_a_boost_of_nobody_waits_for_its_account() {
    for shape in SHAPES {
        let shop = Shop::open(shape).await;
        shop.user("ann").await;
        let customer = shop.fake.customer(Card::Good);
        let invoice = shop.fake.invoice(&customer, &[("price_extra", 1)]);
        shop.fake.pay_outside(&invoice);
        shop.deliver_pending().await;
        assert!(
            shop.problem_kinds()
                .await
                .contains(&ProblemKind::UnknownPayer)
        );
        shop.link(&customer, "ann").await;
        let given = boosts(&shop).await;
        assert_eq!((given.len(), given[0].1), (1, 20));
        assert_eq!(shop.problems().await.len(), 0);
    }
}
