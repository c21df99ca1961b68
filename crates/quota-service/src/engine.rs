//! The engine: what callers, routes and jobs use.

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Instant;

use quota_core::answer::Rejection;
use quota_core::command::{Command, Presence, PutAccount, Request};
use quota_core::ids::AccountId;
use quota_core::ports::{Cache, Clock, Ids, Lease, Storage};
use quota_core::rules::former::may_refer_to_former;
use tokio::sync::{RwLock as RwLockOfTasks, mpsc, oneshot};
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::ask::Ask;
use crate::background::Background;
use crate::batch::{Decider, PendingRequest, run_shard_loop};
use crate::catalogs::Catalogs;
use crate::decide::{Reply, Verdict};
use crate::hash::body_hash;
use crate::homes::{Homes, shard};
use crate::known_keys::KnownKeys;
use crate::{EngineError, EngineSettings};

/// Accounts whose credits are low that are kept for whoever listens; later ones take the place of the first.
const LOW_KEPT_MAX: usize = 1_024;

/// The parts an engine is made of.
pub struct EngineParts {
    /// Where everything is kept; an answer is given after its commit there.
    pub storage: Arc<dyn Storage>,
    /// What checks and overviews look into first; [`crate::NoCache`] for none.
    pub cache: Arc<dyn Cache>,
    /// By it everything is decided: all nodes of an installation must agree.
    pub clock: Arc<dyn Clock>,
    /// Ids of requests, API keys and runs of jobs.
    pub ids: Arc<dyn Ids>,
}

/// The quota engine over one database. Cheap to clone; every clone is the same engine.
#[derive(Clone)]
pub struct Engine {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) decider: Arc<Decider>,
    pub(crate) known_keys: KnownKeys,
    ids: Arc<dyn Ids>,
    queues: RwLock<Vec<mpsc::Sender<PendingRequest>>>,
    workers: Mutex<Vec<JoinHandle<()>>>,
    pub(crate) background: Background,
    /// Held for reading by what writes several homes, in a task of its own.
    under_way: Arc<RwLockOfTasks<()>>,
}

impl Engine {
    /// Starts the queues of an engine over parts that were made one by one; [`Engine::over`] makes them.
    ///
    /// # Errors
    /// [`EngineError::Store`] when the catalog cannot be read.
    pub async fn start(parts: EngineParts, settings: EngineSettings) -> Result<Self, EngineError> {
        let catalogs = Catalogs::open(Arc::clone(&parts.storage)).await?;
        let decider = Arc::new(Decider {
            homes: Homes::new(Arc::clone(&parts.storage)),
            storage: parts.storage,
            cache: parts.cache,
            clock: parts.clock,
            catalogs,
            events: tokio::sync::Notify::new(),
            low: tokio::sync::broadcast::Sender::new(LOW_KEPT_MAX),
            settings,
            writes: crate::writes::Writes::default(),
        });
        let mut queues = Vec::new();
        let mut workers = Vec::new();
        for _ in 0..decider.settings.shards.max(1) {
            let (sender, receiver) = mpsc::channel(decider.settings.queue_max);
            queues.push(sender);
            workers.push(tokio::spawn(run_shard_loop(Arc::clone(&decider), receiver)));
        }
        Ok(Self {
            inner: Arc::new(Inner {
                decider,
                known_keys: KnownKeys::new(),
                ids: parts.ids,
                queues: RwLock::new(queues),
                workers: Mutex::new(workers),
                background: Background::default(),
                under_way: Arc::default(),
            }),
        })
    }

    /// Decides and books one request; durable when it returns. Dropping the call does not undo it.
    ///
    /// # Errors
    /// [`EngineError`]; a denial is an answer.
    pub async fn submit(&self, ask: Ask) -> Result<Reply, EngineError> {
        let again = may_refer_to_former(&ask.command).then(|| Box::new(ask.clone()));
        let verdict = self.decide_at_home(ask).await;
        // What is not where the account lives may be where it lived before.
        let is_absent = matches!(
            verdict,
            Err(EngineError::Rejected(
                Rejection::UnknownOperation | Rejection::UnknownReservation
            ))
        );
        match again.filter(|_| is_absent) {
            Some(ask) => Box::pin(self.settle_former(*ask)).await,
            None => verdict,
        }
    }

    /// Decides and books one request where its account lives.
    ///
    /// Two deadlines of the same length begin when it is queued. The queue refuses a request that it takes out after
    /// `until`: `Busy`, and it had no effect. The wait here ends by itself: `Deadline`, and the request is carried
    /// out all the same if it was taken out in time. The queue looks only when it takes requests, so mostly the wait ends
    /// first; whichever does is what the caller is told.
    pub(crate) fn decide_at_home(&self, ask: Ask) -> impl Future<Output = Verdict> + Send {
        self.decide_after(ask, Vec::new())
    }

