//! Auto top-up while many ask at once, on two nodes: one purchase, and nobody waits for it (P20).

use std::sync::Arc;

use futures::future::join_all;
use quota_core::ports::TopUpStore;
use quota_core::provider::TopUpState;
use quota_service::billing::{BillingError, TopUpLook};
use testkit::fake_stripe::{Card, Shape};

use crate::longer;
use crate::shop::{Shop, account};
use crate::top_ups::ready;

const AT_ONCE: u64 = 64;

async fn other_node(shop: &Shop) -> Shop {
    let (store, clock) = (Arc::clone(&shop.store), Arc::clone(&shop.clock));
    Shop::over(shop.fake.clone(), store, clock).await
}

/// Others may change the same payment or account meanwhile.
async fn looked(shop: &Shop) -> TopUpLook {
    loop {
        match shop.billing.top_up(&account("ann")).await {
            Ok(look) => return look,
            Err(BillingError::Busy) => tokio::task::yield_now().await,
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p20_of_sixty_four_that_cross_the_bound_at_once_on_two_nodes_one_pack_is_bought() {
    for _ in 0..longer(4) {
        let shop = Shop::open(Shape::New).await;
        let customer = shop.customer("ann").await;
        shop.fake.set_card(&customer, Card::Good);
        shop.has_top_up("ann", 70, 40).await;
        let other = other_node(&shop).await;
        let listening = [
            shop.billing.keep_topping_up(),
            other.billing.keep_topping_up(),
        ];
        let nodes = [&shop, &other];
        let spends = (0..AT_ONCE).map(|number| {
            let node = nodes[usize::try_from(number % 2).expect("0 or 1")];
            let (engine, id) = (node.engine.clone(), "user:ann".to_owned());
            tokio::spawn(async move {
                let asked = quota_service::prelude::Consume::of("requests", 1);
                engine
                    .consume(&id, asked)
                    .await
                    .expect("is decided")
                    .is_allowed()
            })
        });
        for allowed in join_all(spends).await {
            assert!(allowed.expect("it ends"), "nobody waits for a top-up");
        }
        // Whoever looks beside those that noticed buys nothing more.
        let looks =
            (0..AT_ONCE).map(|number| looked(nodes[usize::try_from(number % 2).expect("0 or 1")]));
        join_all(looks).await;
        while shop.free("ann").await != 106 {
            tokio::task::yield_now().await;
        }
        while shop
            .store
            .open_top_up(&account("ann"))
            .await
            .expect("is read")
            .is_some()
        {
            tokio::task::yield_now().await;
        }
        let bought = shop.top_ups("ann").await;
        assert_eq!(bought.len(), 1, "{bought:#?}");
        assert_eq!(
            (bought[0].state, shop.intents().len()),
            (TopUpState::Paid, 1)
        );
        let told = shop.told("ann").await;
        assert_eq!(told, ["low: 39 of 40", "top_up_paid"]);
        listening.iter().for_each(tokio::task::JoinHandle::abort);
        other.engine.stop().await;
        shop.engine.stop().await;
    }
}

/// While the provider takes its time, requests are answered as ever, and the others who look leave it alone.
#[tokio::test]
async fn p20_use_is_not_delayed_while_a_pack_is_being_bought() {
    let (shop, _) = ready(Card::Good).await;
    assert!(shop.spend("ann", 4).await);
    let (asked, go) = shop.faults.hold("/v1/payment_intents");
    let billing = shop.billing.clone();
    let buying = tokio::spawn(async move { billing.top_up(&account("ann")).await });
    asked.await.expect("it is asked for");
    for _ in 0..8 {
        assert!(shop.spend("ann", 1).await);
        assert_eq!(looked(&shop).await, TopUpLook::UnderWay);
    }
    assert!(
        !shop.spend("ann", 1).await,
        "nothing is credited before it is paid"
    );
    go.send(()).expect("it waits");
    let bought = buying.await.expect("it ends").expect("is bought");
    assert_eq!(bought, TopUpLook::Paid);
    assert_eq!(shop.free("ann").await, 100);
    assert!(shop.spend("ann", 1).await);
}

/// A process that dies at any point of a purchase: whoever takes it over ends it, once.
#[tokio::test(start_paused = true)]
async fn p20_a_purchase_that_was_cut_off_anywhere_is_ended_once_by_the_next() {
    let mut cut_off = 0;
    for polls in 0.. {
        let (shop, _) = ready(Card::Good).await;
        assert!(shop.spend("ann", 4).await);
        let id = account("ann");
        let mut buying = Box::pin(shop.billing.top_up(&id));
        let mut has_ended = false;
        for _ in 0..=polls {
            // One step of it; what it waits for in other tasks goes on.
            let step = futures::poll!(buying.as_mut());
            if step.is_ready() {
                has_ended = true;
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(buying);
        shop.pass(180);
        looked(&shop).await;
        assert_eq!(shop.free("ann").await, 108, "after {polls} steps");
        let bought = shop.top_ups("ann").await;
        assert_eq!(
            (bought.len(), shop.intents().len()),
            (1, 1),
            "after {polls} steps"
        );
        assert_eq!(bought[0].state, TopUpState::Paid, "after {polls} steps");
        shop.engine.stop().await;
        if has_ended {
            break;
        }
        cut_off += 1;
    }
    assert!(cut_off > 5, "it was cut off {cut_off} times");
}
