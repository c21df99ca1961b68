use billing_stripe::client::SessionSubscription;
use billing_stripe::read::{
    end_of, is_settled, item_for, item_quantity, pending_prices, period_of, phases_ahead,
};
use billing_stripe::shapes::{InvoiceStatus, Open, Subscription, SubscriptionStatus};
use testkit::fake_stripe::{Card, EndBy, FakeStripe, Pay, Shape, Subscribe};

use crate::{DAY, SHAPES, at, fake, instant};

const PRO: Subscribe<'static> = Subscribe {
    items: &[("pro", 1)],
    trial_days: 0,
    pauses_without_card: false,
    unpaid_after_dunning: false,
};

fn status(subscription: &Subscription) -> SubscriptionStatus {
    match subscription.status {
        Some(Open::Known(status)) => status,
        ref other => panic!("{other:?}"),
    }
}

/// Period of the plan `pro`, or `max`.
fn ends(subscription: &Subscription) -> i64 {
    let period = period_of(subscription, &["pro", "max"]);
    period.expect("a period").ends_before.timestamp()
}

/// Moves the clock to the end of the running period, and by the hour after which a renewal is paid.
fn over_the_end(fake: &FakeStripe, subscription: &Subscription) {
    fake.advance_to(ends(subscription));
    fake.advance(3_600);
}

#[tokio::test]
async fn a_renewal_has_its_period_at_once_and_its_payment_an_hour_later() {
    for shape in SHAPES {
        let (fake, client) = fake(shape).await;
        let customer = fake.customer(Card::Good);
        let id = fake.subscribe(&customer, &PRO);
        let before = client.retrieve_subscription(&id).await.expect("begun");
        assert_eq!(status(&before), SubscriptionStatus::Active);
        fake.advance_to(ends(&before));
        let after = client.retrieve_subscription(&id).await.expect("renewed");
        assert_eq!(status(&after), SubscriptionStatus::Active);
        let period = period_of(&after, &["pro"]).expect("a period");
        assert_eq!(period.starts_at.timestamp(), ends(&before));
        let invoice = after.latest_invoice.as_ref().expect("an invoice").id();
        let draft = client.retrieve_invoice(invoice).await.expect("a draft");
        assert_eq!(draft.status, Some(Open::Known(InvoiceStatus::Draft)));
        fake.advance(3_600);
        let paid = client.retrieve_invoice(invoice).await.expect("paid");
        assert!(billing_stripe::read::is_paid(&paid), "{paid:?}");
        assert_eq!(
            billing_stripe::read::subscription_of(&paid),
            Some(id.as_str())
        );
    }
}

#[tokio::test]
async fn the_31st_of_january_is_the_anchor_of_every_month() {
    // Situation 64: Stripe's dates, in UTC, whatever the clocks do.
    let (fake, client) = fake(Shape::New).await;
    let start = instant("2027-01-31T10:00:00Z");
    fake.advance_to(start);
    let customer = fake.customer(Card::Good);
    let id = fake.subscribe(&customer, &PRO);
    let mut dates = Vec::new();
    for _ in 0..5 {
        let subscription = client.retrieve_subscription(&id).await.expect("one");
        let period = period_of(&subscription, &["pro"]).expect("a period");
        dates.push(period.ends_before.format("%m-%d %H").to_string());
        over_the_end(&fake, &subscription);
    }
    assert_eq!(
        dates,
        ["02-28 10", "03-31 10", "04-30 10", "05-31 10", "06-30 10"]
    );
}

#[tokio::test]
async fn a_trial_ends_with_a_card_and_without() {
    for shape in SHAPES {
        let (fake, client) = fake(shape).await;
        let how = Subscribe {
            trial_days: 14,
            ..PRO
        };
        let paying = fake.subscribe(&fake.customer(Card::Good), &how);
        let leaving = fake.subscribe(&fake.customer(Card::None), &how);
        let resting = Subscribe {
            pauses_without_card: true,
            ..how
        };
        let resting = fake.subscribe(&fake.customer(Card::None), &resting);
        let trial = client.retrieve_subscription(&paying).await.expect("one");
        assert_eq!(status(&trial), SubscriptionStatus::Trialing);
        let trial_ends = trial.trial_end.expect("an end");
        assert_eq!(ends(&trial), trial_ends.timestamp());
        fake.advance_days(14);
        let found = client.retrieve_subscription(&paying).await.expect("one");
        assert_eq!(status(&found), SubscriptionStatus::Active);
        let period = period_of(&found, &["pro"]).expect("a period");
        assert_eq!(period.starts_at, trial_ends);
        let found = client.retrieve_subscription(&leaving).await.expect("one");
        assert_eq!(status(&found), SubscriptionStatus::Canceled);
        assert_eq!(end_of(&found, None), Some(trial_ends));
        let found = client.retrieve_subscription(&resting).await.expect("one");
        assert_eq!(status(&found), SubscriptionStatus::Paused);
        let resumed = client.resume_subscription(&resting, &crate::key("r")).await;
        let resumed = resumed.expect("one that was paused");
        assert_ne!(status(&resumed), SubscriptionStatus::Paused);
    }
}

