//! Why the process did not start, or a command failed; never shows a secret.

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use http_api::FileFault;
use jobs::JobError;
use quota_core::answer::Rejection;
use quota_core::ports::StoreError;
use quota_service::EngineError;
use uuid::Uuid;

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
    #[error("the demo's {what} was refused")]
    Demo {
        what: &'static str,
        #[source]
        cause: Rejection,
    },
    #[error("the database has another catalog: demo data goes only into an empty one")]
    OtherCatalog,
    #[error("the job runner failed")]
    Jobs(#[from] JobError),
    #[error("cannot listen on {address}")]
    Listen {
        address: std::net::SocketAddr,
        #[source]
        cause: std::io::Error,
    },
    #[error("the server failed")]
    Server(#[source] std::io::Error),
    #[error("the signals of the system cannot be heard")]
    Signals(#[source] std::io::Error),
    #[error("the metrics cannot be kept: {0}")]
    Metrics(String),
    #[error("{file}: cannot be read")]
    File {
        file: PathBuf,
        #[source]
        cause: std::io::Error,
    },
    #[error("{file}: {fault}")]
    Catalog { file: PathBuf, fault: FileFault },
    #[error("there is no key {0}")]
    UnknownKey(Uuid),
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
            Self::Setting { .. } | Self::Schema(_) => ExitCode::from(EXIT_SETTING),
            _ => ExitCode::FAILURE,
        }
    }
}
