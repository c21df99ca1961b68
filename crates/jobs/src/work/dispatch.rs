//! Tells the sink of events that wait in the outbox: each at least once, those of an account in their order.

use std::collections::BTreeSet;

use quota_core::event::Event;
use quota_core::ids::AccountId;
use quota_core::ports::RunSummary;

use super::{Ended, Work, count, in_words};

/// Events that are read in one go at most, with those that wait behind a failure.
const EVENTS_MAX: u32 = 5_000;

/// What became of a page of events.
#[derive(Debug, Default)]
struct Told {
    delivered: Vec<Event>,
    /// Events that failed, or wait behind one of their account that did.
    waiting: u32,
    error: Option<String>,
}

impl Work {
    pub(super) async fn dispatch(&mut self) -> Result<(), Ended> {
        let (mut retry, mut waiting) = (0, 0_u32);
        // Accounts with an event that failed: left alone until there has been a wait.
        let mut blocked: BTreeSet<AccountId> = BTreeSet::new();
        let mut last_error = None;
        loop {
            self.may_go_on()?;
            let batch_max = self.inner.settings.batch_max.max(1);
            let limit = batch_max.saturating_add(waiting).min(EVENTS_MAX);
            let storage = self.inner.engine.storage();
            let events = self.patiently(|| storage.pending_events(limit)).await?;
            if events.is_empty() {
                return Ok(());
            }
            let told = self.tell(&events, &mut blocked).await;
            waiting = told.waiting;
            last_error = told.error.clone().or(last_error);
            if !told.delivered.is_empty() {
                // Whoever dies before this tells them once more: at least once.
                let at = self.inner.engine.now();
                self.patiently(|| storage.mark_published(&told.delivered, at))
                    .await?;
                let done = count(&told.delivered);
                self.record(RunSummary {
                    done,
                    failed: 0,
                    error: told.error,
                })
                .await;
                retry = 0;
                continue;
            }
            let is_full = u32::try_from(events.len()).is_ok_and(|read| read == limit);
            if is_full && limit < EVENTS_MAX && !self.inner.is_stopping() {
                // Everything that was read waits behind a failure; there may be others after it.
                continue;
            }
            if retry == self.inner.settings.retries_max {
                let failed = u64::from(waiting);
                self.record(RunSummary {
                    done: 0,
                    failed,
                    error: last_error,
                })
                .await;
                return Ok(());
            }
            self.inner.wait(retry).await;
            retry += 1;
            blocked.clear();
        }
    }

    /// Tells events in their order. After a failure the later ones of the same account wait; other accounts go on.
    async fn tell(&self, events: &[Event], blocked: &mut BTreeSet<AccountId>) -> Told {
        let mut told = Told::default();
        for event in events {
            // A slow sink must not hold up a stop, nor may a successor and this one both tell for long.
            let is_over = !self.keeper.is_held() || self.inner.is_stopping();
            if is_over || blocked.contains(&event.account) {
                told.waiting = told.waiting.saturating_add(1);
                continue;
            }
            match self.inner.sink.publish(event).await {
                Ok(()) => told.delivered.push(event.clone()),
                Err(error) => {
                    blocked.insert(event.account.clone());
                    told.waiting = told.waiting.saturating_add(1);
                    let error = in_words(&error);
                    tracing::warn!(event = %event.id, error, "an event was not told; it waits");
                    told.error = Some(format!("event `{}`: {error}", event.id));
                }
            }
        }
        told
    }
}
