//! One run of a job at a time, whoever asks; and whoever lost the lease writes nothing.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use jobs::{JobError, JobFilter, JobName, JobSettings};
use quota_core::command::Command;
use quota_core::event::Event;
use quota_core::origin::Origin;
use quota_core::ports::{Clock, EventSink, JobStore, PublishError, RunState};
use quota_service::Ask;
use tokio::sync::Semaphore;

use crate::platform::{Platform, name, settings, start};
use crate::scheduled::TokioClock;

const JOB: JobName = jobs::work::expire_subscriptions::NAME;

fn one_by_one() -> JobSettings {
    JobSettings {
        batch_max: 1,
        ..JobSettings::default()
    }
}

#[tokio::test(start_paused = true)]
async fn of_two_runners_one_works() {
    let platform = Platform::with_users(5).await;
    platform.on_day(40);
    let (first, second) = (platform.runner(), platform.runner());
    let run = platform.hold_up(&first, JOB, 1).await;
    for runner in [&first, &second] {
        let refused = runner.run(JOB, JobFilter::default(), "test").await;
        assert!(matches!(
            refused,
            Err(JobError::AlreadyRunning { job: JOB })
        ));
    }
    let other = platform
        .store
        .take_lease("reset_daily", "other", start(), start());
    let other = other.await.expect("the store answers");
    assert!(other.is_some(), "another job has another lease");
    assert_eq!(platform.let_go(run).await.state, RunState::Succeeded);
    let free = second.run(JOB, JobFilter::default(), "test").await;
    assert!(free.is_ok(), "the lease was given back");
}

/// The history and the lease say the same: a run that is seen to have ended holds nothing any more.
#[tokio::test(start_paused = true)]
async fn a_job_can_be_started_again_as_soon_as_its_run_is_seen_to_have_ended() {
    let platform = Platform::with_users(1).await;
    platform.store.keeps_leases.store(true, Ordering::Relaxed);
    let (first, second) = (platform.runner(), platform.runner());
    for runner in [&first, &second, &first] {
        let run = runner.run(JOB, JobFilter::default(), "test").await;
        assert_eq!(run.expect("it is free").state, RunState::Succeeded);
    }
}

/// The lease is taken over between two batches, and this worker does not know.
#[tokio::test(start_paused = true)]
async fn a_run_that_lost_its_lease_writes_nothing_more() {
    let platform = Platform::with_users(5).await;
    platform.on_day(40);
    let runner = platform.runner_with(Arc::new(jobs::LogSink), one_by_one());
    let run = platform.hold_up(&runner, JOB, 1).await;
    let later = platform.clock.now() + TimeDelta::hours(1);
    let until = later + TimeDelta::hours(1);
    let store = &platform.store;
    let taken = store.take_lease(JOB.as_str(), "thief", later, until).await;
    let thief = taken.expect("the store answers");
    let thief = thief.expect("the lease has run out by then");
    assert_eq!(thief.epoch, 2, "every holder has an epoch of its own");
    let before = platform.state().await;
    let lost = platform.let_go(run).await;
    assert_eq!(lost.state, RunState::Lost);
    assert_eq!(lost.summary.done, 2, "what was written before stays");
    assert_eq!(platform.state().await, before, "nothing more was written");
    let other = store.take_lease(JOB.as_str(), "other", later, until).await;
    assert_eq!(
        other.expect("the store answers"),
        None,
        "the thief keeps it"
    );
}

/// The store itself refuses what comes with an old epoch.
#[tokio::test(start_paused = true)]
async fn a_write_under_an_old_lease_is_refused() {
    let platform = Platform::with_users(1).await;
    platform.on_day(40);
    let now = platform.clock.now();
    let lease = |owner: &'static str, now| {
        let store = Arc::clone(&platform.store);
        async move {
            let taken = store.take_lease(JOB.as_str(), owner, now, now + TimeDelta::minutes(1));
            taken.await.expect("the store answers").expect("it is free")
        }
    };
    let old = lease("first", now).await;
    lease("second", now + TimeDelta::minutes(1)).await;
    let before = platform.state().await;
    let ask = Ask {
        account: name(0),
        key: None,
        command: Command::ExpireSubscription,
        origin: Origin::default(),
    };
    let verdicts = platform.engine.submit_under_lease(&old, vec![ask]).await;
    assert!(
        verdicts[0].is_err(),
        "nothing is answered under an old lease"
    );
    assert_eq!(platform.state().await, before);
}

/// A sink that waits for leave before each event.
struct Gate(Arc<Semaphore>);

#[async_trait]
impl EventSink for Gate {
    async fn publish(&self, _event: &Event) -> Result<(), PublishError> {
        let leave = self.0.acquire().await;
        leave
            .map(tokio::sync::SemaphorePermit::forget)
            .map_err(|error| PublishError(error.into()))
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_takes_longer_than_a_lease_keeps_it() {
    let platform = Platform::with_users(1).await;
    let clock = Arc::new(TokioClock::at(platform.clock.now()));
    let engine = crate::platform::engine_over(
        Arc::<crate::faulty::FaultyStore>::clone(&platform.store),
        clock,
    );
    let engine = engine.await;
    let gate = Arc::new(Semaphore::new(0));
    let sink = Arc::new(Gate(Arc::clone(&gate)));
    let runner = jobs::Runner::new(engine, sink, settings(), "worker-a".to_owned());
    let job = jobs::work::dispatch_outbox::NAME;
    let run = runner
        .start(job, JobFilter::default(), "test")
        .await
        .expect("it starts");
    for _ in 0..10 {
        tokio::time::sleep(Duration::from_secs(45)).await;
        let refused = runner.run(job, JobFilter::default(), "test").await;
        assert!(matches!(refused, Err(JobError::AlreadyRunning { .. })));
    }
    gate.add_permits(100);
    assert_eq!(platform.let_go(run.id).await.state, RunState::Succeeded);
}
