//! Lists, page by page to their end, and what goes wrong.

use std::collections::BTreeSet;

use billing_stripe::shapes::CheckoutMode;
use chrono::TimeDelta;
use quota_core::ids::AccountId;
use quota_core::ports::{PaymentProvider, ProviderFault};
use quota_core::provider::{ObjectKind, ProviderObject};
use serde_json::json;
use testkit::fake_stripe::{Card, Fault, FaultKind, Pay, Shape, Subscribe, When};

use crate::roots::session;
use crate::{SHAPES, at, customer_ref, fake, object};

const PRO: Subscribe<'static> = Subscribe {
    items: &[("pro", 1)],
    trial_days: 0,
    pauses_without_card: false,
    unpaid_after_dunning: false,
};

/// Situation 49: every subscription of every customer, the ended ones too, and none of a test clock.
#[tokio::test]
async fn every_subscription_is_listed_once() {
    for shape in SHAPES {
        let (fake, stripe) = fake(shape).await;
        let all = fake.many_subscriptions(230, "pro");
        fake.end(&all[0]);
        fake.edit(&all[7], "test_clock", json!("clock_1"));
        let mut after = None;
        let mut found = BTreeSet::new();
        let mut pages = 0;
        loop {
            let page = stripe
                .subscriptions(after.as_deref())
                .await
                .expect("a page");
            pages += 1;
            for (customer, one) in page.items {
                let whose = fake.object(one.id.as_str())["customer"].clone();
                assert_eq!(whose, customer.as_str());
                assert!(found.insert(one.id.as_str().to_owned()), "twice: {one:?}");
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!((found.len(), pages), (229, 3));
        assert!(found.contains(&all[0]) && !found.contains(&all[7]));
    }
}

/// Situation 48: events since an instant, the newest first, those that nobody looks at left out.
#[tokio::test]
async fn events_are_listed_since_an_instant() {
    for shape in SHAPES {
        let (fake, stripe) = fake(shape).await;
        fake.customer(Card::Good);
        fake.advance(1);
        let since = at(fake.now());
        let ids: Vec<String> = (0..120).map(|_| fake.customer(Card::Good)).collect();
        fake.payment_link("pack", 1);
        let now = since + TimeDelta::days(1);
        let mut after = None;
        let mut kept = Vec::new();
        loop {
            let page = stripe.events(since, after.as_deref(), now).await;
            let page = page.expect("a page");
            kept.extend(page.items);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(kept.len(), 240, "made and changed each");
        let about = |place: usize| kept[place].about.as_ref().expect("a customer");
        assert_eq!(about(0).id, ids[119]);
        assert_eq!(about(239).id, ids[0]);
        assert!(
            kept.iter()
                .all(|event| event.received_at == now && event.made_at == since)
        );
        fake.invoice(&ids[0], &[("pack", 1)]);
        let page = stripe.events(since, None, now).await.expect("a page");
        assert_eq!(
            page.items.len(),
            98,
            "an invoice that was made is not looked at"
        );
    }
}

/// Situation 49: what may be a payment, one kind after the other, the rest left out.
#[tokio::test]
async fn what_may_be_a_payment_is_listed_kind_by_kind() {
    for shape in SHAPES {
        let (fake, stripe) = fake(shape).await;
        let customer = fake.customer(Card::Good);
        fake.invoice(&customer, &[("pack", 1)]);
        fake.advance(1);
        let since = at(fake.now());
        let mut expected = BTreeSet::new();
        for _ in 0..102 {
            let link = fake.payment_link("pack", 1);
            fake.pay(&link, &Pay::by(Card::Good));
            expected.insert(link);
        }
        fake.payment_link("pack", 1);
        let plan = session(&fake, CheckoutMode::Subscription, &["pro"], false).await;
        fake.pay(&plan, &Pay::by(Card::Good));
        let invoice = fake.object(&plan)["invoice"].clone();
        expected.insert(invoice.as_str().expect("an invoice").to_owned());
        expected.insert(fake.invoice(&customer, &[("pack", 1)]));
        expected.insert(fake.intent(&customer, 900, &json!({"quota_pack": "small"})));
        fake.intent(&customer, 900, &json!({}));
        let mut after = None;
        let mut found: Vec<ProviderObject> = Vec::new();
        loop {
            let page = stripe
                .payments(since, after.as_deref())
                .await
                .expect("a page");
            found.extend(page.items);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        let ids: BTreeSet<String> = found.iter().map(|object| object.id.clone()).collect();
        assert_eq!(ids, expected, "{shape:?}");
        let kinds: Vec<ObjectKind> = found.iter().map(|object| object.kind).collect();
        let place = |kind| kinds.iter().position(|found| *found == kind);
        assert!(place(ObjectKind::Session) < place(ObjectKind::Invoice));
        assert!(place(ObjectKind::Invoice) < place(ObjectKind::Intent));
    }
}

#[tokio::test]
async fn a_place_in_no_list_is_refused() {
    let (_fake, stripe) = fake(Shape::New).await;
    for place in ["charges:ch_1", "sessions:cs_gone"] {
        let error = stripe.payments(at(0), Some(place)).await;
        let error = error.expect_err("no such place");
        assert_eq!(error.fault, ProviderFault::Refused, "{error}");
    }
}

/// Situations 51, 53: what goes wrong says what can be done about it, and a permission that lacks is named.
#[tokio::test]
async fn what_goes_wrong_says_what_can_be_done() {
    let (fake, stripe) = fake(Shape::New).await;
    let customer = fake.customer(Card::Good);
    fake.subscribe(&customer, &PRO);
    let whose = customer_ref(&customer);
    let often = |line: &str, kind: FaultKind| {
        for _ in 0..5 {
            fake.fault(Fault::once(line, kind.clone(), When::Before));
        }
    };
    for kind in [
        FaultKind::Status(500),
        FaultKind::Limited(None),
        FaultKind::LockTimeout,
        FaultKind::KeyInUse,
        FaultKind::Broken,
    ] {
        often("GET /v1/subscriptions", kind.clone());
        let error = stripe.customer(&whose).await.expect_err("it fails");
        assert_eq!(error.fault, ProviderFault::Later, "{kind:?}: {error}");
        fake.clear_faults();
    }
    often("GET /v1/subscriptions", FaultKind::Body("{}".to_owned()));
    let error = stripe.customer(&whose).await.expect_err("it fails");
    assert_eq!(error.fault, ProviderFault::Unreadable, "{error}");
    fake.clear_faults();
    often(
        "GET /v1/subscriptions",
        FaultKind::Forbidden("rak_subscription_read".to_owned()),
    );
    let error = stripe.customer(&whose).await.expect_err("it fails");
    assert_eq!(error.fault, ProviderFault::Key);
    assert!(error.what.contains("rak_subscription_read"), "{error}");
    fake.clear_faults();
    fake.set_key_dead(true);
    let error = stripe.account().await.expect_err("it fails");
    assert_eq!(error.fault, ProviderFault::Key);
    assert!(!error.to_string().contains("sk_test_12345"), "{error}");
    fake.set_key_dead(false);
    assert_eq!(stripe.account().await, Ok("acct_fake".to_owned()));
    assert_eq!(stripe.code().as_str(), "stripe");
    let alice = AccountId::parse("user:alice").expect("an account");
    let made = stripe.make_customer(&alice, "k").await.expect("a customer");
    let other = AccountId::parse("user:bob").expect("an account");
    let error = stripe
        .make_customer(&other, "k")
        .await
        .expect_err("the same key");
    assert_eq!(error.fault, ProviderFault::Refused, "{error}");
    let whose = stripe
        .customer_of(&object(ObjectKind::Customer, made.as_str()))
        .await;
    assert_eq!(whose, Ok(Some(made)));
}
