//! Many at once, also on two nodes: each payment is one, the last change of a subscription is the one that counts, and what two want one has
//! (P1, P6, P7, P14).

use std::sync::Arc;

use chrono::TimeDelta;
use futures::future::join_all;
use quota_core::ports::{BillingStore, FixedClock};
use quota_core::provider::{ObjectKind, ProviderObject};
use quota_service::billing::{Billing, BillingError, BillingParts, BillingSettings, Synced};
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use testkit::fake_stripe::{Card, Pay, RefundAs};

use crate::longer;
use crate::shop::{SHAPES, Shop, a_pack, account, named, object, order, to};

const AT_ONCE: usize = 64;

/// Does something until it is done: others may be in the way again and again, and an event waits then.
async fn until_done<T, F: Future<Output = Result<T, BillingError>>>(ask: impl Fn() -> F) -> T {
    loop {
        match ask().await {
            Ok(done) => return done,
            Err(BillingError::Busy) => tokio::task::yield_now().await,
            Err(error) => panic!("{error}"),
        }
    }
}

/// Another process over the same store and Stripe, whose clock is off by so much.
async fn other_node(shop: &Shop, off: TimeDelta) -> Shop {
    let clock = FixedClock::at(shop.engine.now() + off);
    let store = Arc::clone(&shop.store);
    Shop::over(shop.fake.clone(), store, Arc::new(clock)).await
}

/// P1: what an api has no room for at once it works off by itself, with no job.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p1_a_burst_is_worked_off_by_the_process_that_took_it() {
    for round in 0..longer(4) {
        let shop = Shop::open(SHAPES[round % 2]).await;
        shop.user("ann").await;
        for _ in 0..8 {
            shop.buy("ann", "small", 1).await;
        }
        let parts = BillingParts {
            engine: shop.engine.clone(),
            store: Arc::clone(&shop.store) as Arc<dyn BillingStore>,
            provider: Arc::clone(shop.billing.provider()),
        };
        let settings = BillingSettings {
            events_at_once: 2,
            ..BillingSettings::default()
        };
        let narrow = Billing::new(parts, settings);
        let webhooks = (0..shop.fake.events().len()).filter_map(|place| shop.webhook(place));
        let taken = join_all(webhooks.map(|webhook| {
            let narrow = narrow.clone();
            tokio::spawn(async move { narrow.take_webhook(webhook).await })
        }));
        for taken in taken.await {
            taken.expect("it ends").expect("is kept");
        }
        while shop.store.event_counts().await.expect("is read").waiting != 0 {
            // Two of them may be in each other's way, and are tried again later.
            shop.clock.advance(TimeDelta::seconds(1));
            tokio::task::yield_now().await;
        }
        assert_eq!(shop.standing("ann").await.free, 800);
    }
}

/// Situations 1 and 2 (P1): 64 webhooks of one payment at once, worked on behind their answers and by the job.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn webhooks_of_one_payment_at_once_are_one_payment() {
    for round in 0..longer(4) {
        let shop = Shop::open(SHAPES[round % 2]).await;
        shop.user("ann").await;
        let session = shop.buy("ann", "small", 1).await;
        let intent = shop.fake.intent_of(&session);
        for _ in 0..2 {
            let refund = shop.fake.refund(&intent, 250, RefundAs::Succeeded);
            refund.expect("so much is left");
        }
        let parts = BillingParts {
            engine: shop.engine.clone(),
            store: Arc::clone(&shop.store) as Arc<dyn BillingStore>,
            provider: Arc::clone(shop.billing.provider()),
        };
        let busy = Billing::new(parts, BillingSettings::default());
        let mut random = StdRng::seed_from_u64(u64::try_from(round).expect("small"));
        let places: Vec<usize> = (0..AT_ONCE)
            .map(|_| random.random_range(0..shop.fake.events().len()))
            .collect();
        let webhooks = places.into_iter().filter_map(|place| shop.webhook(place));
        let taken = join_all(webhooks.map(|webhook| {
            let busy = busy.clone();
            tokio::spawn(async move { busy.take_webhook(webhook).await })
        }));
        for taken in taken.await {
            taken.expect("it ends").expect("is kept");
        }
        while shop.store.event_counts().await.expect("is read").waiting != 0 {
            shop.clock.advance(TimeDelta::seconds(1));
            busy.work_on_waiting().await.expect("the store is there");
            tokio::task::yield_now().await;
        }
        shop.sync_payment(ObjectKind::Session, &session).await;
        let standing = shop.standing("ann").await;
        assert_eq!(
            (standing.free, standing.grants.len()),
            (50, 1),
            "{standing:#?}"
        );
        assert_eq!(
            (standing.payments.len(), standing.problems),
            (1, Vec::new())
        );
        shop.engine.stop().await;
    }
}

