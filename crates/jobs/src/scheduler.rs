//! The scheduler: every job in a loop of its own, so that none overlaps with itself and none waits for another.

use std::time::Duration;

use chrono::{DateTime, Utc};
use quota_core::ports::RunState;
use tokio::task::JoinSet;

use crate::job::Rhythm;
use crate::run::in_words;
use crate::runs::RUNS_LOOKED_AT;
use crate::{JobError, JobFilter, JobName, Runner, Schedule, meters};

/// Longest sleep before the clock is looked at again: it may have been set meanwhile.
const NAP_MAX: Duration = Duration::from_secs(30);
/// Longest wait after a failure, in units of the settings' longest wait before a retry.
const FAILURE_WAITS_MAX: u32 = 6;
/// Who asked for a run of the schedule, in the history.
const ASKED_BY: &str = "schedule";

/// What a job's turn came to.
enum TurnOutcome {
    /// The schedule names no other instant.
    Never,
    /// It ran, or there was nothing to do.
    Well,
    /// Another worker runs it.
    Taken,
    /// It did not come to its end.
    Badly,
}

impl Runner {
    /// Runs every job on its schedule until `stop`, then finishes the batches in flight.
    ///
    /// A run that a daily or monthly job missed while no worker was up, or that was left unfinished, is made up for
    /// at once. A store that fails is asked again, later and later.
    pub async fn run_scheduled(&self, stop: impl Future<Output = ()>) {
        let mut loops = JoinSet::new();
        let schedules = self.inner.settings.schedules.iter();
        let has_provider = self.inner.billing.is_some();
        for (job, schedule) in
            schedules.filter(|(job, _)| has_provider || !job.spec().needs_provider)
        {
            let (runner, job, schedule) = (self.clone(), *job, schedule.clone());
            loops.spawn(async move { runner.keep_running(job, &schedule).await });
        }
        tokio::select! {
            () = stop => {}
            () = self.inner.stopping() => {}
        }
        self.stop().await;
        while let Some(ended) = loops.join_next().await {
            if ended.is_err() {
                tracing::error!("the schedule of a job ended in a panic");
            }
        }
    }

    async fn keep_running(&self, job: JobName, schedule: &Schedule) {
        // The instant after which the next run is due; it moves on only when there was no fault.
        let mut since = self.inner.engine.now();
        let mut failures = 0_u32;
        let mut is_unfinished = false;
        while !self.inner.is_stopping() {
            let outcome = self.once(job, schedule, since, is_unfinished).await;
            match outcome {
                Ok(TurnOutcome::Never) => return,
                Ok(TurnOutcome::Well) => {
                    since = self.inner.engine.now();
                    (failures, is_unfinished) = (0, false);
                }
                Ok(TurnOutcome::Taken) => {
                    tokio::select! {
                        () = self.inner.stopping() => {}
                        () = tokio::time::sleep(self.inner.settings.lease_kept / 3) => {}
                    }
                }
                Ok(TurnOutcome::Badly) => {
                    is_unfinished = true;
                    self.rest(&mut failures).await;
                }
                Err(error) => {
                    tracing::warn!(%job, error = in_words(&error), "a job was not run; it is tried again");
                    self.rest(&mut failures).await;
                }
            }
        }
    }

    /// Waits until the job is due, and runs it if it still is.
    async fn once(
        &self,
        job: JobName,
        schedule: &Schedule,
        since: DateTime<Utc>,
        is_unfinished: bool,
    ) -> Result<TurnOutcome, JobError> {
        if !is_unfinished {
            let Some(due) = self.due(job, schedule, since).await? else {
                return Ok(TurnOutcome::Never);
            };
            if !self.sleep_until(job, due).await {
                return Ok(TurnOutcome::Well);
            }
        }
        let now = self.inner.engine.now();
        let is_frequent = job.spec().rhythm.is_frequent();
        if is_frequent && !job.job().has_work(&self.inner).await? {
            meters::succeeded(job, now);
            return Ok(TurnOutcome::Well);
        }
        let begun = match self.take(job, JobFilter::default(), ASKED_BY).await {
            Ok(begun) => begun,
            Err(JobError::AlreadyRunning { .. }) => return Ok(TurnOutcome::Taken),
            Err(error) => return Err(error),
        };
        // Another worker may have done it while this one waited for the lease.
        let is_due = match self.due(job, schedule, since).await {
            Ok(due) => is_unfinished || is_frequent || due.is_some_and(|due| due <= now),
            Err(error) => {
                begun.give_up().await;
                return Err(error);
            }
        };
        if !is_due {
            begun.give_up().await;
            return Ok(TurnOutcome::Well);
        }
        let begun = self.record(begun).await?;
        let finished = self.finish(begun).await?;
        let is_bad =
            !finished.is_complete || (is_frequent && finished.run.state == RunState::Failed);
        Ok(if is_bad {
            TurnOutcome::Badly
        } else {
            TurnOutcome::Well
        })
    }

    /// When the job is due: a frequent one by the clock alone; another by its history too, so that what was missed
    /// or left unfinished is due at once, and what another worker did is not due again.
    async fn due(
        &self,
        job: JobName,
        schedule: &Schedule,
        since: DateTime<Utc>,
    ) -> Result<Option<DateTime<Utc>>, JobError> {
        if job.spec().rhythm.is_frequent() {
            return Ok(schedule.next_after(since));
        }
        let runs = self.runs(Some(job), RUNS_LOOKED_AT).await?;
        let Some(last) = runs.into_iter().find(|run| run.filter.is_none()) else {
            return Ok(schedule.next_after(since));
        };
        match last.state {
            RunState::Succeeded | RunState::Failed => Ok(schedule.next_after(last.started_at)),
            RunState::Running | RunState::Stopped | RunState::Lost => {
                Ok(schedule.next_after(since).map(|next| next.min(since)))
            }
        }
    }

    /// Sleeps until the job is due, or is woken by an event that was written; `false` when stopping.
    async fn sleep_until(&self, job: JobName, due: DateTime<Utc>) -> bool {
        let is_woken = job.spec().rhythm == Rhythm::OnEvents;
        loop {
            let left = due.signed_duration_since(self.inner.engine.now());
            let Ok(left) = left.to_std() else {
                return true;
            };
            if left.is_zero() {
                return true;
            }
            tokio::select! {
                () = self.inner.stopping() => return false,
                () = tokio::time::sleep(left.min(NAP_MAX)) => {}
                () = self.inner.engine.events_written(), if is_woken => {
                    return true;
                }
            }
        }
    }

    /// Waits after a failure, longer after each.
    async fn rest(&self, failures: &mut u32) {
        let waits = 2_u32.saturating_pow(*failures).min(FAILURE_WAITS_MAX);
        *failures = failures.saturating_add(1);
        for _ in 0..waits {
            if !self.inner.wait(u32::MAX).await {
                return;
            }
        }
    }
}
