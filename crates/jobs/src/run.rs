//! One run at work: batches, their retries, and the record of each.

use std::sync::Arc;

use quota_core::answer::Answer;
use quota_core::command::Command;
use quota_core::ids::AccountId;
use quota_core::origin::Origin;
use quota_core::ports::{AccountRow, BatchRecord, JobRun, RunSummary, StoreError};
use quota_service::{Ask, EngineError};

use crate::JobFilter;
use crate::host::Host;
use crate::lease::LeaseKeeper;

/// How a run's work came to its end.
#[derive(Debug)]
pub(crate) enum Ended {
    /// Everything was tried.
    Done,
    /// Stopped on request.
    Stopped,
    /// The lease is lost.
    Lost,
    /// The store or the sink failed for so long that the rest was left; why.
    Aborted(String),
}

/// What is asked for one account.
#[derive(Debug, Clone)]
pub(crate) struct Errand {
    pub(crate) account: AccountId,
    pub(crate) commands: Vec<Command>,
}

/// Which accounts of a batch count as done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counted {
    /// Those that changed.
    Changed,
    /// All: the job's command answers that nothing changed, whatever it did.
    All,
}

/// What became of the errands of a batch.
#[derive(Debug, Default)]
struct Outcomes {
    /// Accounts that changed.
    changed: Vec<AccountId>,
    /// Errands that could not be done, and why.
    failed: Vec<(Errand, EngineError)>,
    /// How many had nothing left to do.
    unchanged: u64,
}

/// A run at work.
pub(crate) struct Work {
    pub(crate) inner: Arc<Host>,
    pub(crate) run: JobRun,
    pub(crate) keeper: LeaseKeeper,
    pub(crate) filter: JobFilter,
    batches: u32,
}

impl Work {
    pub(crate) fn new(
        inner: Arc<Host>,
        run: JobRun,
        keeper: LeaseKeeper,
        filter: JobFilter,
    ) -> Self {
        Self {
            inner,
            run,
            keeper,
            filter,
            batches: 0,
        }
    }

    pub(crate) fn into_parts(self) -> (JobRun, LeaseKeeper) {
        (self.run, self.keeper)
    }

    /// Between batches: whether the run may go on.
    pub(crate) fn may_go_on(&self) -> Result<(), Ended> {
        if !self.keeper.is_held() {
            return Err(Ended::Lost);
        }
        if self.inner.is_stopping() {
            return Err(Ended::Stopped);
        }
        Ok(())
    }

