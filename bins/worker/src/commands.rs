//! What the worker can be told to do.

use std::process::ExitCode;

use jobs::{JobFilter, JobInfo, JobName};
use quota_core::ids::{AccountId, FeatureCode};
use quota_core::ports::{JobRun, RunState};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::args::Settings;
use crate::metrics_page;
use crate::start_error::StartError;
use crate::wiring::wire;

/// Who asked for a run of the command line, in the history.
const ASKED_BY: &str = "manual";

/// `worker run`: every job on its schedule, until a signal.
pub(crate) async fn run(settings: &Settings) -> Result<ExitCode, StartError> {
    let mut signals = Signals::listen()?;
    if let Some(address) = settings.metrics_listen {
        metrics_page::serve(address).await?;
    }
    let wired = wire(settings).await?;
    tracing::info!("the jobs run on their schedule");
    wired.runner.run_scheduled(signals.next()).await;
    wired.stop().await;
    tracing::info!("the worker has stopped");
    Ok(ExitCode::SUCCESS)
}

/// `worker run-job`: one job to its end, or until a signal to the end of the batch in hand.
pub(crate) async fn run_job(
    settings: &Settings,
    job: JobName,
    account: Option<AccountId>,
    features: Vec<FeatureCode>,
) -> Result<ExitCode, StartError> {
    let mut signals = Signals::listen()?;
    let wired = wire(settings).await?;
    let filter = JobFilter { account, features };
    let runner = wired.runner.clone();
    let running = runner.run(job, filter, ASKED_BY);
    tokio::pin!(running);
    let ran = tokio::select! {
        ran = &mut running => ran,
        () = signals.next() => {
            runner.stop().await;
            running.await
        }
    };
    wired.stop().await;
    let run = ran?;
    println!("{}", in_words(&run));
    Ok(match run.state {
        RunState::Succeeded => ExitCode::SUCCESS,
        RunState::Running | RunState::Failed | RunState::Stopped | RunState::Lost => {
            ExitCode::FAILURE
        }
    })
}

/// `worker jobs`: what there is, when it runs, and how it went.
pub(crate) async fn list(settings: &Settings) -> Result<ExitCode, StartError> {
    let wired = wire(settings).await?;
    let listed = wired.runner.list().await;
    wired.stop().await;
    for job in listed? {
        println!("{}", in_a_line(&job));
    }
    Ok(ExitCode::SUCCESS)
}

fn in_a_line(job: &JobInfo) -> String {
    let next = match job.next_run_at {
        Some(at) => at.to_rfc3339(),
        None => "never".to_owned(),
    };
    let last = match &job.last_run {
        Some(run) => format!("{} {}", run.started_at.to_rfc3339(), state(run.state)),
        None => "none".to_owned(),
    };
    let (name, schedule, zone) = (job.name.as_str(), &job.schedule, &job.zone);
    format!("{name:<21} {schedule:<14} {zone:<16} next {next}  last {last}")
}

fn in_words(run: &JobRun) -> String {
    let summary = &run.summary;
    let mut words = format!(
        "{} {}: done {}, failed {}, run {}",
        run.job,
        state(run.state),
        summary.done,
        summary.failed,
        run.id
    );
    if let Some(error) = &summary.error {
        words.push_str("\nlast error: ");
        words.push_str(error);
    }
    words
}

fn state(state: RunState) -> &'static str {
    match state {
        RunState::Running => "running",
        RunState::Succeeded => "succeeded",
        RunState::Failed => "failed",
        RunState::Stopped => "stopped",
        RunState::Lost => "lost",
    }
}

/// The signals that end a worker.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> Result<Self, StartError> {
        Ok(Self {
            terminate: signal(SignalKind::terminate()).map_err(StartError::Signals)?,
            interrupt: signal(SignalKind::interrupt()).map_err(StartError::Signals)?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
        tracing::info!("the worker stops when the batch in hand is finished");
    }
}
