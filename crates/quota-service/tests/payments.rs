//! Payments of any provider: told in any order, as often as one likes, by many at once, and with a store that fails.
#![expect(clippy::expect_used, reason = "a call that fails is a failed test")]

use std::sync::Arc;

use futures::future::join_all;
use quota_core::amount::Amount;
use quota_core::answer::Rejection;
use quota_core::command::{AccountSpec, Command, Presence, PutAccount};
use quota_core::ids::{AccountId, Currency, LineRef, PaymentRef, ProviderCode};
use quota_core::origin::Origin;
use quota_core::payment::{
    BoughtLine, DisputeStatus, Disputed, PaymentId, PaymentMode, PaymentStatus, RefundStatus,
    Refunded,
};
use quota_core::ports::{FixedClock, PaymentStore};
use quota_core::rules::payment_news::{PaidNews, PaymentNews, RETURNS_MAX};
use quota_service::{
    BookPayment, BookedPayment, Engine, EngineError, EngineParts, EngineSettings, NoCache, TimeIds,
};
use testkit::fixtures::{instant, key, user};
use testkit::memory::{FailWhen, MemoryStore};
use testkit::races::ask;

const AT_ONCE: u64 = 64;

async fn engine(store: &Arc<MemoryStore>) -> Engine {
    let parts = EngineParts {
        storage: Arc::<MemoryStore>::clone(store),
        cache: Arc::new(NoCache),
        clock: Arc::new(FixedClock::at(instant(0))),
        ids: Arc::new(TimeIds),
    };
    let settings = EngineSettings {
        homes_kept: 0,
        ..EngineSettings::patient()
    };
    Engine::start(parts, settings).await.expect("starts")
}

/// An engine with two users.
async fn with_users() -> (Arc<MemoryStore>, Engine) {
    let store = Arc::new(MemoryStore::new());
    let engine = engine(&store).await;
    for name in ["ann", "bob"] {
        let put = PutAccount {
            presence: Presence::New,
            spec: AccountSpec::default(),
        };
        let made = ask(&user(name), Command::PutAccount(put));
        engine.submit(made).await.expect("is made");
    }
    (store, engine)
}

fn reference(text: &str) -> PaymentRef {
    PaymentRef::new(text).expect("a reference")
}

fn id(payment: &str) -> PaymentId {
    PaymentId {
        provider: ProviderCode::new("bank").expect("a provider"),
        mode: PaymentMode::Live,
        payment: reference(payment),
    }
}

fn told(account: &AccountId, payment: &str, news: PaymentNews) -> BookPayment {
    BookPayment {
        account: account.clone(),
        id: id(payment),
        aliases: Vec::new(),
        news,
        key: None,
        origin: Origin::default(),
    }
}

/// Two lines of 60 and 40 credits for 1000.
fn paid() -> PaidNews {
    let line = |line: &str, credits| BoughtLine {
        boost: None,
        line: LineRef::new(line).expect("a line"),
        credits: Amount::new(credits).expect("an amount"),
        priority: 0,
        expires_at: None,
    };
    PaidNews {
        amount: 1000,
        currency: Currency::new("eur").expect("a currency"),
        lines: vec![line("1", 60), line("2", 40)],
        paid_at: None,
    }
}

fn purchase(name: &str, payment: &str) -> BookPayment {
    told(&user(name), payment, PaymentNews::Paid(paid()))
}

fn refund(payment: &str, refund: &str, amount: u64, status: RefundStatus) -> BookPayment {
    let news = PaymentNews::Refund {
        refund: reference(refund),
        told: Refunded { amount, status },
        currency: None,
    };
    told(&user("ann"), payment, news)
}

fn dispute(payment: &str, amount: u64, status: DisputeStatus) -> BookPayment {
    let news = PaymentNews::Dispute {
        dispute: reference("dp"),
        told: Disputed { amount, status },
        currency: None,
    };
    told(&user("ann"), payment, news)
}

/// What can be spent, and what is owed.
async fn free_and_debt(engine: &Engine, name: &str) -> (u64, u64) {
    let overview = engine.overview(&user(name)).await.expect("reads");
    (overview.wallet.free, overview.wallet.debt)
}

fn rejected(outcome: Result<BookedPayment, EngineError>) -> Rejection {
    match outcome {
        Err(EngineError::Rejected(rejection)) => rejection,
        other => panic!("{other:?} is no rejection"),
    }
}

/// P1 and P16: a payment that is booked by many at once, and again later, is one purchase.
#[tokio::test]
async fn sixty_four_bookings_of_one_payment_are_one_purchase() {
    let (_, engine) = with_users().await;
    let booked = join_all((0..AT_ONCE).map(|_| engine.book_payment(purchase("ann", "p")))).await;
    let news = booked
        .iter()
        .map(|booked| booked.as_ref().expect("is booked"));
    assert_eq!(news.filter(|booked| booked.is_news).count(), 1);
    assert_eq!(free_and_debt(&engine, "ann").await, (100, 0));
    let again = engine.book_payment(purchase("ann", "p")).await;
    assert!(!again.expect("is known").is_news);
    assert_eq!(free_and_debt(&engine, "ann").await, (100, 0));
    engine.stop().await;
}

