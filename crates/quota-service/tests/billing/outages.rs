//! What was not told is found, and what fails is done later, once (P6, P17, S10): situations 47 to 49, 51 and 53.

use quota_core::payment::PaymentStatus;
use quota_core::ports::ProviderFault;
use quota_core::provider::{EventState, ObjectKind, ProblemKind};
use quota_service::billing::{BillingError, FullSync};
use testkit::fake_stripe::{Card, EndBy, Fault, FaultKind, Pay, RefundAs, When};

use crate::shop::{DAY, SHAPES, Shop, a_pack, account, named, to};

/// Situation 47 (S10, E29): Stripe is silent at a renewal: the plan goes on for the grace, and is as Stripe says once it is heard.
#[tokio::test]
async fn a_provider_that_is_silent_at_a_renewal_is_waited_for() {
    for shape in SHAPES {
        let shop = Shop::open(shape).await;
        let customer = shop.customer("ann").await;
        shop.fake.subscribe(&customer, &to(&[("price_pro", 1)]));
        shop.deliver_pending().await;
        shop.pass_days(28);
        assert!(shop.spend("ann", 40).await, "the next period, unheard");
        shop.pass_days(2);
        assert_eq!(shop.left("ann").await, 60);
        shop.full_sync().await;
        assert_eq!(
            shop.left("ann").await,
            60,
            "what was used unheard stays used"
        );
        shop.fake.drop_pending();
        shop.pass_days(33);
        shop.clock.advance(chrono::TimeDelta::days(3));
        assert!(!shop.spend("ann", 1).await, "beyond the grace");
        shop.full_sync().await;
        assert!(shop.spend("ann", 1).await);
    }
}

/// A shop that was told of everything and synced, in which bought and subscribed was by several.
struct Before {
    shop: Shop,
    pro: String,
    open: String,
    late: String,
    disputed: String,
    refunded: String,
}

async fn before_the_outage(shape: testkit::fake_stripe::Shape) -> Before {
    let shop = Shop::open(shape).await;
    let customer = shop.customer("ann").await;
    let pro = shop.fake.subscribe(&customer, &to(&[("price_pro", 1)]));
    let paid = [0; 2].map(|_| {
        let invoice = shop.fake.invoice(&customer, &[("price_small", 1)]);
        shop.fake.pay_invoice(&invoice);
        shop.fake.intent_of(&invoice)
    });
    let [disputed, refunded] = paid;
    let open = shop.fake.invoice(&customer, &[("price_small", 2)]);
    let late = shop.check_out("ann", a_pack("small"), 1).await;
    shop.fake.pay(&late, &Pay::by(Card::Late));
    let dispute = shop.fake.dispute(&disputed, 1_000, "needs_response");
    shop.deliver_pending().await;
    // What changes in the outage was made well before it.
    shop.pass_days(2);
    shop.full_sync().await;
    let standing = shop.standing("ann").await;
    assert_eq!((standing.free, standing.frozen), (100, 100));
    Before {
        shop,
        pro,
        open,
        late,
        disputed: dispute,
        refunded,
    }
}

impl Before {
    /// What happens on the first day, of which nothing is told.
    fn first_day(&self) {
        let fake = &self.shop.fake;
        let customer = fake.object(&self.pro)["customer"].clone();
        let customer = customer.as_str().expect("a customer");
        fake.pay_invoice(&self.open);
        fake.payment_ends(&fake.intent_of(&self.late), true);
        fake.dispute_becomes(&self.disputed, "won");
        fake.refund(&self.refunded, 500, RefundAs::Succeeded)
            .expect("is left");
        let new = fake.invoice(customer, &[("price_small", 3)]);
        fake.pay_invoice(&new);
        fake.change_price(&self.pro, "price_max", true);
        fake.end_with_period(&self.pro, EndBy::Instant);
        fake.go_on(&self.pro);
    }

    /// Credits: 100 won, 50 of 100, 200 of the open invoice, 100 late, 300 new.
    async fn is_whole(&self) {
        let standing = self.shop.standing("ann").await;
        assert_eq!(
            (standing.free, standing.frozen, standing.debt),
            (750, 0, 0),
            "{standing:#?}"
        );
        let held = standing.held.expect("runs on");
        assert_eq!((held.plan.as_str(), held.is_in_force), ("max", true));
        assert_eq!(standing.problems, []);
        let paid = standing
            .payments
            .iter()
            .filter(|(_, status, _)| *status == PaymentStatus::Paid);
        assert!(5 <= paid.count(), "{:?}", standing.payments);
    }
}

/// Situation 48 (P6): webhooks were off for three days; all is whole after the next sync, and nothing twice when they come after all.
#[tokio::test]
async fn three_days_without_webhooks_are_whole_after_the_next_sync() {
    for shape in SHAPES {
        let before = before_the_outage(shape).await;
        let shop = &before.shop;
        before.first_day();
        shop.pass_days(3);
        let late = shop.pending();
        shop.fake.drop_pending();
        shop.full_sync().await;
        before.is_whole().await;
        shop.deliver(&late).await;
        before.is_whole().await;
    }
}

