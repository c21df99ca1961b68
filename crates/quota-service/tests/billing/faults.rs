//! A store or a Stripe that fails at any call, before or after its effect: the same call again ends right, nothing is doubled and
//! nothing is lost (P1, P3; situation 51).

use std::sync::Mutex;

use quota_core::command::{ChangePlan, UsageAfterChange};
use quota_core::ids::PlanCode;
use quota_core::ports::TopUpStore;
use quota_core::provider::{ObjectKind, ProviderObject, Wanted};
use quota_service::EngineError;
use quota_service::billing::{
    ActError, BillingError, CheckoutError, FullSync, SubscriptionAsk, TopUpLook,
};
use testkit::fake_stripe::{Card, Pay, RefundAs, Shape};
use testkit::memory::FailWhen;

use crate::shop::{SHAPES, Shop, a_pack, a_plan, account, named, object, order, to};
use crate::standing::Standing;
use crate::transport::CallFault;

/// The same call again: a fault can cost one, and what waits is worked on twenty events at a time.
const TRIES_MAX: u32 = 12;
const AT_STRIPE: [CallFault; 5] = [
    CallFault::Status(429),
    CallFault::Status(409),
    CallFault::Status(500),
    CallFault::LostBefore,
    CallFault::LostAfter,
];

/// What is done while something fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    /// A purchase is synced by its session.
    Purchase,
    /// A refund and a dispute are synced by the refund.
    Refund,
    /// A customer whose plan changed and whose add-on ended.
    Customer,
    /// A payment of nobody is claimed.
    Claim,
    /// A customer of nobody that bought a plan and a pack is linked.
    Link,
    /// The first checkout of a pack.
    CheckOutPack,
    /// The first checkout of a plan, which is paid then and looked at by its buyer.
    CheckOutPlan,
    /// Another plan is asked for.
    ChangePlan,
    /// A webhook is taken, and worked on.
    Webhook,
    /// What the hourly job does.
    FullSync,
    /// A pack is bought off session.
    TopUp,
    /// A pack is to be bought, and the bank says no.
    TopUpDeclined,
}

/// What an act goes on from.
struct Scene {
    shop: Shop,
    customer: String,
    /// A session, a refund, or nothing.
    about: String,
    /// The checkout that was made.
    checkout: Mutex<Option<String>>,
}

async fn scene(act: Act, shape: Shape) -> Scene {
    let shop = Shop::open(shape).await;
    let (mut customer, mut about) = (String::new(), String::new());
    match act {
        Act::CheckOutPack | Act::CheckOutPlan => {
            shop.user("ann").await;
        }
        Act::TopUp | Act::TopUpDeclined => {
            customer = shop.customer("ann").await;
            shop.has_top_up("ann", 5, 10).await;
            if act == Act::TopUpDeclined {
                shop.fake.set_card(&customer, Card::Declined);
            }
        }
        Act::Claim => {
            shop.user("ann").await;
            about = shop.fake.payment_link("price_small", 1);
            shop.fake.pay(&about, &Pay::by(Card::Good));
            shop.deliver_pending().await;
        }
        Act::Link => {
            shop.user("ann").await;
            customer = shop.fake.customer(Card::Good);
            shop.fake.subscribe(&customer, &to(&[("price_pro", 1)]));
            let invoice = shop.fake.invoice(&customer, &[("price_small", 1)]);
            shop.fake.pay_invoice(&invoice);
            shop.deliver_pending().await;
        }
        Act::Purchase | Act::Webhook | Act::FullSync | Act::Refund => {
            shop.user("ann").await;
            about = shop.buy("ann", "small", 2).await;
            customer = shop.customers("ann").await.remove(0);
            if act == Act::Refund {
                shop.deliver_pending().await;
                assert!(shop.spend("ann", 150).await);
                let intent = shop.fake.intent_of(&about);
                let refund = shop.fake.refund(&intent, 500, RefundAs::Succeeded);
                about = refund.expect("so much is left");
                shop.fake.dispute(&intent, 1_000, "lost");
            }
        }
        Act::Customer | Act::ChangePlan => {
            customer = shop.customer("ann").await;
            let items = [("price_pro", 1), ("price_more", 1)];
            let first = if act == Act::Customer {
                &items[..]
            } else {
                &items[..1]
            };
            let subscription = shop.fake.subscribe(&customer, &to(first));
            shop.pass(60);
            shop.deliver_pending().await;
            if act == Act::Customer {
                assert!(shop.spend("ann", 120).await);
                shop.fake.end(&subscription);
                shop.fake.subscribe(&customer, &to(&[("price_max", 1)]));
            }
        }
    }
    shop.tick();
    Scene {
        shop,
        customer,
        about,
        checkout: Mutex::default(),
    }
}

