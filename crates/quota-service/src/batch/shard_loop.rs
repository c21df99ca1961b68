//! The loop of one queue. While one batch is in flight, the loop gathers the next: each request is decided as it comes,
//! on the homes as the batch in flight will leave them. The next batch is sent only when the outcome of the one in flight
//! is known. What was decided on a home that did not pass is decided again; no caller has heard of it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use quota_core::ids::AccountId;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use super::next_batch::NextBatch;
use super::pending_request::PendingRequest;
use super::writing::{OutgoingBatch, WriteOutcome};
use super::{ATTEMPTS_MAX, DecidedBatch, Decider, record_size};
use crate::EngineError;
use crate::kept::KeptHomes;

/// Most tasks beside the loop: batches that are written or answered, and requests that are decided under the lock.
const TASKS_MAX: usize = 256;

/// Takes requests from a queue until it is closed, and answers all of them.
pub(crate) async fn run_shard_loop(
    decider: Arc<Decider>,
    mut queue: mpsc::Receiver<PendingRequest>,
) {
    let batch_max = decider.settings.batch_max.max(1);
    let mut shard_loop = ShardLoop::new(decider);
    let mut next = NextBatch::default();
    let mut is_open = true;
    while is_open || shard_loop.in_flight.is_some() || next.len() != 0 {
        let room = batch_max.saturating_sub(next.len());
        let mut requests = Vec::new();
        tokio::select! {
            biased;
            outcome = outcome_of(&mut shard_loop.in_flight), if shard_loop.in_flight.is_some() => {
                shard_loop.settle(outcome, &mut next);
            }
            count = queue.recv_many(&mut requests, room), if is_open && room != 0 => {
                is_open = count != 0;
                let waiting = u32::try_from(queue.len()).unwrap_or(u32::MAX);
                metrics::gauge!("quota_queue_length").set(f64::from(waiting));
                shard_loop.gather(requests, &mut next);
            }
            else => {}
        }
        // A batch without anything to write is not in flight: what it deferred is sent at once.
        while shard_loop.in_flight.is_none() && next.len() != 0 {
            shard_loop.send(&mut next).await;
        }
        while shard_loop.tasks.try_join_next().is_some() {}
        // Batches that wait for the cache before they are answered must not pile up.
        while TASKS_MAX < shard_loop.tasks.len() {
            shard_loop.tasks.join_next().await;
        }
    }
    while shard_loop.tasks.join_next().await.is_some() {}
}

/// The batch that is in flight: being written.
struct InFlight {
    outcome: oneshot::Receiver<WriteOutcome>,
    homes: Vec<AccountId>,
}

/// Waits for the outcome of the batch in flight; none when its write ended in a panic.
async fn outcome_of(in_flight: &mut Option<InFlight>) -> Option<WriteOutcome> {
    match in_flight {
        Some(in_flight) => (&mut in_flight.outcome).await.ok(),
        None => std::future::pending().await,
    }
}

/// What a loop holds between batches.
struct ShardLoop {
    decider: Arc<Decider>,
    kept: Arc<Mutex<KeptHomes>>,
    in_flight: Option<InFlight>,
    /// Work that the other requests of the queue need not wait for.
    tasks: JoinSet<()>,
}

impl ShardLoop {
    fn new(decider: Arc<Decider>) -> Self {
        let kept = KeptHomes::new(decider.settings.homes_kept);
        Self {
            decider,
            kept: Arc::new(Mutex::new(kept)),
            in_flight: None,
            tasks: JoinSet::new(),
        }
    }

    /// Adds requests to the next batch. Those past their deadline are refused.
    fn gather(&self, requests: Vec<PendingRequest>, next: &mut NextBatch) {
        let now = Instant::now();
        let (requests, late): (Vec<PendingRequest>, Vec<PendingRequest>) = requests
            .into_iter()
            .partition(|pending| now < pending.until);
        for pending in late {
            pending.answer(Err(EngineError::Busy));
        }
        self.unless_panic(next, |shard_loop, next| {
            let mut kept = shard_loop
                .kept
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            next.add(&shard_loop.decider, &mut kept, requests);
            Some(())
        });
    }