    /// As [`Engine::decide_at_home`], for a request that operations of these ids may have carried out already.
    ///
    /// Thousands of these wait side by side: what is seldom needed is boxed, so that each is small.
    pub(crate) async fn decide_after(&self, ask: Ask, attempted: Vec<Uuid>) -> Verdict {
        let home = match self.known_home(&ask) {
            Some(home) => home,
            None => Box::pin(self.looked_up_home(&ask)).await?,
        };
        let receiver = self.enqueue((ask, home), attempted)?;
        self.answered(receiver).await
    }

    /// As [`Engine::submit`], for a part of a request: under its key stands the hash of the whole.
    pub(crate) async fn submit_part(&self, ask: Ask, body_hash: [u8; 32]) -> Verdict {
        let home = self.looked_up_home(&ask).await?;
        let (mut pending, receiver) = self.pending_request(ask, home);
        pending.request.body_hash = body_hash;
        self.send(pending)?;
        self.answered(receiver).await
    }

    async fn answered(&self, receiver: oneshot::Receiver<Verdict>) -> Verdict {
        let deadline = self.inner.decider.settings.deadline;
        match tokio::time::timeout(deadline, receiver).await {
            Ok(Ok(verdict)) => verdict,
            Ok(Err(_)) | Err(_) => Err(EngineError::Deadline),
        }
    }

    /// Where a request is decided, if that is remembered; not for one that may create its account.
    fn known_home(&self, ask: &Ask) -> Option<AccountId> {
        let creates = matches!(&ask.command, Command::PutAccount(_));
        let homes = &self.inner.decider.homes;
        homes.known(&ask.account).filter(|_| !creates)
    }

    async fn looked_up_home(&self, ask: &Ask) -> Result<AccountId, EngineError> {
        let home = self.in_time(self.home_for(ask)).await;
        home.inspect_err(|error| {
            if let EngineError::Store(error) = error {
                self.inner.decider.writes.failed(error);
            }
        })
    }

    /// Queues a request and gives back where its answer will arrive.
    fn enqueue(
        &self,
        (ask, home): (Ask, AccountId),
        attempted: Vec<Uuid>,
    ) -> Result<oneshot::Receiver<Verdict>, EngineError> {
        let (mut pending, receiver) = self.pending_request(ask, home);
        pending.is_uncertain = !attempted.is_empty();
        pending.attempted_operations = attempted;
        self.send(pending)?;
        Ok(receiver)
    }

    fn pending_request(
        &self,
        ask: Ask,
        home: AccountId,
    ) -> (PendingRequest, oneshot::Receiver<Verdict>) {
        let (reply, receiver) = oneshot::channel();
        let pending = PendingRequest {
            request: Box::new(self.request(ask)),
            home,
            until: Instant::now() + self.inner.decider.settings.deadline,
            is_uncertain: false,
            attempted_operations: Vec::new(),
            attempts: 0,
            is_rechecked: false,
            reply,
        };
        (pending, receiver)
    }

    /// Decides and books the requests of a scheduled job in one batch, past the queues; nothing is written once its
    /// lease is lost.
    pub async fn submit_under_lease(
        &self,
        lease: &Lease,
        asks: Vec<Ask>,
    ) -> Vec<Result<Reply, EngineError>> {
        let mut requests = Vec::with_capacity(asks.len());
        let mut receivers = Vec::with_capacity(asks.len());
        for ask in asks {
            receivers.push(match self.home_for(&ask).await {
                Ok(home) => {
                    let (pending, receiver) = self.pending_request(ask, home);
                    requests.push(pending);
                    Ok(receiver)
                }
                Err(error) => Err(error),
            });
        }
        let (decider, lease) = (Arc::clone(&self.inner.decider), lease.clone());
        // A task of its own: whoever waits may go away in the middle.
        let work = tokio::spawn(async move {
            decider.process(requests, Some(&lease)).await;
        });
        if work.await.is_err() {
            tracing::error!("a batch ended in a panic");
        }
        let mut verdicts = Vec::with_capacity(receivers.len());
        for receiver in receivers {
            verdicts.push(match receiver {
                Ok(receiver) => receiver.await.unwrap_or(Err(EngineError::Deadline)),
                Err(error) => Err(error),
            });
        }
        verdicts
    }

    pub(crate) fn request(&self, ask: Ask) -> Request {
        let body_hash = body_hash(&ask);
        Request {
            id: self.inner.ids.next(),
            account: ask.account,
            key: ask.key,
            body_hash,
            command: ask.command,
            origin: ask.origin,
        }
    }

