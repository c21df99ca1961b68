//! What is told of customers and their subscriptions: facts, whatever they mean.

use chrono::{DateTime, Utc};
use quota_core::ids::CustomerRef;
use quota_core::ports::PaymentProvider;
use quota_core::provider::{FetchedCustomer, ObjectKind, ProviderPeriod, ProviderSubscription};
use serde_json::json;
use testkit::fake_stripe::{Card, EndBy, Shape, Subscribe};

use crate::{DAY, SHAPES, at, customer_ref, fake, object};

const PRO: Subscribe<'static> = Subscribe {
    items: &[("pro", 1)],
    trial_days: 0,
    pauses_without_card: false,
    unpaid_after_dunning: false,
};

async fn fetched(stripe: &impl PaymentProvider, id: &str) -> FetchedCustomer {
    let found = stripe.customer(&customer_ref(id)).await;
    found.expect("an answer").expect("a customer")
}

/// The only subscription of a customer.
async fn only(stripe: &impl PaymentProvider, id: &str) -> ProviderSubscription {
    let mut found = fetched(stripe, id).await.subscriptions;
    assert_eq!(found.len(), 1, "{found:?}");
    found.swap_remove(0)
}

/// The period of the first item, wherever the version has it.
fn period(subscription: &ProviderSubscription) -> ProviderPeriod {
    let own = subscription.items[0].period;
    own.or(subscription.period).expect("a period")
}

fn ends(subscription: &ProviderSubscription) -> DateTime<Utc> {
    period(subscription).ends_at
}

fn prices(subscription: &ProviderSubscription) -> Vec<(&str, Option<u64>)> {
    let items = subscription.items.iter();
    let items = items.map(|item| (item.price.as_str(), item.quantity));
    items.collect()
}

/// S11, P6: prices, quantities and the period are told where each version has them.
#[tokio::test]
async fn a_subscription_is_told_as_it_is_in_both_shapes() {
    for shape in SHAPES {
        let (fake, stripe) = fake(shape).await;
        let customer = fake.customer(Card::Good);
        let how = Subscribe {
            items: &[("pro", 1), ("seats", 5)],
            ..PRO
        };
        let id = fake.subscribe(&customer, &how);
        let found = only(&stripe, &customer).await;
        assert_eq!((found.id.as_str(), found.status.as_str()), (&*id, "active"));
        assert_eq!(prices(&found), [("pro", Some(1)), ("seats", Some(5))]);
        assert_eq!(found.items[0].period.is_some(), shape == Shape::New);
        assert_eq!(found.period.is_some(), shape == Shape::Old);
        assert_eq!(period(&found).starts_at, at(fake.now()));
        assert_eq!((found.created, found.is_paid), (at(fake.now()), Some(true)));
        assert_eq!(
            (found.cancel_at, found.ended_at, found.trial_end),
            (None, None, None)
        );
        assert_eq!((found.scheduled, found.has_pending_update), (None, false));
        fake.pause_collection(&id, true);
        assert!(only(&stripe, &customer).await.is_collection_paused);
    }
}

/// S11, situation 47: the period rolls at once, and its invoice is paid an hour later.
#[tokio::test]
async fn a_renewal_is_not_paid_before_its_invoice_is() {
    for shape in SHAPES {
        let (fake, stripe) = fake(shape).await;
        let customer = fake.customer(Card::Good);
        fake.subscribe(&customer, &PRO);
        let end = ends(&only(&stripe, &customer).await);
        fake.advance_to(end.timestamp());
        let rolled = only(&stripe, &customer).await;
        assert_eq!(period(&rolled).starts_at, end);
        assert_eq!(
            (rolled.status.as_str(), rolled.is_paid),
            ("active", Some(false))
        );
        fake.advance(3_600);
        assert_eq!(only(&stripe, &customer).await.is_paid, Some(true));
        fake.set_card(&customer, Card::Declined);
        fake.advance_to(ends(&only(&stripe, &customer).await).timestamp());
        fake.advance(3_600);
        let late = only(&stripe, &customer).await;
        assert_eq!(
            (late.status.as_str(), late.is_paid),
            ("past_due", Some(false))
        );
    }
}

