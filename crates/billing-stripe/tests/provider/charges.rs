//! Payments that are made at once without their payer (P20): one for each charge, found again, and canceled where they failed.

use billing_stripe::provider::Stripe;
use quota_core::ids::{AccountId, Currency, PackCode};
use quota_core::ports::{Charged, NewCharge, PaymentProvider, ProviderFault};
use quota_core::terms::TopUpFailure;
use testkit::fake_stripe::{Card, FakeStripe, Fault, FaultKind, When};
use uuid::Uuid;

use crate::{DAY, SHAPES, at, customer_ref, fake};

fn charge(fake: &FakeStripe, customer: &str) -> NewCharge {
    NewCharge {
        id: Uuid::from_u128(7),
        customer: customer_ref(customer),
        account: AccountId::parse("user:alice").expect("an account"),
        pack: PackCode::new("pack").expect("a pack"),
        amount: 900,
        currency: Currency::new("eur").expect("a currency"),
        since: at(fake.now()),
        payment: None,
    }
}

fn intents(fake: &FakeStripe) -> Vec<(String, String)> {
    let made = fake.events().into_iter();
    let made = made.filter(|event| event.kind == "payment_intent.created");
    let told = made.map(|event| {
        let status = fake.object(&event.object)["status"].clone();
        (event.object, status.as_str().unwrap_or_default().to_owned())
    });
    told.collect()
}

async fn charged(stripe: &Stripe, charge: &NewCharge) -> Option<Charged> {
    stripe.charged(charge).await.expect("an answer")
}

fn failure(charged: &Charged) -> Option<TopUpFailure> {
    let Charged::Failed { failure, .. } = charged else {
        return None;
    };
    Some(*failure)
}

#[tokio::test]
async fn a_charge_is_one_payment_and_found_again_by_what_it_is_for() {
    for shape in SHAPES {
        let (fake, stripe) = fake(shape).await;
        let customer = fake.customer(Card::Good);
        let mut asked = charge(&fake, &customer);
        assert_eq!(charged(&stripe, &asked).await, None);
        let first = stripe.charge(&asked).await.expect("is paid");
        assert_eq!(
            stripe.charge(&asked).await,
            Ok(first.clone()),
            "the same key"
        );
        fake.advance(3 * DAY);
        assert_eq!(charged(&stripe, &asked).await, Some(first.clone()));
        let Charged::Taken(payment) = first.clone() else {
            panic!("{first:?}");
        };
        asked.payment = Some(payment.clone());
        assert_eq!(charged(&stripe, &asked).await, Some(first));
        let other = NewCharge {
            id: Uuid::from_u128(8),
            payment: None,
            ..asked
        };
        assert_eq!(charged(&stripe, &other).await, None);
        let made = intents(&fake);
        assert_eq!(made, [(payment.to_string(), "succeeded".to_owned())]);
        let intent = fake.object(payment.as_str());
        assert_eq!(
            (&intent["amount"], &intent["customer"]),
            (&900.into(), &customer.into())
        );
        let metadata = &intent["metadata"];
        assert_eq!(metadata["quota_pack"], "pack");
        assert_eq!(metadata["account"], "user:alice");
    }
}

/// The answer is lost after the effect: the client's own second try is answered under the same key.
#[tokio::test]
async fn a_charge_whose_answer_was_lost_is_tried_again_under_its_key() {
    let (fake, stripe) = fake(SHAPES[0]).await;
    let customer = fake.customer(Card::Good);
    for kind in [
        FaultKind::Broken,
        FaultKind::Status(500),
        FaultKind::Limited(None),
    ] {
        fake.fault(Fault::once("POST /v1/payment_intents", kind, When::After));
        let paid = stripe.charge(&charge(&fake, &customer)).await;
        assert!(matches!(paid, Ok(Charged::Taken(_))), "{paid:?}");
        assert_eq!(intents(&fake).len(), 1);
    }
}

#[tokio::test]
async fn a_charge_that_failed_can_be_paid_no_more() {
    for (card, wanted) in [
        (Card::Declined, TopUpFailure::Declined),
        (Card::NeedsCustomer, TopUpFailure::AuthenticationRequired),
    ] {
        let (fake, stripe) = fake(SHAPES[0]).await;
        let customer = fake.customer(card);
        let asked = charge(&fake, &customer);
        let told = stripe.charge(&asked).await.expect("an answer");
        assert_eq!(failure(&told), Some(wanted), "{told:?}");
        assert_eq!(intents(&fake)[0].1, "canceled");
        let again = charged(&stripe, &asked).await.expect("is found");
        assert_eq!(failure(&again), Some(wanted), "{again:?}");
        fake.set_card(&customer, Card::Good);
        let again = stripe.charge(&asked).await;
        let is_known = matches!(&again, Ok(told) if failure(told) == Some(wanted));
        let is_left = matches!(&again, Err(error) if error.fault == ProviderFault::Later);
        assert!(is_known || is_left, "{again:?}");
        assert_eq!(intents(&fake).len(), 1);
    }
}

#[tokio::test]
async fn a_customer_pays_with_its_default_or_with_what_was_added_last() {
    let (fake, stripe) = fake(SHAPES[0]).await;
    let customer = fake.customer(Card::None);
    let asked = charge(&fake, &customer);
    let nothing = stripe.charge(&asked).await.expect("an answer");
    assert_eq!(failure(&nothing), Some(TopUpFailure::NoPaymentMethod));
    fake.add_card(&customer, Card::Declined);
    fake.add_card(&customer, Card::Late);
    let late = stripe.charge(&asked).await.expect("an answer");
    assert!(matches!(late, Charged::Taken(_)), "{late:?}");
    assert_eq!(intents(&fake)[0].1, "processing");
    fake.set_card(&customer, Card::Good);
    let next = NewCharge {
        id: Uuid::from_u128(8),
        ..asked
    };
    stripe.charge(&next).await.expect("is paid");
    assert_eq!(intents(&fake)[1].1, "succeeded");
    fake.remove_customer(&customer);
    let gone = NewCharge {
        id: Uuid::from_u128(9),
        ..next
    };
    let gone = stripe.charge(&gone).await.expect("an answer");
    assert_eq!(failure(&gone), Some(TopUpFailure::NoCustomer));
}