/// Situation 49 (P6): webhooks were off for forty days, and the events of the first days are gone: all is whole from the lists, nothing
/// twice. What was made before and changed meanwhile is found too.
#[tokio::test]
async fn forty_days_without_webhooks_are_whole_from_the_lists() {
    for shape in SHAPES {
        let before = before_the_outage(shape).await;
        let shop = &before.shop;
        before.first_day();
        shop.pass_days(40);
        shop.fake.drop_pending();
        shop.full_sync().await;
        before.is_whole().await;
        let whole = shop.standing("ann").await;
        shop.full_sync().await;
        assert_eq!(shop.standing("ann").await, whole);
    }
}

/// Situation 51: an event whose call fails at Stripe waits, and is done later; the key of what is made is the same, and one object is.
#[tokio::test]
async fn what_fails_at_stripe_waits_and_is_done_once() {
    for shape in SHAPES {
        let shop = Shop::open(shape).await;
        shop.user("ann").await;
        for kind in [
            FaultKind::LockTimeout,
            FaultKind::KeyInUse,
            FaultKind::Broken,
        ] {
            for when in [When::Before, When::After] {
                shop.fake
                    .fault(Fault::once("POST /v1/customers", kind.clone(), when));
                shop.tick();
                let made = shop.billing.customer_of(&account("ann")).await;
                let failed = matches!(made, Err(BillingError::Provider(ref error)) if error.fault == ProviderFault::Later);
                assert!(failed || made.is_ok(), "{made:?}");
            }
        }
        shop.fake.clear_faults();
        shop.buy("ann", "small", 1).await;
        let made = shop.fake.events();
        let made = made.iter().filter(|event| event.kind == "customer.created");
        assert_eq!(made.count(), 1);
        let forever = Fault {
            times: 1_000,
            ..Fault::once("GET ", FaultKind::Limited(None), When::Before)
        };
        shop.fake.fault(forever);
        shop.deliver_pending().await;
        assert_eq!(shop.free_and_debt("ann").await, (0, 0));
        shop.fake.clear_faults();
        shop.work().await;
        assert_eq!(shop.free_and_debt("ann").await, (0, 0), "it waits a moment");
        shop.pass(600);
        shop.work().await;
        assert_eq!(shop.free_and_debt("ann").await, (100, 0));
    }
}

/// Situation 53: a key that is revoked stops no request for quota; somebody has to look after it, and events wait for that.
#[tokio::test]
async fn a_revoked_key_stops_no_request() {
    for shape in SHAPES {
        let shop = Shop::open(shape).await;
        let customer = shop.customer("ann").await;
        shop.fake.subscribe(&customer, &to(&[("price_pro", 1)]));
        shop.deliver_pending().await;
        shop.fake.set_key_dead(true);
        assert!(shop.spend("ann", 1).await);
        shop.tick();
        let refused = shop.billing.sync_customer(&named(&customer)).await;
        assert!(refused.expect_err("the key is dead").needs_someone());
        let session = shop.fake.invoice(&customer, &[("price_small", 1)]);
        shop.fake.pay_invoice(&session);
        shop.deliver_pending().await;
        assert!(shop.states().await.contains(&EventState::Waiting));
        assert!(shop.spend("ann", 1).await);
        shop.fake.set_key_dead(false);
        shop.pass(DAY);
        shop.work().await;
        assert!(!shop.states().await.contains(&EventState::Waiting));
        assert_eq!(shop.free_and_debt("ann").await, (100, 0));
    }
}

/// Situation 49: one payment that cannot be read keeps none of the others from being found, and is listed.
#[tokio::test]
async fn one_payment_that_cannot_be_read_keeps_no_other() {
    for shape in SHAPES {
        let before = before_the_outage(shape).await;
        let shop = &before.shop;
        before.first_day();
        shop.pass_days(40);
        shop.fake.drop_pending();
        let path = format!("GET /v1/invoices/{}", before.open);
        let garbled = FaultKind::Body("{\"id\": 7}".to_owned());
        shop.fake.fault(Fault::once(&path, garbled, When::Before));
        shop.tick();
        let missed = shop.billing.read_missed().await.expect("events are read");
        assert_eq!(missed.failed.len(), 1, "{:?}", missed.failed);
        shop.full_sync().await;
        let standing = shop.standing("ann").await;
        assert_eq!(standing.free, 550, "all but the two packs of that invoice");
        let listed = (ProblemKind::Refused, before.open.clone());
        assert_eq!(standing.problems, [listed]);
        assert_eq!(shop.fake.clear_faults(), 0);
        shop.sync_payment(ObjectKind::Invoice, &before.open).await;
        before.is_whole().await;
    }
}

/// Situation 49: a list goes on, also where the subscription is none any more at which it stopped.
#[tokio::test]
async fn a_list_that_stopped_at_what_is_gone_is_read_anew() {
    let shop = Shop::open(SHAPES[0]).await;
    let all = shop.fake.many_subscriptions(120, "price_pro");
    shop.tick();
    let page = shop.billing.sync_page(FullSync::default()).await;
    let page = page.expect("a page");
    assert_eq!((page.read, page.has_more), (100, true));
    // The newest come first.
    shop.fake.forget(&all[20]);
    let mut read = 0;
    loop {
        shop.tick();
        let page = shop.billing.sync_page(FullSync::default()).await;
        let page = page.expect("a page");
        read += page.read;
        if !page.has_more {
            break;
        }
    }
    assert_eq!(read, 119);
}