    /// Where a request is decided. A new account is entered in the directory first, so that it has one home.
    async fn home_for(&self, ask: &Ask) -> Result<AccountId, EngineError> {
        let homes = &self.inner.decider.homes;
        let Command::PutAccount(PutAccount { presence, spec }) = &ask.command else {
            return Ok(homes.of(&ask.account).await?);
        };
        if *presence == Presence::Existing {
            return Ok(homes.of(&ask.account).await?);
        }
        let asked = spec.org.as_ref().map(AccountId::org);
        let wanted = asked.clone().unwrap_or_else(|| ask.account.clone());
        if let Some(org) = &asked
            && !self.exists(org).await?
        {
            return Err(Rejection::UnknownOrg.into());
        }
        let home = self
            .inner
            .decider
            .storage
            .claim(&ask.account, &wanted)
            .await?;
        homes.remember(&ask.account, &home);
        // One that lives elsewhere is decided there: its key may be that of the creation, sent again (X1).
        Ok(home)
    }

    /// Puts a request into the queue of its home: that of its shard, so that a batch touches as few shards as can be.
    fn send(&self, pending: PendingRequest) -> Result<(), EngineError> {
        let queues = self.inner.queues.read();
        let queues = queues.unwrap_or_else(PoisonError::into_inner);
        let queue = queues.get(shard(pending.home.shard().into(), queues.len()));
        let queue = queue.ok_or(EngineError::Stopping)?;
        queue.try_send(pending).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => EngineError::Busy,
            mpsc::error::TrySendError::Closed(_) => EngineError::Stopping,
        })
    }

    /// Waits for what is read, no longer than the deadline: a server that does not answer is not waited for.
    pub(crate) async fn in_time<T>(
        &self,
        work: impl Future<Output = Result<T, EngineError>>,
    ) -> Result<T, EngineError> {
        let deadline = self.inner.decider.settings.deadline;
        let done = tokio::time::timeout(deadline, work).await;
        done.unwrap_or(Err(EngineError::Deadline))
    }

    /// Runs what writes several homes in a task of its own: dropping the call does not undo it, the wait ends with the
    /// deadline, and [`Engine::stop`] waits for its end.
    pub(crate) async fn in_own_task<Work, T>(&self, work: Work) -> Result<T, EngineError>
    where
        Work: Future<Output = Result<T, EngineError>> + Send + 'static,
        T: Send + 'static,
    {
        let under_way = Arc::clone(&self.inner.under_way).read_owned().await;
        let work = tokio::spawn(async move {
            let verdict = work.await;
            drop(under_way);
            verdict
        });
        match tokio::time::timeout(self.settings().deadline, work).await {
            Ok(Ok(verdict)) => verdict,
            Ok(Err(_)) | Err(_) => Err(EngineError::Deadline),
        }
    }

    /// Takes no more requests and answers those it took.
    pub async fn stop(&self) {
        self.inner.background.stop();
        let workers = {
            let mut queues = self
                .inner
                .queues
                .write()
                .unwrap_or_else(PoisonError::into_inner);
            queues.clear();
            let mut workers = self
                .inner
                .workers
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *workers)
        };
        for worker in workers {
            if worker.await.is_err() {
                tracing::error!("a queue ended in a panic");
            }
        }
        drop(self.inner.under_way.write().await);
    }

    /// Waits until a commit of this engine leaves events in the outbox; it does not hear of those of other processes.
    pub async fn events_written(&self) {
        self.inner.decider.events.notified().await;
    }

    /// Accounts whose credits a commit of this engine lets fall below the bound of their auto top-up, from now on (P20). Those of
    /// other processes are not among them, nor what nobody takes out in time: a job finds them all.
    pub fn credits_low(&self) -> tokio::sync::broadcast::Receiver<AccountId> {
        self.inner.decider.low.subscribe()
    }

    /// Looks every `every` whether another node applied a catalog, until the returned task is aborted. Requests notice
    /// it by themselves; this is for checks that the cache answers.
    pub fn keep_catalog_fresh(&self, every: std::time::Duration) -> JoinHandle<()> {
        let decider = Arc::clone(&self.inner.decider);
        tokio::spawn(async move {
            let mut tick = tokio::time::interval(every);
            loop {
                tick.tick().await;
                let version = decider.storage.catalog_version().await;
                let read = match version {
                    Ok(version) => decider.catalogs.at(version).await.map(drop),
                    Err(error) => Err(error),
                };
                if let Err(error) = read {
                    tracing::debug!(%error, "the catalog could not be read");
                }
            }
        })
    }

    /// The time by which the engine decides.
    pub fn now(&self) -> chrono::DateTime<chrono::Utc> {
        self.inner.decider.clock.now()
    }

    /// The database, for what is only read.
    pub fn storage(&self) -> &Arc<dyn Storage> {
        &self.inner.decider.storage
    }

    /// What checks and overviews look into first; it decides nothing.
    pub fn cache(&self) -> &Arc<dyn Cache> {
        &self.inner.decider.cache
    }

    /// A new id from [`EngineParts::ids`].
    pub fn next_id(&self) -> Uuid {
        self.inner.ids.next()
    }

    /// How the engine is set.
    pub fn settings(&self) -> &EngineSettings {
        &self.inner.decider.settings
    }
}