impl Scene {
    /// Does it once; whether it was done.
    async fn once(&self, act: Act) -> bool {
        let shop = &self.shop;
        shop.tick();
        let ann = account("ann");
        match act {
            Act::Purchase => is_done(
                shop.billing
                    .sync_payment(&self.object(ObjectKind::Session))
                    .await,
            ),
            Act::Refund => is_done(
                shop.billing
                    .sync_payment(&self.object(ObjectKind::Refund))
                    .await,
            ),
            Act::Customer => is_done(shop.billing.sync_customer(&named(&self.customer)).await),
            Act::Claim => {
                let object = self.object(ObjectKind::Session);
                is_done(shop.billing.claim_payment(&object, &ann).await)
            }
            Act::Link => is_done(
                shop.billing
                    .link_customer(&named(&self.customer), &ann)
                    .await,
            ),
            Act::CheckOutPack => self.check_out(a_pack("small")).await,
            Act::CheckOutPlan => self.check_out(a_plan("pro")).await,
            Act::ChangePlan => self.change_plan().await,
            Act::TopUp => self.topped_up(TopUpLook::Paid).await,
            Act::TopUpDeclined => self.topped_up(TopUpLook::Failed).await,
            Act::Webhook => self.webhooks().await,
            Act::FullSync => {
                is_done(shop.billing.read_missed().await)
                    && is_done(shop.billing.sync_page(FullSync::default()).await)
                    && self.is_worked_off().await
            }
        }
    }

    fn object(&self, kind: ObjectKind) -> ProviderObject {
        object(kind, &self.about)
    }

    /// Who has a checkout comes back to what it came to.
    async fn check_out(&self, wanted: Wanted) -> bool {
        let shop = &self.shop;
        let made = self.checkout.lock().expect("no test failed").clone();
        let Some(id) = made else {
            let order = order("ann", wanted, 1, 0);
            let checkout = match shop.billing.check_out(&order).await {
                Ok(checkout) => checkout,
                Err(CheckoutError::Billing(error)) => return is_done::<()>(Err(error)),
                Err(refused) => panic!("{refused}"),
            };
            shop.fake.pay(&checkout.id, &Pay::by(Card::Good));
            *self.checkout.lock().expect("no test failed") = Some(checkout.id);
            return false;
        };
        is_done(shop.billing.checkout_result(&id).await)
    }

    async fn change_plan(&self) -> bool {
        let ask = SubscriptionAsk::ChangePlan(ChangePlan {
            plan: PlanCode::new("max").expect("a plan"),
            when: None,
            usage: UsageAfterChange::default(),
        });
        let ann = account("ann");
        match self
            .shop
            .billing
            .change_at_provider(&ann, &ask, "k-1")
            .await
        {
            Ok(synced) => synced.is_some(),
            Err(ActError::Billing(error)) => is_done::<()>(Err(error)),
            Err(refused) => panic!("{refused}"),
        }
    }

    /// Looks until that is what it came to, each time after the lease of the last one.
    async fn topped_up(&self, wanted: TopUpLook) -> bool {
        self.shop.pass(180);
        match self.shop.billing.top_up(&account("ann")).await {
            Ok(look) => {
                let has_ended = self.shop.store.open_top_up(&account("ann")).await;
                // The end may have been written though its answer was lost.
                look == wanted
                    || (look == TopUpLook::NotDue && has_ended.is_ok_and(|open| open.is_none()))
            }
            Err(error) => is_done::<()>(Err(error)),
        }
    }

    /// The provider sends again what was not taken; what failed is worked on later.
    async fn webhooks(&self) -> bool {
        let shop = &self.shop;
        for place in 0..shop.fake.events().len() {
            let Some(webhook) = shop.webhook(place) else {
                continue;
            };
            if !is_done(shop.billing.take_webhook(webhook).await) {
                return false;
            }
        }
        self.is_worked_off().await
    }

