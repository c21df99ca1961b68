//! The second half of a batch: what was decided is written, told to the cache, and answered.

use std::collections::HashSet;

use super::job::Job;
use super::{Decided, Decider, Tried, answer_all};
use crate::EngineError;
use crate::decide::{DecidedHome, Verdict};
use crate::kept::KeptHomes;
use quota_core::ids::AccountId;
use quota_core::operation::Operation;
use quota_core::ports::{HomeWrite, Lease, StoreError, WriteBatch};

/// A batch on its way to the store.
pub(super) struct Sending {
    batch: WriteBatch,
    homes: Vec<SentHome>,
}

/// One home's part of it.
struct SentHome {
    jobs: Vec<Job>,
    verdicts: Vec<Verdict>,
    was_kept: bool,
    written: Written,
}

/// What became of a write.
pub(super) struct Settled {
    /// Homes that did not pass, or of which it is not known.
    pub(super) failed: Vec<AccountId>,
    /// To be tried again.
    pub(super) left: Vec<Job>,
    /// Whether the fate of the write is unknown.
    pub(super) is_unknown: bool,
    /// Homes that were decided on memory alone.
    pub(super) used: usize,
    /// Those of them that had moved on.
    pub(super) stale: usize,
}

impl Sending {
    /// What there is to write; whoever needs no write is answered. The homes are kept as they will be. The second part
    /// is what was decided on memory alone and that no write will prove: it is to be decided again.
    pub(super) fn of(
        decided: Decided,
        lease: Option<&Lease>,
        mut kept: Option<&mut KeptHomes>,
    ) -> (Self, Vec<Job>) {
        let mut sending = Self {
            batch: WriteBatch {
                catalog_version: decided.setting.catalog.version,
                keys_since: decided.keys_since,
                lease: lease.cloned(),
                homes: Vec::with_capacity(decided.groups.len()),
            },
            homes: Vec::with_capacity(decided.groups.len()),
        };
        let mut unproven = Vec::new();
        for (group, mut decided) in decided.groups {
            let write = decided.take_write();
            let DecidedHome {
                home,
                was_kept,
                verdicts,
                ..
            } = decided;
            let Some(write) = write else {
                if was_kept {
                    unproven.extend(group.jobs);
                    continue;
                }
                if let Some(kept) = &mut kept {
                    kept.keep(home);
                }
                answer_all(group.jobs, verdicts);
                continue;
            };
            if let Some(kept) = &mut kept {
                kept.keep(home);
            }
            sending.homes.push(SentHome {
                jobs: group.jobs,
                verdicts,
                was_kept,
                written: Written::of(&write),
            });
            sending.batch.homes.push(write);
        }
        (sending, unproven)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.homes.is_empty()
    }

    /// How many requests it answers.
    pub(super) fn jobs(&self) -> usize {
        self.homes.iter().map(|home| home.jobs.len()).sum()
    }

    pub(super) fn homes(&self) -> impl Iterator<Item = &AccountId> {
        self.homes.iter().map(|home| &home.written.home)
    }
}

impl Decider {
    /// Writes what was decided and answers it.
    pub(super) async fn write(&self, mut decided: Decided, lease: Option<&Lease>) -> Tried {
        let mut left = std::mem::take(&mut decided.moved);
        let (sending, unproven) = Sending::of(decided, lease, None);
        left.extend(unproven);
        let mut is_unknown = false;
        if !sending.is_empty() {
            let settle = |settled: Settled| {
                left.extend(settled.left);
                is_unknown = settled.is_unknown;
            };
            self.finish(sending, lease, settle).await;
        }
        Tried { left, is_unknown }
    }

    /// Writes a batch; says what became of it as soon as that is known, and then answers it.
    pub(super) async fn finish(
        &self,
        sending: Sending,
        lease: Option<&Lease>,
        settle: impl FnOnce(Settled) + Send,
    ) {
        let passed = match self.storage.write(&sending.batch).await {
            Ok(passed) => passed,
            Err(error) => return self.not_written(sending, error, lease, settle).await,
        };
        self.writes.passed();
        let passed: HashSet<AccountId> = passed.into_iter().collect();
        let used = sending.homes.iter().filter(|home| home.was_kept).count();
        let has_passed = |home: &SentHome| passed.contains(&home.written.home);
        let (done, failed): (Vec<SentHome>, Vec<SentHome>) =
            sending.homes.into_iter().partition(has_passed);
        settle(Settled {
            failed: failed
                .iter()
                .map(|home| home.written.home.clone())
                .collect(),
            is_unknown: false,
            used,
            stale: failed.iter().filter(|home| home.was_kept).count(),
            left: failed.into_iter().flat_map(|home| home.jobs).collect(),
        });
        self.tell(done.iter().map(|home| &home.written)).await;
        for home in done {
            answer_all(home.jobs, home.verdicts);
        }
    }

    /// A write failed: of unknown fate it is tried again and then found by its ids; what the store refuses is
    /// narrowed down to the request that is at fault.
    async fn not_written(
        &self,
        sending: Sending,
        error: StoreError,
        lease: Option<&Lease>,
        settle: impl FnOnce(Settled) + Send,
    ) {
        let is_unknown = matches!(error, StoreError::Unavailable(_));
        let is_transient = error.is_transient();
        self.writes.failed(&error);
        let jobs = sending.jobs();
        let failed = sending.homes().cloned().collect();
        let (mut left, mut alone) = (Vec::new(), Vec::new());
        let written = sending.homes.into_iter();
        for (mut job, verdict) in written.flat_map(|home| home.jobs.into_iter().zip(home.verdicts))
        {
            if is_unknown {
                job.doubt(&verdict);
                left.push(job);
            } else if is_transient && job.is_uncertain {
                left.push(job);
            } else if is_transient || jobs == 1 {
                job.answer(Err(EngineError::Store(error.repeated())));
            } else {
                alone.push(job);
            }
        }
        if !is_transient {
            tracing::error!(%error, "the store refused a batch");
        }
        settle(Settled {
            failed,
            left,
            is_unknown: is_transient,
            used: 0,
            stale: 0,
        });
        for job in alone {
            Box::pin(self.process(vec![job], lease)).await;
        }
    }

    /// Tells the cache, and whoever waits for events, what was committed.
    pub(super) async fn tell<'a>(&self, written: impl Iterator<Item = &'a Written>) {
        let (mut usage, mut terms) = (Vec::new(), Vec::new());
        let mut has_events = false;
        for home in written {
            let place = if home.is_urgent {
                &mut terms
            } else {
                &mut usage
            };
            place.push((home.home.clone(), home.version));
            has_events |= home.has_events;
        }
        for (homes, is_urgent) in [(usage, false), (terms, true)] {
            if !homes.is_empty()
                && let Err(error) = self.cache.advance(&homes, is_urgent).await
            {
                tracing::debug!(%error, "the cache was not told");
            }
        }
        if has_events {
            self.events.notify_one();
        }
    }
}

/// What is told of a home after its write.
pub(super) struct Written {
    pub(super) home: AccountId,
    pub(super) version: u64,
    pub(super) is_urgent: bool,
    pub(super) has_events: bool,
}

impl Written {
    pub(super) fn of(write: &HomeWrite) -> Self {
        let is_urgent = |operation: &Operation| operation.kind.traits().is_urgent;
        Self {
            home: write.home.clone(),
            version: write.new_version,
            is_urgent: write.operations.iter().any(is_urgent),
            has_events: !write.events.is_empty(),
        }
    }
}
