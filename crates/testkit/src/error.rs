//! Why a throw-away server could not do what it was asked.

use std::io;

/// A throw-away server did not start, stop or answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// A program is not installed; the message says which package brings it.
    #[error("`{program}` was not found: install it with `apt-get install {package}`")]
    Missing {
        /// The program that was looked for.
        program: &'static str,
        /// The Debian package that has it.
        package: &'static str,
    },
    /// The operating system refused something.
    #[error("could not {what}: {source}")]
    System {
        /// What was tried.
        what: String,
        /// Why it was refused.
        #[source]
        source: io::Error,
    },
    /// A program ran and failed.
    #[error("`{program}` failed: {output}")]
    Failed {
        /// The program that ran.
        program: String,
        /// What it printed.
        output: String,
    },
    /// A server did not get ready in time, or ended while it was starting.
    #[error("{server} did not get ready: {log}")]
    NotReady {
        /// The server that was started.
        server: &'static str,
        /// The end of its log.
        log: String,
    },
}

impl ServerError {
    pub(crate) fn system(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::System { what, source }
    }
}
