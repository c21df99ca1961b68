//! The tasks in the background.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::AbortHandle;
use tokio::time::sleep;

use crate::listener::listen;
use crate::shared::Shared;

/// Between two tries to reach a Redis that is away.
const PROBE_EVERY: Duration = Duration::from_millis(200);

/// The tasks in the background; they end with the last part that needs them.
#[derive(Debug)]
pub(crate) struct Tasks(Vec<AbortHandle>);

impl Tasks {
    pub(crate) fn start(shared: &Arc<Shared>) -> Self {
        let tasks = [
            tokio::spawn(keep_linked(Arc::clone(shared))),
            tokio::spawn(tell_usage(Arc::clone(shared))),
            tokio::spawn(listen(Arc::clone(shared))),
        ];
        Self(
            tasks
                .iter()
                .map(tokio::task::JoinHandle::abort_handle)
                .collect(),
        )
    }
}

impl Drop for Tasks {
    fn drop(&mut self) {
        for task in &self.0 {
            task.abort();
        }
    }
}

/// Brings the link back whenever it is off.
async fn keep_linked(shared: Arc<Shared>) {
    loop {
        shared.link.until_off().await;
        if let Err(error) = shared.restore().await {
            tracing::debug!(%error, "Redis is still away");
            sleep(PROBE_EVERY).await;
        }
    }
}

/// Gathers for a moment and tells it at once.
async fn tell_usage(shared: Arc<Shared>) {
    loop {
        shared.pending.some().await;
        tokio::select! {
            () = sleep(shared.gather) => {}
            () = shared.pending.full() => {}
        }
        if let Err(error) = shared.tell_pending().await {
            tracing::debug!(%error, "the other nodes are told later");
            sleep(PROBE_EVERY).await;
        }
    }
}
