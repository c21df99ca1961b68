//! A process that dies between any two calls: the next one goes on, at once or three days later, and every entry counts once (P21).

use quota_service::prelude::OperationRef;

use crate::stage::{DAY, Kind, Process, Stage, units};
use crate::switch::Death;

/// What there is to tell: entries of a user, one of which is given back in part after it was told.
struct Scene<'a> {
    stage: &'a Stage,
    name: String,
    customer: String,
    first: OperationRef,
}

async fn scene(stage: &Stage, number: usize) -> Scene<'_> {
    let name = format!("user{number}");
    let customer = stage.spent(&name).await;
    let first = stage.consume(&name, 7).await;
    Scene {
        stage,
        name,
        customer,
        first,
    }
}

impl Scene<'_> {
    /// A process tells, some is given back, and it tells again: netted, cancelled, and told anew.
    async fn act(&self, process: &Process) {
        process.work().await;
        self.stage.consume(&self.name, 3).await;
        self.stage.refund(&self.first, 5).await;
        process.work().await;
        self.stage.refund(&self.first, 1).await;
        process.work().await;
    }
}

async fn with_a_process_that_dies(kind: Kind, away: i64) {
    // Every call in memory, and some of them where a call takes its time.
    let step = match kind {
        Kind::Memory => 1,
        Kind::Sqlite => 3,
        Kind::Postgres => 13,
    };
    let stage = Stage::open(kind).await;
    let whole = scene(&stage, 0).await;
    let process = stage.process();
    whole.act(&process).await;
    let customer = &whole.customer;
    assert_eq!(
        (
            stage.fake.metered(customer),
            stage.fake.meter_events(customer)
        ),
        (4, 1)
    );
    let calls = process.switch.calls();
    assert!(20 < calls, "{calls}");
    let mut number = 0;
    for call in (1..=calls).step_by(step) {
        for how in [Death::Before, Death::After] {
            number += 1;
            let scene = scene(&stage, number).await;
            let process = stage.process();
            process.switch.die_at(call, how);
            scene.act(&process).await;
            stage.pass(away);
            assert!(stage.process().work().await, "call {call}, {how:?}");
            let sums = stage.sums(&format!("user:{}", scene.name)).await;
            let counted = stage.fake.metered(&scene.customer);
            assert_eq!(counted, units(sums.told), "call {call}, {how:?}");
            assert_eq!(sums.unknown, 0);
            assert_eq!(
                (sums.booked, sums.refunded),
                (10, 6),
                "call {call}, {how:?}"
            );
            assert_eq!(
                sums.told,
                sums.owed() + sums.carried(),
                "call {call}, {how:?}"
            );
            if away < DAY {
                assert_eq!(counted, 4, "call {call}, {how:?}");
            }
        }
    }
}

/// kill -9 between any two calls of the store and of Stripe, and the next process comes at once.
async fn each_entry_counts_once_whoever_dies(kind: Kind) {
    with_a_process_that_dies(kind, 60).await;
}

/// The next process comes after three days: Stripe has forgotten identifiers by then, and is asked.
async fn each_entry_counts_once_after_three_days(kind: Kind) {
    with_a_process_that_dies(kind, 3 * DAY).await;
}

/// Two processes at once.
async fn two_processes_at_once_tell_once(kind: Kind) {
    let stage = Stage::open(kind).await;
    let mut customers = Vec::new();
    for name in ["ann", "bob", "eve"] {
        customers.push(stage.spent(name).await);
        for sold in 1..=4 {
            stage.consume(name, sold).await;
        }
    }
    let (one, two) = (stage.process(), stage.process());
    tokio::join!(one.work(), two.work());
    stage.pass(60);
    assert!(one.work().await);
    for customer in customers {
        assert_eq!(
            (
                stage.fake.metered(&customer),
                stage.fake.meter_events(&customer)
            ),
            (10, 4)
        );
    }
}

crate::over_every_store! {
    each_entry_counts_once_whoever_dies
    each_entry_counts_once_after_three_days
    two_processes_at_once_tell_once
}
