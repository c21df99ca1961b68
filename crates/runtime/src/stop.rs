//! The signals that end a process.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::StartError;

/// Says when the process is to stop. Clones hear the same signal.
#[derive(Debug, Clone)]
pub struct StopSignal(watch::Receiver<bool>);

impl StopSignal {
    /// Listens for SIGTERM and Ctrl-C from now on: a signal during the start is not lost.
    ///
    /// # Errors
    /// [`StartError::Signals`] when the system refuses.
    pub fn listen() -> Result<Self, StartError> {
        let mut terminate = signal(SignalKind::terminate()).map_err(StartError::Signals)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(StartError::Signals)?;
        let (sender, receiver) = watch::channel(false);
        tokio::spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            sender.send_replace(true);
            // The sender lives on, so that a clone that waits later hears of it too.
            std::future::pending::<()>().await;
        });
        Ok(Self(receiver))
    }

    /// Waits for the signal; returns at once when it came before.
    pub async fn wait(mut self) {
        // Without its sender no signal can come any more: stop.
        drop(self.0.wait_for(|is_asked| *is_asked).await);
    }
}
