//! The second half of a batch: it is written, the cache is told, and the callers get their answers.

use std::collections::HashSet;
use std::sync::Arc;

use super::pending_request::PendingRequest;
use super::{AttemptOutcome, DecidedBatch, Decider, answer_all};
use crate::EngineError;
use crate::decide::{DecidedHome, Verdict};
use crate::kept::KeptHomes;
use quota_core::event::{Event, EventKind};
use quota_core::ids::AccountId;
use quota_core::operation::Operation;
use quota_core::ports::{HomeWrite, Lease, StoreError, WriteBatch};

/// A batch that is ready to be written, or in flight.
pub(super) struct OutgoingBatch {
    batch: WriteBatch,
    homes: Vec<OutgoingHome>,
}

/// The part of one home: its requests, and their answers once it has passed.
struct OutgoingHome {
    requests: Vec<PendingRequest>,
    verdicts: Vec<Verdict>,
    was_kept: bool,
    written: WrittenHome,
}

/// What became of a batch in flight.
pub(super) struct WriteOutcome {
    /// Homes that did not pass, or may not have.
    pub(super) failed: Vec<AccountId>,
    /// Requests that have no answer yet.
    pub(super) to_retry: Vec<PendingRequest>,
    /// Whether the store failed: wait before the next try.
    pub(super) retry_later: bool,
    /// How many kept homes there were.
    pub(super) kept: usize,
    /// How many of those were stale.
    pub(super) stale: usize,
}

impl OutgoingBatch {
    /// Makes the write of a batch, and keeps its homes as the write will leave them. A home that does not change needs no
    /// write: if it was read, its requests are answered here. If it was kept, no write will prove that it was not stale:
    /// its requests are returned, to be decided on what is read.
    pub(super) fn of(
        decided: DecidedBatch,
        lease: Option<&Lease>,
        mut kept: Option<&mut KeptHomes>,
    ) -> (Self, Vec<PendingRequest>) {
        let mut outgoing = Self {
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
                    unproven.extend(group.requests);
                    continue;
                }
                if let Some(kept) = &mut kept {
                    kept.keep(home);
                }
                answer_all(group.requests, verdicts);
                continue;
            };
            if let Some(kept) = &mut kept {
                kept.keep(home);
            }
            outgoing.homes.push(OutgoingHome {
                requests: group.requests,
                verdicts,
                was_kept,
                written: WrittenHome::of(&write),
            });
            outgoing.batch.homes.push(write);
        }
        (outgoing, unproven)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.homes.is_empty()
    }

    /// How many requests it holds.
    pub(super) fn requests(&self) -> usize {
        self.homes.iter().map(|home| home.requests.len()).sum()
    }

    pub(super) fn homes(&self) -> impl Iterator<Item = &AccountId> {
        self.homes.iter().map(|home| &home.written.home)
    }
}

impl Decider {
    /// Writes a batch and answers it.
    pub(super) async fn write(
        &self,
        mut decided: DecidedBatch,
        lease: Option<&Lease>,
    ) -> AttemptOutcome {
        let mut to_retry = std::mem::take(&mut decided.reload);
        let (outgoing, unproven) = OutgoingBatch::of(decided, lease, None);
        to_retry.extend(unproven);
        let mut retry_later = false;
        if !outgoing.is_empty() {
            let report = |outcome: WriteOutcome| {
                to_retry.extend(outcome.to_retry);
                retry_later = outcome.retry_later;
            };
            self.finish(outgoing, lease, report).await;
        }
        AttemptOutcome {
            to_retry,
            retry_later,
        }
    }

