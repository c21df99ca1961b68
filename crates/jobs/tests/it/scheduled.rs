//! The scheduler: each occurrence runs once, whatever happens to stores and workers.
#![expect(
    clippy::expect_used,
    reason = "a schedule that does not parse must stop the test"
)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use jobs::{JobName, JobSettings, Runner, Schedule};
use quota_core::ports::{Clock, JobRun, RunState, Storage};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::platform::{Listener, Platform, engine_over, start};

/// A clock that goes with tokio's, which tests let run ahead.
pub struct TokioClock {
    start: DateTime<Utc>,
    began: Instant,
}

impl TokioClock {
    pub fn at(start: DateTime<Utc>) -> Self {
        let began = Instant::now();
        Self { start, began }
    }
}

impl Clock for TokioClock {
    fn now(&self) -> DateTime<Utc> {
        let passed = TimeDelta::from_std(self.began.elapsed());
        self.start + passed.unwrap_or(TimeDelta::MAX)
    }
}

/// A worker on its schedule.
struct Worker {
    runner: Runner,
    stop: oneshot::Sender<()>,
    running: JoinHandle<()>,
}

impl Worker {
    async fn start(platform: &Platform, at: DateTime<Utc>, jobs: &[(JobName, &str)]) -> Self {
        Self::start_with(platform, at, jobs, Arc::new(Listener::default())).await
    }

    async fn start_with(
        platform: &Platform,
        at: DateTime<Utc>,
        jobs: &[(JobName, &str)],
        listener: Arc<Listener>,
    ) -> Self {
        let storage: Arc<dyn Storage> = Arc::<crate::faulty::FaultyStore>::clone(&platform.store);
        let engine = engine_over(storage, Arc::new(TokioClock::at(at))).await;
        let schedule = |(job, cron): &(JobName, &str)| {
            (*job, Schedule::parse(cron, Tz::UTC).expect("a schedule"))
        };
        let schedules: BTreeMap<JobName, Schedule> = jobs.iter().map(schedule).collect();
        let settings = JobSettings {
            schedules,
            ..JobSettings::default()
        };
        let runner = Runner::new(engine, listener, settings, "worker".to_owned());
        let (stop, stopped) = oneshot::channel();
        let running = runner.clone();
        let running = tokio::spawn(async move {
            running
                .run_scheduled(async move { drop(stopped.await) })
                .await;
        });
        Self {
            runner,
            stop,
            running,
        }
    }

    async fn runs(&self, job: JobName) -> Vec<JobRun> {
        self.runner.runs(Some(job), 100).await.expect("the history")
    }

    async fn stop(self) {
        drop(self.stop);
        self.running.await.expect("the schedule ends well");
    }
}

async fn pass(hours: u64) {
    tokio::time::sleep(Duration::from_hours(hours)).await;
}

const DAILY: [(JobName, &str); 2] = [
    (jobs::work::close_windows_daily::NAME, "5 0 * * *"),
    (jobs::work::expire_subscriptions::NAME, "15 0 * * *"),
];

/// W5: daily 00:05.
#[tokio::test(start_paused = true)]
async fn a_daily_job_runs_once_a_day_at_its_time() {
    let platform = Platform::with_users(2).await;
    let worker = Worker::start(&platform, start(), &DAILY).await;
    pass(11).await;
    assert!(
        worker
            .runs(jobs::work::close_windows_daily::NAME)
            .await
            .is_empty(),
        "it is not due yet"
    );
    pass(72).await;
    for (job, minute) in [
        (jobs::work::close_windows_daily::NAME, "00:05"),
        (jobs::work::expire_subscriptions::NAME, "00:15"),
    ] {
        let runs = worker.runs(job).await;
        let at: Vec<String> = runs
            .iter()
            .map(|run| run.started_at.format("%d %H:%M").to_string())
            .collect();
        let expected = ["13", "12", "11"].map(|day| format!("{day} {minute}"));
        assert_eq!(at, expected, "{job}, newest first");
        assert!(runs.iter().all(|run| run.asked_by == "schedule"));
    }
    worker.stop().await;
}