    /// Works on what waits, some time later; whether nothing did.
    async fn is_worked_off(&self) -> bool {
        self.shop.pass(7_200);
        let worked = self.shop.billing.work_on_waiting().await;
        worked.is_ok_and(|worked| worked.is_nothing())
    }

    /// The end, with how many customers and invoices were made at Stripe.
    async fn end(&self) -> (Standing, usize, usize) {
        let events = self.shop.fake.events();
        let made = |kind: &str| events.iter().filter(|event| event.kind == kind).count();
        let standing = self.shop.standing("ann").await;
        (standing, made("customer.created"), made("invoice.created"))
    }
}

/// Whether it was done; it may be asked for again if not.
fn is_done<T>(outcome: Result<T, BillingError>) -> bool {
    match outcome {
        Ok(_) => true,
        Err(BillingError::Engine(EngineError::Rejected(rejection))) => panic!("{rejection}"),
        Err(
            BillingError::Provider(_)
            | BillingError::Store(_)
            | BillingError::Engine(_)
            | BillingError::Busy,
        ) => false,
        Err(other) => panic!("{other}"),
    }
}

async fn until_done(scene: &Scene, act: Act) {
    for _ in 0..TRIES_MAX {
        if scene.once(act).await {
            return;
        }
    }
    panic!("{act:?} is never done");
}

/// The end that is right, and how many calls of the store and of Stripe it took.
async fn without_faults(act: Act, shape: Shape) -> ((Standing, usize, usize), u64, u64) {
    let scene = scene(act, shape).await;
    let (of_store, of_stripe) = (scene.shop.store.calls(), scene.shop.faults.calls());
    until_done(&scene, act).await;
    let store = scene.shop.store.calls() - of_store;
    let stripe = scene.shop.faults.calls() - of_stripe;
    (scene.end().await, store, stripe)
}

async fn with_a_store_that_fails(act: Act) {
    let shape = SHAPES[0];
    let (right, calls, _) = without_faults(act, shape).await;
    for number in 1..=calls {
        for when in [FailWhen::BeforeEffect, FailWhen::AfterEffect] {
            let scene = scene(act, shape).await;
            scene
                .shop
                .store
                .fail_at(scene.shop.store.calls() + number, when);
            until_done(&scene, act).await;
            assert_eq!(
                scene.end().await,
                right,
                "{act:?}, call {number} of {calls}, {when:?}"
            );
            scene.shop.engine.stop().await;
        }
    }
}

async fn with_a_stripe_that_fails(act: Act) {
    for shape in SHAPES {
        let (right, _, calls) = without_faults(act, shape).await;
        for number in 1..=calls {
            for fault in AT_STRIPE {
                let scene = scene(act, shape).await;
                scene.shop.faults.fail(number, fault);
                until_done(&scene, act).await;
                let end = scene.end().await;
                assert_eq!(
                    end, right,
                    "{act:?} {shape:?}, call {number} of {calls}, {fault:?}"
                );
                scene.shop.engine.stop().await;
            }
        }
    }
}

macro_rules! acts {
    ($($name:ident = $act:ident,)+) => { $(
        mod $name {
            use super::Act;

            /// Whichever call of the store fails, before its effect or after it.
            #[tokio::test(start_paused = true)]
            async fn is_right_with_a_store_that_fails() {
                super::with_a_store_that_fails(Act::$act).await;
            }

            /// Situation 51: whichever call of Stripe fails.
            #[tokio::test(start_paused = true)]
            async fn is_right_with_a_stripe_that_fails() {
                super::with_a_stripe_that_fails(Act::$act).await;
            }
        }
    )+ };
}

acts!(
    purchase = Purchase,
    refund = Refund,
    customer = Customer,
    claim = Claim,
    link = Link,
    pack_in_checkout = CheckOutPack,
    plan_in_checkout = CheckOutPlan,
    change_of_plan = ChangePlan,
    webhook = Webhook,
    full_sync = FullSync,
    top_up = TopUp,
    top_up_declined = TopUpDeclined,
);