#[tokio::test]
async fn a_trial_from_a_checkout_without_a_card_ends_as_the_checkout_says() {
    for (without_card, expected) in [
        ("pause", SubscriptionStatus::Paused),
        ("cancel", SubscriptionStatus::Canceled),
    ] {
        let (fake, client) = fake(Shape::New).await;
        let mut new = crate::writes::plan_session(&fake.customer(Card::None), &["pro"]);
        new.payment_method_collection = Some("if_required");
        new.subscription_data = Some(SessionSubscription {
            trial_period_days: Some(14),
            without_card: Some(without_card),
            ..SessionSubscription::default()
        });
        let session = client.create_session(&new, &crate::key("s")).await;
        let session = session.expect("a session").id;
        fake.pay(&session, &Pay::by(Card::None));
        let session = client.retrieve_session(&session).await.expect("paid");
        assert!(is_settled(&session));
        let id = session.subscription.expect("a subscription");
        let trial = client.retrieve_subscription(&id).await.expect("one");
        assert_eq!(status(&trial), SubscriptionStatus::Trialing);
        fake.advance_days(14);
        let ended = client.retrieve_subscription(&id).await.expect("one");
        assert_eq!(status(&ended), expected);
    }
}

#[tokio::test]
async fn a_renewal_that_is_not_paid_is_past_due_and_recovers_or_ends() {
    for shape in SHAPES {
        let (fake, client) = fake(shape).await;
        let customer = fake.customer(Card::Good);
        let id = fake.subscribe(&customer, &PRO);
        let unpaid = Subscribe {
            unpaid_after_dunning: true,
            ..PRO
        };
        let other = fake.customer(Card::Good);
        let other_id = fake.subscribe(&other, &unpaid);
        let begun = client.retrieve_subscription(&id).await.expect("one");
        // Situation 45: the bank asks for the customer at the renewal.
        fake.set_card(&customer, Card::NeedsCustomer);
        fake.set_card(&other, Card::Declined);
        over_the_end(&fake, &begun);
        let overdue = client.retrieve_subscription(&id).await.expect("one");
        assert_eq!(status(&overdue), SubscriptionStatus::PastDue);
        let invoice = overdue.latest_invoice.as_ref().expect("an invoice").id();
        let intent = fake.intent_of(invoice);
        fake.payment_ends(&intent, true);
        let recovered = client.retrieve_subscription(&id).await.expect("one");
        assert_eq!(status(&recovered), SubscriptionStatus::Active);
        assert_eq!(ends(&recovered), ends(&overdue));
        fake.advance_days(20);
        let given_up = client.retrieve_subscription(&other_id).await.expect("one");
        assert_eq!(status(&given_up), SubscriptionStatus::Unpaid);
        fake.set_card(&customer, Card::Declined);
        over_the_end(&fake, &recovered);
        fake.advance_days(20);
        let ended = client.retrieve_subscription(&id).await.expect("one");
        assert_eq!(status(&ended), SubscriptionStatus::Canceled);
    }
}