/// P7: the first account that claims a payment, or an id of it, keeps it; nothing of the others' is booked.
#[tokio::test]
async fn of_two_accounts_that_book_one_payment_the_first_keeps_it() {
    let (_, engine) = with_users().await;
    let both = ["ann", "bob"].map(|name| engine.book_payment(purchase(name, "p")));
    let both = join_all(both).await;
    assert_eq!(both.iter().filter(|booked| booked.is_ok()).count(), 1);
    let sums = [
        free_and_debt(&engine, "ann").await.0,
        free_and_debt(&engine, "bob").await.0,
    ];
    assert_eq!(sums.iter().sum::<u64>(), 100);
    let mut with_alias = purchase("ann", "q");
    with_alias.aliases = vec![reference("pi_q")];
    engine
        .book_payment(with_alias.clone())
        .await
        .expect("is booked");
    let by_alias = engine.book_payment(purchase("ann", "pi_q")).await;
    assert_eq!(by_alias.expect("is known").payment.id, id("q"));
    let of_bob = rejected(engine.book_payment(purchase("bob", "pi_q")).await);
    assert_eq!(of_bob.code(), "payment_of_another_account");
    with_alias.account = user("bob");
    with_alias.id = id("r");
    let of_bob = rejected(engine.book_payment(with_alias.clone()).await);
    assert_eq!(of_bob.code(), "payment_of_another_account");
    with_alias.account = user("ann");
    with_alias.aliases = vec![reference("pi_q"), reference("p")];
    if both[0].is_ok() {
        let two = rejected(engine.book_payment(with_alias).await);
        assert_eq!(two.code(), "payment_differs");
    }
    engine.stop().await;
}

/// What does not fit the payment `p`, with the code and the field that it is refused with.
fn misfits() -> Vec<(&'static str, &'static str, BookPayment)> {
    let mut wrong = Vec::new();
    for (field, change) in [
        (
            "amount",
            PaidNews {
                amount: 999,
                ..paid()
            },
        ),
        (
            "currency",
            PaidNews {
                currency: Currency::new("usd").expect("a currency"),
                ..paid()
            },
        ),
        (
            "lines",
            PaidNews {
                lines: Vec::new(),
                ..paid()
            },
        ),
    ] {
        wrong.push((
            "payment_differs",
            field,
            told(&user("ann"), "p", PaymentNews::Paid(change)),
        ));
    }
    let mut twice = paid();
    twice.lines[1].line = twice.lines[0].line.clone();
    wrong.push((
        "line_twice",
        "ref",
        told(&user("ann"), "new", PaymentNews::Paid(twice)),
    ));
    let mut over = paid();
    over.lines[1].expires_at = Some(instant(0));
    wrong.push((
        "not_in_future",
        "expires_at",
        told(&user("ann"), "new", PaymentNews::Paid(over)),
    ));
    wrong.push((
        "out_of_range",
        "amount",
        refund("p", "r", 1001, RefundStatus::Succeeded),
    ));
    wrong.push((
        "out_of_range",
        "amount",
        refund("p", "r", 1001, RefundStatus::Failed),
    ));
    wrong.push((
        "out_of_range",
        "amount",
        dispute("p", 1001, DisputeStatus::Open),
    ));
    let mut in_dollars = refund("p", "r", 5, RefundStatus::Succeeded);
    if let PaymentNews::Refund { currency, .. } = &mut in_dollars.news {
        *currency = Some(Currency::new("usd").expect("a currency"));
    }
    wrong.push(("other_currency", "currency", in_dollars));
    wrong
}

/// P16: the same payment with other money, and what cannot come back of one, is refused and changes nothing.
#[tokio::test]
async fn what_does_not_fit_a_payment_is_refused_and_changes_nothing() {
    let (store, engine) = with_users().await;
    let early = rejected(
        engine
            .book_payment(refund("p", "r", 1, RefundStatus::Succeeded))
            .await,
    );
    assert_eq!(early, Rejection::UnknownPayment(reference("p")));
    engine
        .book_payment(purchase("ann", "p"))
        .await
        .expect("is booked");
    let wrong = misfits();
    for (code, field, asked) in wrong {
        let refused = rejected(engine.book_payment(asked).await);
        assert_eq!(
            (refused.code(), refused.field()),
            (code, Some(field)),
            "{refused}"
        );
    }
    let read = store.payment(&user("ann"), &id("p")).await.expect("reads");
    assert_eq!(read.expect("is there").version, 1);
    assert_eq!(free_and_debt(&engine, "ann").await, (100, 0));
    engine.stop().await;
}