#[tokio::test(start_paused = true)]
async fn two_workers_run_each_occurrence_once_together() {
    let platform = Platform::with_users(2).await;
    let first = Worker::start(&platform, start(), &DAILY).await;
    let second = Worker::start(&platform, start(), &DAILY).await;
    pass(84).await;
    assert_eq!(
        first
            .runs(jobs::work::close_windows_daily::NAME)
            .await
            .len(),
        3
    );
    assert_eq!(
        first
            .runs(jobs::work::expire_subscriptions::NAME)
            .await
            .len(),
        3
    );
    first.stop().await;
    pass(24).await;
    assert_eq!(
        second
            .runs(jobs::work::close_windows_daily::NAME)
            .await
            .len(),
        4,
        "one is enough"
    );
    second.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_down_when_a_job_is_due_is_asked_again() {
    let platform = Platform::with_users(2).await;
    let worker = Worker::start(&platform, start(), &DAILY).await;
    pass(11).await;
    platform.store.go_down_after(Some(0));
    pass(3).await;
    platform.store.go_down_after(None);
    pass(1).await;
    let runs = worker.runs(jobs::work::close_windows_daily::NAME).await;
    assert_eq!(runs.len(), 1, "the occurrence is made up for, once");
    assert_eq!(runs[0].state, RunState::Succeeded);
    assert!(runs[0].started_at < start() + TimeDelta::hours(14) + TimeDelta::minutes(1));
    worker.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_store_that_goes_down_in_the_middle_of_a_run_does_not_end_the_day() {
    let platform = Platform::with_users(5).await;
    let worker = Worker::start(&platform, start(), &DAILY[..1]).await;
    pass(12).await;
    // The lease, the history and the first page are read before it goes.
    platform.store.go_down_after(Some(6));
    tokio::time::sleep(Duration::from_mins(20)).await;
    platform.store.go_down_after(None);
    pass(1).await;
    let runs = worker.runs(jobs::work::close_windows_daily::NAME).await;
    assert_eq!(runs[0].state, RunState::Succeeded, "{runs:?}");
    assert!(runs.len() <= 3, "it is not run over and over: {runs:?}");
    worker.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_was_missed_while_no_worker_was_up_is_made_up_for_at_once() {
    let platform = Platform::with_users(2).await;
    let worker = Worker::start(&platform, start(), &DAILY).await;
    pass(24).await;
    worker.stop().await;
    let later = start() + TimeDelta::days(5);
    let worker = Worker::start(&platform, later, &DAILY).await;
    pass(1).await;
    let runs = worker.runs(jobs::work::close_windows_daily::NAME).await;
    assert_eq!(runs.len(), 2, "five missed days are one run");
    assert!(runs[0].started_at < later + TimeDelta::seconds(1));
    worker.stop().await;
}

#[tokio::test(start_paused = true)]
async fn events_are_told_as_soon_as_they_are_written() {
    let platform = Platform::with_users(1).await;
    let listener = Arc::new(Listener::default());
    let jobs = [
        (jobs::work::dispatch_outbox::NAME, "0 0 1 1 *"),
        (jobs::work::close_windows_daily::NAME, "5 0 * * *"),
    ];
    let told = Arc::<Listener>::clone(&listener);
    let worker = Worker::start_with(&platform, start(), &jobs, told).await;
    pass(13).await;
    let told = listener.told();
    assert!(
        !told.is_empty(),
        "the closing woke the dispatcher, a year before its time"
    );
    assert!(platform.pending().await.is_empty());
    worker.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_frequent_job_with_nothing_to_do_leaves_no_record() {
    let platform = Platform::with_users(2).await;
    let jobs = [
        (jobs::work::sweep_reservations::NAME, "*/5 * * * * *"),
        (jobs::work::audit::NAME, "*/5 * * * *"),
        (jobs::work::dispatch_outbox::NAME, "*/2 * * * * *"),
    ];
    let worker = Worker::start(&platform, start(), &jobs).await;
    pass(2).await;
    assert_eq!(
        worker
            .runs(jobs::work::sweep_reservations::NAME)
            .await
            .len(),
        1,
        "all holds ran out at once"
    );
    assert_eq!(
        worker.runs(jobs::work::dispatch_outbox::NAME).await.len(),
        1
    );
    let audits = worker.runs(jobs::work::audit::NAME).await.len();
    assert!(
        (1..=2).contains(&audits),
        "{audits} audits of what nobody touched since"
    );
    worker.stop().await;
}
