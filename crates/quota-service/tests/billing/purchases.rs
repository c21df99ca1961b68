//! What is paid is credited once, and nothing else is (P1, P3, P7, P8, P17): situations 1 to 7, 22 to 29, 50, 55 and 63.

use futures::future::join_all;
use quota_core::payment::PaymentStatus;
use quota_core::provider::{ObjectKind, ProblemKind};
use quota_service::billing::Synced;
use serde_json::json;
use testkit::fake_stripe::{Card, Pay};

use crate::sessions::Opened;
use crate::shop::{SHAPES, Shop, a_pack, a_plan, account, at, object};

/// A session that is completed and not paid, with the events that told of it; its intent and itself.
async fn paid_late(shop: &Shop) -> (String, String) {
    let session = shop.check_out("ann", a_pack("small"), 1).await;
    shop.fake.pay(&session, &Pay::by(Card::Late));
    let intent = shop.fake.intent_of(&session);
    (session, intent)
}

/// Situation 1 (P1): the same event five times at once has one effect, and so has the payment synced five times at once.
#[tokio::test]
async fn the_same_event_many_times_at_once_has_one_effect() {
    for shape in SHAPES {
        let shop = Shop::open(shape).await;
        shop.user("ann").await;
        let session = shop.buy("ann", "small", 1).await;
        let told = shop.pending();
        join_all((0..5).map(|_| shop.take(&told))).await;
        join_all((0..5).map(|_| shop.work())).await;
        join_all((0..5).map(|_| shop.sync_payment(ObjectKind::Session, &session))).await;
        shop.deliver(&told).await;
        let standing = shop.standing("ann").await;
        assert_eq!(standing.free, 100);
        assert_eq!(standing.grants.len(), 1, "{:?}", standing.grants);
        let paid = (session, PaymentStatus::Paid, 1_000);
        assert_eq!(standing.payments, [paid]);
        assert_eq!(standing.problems, []);
    }
}

/// Situation 2 (P1): two endpoints tell of one payment by two events; the second one names ids only.
#[tokio::test]
async fn two_endpoints_are_two_events_and_one_grant() {
    for shape in SHAPES {
        let mut shop = Shop::open(shape).await;
        shop.user("ann").await;
        shop.buy("ann", "small", 1).await;
        let told = shop.pending();
        shop.deliver(&told).await;
        let one = shop.standing("ann").await;
        shop.endpoint.is_thin = true;
        shop.deliver(&told).await;
        assert_eq!(shop.standing("ann").await, one);
        assert_eq!((one.free, one.grants.len()), (100, 1));
    }
}

/// Situations 3 and 4 (P7): by its session, invoice, intent or charge, alone and one after the other, it is one payment; a session that makes an
/// invoice is none more.
#[tokio::test]
async fn a_payment_is_one_by_whichever_of_its_objects_it_is_told() {
    for shape in SHAPES {
        for with_invoice in [false, true] {
            let shop = Shop::open(shape).await;
            let customer = shop.customer("ann").await;
            let opened = Opened {
                with_invoice,
                ..Opened::purchase(&[("price_small", 1)])
            };
            let session = shop.session(&customer, &opened).await;
            shop.fake.pay(&session, &Pay::by(Card::Good));
            let intent = shop.fake.intent_of(&session);
            let charge = shop.fake.object(&intent)["latest_charge"].clone();
            let mut objects = vec![
                (
                    ObjectKind::Charge,
                    charge.as_str().expect("paid").to_owned(),
                ),
                (ObjectKind::Intent, intent),
                (ObjectKind::Session, session.clone()),
            ];
            let invoice = shop.fake.object(&session)["invoice"].clone();
            let invoice = invoice
                .as_str()
                .map(|id| (ObjectKind::Invoice, id.to_owned()));
            assert_eq!(invoice.is_some(), with_invoice);
            objects.extend(invoice);
            for (kind, id) in &objects {
                shop.sync_payment(*kind, id).await;
                let standing = shop.standing("ann").await;
                assert_eq!(standing.free, 100, "{shape:?} by {id}");
                let paid = (session.clone(), PaymentStatus::Paid, 1_000);
                assert_eq!(standing.payments, [paid]);
            }
            shop.deliver_pending().await;
            assert_eq!(shop.free_and_debt("ann").await, (100, 0));
            assert_eq!(shop.problems().await.len(), 0);
        }
    }
}