#[tokio::test]
async fn an_upgrade_keeps_the_period_or_begins_one_and_may_wait_for_its_payment() {
    for shape in SHAPES {
        let (fake, client) = fake(shape).await;
        let customer = fake.customer(Card::Good);
        let id = fake.subscribe(&customer, &PRO);
        let begun = client.retrieve_subscription(&id).await.expect("one");
        fake.advance_days(10);
        // Situation 38.
        fake.change_price(&id, "max", false);
        let kept = client.retrieve_subscription(&id).await.expect("one");
        assert!(item_for(&kept, &["max"]).is_some());
        assert_eq!(ends(&kept), ends(&begun));
        // Situation 39.
        fake.change_price(&id, "pro", true);
        let anew = client.retrieve_subscription(&id).await.expect("one");
        let period = period_of(&anew, &["pro"]).expect("a period");
        assert_eq!(period.starts_at.timestamp(), fake.now());
        // Situation 40: through our own call, with a card that fails.
        fake.set_card(&customer, Card::Declined);
        let change = crate::writes::upgrade(&anew, "max");
        let waiting = client
            .update_subscription(&id, &change, &crate::key("u"))
            .await
            .expect("one");
        assert!(item_for(&waiting, &["pro"]).is_some());
        assert_eq!(pending_prices(&waiting), ["max"]);
        fake.pending_update_ends(&id, false);
        let dropped = client.retrieve_subscription(&id).await.expect("one");
        assert!(item_for(&dropped, &["pro"]).is_some() && pending_prices(&dropped).is_empty());
    }
}

#[tokio::test]
async fn a_downgrade_is_seen_ahead_and_acts_at_the_end() {
    for shape in SHAPES {
        let (fake, client) = fake(shape).await;
        let how = Subscribe {
            items: &[("max", 1)],
            ..PRO
        };
        let id = fake.subscribe(&fake.customer(Card::Good), &how);
        // Situation 41.
        fake.change_price_at_period_end(&id, "pro");
        let before = client.retrieve_subscription(&id).await.expect("one");
        let ahead = phases_ahead(&before, at(fake.now()));
        assert_eq!(ahead.len(), 1);
        assert_eq!(ahead[0].starts_at.timestamp(), ends(&before));
        assert_eq!(ahead[0].items, [("pro".to_owned(), 1)]);
        assert!(item_for(&before, &["max"]).is_some());
        over_the_end(&fake, &before);
        let after = client.retrieve_subscription(&id).await.expect("one");
        assert!(item_for(&after, &["pro"]).is_some());
        assert_eq!(phases_ahead(&after, at(fake.now())), []);
        let invoice = after.latest_invoice.as_ref().expect("an invoice").id();
        let invoice = client.retrieve_invoice(invoice).await.expect("one");
        assert_eq!(invoice.total, Some(2_900));
    }
}

#[tokio::test]
async fn an_end_is_set_taken_back_and_comes() {
    for (shape, by) in [
        (Shape::New, EndBy::Instant),
        (Shape::New, EndBy::Flag),
        (Shape::Old, EndBy::Flag),
    ] {
        let (fake, client) = fake(shape).await;
        let id = fake.subscribe(&fake.customer(Card::Good), &PRO);
        let end = |subscription: &Subscription| {
            let period = period_of(subscription, &["pro"]);
            end_of(subscription, period).map(|end| end.timestamp())
        };
        fake.end_with_period(&id, by);
        let set = client.retrieve_subscription(&id).await.expect("one");
        assert_eq!(set.cancel_at_period_end, by == EndBy::Flag);
        assert_eq!(end(&set), Some(ends(&set)));
        fake.go_on(&id);
        let taken_back = client.retrieve_subscription(&id).await.expect("one");
        assert_eq!(end(&taken_back), None);
        let in_mid_period = fake.now() + 5 * DAY;
        fake.end_at(&id, in_mid_period);
        let set = client.retrieve_subscription(&id).await.expect("one");
        assert_eq!(end(&set), Some(in_mid_period));
        fake.advance_days(6);
        let ended = client.retrieve_subscription(&id).await.expect("one");
        assert_eq!(status(&ended), SubscriptionStatus::Canceled);
        assert_eq!(end(&ended), Some(in_mid_period));
        let listed = client
            .list_subscriptions(&billing_stripe::client::SubscriptionFilter::default())
            .all()
            .await
            .expect("all");
        assert_eq!(listed.len(), 1, "those that ended are listed too");
    }
}

#[tokio::test]
async fn seats_and_paused_collection_are_seen() {
    for shape in SHAPES {
        let (fake, client) = fake(shape).await;
        let id = fake.subscribe(&fake.customer(Card::Good), &PRO);
        // Situation 42.
        fake.change_quantity(&id, 5);
        fake.pause_collection(&id, true);
        let found = client.retrieve_subscription(&id).await.expect("one");
        let item = item_for(&found, &["pro"]).expect("an item");
        assert_eq!(item_quantity(item), 5);
        assert!(billing_stripe::read::is_paused_in_collection(&found));
        assert_eq!(status(&found), SubscriptionStatus::Active);
    }
}
