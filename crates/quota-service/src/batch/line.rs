//! A queue at work. While one batch is being written, the next is gathered: each request is decided as it comes, on
//! what the batch in hand will leave behind. It is sent only when that one is settled; what was decided on a home that
//! did not pass is decided again, and nothing of it was told to anybody.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use quota_core::ids::AccountId;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use super::gathered::Gathered;
use super::job::Job;
use super::writing::{Sending, Settled};
use super::{ATTEMPTS_MAX, Decided, Decider, record_size};
use crate::EngineError;
use crate::kept::KeptHomes;

/// Batches that are being answered or looked for aside, at most.
const TASKS_MAX: usize = 256;

/// Takes requests from a queue until it is closed, and answers all of them.
pub(crate) async fn work(decider: Arc<Decider>, mut queue: mpsc::Receiver<Job>) {
    let batch_max = decider.settings.batch_max.max(1);
    let mut line = Line::new(decider);
    let mut next = Gathered::default();
    let mut is_open = true;
    while is_open || line.in_hand.is_some() || next.len() != 0 {
        let room = batch_max.saturating_sub(next.len());
        let mut jobs = Vec::new();
        tokio::select! {
            biased;
            settled = settled(&mut line.in_hand), if line.in_hand.is_some() => {
                line.settle(settled, &mut next);
            }
            count = queue.recv_many(&mut jobs, room), if is_open && room != 0 => {
                is_open = count != 0;
                let waiting = u32::try_from(queue.len()).unwrap_or(u32::MAX);
                metrics::gauge!("quota_queue_length").set(f64::from(waiting));
                line.gather(jobs, &mut next);
            }
            else => {}
        }
        // What was decided in vain is decided again at once.
        while line.in_hand.is_none() && next.len() != 0 {
            line.send(&mut next).await;
        }
        while line.tasks.try_join_next().is_some() {}
        // Answers that wait for the cache must not pile up.
        while TASKS_MAX < line.tasks.len() {
            line.tasks.join_next().await;
        }
    }
    while line.tasks.join_next().await.is_some() {}
}

/// The batch that is being written.
struct InHand {
    settled: oneshot::Receiver<Settled>,
    homes: Vec<AccountId>,
}

/// Waits until it is known what became of the batch in hand; none when that ended in a panic.
async fn settled(in_hand: &mut Option<InHand>) -> Option<Settled> {
    match in_hand {
        Some(in_hand) => (&mut in_hand.settled).await.ok(),
        None => std::future::pending().await,
    }
}

struct Line {
    decider: Arc<Decider>,
    kept: Arc<Mutex<KeptHomes>>,
    in_hand: Option<InHand>,
    /// Writes, and what is found out aside: the others in the queue need not wait for it.
    tasks: JoinSet<()>,
}

impl Line {
    fn new(decider: Arc<Decider>) -> Self {
        let kept = KeptHomes::new(decider.settings.homes_kept);
        Self {
            decider,
            kept: Arc::new(Mutex::new(kept)),
            in_hand: None,
            tasks: JoinSet::new(),
        }
    }

    /// Decides what can be decided at once.
    fn gather(&self, jobs: Vec<Job>, next: &mut Gathered) {
        let now = Instant::now();
        let (jobs, late): (Vec<Job>, Vec<Job>) = jobs.into_iter().partition(|job| now < job.until);
        for job in late {
            job.answer(Err(EngineError::Busy));
        }
        self.unless_panic(next, |line, next| {
            let mut kept = line.kept.lock().unwrap_or_else(PoisonError::into_inner);
            next.add(&line.decider, &mut kept, jobs);
            Some(())
        });
    }

    /// Runs what the rules have a part in. A panic in one batch must not end the queue; its callers learn that the fate is
    /// unknown.
    fn unless_panic<T>(
        &self,
        next: &mut Gathered,
        run: impl FnOnce(&Self, &mut Gathered) -> Option<T>,
    ) -> Option<T> {
        catch_unwind(AssertUnwindSafe(|| run(self, next))).unwrap_or_else(|_| {
            tracing::error!("a batch ended in a panic");
            *next = Gathered::default();
            self.forget_all();
            None
        })
    }

    /// What is to be sent, if anything; the homes are kept as they will be.
    fn made(&self, next: &mut Gathered, read: Option<Decided>) -> Option<Sending> {
        let batch = next.take_decided(read)?;
        let (sending, unproven) = {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            Sending::of(batch, None, Some(&mut kept))
        };
        next.put_back(unproven);
        (!sending.is_empty()).then_some(sending)
    }

    fn forget_all(&self) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.clear();
    }

    /// Takes note of what became of the batch in hand.
    fn settle(&mut self, settled: Option<Settled>, next: &mut Gathered) {
        let in_hand = self.in_hand.take();
        let Some(settled) = settled else {
            tracing::error!("a write ended in a panic");
            for home in in_hand.iter().flat_map(|in_hand| &in_hand.homes) {
                next.undo(home);
            }
            self.forget_all();
            return;
        };
        {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            for home in &settled.failed {
                kept.forget(home);
                next.undo(home);
            }
            kept.learn(settled.used, settled.stale);
        }
        if settled.is_unknown {
            self.resolve(settled.left);
        } else {
            next.put_back(settled.left);
        }
    }

    /// Finds out aside what became of requests, and answers them.
    fn resolve(&mut self, jobs: Vec<Job>) {
        if !jobs.is_empty() {
            let decider = Arc::clone(&self.decider);
            self.tasks
                .spawn(async move { decider.process(jobs, None).await });
        }
    }

    /// Sends what is gathered, with what has to be read first. Nothing is in hand: what is kept is as it was written.
    async fn send(&mut self, next: &mut Gathered) {
        let later = next.take_later();
        let (contended, later): (Vec<Job>, Vec<Job>) = later
            .into_iter()
            .partition(|job| ATTEMPTS_MAX <= job.attempts);
        if !contended.is_empty() {
            let decider = Arc::clone(&self.decider);
            self.tasks.spawn(async move {
                let left = decider.advance_locked(contended, None).await;
                decider.process(left, None).await;
            });
        }
        let mut read = None;
        if !later.is_empty() {
            let (engine, kept) = (Arc::clone(&self.decider), Arc::clone(&self.kept));
            let reading = tokio::spawn(async move { engine.read(later, Some(&kept)).await });
            match reading.await {
                Ok(Ok(found)) => read = Some(found),
                Ok(Err(tried)) => self.resolve(tried.left),
                Err(_) => tracing::error!("a batch ended in a panic"),
            }
        }
        let Some(sending) = self.unless_panic(next, |line, next| line.made(next, read)) else {
            return;
        };
        record_size(sending.jobs());
        let (settle, settled) = oneshot::channel();
        self.in_hand = Some(InHand {
            settled,
            homes: sending.homes().cloned().collect(),
        });
        let decider = Arc::clone(&self.decider);
        self.tasks.spawn(async move {
            let settle = |outcome| drop(settle.send(outcome));
            decider.finish(sending, None, settle).await;
        });
    }
}
