//! What a payment came to, what was bought, and what came back.

use billing_stripe::shapes::CheckoutMode;
use quota_core::ids::PackCode;
use quota_core::payment::{DisputeStatus, Paying, RefundStatus};
use quota_core::ports::PaymentProvider;
use quota_core::provider::{FetchedPayment, ObjectKind};
use serde_json::json;
use testkit::fake_stripe::{Card, FakeStripe, Pay, RefundAs, Shape, Subscribe};

use crate::roots::session;
use crate::{DAY, SHAPES, at, fake, named, object, payment};

/// Price and quantity of each line that buys something.
fn bought(payment: &FetchedPayment) -> Vec<(&str, u64)> {
    let lines = payment.lines.iter().filter(|line| !line.is_proration);
    let priced = lines.filter_map(|line| Some((line.price.as_ref()?.as_str(), line.quantity)));
    priced.collect()
}

/// P8, situations 24, 27: price and quantity, whatever the sum and the currency that was shown.
#[tokio::test]
async fn a_payment_says_price_quantity_sum_and_when() {
    for shape in SHAPES {
        let (fake, stripe) = fake(shape).await;
        let id = fake.payment_link("pack", 3);
        fake.advance(600);
        let pay = Pay {
            tax_percent: 20,
            presentment: Some(("usd".to_owned(), 3_500)),
            ..Pay::default()
        };
        fake.pay(&id, &pay);
        let paid = payment(&stripe, ObjectKind::Session, &id).await;
        assert_eq!(bought(&paid), [("pack", 3)]);
        assert_eq!(paid.lines[0].line.as_str().split('_').next(), Some("li"));
        assert_eq!((paid.amount, paid.currency.as_str()), (3_240, "eur"));
        assert_eq!(paid.paying, Paying::Paid);
        assert_eq!(paid.paid_at, Some(at(fake.now())));
        assert_eq!(paid.made_at, at(fake.now() - 600));
        let customer = paid.customer.expect("somebody paid");
        assert_eq!(fake.object(&id)["customer"], customer.as_str());
        assert!(paid.ordered_pack.is_none() && paid.subscription.is_none());
    }
}

/// P6, situation 1: the same is fetched however often and in parallel.
#[tokio::test]
async fn fetched_five_times_at_once_it_is_the_same() {
    let (fake, stripe) = fake(Shape::New).await;
    let id = fake.payment_link("pack", 1);
    fake.pay(&id, &Pay::by(Card::Good));
    let one = object(ObjectKind::Session, &id);
    let all = futures::future::join_all((0..5).map(|_| stripe.payment(&one))).await;
    assert!(
        all.iter()
            .all(|payment| payment == &all[0] && payment.is_ok())
    );
}

/// P1, situations 5 and 6: completed is not paid; a debit comes days later, or never.
#[tokio::test]
async fn a_debit_is_pending_until_it_is_paid_or_sent_back() {
    for shape in SHAPES {
        let (fake, stripe) = fake(shape).await;
        for (is_paid, becomes) in [(true, Paying::Paid), (false, Paying::Failed)] {
            let id = fake.payment_link("pack", 1);
            let open = payment(&stripe, ObjectKind::Session, &id).await;
            assert_eq!((open.paying, open.paid_at), (Paying::Pending, None));
            fake.pay(&id, &Pay::by(Card::Late));
            let complete = payment(&stripe, ObjectKind::Session, &id).await;
            assert_eq!((complete.paying, complete.paid_at), (Paying::Pending, None));
            fake.advance_days(4);
            fake.payment_ends(&fake.intent_of(&id), is_paid);
            let ended = payment(&stripe, ObjectKind::Session, &id).await;
            assert_eq!(ended.paying, becomes);
            assert_eq!(ended.paid_at.is_some(), is_paid);
        }
        let left = fake.payment_link("pack", 1);
        fake.advance_days(2);
        let expired = payment(&stripe, ObjectKind::Session, &left).await;
        assert_eq!(expired.paying, Paying::Failed);
    }
}

/// P8, situations 22 and 23: what costs nothing is paid.
#[tokio::test]
async fn a_coupon_to_nothing_and_an_invoice_of_nothing_are_paid() {
    for shape in SHAPES {
        let (fake, stripe) = fake(shape).await;
        let free = Pay {
            discount_percent: 100,
            ..Pay::default()
        };
        let id = fake.payment_link("pack", 1);
        fake.pay(&id, &free);
        let paid = payment(&stripe, ObjectKind::Session, &id).await;
        assert_eq!((paid.paying, paid.amount), (Paying::Paid, 0));
        assert_eq!(bought(&paid), [("pack", 1)]);
        let how = Subscribe {
            items: &[("pro", 1)],
            trial_days: 14,
            ..Subscribe::default()
        };
        let id = fake.subscribe(&fake.customer(Card::Good), &how);
        let invoice = fake.object(&id)["latest_invoice"].clone();
        let invoice = invoice.as_str().expect("an invoice");
        let paid = payment(&stripe, ObjectKind::Invoice, invoice).await;
        assert_eq!((paid.paying, paid.amount), (Paying::Paid, 0));
        assert_eq!(paid.paid_at, Some(at(fake.now())));
    }
}

