//! The signals that end a process.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::StartError;

/// How urgently the process is to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Urgency {
    Running,
    /// A first SIGTERM: the load balancer may be told before.
    Stop,
    /// Ctrl-C, or a second signal: somebody waits.
    AtOnce,
}

/// Says when the process is to stop. Clones hear the same signals.
#[derive(Debug, Clone)]
pub struct StopSignal(watch::Receiver<Urgency>);

impl StopSignal {
    /// Listens for SIGTERM and Ctrl-C from now on: a signal during the start is not lost.
    ///
    /// # Errors
    /// [`StartError::Signals`] when the system refuses.
    pub fn listen() -> Result<Self, StartError> {
        let mut terminate = signal(SignalKind::terminate()).map_err(StartError::Signals)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(StartError::Signals)?;
        let (sender, receiver) = watch::channel(Urgency::Running);
        // The task never ends, so that a clone that waits later hears of the signals too.
        tokio::spawn(async move {
            loop {
                let first = tokio::select! {
                    _ = terminate.recv() => Urgency::Stop,
                    _ = interrupt.recv() => Urgency::AtOnce,
                };
                sender.send_modify(|urgency| {
                    *urgency = match *urgency {
                        Urgency::Running => first,
                        Urgency::Stop | Urgency::AtOnce => Urgency::AtOnce,
                    };
                });
            }
        });
        Ok(Self(receiver))
    }

    /// Waits for the first signal; returns at once when it came before.
    pub async fn wait(self) {
        self.wait_for(Urgency::Stop).await;
    }

    /// Waits for Ctrl-C or a second signal.
    pub async fn wait_at_once(self) {
        self.wait_for(Urgency::AtOnce).await;
    }

    async fn wait_for(mut self, least: Urgency) {
        // Without its sender no signal can come any more: stop.
        drop(self.0.wait_for(|urgency| *urgency >= least).await);
    }
}
