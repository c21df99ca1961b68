//! Runs by hand: everything, one account, some features; and their history.

use jobs::{JobError, JobFilter, JobName};
use quota_core::ids::AccountId;
use quota_core::ports::{Audits, RunState};
use testkit::fixtures::{feature, user};

use crate::platform::{Platform, name};

fn only(account: &AccountId) -> JobFilter {
    JobFilter {
        account: Some(account.clone()),
        features: Vec::new(),
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_for_one_account_leaves_the_others_alone() {
    let platform = Platform::with_users(3).await;
    platform.on_day(40);
    let versions = async || {
        let mut versions = Vec::new();
        for number in 0..3 {
            let home = platform
                .store
                .audit_home(&name(number))
                .await
                .expect("a home");
            versions.push(home.map(|home| home.version));
        }
        versions
    };
    for job in [
        jobs::work::expire_subscriptions::NAME,
        jobs::work::close_windows_daily::NAME,
        jobs::work::close_windows_monthly::NAME,
        jobs::work::sweep_reservations::NAME,
        jobs::work::audit_full::NAME,
    ] {
        let before = versions().await;
        let run = platform.runner().run(job, only(&name(1)), "ops").await;
        let run = run.expect("it runs");
        assert_eq!(run.state, RunState::Succeeded, "{job}: {:?}", run.summary);
        let after = versions().await;
        assert_eq!(
            (before[0], before[2]),
            (after[0], after[2]),
            "{job} touched others"
        );
        assert!(before[1] <= after[1]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_for_some_features_leaves_the_others_alone() {
    let platform = Platform::with_users(2).await;
    platform.on_day(25);
    platform.run(jobs::work::sweep_reservations::NAME).await;
    let filter = JobFilter {
        account: None,
        features: vec![feature("upload")],
    };
    let monthly = platform
        .runner()
        .run(
            jobs::work::close_windows_monthly::NAME,
            filter.clone(),
            "ops",
        )
        .await;
    assert_eq!(
        monthly.expect("it runs").summary.done,
        0,
        "`upload` is not monthly"
    );
    let daily = platform
        .runner()
        .run(jobs::work::close_windows_daily::NAME, filter, "ops")
        .await;
    assert_eq!(daily.expect("it runs").summary.done, 2);
    let monthly = platform.run(jobs::work::close_windows_monthly::NAME).await;
    assert_eq!(monthly.summary.done, 2, "`ai_request` was still open");
}

#[tokio::test(start_paused = true)]
async fn what_a_job_cannot_be_narrowed_down_to_is_refused() {
    let platform = Platform::with_users(1).await;
    let runner = platform.runner();
    let by_feature = JobFilter {
        account: None,
        features: vec![feature("upload")],
    };
    for job in JobName::all() {
        let answer = runner.run(job, only(&name(0)), "ops").await;
        assert_eq!(
            answer.is_ok(),
            job.spec().takes_account,
            "{job} for an account"
        );
        let answer = runner.run(job, by_feature.clone(), "ops").await;
        assert_eq!(
            answer.is_ok(),
            job.spec().takes_features,
            "{job} for a feature"
        );
    }
    let unknown = runner
        .run(
            jobs::work::close_windows_daily::NAME,
            only(&user("nobody")),
            "ops",
        )
        .await;
    let unknown = unknown.expect_err("nobody has no account");
    assert_eq!(unknown.to_string(), "the account does not exist");
    let wrong = "reset_hourly"
        .parse::<JobName>()
        .expect_err("there is no such job");
    assert!(matches!(wrong, JobError::UnknownJob { .. }));
    assert!(
        wrong.to_string().contains("reset_daily"),
        "{wrong} names the jobs there are"
    );
}

#[tokio::test(start_paused = true)]
async fn runs_and_batches_are_in_the_history() {
    let platform = Platform::with_users(5).await;
    platform.on_day(40);
    let runner = platform.runner();
    let job = jobs::work::expire_subscriptions::NAME;
    let by_hand = runner
        .run(job, only(&name(3)), "ops")
        .await
        .expect("it runs");
    assert_eq!(by_hand.filter.as_deref(), Some("account user:u03"));
    assert_eq!(
        (by_hand.asked_by.as_str(), by_hand.owner.as_str()),
        ("ops", "worker-a")
    );
    let run = runner
        .run(job, JobFilter::default(), "schedule")
        .await
        .expect("it runs");
    assert_eq!((run.filter.as_deref(), run.summary.done), (None, 4));
    let runs = runner.runs(Some(job), 10).await.expect("the history");
    assert_eq!(runs, [run.clone(), by_hand], "newest first, as they ended");
    let batches = runner.batches(run.id).await.expect("the batches");
    let numbers: Vec<u32> = batches.iter().map(|batch| batch.number).collect();
    assert_eq!(
        numbers,
        [1, 2],
        "the one that was done already is passed over"
    );
    let listed = runner.list().await.expect("the jobs");
    let listed = listed
        .into_iter()
        .find(|info| info.name == job)
        .expect("it is listed");
    assert_eq!(listed.last_run, Some(run));
    assert_eq!(
        (listed.schedule.as_str(), listed.zone.as_str()),
        ("15 0 * * *", "UTC")
    );
    let next = listed.next_run_at.map(|next| next.to_rfc3339());
    assert_eq!(next.as_deref(), Some("2027-02-20T00:15:00+00:00"));
}

/// The account that a run is narrowed down to is read with as much patience as everything else.
#[tokio::test(start_paused = true)]
async fn a_run_for_one_account_is_patient_with_a_store_that_fails_at_first() {
    let platform = Platform::with_users(1).await;
    platform.on_day(40);
    let runner = platform.runner();
    let job = jobs::work::expire_subscriptions::NAME;
    let run = runner.start(job, only(&name(0)), "ops").await;
    // The run is a task of its own, which has not had its turn yet.
    platform.store.break_home(&name(0), 1);
    let run = platform.let_go(run.expect("it starts").id).await;
    assert_eq!(run.state, RunState::Succeeded, "{:?}", run.summary);
    assert_eq!(run.summary.done, 1);
}
