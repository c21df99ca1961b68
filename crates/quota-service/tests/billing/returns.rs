//! What comes back of a payment is taken, frozen, and given again (P2, P9 to P11, E15 to E24, R2, R3): situations 11 to 21.

use quota_core::payment::PaymentStatus;
use quota_core::provider::ObjectKind;
use quota_service::prelude::{Commit, Decision, Release, Reserve};
use testkit::fake_stripe::RefundAs;

use crate::shop::{SHAPES, Shop};

/// A shop in which ann bought one pack of 100 for 1000, with the intent that paid it.
async fn bought(shape: testkit::fake_stripe::Shape) -> (Shop, String) {
    let shop = Shop::open(shape).await;
    shop.user("ann").await;
    let intent = buy(&shop).await;
    (shop, intent)
}

/// One more pack, told of; its intent.
async fn buy(shop: &Shop) -> String {
    let session = shop.buy("ann", "small", 1).await;
    shop.deliver_pending().await;
    shop.fake.intent_of(&session)
}

async fn refund(shop: &Shop, intent: &str, amount: i64, how: RefundAs) -> String {
    let refund = shop.fake.refund(intent, amount, how);
    let refund = refund.expect("so much is left");
    shop.deliver_pending().await;
    refund
}

async fn dispute_becomes(shop: &Shop, dispute: &str, status: &str) {
    shop.fake.dispute_becomes(dispute, status);
    shop.deliver_pending().await;
}

/// Free, frozen, and owed.
async fn sums(shop: &Shop) -> (u64, u64, u64) {
    let standing = shop.standing("ann").await;
    (standing.free, standing.frozen, standing.debt)
}

/// Situation 11 (P6): the refund is told before the purchase, alone and with it.
#[tokio::test]
async fn a_refund_that_is_told_before_its_purchase_leaves_nothing() {
    for shape in SHAPES {
        let shop = Shop::open(shape).await;
        shop.user("ann").await;
        let session = shop.buy("ann", "small", 1).await;
        let bought = shop.pending();
        shop.fake.drop_pending();
        let intent = shop.fake.intent_of(&session);
        let refund = shop.fake.refund(&intent, 1_000, RefundAs::Succeeded);
        refund.expect("all is left");
        shop.deliver_pending().await;
        let first = shop.standing("ann").await;
        assert_eq!((first.free, first.debt, first.grants.len()), (0, 0, 1));
        assert_eq!(first.payments[0].1, PaymentStatus::Refunded);
        shop.deliver(&bought).await;
        assert_eq!(shop.standing("ann").await, first);
    }
}

/// Situation 12 (P9, E15, E16): two partial refunds count by their sum, however often each is told.
#[tokio::test]
async fn two_partial_refunds_count_by_their_sum() {
    for shape in SHAPES {
        let (shop, intent) = bought(shape).await;
        assert!(shop.spend("ann", 30).await);
        let first = refund(&shop, &intent, 250, RefundAs::Succeeded).await;
        assert_eq!(sums(&shop).await, (45, 0, 0));
        let second = refund(&shop, &intent, 250, RefundAs::Succeeded).await;
        for id in [&first, &second, &first] {
            shop.sync_payment(ObjectKind::Refund, id).await;
            assert_eq!(sums(&shop).await, (20, 0, 0));
        }
        let places: Vec<usize> = (0..shop.fake.events().len()).rev().collect();
        shop.deliver(&places).await;
        assert_eq!(sums(&shop).await, (20, 0, 0));
    }
}

/// Situation 13 (P9, E17, E19): a refund that fails, or is canceled, gives back what it took; a pending one took it.
#[tokio::test]
async fn a_refund_that_fails_gives_back_what_it_took() {
    for shape in SHAPES {
        let (shop, intent) = bought(shape).await;
        let fails = RefundAs::FailsAfterDays(9);
        refund(&shop, &intent, 400, fails).await;
        assert_eq!(sums(&shop).await, (60, 0, 0));
        shop.pass_days(8);
        shop.deliver_pending().await;
        assert_eq!(sums(&shop).await, (60, 0, 0));
        shop.pass_days(1);
        shop.deliver_pending().await;
        assert_eq!(sums(&shop).await, (100, 0, 0));
        for how in [RefundAs::Pending, RefundAs::RequiresAction] {
            let waits = refund(&shop, &intent, 300, how).await;
            assert_eq!(sums(&shop).await, (70, 0, 0), "{how:?}");
            shop.fake.refund_becomes(&waits, "canceled");
            shop.deliver_pending().await;
            assert_eq!(sums(&shop).await, (100, 0, 0), "{how:?}");
        }
    }
}

/// Situations 14 and 15 (P11, E21): an inquiry does nothing, a dispute freezes its share, won frees it.
#[tokio::test]
async fn a_dispute_freezes_and_an_inquiry_does_nothing() {
    for shape in SHAPES {
        let (shop, intent) = bought(shape).await;
        assert!(shop.spend("ann", 40).await);
        let asked = shop.fake.dispute(&intent, 1_000, "warning_needs_response");
        shop.deliver_pending().await;
        assert_eq!(sums(&shop).await, (60, 0, 0));
        dispute_becomes(&shop, &asked, "warning_closed").await;
        assert_eq!(sums(&shop).await, (60, 0, 0));
        let part = shop.fake.dispute(&intent, 300, "needs_response");
        shop.deliver_pending().await;
        assert_eq!(sums(&shop).await, (30, 30, 0));
        assert!(!shop.spend("ann", 31).await, "frozen is not to be spent");
        dispute_becomes(&shop, &part, "under_review").await;
        assert_eq!(sums(&shop).await, (30, 30, 0));
        dispute_becomes(&shop, &part, "won").await;
        assert_eq!(sums(&shop).await, (60, 0, 0));
    }
}

