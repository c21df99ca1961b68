//! A lease that is kept while a run lasts.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use quota_core::ports::{Lease, StoreError};
use quota_service::Engine;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

/// Renewals in the time that a lease holds: two may fail.
const RENEWALS: u32 = 3;

/// Until when the lease holds as far as its holder knows; `None` once it is lost.
type HeldUntil = Option<DateTime<Utc>>;

/// Renews a lease in the background until it is ended or dropped.
pub(crate) struct LeaseKeeper {
    renewer: Renewer,
    renewing: JoinHandle<()>,
    /// Its end is what the task sees; the task is not aborted, for a renewal on its way must not outlast the lease.
    end: oneshot::Sender<()>,
}

#[derive(Clone)]
struct Renewer {
    engine: Engine,
    lease: Lease,
    kept: Duration,
    held_until: watch::Sender<HeldUntil>,
}

/// The instant until which a lease is asked for.
pub(crate) fn until(now: DateTime<Utc>, kept: Duration) -> DateTime<Utc> {
    let kept = TimeDelta::from_std(kept).unwrap_or(TimeDelta::MAX);
    now.checked_add_signed(kept).unwrap_or(now)
}

impl LeaseKeeper {
    pub(crate) fn start(
        engine: Engine,
        lease: Lease,
        held_until: DateTime<Utc>,
        kept: Duration,
    ) -> Self {
        let renewer = Renewer {
            engine,
            lease,
            kept,
            held_until: watch::Sender::new(Some(held_until)),
        };
        let (end, ended) = oneshot::channel();
        let renewing = tokio::spawn(renewer.clone().keep(ended));
        Self {
            renewer,
            renewing,
            end,
        }
    }

    pub(crate) fn lease(&self) -> &Lease {
        &self.renewer.lease
    }

    /// Whether the lease still holds as far as is known here. The store knows better, and refuses what it must.
    pub(crate) fn is_held(&self) -> bool {
        let held_until = *self.renewer.held_until.borrow();
        held_until.is_some_and(|until| self.renewer.engine.now() < until)
    }

    /// Asks the store whether the lease still holds; a store that does not answer leaves it as it was.
    pub(crate) async fn confirm(&self) -> bool {
        self.renewer.renew().await;
        self.is_held()
    }

    /// Gives the lease back.
    pub(crate) async fn end(self) -> Result<(), StoreError> {
        let engine = self.renewer.engine.clone();
        let lease = self.stop().await;
        engine.storage().give_lease_back(&lease).await
    }

    /// Renews the lease no more, and leaves it to the caller to give it back.
    pub(crate) async fn stop(self) -> Lease {
        drop(self.end);
        let lease = self.renewer.lease;
        if self.renewing.await.is_err() {
            tracing::error!(job = %lease.name, "the renewal of a lease ended in a panic");
        }
        lease
    }
}

impl Renewer {
    async fn keep(self, mut ended: oneshot::Receiver<()>) {
        while self.held_until.borrow().is_some() {
            tokio::select! {
                _ = &mut ended => return,
                () = tokio::time::sleep(self.kept / RENEWALS) => self.renew().await,
            }
        }
    }

    async fn renew(&self) {
        let (storage, lease) = (self.engine.storage(), &self.lease);
        let now = self.engine.now();
        let until = until(now, self.kept);
        let renewed = storage
            .take_lease(&lease.name, &lease.owner, now, until)
            .await;
        match renewed {
            Ok(Some(renewed)) if renewed.epoch == lease.epoch => {
                self.held_until.send_if_modified(|held| {
                    *held = held.map(|_| until);
                    true
                });
            }
            Ok(other) => {
                tracing::warn!(job = %lease.name, "the lease of a job is lost");
                self.held_until.send_replace(None);
                // Somebody held it and gave it back; what was taken anew by this call is nobody's.
                if let Some(other) = other
                    && let Err(error) = storage.give_lease_back(&other).await
                {
                    tracing::warn!(job = %lease.name, %error, "a lease was not given back");
                }
            }
            Err(error) => {
                tracing::warn!(job = %lease.name, %error, "the lease of a job was not renewed");
            }
        }
    }
}
