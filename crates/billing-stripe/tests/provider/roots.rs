//! P7: one payment has one root, from whichever of its objects it is fetched.

use billing_stripe::client::{CheckoutLine, IdempotencyKey, NewSession};
use billing_stripe::shapes::{CheckoutMode, Metadata};
use quota_core::ids::PriceId;
use quota_core::ports::PaymentProvider;
use quota_core::provider::{FetchedPayment, ObjectKind, ProviderObject};
use serde_json::{Value, json};
use testkit::fake_stripe::{Card, FakeStripe, Pay, RefundAs, Shape};

use crate::{SHAPES, client, fake, named, object};

/// A session of a customer, as our own checkout makes it.
pub async fn session(
    fake: &FakeStripe,
    mode: CheckoutMode,
    prices: &[&str],
    invoice: bool,
) -> String {
    let lines = prices.iter().map(|price| CheckoutLine {
        price: (*price).to_owned(),
        quantity: 2,
    });
    let new = NewSession {
        mode,
        line_items: lines.collect(),
        customer: Some(fake.customer(Card::Good)),
        client_reference_id: None,
        success_url: "https://shop.test/done".to_owned(),
        cancel_url: None,
        expires_at: None,
        allow_promotion_codes: None,
        with_invoice: invoice.then_some(true),
        setup_future_usage: None,
        payment_metadata: Metadata::new(),
        payment_method_collection: None,
        subscription_data: None,
        metadata: Metadata::new(),
    };
    let number = fake.events().len();
    let key = IdempotencyKey::new(format!("session:{number}")).expect("a key");
    let session = client(fake).create_session(&new, &key).await;
    session.expect("a session").id
}

fn free() -> Pay {
    Pay {
        discount_percent: 100,
        ..Pay::default()
    }
}

/// All objects that belong to a payment, found in the fake by what names what; a refund and a dispute are made of it.
fn objects_of(fake: &FakeStripe, start: &str) -> Vec<ProviderObject> {
    let mut objects = Vec::new();
    let begun = fake.object(start);
    let invoice = match begun["object"].as_str() {
        Some("checkout.session") => {
            objects.push(object(ObjectKind::Session, start));
            begun["invoice"].as_str().map(str::to_owned)
        }
        Some("invoice") => Some(start.to_owned()),
        _ => None,
    };
    let intent = if begun["object"] == "payment_intent" {
        Some(start.to_owned())
    } else {
        let paid_by = |id: &str| fake.pays(id);
        paid_by(start).or_else(|| invoice.as_deref().and_then(paid_by))
    };
    if let Some(invoice) = invoice {
        objects.push(object(ObjectKind::Invoice, &invoice));
    }
    if let Some(intent) = intent {
        let charge = fake.object(&intent)["latest_charge"].clone();
        let refund = fake.refund(&intent, 100, RefundAs::Succeeded);
        let refund = refund.expect("enough was paid");
        let dispute = fake.dispute(&intent, 200, "needs_response");
        objects.push(object(ObjectKind::Intent, &intent));
        objects.push(object(ObjectKind::Charge, charge.as_str().expect("paid")));
        objects.push(object(ObjectKind::Refund, &refund));
        objects.push(object(ObjectKind::Dispute, &dispute));
    }
    objects
}

/// Fetches a payment from each of its objects; it is the same each time.
async fn one_payment(
    (fake, stripe): &(FakeStripe, billing_stripe::provider::Stripe),
    start: &str,
    kinds: usize,
) -> FetchedPayment {
    let objects = objects_of(fake, start);
    assert_eq!(objects.len(), kinds, "{objects:?}");
    let mut payments: Vec<FetchedPayment> = Vec::new();
    for object in &objects {
        let found = stripe.payment(object).await.expect("an answer");
        payments.push(found.unwrap_or_else(|| panic!("no payment of {object:?}")));
    }
    for (payment, object) in payments.iter().zip(&objects) {
        assert_eq!(payment, &payments[0], "from {object:?}");
    }
    let payment = payments.swap_remove(0);
    let ids = || objects.iter().filter(|object| !is_return(object.kind));
    for object in ids() {
        let id = named(&object.id);
        let is_named = payment.payment == id || payment.aliases.contains(&id);
        assert!(is_named, "{object:?} is no name of {payment:?}");
    }
    assert_eq!(payment.aliases.len() + 1, ids().count(), "{payment:?}");
    let returned = objects.iter().filter(|object| is_return(object.kind));
    let told = payment.refunds.len() + payment.disputes.len();
    assert_eq!(told, returned.count());
    payment
}

fn is_return(kind: ObjectKind) -> bool {
    matches!(kind, ObjectKind::Refund | ObjectKind::Dispute)
}