    /// Writes a batch, reports the outcome as soon as it is known, and then answers the callers.
    pub(super) async fn finish(
        &self,
        outgoing: OutgoingBatch,
        lease: Option<&Lease>,
        report: impl FnOnce(WriteOutcome) + Send,
    ) {
        let passed = match self.storage.write(&outgoing.batch).await {
            Ok(passed) => passed,
            Err(error) => return self.not_written(outgoing, error, lease, report).await,
        };
        self.writes.passed();
        let passed: HashSet<AccountId> = passed.into_iter().collect();
        let kept = outgoing.homes.iter().filter(|home| home.was_kept).count();
        let has_passed = |home: &OutgoingHome| passed.contains(&home.written.home);
        let (done, failed): (Vec<OutgoingHome>, Vec<OutgoingHome>) =
            outgoing.homes.into_iter().partition(has_passed);
        report(WriteOutcome {
            failed: failed
                .iter()
                .map(|home| home.written.home.clone())
                .collect(),
            retry_later: false,
            kept,
            stale: failed.iter().filter(|home| home.was_kept).count(),
            to_retry: failed.into_iter().flat_map(|home| home.requests).collect(),
        });
        self.announce(done.iter().map(|home| &home.written)).await;
        for home in done {
            answer_all(home.requests, home.verdicts);
        }
    }

    /// The write failed. If its fate is unknown, its requests are tried again, and found by the ids of their operations if
    /// it took effect. If the store refused it, its requests are written one by one, so that only the one at fault fails.
    async fn not_written(
        &self,
        outgoing: OutgoingBatch,
        error: StoreError,
        lease: Option<&Lease>,
        report: impl FnOnce(WriteOutcome) + Send,
    ) {
        let is_fate_unknown = matches!(error, StoreError::Unavailable(_));
        let is_transient = error.is_transient();
        self.writes.failed(&error);
        let requests = outgoing.requests();
        let failed = outgoing.homes().cloned().collect();
        let (mut to_retry, mut alone) = (Vec::new(), Vec::new());
        let written = outgoing.homes.into_iter();
        for (mut pending, verdict) in
            written.flat_map(|home| home.requests.into_iter().zip(home.verdicts))
        {
            if is_fate_unknown {
                pending.mark_uncertain(&verdict);
                to_retry.push(pending);
            } else if is_transient && pending.is_uncertain {
                to_retry.push(pending);
            } else if is_transient || requests == 1 {
                pending.answer(Err(EngineError::Store(error.repeated())));
            } else {
                alone.push(pending);
            }
        }
        if !is_transient {
            tracing::error!(%error, "the database refused a batch");
        }
        report(WriteOutcome {
            failed,
            to_retry,
            retry_later: is_transient,
            kept: 0,
            stale: 0,
        });
        for pending in alone {
            Box::pin(self.process(vec![pending], lease)).await;
        }
    }

    /// Tells the cache which homes were committed, and wakes whoever waits for events.
    pub(super) async fn announce<'a>(&self, written: impl Iterator<Item = &'a WrittenHome>) {
        let (mut usage, mut terms) = (Vec::new(), Vec::new());
        let mut has_events = false;
        for home in written {
            let homes = if home.is_urgent {
                &mut terms
            } else {
                &mut usage
            };
            homes.push((home.home.clone(), home.version));
            has_events |= home.has_events;
            for account in &home.low {
                // Whoever does not listen finds it by looking.
                drop(self.low.send(account.clone()));
            }
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

/// What the cache is told of a home after its write.
pub(super) struct WrittenHome {
    pub(super) home: AccountId,
    pub(super) version: u64,
    pub(super) is_urgent: bool,
    pub(super) has_events: bool,
    /// Accounts whose credits are low by now (P20).
    pub(super) low: Vec<AccountId>,
}

impl WrittenHome {
    pub(super) fn of(write: &HomeWrite) -> Self {
        let is_urgent = |operation: &Arc<Operation>| operation.kind.traits().is_urgent;
        Self {
            home: write.home.clone(),
            version: write.new_version,
            is_urgent: write.operations.iter().any(is_urgent),
            has_events: !write.events.is_empty(),
            low: accounts_with_low_credits(&write.events),
        }
    }
}

fn accounts_with_low_credits(events: &[Event]) -> Vec<AccountId> {
    let low = events.iter().filter(|event| match event.kind {
        EventKind::CreditsLow { .. } => true,
        EventKind::QuotaUpdated { .. }
        | EventKind::SubscriptionExpired { .. }
        | EventKind::QuotaReset { .. }
        | EventKind::CreditsExpiring { .. } => false,
    });
    low.map(|event| event.account.clone()).collect()
}
