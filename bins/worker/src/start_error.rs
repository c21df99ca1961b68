//! Why the process did not start, or a command failed; never shows a secret.

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use jobs::JobError;
use quota_core::ports::StoreError;
use quota_service::EngineError;

/// Exit code for a wrong setting, as clap has it; a database that is not migrated is one.
const EXIT_SETTING: u8 = 2;

/// Why the process did not start, or a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error("setting `{setting}` {why}")]
    Setting { setting: &'static str, why: String },
    #[error("the SQLite file {file} cannot be used")]
    Sqlite {
        file: PathBuf,
        #[source]
        cause: storage_sqlite::OpenError,
    },
    #[error("PostgreSQL cannot be used")]
    Postgres(#[source] StoreError),
    #[error("the database's schema {0}: run `api migrate`")]
    Schema(String),
    #[error("the engine failed")]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Job(#[from] JobError),
    #[error("cannot listen on {address}")]
    Listen {
        address: std::net::SocketAddr,
        #[source]
        cause: std::io::Error,
    },
    #[error("the signals of the system cannot be heard")]
    Signals(#[source] std::io::Error),
    #[error("the metrics cannot be kept")]
    Metrics(#[source] metrics_exporter_prometheus::BuildError),
}

impl StartError {
    /// Prints it with its sources, and says how the process exits.
    pub(crate) fn report(&self) -> ExitCode {
        let mut text = format!("error: {self}");
        let mut source = self.source();
        while let Some(cause) = source {
            text.push_str(": ");
            text.push_str(&cause.to_string());
            source = cause.source();
        }
        eprintln!("{text}");
        match self {
            Self::Setting { .. } | Self::Schema(_) | Self::Job(JobError::Filter { .. }) => {
                ExitCode::from(EXIT_SETTING)
            }
            _ => ExitCode::FAILURE,
        }
    }
}
