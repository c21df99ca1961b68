//! Failing accounts are retried alone, later and later, and hold nobody up; a stop finishes the batch in flight.

use std::time::Duration;

use jobs::{JobError, JobFilter, JobName, JobSettings};
use quota_core::ports::{JobStore, RunState};

use crate::platform::{Platform, name};

const JOB: JobName = jobs::work::expire_subscriptions::NAME;
/// How long the engine itself waits at most after a load that failed.
const ENGINE_WAIT: Duration = Duration::from_millis(60);

fn all_at_once() -> JobSettings {
    JobSettings {
        batch_max: 10,
        ..JobSettings::default()
    }
}

#[tokio::test(start_paused = true)]
async fn a_failing_account_is_retried_alone_later_and_later_while_others_succeed() {
    let platform = Platform::with_users(5).await;
    platform.on_day(40);
    platform.store.break_home(&name(2), 4);
    let settings = all_at_once();
    let runner = platform.runner_with(std::sync::Arc::new(jobs::LogSink), settings.clone());
    let run = runner
        .run(JOB, JobFilter::default(), "test")
        .await
        .expect("it runs");
    assert_eq!(run.state, RunState::Succeeded, "{:?}", run.summary);
    assert_eq!((run.summary.done, run.summary.failed), (5, 0));
    let failed_at = platform.store.failed_at();
    assert_eq!(failed_at.len(), 4, "once in the batch, three times alone");
    let mut longest = settings.wait_first;
    for pair in failed_at.windows(2) {
        let wait = pair[1] - pair[0];
        assert!(longest / 2 <= wait, "{wait:?} is too soon");
        assert!(wait <= longest + ENGINE_WAIT, "{wait:?} is too late");
        longest *= 2;
    }
}

#[tokio::test(start_paused = true)]
async fn an_account_that_never_succeeds_is_counted_and_the_run_goes_on() {
    let platform = Platform::with_users(6).await;
    platform.on_day(40);
    platform.store.break_home(&name(1), u32::MAX);
    let run = platform.run(JOB).await;
    assert_eq!(run.state, RunState::Failed);
    assert_eq!((run.summary.done, run.summary.failed), (5, 1));
    let error = run.summary.error.expect("it says why");
    assert!(error.contains("user:u01"), "{error} names the account");
    let batches = platform.store.batches(run.id).await.expect("the batches");
    let counts: Vec<(u32, u64, u64)> = batches
        .iter()
        .map(|batch| (batch.number, batch.summary.done, batch.summary.failed))
        .collect();
    assert_eq!(counts, [(1, 1, 1), (2, 2, 0), (3, 2, 0)]);
    platform.store.break_home(&name(1), 0);
    let run = platform.run(JOB).await;
    assert_eq!((run.state, run.summary.done), (RunState::Succeeded, 1));
}

#[tokio::test(start_paused = true)]
async fn a_home_that_cannot_be_swept_holds_up_no_other() {
    let platform = Platform::with_users(7).await;
    platform.on_day(1);
    for number in [0, 1, 2] {
        platform.store.break_home(&name(number), u32::MAX);
    }
    let run = platform.run(jobs::work::sweep_reservations::NAME).await;
    assert_eq!(run.state, RunState::Failed);
    assert_eq!((run.summary.done, run.summary.failed), (4, 3));
}

#[tokio::test(start_paused = true)]
async fn a_stop_finishes_the_batch_in_hand_and_the_next_run_does_the_rest() {
    let platform = Platform::with_users(9).await;
    platform.on_day(40);
    let runner = platform.runner();
    let run = platform.hold_up(&runner, JOB, 2).await;
    // The stop is said first, and then the batch in flight goes on.
    let (stopped, ()) = tokio::join!(
        async {
            runner.stop().await;
            platform.find(run).await
        },
        async { platform.store.let_go() }
    );
    assert_eq!(stopped.state, RunState::Stopped);
    assert!(stopped.ended_at.is_some());
    let batches = platform.store.batches(run).await.expect("the batches");
    assert_eq!(batches.len(), 3, "the third was in flight");
    assert_eq!(
        stopped.summary.done, 6,
        "every batch that was begun is whole"
    );
    let refused = runner.run(JOB, JobFilter::default(), "test").await;
    assert!(matches!(refused, Err(JobError::Stopping)));
    let rest = platform.run(JOB).await;
    assert_eq!((rest.state, rest.summary.done), (RunState::Succeeded, 3));
}
