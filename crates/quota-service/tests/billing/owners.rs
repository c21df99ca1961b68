//! Whose it is: parked, claimed, linked, moved, deleted, foreign (P7, P12, P14): situations 30 to 35, 57, 62, 65 to 67.

use futures::future::join_all;
use quota_core::ids::{AccountId, OrgId};
use quota_core::origin::Origin;
use quota_core::ports::BillingStore;
use quota_core::provider::{EventState, ObjectKind, ProblemKind};
use quota_service::EngineError;
use quota_service::billing::{BillingError, Parked, Synced};
use quota_service::prelude::PutAccount;
use serde_json::json;
use testkit::fake_stripe::{Card, Pay, RefundAs};

use crate::shop::{SHAPES, Shop, a_pack, account, named, object, order, to};

impl Shop {
    /// Claims a payment by its session; the code of the refusal where it is refused.
    async fn claim(&self, session: &str, name: &str) -> Result<Synced, String> {
        self.tick();
        let object = object(ObjectKind::Session, session);
        let claimed = self.billing.claim_payment(&object, &account(name)).await;
        claimed.map_err(|error| {
            let BillingError::Engine(EngineError::Rejected(rejection)) = error else {
                panic!("{error}");
            };
            rejection.code().to_owned()
        })
    }
}

/// Situation 30 (P14): a payment link names nobody. It is parked, claimed once, and what came back of it meanwhile counts.
#[tokio::test]
async fn a_payment_of_nobody_is_parked_and_claimed_once() {
    for shape in SHAPES {
        let shop = Shop::open(shape).await;
        shop.user("ann").await;
        shop.user("bob").await;
        let session = shop.fake.payment_link("price_small", 1);
        shop.fake.pay(&session, &Pay::by(Card::Good));
        shop.deliver_pending().await;
        let parked = (ProblemKind::UnknownPayer, session.clone());
        assert!(shop.problems().await.contains(&parked));
        let intent = shop.fake.intent_of(&session);
        let back = shop.fake.refund(&intent, 250, RefundAs::Succeeded);
        back.expect("so much is left");
        shop.deliver_pending().await;
        let claimed = shop.claim(&session, "ann").await.expect("is claimed");
        assert!(matches!(claimed, Synced::Applied { is_news: true, .. }));
        assert_eq!(shop.free_and_debt("ann").await, (75, 0));
        assert_eq!(shop.problems().await.len(), 0, "the claim settles it");
        let again = shop.claim(&session, "ann").await.expect("is claimed");
        assert!(matches!(again, Synced::Applied { .. }));
        let of_bob = shop.claim(&session, "bob").await;
        assert_eq!(of_bob, Err("payment_of_another_account".to_owned()));
        assert_eq!(shop.free_and_debt("ann").await, (75, 0));
        assert_eq!(shop.free_and_debt("bob").await, (0, 0));
        assert_eq!(shop.claim("cs_test_gone", "bob").await, Ok(Synced::Gone));
    }
}

/// Situation 31 (P14): what a customer of nobody bought, plan and packs, is listed, and applied when the customer is linked.
#[tokio::test]
async fn what_a_customer_of_nobody_bought_is_applied_when_it_is_linked() {
    for shape in SHAPES {
        let shop = Shop::open(shape).await;
        shop.user("ann").await;
        let customer = shop.fake.customer(Card::Good);
        shop.fake.subscribe(&customer, &to(&[("price_pro", 1)]));
        let paid = shop.fake.invoice(&customer, &[("price_small", 1)]);
        shop.fake.pay_invoice(&paid);
        shop.deliver_pending().await;
        let listed: Vec<_> = shop.problems().await.into_iter().collect();
        let expected = [
            (ProblemKind::UnknownCustomer, customer.clone()),
            (ProblemKind::UnknownPayer, paid),
        ];
        assert_eq!(listed, expected);
        shop.link(&customer, "ann").await;
        assert_eq!(shop.plan("ann").await.as_deref(), Some("pro"));
        assert_eq!(shop.free_and_debt("ann").await, (100, 0));
        assert_eq!(shop.problems().await.len(), 0);
        shop.full_sync().await;
        assert_eq!(shop.free_and_debt("ann").await, (100, 0));
    }
}