/// P8, situation 26: an invoice is paid by its status alone; written off it will not be.
#[tokio::test]
async fn an_invoice_stands_as_its_status_says() {
    for shape in SHAPES {
        let (fake, stripe) = fake(shape).await;
        let customer = fake.customer(Card::Good);
        let [by_card, outside, void, bad, open] =
            [0; 5].map(|_| fake.invoice(&customer, &[("pack", 2)]));
        fake.advance(60);
        fake.pay_invoice(&by_card);
        fake.pay_outside(&outside);
        fake.write_off(&void, "void");
        fake.write_off(&bad, "uncollectible");
        for (invoice, paying) in [
            (by_card, Paying::Paid),
            (outside, Paying::Paid),
            (void, Paying::Failed),
            (bad, Paying::Failed),
            (open, Paying::Pending),
        ] {
            let found = payment(&stripe, ObjectKind::Invoice, &invoice).await;
            assert_eq!((found.paying, found.amount), (paying, 1_800));
            let paid_at = (paying == Paying::Paid).then(|| at(fake.now()));
            assert_eq!(found.paid_at, paid_at);
            assert_eq!(bought(&found), [("pack", 2)]);
            assert_eq!(found.subscription, None);
        }
    }
}

/// P8: no line is left out, and what settles a change in mid-period says so.
#[tokio::test]
async fn all_lines_are_there_and_prorations_say_so() {
    for shape in SHAPES {
        let (fake, stripe) = fake(shape).await;
        let customer = fake.customer(Card::Good);
        let long = fake.invoice(&customer, &[("pack", 1); 112]);
        let found = payment(&stripe, ObjectKind::Invoice, &long).await;
        assert_eq!(found.lines.len(), 112);
        let many = session(&fake, CheckoutMode::Payment, &["pack"; 12], false).await;
        fake.pay(&many, &Pay::by(Card::Good));
        let by_intent = payment(&stripe, ObjectKind::Intent, &fake.intent_of(&many)).await;
        assert_eq!(by_intent.lines.len(), 12);
        let how = Subscribe {
            items: &[("pro", 1)],
            ..Subscribe::default()
        };
        let id = fake.subscribe(&customer, &how);
        fake.advance_days(10);
        fake.change_price(&id, "max", false);
        let invoice = fake.object(&id)["latest_invoice"].clone();
        let invoice = invoice.as_str().expect("an invoice");
        let found = payment(&stripe, ObjectKind::Invoice, invoice).await;
        assert_eq!((found.lines.len(), bought(&found).len()), (2, 0));
        let subscription = found.subscription.expect("it is for one");
        assert_eq!(subscription.as_str(), id);
    }
}

/// P9, situations 11, 12, 13 and 18: refunds are listed with their states, of each payment its own.
#[tokio::test]
async fn refunds_are_those_of_the_list_with_their_states() {
    for shape in SHAPES {
        let (fake, stripe) = fake(shape).await;
        let [first, second] = [0; 2].map(|_| {
            let id = fake.payment_link("pack", 1);
            fake.pay(&id, &Pay::by(Card::Good));
            id
        });
        let intent = fake.intent_of(&first);
        let refund = |amount, how| fake.refund(&intent, amount, how).expect("enough is left");
        let pending = refund(300, RefundAs::Pending);
        let fails = refund(200, RefundAs::FailsAfterDays(5));
        // Whoever heard of the refund first knows all of the payment by it.
        let paid = payment(&stripe, ObjectKind::Refund, &fails).await;
        assert_eq!(
            (paid.payment.as_str(), paid.paying),
            (&*first, Paying::Paid)
        );
        let status = |paid: &FetchedPayment, id: &str| paid.refunds[&named(id)].status;
        assert_eq!(paid.refunds.len(), 2);
        assert_eq!(paid.refunds[&named(&pending)].amount, 300);
        assert_eq!(status(&paid, &pending), RefundStatus::Pending);
        assert_eq!(status(&paid, &fails), RefundStatus::Succeeded);
        fake.advance(6 * DAY);
        fake.refund_becomes(&pending, "of_tomorrow");
        let later = payment(&stripe, ObjectKind::Session, &first).await;
        assert_eq!(status(&later, &fails), RefundStatus::Failed);
        assert_eq!(status(&later, &pending), RefundStatus::Unknown);
        let other = payment(&stripe, ObjectKind::Session, &second).await;
        assert!(other.refunds.is_empty() && other.payment != later.payment);
    }
}