/// S12, situation 40: a change that waits is told as waiting, and the paid period stays a paid one, as it does when the
/// change waits no more and its invoice is still open.
#[tokio::test]
async fn a_change_that_waits_leaves_prices_and_the_paid_period() {
    for shape in SHAPES {
        let (fake, stripe) = fake(shape).await;
        let customer = fake.customer(Card::Good);
        let id = fake.subscribe(&customer, &PRO);
        let bill = fake.invoice(&customer, &[("max", 1)]);
        fake.edit(&bill, "billing_reason", json!("subscription_update"));
        fake.edit(&bill, "_subscription", json!(id));
        fake.edit(&id, "latest_invoice", json!(bill));
        let waits = json!({"expires_at": 1, "subscription_items": [{"id": "si_1", "price": {"id": "max"}}]});
        fake.edit(&id, "pending_update", waits);
        let found = only(&stripe, &customer).await;
        assert_eq!(prices(&found), [("pro", Some(1))]);
        assert!(found.has_pending_update);
        assert_eq!(
            found.is_paid,
            Some(true),
            "the open invoice is of the change"
        );
        fake.edit(&id, "pending_update", json!(null));
        let found = only(&stripe, &customer).await;
        assert_eq!(
            (found.has_pending_update, found.is_paid),
            (false, Some(true))
        );
    }
}

/// S8, situations 43 and 44: an end is the instant that is set, else the period's; it is taken back, and it comes.
#[tokio::test]
async fn an_end_is_set_taken_back_and_comes() {
    for (shape, by) in [
        (Shape::New, EndBy::Instant),
        (Shape::New, EndBy::Flag),
        (Shape::Old, EndBy::Flag),
    ] {
        let (fake, stripe) = fake(shape).await;
        let customer = fake.customer(Card::Good);
        let id = fake.subscribe(&customer, &PRO);
        fake.end_with_period(&id, by);
        if by == EndBy::Flag {
            // The flag alone says it too.
            fake.edit(&id, "cancel_at", json!(null));
        }
        let set = only(&stripe, &customer).await;
        assert_eq!((set.cancel_at, set.ended_at), (Some(ends(&set)), None));
        fake.go_on(&id);
        assert_eq!(only(&stripe, &customer).await.cancel_at, None);
        for days in [45, 5] {
            let end = at(fake.now() + days * DAY);
            fake.end_at(&id, end.timestamp());
            assert_eq!(only(&stripe, &customer).await.cancel_at, Some(end));
        }
        let end = at(fake.now() + 5 * DAY);
        fake.advance_days(6);
        let ended = only(&stripe, &customer).await;
        assert_eq!(
            (ended.status.as_str(), ended.ended_at),
            ("canceled", Some(end))
        );
        assert_eq!(ended.cancel_at, None);
    }
}

/// S13, S1: a trial has its end; without a card it pauses, in Stripe's own word.
#[tokio::test]
async fn a_trial_has_its_end_and_words_are_stripes_own() {
    for shape in SHAPES {
        let (fake, stripe) = fake(shape).await;
        let customer = fake.customer(Card::None);
        let how = Subscribe {
            trial_days: 14,
            pauses_without_card: true,
            ..PRO
        };
        let id = fake.subscribe(&customer, &how);
        let trial = only(&stripe, &customer).await;
        let end = at(fake.now() + 14 * DAY);
        assert_eq!(
            (trial.status.as_str(), trial.trial_end),
            ("trialing", Some(end))
        );
        assert_eq!(ends(&trial), end);
        fake.advance_days(14);
        assert_eq!(only(&stripe, &customer).await.status, "paused");
        fake.edit(&id, "status", json!("of_tomorrow"));
        assert_eq!(only(&stripe, &customer).await.status, "of_tomorrow");
    }
}

/// S5, situation 41: the next phase of a schedule is the change, until it acts.
#[tokio::test]
async fn the_next_phase_is_the_change_until_it_acts() {
    for shape in SHAPES {
        let (fake, stripe) = fake(shape).await;
        let customer = fake.customer(Card::Good);
        let how = Subscribe {
            items: &[("seats", 3), ("max", 1)],
            ..PRO
        };
        let id = fake.subscribe(&customer, &how);
        let end = ends(&only(&stripe, &customer).await);
        let schedule = fake.change_price_at_period_end(&id, "pro");
        let mut phases = fake.object(&schedule)["phases"].clone();
        phases[1]["items"] =
            json!([{"price": "seats", "quantity": 3}, {"price": "pro", "quantity": 1}]);
        let later = json!({"start_date": end.timestamp() + 90 * DAY, "items": [{"price": "max", "quantity": 1}]});
        phases.as_array_mut().expect("phases").push(later);
        fake.edit(&schedule, "phases", phases);
        let found = only(&stripe, &customer).await;
        let change = found.scheduled.as_ref().expect("a change");
        assert_eq!((change.price.as_str(), change.at), ("pro", end));
        assert_eq!(prices(&found), [("seats", Some(3)), ("max", Some(1))]);
        fake.advance_to(end.timestamp() + 3_600);
        let found = only(&stripe, &customer).await;
        assert_eq!(prices(&found), [("seats", Some(3)), ("pro", Some(1))]);
        let change = found.scheduled.expect("the phase after");
        assert_eq!(change.price.as_str(), "max");
        let of_schedule = object(ObjectKind::Schedule, &schedule);
        let whose = stripe.customer_of(&of_schedule).await.expect("an answer");
        assert_eq!(whose.as_ref().map(CustomerRef::as_str), Some(&*customer));
    }
}

