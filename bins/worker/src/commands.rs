//! What the worker can be told to do.

use std::process::ExitCode;

use jobs::{JobFilter, JobInfo};
use quota_core::instant::text;
use quota_core::ports::{JobRun, RunState};
use runtime::{Metrics, ScheduleArgs, StartError, StopSignal};

use crate::args::{JobsArgs, RunArgs, RunJobArgs};
use crate::wiring::wire;

/// Who asked for a run of the command line, in the history.
const ASKED_BY: &str = "manual";

/// `worker run`: every job on its schedule, until a signal.
pub(crate) async fn run(args: &RunArgs) -> Result<ExitCode, StartError> {
    let stop = StopSignal::listen()?;
    let page = args.metrics.bind().await?;
    let metrics = Metrics::install()?;
    let wired = wire(&args.work, &args.schedules).await?;
    let readiness = wired.readiness();
    page.serve(metrics, readiness.clone());
    tracing::info!("the jobs run on their schedule");
    let stopping = async {
        stopping(stop).await;
        readiness.drain();
    };
    wired.runner.run_scheduled(stopping).await;
    wired.stop().await;
    tracing::info!("the worker has stopped");
    Ok(ExitCode::SUCCESS)
}

/// `worker run-job`: one job to its end, or until a signal to the end of its current batch.
pub(crate) async fn run_job(args: RunJobArgs) -> Result<ExitCode, StartError> {
    let stop = StopSignal::listen()?;
    let wired = wire(&args.work, &ScheduleArgs::default()).await?;
    let filter = JobFilter {
        account: args.account,
        features: args.features,
    };
    let runner = wired.runner.clone();
    let running = runner.run(args.name, filter, ASKED_BY);
    tokio::pin!(running);
    let ran = tokio::select! {
        ran = &mut running => ran,
        () = stopping(stop) => {
            runner.stop().await;
            running.await
        }
    };
    wired.stop().await;
    let run = ran?;
    runtime::print(&in_words(&run))?;
    Ok(match run.state {
        RunState::Succeeded => ExitCode::SUCCESS,
        RunState::Running | RunState::Failed | RunState::Stopped | RunState::Lost => {
            ExitCode::FAILURE
        }
    })
}

/// `worker jobs`: what there is, when it runs, and how it went.
pub(crate) async fn list(args: &JobsArgs) -> Result<ExitCode, StartError> {
    let wired = wire(&args.work, &args.schedules).await?;
    let listed = wired.runner.list().await;
    wired.stop().await;
    let lines: String = listed?.iter().map(in_a_line).collect();
    runtime::print(&lines)?;
    Ok(ExitCode::SUCCESS)
}

async fn stopping(stop: StopSignal) {
    stop.wait().await;
    tracing::info!("the worker stops when the current batches are finished");
}

fn in_a_line(job: &JobInfo) -> String {
    let next = match job.next_run_at {
        Some(at) => text(&at),
        None => "never".to_owned(),
    };
    let last = match &job.last_run {
        Some(run) => format!("{} {}", text(&run.started_at), state(run.state)),
        None => "none".to_owned(),
    };
    let (name, schedule, zone) = (job.name.as_str(), &job.schedule, &job.zone);
    format!("{name:<21} {schedule:<14} {zone:<16} next {next}  last {last}\n")
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
    words.push('\n');
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
