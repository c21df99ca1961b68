//! What all runs of a process share: the engine, the settings, and whether the process stops.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use quota_core::ports::{EventSink, QueuePlace, StoreError};
use quota_service::Engine;
use quota_service::billing::Billing;
use tokio::sync::watch;

use crate::JobSettings;

pub(crate) struct Host {
    pub(crate) engine: Engine,
    pub(crate) sink: Arc<dyn EventSink>,
    pub(crate) settings: JobSettings,
    pub(crate) owner: String,
    /// The payment provider, if one is connected.
    pub(crate) billing: Option<Billing>,
    is_stopping: watch::Sender<bool>,
    /// Runs that have not ended.
    active: watch::Sender<usize>,
    /// Events that were delivered before one that waits, by queue: they are not delivered again with every run.
    delivered_ahead: Mutex<BTreeMap<i16, BTreeSet<QueuePlace>>>,
}

impl Host {
    pub(crate) fn new(
        engine: Engine,
        sink: Arc<dyn EventSink>,
        settings: JobSettings,
        owner: String,
    ) -> Self {
        Self {
            engine,
            sink,
            settings,
            owner,
            billing: None,
            is_stopping: watch::Sender::new(false),
            active: watch::Sender::new(0),
            delivered_ahead: Mutex::default(),
        }
    }

    /// The same parts with a payment provider; nothing runs on it yet.
    pub(crate) fn with_billing(&self, billing: Option<Billing>) -> Self {
        let (engine, sink) = (self.engine.clone(), Arc::clone(&self.sink));
        Self {
            billing,
            ..Self::new(engine, sink, self.settings.clone(), self.owner.clone())
        }
    }

    /// What `dispatch_outbox` delivered out of turn, by queue.
    pub(crate) fn delivered_ahead(&self) -> MutexGuard<'_, BTreeMap<i16, BTreeSet<QueuePlace>>> {
        let ahead = self.delivered_ahead.lock();
        ahead.unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts nothing more, lets every run finish its current batch, and waits for that.
    pub(crate) async fn stop(&self) {
        self.is_stopping.send_replace(true);
        let mut active = self.active.subscribe();
        // The sender lives as long as this host: there is no error.
        drop(active.wait_for(|active| *active == 0).await);
    }

    pub(crate) fn is_stopping(&self) -> bool {
        *self.is_stopping.borrow()
    }

    /// Waits until this runner is told to stop.
    pub(crate) async fn stopping(&self) {
        let mut stopping = self.is_stopping.subscribe();
        drop(stopping.wait_for(|is_stopping| *is_stopping).await);
    }

    /// Calls the store again, later and later, while it is unavailable; a stop ends the waiting.
    pub(crate) async fn with_retries<T, F>(&self, call: impl Fn() -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let mut retry = 0;
        loop {
            match call().await {
                Err(error) if error.is_transient() && retry < self.settings.retries_max => {
                    tracing::warn!(%error, retry, "the database failed; it is asked again");
                }
                answer => return answer,
            }
            if !self.wait(retry).await {
                return call().await;
            }
            retry += 1;
        }
    }

    /// Waits before a retry; `false` when this runner is told to stop.
    pub(crate) async fn wait(&self, retry: u32) -> bool {
        let random = self.engine.next_id().as_u128();
        let wait = crate::backoff::wait_before(&self.settings, retry, random);
        tokio::select! {
            () = self.stopping() => false,
            () = tokio::time::sleep(wait) => true,
        }
    }
}

/// Counts a run as long as it lives, panics included.
pub(crate) struct Active(Arc<Host>);

impl Active {
    pub(crate) fn count(host: &Arc<Host>) -> Self {
        host.active.send_modify(|active| *active += 1);
        Self(Arc::clone(host))
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        self.0
            .active
            .send_modify(|active| *active = active.saturating_sub(1));
    }
}
