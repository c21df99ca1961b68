use billing_stripe::client::{Client, InvoicePaymentFilter, SessionFilter};
use billing_stripe::read::{PaidPart, is_paid, is_settled, line_fact, parts_that_paid};
use billing_stripe::shapes::{CheckoutSession, IntentStatus, Open};
use serde_json::json;
use testkit::fake_stripe::{Card, Pay, Shape};

use crate::{SHAPES, fake};

async fn session(client: &Client, id: &str) -> CheckoutSession {
    client.retrieve_session(id).await.expect("a session")
}

#[tokio::test]
async fn a_pack_is_settled_when_it_is_paid_and_names_price_and_quantity() {
    for shape in SHAPES {
        let (fake, client) = fake(shape).await;
        // Situation 24.
        let id = fake.payment_link("pack", 3);
        assert!(!is_settled(&session(&client, &id).await));
        fake.pay(&id, &Pay::by(Card::Good));
        let found = session(&client, &id).await;
        assert!(is_settled(&found));
        let lines = client.list_session_lines(&id).expect("an id").all().await;
        let lines = lines.expect("lines");
        assert_eq!(lines, found.line_items.data);
        let price = lines[0].price.as_ref().expect("a price");
        assert_eq!((price.id.as_str(), lines[0].quantity), ("pack", Some(3)));
        assert_eq!(found.amount_total, Some(2_700));
        let intent = found.payment_intent.expect("an intent");
        let filter = SessionFilter {
            payment_intent: Some(intent),
            ..SessionFilter::default()
        };
        let by_intent = client.list_sessions(&filter).all().await.expect("one");
        assert_eq!(by_intent.len(), 1);
        assert_eq!(by_intent[0].id, id);
    }
}

#[tokio::test]
async fn a_debit_is_settled_days_later_or_never() {
    // Situations 5 and 6.
    for shape in SHAPES {
        let (fake, client) = fake(shape).await;
        for is_paid in [true, false] {
            let id = fake.payment_link("pack", 1);
            fake.pay(&id, &Pay::by(Card::Late));
            let found = session(&client, &id).await;
            assert!(!is_settled(&found), "completed is not paid");
            fake.advance_days(4);
            fake.payment_ends(&fake.intent_of(&id), is_paid);
            assert_eq!(is_settled(&session(&client, &id).await), is_paid);
        }
        let kinds: Vec<String> = fake.events().into_iter().map(|event| event.kind).collect();
        for kind in [
            "checkout.session.async_payment_succeeded",
            "checkout.session.async_payment_failed",
        ] {
            assert_eq!(
                kinds.iter().filter(|found| *found == kind).count(),
                1,
                "{kind}"
            );
        }
    }
}

#[tokio::test]
async fn a_card_that_fails_leaves_the_session_open_for_another() {
    let (fake, client) = fake(Shape::New).await;
    let id = fake.payment_link("pack", 1);
    fake.pay(&id, &Pay::by(Card::Declined));
    assert!(!is_settled(&session(&client, &id).await));
    fake.pay(&id, &Pay::by(Card::NeedsCustomer));
    let intent = client
        .retrieve_intent(&fake.intent_of(&id))
        .await
        .expect("one");
    assert_eq!(
        intent.status,
        Some(Open::Known(IntentStatus::RequiresAction))
    );
    fake.payment_ends(&intent.id, true);
    assert!(is_settled(&session(&client, &id).await));
    let late = fake.payment_link("pack", 1);
    fake.advance_days(2);
    assert_eq!(
        session(&client, &late)
            .await
            .status
            .expect("a state")
            .word(),
        "expired"
    );
}

#[tokio::test]
async fn a_coupon_to_nothing_tax_and_another_currency_change_sums_and_not_the_price() {
    for shape in SHAPES {
        let (fake, client) = fake(shape).await;
        // Situation 22: no intent.
        let free = fake.payment_link("pack", 1);
        let pay = Pay {
            discount_percent: 100,
            ..Pay::default()
        };
        fake.pay(&free, &pay);
        let found = session(&client, &free).await;
        assert!(is_settled(&found) && found.payment_intent.is_none());
        assert_eq!(found.amount_total, Some(0));
        // Situation 27.
        let abroad = fake.payment_link("pack", 1);
        let pay = Pay {
            tax_percent: 20,
            presentment: Some(("usd".to_owned(), 1_150)),
            ..Pay::default()
        };
        fake.pay(&abroad, &pay);
        let found = session(&client, &abroad).await;
        assert_eq!(
            (found.amount_total, found.currency.as_deref()),
            (Some(1_080), Some("eur"))
        );
        let shown = found.presentment_details.expect("another currency");
        assert_eq!(shown.presentment_currency.as_deref(), Some("usd"));
        let price = found.line_items.data[0].price.as_ref().expect("a price");
        assert_eq!(price.id, "pack");
    }
}