/// Situation 14 (P11): appeal counts as lost, an unknown status as open, a dispute that was prevented as none.
#[tokio::test]
async fn a_dispute_counts_by_its_status() {
    for shape in SHAPES {
        let (shop, intent) = bought(shape).await;
        let dispute = shop.fake.dispute(&intent, 500, "needs_response");
        shop.deliver_pending().await;
        let expected = [
            ("lost", (50, 0, 0)),
            ("appeal_under_review", (50, 0, 0)),
            ("appeal_needs_response", (50, 0, 0)),
            ("of_tomorrow", (50, 50, 0)),
            ("prevented", (100, 0, 0)),
        ];
        for (status, sum) in expected {
            dispute_becomes(&shop, &dispute, status).await;
            assert_eq!(sums(&shop).await, sum, "{status}");
        }
    }
}

/// Situation 16 (P9, P11): a dispute that was won, and a refund after it, revoke once.
#[tokio::test]
async fn what_was_won_and_then_refunded_is_revoked_once() {
    for shape in SHAPES {
        let (shop, intent) = bought(shape).await;
        let dispute = shop.fake.dispute(&intent, 1_000, "needs_response");
        shop.deliver_pending().await;
        dispute_becomes(&shop, &dispute, "won").await;
        assert_eq!(sums(&shop).await, (100, 0, 0));
        refund(&shop, &intent, 1_000, RefundAs::Succeeded).await;
        assert_eq!(sums(&shop).await, (0, 0, 0));
        let standing = shop.standing("ann").await;
        assert_eq!(standing.payments[0].1, PaymentStatus::Refunded);
    }
}

/// Situation 17 (P9): a refund that a lost dispute made fail is not taken beside it.
#[tokio::test]
async fn what_was_lost_while_its_refund_failed_is_revoked_once() {
    for shape in SHAPES {
        let (shop, intent) = bought(shape).await;
        assert!(shop.spend("ann", 30).await);
        let back = refund(&shop, &intent, 1_000, RefundAs::Pending).await;
        assert_eq!(sums(&shop).await, (0, 0, 30));
        let dispute = shop.fake.dispute(&intent, 1_000, "needs_response");
        shop.deliver_pending().await;
        shop.fake.refund_becomes(&back, "failed");
        dispute_becomes(&shop, &dispute, "lost").await;
        assert_eq!(sums(&shop).await, (0, 0, 30));
        let standing = shop.standing("ann").await;
        assert_eq!(standing.payments[0].1, PaymentStatus::Lost);
        // A second purchase pays the debt once.
        buy(&shop).await;
        assert_eq!(sums(&shop).await, (70, 0, 0));
    }
}

/// Situation 18 (P9): of a double payment one is refunded, and the other stands.
#[tokio::test]
async fn of_a_double_payment_the_other_stands() {
    for shape in SHAPES {
        let (shop, first) = bought(shape).await;
        buy(&shop).await;
        assert_eq!(sums(&shop).await, (200, 0, 0));
        refund(&shop, &first, 1_000, RefundAs::Succeeded).await;
        assert_eq!(sums(&shop).await, (100, 0, 0));
        let payments = shop.standing("ann").await.payments;
        let statuses: Vec<PaymentStatus> = payments.iter().map(|(_, status, _)| *status).collect();
        assert_eq!(statuses, [PaymentStatus::Refunded, PaymentStatus::Paid]);
    }
}

/// Situation 19 (P2, P10, E17, E18): what was spent of a refunded pack is a debt that the next purchase pays first.
#[tokio::test]
async fn what_was_spent_of_a_refunded_pack_is_a_debt() {
    for shape in SHAPES {
        let (shop, intent) = bought(shape).await;
        assert!(shop.spend("ann", 30).await);
        refund(&shop, &intent, 1_000, RefundAs::Succeeded).await;
        assert_eq!(sums(&shop).await, (0, 0, 30));
        assert!(!shop.spend("ann", 1).await);
        buy(&shop).await;
        assert_eq!(sums(&shop).await, (70, 0, 0));
    }
}

/// Situation 20 (P10, E24): of two packs one is refunded, and the other covers what was spent of it, in whatever order they were bought.
#[tokio::test]
async fn of_two_packs_the_other_covers() {
    for shape in SHAPES {
        for is_first_refunded in [true, false] {
            let (shop, first) = bought(shape).await;
            let second = buy(&shop).await;
            assert!(shop.spend("ann", 80).await);
            let back = if is_first_refunded { first } else { second };
            refund(&shop, &back, 1_000, RefundAs::Succeeded).await;
            assert_eq!(sums(&shop).await, (20, 0, 0));
        }
    }
}

/// Situation 21 (E23): a refund while something is reserved: what is committed is a debt, what is released is lost.
#[tokio::test]
async fn of_a_refund_during_a_reservation_the_rest_decides() {
    for shape in SHAPES {
        for commits in [true, false] {
            let (shop, intent) = bought(shape).await;
            assert!(shop.spend("ann", 20).await);
            let asked = Reserve::of("requests", 30, 3_600);
            let held = shop.engine.reserve("user:ann", asked).await;
            let held = held.expect("is decided");
            let Decision::Allowed(held) = held else {
                panic!("denied");
            };
            refund(&shop, &intent, 1_000, RefundAs::Succeeded).await;
            let reference = held.reference();
            let settled = if commits {
                shop.engine.commit(Commit::of(&reference, 30)).await
            } else {
                shop.engine.release(Release::of(&reference)).await
            };
            settled.expect("is settled");
            let owed = if commits { 50 } else { 20 };
            assert_eq!(sums(&shop).await, (0, 0, owed), "{shape:?} {commits}");
        }
    }
}
