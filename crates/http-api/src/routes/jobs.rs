//! Jobs: list, run by hand, history.

use api_types::{
    FieldError, JobBody, JobList, RunBatchBody, RunBatchList, RunBody, RunJobBody, RunList,
};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jobs::{JobError, JobFilter, JobName, Runner};
use quota_core::ports::{BatchRecord, JobRun};
use quota_service::EngineError;

use crate::ApiState;
use crate::body::OptionalBody;
use crate::caller::{Admin, Reads};
use crate::params::{OfJob, OfUuid, Page};
use crate::problem::Problem;

fn run_body(run: JobRun) -> RunBody {
    RunBody {
        id: run.id,
        job: run.job,
        asked_by: run.asked_by,
        filter: run.filter,
        owner: run.owner,
        started_at: run.started_at,
        ended_at: run.ended_at,
        state: run.state,
        done: run.summary.done,
        failed: run.summary.failed,
        error: run.summary.error,
    }
}

fn batch_body(batch: BatchRecord) -> RunBatchBody {
    RunBatchBody {
        number: batch.number,
        ended_at: batch.ended_at,
        done: batch.summary.done,
        failed: batch.summary.failed,
        error: batch.summary.error,
    }
}

fn runner(state: &ApiState) -> Result<&Runner, Problem> {
    state.jobs().ok_or_else(|| {
        let detail = "this process runs no jobs";
        Problem::new(StatusCode::NOT_FOUND, "no_jobs", detail)
    })
}

fn named(job: &str) -> Result<JobName, Problem> {
    job.parse().map_err(|error: JobError| error.into())
}

impl From<JobError> for Problem {
    fn from(error: JobError) -> Self {
        let detail = error.to_string();
        match error {
            JobError::UnknownJob { .. } => Self::new(StatusCode::NOT_FOUND, "unknown_job", detail),
            JobError::UnknownRun { .. } => Self::new(StatusCode::NOT_FOUND, "unknown_run", detail),
            JobError::AlreadyRunning { .. } => {
                Self::new(StatusCode::CONFLICT, "job_at_work", detail)
            }
            JobError::Filter { what, .. } => {
                Self::invalid_body(FieldError::at(format!("/{what}"), detail))
            }
            JobError::Stopping => EngineError::Stopping.into(),
            JobError::Crashed { .. } => Self::internal(),
            JobError::Engine(error) => error.into(),
            JobError::Store(error) => EngineError::Store(error).into(),
        }
    }
}

/// Lists the jobs.
#[utoipa::path(get, path = "/v1/jobs", tag = "operate",
    responses((status = 200, body = JobList), (status = 404, description = "This process runs no jobs", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn list_jobs(
    State(state): State<ApiState>,
    _caller: Reads,
) -> Result<Json<JobList>, Problem> {
    let jobs = runner(&state)?.list().await?.into_iter();
    let items = jobs.map(|job| JobBody {
        name: job.name.to_string(),
        schedule: job.schedule,
        zone: job.zone,
        next_run_at: job.next_run_at,
        last_run: job.last_run.map(run_body),
    });
    Ok(Json(JobList {
        items: items.collect(),
    }))
}

/// Runs a job by hand.
#[utoipa::path(post, path = "/v1/jobs/{name}/run", tag = "operate", request_body = Option<RunJobBody>,
    params(("name" = String, Path, description = "The job")),
    responses((status = 202, description = "Started", body = RunBody), (status = 404, description = "There is no such job, or this process runs none", body = Problem, content_type = "application/problem+json"), (status = 409, description = "The job is already running", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn run_job(
    State(state): State<ApiState>,
    Admin(caller): Admin,
    OfJob(job): OfJob,
    OptionalBody(body): OptionalBody<RunJobBody>,
) -> Result<Response, Problem> {
    let is_list = body.feature.is_none();
    let mut features = body.features;
    features.extend(body.feature);
    let runner = runner(&state)?;
    let job = named(&job)?;
    let filter = JobFilter {
        account: body.account,
        features,
    };
    let run = runner.start(job, filter, caller.name()).await;
    let run = run.map_err(|error| match Problem::from(error) {
        problem if is_list => problem
            .in_list("/features", "")
            .at_instead("/feature", "/features"),
        problem => problem,
    })?;
    Ok((StatusCode::ACCEPTED, Json(run_body(run))).into_response())
}

/// Lists the newest runs of a job.
#[utoipa::path(get, path = "/v1/jobs/{name}/runs", tag = "operate",
    params(("name" = String, Path, description = "The job"), ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000, description = "1 to 1,000; 100 by default")),
    responses((status = 200, body = RunList), (status = 404, description = "There is no such job, or this process runs none", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn list_runs(
    State(state): State<ApiState>,
    _caller: Reads,
    OfJob(job): OfJob,
    page: Page,
) -> Result<Json<RunList>, Problem> {
    let runner = runner(&state)?;
    let runs = runner.runs(Some(named(&job)?), page.limit).await?;
    Ok(Json(RunList {
        items: runs.into_iter().map(run_body).collect(),
    }))
}

/// Lists the batches of a run.
#[utoipa::path(get, path = "/v1/runs/{id}/batches", tag = "operate",
    params(("id" = Uuid, Path, description = "The run")),
    responses((status = 200, body = RunBatchList), (status = 404, description = "This process runs no jobs", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn list_batches(
    State(state): State<ApiState>,
    _caller: Reads,
    OfUuid(run): OfUuid,
) -> Result<Json<RunBatchList>, Problem> {
    let batches = runner(&state)?.batches(run).await?;
    Ok(Json(RunBatchList {
        items: batches.into_iter().map(batch_body).collect(),
    }))
}
