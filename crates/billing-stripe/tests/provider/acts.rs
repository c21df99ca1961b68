//! What is asked of Stripe, and that it happens once.

use billing_stripe::provider::Stripe;
use quota_core::ids::{AccountId, PriceId, SubscriptionRef};
use quota_core::ports::{
    CheckoutKind, CheckoutState, NewCheckout, PaymentProvider, ProviderFault, SubscriptionAct,
};
use quota_core::provider::ProviderSubscription;
use serde_json::{Value, json};
use testkit::fake_stripe::{Card, EndBy, FakeStripe, Pay, Shape, Subscribe};

use crate::{DAY, SHAPES, at, customer_ref, fake};

const MAX: Subscribe<'static> = Subscribe {
    items: &[("seats", 3), ("max", 1)],
    trial_days: 0,
    pauses_without_card: false,
    unpaid_after_dunning: false,
};

fn price(id: &str) -> PriceId {
    PriceId::new(id).expect("a price")
}

fn alice() -> AccountId {
    AccountId::parse("user:alice").expect("an account")
}

fn checkout(customer: &str, kind: CheckoutKind, items: &[(&str, u64)]) -> NewCheckout {
    let items = items.iter().map(|(id, quantity)| (price(id), *quantity));
    NewCheckout {
        customer: customer_ref(customer),
        account: alice(),
        kind,
        items: items.collect(),
        trial_days: None,
        success_url: "https://shop.test/done".to_owned(),
        cancel_url: "https://shop.test/back".to_owned(),
        key: "checkout:user:alice:1".to_owned(),
    }
}

fn change(from: &str, to: &str, quantity: u64, at_period_end: bool) -> SubscriptionAct {
    SubscriptionAct::Change {
        from: price(from),
        to: price(to),
        quantity,
        at_period_end,
    }
}

async fn ask(stripe: &Stripe, id: &str, act: &SubscriptionAct, key: &str) {
    let id = SubscriptionRef::new(id).expect("a name");
    let done = stripe.change_subscription(&id, act, key).await;
    done.unwrap_or_else(|error| panic!("{act:?}: {error}"));
}

async fn refused(stripe: &Stripe, id: &str, act: &SubscriptionAct) -> String {
    let id = SubscriptionRef::new(id).expect("a name");
    let error = stripe.change_subscription(&id, act, "refused").await;
    let error = error.expect_err("it cannot be");
    assert_eq!(error.fault, ProviderFault::Refused, "{error}");
    error.what
}

/// A subscription as the port tells it.
async fn told(fake: &FakeStripe, stripe: &Stripe, id: &str) -> ProviderSubscription {
    let customer = fake.object(id)["customer"].clone();
    let customer = customer_ref(customer.as_str().expect("somebody's"));
    let found = stripe.customer(&customer).await.expect("an answer");
    let mut all = found.expect("a customer").subscriptions.into_iter();
    all.find(|one| one.id.as_str() == id).expect("it is there")
}

fn prices(subscription: &ProviderSubscription) -> Vec<(&str, Option<u64>)> {
    let items = subscription.items.iter();
    let items = items.map(|item| (item.price.as_str(), item.quantity));
    items.collect()
}

fn ends(subscription: &ProviderSubscription) -> i64 {
    let own = subscription.items[0].period.or(subscription.period);
    own.expect("a period").ends_at.timestamp()
}

fn invoices(fake: &FakeStripe) -> usize {
    let events = fake.events().into_iter();
    events
        .filter(|event| event.kind == "invoice.created")
        .count()
}

