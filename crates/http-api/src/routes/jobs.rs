//! Jobs: list, run by hand, history.

use api_types::{
    FieldError, JobBody, JobList, RunBatchBody, RunBatchList, RunBody, RunJobBody, RunList,
};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use quota_core::ports::{BatchRecord, JobRun};

use crate::ApiState;
use crate::body::OptionalBody;
use crate::caller::{Admin, Reads};
use crate::jobs::{JobControl, JobControlError, RunAsk};
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

fn runner(state: &ApiState) -> Result<&dyn JobControl, Problem> {
    state.jobs().ok_or_else(|| {
        let detail = "this process runs no jobs";
        Problem::new(StatusCode::NOT_FOUND, "no_jobs", detail)
    })
}

impl From<JobControlError> for Problem {
    fn from(error: JobControlError) -> Self {
        let detail = error.to_string();
        match error {
            JobControlError::UnknownJob => Self::new(StatusCode::NOT_FOUND, "unknown_job", detail),
            JobControlError::UnknownRun => Self::new(StatusCode::NOT_FOUND, "unknown_run", detail),
            JobControlError::AtWork => Self::new(StatusCode::CONFLICT, "job_at_work", detail),
            JobControlError::Invalid { field, why } => {
                Self::invalid_body(FieldError::at(format!("/{field}"), why))
            }
            JobControlError::Engine(error) => error.into(),
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
        name: job.name,
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
    responses((status = 202, description = "It runs", body = RunBody), (status = 404, description = "There is no such job, or this process runs none", body = Problem, content_type = "application/problem+json"), (status = 409, description = "It is at work elsewhere", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn run_job(
    State(state): State<ApiState>,
    Admin(caller): Admin,
    OfJob(job): OfJob,
    OptionalBody(body): OptionalBody<RunJobBody>,
) -> Result<Response, Problem> {
    let is_list = body.feature.is_none();
    let mut features = body.features;
    features.extend(body.feature);
    let ask = RunAsk {
        job,
        account: body.account,
        features: features.clone(),
        actor: caller.name().to_owned(),
    };
    let run = runner(&state)?.run(ask).await;
    let run = run.map_err(|error| match Problem::from(error) {
        problem if is_list => problem.in_list("/features", ""),
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
    let runs = runner(&state)?.runs(&job, page.limit).await?;
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