/// Situation 32 (P12, P14): a customer that is deleted ends its subscriptions and is nobody's any more; credits stay, and the account may
/// buy again, at once.
#[tokio::test]
async fn a_deleted_customer_is_nobodys_and_its_credits_stay() {
    for shape in SHAPES {
        let shop = Shop::open(shape).await;
        shop.user("ann").await;
        shop.buy("ann", "small", 1).await;
        shop.deliver_pending().await;
        let customer = shop.customers("ann").await.remove(0);
        shop.fake.set_card(&customer, Card::Good);
        shop.fake.subscribe(&customer, &to(&[("price_pro", 1)]));
        shop.deliver_pending().await;
        assert_eq!(shop.plan("ann").await.as_deref(), Some("pro"));
        shop.pass(60);
        shop.fake.remove_customer(&customer);
        shop.deliver_pending().await;
        assert_eq!(shop.customers("ann").await, Vec::<String>::new());
        assert_eq!(shop.plan("ann").await, None, "{shape:?}");
        assert_eq!(shop.free_and_debt("ann").await, (100, 0));
        assert_eq!(shop.problems().await.len(), 0, "nothing is left to do");
        let session = shop.buy("ann", "small", 1).await;
        shop.deliver_pending().await;
        assert_eq!(shop.free_and_debt("ann").await, (200, 0));
        assert_ne!(shop.fake.object(&session)["customer"], customer.as_str());
    }
}

/// Situation 32 (P12): the same where the provider tells nothing any more of what a deleted customer had.
#[tokio::test]
async fn a_subscription_that_is_gone_with_its_customer_ends_at_once() {
    for shape in SHAPES {
        let shop = Shop::open(shape).await;
        let customer = shop.customer("ann").await;
        let items = [("price_pro", 1), ("price_more", 2)];
        let subscription = shop.fake.subscribe(&customer, &to(&items));
        shop.deliver_pending().await;
        assert_eq!(shop.standing("ann").await.requests.0, Some(200));
        shop.fake.remove_customer(&customer);
        shop.fake.drop_pending();
        shop.fake.forget(&subscription);
        shop.sync_customer(&customer).await;
        let standing = shop.standing("ann").await;
        assert_eq!(shop.plan("ann").await, None, "{shape:?}");
        assert_eq!(standing.addons, []);
        assert_eq!(standing.problems, []);
    }
}

/// Situation 33: of two customers of one account both are synced, and packs of both are credited.
#[tokio::test]
async fn two_customers_of_one_account_are_both_synced() {
    for shape in SHAPES {
        let shop = Shop::open(shape).await;
        let first = shop.customer("ann").await;
        let second = shop.fake.customer(Card::Good);
        shop.link(&second, "ann").await;
        let pro = shop.fake.subscribe(&first, &to(&[("price_pro", 1)]));
        shop.fake.subscribe(&second, &to(&[("price_max", 1)]));
        for customer in [&first, &second] {
            let invoice = shop.fake.invoice(customer, &[("price_small", 1)]);
            shop.fake.pay_invoice(&invoice);
        }
        shop.deliver_pending().await;
        assert_eq!(shop.plan("ann").await.as_deref(), Some("max"));
        assert_eq!(shop.free_and_debt("ann").await, (200, 0));
        assert_eq!(
            shop.problem_kinds().await,
            [ProblemKind::SeveralSubscriptions]
        );
        shop.fake.end(&pro);
        shop.deliver_pending().await;
        assert_eq!(shop.plan("ann").await.as_deref(), Some("max"));
        assert_eq!(shop.problems().await.len(), 0);
        shop.fake.subscribe(&first, &to(&[("price_more", 1)]));
        shop.deliver_pending().await;
        assert_eq!(shop.standing("ann").await.requests.0, Some(1_050));
    }
}