/// P12, situations 35 and 36: all subscriptions of a customer are told, the ended ones and the unknown prices too.
#[tokio::test]
async fn all_subscriptions_and_all_items_are_told_known_or_not() {
    for shape in SHAPES {
        let (fake, stripe) = fake(shape).await;
        let customer = fake.customer(Card::Good);
        let codes: Vec<String> = (0..14).map(|code| format!("other_{code}")).collect();
        for code in &codes {
            fake.plan(code, 100);
        }
        let items: Vec<(&str, i64)> = codes.iter().map(|code| (code.as_str(), 2)).collect();
        let how = Subscribe {
            items: &items,
            ..PRO
        };
        let ended = fake.subscribe(&customer, &PRO);
        fake.end(&ended);
        let wide = fake.subscribe(&customer, &how);
        for _ in 0..101 {
            fake.subscribe(&customer, &PRO);
        }
        fake.subscribe(&fake.customer(Card::Good), &PRO);
        let found = fetched(&stripe, &customer).await;
        assert_eq!(found.subscriptions.len(), 103);
        let of = |id: &str| {
            let mut all = found.subscriptions.iter();
            all.find(|one| one.id.as_str() == id).expect("it is there")
        };
        assert_eq!(of(&ended).status, "canceled");
        assert_eq!(of(&wide).items.len(), 14);
        let has_period = |item: &quota_core::provider::ProviderItem| item.period.is_some();
        assert_eq!(of(&wide).items.iter().all(has_period), shape == Shape::New);
    }
}

/// Situations 32 and 65: a removed customer says so with its subscriptions ended; one on a test clock says so.
#[tokio::test]
async fn a_removed_customer_and_one_on_a_test_clock_say_so() {
    for shape in SHAPES {
        let (fake, stripe) = fake(shape).await;
        let [removed, on_clock, by_item] = [0; 3].map(|_| fake.customer(Card::Good));
        for customer in [&removed, &on_clock, &by_item] {
            let id = fake.subscribe(customer, &PRO);
            if *customer == by_item {
                fake.edit(&id, "test_clock", json!("clock_1"));
            }
        }
        fake.edit(&on_clock, "test_clock", json!("clock_1"));
        fake.remove_customer(&removed);
        let found = fetched(&stripe, &removed).await;
        assert!(found.is_deleted && !found.is_on_test_clock);
        assert_eq!(found.subscriptions[0].status, "canceled");
        for customer in [&on_clock, &by_item] {
            let found = fetched(&stripe, customer).await;
            assert!(found.is_on_test_clock && !found.is_deleted);
        }
        let nobody = stripe.customer(&customer_ref("cus_gone")).await;
        assert_eq!(nobody, Ok(None));
    }
}

/// Whose an object is, of each kind of object that an event may be about.
#[tokio::test]
async fn every_object_says_whose_it_is() {
    for shape in SHAPES {
        let (fake, stripe) = fake(shape).await;
        let customer = fake.customer(Card::Good);
        let subscription = fake.subscribe(&customer, &PRO);
        let invoice = fake.object(&subscription)["latest_invoice"].clone();
        let invoice = invoice.as_str().expect("an invoice");
        let intent = fake.intent_of(invoice);
        let charge = fake.object(&intent)["latest_charge"].clone();
        let refund = fake.refund(&intent, 1, testkit::fake_stripe::RefundAs::Succeeded);
        let dispute = fake.dispute(&intent, 1, "needs_response");
        let all = [
            (ObjectKind::Customer, customer.as_str()),
            (ObjectKind::Subscription, &subscription),
            (ObjectKind::Invoice, invoice),
            (ObjectKind::Intent, &intent),
            (ObjectKind::Charge, charge.as_str().expect("a charge")),
            (
                ObjectKind::Refund,
                refund.as_deref().expect("enough was paid"),
            ),
            (ObjectKind::Dispute, &dispute),
        ];
        for (kind, id) in all {
            let whose = stripe.customer_of(&object(kind, id)).await;
            assert_eq!(whose, Ok(Some(customer_ref(&customer))), "{kind:?}");
        }
        let gone = object(ObjectKind::Subscription, "sub_gone");
        assert_eq!(stripe.customer_of(&gone).await, Ok(None));
    }
}