/// P11, situations 14 to 17: a dispute walks, and its state is told as quota-core knows it.
#[tokio::test]
async fn a_dispute_walks() {
    let (fake, stripe) = fake(Shape::New).await;
    let id = fake.payment_link("pack", 1);
    fake.pay(&id, &Pay::by(Card::Good));
    let dispute = fake.dispute(&fake.intent_of(&id), 900, "warning_needs_response");
    for (word, status) in [
        ("warning_needs_response", DisputeStatus::Inquiry),
        ("needs_response", DisputeStatus::Open),
        ("under_review", DisputeStatus::Open),
        ("won", DisputeStatus::Won),
        ("lost", DisputeStatus::Lost),
        ("appeal_under_review", DisputeStatus::Appeal),
        ("charge_refunded", DisputeStatus::Lost),
        ("of_tomorrow", DisputeStatus::Unknown),
    ] {
        fake.dispute_becomes(&dispute, word);
        let paid = payment(&stripe, ObjectKind::Dispute, &dispute).await;
        let found = paid.disputes[&named(&dispute)];
        assert_eq!((found.status, found.amount), (status, 900), "{word}");
    }
}

/// P8, situations 28 and 29: an order names its pack, what came of it and in which currency; other metadata says nothing.
#[tokio::test]
async fn an_order_says_its_pack_and_what_came_of_it() {
    for shape in SHAPES {
        let (fake, stripe) = fake(shape).await;
        let customer = fake.customer(Card::Good);
        let metadata = json!({"quota_pack": "small", "account": "user:eve", "credits": "1000000"});
        let id = fake.intent(&customer, 850, &metadata);
        let paid = payment(&stripe, ObjectKind::Intent, &id).await;
        assert_eq!(
            paid.ordered_pack.as_ref().map(PackCode::as_str),
            Some("small")
        );
        assert_eq!((paid.amount, paid.currency.as_str()), (850, "eur"));
        assert_eq!((paid.paying, paid.lines.len()), (Paying::Paid, 0));
        assert_eq!(paid.customer.expect("ours").as_str(), customer);
        fake.set_card(&customer, Card::Declined);
        let id = fake.intent(&customer, 900, &metadata);
        let declined = payment(&stripe, ObjectKind::Intent, &id).await;
        assert_eq!((declined.paying, declined.amount), (Paying::Pending, 900));
        assert_eq!(declined.aliases, []);
    }
}

/// Situation 65: what lives on a test clock says so, whatever root it has.
#[tokio::test]
async fn a_payment_on_a_test_clock_says_so() {
    let (fake, stripe) = fake(Shape::New).await;
    let customer = fake.customer(Card::Good);
    let invoice = fake.invoice(&customer, &[("pack", 1)]);
    let order = fake.intent(&customer, 900, &json!({"quota_pack": "small"}));
    let link = fake.payment_link("pack", 1);
    fake.pay(&link, &Pay::by(Card::Good));
    let payer = fake.object(&link)["customer"].clone();
    let all = [
        (ObjectKind::Invoice, invoice),
        (ObjectKind::Intent, order),
        (ObjectKind::Session, link),
    ];
    for (kind, id) in &all {
        assert!(!payment(&stripe, *kind, id).await.is_on_test_clock);
    }
    for customer in [&customer, payer.as_str().expect("a payer")] {
        fake.edit(customer, "test_clock", json!("clock_1"));
    }
    for (kind, id) in &all {
        assert!(payment(&stripe, *kind, id).await.is_on_test_clock);
    }
}

/// An object without a name that is kept fails the payment; nothing of it is left out.
#[tokio::test]
async fn a_payment_that_cannot_be_read_whole_is_an_error() {
    use quota_core::ports::ProviderFault;
    let (fake, stripe) = fake(Shape::New).await;
    let lacks = |fake: &FakeStripe, field| {
        let id = fake.payment_link("pack", 1);
        fake.pay(&id, &Pay::by(Card::Good));
        fake.edit(&id, field, json!(null));
        id
    };
    for field in ["currency", "created"] {
        let id = lacks(&fake, field);
        let error = stripe.payment(&object(ObjectKind::Session, &id)).await;
        let error = error.expect_err("it lacks something");
        assert_eq!(error.fault, ProviderFault::Unreadable, "{error}");
        assert!(error.to_string().contains(&id), "{error}");
    }
}
