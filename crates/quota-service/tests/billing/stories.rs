//! Stories of one customer, each some changes at the provider: what their events come to is the same in every order (P6).

use testkit::fake_stripe::{Card, Pay, RefundAs, Shape};

use crate::recording::{Recorder, Story};
use crate::sessions::Opened;
use crate::shop::{Shop, to};

/// The stories by name; which events of each are told in all orders.
pub const STORIES: [(&str, &[&str]); 6] = [
    (
        "purchase, two refunds, dispute",
        &[
            "checkout.session.completed",
            "charge.refunded",
            "charge.dispute.created",
            "charge.dispute.closed",
        ],
    ),
    (
        "a debit, a refund that fails, a lost dispute",
        &[
            "checkout.session.completed",
            "checkout.session.async_payment_succeeded",
            "refund.failed",
            "charge.dispute.created",
            "charge.dispute.closed",
        ],
    ),
    (
        "subscription, upgrade with a new period, refund, dispute",
        &[
            "customer.subscription.created",
            "invoice.paid",
            "charge.refunded",
            "charge.dispute.created",
            "customer.subscription.updated",
        ],
    ),
    (
        "subscription, its end, another one",
        &[
            "customer.subscription.created",
            "customer.subscription.deleted",
            "invoice.paid",
        ],
    ),
    (
        "plan with a pack, upgrade within the period, refund of the first invoice",
        &[
            "checkout.session.completed",
            "customer.subscription.updated",
            "invoice.paid",
            "charge.refunded",
        ],
    ),
    (
        "two packs, one refunded, one disputed and won",
        &[
            "invoice.paid",
            "charge.refunded",
            "charge.dispute.created",
            "charge.dispute.closed",
        ],
    ),
];

/// Writes one of [`STORIES`] down.
pub async fn story(number: usize, shape: Shape) -> Story {
    let (_, kinds) = STORIES[number];
    let mut told = Recorder::new(Shop::open(shape).await).await;
    match number {
        0 => returns(&mut told).await,
        1 => debit(&mut told).await,
        2 => upgraded(&mut told).await,
        3 => resubscribed(&mut told).await,
        4 => with_pack(&mut told).await,
        _ => two_packs(&mut told).await,
    }
    told.story(kinds)
}

async fn pause(told: &mut Recorder) {
    told.step().await;
    told.shop.pass(3_600);
}

async fn bought(told: &Recorder, card: Card) -> String {
    let opened = Opened::purchase(&[("price_small", 1)]);
    let session = told.shop.session(&told.customer, &opened).await;
    told.shop.fake.pay(&session, &Pay::by(card));
    told.shop.fake.intent_of(&session)
}

async fn returns(told: &mut Recorder) {
    let intent = bought(told, Card::Good).await;
    pause(told).await;
    for amount in [250, 330] {
        let refund = told.shop.fake.refund(&intent, amount, RefundAs::Succeeded);
        refund.expect("so much is left");
        pause(told).await;
    }
    let dispute = told.shop.fake.dispute(&intent, 420, "needs_response");
    pause(told).await;
    told.shop.fake.dispute_becomes(&dispute, "lost");
    pause(told).await;
}

async fn debit(told: &mut Recorder) {
    let intent = bought(told, Card::Late).await;
    pause(told).await;
    told.shop.fake.payment_ends(&intent, true);
    pause(told).await;
    let refund = told.shop.fake.refund(&intent, 1_000, RefundAs::Pending);
    let refund = refund.expect("all is left");
    pause(told).await;
    let dispute = told.shop.fake.dispute(&intent, 600, "needs_response");
    pause(told).await;
    told.shop.fake.refund_becomes(&refund, "failed");
    pause(told).await;
    told.shop.fake.dispute_becomes(&dispute, "lost");
    pause(told).await;
}

async fn upgraded(told: &mut Recorder) {
    let fake = told.shop.fake.clone();
    let subscription = fake.subscribe(&told.customer, &to(&[("price_pro", 1)]));
    let first = fake.object(&subscription)["latest_invoice"].clone();
    let intent = fake.intent_of(first.as_str().expect("an invoice"));
    pause(told).await;
    fake.change_price(&subscription, "price_max", true);
    pause(told).await;
    fake.refund(&intent, 1_450, RefundAs::Succeeded)
        .expect("is left");
    pause(told).await;
    fake.dispute(&intent, 1_450, "needs_response");
    pause(told).await;
}

async fn resubscribed(told: &mut Recorder) {
    let fake = told.shop.fake.clone();
    let first = fake.subscribe(&told.customer, &to(&[("price_max", 1)]));
    pause(told).await;
    fake.end(&first);
    pause(told).await;
    fake.subscribe(&told.customer, &to(&[("price_pro", 1), ("price_more", 2)]));
    pause(told).await;
}

async fn with_pack(told: &mut Recorder) {
    let opened = Opened::subscription(&[("price_pro", 1), ("price_small", 2)]);
    let session = told.shop.session(&told.customer, &opened).await;
    let fake = told.shop.fake.clone();
    fake.pay(&session, &Pay::by(Card::Good));
    pause(told).await;
    let object = fake.object(&session);
    let of = |field: &str| object[field].as_str().expect("is there").to_owned();
    fake.change_price(&of("subscription"), "price_max", false);
    pause(told).await;
    let intent = fake.intent_of(&of("invoice"));
    fake.refund(&intent, 2_450, RefundAs::Succeeded)
        .expect("is left");
    pause(told).await;
}

async fn two_packs(told: &mut Recorder) {
    let fake = told.shop.fake.clone();
    let mut intents = Vec::new();
    for _ in 0..2 {
        let invoice = fake.invoice(&told.customer, &[("price_small", 1)]);
        fake.pay_invoice(&invoice);
        intents.push(fake.intent_of(&invoice));
        pause(told).await;
    }
    fake.refund(&intents[0], 1_000, RefundAs::Succeeded)
        .expect("is left");
    pause(told).await;
    let dispute = fake.dispute(&intents[1], 1_000, "needs_response");
    pause(told).await;
    fake.dispute_becomes(&dispute, "won");
    pause(told).await;
}
