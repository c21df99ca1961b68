//! A run that is killed in the middle is carried on by the next one.
#![expect(
    clippy::expect_used,
    reason = "a runtime that cannot be built must stop the test"
)]

use std::sync::Arc;

use chrono::TimeDelta;
use jobs::JobName;
use quota_core::ports::{JobStore, RunState};
use tokio::runtime::Runtime;

use crate::faulty::FaultyStore;
use crate::platform::{Platform, name, without_provider};

/// Longer than a lease holds.
const AFTER_THE_LEASE: TimeDelta = TimeDelta::minutes(2);

/// A process, as far as a job is concerned: dropping it kills everything at work in it.
fn process() -> Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime")
}

/// Users for whom each job has something to do.
async fn with_work() -> Platform {
    let platform = Platform::with_users(7).await;
    for number in 0..7 {
        platform
            .give_credits(&name(number), ("pack", 43 * 24))
            .await;
    }
    platform.on_day(40);
    platform
}

/// Runs a job in a process that is killed when it has recorded so many batches, and done one more.
fn killed(job: JobName, batches: usize) -> (Arc<FaultyStore>, Arc<quota_core::ports::FixedClock>) {
    let process = process();
    let platform = process.block_on(async {
        let platform = with_work().await;
        platform.hold_up(&platform.runner(), job, batches).await;
        platform
    });
    drop(process);
    platform.store.let_go();
    (platform.store, platform.clock)
}

/// S9, W5, R4: what a job does is done whole by the next run, however far the killed one came.
#[test]
fn a_run_killed_after_any_batch_is_carried_on_by_the_next() {
    for job in without_provider() {
        let expected = process().block_on(async {
            let platform = with_work().await;
            platform.run(job).await;
            platform.state().await
        });
        // Every other job has four batches here; to prune there is nothing yet.
        let most = if job == jobs::work::prune::NAME { 0 } else { 3 };
        for batches in 0..most {
            let (store, clock) = killed(job, batches);
            let found = process().block_on(async {
                clock.advance(AFTER_THE_LEASE);
                let platform = Platform::over(store, clock).await;
                let run = platform.run(job).await;
                assert_eq!(run.state, RunState::Succeeded, "{job}: {:?}", run.summary);
                platform.state().await
            });
            assert_eq!(found, expected, "{job} killed after {batches} batches");
        }
    }
}

/// While its lease holds nobody can say that a worker is dead; then the next one says so.
#[test]
fn a_killed_run_is_found_to_be_lost_when_its_lease_has_run_out() {
    let job = jobs::work::expire_subscriptions::NAME;
    let (store, clock) = killed(job, 1);
    process().block_on(async {
        let platform = Platform::over(store, clock).await;
        let early = platform
            .runner()
            .run(job, jobs::JobFilter::default(), "test")
            .await;
        assert!(matches!(early, Err(jobs::JobError::AlreadyRunning { .. })));
        platform.clock.advance(AFTER_THE_LEASE);
        platform.run(job).await;
        let runs = platform
            .store
            .runs(Some(job.as_str()), 10)
            .await
            .expect("the runs");
        let states: Vec<RunState> = runs.iter().map(|run| run.state).collect();
        assert_eq!(
            states,
            [RunState::Succeeded, RunState::Lost],
            "newest first"
        );
    });
}

/// A store that goes away after any call leaves nothing that the next run cannot mend.
#[tokio::test(start_paused = true)]
async fn a_store_lost_at_any_call_does_no_harm() {
    for job in without_provider() {
        let whole = Platform::with_users(3).await;
        whole.on_day(40);
        whole.run(job).await;
        let expected = whole.state().await;
        for calls in (0..40).step_by(3) {
            let platform = Platform::with_users(3).await;
            platform.on_day(40);
            platform.store.go_down_after(Some(calls));
            let filter = jobs::JobFilter::default();
            let broken = platform.runner().run(job, filter, "test").await;
            platform.store.go_down_after(None);
            if let Ok(run) = &broken {
                assert_ne!(run.state, RunState::Running, "it ends, whatever happens");
            }
            platform.clock.advance(AFTER_THE_LEASE);
            let run = platform.run(job).await;
            assert_eq!(
                run.state,
                RunState::Succeeded,
                "{job} after {calls}: {:?}",
                run.summary
            );
            assert_eq!(
                platform.state().await,
                expected,
                "{job} lost after {calls} calls"
            );
        }
    }
}
