//! Delivers events to the sink: each at least once, those of an account in their order.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use quota_core::ids::AccountId;
use quota_core::ports::{QueuePlace, QueuedEvent, RunSummary, StoreError};

use crate::JobName;
use crate::host::Host;
use crate::job::{Job, JobSpec, Rhythm};
use crate::run::{Ended, Work, in_words};

/// Its cursors in the store have this name too: under another one everything that is kept would be delivered again.
pub const NAME: JobName = JobName::new(CONSUMER);
const CONSUMER: &str = "dispatch_outbox";

/// Events that are read in one go at most, with those that were delivered out of turn.
const EVENTS_MAX: u32 = 5_000;
/// Places that a run remembers of one queue as delivered out of turn: some MB. The events behind them wait, as does the
/// event before them that fails.
const AHEAD_MAX: usize = 100_000;

/// What a run knows of its deliveries.
#[derive(Debug, Default)]
struct Deliveries {
    /// Delivered, and not passed by the cursor yet because an earlier event of the queue waits. The next run of this
    /// process remembers them; one of another process delivers them again.
    ahead: BTreeMap<i16, BTreeSet<QueuePlace>>,
    /// Accounts with an event that failed: left alone until there has been a wait.
    blocked: BTreeSet<AccountId>,
    /// Events that wait in the queues that were gone through last.
    waiting: u64,
    error: Option<String>,
}

/// What became of a page of events.
#[derive(Debug, Default)]
struct Page {
    delivered: u64,
    /// Events that failed, or wait behind one of their account that did.
    waiting: u64,
    error: Option<String>,
}

pub(crate) struct DispatchOutbox;

#[async_trait]
impl Job for DispatchOutbox {
    fn spec(&self) -> JobSpec {
        JobSpec {
            does: "delivers events; at least once, in the order of each account",
            when_late: "events come late",
            takes_account: false,
            rhythm: Rhythm::OnEvents,
            ..JobSpec::new(NAME, "*/2 * * * * *")
        }
    }

    async fn has_work(&self, host: &Host) -> Result<bool, StoreError> {
        let queues = host.engine.storage().queues_with_events(CONSUMER).await?;
        Ok(!queues.is_empty())
    }

    async fn run(&self, work: &mut Work) -> Result<(), Ended> {
        work.dispatch().await
    }
}

impl Work {
    async fn dispatch(&mut self) -> Result<(), Ended> {
        let mut deliveries = Deliveries {
            ahead: std::mem::take(&mut *self.inner.delivered_ahead()),
            ..Deliveries::default()
        };
        let ended = self.dispatch_all(&mut deliveries).await;
        *self.inner.delivered_ahead() = deliveries.ahead;
        ended
    }

    /// Goes through the queues until nothing lies in them, or something still waits after all retries. What else is delivered
    /// meanwhile begins no new count of them: a run ends, however many events come.
    async fn dispatch_all(&mut self, deliveries: &mut Deliveries) -> Result<(), Ended> {
        let mut retry = 0;
        loop {
            self.may_go_on()?;
            let storage = self.inner.engine.storage();
            let queues = self
                .patiently(|| storage.queues_with_events(CONSUMER))
                .await?;
            if queues.is_empty() {
                return Ok(());
            }
            deliveries.waiting = 0;
            for queue in queues {
                self.deliver_queue(queue, deliveries).await?;
            }
            if deliveries.waiting == 0 {
                continue;
            }
            if retry == self.inner.settings.retries_max {
                self.record(RunSummary {
                    done: 0,
                    failed: deliveries.waiting,
                    error: deliveries.error.take(),
                })
                .await;
                return Ok(());
            }
            self.inner.wait(retry).await;
            retry += 1;
            deliveries.blocked.clear();
        }
    }

    /// Delivers what lies in a queue. What was delivered out of turn is remembered, whatever ends this.
    async fn deliver_queue(
        &mut self,
        queue: i16,
        deliveries: &mut Deliveries,
    ) -> Result<(), Ended> {
        let mut ahead = deliveries.ahead.remove(&queue).unwrap_or_default();
        let ended = self.go_through(queue, &mut ahead, deliveries).await;
        if !ahead.is_empty() {
            deliveries.ahead.insert(queue, ahead);
        }
        ended
    }

    /// Delivers what lies in a queue, and passes it up to the first event that waits. Behind that one it goes on: only
    /// the events of the same account wait with it.
    async fn go_through(
        &mut self,
        queue: i16,
        ahead: &mut BTreeSet<QueuePlace>,
        deliveries: &mut Deliveries,
    ) -> Result<(), Ended> {
        let mut waiting = 0_u64;
        let mut after = QueuePlace::start_of(queue);
        loop {
            self.may_go_on()?;
            let known = u32::try_from(ahead.range(after..).count()).unwrap_or(EVENTS_MAX);
            let limit = self.inner.settings.batch_max.max(1);
            let limit = limit.saturating_add(known).min(EVENTS_MAX);
            let storage = self.inner.engine.storage();
            let events = self
                .patiently(|| storage.next_events(CONSUMER, after, limit))
                .await?;
            let page = self.deliver(&events, ahead, &mut deliveries.blocked).await;
            deliveries.error = page.error.clone().or(deliveries.error.take());
            let passed = events.iter().take_while(|next| ahead.contains(&next.at));
            if let Some(passed) = passed.last().filter(|_| waiting == 0) {
                // A run that dies before this delivers them once more: at least once.
                self.patiently(|| storage.pass_events(CONSUMER, passed.at))
                    .await?;
                ahead.retain(|place| *place > passed.at);
            }
            waiting = waiting.saturating_add(page.waiting);
            if page.delivered > 0 {
                self.record(RunSummary {
                    done: page.delivered,
                    failed: 0,
                    error: page.error,
                })
                .await;
            }
            let is_full = u32::try_from(events.len()).is_ok_and(|read| read == limit);
            match events.last() {
                Some(last) if is_full && ahead.len() < AHEAD_MAX => after = last.at,
                Some(_) | None => break,
            }
        }
        deliveries.waiting = deliveries.waiting.saturating_add(waiting);
        Ok(())
    }

    /// Delivers events in their order. After a failure the later ones of the same account wait; other accounts go on.
    async fn deliver(
        &self,
        events: &[QueuedEvent],
        ahead: &mut BTreeSet<QueuePlace>,
        blocked: &mut BTreeSet<AccountId>,
    ) -> Page {
        let mut page = Page::default();
        for QueuedEvent { at, event } in events {
            if ahead.contains(at) {
                continue;
            }
            // A slow sink must not hold up a stop, nor may a successor and this one both deliver for long.
            let is_over = !self.keeper.is_held() || self.inner.is_stopping();
            if is_over || blocked.contains(&event.account) {
                page.waiting = page.waiting.saturating_add(1);
                continue;
            }
            match self.inner.sink.publish(event).await {
                Ok(()) => {
                    ahead.insert(*at);
                    page.delivered = page.delivered.saturating_add(1);
                }
                Err(error) => {
                    blocked.insert(event.account.clone());
                    page.waiting = page.waiting.saturating_add(1);
                    let error = in_words(&error);
                    tracing::warn!(event = %event.id, error, "an event was not delivered; it waits");
                    page.error = Some(format!("event `{}`: {error}", event.id));
                }
            }
        }
        page
    }
}