/// P6: a plan changes while it is synced by many: whoever syncs after the last change, the account has that plan then.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn syncs_while_the_plan_changes_end_with_the_last_plan() {
    for round in 0..longer(6) {
        let shop = Shop::open(SHAPES[round % 2]).await;
        let customer = shop.customer("ann").await;
        let subscription = shop.fake.subscribe(&customer, &to(&[("price_pro", 1)]));
        flipped(&[&shop], (&customer, &subscription), round).await;
        shop.engine.stop().await;
    }
}

/// Situation 59 (P6): the same on two nodes, of which one is ahead of the other: the store's clock is theirs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn syncs_on_nodes_whose_clocks_differ_end_with_the_last_plan() {
    for round in 0..longer(6) {
        let shop = Shop::open(SHAPES[round % 2]).await;
        shop.store.keep_time(shop.engine.now());
        let ahead = other_node(&shop, TimeDelta::milliseconds(80)).await;
        let customer = shop.customer("ann").await;
        let subscription = shop.fake.subscribe(&customer, &to(&[("price_pro", 1)]));
        flipped(&[&shop, &ahead], (&customer, &subscription), round).await;
        ahead.engine.stop().await;
        shop.engine.stop().await;
    }
}

/// Changes a plan 64 times to and fro, with a sync begun after each on one of the nodes; all of them end.
async fn flipped(nodes: &[&Shop], (customer, subscription): (&str, &str), round: usize) {
    let mut random = StdRng::seed_from_u64(u64::try_from(round).expect("small"));
    let mut tasks = Vec::new();
    for flip in 0..AT_ONCE {
        let price = if flip % 2 == 0 {
            "price_max"
        } else {
            "price_pro"
        };
        nodes[0].fake.change_price(subscription, price, false);
        let node = nodes[random.random_range(0..nodes.len())];
        let (billing, customer) = (node.billing.clone(), named(customer));
        tasks.push(tokio::spawn(async move {
            until_done(|| billing.sync_customer(&customer)).await
        }));
        if random.random_bool(0.5) {
            tokio::task::yield_now().await;
        }
    }
    for task in tasks {
        task.await.expect("it ends");
    }
    assert_eq!(
        nodes[0].plan("ann").await.as_deref(),
        Some("pro"),
        "{round}"
    );
}

/// P6, P9: refunds come while a payment is synced by many, on nodes whose clocks differ and stand: none is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refunds_while_a_payment_is_synced_are_all_taken() {
    for round in 0..longer(6) {
        let shop = Shop::open(SHAPES[round % 2]).await;
        shop.store.keep_time(shop.engine.now());
        let ahead = other_node(&shop, TimeDelta::milliseconds(80)).await;
        let nodes = [&shop, &ahead];
        shop.user("ann").await;
        let session = shop.buy("ann", "small", 1).await;
        let intent = shop.fake.intent_of(&session);
        let mut tasks = Vec::new();
        for number in 0..40 {
            let refund = shop.fake.refund(&intent, 20, RefundAs::Succeeded);
            let refund = object(ObjectKind::Refund, &refund.expect("so much is left"));
            let billing = nodes[(number + round) % 2].billing.clone();
            tasks.push(tokio::spawn(async move {
                until_done(|| billing.sync_payment(&refund)).await
            }));
        }
        for task in tasks {
            task.await.expect("it ends");
        }
        // What a node ahead credited has begun by every clock.
        shop.clock.advance(TimeDelta::seconds(1));
        assert_eq!(shop.free_and_debt("ann").await, (20, 0), "{round}");
        ahead.engine.stop().await;
        shop.engine.stop().await;
    }
}

/// What a customer of nobody bought: a plan, and a pack by an invoice. Nobody told of it.
fn bought_by_nobody(shop: &Shop) -> (String, ProviderObject) {
    let customer = shop.fake.customer(Card::Good);
    shop.fake.subscribe(&customer, &to(&[("price_pro", 1)]));
    let invoice = shop.fake.invoice(&customer, &[("price_small", 1)]);
    shop.fake.pay_invoice(&invoice);
    (customer, object(ObjectKind::Invoice, &invoice))
}

/// Which of two users has what was bought: one of them, all of it.
async fn one_of_two_has_it(shop: &Shop) -> &'static str {
    let mut sums = Vec::new();
    for name in ["ann", "bob"] {
        sums.push((shop.plan(name).await, shop.free_and_debt(name).await));
    }
    let all = (Some("pro".to_owned()), (100, 0));
    let nothing = (None, (0, 0));
    match sums.iter().position(|sum| *sum == all) {
        Some(0) => assert_eq!(sums[1], nothing),
        Some(_) => assert_eq!(sums[0], nothing),
        None => panic!("nobody has all of it: {sums:?}"),
    }
    if sums[0] == all { "ann" } else { "bob" }
}

