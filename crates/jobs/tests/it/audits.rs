//! The audit: a home whose records do not agree is named, over and over until it is mended.

use chrono::TimeDelta;
use quota_core::command::Reset;
use quota_core::ports::RunState;

use crate::platform::{Platform, name};

#[tokio::test(start_paused = true)]
async fn a_balance_that_is_not_the_sum_of_its_entries_fails_the_run_and_is_named() {
    let platform = Platform::with_users(5).await;
    assert_eq!(platform.run(jobs::work::audit::NAME).await.summary.done, 5);
    platform.clock.advance(TimeDelta::hours(1));
    platform.run(jobs::work::sweep_reservations::NAME).await;
    platform.store.tamper_with(Some(name(3)));
    for job in [jobs::work::audit_full::NAME, jobs::work::audit::NAME] {
        let run = platform.run(job).await;
        assert_eq!(run.state, RunState::Failed, "{job}");
        assert_eq!((run.summary.done, run.summary.failed), (4, 1), "{job}");
        let error = run.summary.error.expect("it says what is wrong");
        assert!(error.starts_with("home `user:u03`: I2: "), "{error}");
    }
    platform.store.tamper_with(None);
    let run = platform.run(jobs::work::audit::NAME).await;
    assert_eq!((run.state, run.summary.done), (RunState::Succeeded, 5));
}

#[tokio::test(start_paused = true)]
async fn only_what_was_touched_since_the_last_good_audit_is_audited_again() {
    let platform = Platform::with_users(5).await;
    platform.clock.advance(TimeDelta::hours(1));
    assert_eq!(platform.run(jobs::work::audit::NAME).await.summary.done, 5);
    platform.clock.advance(TimeDelta::hours(1));
    assert_eq!(platform.run(jobs::work::audit::NAME).await.summary.done, 0);
    let reset = quota_core::command::Command::Reset(Reset {
        features: Vec::new(),
        token: None,
    });
    platform.ask(&name(2), reset).await;
    assert_eq!(platform.run(jobs::work::audit::NAME).await.summary.done, 1);
    assert_eq!(
        platform
            .run(jobs::work::audit_full::NAME)
            .await
            .summary
            .done,
        5
    );
}
