//! Why a program did not start, or a command failed; never shows a secret.

use std::path::PathBuf;
use std::process::ExitCode;

use jobs::JobError;
use quota_core::ports::StoreError;
use quota_service::EngineError;

/// Exit code for a wrong setting or command line, as clap has it.
const EXIT_SETTING: u8 = 2;

/// What to do where another program has the address.
fn when_taken(cause: &std::io::Error) -> &'static str {
    if cause.kind() == std::io::ErrorKind::AddrInUse {
        return ", where another program listens: stop that, or set another address";
    }
    ""
}

/// Why a program did not start, or a command failed.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting that was read and cannot be used.
    #[error("setting `{setting}` {why}")]
    Setting {
        /// Its name in the environment.
        setting: &'static str,
        /// What is wrong with it, as a predicate.
        why: String,
    },
    /// The command reads a SQLite file, and there is none.
    #[error("there is no SQLite file {}; `api migrate` makes one", file.display())]
    NoFile {
        /// Where it was looked for.
        file: PathBuf,
    },
    /// The SQLite file is another program's.
    #[error(
        "the SQLite file {} has tables of another program, such as `{table}`, and none of the quota engine: nothing was changed; \
         name another file",
        file.display()
    )]
    ForeignFile {
        /// The file that the settings name.
        file: PathBuf,
        /// One of its tables.
        table: String,
    },
    /// The SQLite file cannot be opened.
    #[error("the SQLite file {} cannot be used", file.display())]
    Sqlite {
        /// The file that the settings name.
        file: PathBuf,
        /// What SQLite or the system says.
        #[source]
        cause: storage_sqlite::OpenError,
    },
    /// PostgreSQL does not answer, or refuses.
    #[error("PostgreSQL cannot be used")]
    Postgres(#[source] StoreError),
    /// The schema is not the one that this version needs; how it stands, as a predicate.
    #[error("the database's schema {0}: run `api migrate`")]
    Schema(String),
    /// The engine did not start, or refused a command.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A job was not run.
    #[error(transparent)]
    Job(#[from] JobError),
    /// The address is taken, or not this machine's.
    #[error("cannot listen on {address}{}", when_taken(cause))]
    Listen {
        /// The address that the settings name.
        address: std::net::SocketAddr,
        /// What the system says.
        #[source]
        cause: std::io::Error,
    },
    /// Signals cannot be received.
    #[error("the signals of the system cannot be received")]
    Signals(#[source] std::io::Error),
    /// The metrics recorder cannot be installed.
    #[error("the metrics cannot be kept")]
    Metrics(#[source] metrics_exporter_prometheus::BuildError),
    /// Standard output cannot be written.
    #[error("the output cannot be written")]
    Output(#[source] std::io::Error),
}

impl StartError {
    /// The code that the process exits with: 2 where a setting or the command line is to be changed, else 1.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Setting { .. }
            | Self::NoFile { .. }
            | Self::ForeignFile { .. }
            | Self::Schema(_)
            | Self::Job(JobError::Filter { .. }) => ExitCode::from(EXIT_SETTING),
            Self::Sqlite { .. }
            | Self::Postgres(_)
            | Self::Engine(_)
            | Self::Job(_)
            | Self::Listen { .. }
            | Self::Signals(_)
            | Self::Metrics(_)
            | Self::Output(_) => ExitCode::FAILURE,
        }
    }
}
