//! Add-ons that the provider bills with the plan (C13, P13, S11).

use quota_core::ids::PlanCode;
use quota_core::provider::OrderRefusal;
use quota_core::quantity::Quantity;
use quota_service::billing::{ActError, AddonAsk, AddonAtProvider, CheckoutError};
use quota_service::prelude::{SetAddon, Subscribe, UsageAfterChange};
use testkit::fake_stripe::{Card, Pay};

use crate::shop::{SHAPES, Shop, a_plan, account, order};

fn so_many(quantity: u32) -> AddonAsk {
    AddonAsk {
        plan: PlanCode::new("more").expect("a plan"),
        quantity: (quantity != 0).then(|| Quantity::new(quantity).expect("a quantity")),
        ends_at: None,
    }
}

async fn set(shop: &Shop, asked: AddonAsk, key: &str) -> Result<Option<AddonAtProvider>, ActError> {
    shop.tick();
    let ann = account("ann");
    shop.billing.set_addon_at_provider(&ann, &asked, key).await
}

/// Ann, who subscribed in a checkout; her subscription.
async fn subscribed(shop: &Shop, plan: &str) -> String {
    shop.user("ann").await;
    let session = shop.check_out("ann", a_plan(plan), 1).await;
    shop.fake.pay(&session, &Pay::by(Card::Good));
    shop.deliver_pending().await;
    let subscription = shop.fake.object(&session)["subscription"].clone();
    subscription.as_str().expect("a subscription").to_owned()
}

fn items(shop: &Shop, subscription: &str) -> Vec<(String, i64)> {
    let found = shop.fake.object(subscription);
    let items = found["items"]["data"].as_array().expect("items").iter();
    let items = items.map(|item| {
        let price = item["price"]["id"]
            .as_str()
            .or_else(|| item["price"].as_str());
        let quantity = item["quantity"].as_i64();
        (
            price.expect("a price").to_owned(),
            quantity.expect("a quantity"),
        )
    });
    let mut items: Vec<_> = items.collect();
    items.sort();
    items
}

/// P13, S11: it is added to the subscription that runs, and acts when Stripe has it; the period and use stay. Another number and its end
/// go there too, and the same again changes nothing.
#[tokio::test]
async fn an_add_on_is_added_to_the_subscription_that_runs() {
    for shape in SHAPES {
        let shop = Shop::open(shape).await;
        let subscription = subscribed(&shop, "pro").await;
        let before = shop.held("ann").await;
        assert!(shop.spend("ann", 30).await);
        let added = set(&shop, so_many(2), "two").await.expect("is set");
        assert_eq!(added.map(|added| added.is_had), Some(true));
        let both = [("price_more".to_owned(), 2), ("price_pro".to_owned(), 1)];
        assert_eq!(items(&shop, &subscription), both);
        let standing = shop.standing("ann").await;
        assert_eq!(standing.addons, [("more".to_owned(), 2)]);
        assert_eq!(standing.requests, (Some(200), 30));
        assert_eq!(standing.held, Some(before.clone()));
        set(&shop, so_many(2), "two again").await.expect("is so");
        assert_eq!(items(&shop, &subscription), both);
        set(&shop, so_many(1), "one").await.expect("is set");
        assert_eq!(shop.standing("ann").await.requests, (Some(150), 30));
        let ended = set(&shop, so_many(0), "none").await.expect("is ended");
        assert_eq!(ended.map(|ended| ended.is_had), Some(true));
        assert_eq!(items(&shop, &subscription), [("price_pro".to_owned(), 1)]);
        let standing = shop.standing("ann").await;
        assert_eq!(
            (standing.addons.len(), standing.requests),
            (0, (Some(100), 30))
        );
        assert_eq!(standing.held, Some(before));
        shop.deliver_pending().await;
        assert_eq!(shop.standing("ann").await.addons, []);
        // It ended: the engine says that there is none.
        assert_eq!(
            set(&shop, so_many(0), "again").await.expect("is asked"),
            None
        );
    }
}

/// S12: what is not paid for is not had.
#[tokio::test]
async fn an_add_on_that_is_not_paid_for_is_not_had() {
    for shape in SHAPES {
        let shop = Shop::open(shape).await;
        subscribed(&shop, "pro").await;
        let customer = shop.customers("ann").await.remove(0);
        shop.fake.set_card(&customer, Card::Declined);
        let asked = set(&shop, so_many(1), "declined").await.expect("is asked");
        assert_eq!(asked.map(|asked| asked.is_had), Some(false));
        assert_eq!(shop.standing("ann").await.addons, []);
    }
}

/// P13: a checkout would make a second subscription, with an invoice of its own: it names the way there is.
#[tokio::test]
async fn a_checkout_for_an_add_on_of_a_subscription_that_runs_names_the_way() {
    for shape in SHAPES {
        let shop = Shop::open(shape).await;
        subscribed(&shop, "pro").await;
        let refused = shop
            .billing
            .check_out(&order("ann", a_plan("more"), 1, 0))
            .await;
        let Err(CheckoutError::Refused { refusal, portal }) = refused else {
            panic!("it is refused: {refused:?}");
        };
        assert!(
            matches!(refusal, OrderRefusal::PaidWithPlan(_)),
            "{refusal}"
        );
        assert_eq!(portal, None);
    }
}

/// S5: while a smaller plan waits, what is added now would be taken out again by it.
#[tokio::test]
async fn nothing_is_added_while_a_change_of_plan_waits() {
    let shop = Shop::open(SHAPES[0]).await;
    let subscription = subscribed(&shop, "max").await;
    let change = quota_core::command::ChangePlan {
        plan: PlanCode::new("pro").expect("a plan"),
        when: None,
        usage: UsageAfterChange::default(),
    };
    let asked = quota_service::billing::SubscriptionAsk::ChangePlan(change);
    let changed = shop
        .billing
        .change_at_provider(&account("ann"), &asked, "down")
        .await;
    changed.expect("is scheduled");
    assert!(shop.held("ann").await.scheduled.is_some());
    let refused = set(&shop, so_many(1), "more").await;
    assert!(
        matches!(refused, Err(ActError::ChangeWaits(_))),
        "{refused:?}"
    );
    assert_eq!(items(&shop, &subscription), [("price_max".to_owned(), 1)]);
}

/// C13: one that was given by hand, and any of an account whose plan is no provider's, is decided here.
#[tokio::test]
async fn what_the_provider_does_not_bill_is_decided_here() {
    let shop = Shop::open(SHAPES[0]).await;
    shop.user("ann").await;
    assert_eq!(
        set(&shop, so_many(1), "alone").await.expect("is asked"),
        None
    );
    subscribed_by_hand(&shop).await;
    assert_eq!(
        set(&shop, so_many(2), "here").await.expect("is asked"),
        None
    );
    assert_eq!(set(&shop, so_many(0), "end").await.expect("is asked"), None);
}

async fn subscribed_by_hand(shop: &Shop) {
    let started = shop.engine.subscribe("user:ann", Subscribe::to("pro"));
    started.await.expect("is begun");
    let given = shop.engine.set_addon("user:ann", SetAddon::of("more", 1));
    given.await.expect("is given");
}