/// P14: a customer that two accounts are said to be at once is one of them, with plan and packs; the other has nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_links_at_once_one_counts() {
    for round in 0..longer(6) {
        let shop = Shop::open(SHAPES[round % 2]).await;
        shop.user("ann").await;
        shop.user("bob").await;
        let (customer, _) = bought_by_nobody(&shop);
        shop.deliver_pending().await;
        let tasks = (0..AT_ONCE).map(|number| {
            let (billing, customer) = (shop.billing.clone(), named(&customer));
            let account = account(if number % 2 == 0 { "ann" } else { "bob" });
            tokio::spawn(async move {
                until_done(|| billing.link_customer(&customer, &account))
                    .await
                    .0
            })
        });
        let links = join_all(tasks).await;
        let winner = one_of_two_has_it(&shop).await;
        for link in links {
            assert_eq!(link.expect("it ends").account, account(winner));
        }
        assert_eq!(shop.problems().await.len(), 0, "{round}");
        shop.engine.stop().await;
    }
}

/// P14: what is parked while its customer is linked is credited, whichever comes first.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_parked_during_a_link_is_not_lost() {
    for round in 0..longer(40) {
        let shop = Shop::open(SHAPES[round % 2]).await;
        shop.user("ann").await;
        let (customer, invoice) = bought_by_nobody(&shop);
        let mut tasks = Vec::new();
        for number in 0..4 {
            let (billing, customer, invoice) =
                (shop.billing.clone(), named(&customer), invoice.clone());
            let ann = account("ann");
            tasks.push(tokio::spawn(async move {
                for _ in 0..round % 7 {
                    tokio::task::yield_now().await;
                }
                if number == 0 {
                    until_done(|| billing.link_customer(&customer, &ann)).await;
                } else {
                    until_done(|| billing.sync_payment(&invoice)).await;
                }
            }));
        }
        tasks.shuffle(&mut StdRng::seed_from_u64(
            u64::try_from(round).expect("small"),
        ));
        for task in tasks {
            task.await.expect("it ends");
        }
        assert_eq!(shop.free_and_debt("ann").await, (100, 0), "{round}");
        assert_eq!(shop.problems().await.len(), 0, "{round}");
        shop.engine.stop().await;
    }
}

/// P7, P14: of many claims of one payment by two accounts one counts, while its webhooks come too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_claims_at_once_one_counts() {
    for round in 0..longer(6) {
        let shop = Shop::open(SHAPES[round % 2]).await;
        shop.user("ann").await;
        shop.user("bob").await;
        let session = shop.fake.payment_link("price_small", 1);
        shop.fake.pay(&session, &Pay::by(Card::Good));
        let session = object(ObjectKind::Session, &session);
        let tasks = (0..AT_ONCE).map(|number| {
            let (billing, session) = (shop.billing.clone(), session.clone());
            let name = ["ann", "bob", "nobody"][number % 3];
            tokio::spawn(async move {
                if name == "nobody" {
                    until_done(|| billing.sync_payment(&session)).await;
                    return None;
                }
                let claimed = billing.claim_payment(&session, &account(name)).await;
                let has_it = matches!(claimed, Ok(Synced::Applied { .. }));
                has_it.then_some(name)
            })
        });
        let claimed = join_all(tasks).await.into_iter();
        let mut winners: Vec<&str> = claimed.filter_map(|won| won.expect("it ends")).collect();
        winners.sort_unstable();
        winners.dedup();
        let [winner] = winners[..] else {
            panic!("{round}: {winners:?}");
        };
        let loser = if winner == "ann" { "bob" } else { "ann" };
        assert_eq!(shop.free_and_debt(winner).await, (100, 0));
        assert_eq!(shop.free_and_debt(loser).await, (0, 0));
        shop.tick();
        shop.billing
            .sync_payment(&session)
            .await
            .expect("is synced");
        assert_eq!(shop.problems().await.len(), 0, "{round}");
        shop.engine.stop().await;
    }
}

/// Situation 34: 64 first checkouts at once on two nodes are one customer, and those with one key are one checkout.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn first_checkouts_at_once_are_one_customer() {
    for round in 0..longer(4) {
        let shop = Shop::open(SHAPES[round % 2]).await;
        let other = other_node(&shop, TimeDelta::zero()).await;
        shop.user("ann").await;
        let tasks = (0..AT_ONCE).map(|number| {
            let node = if number % 2 == 0 { &shop } else { &other };
            let (billing, order) = (
                node.billing.clone(),
                order("ann", a_pack("small"), 1, number % 8),
            );
            tokio::spawn(async move { billing.check_out(&order).await.expect("is made") })
        });
        let made = join_all(tasks).await.into_iter();
        let mut ids: Vec<String> = made.map(|made| made.expect("it ends").id).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 8);
        assert_eq!(shop.customers("ann").await.len(), 1);
        let events = shop.fake.events();
        let customers = events
            .iter()
            .filter(|event| event.kind == "customer.created");
        assert_eq!(customers.count(), 1);
        other.engine.stop().await;
        shop.engine.stop().await;
    }
}