/// Situations 5 and 6 (P1, P8): completed is not paid. A debit credits when the money comes, and never if it does not.
#[tokio::test]
async fn a_session_that_is_completed_is_not_paid_before_the_money_comes() {
    for shape in SHAPES {
        for comes in [true, false] {
            let shop = Shop::open(shape).await;
            shop.user("ann").await;
            let (_, intent) = paid_late(&shop).await;
            shop.deliver_pending().await;
            let waiting = shop.standing("ann").await;
            assert_eq!((waiting.free, waiting.grants.len()), (0, 0));
            assert_eq!(waiting.payments[0].1, PaymentStatus::Pending);
            shop.pass_days(4);
            shop.fake.payment_ends(&intent, comes);
            shop.deliver_pending().await;
            let ended = shop.standing("ann").await;
            let expected = if comes {
                (100, PaymentStatus::Paid)
            } else {
                (0, PaymentStatus::Failed)
            };
            assert_eq!((ended.free, ended.payments[0].1), expected);
            assert_eq!(ended.problems, []);
        }
    }
}

/// Situation 7 (P6): the success of a debit is told before its session was told to be completed.
#[tokio::test]
async fn a_success_that_is_told_before_its_session_credits_once() {
    for shape in SHAPES {
        let shop = Shop::open(shape).await;
        shop.user("ann").await;
        let (_, intent) = paid_late(&shop).await;
        let early = shop.pending();
        shop.fake.drop_pending();
        shop.fake.payment_ends(&intent, true);
        shop.deliver_pending().await;
        assert_eq!(shop.free_and_debt("ann").await, (100, 0));
        shop.deliver(&early).await;
        assert_eq!(shop.free_and_debt("ann").await, (100, 0));
        assert_eq!(shop.standing("ann").await.payments.len(), 1);
    }
}

/// Situation 22 (P8, E26): a coupon of 100 % leaves no intent, and credits all the same.
#[tokio::test]
async fn a_pack_for_nothing_is_credited() {
    for shape in SHAPES {
        let shop = Shop::open(shape).await;
        shop.user("ann").await;
        let session = shop.check_out("ann", a_pack("small"), 1).await;
        let free = Pay {
            discount_percent: 100,
            ..Pay::default()
        };
        shop.fake.pay(&session, &free);
        assert_eq!(shop.fake.pays(&session), None, "nothing pays it");
        shop.deliver_pending().await;
        let standing = shop.standing("ann").await;
        assert_eq!(standing.free, 100);
        assert_eq!(standing.payments, [(session, PaymentStatus::Paid, 0)]);
    }
}

/// Situation 23 (S11): an invoice over nothing is a paid one, also for a plan that grants when it is paid.
#[tokio::test]
async fn an_invoice_over_nothing_is_paid() {
    for shape in SHAPES {
        let shop = Shop::open(shape).await;
        shop.user("ann").await;
        let session = shop.check_out("ann", a_plan("paid"), 1).await;
        let free = Pay {
            discount_percent: 100,
            ..Pay::default()
        };
        shop.fake.pay(&session, &free);
        shop.deliver_pending().await;
        assert_eq!(shop.plan("ann").await.as_deref(), Some("paid"), "{shape:?}");
        let standing = shop.standing("ann").await;
        assert_eq!(standing.payments.len(), 1);
        assert_eq!(standing.payments[0].1, PaymentStatus::Paid);
        assert_eq!(standing.free, 0);
    }
}

/// Situation 24 (P8): three packs are credited thrice, with one grant.
#[tokio::test]
async fn three_packs_are_credited_thrice() {
    for shape in SHAPES {
        let shop = Shop::open(shape).await;
        shop.user("ann").await;
        shop.buy("ann", "small", 3).await;
        shop.deliver_pending().await;
        assert_eq!(shop.free_and_debt("ann").await, (300, 0));
        shop.deliver(&[0, 1, 2]).await;
        assert_eq!(shop.free_and_debt("ann").await, (300, 0));
    }
}

