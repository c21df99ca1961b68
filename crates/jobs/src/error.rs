//! Why a job was not run.

use quota_core::ports::StoreError;
use quota_service::EngineError;
use uuid::Uuid;

use crate::JobName;

/// Why a job was not run. What goes wrong within a run is in the run's record.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// There is no such job.
    #[error("there is no job `{name}`; the jobs are {known}")]
    UnknownJob {
        /// What was asked for.
        name: String,
        /// The jobs that there are, with commas.
        known: String,
    },
    /// There is no such run, or no longer.
    #[error("there is no run {run}")]
    UnknownRun {
        /// What was asked for.
        run: Uuid,
    },
    /// The job cannot be narrowed down in this way.
    #[error("job `{job}` takes no {what}")]
    Filter {
        /// The job that was asked for.
        job: JobName,
        /// `account` or `feature`.
        what: &'static str,
    },
    /// The job runs already, here or in another worker.
    #[error(
        "job `{job}` is running already: wait until that run has ended, or look at it in the list of its runs"
    )]
    AlreadyRunning {
        /// The job that another run holds.
        job: JobName,
    },
    /// This worker is stopping.
    #[error("the worker is stopping")]
    Stopping,
    /// The run ended in a panic; what it had written stays.
    #[error("the run of job `{job}` crashed")]
    Crashed {
        /// The job whose run ended in a panic.
        job: JobName,
    },
    /// The account or the features asked for cannot be read, or are not there.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The store failed.
    #[error("the database failed")]
    Store(#[from] StoreError),
}

impl JobError {
    /// Whether the same call may succeed later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::AlreadyRunning { .. } | Self::Stopping => true,
            Self::Engine(error) => error.is_transient(),
            Self::Store(error) => error.is_transient(),
            Self::UnknownJob { .. }
            | Self::UnknownRun { .. }
            | Self::Filter { .. }
            | Self::Crashed { .. } => false,
        }
    }
}