    /// Runs code that calls the rules. A panic there must not end the queue: the batch is dropped, and its callers are told
    /// that its fate is unknown.
    fn unless_panic<T>(
        &self,
        next: &mut NextBatch,
        run: impl FnOnce(&Self, &mut NextBatch) -> Option<T>,
    ) -> Option<T> {
        catch_unwind(AssertUnwindSafe(|| run(self, next))).unwrap_or_else(|_| {
            tracing::error!("a batch ended in a panic");
            *next = NextBatch::default();
            self.forget_all();
            None
        })
    }

    /// Makes the batch that is sent next, if there is anything to write. Its homes are kept as the write will leave them.
    fn assemble(&self, next: &mut NextBatch, read: Option<DecidedBatch>) -> Option<OutgoingBatch> {
        let batch = next.take_decided(read)?;
        let (outgoing, unproven) = {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            OutgoingBatch::of(batch, None, Some(&mut kept))
        };
        next.put_back(unproven);
        (!outgoing.is_empty()).then_some(outgoing)
    }

    fn forget_all(&self) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.clear();
    }

    /// Handles the outcome of the batch in flight.
    fn settle(&mut self, outcome: Option<WriteOutcome>, next: &mut NextBatch) {
        let in_flight = self.in_flight.take();
        let Some(outcome) = outcome else {
            tracing::error!("a write ended in a panic");
            for home in in_flight.iter().flat_map(|in_flight| &in_flight.homes) {
                next.undo(home);
            }
            self.forget_all();
            return;
        };
        {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            for home in &outcome.failed {
                kept.forget(home);
                next.undo(home);
            }
            kept.learn(outcome.kept, outcome.stale);
        }
        if outcome.retry_later {
            self.resolve(outcome.to_retry);
        } else {
            next.put_back(outcome.to_retry);
        }
    }

    /// Answers requests in a task of their own: a write of theirs may have had an effect, which takes time to find out.
    fn resolve(&mut self, requests: Vec<PendingRequest>) {
        if !requests.is_empty() {
            let decider = Arc::clone(&self.decider);
            self.tasks
                .spawn(async move { decider.process(requests, None).await });
        }
    }

    /// Reads and decides what was deferred, and sends the next batch. No batch is in flight: kept homes are as they were
    /// written.
    async fn send(&mut self, next: &mut NextBatch) {
        let ready = next.take_ready();
        let (contended, ready): (Vec<PendingRequest>, Vec<PendingRequest>) = ready
            .into_iter()
            .partition(|pending| ATTEMPTS_MAX <= pending.attempts);
        if !contended.is_empty() {
            let decider = Arc::clone(&self.decider);
            self.tasks.spawn(async move {
                let unanswered = decider.advance_locked(contended, None).await;
                decider.process(unanswered, None).await;
            });
        }
        let mut read = None;
        if !ready.is_empty() {
            let (decider, kept) = (Arc::clone(&self.decider), Arc::clone(&self.kept));
            let reading = tokio::spawn(async move { decider.read(ready, Some(&kept)).await });
            match reading.await {
                Ok(Ok(found)) => read = Some(found),
                Ok(Err(outcome)) => self.resolve(outcome.to_retry),
                Err(_) => tracing::error!("a batch ended in a panic"),
            }
        }
        let Some(outgoing) =
            self.unless_panic(next, |shard_loop, next| shard_loop.assemble(next, read))
        else {
            return;
        };
        record_size(outgoing.requests());
        let (sender, outcome) = oneshot::channel();
        self.in_flight = Some(InFlight {
            outcome,
            homes: outgoing.homes().cloned().collect(),
        });
        let decider = Arc::clone(&self.decider);
        self.tasks.spawn(async move {
            let report = |outcome| drop(sender.send(outcome));
            decider.finish(outgoing, None, report).await;
        });
    }
}