/// P3, P14, situation 34: one customer and one checkout for a key; what is written beside it is for people.
#[tokio::test]
async fn a_customer_and_a_checkout_are_made_once_for_their_key() {
    for shape in SHAPES {
        let (fake, stripe) = fake(shape).await;
        let made = stripe.make_customer(&alice(), "customer:user:alice").await;
        let again = stripe.make_customer(&alice(), "customer:user:alice").await;
        assert_eq!(made, again);
        let customer = made.expect("a customer");
        assert_eq!(
            fake.object(customer.as_str())["metadata"]["account"],
            "user:alice"
        );
        let asked = checkout(customer.as_str(), CheckoutKind::Payment, &[("pack", 2)]);
        let made = stripe.make_checkout(&asked).await.expect("a checkout");
        assert_eq!(stripe.make_checkout(&asked).await.as_ref(), Ok(&made));
        assert_eq!(
            (made.state, made.subscription.as_ref()),
            (CheckoutState::Open, None)
        );
        assert_eq!(made.customer.as_ref(), Some(&customer));
        assert!(made.url.is_some());
        let session = fake.object(&made.id);
        assert_eq!(session["client_reference_id"], "user:alice");
        assert_eq!(session["mode"], "payment");
        fake.pay(&made.id, &Pay::by(Card::Good));
        let paid = stripe
            .checkout(&made.id)
            .await
            .expect("an answer")
            .expect("a checkout");
        assert_eq!((paid.state, paid.url), (CheckoutState::Complete, None));
        assert_eq!(stripe.checkout("cs_gone").await, Ok(None));
        // A name that no header carries is a key all the same.
        let german = AccountId::parse("user:jürgen").expect("an account");
        let made = stripe.make_customer(&german, "customer:user:jürgen").await;
        let again = stripe.make_customer(&german, "customer:user:jürgen").await;
        assert!(made.is_ok() && made == again && made != Ok(customer));
    }
}

/// S13: a checkout of a plan begins its subscription, with the trial that is asked for.
#[tokio::test]
async fn a_checkout_of_a_plan_begins_a_subscription_with_its_trial() {
    for shape in SHAPES {
        let (fake, stripe) = fake(shape).await;
        let customer = fake.customer(Card::Good);
        let mut asked = checkout(
            &customer,
            CheckoutKind::Subscription,
            &[("pro", 1), ("seats", 4)],
        );
        asked.trial_days = Some(14);
        let made = stripe.make_checkout(&asked).await.expect("a checkout");
        fake.pay(&made.id, &Pay::by(Card::Good));
        let paid = stripe
            .checkout(&made.id)
            .await
            .expect("an answer")
            .expect("a checkout");
        let subscription = paid.subscription.expect("it began");
        let found = told(&fake, &stripe, subscription.as_str()).await;
        assert_eq!(prices(&found), [("pro", Some(1)), ("seats", Some(4))]);
        let end = at(fake.now() + 14 * DAY);
        assert_eq!(
            (found.status.as_str(), found.trial_end),
            ("trialing", Some(end))
        );
        asked.key.push('2');
        let left = stripe.make_checkout(&asked).await.expect("a checkout");
        fake.advance_days(2);
        let left = stripe
            .checkout(&left.id)
            .await
            .expect("an answer")
            .expect("a checkout");
        assert_eq!(
            (left.state, left.subscription),
            (CheckoutState::Expired, None)
        );
    }
}

#[tokio::test]
async fn each_link_into_the_portal_is_a_new_one() {
    let (fake, stripe) = fake(Shape::New).await;
    let customer = customer_ref(&fake.customer(Card::Good));
    for _ in 0..2 {
        let link = stripe.portal(&customer, "https://shop.test/me").await;
        assert!(link.expect("a link").contains(customer.as_str()));
    }
    assert_eq!(fake.calls()["POST /v1/billing_portal/sessions"], 2);
    let error = stripe
        .portal(&customer_ref("cus_gone"), "https://shop.test/me")
        .await;
    assert_eq!(error.expect_err("nobody").fault, ProviderFault::Refused);
}

/// S5, S11, situation 39: our own change begins a period and is billed once, however often it is asked for.
#[tokio::test]
async fn a_change_at_once_begins_a_period_and_is_billed_once() {
    for shape in SHAPES {
        let (fake, stripe) = fake(shape).await;
        let id = fake.subscribe(&fake.customer(Card::Good), &MAX);
        fake.change_price_at_period_end(&id, "pro");
        fake.advance_days(10);
        let before = invoices(&fake);
        let act = change("max", "pro", 2, false);
        for key in ["k", "k", "other"] {
            ask(&stripe, &id, &act, key).await;
        }
        let found = told(&fake, &stripe, &id).await;
        assert_eq!(prices(&found), [("seats", Some(3)), ("pro", Some(2))]);
        let period = found.items[0].period.or(found.period).expect("a period");
        assert_eq!(period.starts_at, at(fake.now()));
        assert_eq!((found.is_paid, found.scheduled), (Some(true), None));
        assert_eq!(invoices(&fake), before + 1);
        let what = refused(&stripe, &id, &change("max", "pro", 1, false)).await;
        assert!(what.contains("has no price `max`"), "{what}");
    }
}