/// P9: refunds count by their ids, to the sum of the payment and no further, and at most so many are kept.
#[tokio::test]
async fn refunds_are_terms_of_a_sum_that_ends_with_the_payment() {
    let (_, engine) = with_users().await;
    engine
        .book_payment(purchase("ann", "p"))
        .await
        .expect("is booked");
    let pending = refund("p", "r0", 400, RefundStatus::Pending);
    for _ in 0..3 {
        engine
            .book_payment(pending.clone())
            .await
            .expect("is booked");
        assert_eq!(free_and_debt(&engine, "ann").await, (60, 0));
    }
    let more = rejected(
        engine
            .book_payment(refund("p", "r1", 601, RefundStatus::Pending))
            .await,
    );
    assert_eq!(
        more,
        Rejection::OutOfRange {
            field: "amount",
            least: 0,
            most: 600
        }
    );
    let other = rejected(
        engine
            .book_payment(refund("p", "r0", 300, RefundStatus::Pending))
            .await,
    );
    assert_eq!(other.code(), "payment_differs");
    let failed = refund("p", "r0", 400, RefundStatus::Failed);
    engine.book_payment(failed).await.expect("is booked");
    assert_eq!(free_and_debt(&engine, "ann").await, (100, 0));
    let ones =
        (1..RETURNS_MAX).map(|at| refund("p", &format!("r{at}"), 1, RefundStatus::Succeeded));
    for booked in join_all(ones.map(|one| engine.book_payment(one))).await {
        booked.expect("is booked");
    }
    let full = rejected(
        engine
            .book_payment(refund("p", "one more", 1, RefundStatus::Succeeded))
            .await,
    );
    assert_eq!(full.code(), "too_many");
    let payment = engine.payment(&id("p")).await.expect("is there");
    assert_eq!(
        payment.facts().refunded,
        99,
        "none is lost among writers at once"
    );
    assert_eq!(payment.status(), PaymentStatus::PartlyRefunded);
    assert_eq!(
        free_and_debt(&engine, "ann").await,
        (92, 0),
        "60 less 5, and 40 less 3"
    );
    engine.stop().await;
}

/// X1: a key stands for one request about payments, however it is repeated.
#[tokio::test]
async fn a_key_stands_for_one_booking() {
    let (_, engine) = with_users().await;
    let keyed = |asked: BookPayment, name: &str| BookPayment {
        key: Some(key(name)),
        ..asked
    };
    let bought = keyed(purchase("ann", "p"), "k-1");
    let back = keyed(refund("p", "r", 250, RefundStatus::Succeeded), "k-2");
    for is_replay in [false, true, true] {
        for asked in [&bought, &back] {
            let booked = engine.book_payment(asked.clone()).await.expect("is booked");
            assert_eq!(booked.is_replay, is_replay, "{asked:?}");
        }
        assert_eq!(free_and_debt(&engine, "ann").await, (75, 0));
    }
    for other in [
        purchase("ann", "q"),
        refund("p", "r2", 250, RefundStatus::Succeeded),
    ] {
        for name in ["k-1", "k-2"] {
            let reused = engine.book_payment(keyed(other.clone(), name)).await;
            assert!(
                matches!(reused, Err(EngineError::KeyReused { .. })),
                "{reused:?}"
            );
        }
    }
    assert_eq!(free_and_debt(&engine, "ann").await, (75, 0));
    engine.stop().await;
}

/// P1 and P6: the store fails before or after the effect of any call, once; the same told again heals it, and the end is
/// what it would have been.
#[tokio::test]
async fn a_booking_that_broke_off_anywhere_is_healed_by_the_same_again() {
    let day = [
        purchase("ann", "p"),
        refund("p", "r", 250, RefundStatus::Succeeded),
        dispute("p", 750, DisputeStatus::Lost),
    ];
    let mut failed = 0;
    for when in [FailWhen::BeforeEffect, FailWhen::AfterEffect] {
        for step in 0..day.len() {
            for call in 1.. {
                let (store, engine) = with_users().await;
                let mut is_met = false;
                for (at, asked) in day.iter().enumerate() {
                    let fails_at = store.calls() + call;
                    if at == step {
                        store.fail_at(fails_at, when);
                    }
                    if engine.book_payment(asked.clone()).await.is_err() {
                        failed += 1;
                        let again = engine.book_payment(asked.clone()).await;
                        again.expect("is healed");
                    }
                    is_met |= at == step && fails_at <= store.calls();
                }
                if !is_met {
                    break;
                }
                let payment = engine.payment(&id("p")).await.expect("is there");
                assert_eq!(
                    payment.status(),
                    PaymentStatus::Lost,
                    "{when:?} {step} {call}"
                );
                assert_eq!(
                    free_and_debt(&engine, "ann").await,
                    (0, 0),
                    "{when:?} {step} {call}"
                );
                engine.stop().await;
            }
        }
    }
    assert!(failed > 20, "faults were met: {failed}");
}