/// P7, situations 2, 3 and 4: a session with an invoice of its own is one payment, kept by the session.
#[tokio::test]
async fn a_pack_is_one_payment_from_each_of_its_objects() {
    for shape in SHAPES {
        let both = fake(shape).await;
        for with_invoice in [false, true] {
            let id = session(&both.0, CheckoutMode::Payment, &["pack"], with_invoice).await;
            both.0.pay(&id, &Pay::by(Card::Good));
            let kinds = 5 + usize::from(with_invoice);
            let payment = one_payment(&both, &id, kinds).await;
            assert_eq!(payment.payment, named(&id), "{shape:?} {with_invoice}");
            assert_eq!(payment.lines.len(), 1, "lines are of the session alone");
        }
    }
}

/// P7: also where the invoice does not say what paid it, and where nothing was to be paid (situation 22).
#[tokio::test]
async fn an_invoice_that_names_no_payment_leads_to_the_session_that_names_it() {
    for shape in SHAPES {
        let both = fake(shape).await;
        let id = session(&both.0, CheckoutMode::Payment, &["pack"], true).await;
        both.0.pay(&id, &Pay::by(Card::Good));
        let invoice = both.0.object(&id)["invoice"].clone();
        let invoice = invoice.as_str().expect("an invoice");
        let intent = both.0.intent_of(&id);
        both.0.edit(invoice, "_payments", json!([]));
        both.0.edit(&intent, "_invoice", Value::Null);
        let payment = one_payment(&both, &id, 6).await;
        assert_eq!(payment.payment, named(&id), "{shape:?}");

        let id = session(&both.0, CheckoutMode::Payment, &["pack"], true).await;
        both.0.pay(&id, &free());
        let payment = one_payment(&both, &id, 2).await;
        assert_eq!((payment.payment, payment.amount), (named(&id), 0));
    }
}

/// P7, situation 25: a subscription and what is bought with it is kept by its invoice, and the session is a name of it.
#[tokio::test]
async fn a_subscription_is_paid_by_its_invoice_from_each_of_its_objects() {
    for shape in SHAPES {
        let both = fake(shape).await;
        let mode = CheckoutMode::Subscription;
        let id = session(&both.0, mode, &["pro", "pack"], false).await;
        let unpaid = object(ObjectKind::Session, &id);
        assert_eq!(both.1.payment(&unpaid).await, Ok(None), "nothing yet");
        both.0.pay(&id, &Pay::by(Card::Good));
        let payment = one_payment(&both, &id, 6).await;
        let session = both.0.object(&id);
        assert_eq!(session["invoice"], payment.payment.as_str());
        assert_eq!(payment.aliases[0], named(&id));
        let subscription = payment.subscription.expect("a subscription");
        assert_eq!(session["subscription"], subscription.as_str());
        let prices = payment.lines.iter().filter_map(|line| line.price.as_ref());
        let prices: Vec<&str> = prices.map(PriceId::as_str).collect();
        assert_eq!(prices, ["pro", "pack"]);
    }
}

/// P7: invoices by hand, paid by card and outside (situation 26), and an order of ours that has neither.
#[tokio::test]
async fn invoices_and_orders_are_their_own_root() {
    for shape in SHAPES {
        let both = fake(shape).await;
        let customer = both.0.customer(Card::Good);
        let [by_card, outside] = [0; 2].map(|_| both.0.invoice(&customer, &[("pack", 2)]));
        both.0.pay_invoice(&by_card);
        both.0.pay_outside(&outside);
        let payment = one_payment(&both, &by_card, 5).await;
        assert_eq!(payment.payment, named(&by_card));
        let payment = one_payment(&both, &outside, 1).await;
        assert_eq!(payment.payment, named(&outside));
        let order = both
            .0
            .intent(&customer, 900, &json!({"quota_pack": "small"}));
        let payment = one_payment(&both, &order, 4).await;
        assert_eq!(payment.payment, named(&order));
        let pack = payment.ordered_pack.expect("an order");
        assert_eq!(pack.as_str(), "small");
    }
}

/// Somebody else's payment is none of ours, and what is not there (situation 62) neither.
#[tokio::test]
async fn what_is_no_payment_here_is_none() {
    let (fake, stripe) = fake(Shape::New).await;
    let customer = fake.customer(Card::Good);
    let other = fake.intent(&customer, 900, &json!({"order": "4711"}));
    let charge = fake.object(&other)["latest_charge"].clone();
    let nothing = [
        object(ObjectKind::Intent, &other),
        object(ObjectKind::Charge, charge.as_str().expect("a charge")),
        object(ObjectKind::Customer, &customer),
        object(ObjectKind::Session, "cs_test_gone"),
        object(ObjectKind::Invoice, "in_gone"),
        object(ObjectKind::Intent, "pi_gone"),
        object(ObjectKind::Charge, "ch_gone"),
        object(ObjectKind::Refund, "re_gone"),
        object(ObjectKind::Dispute, "../customers"),
    ];
    for object in nothing {
        assert_eq!(stripe.payment(&object).await, Ok(None), "{object:?}");
    }
}