/// Situation 34: two clicks on the first checkout make one customer, also on two nodes, and what is bought in both is the account's.
#[tokio::test]
async fn two_first_clicks_make_one_customer() {
    for shape in SHAPES {
        let shop = Shop::open(shape).await;
        let clock = std::sync::Arc::clone(&shop.clock);
        let store = std::sync::Arc::clone(&shop.store);
        let other = Shop::over(shop.fake.clone(), store, clock).await;
        shop.user("ann").await;
        let clicks = (0..8).map(|number| {
            let billing = if number % 2 == 0 {
                &shop.billing
            } else {
                &other.billing
            };
            let order = order("ann", a_pack("small"), 1, number);
            async move { billing.check_out(&order).await.expect("is made") }
        });
        let sessions = join_all(clicks).await;
        let first = sessions[0].customer.clone();
        assert!(sessions.iter().all(|session| session.customer == first));
        assert_eq!(shop.customers("ann").await.len(), 1);
        for session in &sessions[..2] {
            shop.fake.pay(&session.id, &Pay::by(Card::Good));
        }
        let made = shop.fake.events();
        let made = made.iter().filter(|event| event.kind == "customer.created");
        assert_eq!(made.count(), 1);
        shop.deliver_pending().await;
        assert_eq!(shop.free_and_debt("ann").await, (200, 0));
    }
}

/// Situation 57 (P14): events of another account of Stripe's are kept, listed, and never applied.
#[tokio::test]
async fn an_event_of_another_account_is_kept_and_not_applied() {
    for shape in SHAPES {
        let mut shop = Shop::open(shape).await;
        shop.user("ann").await;
        shop.buy("ann", "small", 1).await;
        shop.endpoint.account = Some("acct_other".to_owned());
        shop.deliver_pending().await;
        assert_eq!(shop.free_and_debt("ann").await, (0, 0));
        let states = shop.states().await;
        assert!(states.iter().all(|state| *state == EventState::Ignored));
        let listed = (ProblemKind::ForeignAccount, "acct_other".to_owned());
        assert!(shop.problems().await.contains(&listed));
    }
}

/// Situation 62: an event whose object is not there ends as gone, and is not tried again.
#[tokio::test]
async fn an_event_whose_object_is_gone_ends_as_gone() {
    for shape in SHAPES {
        let shop = Shop::open(shape).await;
        let stranger = shop.fake.customer(Card::Good);
        let invoice = shop.fake.invoice(&stranger, &[("price_small", 1)]);
        shop.fake.pay_invoice(&invoice);
        shop.fake.forget(&invoice);
        shop.fake.forget(&stranger);
        shop.deliver_pending().await;
        let states = shop.states().await;
        assert!(states.contains(&EventState::Gone), "{states:?}");
        assert!(!states.contains(&EventState::Waiting), "{states:?}");
        assert_eq!(shop.problems().await.len(), 0);
    }
}

/// Situation 65: what lives on a test clock is kept, listed, and not applied, to whomever it belongs.
#[tokio::test]
async fn what_lives_on_a_test_clock_is_not_applied() {
    for shape in SHAPES {
        let shop = Shop::open(shape).await;
        let customer = shop.customer("ann").await;
        shop.fake.edit(&customer, "test_clock", json!("clock_1"));
        shop.fake.subscribe(&customer, &to(&[("price_pro", 1)]));
        let invoice = shop.fake.invoice(&customer, &[("price_small", 1)]);
        shop.fake.pay_invoice(&invoice);
        shop.deliver_pending().await;
        shop.full_sync().await;
        let standing = shop.standing("ann").await;
        assert_eq!((standing.held, standing.free), (None, 0));
        let kinds = standing.problems.iter().map(|(kind, _)| *kind);
        assert!(kinds.clone().all(|kind| kind == ProblemKind::TestClock));
        assert_eq!(kinds.count(), 3, "the account and two payments");
        let stranger = shop.fake.customer(Card::Good);
        shop.fake.edit(&stranger, "test_clock", json!("clock_1"));
        let parked = shop.sync_customer(&stranger).await;
        assert_eq!(parked, Synced::Parked(Parked::TestClock));
    }
}