    /// Reads from the store, with patience.
    pub(crate) async fn patiently<T, F>(&self, call: impl Fn() -> F) -> Result<T, Ended>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let answer = self.inner.with_retries(call).await;
        answer.map_err(|error| Ended::Aborted(in_words(&error)))
    }

    /// The account that the run is narrowed down to, as it stands now; `None` for a run over all.
    pub(crate) async fn only_account(&self) -> Result<Option<AccountRow>, Ended> {
        let Some(account) = &self.filter.account else {
            return Ok(None);
        };
        let engine = &self.inner.engine;
        let read = self.patiently(async || match engine.account(account).await {
            Err(EngineError::Store(error)) => Err(error),
            answer => Ok(answer),
        });
        let row = read.await?;
        row.map(Some)
            .map_err(|error| Ended::Aborted(in_words(&error)))
    }

    /// Does a batch and records it; gives back the accounts that changed.
    pub(crate) async fn do_batch(
        &mut self,
        errands: Vec<Errand>,
        counted: Counted,
    ) -> Result<Vec<AccountId>, Ended> {
        let mut outcomes = self.submit(errands).await;
        let mut retry = 0;
        while !outcomes.failed.is_empty() {
            if !self.keeper.confirm().await {
                return Err(Ended::Lost);
            }
            let may_retry = |(_, error): &(Errand, EngineError)| !is_final(error);
            let is_over = retry == self.inner.settings.retries_max;
            if is_over || !outcomes.failed.iter().any(may_retry) || !self.inner.wait(retry).await {
                break;
            }
            retry += 1;
            for (errand, error) in std::mem::take(&mut outcomes.failed) {
                if is_final(&error) || !self.keeper.is_held() || self.inner.is_stopping() {
                    outcomes.failed.push((errand, error));
                    continue;
                }
                // Alone: what is wrong with one account must not touch the others.
                let alone = self.submit(vec![errand]).await;
                outcomes.changed.extend(alone.changed);
                outcomes.failed.extend(alone.failed);
                outcomes.unchanged += alone.unchanged;
            }
        }
        for (errand, error) in &outcomes.failed {
            let (job, account) = (&self.run.job, &errand.account);
            tracing::warn!(%job, %account, error = in_words(error), "an account could not be done");
        }
        let unchanged = match counted {
            Counted::Changed => 0,
            Counted::All => outcomes.unchanged,
        };
        let summary = RunSummary {
            done: count(&outcomes.changed).saturating_add(unchanged),
            failed: count(&outcomes.failed),
            error: outcomes.failed.last().map(|(errand, error)| {
                format!("account `{}`: {}", errand.account, in_words(error))
            }),
        };
        self.record(summary).await;
        Ok(outcomes.changed)
    }

    /// Submits errands in one batch under the lease.
    async fn submit(&self, errands: Vec<Errand>) -> Outcomes {
        let mut outcomes = Outcomes::default();
        if errands.is_empty() {
            return outcomes;
        }
        let asks = errands
            .iter()
            .flat_map(|errand| self.asks(errand))
            .collect();
        let lease = self.keeper.lease();
        let verdicts = self.inner.engine.submit_under_lease(lease, asks).await;
        let mut verdicts = verdicts.into_iter();
        for errand in errands {
            let mut error = None;
            let mut has_changed = false;
            for verdict in verdicts.by_ref().take(errand.commands.len()) {
                match verdict {
                    Ok(reply) => has_changed |= reply.operation.answer != Answer::Unchanged,
                    Err(failure) => error = Some(failure),
                }
            }
            match error {
                Some(error) => outcomes.failed.push((errand, error)),
                None if has_changed => outcomes.changed.push(errand.account),
                None => outcomes.unchanged += 1,
            }
        }
        outcomes
    }

    fn asks<'a>(&'a self, errand: &'a Errand) -> impl Iterator<Item = Ask> + 'a {
        errand.commands.iter().map(|command| Ask {
            account: errand.account.clone(),
            key: None,
            command: command.clone(),
            origin: Origin {
                actor: Some(format!("job:{}", self.run.job)),
                request_id: Some(self.run.id.to_string()),
                ..Origin::default()
            },
        })
    }

    /// Adds a batch to the run, and to the history: that one may be missing there is no reason to stop.
    pub(crate) async fn record(&mut self, summary: RunSummary) {
        self.batches += 1;
        let total = &mut self.run.summary;
        total.done = total.done.saturating_add(summary.done);
        total.failed = total.failed.saturating_add(summary.failed);
        if summary.error.is_some() {
            total.error.clone_from(&summary.error);
        }
        let batch = BatchRecord {
            run: self.run.id,
            number: self.batches,
            ended_at: self.inner.engine.now(),
            summary,
        };
        if let Err(error) = self.inner.engine.storage().put_batch(&batch).await {
            let job = &self.run.job;
            tracing::warn!(%job, number = batch.number, %error, "a batch was not recorded");
        }
    }
}

fn count<T>(of: &[T]) -> u64 {
    u64::try_from(of.len()).unwrap_or(u64::MAX)
}

/// Whether trying again is in vain.
fn is_final(error: &EngineError) -> bool {
    matches!(error, EngineError::Rejected(_))
}

/// An error with what caused it.
pub(crate) fn in_words(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        words = format!("{words}: {next}");
        cause = next.source();
    }
    words
}