/// S12, situation 40: a change that the card does not pay for waits, and is not asked for twice.
#[tokio::test]
async fn a_change_that_is_not_paid_waits() {
    for shape in SHAPES {
        let (fake, stripe) = fake(shape).await;
        let customer = fake.customer(Card::Good);
        let id = fake.subscribe(&customer, &MAX);
        fake.set_card(&customer, Card::Declined);
        for key in ["k", "other"] {
            ask(&stripe, &id, &change("max", "pro", 1, false), key).await;
        }
        let found = told(&fake, &stripe, &id).await;
        assert_eq!(prices(&found), [("seats", Some(3)), ("max", Some(1))]);
        assert!(found.has_pending_update && found.status == "active");
        assert_eq!(fake.calls()["POST /v1/subscriptions/:id"], 1);
    }
}

/// S13: neither a change at once nor one that is scheduled ends a trial.
#[tokio::test]
async fn a_change_leaves_a_trial_a_trial() {
    for shape in SHAPES {
        let (fake, stripe) = fake(shape).await;
        let how = Subscribe {
            trial_days: 14,
            ..MAX
        };
        let id = fake.subscribe(&fake.customer(Card::Good), &how);
        let end = fake.now() + 14 * DAY;
        fake.advance_days(3);
        ask(&stripe, &id, &change("max", "pro", 1, false), "a").await;
        let found = told(&fake, &stripe, &id).await;
        assert_eq!(prices(&found), [("seats", Some(3)), ("pro", Some(1))]);
        assert_eq!((found.status.as_str(), ends(&found)), ("trialing", end));
        ask(&stripe, &id, &change("pro", "max", 1, true), "b").await;
        let found = told(&fake, &stripe, &id).await;
        assert_eq!((found.status.as_str(), ends(&found)), ("trialing", end));
        assert_eq!(found.scheduled.expect("a change").at, at(end));
    }
}

/// S5, S8, situation 41: a change at the end of the period is scheduled once, changed again, and acts.
#[tokio::test]
async fn a_change_at_the_end_is_scheduled_once_and_acts() {
    for shape in SHAPES {
        let (fake, stripe) = fake(shape).await;
        let id = fake.subscribe(&fake.customer(Card::Good), &MAX);
        fake.edit(&id, "discounts", json!([{"discount": "di_1"}]));
        let end = ends(&told(&fake, &stripe, &id).await);
        for key in ["k", "k", "other"] {
            ask(&stripe, &id, &change("max", "pro", 5, true), key).await;
        }
        assert_eq!(fake.calls()["POST /v1/subscription_schedules/:id"], 1);
        let found = told(&fake, &stripe, &id).await;
        assert_eq!(prices(&found), [("seats", Some(3)), ("max", Some(1))]);
        let scheduled = found.scheduled.expect("a change");
        assert_eq!((scheduled.price.as_str(), scheduled.at), ("pro", at(end)));
        // Another one takes its place, in the same schedule; what runs is sent again as it is.
        ask(&stripe, &id, &change("max", "pro", 2, true), "again").await;
        assert_eq!(fake.calls()["POST /v1/subscription_schedules"], 1);
        let schedule = fake.object(&id)["schedule"].clone();
        let phases = fake.object(schedule.as_str().expect("one"))["phases"].clone();
        assert_eq!(phases[0]["discounts"], json!([{"discount": "di_1"}]));
        assert_eq!(phases[0]["end_date"], json!(end));
        fake.advance_to(end + 3_600);
        let found = told(&fake, &stripe, &id).await;
        assert_eq!(prices(&found), [("seats", Some(3)), ("pro", Some(2))]);
        assert_eq!((found.scheduled, found.is_paid), (None, Some(true)));
    }
}