/// Situation 66 (P3): a process that dies behind its 2xx leaves the event to the worker; one that dies at work, to whoever comes after its
/// lease.
#[tokio::test]
async fn what_was_taken_by_a_process_that_died_is_finished_by_the_worker() {
    for shape in SHAPES {
        let shop = Shop::open(shape).await;
        shop.user("ann").await;
        shop.buy("ann", "small", 1).await;
        shop.take(&shop.pending()).await;
        assert_eq!(shop.free_and_debt("ann").await, (0, 0), "only taken");
        // Taken for work by one that does nothing more.
        let now = shop.engine.now();
        let until = now + chrono::TimeDelta::minutes(1);
        let taken = shop.store.take_events(now, until, 1_000).await;
        assert!(!taken.expect("are taken").is_empty());
        shop.work().await;
        assert_eq!(shop.free_and_debt("ann").await, (0, 0), "others work on it");
        shop.pass(61);
        shop.work().await;
        assert_eq!(shop.free_and_debt("ann").await, (100, 0));
        assert!(!shop.states().await.contains(&EventState::Waiting));
    }
}

/// Situation 67 (P7): a user that moves into an org and out of it keeps the wallet, whenever its payment is told.
#[tokio::test]
async fn a_payment_is_of_the_account_wherever_it_lives() {
    for shape in SHAPES {
        let shop = Shop::open(shape).await;
        let org = shop
            .engine
            .put_account("org:acme", PutAccount::create())
            .await;
        org.expect("is made");
        shop.user("ann").await;
        let session = shop.buy("ann", "small", 1).await;
        shop.deliver_pending().await;
        let acme = OrgId::new("acme").expect("an org");
        for (number, home) in [Some(&acme), None].into_iter().enumerate() {
            let origin = Origin::default();
            let moved = shop
                .engine
                .move_user(&account("ann"), home, None, origin)
                .await;
            moved.expect("moves");
            let bought = 2 + u64::try_from(number).expect("small");
            shop.buy("ann", "small", 1).await;
            shop.deliver_pending().await;
            assert_eq!(shop.free_and_debt("ann").await, (bought * 100, 0));
        }
        let intent = shop.fake.intent_of(&session);
        shop.fake
            .refund(&intent, 1_000, RefundAs::Succeeded)
            .expect("is left");
        shop.deliver_pending().await;
        assert_eq!(shop.free_and_debt("ann").await, (200, 0));
        let org = AccountId::parse("org:acme").expect("an org");
        let of_org = shop.engine.overview(&org).await.expect("is read");
        assert_eq!(of_org.wallet.free, 0);
    }
}

/// Situation 32: a customer that was deleted a moment ago, of which nobody told, is no hindrance to the next checkout.
#[tokio::test]
async fn a_deleted_customer_that_nobody_told_of_is_in_no_ones_way() {
    for shape in SHAPES {
        let shop = Shop::open(shape).await;
        shop.user("ann").await;
        let first = shop.check_out("ann", a_pack("small"), 1).await;
        let customer = shop.customers("ann").await.remove(0);
        shop.fake.remove_customer(&customer);
        shop.fake.drop_pending();
        let session = shop.buy("ann", "small", 1).await;
        assert_ne!(first, session);
        shop.deliver_pending().await;
        assert_eq!(shop.free_and_debt("ann").await, (100, 0), "{shape:?}");
        assert_eq!(shop.customers("ann").await.len(), 1);
        // What the provider refuses for another reason is refused.
        shop.fake.forget("price_short");
        shop.tick();
        let order = order("ann", a_pack("short"), 1, 1_000);
        let refused = shop.billing.check_out(&order).await;
        assert!(refused.is_err(), "{refused:?}");
    }
}

/// Situation 31: a customer that the provider does not have is nobody's.
#[tokio::test]
async fn a_customer_that_is_not_there_is_nobodys() {
    let shop = Shop::open(SHAPES[0]).await;
    shop.user("ann").await;
    let (nobody, ann) = (named("cus_none"), account("ann"));
    let linked = shop.billing.link_customer(&nobody, &ann).await;
    assert_eq!(linked.expect("is answered").1, Synced::Gone);
    assert_eq!(shop.customers("ann").await, Vec::<String>::new());
}