/// Situation 25 (P8): a pack beside a plan in one checkout is credited with the invoice of both; the renewal credits none.
#[tokio::test]
async fn a_pack_beside_a_plan_is_credited_with_their_invoice() {
    for shape in SHAPES {
        let shop = Shop::open(shape).await;
        let customer = shop.customer("ann").await;
        let opened = Opened::subscription(&[("price_pro", 1), ("price_small", 2)]);
        let session = shop.session(&customer, &opened).await;
        shop.fake.pay(&session, &Pay::by(Card::Good));
        shop.deliver_pending().await;
        assert_eq!(shop.plan("ann").await.as_deref(), Some("pro"));
        assert_eq!(shop.free_and_debt("ann").await, (200, 0));
        shop.pass_days(29);
        shop.deliver_pending().await;
        let renewed = shop.standing("ann").await;
        assert_eq!((renewed.free, renewed.grants.len()), (200, 1));
        assert_eq!(renewed.payments.len(), 2, "{:?}", renewed.payments);
        let invoice = shop.fake.object(&session)["invoice"].clone();
        assert!(
            renewed
                .payments
                .iter()
                .any(|(id, ..)| invoice == id.as_str())
        );
        assert_eq!(renewed.problems, []);
    }
}

/// Situation 26 (P8): an invoice by hand that is paid outside Stripe.
#[tokio::test]
async fn an_invoice_that_is_paid_elsewhere_credits() {
    for shape in SHAPES {
        let shop = Shop::open(shape).await;
        let customer = shop.customer("ann").await;
        let invoice = shop.fake.invoice(&customer, &[("price_small", 1)]);
        shop.deliver_pending().await;
        assert_eq!(shop.free_and_debt("ann").await, (0, 0));
        shop.pass_days(20);
        shop.fake.pay_outside(&invoice);
        shop.deliver_pending().await;
        assert_eq!(shop.free_and_debt("ann").await, (100, 0));
        assert_eq!(shop.problems().await.len(), 0);
    }
}

/// Situation 27 (P8): what the buyer saw in another currency changes nothing.
#[tokio::test]
async fn another_currency_that_the_buyer_saw_buys_the_same() {
    for shape in SHAPES {
        let shop = Shop::open(shape).await;
        shop.user("ann").await;
        let session = shop.check_out("ann", a_pack("small"), 1).await;
        let in_yen = Pay {
            presentment: Some(("jpy".to_owned(), 170_000)),
            tax_percent: 19,
            ..Pay::default()
        };
        shop.fake.pay(&session, &in_yen);
        shop.deliver_pending().await;
        let standing = shop.standing("ann").await;
        assert_eq!((standing.free, standing.payments[0].2), (100, 1_190));
        assert_eq!(standing.problems, []);
    }
}

/// Situation 28 (P8): an intent that names a pack credits it if it is that pack's amount and currency; else a problem is listed.
#[tokio::test]
async fn an_intent_credits_its_pack_for_its_price_alone() {
    for shape in SHAPES {
        let shop = Shop::open(shape).await;
        let customer = shop.customer("ann").await;
        let order = json!({"quota_pack": "small"});
        let dear = shop.fake.intent(&customer, 999, &order);
        let dollars = shop.fake.intent(&customer, 1_000, &order);
        shop.fake.edit(&dollars, "currency", json!("usd"));
        let unknown = shop
            .fake
            .intent(&customer, 1_000, &json!({"quota_pack": "huge"}));
        shop.deliver_pending().await;
        assert_eq!(shop.free_and_debt("ann").await, (0, 0));
        let wrong = [dear, dollars, unknown].map(|id| (ProblemKind::AmountMismatch, id));
        assert_eq!(shop.standing("ann").await.problems, wrong);
        let right = shop.fake.intent(&customer, 1_000, &order);
        shop.deliver_pending().await;
        shop.sync_payment(ObjectKind::Intent, &right).await;
        assert_eq!(shop.free_and_debt("ann").await, (100, 0));
    }
}

