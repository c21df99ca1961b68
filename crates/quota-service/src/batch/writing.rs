//! The second half of a batch: what was decided is written, told to the cache, and answered.

use std::collections::HashSet;
use std::sync::PoisonError;

use quota_core::ids::AccountId;
use quota_core::operation::{Operation, OperationKind};
use quota_core::ports::{HomeWrite, LoadQuery, StoreError, WriteBatch};

use super::job::Group;
use super::{Decider, Tried, Under, again, answer_all};
use crate::EngineError;
use crate::decide::{DecidedHome, Setting};

impl Decider {
    pub(super) async fn write(
        &self,
        (groups, mut decided): (Vec<Group>, Vec<DecidedHome>),
        query: &LoadQuery,
        setting: &Setting,
        under: Under<'_>,
    ) -> Tried {
        let writes: Vec<Option<HomeWrite>> =
            decided.iter_mut().map(DecidedHome::take_write).collect();
        let to_tell: Vec<Option<Written>> = writes
            .iter()
            .map(|write| write.as_ref().map(Written::of))
            .collect();
        let homes: Vec<HomeWrite> = writes.into_iter().flatten().collect();
        let passed = if homes.is_empty() {
            Ok(Vec::new())
        } else {
            let batch = WriteBatch {
                catalog_version: setting.catalog.version,
                keys_since: query.keys_since,
                lease: under.lease.cloned(),
                homes,
            };
            self.storage.write(&batch).await
        };
        let passed: HashSet<AccountId> = match passed {
            Ok(passed) => passed.into_iter().collect(),
            Err(error) => {
                let failed = (groups, decided, to_tell.as_slice());
                return self.not_written(failed, error, under).await;
            }
        };
        let written = to_tell.iter().flatten();
        self.tell(written.filter(|home| passed.contains(&home.home)))
            .await;
        let mut left = Vec::new();
        let mut fresh = Vec::with_capacity(decided.len());
        let (mut used, mut stale) = (0, 0);
        for ((group, decided), written) in groups.into_iter().zip(decided).zip(&to_tell) {
            let was_written = written.is_some();
            let has_passed = passed.contains(&group.home);
            used += usize::from(decided.was_kept);
            stale += usize::from(decided.was_kept && was_written && !has_passed);
            if has_passed || (!was_written && !decided.was_kept) {
                fresh.push(decided.home);
                answer_all(group, decided.verdicts);
            } else {
                // What was decided on memory alone counts only once a write has proved it.
                left.extend(group.jobs);
            }
        }
        if let Some(kept) = under.kept {
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.learn(used, stale);
            for home in fresh {
                kept.keep(home);
            }
        }
        Tried {
            left,
            is_unknown: false,
        }
    }

    /// A write failed: of unknown fate it is tried again and then found by its ids; what the store refuses is
    /// narrowed down to the request that is at fault.
    pub(super) async fn not_written(
        &self,
        (groups, decided, to_tell): (Vec<Group>, Vec<DecidedHome>, &[Option<Written>]),
        error: StoreError,
        under: Under<'_>,
    ) -> Tried {
        let is_unknown = matches!(error, StoreError::Unavailable(_));
        let is_transient = error.is_transient();
        let text = error.to_string();
        let mut left = Vec::new();
        let mut writing = Vec::new();
        for ((group, decided), written) in groups.into_iter().zip(decided).zip(to_tell) {
            if written.is_none() && !decided.was_kept {
                answer_all(group, decided.verdicts);
            } else {
                writing.extend(group.jobs.into_iter().zip(decided.verdicts));
            }
        }
        let jobs = writing.len();
        for (mut job, verdict) in writing {
            if is_unknown {
                job.doubt(&verdict);
                left.push(job);
            } else if is_transient && job.is_uncertain {
                left.push(job);
            } else if is_transient || jobs == 1 {
                job.answer(Err(EngineError::Store(again(&text, is_transient))));
            } else {
                let alone = Box::pin(self.process(
                    vec![job],
                    Under {
                        kept: None,
                        ..under
                    },
                ));
                alone.await;
            }
        }
        if !is_transient {
            tracing::error!(error = %text, "the store refused a batch");
        }
        Tried {
            left,
            is_unknown: is_transient,
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
        let changes_terms = |operation: &Operation| {
            matches!(
                operation.kind,
                OperationKind::Change | OperationKind::Reset | OperationKind::Close
            )
        };
        Self {
            home: write.home.clone(),
            version: write.new_version,
            is_urgent: write.operations.iter().any(changes_terms),
            has_events: !write.events.is_empty(),
        }
    }
}
