//! A Stripe that fails, and one that is away for long (P21).

use quota_core::provider::ProblemKind;

use crate::stage::{DAY, HOUR, Kind, Stage};
use crate::transport::CallFault;

const FAULTS: [CallFault; 5] = [
    CallFault::Status(429),
    CallFault::Status(409),
    CallFault::Status(500),
    CallFault::LostBefore,
    CallFault::LostAfter,
];

/// Whichever call of Stripe fails, before its effect or after it, each entry counts once.
async fn whichever_call_fails_each_entry_counts_once(kind: Kind) {
    // Where a database has to be made for each of them, every third.
    let step = if kind == Kind::Postgres { 3 } else { 1 };
    for number in (1..=5).step_by(step) {
        for fault in FAULTS.into_iter().step_by(step) {
            let stage = Stage::open(kind).await;
            let customer = stage.spent("ann").await;
            let process = stage.process();
            let first = stage.consume("ann", 7).await;
            stage.consume("ann", 3).await;
            stage.faults.fail(number, fault);
            process.work().await;
            stage.pass(60);
            process.work().await;
            stage.refund(&first, 5).await;
            process.work().await;
            for _ in 0..3 {
                stage.pass(60);
                process.work().await;
            }
            assert_eq!(stage.fake.metered(&customer), 5, "call {number}, {fault:?}");
            assert_eq!(stage.problem_kinds().await, []);
        }
    }
}

/// A worker that was away for three days tells all of it; for forty days, what Stripe still takes, and lists the rest.
async fn what_was_missed_is_told_as_far_as_stripe_takes_it(kind: Kind) {
    for (days, counted) in [(3, 6), (40, 0)] {
        let stage = Stage::open(kind).await;
        let customer = stage.spent("ann").await;
        let process = stage.process();
        assert!(process.work().await);
        stage.pass(HOUR);
        stage.consume("ann", 6).await;
        stage.pass(days * DAY);
        assert!(stage.process().work().await);
        assert_eq!(stage.fake.metered(&customer), counted, "{days} days");
        let late = stage.problems().await.remove(&ProblemKind::MeterLate);
        let too_old = late.map(|late| late.evidence["units_too_old"].clone());
        assert_eq!(too_old, (days == 40).then(|| "6".to_owned()));
    }
}

/// What was collected, and could not be told for so long that Stripe takes it no more, is listed.
async fn what_is_too_old_is_listed(kind: Kind) {
    let stage = Stage::open(kind).await;
    let customer = stage.spent("ann").await;
    stage.fake.set_meter_active("requests_used", false);
    stage.consume("ann", 6).await;
    stage.process().work().await;
    stage.pass(40 * DAY);
    stage.fake.set_meter_active("requests_used", true);
    stage.process().work().await;
    assert_eq!(stage.fake.metered(&customer), 0);
    let problems = stage.problems().await;
    assert_eq!(
        problems[&ProblemKind::MeterLate].evidence["units_too_old"],
        "6"
    );
    assert_eq!(
        problems[&ProblemKind::MeterDiffers].evidence["units_booked"],
        "6"
    );
}

/// What is told more than an hour after the end of its period may be on no invoice: it is told, and listed.
async fn what_is_told_after_its_invoice_is_listed(kind: Kind) {
    let stage = Stage::open(kind).await;
    let customer = stage.spent("ann").await;
    stage.pass(29 * DAY);
    stage.consume("ann", 6).await;
    stage.pass(5 * DAY);
    assert!(stage.process().work().await);
    assert_eq!(stage.fake.metered(&customer), 6);
    let problems = stage.problems().await;
    assert_eq!(
        problems[&ProblemKind::MeterLate].evidence["units_late"],
        "6"
    );
}

/// While Stripe takes its time with an entry, use is booked as ever, and told afterwards.
async fn use_is_not_delayed_while_an_entry_is_told(kind: Kind) {
    let stage = Stage::open(kind).await;
    let customer = stage.spent("ann").await;
    stage.consume("ann", 6).await;
    let (asked, go) = stage.faults.hold("/v1/billing/meter_events");
    let process = stage.process();
    let uses = async {
        asked.await.expect("it is told");
        stage.consume("ann", 2).await;
        go.send(()).expect("it waits");
    };
    tokio::join!(process.work(), uses);
    stage.pass(60);
    assert!(process.work().await);
    assert_eq!(stage.fake.metered(&customer), 8);
}

crate::over_every_store! {
    use_is_not_delayed_while_an_entry_is_told
    whichever_call_fails_each_entry_counts_once
    what_was_missed_is_told_as_far_as_stripe_takes_it
    what_is_too_old_is_listed
    what_is_told_after_its_invoice_is_listed
}