/// Situation 29 (P7, P8): whoever can write beside a payment says nothing about whose it is or what it buys.
#[tokio::test]
async fn what_is_written_beside_a_payment_decides_nothing() {
    for shape in SHAPES {
        let shop = Shop::open(shape).await;
        let customer = shop.customer("ann").await;
        shop.user("bob").await;
        let metadata = [
            ("account", "user:bob"),
            ("credits", "100000"),
            ("quota_pack", "short"),
        ];
        let opened = Opened {
            metadata: &metadata,
            ..Opened::purchase(&[("price_small", 1), ("price_book", 1)])
        };
        let session = shop.session(&customer, &opened).await;
        shop.fake.pay(&session, &Pay::by(Card::Good));
        let stranger = shop.fake.payment_link("price_small", 1);
        let bob = json!({"account": "user:bob", "quota_pack": "small"});
        shop.fake.edit(&stranger, "metadata", bob);
        shop.fake
            .edit(&stranger, "client_reference_id", json!("user:bob"));
        shop.fake.pay(&stranger, &Pay::by(Card::Good));
        shop.deliver_pending().await;
        assert_eq!(shop.free_and_debt("ann").await, (100, 0));
        assert_eq!(shop.free_and_debt("bob").await, (0, 0));
        let listed = [
            (ProblemKind::UnknownPrice, session),
            (ProblemKind::UnknownPayer, stranger),
        ];
        assert_eq!(shop.standing("bob").await.problems, listed);
    }
}

/// Situation 50 (P17): what was paid before the first connection is history: a pack of then is not credited, a plan of then counts.
#[tokio::test]
async fn what_was_paid_before_the_first_connection_is_history() {
    for shape in SHAPES {
        let first = Shop::open(shape).await;
        let customer = first.fake.customer(Card::Good);
        let invoice = first.fake.invoice(&customer, &[("price_small", 1)]);
        first.fake.pay_invoice(&invoice);
        let open = first.fake.invoice(&customer, &[("price_small", 1)]);
        first
            .fake
            .subscribe(&customer, &crate::shop::to(&[("price_pro", 1)]));
        first.fake.advance(3_600);
        let clock = std::sync::Arc::new(quota_core::ports::FixedClock::at(at(first.fake.now())));
        let store = std::sync::Arc::new(testkit::memory::MemoryStore::new());
        let shop = Shop::over(first.fake.clone(), store, clock).await;
        shop.user("ann").await;
        shop.link(&customer, "ann").await;
        shop.sync_payment(ObjectKind::Invoice, &invoice).await;
        let history = shop.standing("ann").await;
        assert_eq!((history.free, history.grants.len()), (0, 0));
        assert_eq!(history.payments, [(invoice, PaymentStatus::Paid, 1_000)]);
        assert_eq!(shop.plan("ann").await.as_deref(), Some("pro"));
        // An invoice of then that is paid now is paid now.
        shop.pass(60);
        shop.fake.pay_invoice(&open);
        shop.deliver_pending().await;
        assert_eq!(shop.free_and_debt("ann").await, (100, 0));
    }
}

/// Situation 55 (P16): an event of Stripe's that names the order of another provider ends as gone, and completes nothing.
#[tokio::test]
async fn an_order_of_another_provider_is_none_of_stripes() {
    for shape in SHAPES {
        let shop = Shop::open(shape).await;
        shop.customer("ann").await;
        for kind in [ObjectKind::Session, ObjectKind::Intent, ObjectKind::Invoice] {
            let foreign = object(kind, "order-4711");
            shop.tick();
            let claimed = shop.billing.claim_payment(&foreign, &account("ann")).await;
            assert_eq!(claimed.expect("is answered"), Synced::Gone);
            assert_eq!(shop.sync_payment(kind, "order-4711").await, Synced::Gone);
        }
        assert_eq!(shop.standing("ann").await.payments, []);
    }
}

/// Situation 63 (P18): what is paid is credited, however many grants are live.
#[tokio::test]
async fn what_is_paid_is_credited_beside_two_hundred_grants() {
    let shop = Shop::open(SHAPES[0]).await;
    let customer = shop.customer("ann").await;
    for number in 0..200 {
        let grant = quota_service::prelude::GrantCredits::of(&format!("gift-{number}"), 1);
        let made = shop.engine.grant_credits("user:ann", grant).await;
        made.expect("is granted");
    }
    for _ in 0..3 {
        let invoice = shop.fake.invoice(&customer, &[("price_small", 1)]);
        shop.fake.pay_invoice(&invoice);
    }
    shop.deliver_pending().await;
    assert_eq!(shop.free_and_debt("ann").await, (500, 0));
    assert_eq!(shop.problems().await.len(), 0);
}