#[tokio::test]
async fn a_session_with_an_invoice_is_one_payment_by_three_names() {
    // Situation 4: the charge leads to the intent, and that to the session and to the invoice.
    for shape in SHAPES {
        let (fake, client) = fake(shape).await;
        let customer = fake.customer(Card::Good);
        let new = crate::writes::pack_session(&customer, true);
        let made = client
            .create_session(&new, &crate::key("s"))
            .await
            .expect("one");
        fake.pay(&made.id, &Pay::by(Card::Good));
        let found = session(&client, &made.id).await;
        let intent = found.payment_intent.clone().expect("an intent");
        let invoice_id = found.invoice.clone().expect("an invoice");
        let invoice = client.retrieve_invoice(&invoice_id).await.expect("one");
        assert!(is_paid(&invoice));
        let parts = parts_that_paid(&invoice);
        assert!(
            parts.contains(&PaidPart::Intent(intent.clone())),
            "{parts:?}"
        );
        let lines = client
            .list_invoice_lines(&invoice_id)
            .expect("an id")
            .all()
            .await;
        let lines = lines.expect("lines");
        let fact = line_fact(&lines[0]);
        assert_eq!((fact.price, fact.quantity), (Some("pack"), 1));
        let filter = InvoicePaymentFilter::Intent(intent.clone());
        let payments = client
            .list_invoice_payments(&filter)
            .all()
            .await
            .expect("one");
        assert_eq!(payments[0].invoice.as_ref(), Some(&invoice_id));
        let intent = client.retrieve_intent(&intent).await.expect("one");
        let charge = intent.latest_charge.as_deref().expect("a charge");
        let charge = client.retrieve_charge(charge).await.expect("one");
        assert_eq!(charge.payment_intent.as_ref(), Some(&intent.id));
        let of_old = charge.invoice == Some(invoice_id);
        assert_eq!(of_old, shape == Shape::Old);
    }
}

#[tokio::test]
async fn a_plan_with_a_pack_is_one_invoice_with_a_line_for_each() {
    // Situation 25; and nothing is made before it is paid (since 2025-03-31).
    for shape in SHAPES {
        let (fake, client) = fake(shape).await;
        let customer = fake.customer(Card::Good);
        let new = crate::writes::plan_session(&customer, &["pro", "pack"]);
        let made = client
            .create_session(&new, &crate::key("s"))
            .await
            .expect("one");
        fake.pay(&made.id, &Pay::by(Card::Declined));
        let tried = session(&client, &made.id).await;
        assert_eq!(tried.subscription.is_some(), shape == Shape::Old);
        if shape == Shape::Old {
            continue;
        }
        fake.pay(&made.id, &Pay::by(Card::Good));
        let paid = session(&client, &made.id).await;
        assert!(is_settled(&paid) && paid.subscription.is_some());
        let invoice = client
            .retrieve_invoice(&paid.invoice.expect("an invoice"))
            .await;
        let invoice = invoice.expect("one");
        let facts: Vec<_> = invoice.lines.data.iter().map(line_fact).collect();
        let prices: Vec<_> = facts.iter().filter_map(|fact| fact.price).collect();
        assert_eq!(prices, ["pro", "pack"]);
        assert_eq!(facts[0].subscription, paid.subscription.as_deref());
        assert_eq!(facts[1].subscription, None);
    }
}

#[tokio::test]
async fn an_invoice_by_hand_is_paid_by_card_outside_or_never() {
    for shape in SHAPES {
        let (fake, client) = fake(shape).await;
        let customer = fake.customer(Card::Good);
        let [by_card, outside, never] = [0; 3].map(|_| fake.invoice(&customer, &[("pack", 2)]));
        fake.pay_invoice(&by_card);
        // Situation 26.
        fake.pay_outside(&outside);
        fake.write_off(&never, "void");
        let invoices = [by_card, outside, never];
        let mut paid = Vec::new();
        for invoice in &invoices {
            let found = client.retrieve_invoice(invoice).await.expect("one");
            paid.push((is_paid(&found), parts_that_paid(&found).is_empty()));
        }
        assert_eq!(paid, [(true, false), (true, true), (false, true)]);
        let lines = client
            .list_invoice_lines(&invoices[0])
            .expect("an id")
            .all()
            .await;
        let lines = lines.expect("lines");
        assert_eq!(line_fact(&lines[0]).quantity, 2);
    }
}

#[tokio::test]
async fn lines_beyond_the_tenth_are_in_the_list_alone() {
    for shape in SHAPES {
        let (fake, client) = fake(shape).await;
        let customer = fake.customer(Card::Good);
        let invoice = fake.invoice(&customer, &[("pack", 1); 12]);
        let found = client.retrieve_invoice(&invoice).await.expect("one");
        assert!(found.lines.has_more && found.lines.data.len() == 10);
        let all = client
            .list_invoice_lines(&invoice)
            .expect("an id")
            .all()
            .await;
        assert_eq!(all.expect("all").len(), 12);
    }
}

#[tokio::test]
async fn a_direct_payment_carries_its_metadata() {
    let (fake, client) = fake(Shape::New).await;
    let customer = fake.customer(Card::Good);
    let intent = fake.intent(&customer, 900, &json!({"pack": "pack_small"}));
    let found = client.retrieve_intent(&intent).await.expect("one");
    assert_eq!(found.status, Some(Open::Known(IntentStatus::Succeeded)));
    assert_eq!(
        found.metadata.get("pack").map(String::as_str),
        Some("pack_small")
    );
    assert_eq!(
        (found.amount_received, found.currency.as_deref()),
        (Some(900), Some("eur"))
    );
}