/// S8: what is scheduled is taken back, by asking for that or for what runs.
#[tokio::test]
async fn what_is_scheduled_is_taken_back() {
    for shape in SHAPES {
        let (fake, stripe) = fake(shape).await;
        let id = fake.subscribe(&fake.customer(Card::Good), &MAX);
        for (number, back) in [
            SubscriptionAct::DropScheduled,
            change("max", "max", 1, true),
        ]
        .iter()
        .enumerate()
        {
            ask(
                &stripe,
                &id,
                &change("max", "pro", 1, true),
                &format!("set {number}"),
            )
            .await;
            assert!(told(&fake, &stripe, &id).await.scheduled.is_some());
            for key in ["k", "other"] {
                ask(&stripe, &id, back, &format!("{key} {number}")).await;
            }
            let found = told(&fake, &stripe, &id).await;
            assert_eq!((found.scheduled, found.cancel_at), (None, None));
        }
    }
}

/// S8, situation 43: an end is set, whatever was scheduled, and taken back, however it was set.
#[tokio::test]
async fn an_end_is_set_and_taken_back_however_it_was_set() {
    for shape in SHAPES {
        let (fake, stripe) = fake(shape).await;
        let id = fake.subscribe(&fake.customer(Card::Good), &MAX);
        let end = ends(&told(&fake, &stripe, &id).await);
        let by_api: &dyn Fn(&FakeStripe) = &|_| ();
        let by_flag: &dyn Fn(&FakeStripe) = &|fake| fake.end_with_period(&id, EndBy::Flag);
        let by_instant: &dyn Fn(&FakeStripe) = &|fake| fake.end_with_period(&id, EndBy::Instant);
        for (number, by) in [by_api, by_flag, by_instant].iter().enumerate() {
            if number == 0 {
                ask(&stripe, &id, &change("max", "pro", 1, true), "scheduled").await;
                ask(&stripe, &id, &SubscriptionAct::Cancel { now: false }, "end").await;
            }
            by(&fake);
            let set = told(&fake, &stripe, &id).await;
            assert_eq!((set.cancel_at, set.scheduled), (Some(at(end)), None));
            for key in ["k", "other"] {
                ask(
                    &stripe,
                    &id,
                    &SubscriptionAct::Resume,
                    &format!("{key} {number}"),
                )
                .await;
            }
            assert_eq!(told(&fake, &stripe, &id).await.cancel_at, None);
        }
        fake.end_with_period(&id, EndBy::Flag);
        ask(&stripe, &id, &change("max", "pro", 1, true), "goes on").await;
        let found = told(&fake, &stripe, &id).await;
        assert!(found.cancel_at.is_none() && found.scheduled.is_some());
    }
}

/// S8: an end at once is one, however often it is asked for; nothing revives what has ended.
#[tokio::test]
async fn an_end_at_once_is_for_good() {
    for shape in SHAPES {
        let (fake, stripe) = fake(shape).await;
        let id = fake.subscribe(&fake.customer(Card::Good), &MAX);
        for key in ["k", "k", "other"] {
            ask(&stripe, &id, &SubscriptionAct::Cancel { now: true }, key).await;
        }
        let ended = told(&fake, &stripe, &id).await;
        assert_eq!(ended.ended_at, Some(at(fake.now())));
        ask(&stripe, &id, &SubscriptionAct::DropScheduled, "k").await;
        ask(&stripe, &id, &SubscriptionAct::Cancel { now: false }, "k").await;
        for act in [SubscriptionAct::Resume, change("max", "pro", 1, false)] {
            let what = refused(&stripe, &id, &act).await;
            assert!(what.contains("has ended"), "{what}");
        }
        let gone = refused(&stripe, "sub_gone", &SubscriptionAct::Resume).await;
        assert!(gone.contains("sub_gone"), "{gone}");
        assert_eq!(fake.object(&id)["schedule"], Value::Null);
    }
}
