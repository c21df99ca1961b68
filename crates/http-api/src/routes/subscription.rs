//! Subscriptions by hand: start, renew, change plan, cancel, resume, set the status.

use api_types::{
    CancelBody, ChangeBody, ChangeOrPreview, ChangePlanBody, FieldError, RenewBody, ResumeBody,
    SeatsBody, StartBody, StatusBody, SubscriptionBody,
};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::{DateTime, Datelike as _, Months, Utc};
use quota_core::answer::Rejection;
use quota_core::command::{
    Cancel, ChangePlan, ChangeWhen, Command, Renew, SetSeats, SetStatus, Subscribe,
};
use quota_core::ids::PlanCode;
use quota_service::billing::SubscriptionAsk;

use super::at_provider::at_provider;
use super::held_subscription::{catalog_for, subscription_body};
use super::preview::previewed;
use crate::ApiState;
use crate::body::{JsonBody, OptionalBody};
use crate::caller::{Reads, Writes};
use crate::note::Note;
use crate::params::Account;
use crate::problem::Problem;
use crate::submit::change;
use api_types::instant::YEAR_MAX;

/// Shows the account's subscription: the running one, or the last.
#[utoipa::path(get, path = "/{id}/subscription", tag = "money",
    params(("id" = String, Path, description = "The account's id")),
    responses((status = 200, body = SubscriptionBody), (status = 404, description = "There is no such account, or it never had a subscription", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn subscription(
    State(state): State<ApiState>,
    _caller: Reads,
    Account(account): Account,
) -> Result<Json<SubscriptionBody>, Problem> {
    let row = state.engine().account(&account).await?;
    let terms = &row.account.terms;
    let catalog = catalog_for(&state, terms.subscription.as_ref()).await?;
    let body = subscription_body(&state, terms, &catalog);
    body.map(Json).ok_or_else(|| {
        let none = Rejection::NoSubscription;
        let (code, detail) = (none.code(), none.to_string());
        Problem::new(StatusCode::NOT_FOUND, code, detail)
    })
}

/// Starts a subscription: now, in place of any other; in the future, after everything that is paid for.
#[utoipa::path(post, path = "/{id}/subscription", tag = "money", request_body = StartBody,
    params(("id" = String, Path, description = "The account's id")),
    responses((status = 200, description = "Started, or queued: `detail` says when it begins and what it replaces; with `dry_run`, what that would come to", body = ChangeOrPreview), (status = 409, description = "24 periods are paid ahead already, or it is one of the payment provider, which goes on with it by itself", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn start(
    State(state): State<ApiState>,
    Writes(caller): Writes,
    Account(account): Account,
    JsonBody(body): JsonBody<StartBody>,
) -> Result<Response, Problem> {
    if let (Some(starts_at), None) = (body.starts_at, body.ends_at) {
        has_an_end(&state, starts_at, &body.plan).await?;
    }
    let command = Command::Subscribe(Subscribe {
        starts_at: body.starts_at,
        ends_at: body.ends_at,
        status: body.status,
        seats: body.seats,
        trial: body.trial,
        ..Subscribe::to(body.plan)
    });
    if body.dry_run {
        return previewed(&state, account, command).await;
    }
    if let Some(answer) = at_provider(&state, (&caller, &account), SubscriptionAsk::Replace).await?
    {
        return Ok(answer);
    }
    change(&state, &caller, account, command, Note::reason(body.reason)).await
}

/// One interval after the start there must still be an instant that can be written.
async fn has_an_end(
    state: &ApiState,
    starts_at: DateTime<Utc>,
    plan: &PlanCode,
) -> Result<(), Problem> {
    if starts_at.year() < YEAR_MAX {
        return Ok(());
    }
    let catalog = state.engine().catalog().await?;
    let interval = catalog.plan(plan, None).map(|plan| plan.interval.months());
    let ends_at = starts_at.checked_add_months(Months::new(interval.unwrap_or_default()));
    if ends_at.is_some_and(|ends_at| ends_at.year() <= YEAR_MAX) {
        return Ok(());
    }
    let why = format!("the period would end after the year {YEAR_MAX}");
    Err(Problem::invalid_body(FieldError::at("/starts_at", why)))
}

/// Adds a period after the last one that is paid for.
#[utoipa::path(post, path = "/{id}/subscription/renew", tag = "money", request_body = Option<RenewBody>,
    params(("id" = String, Path, description = "The account's id")),
    responses((status = 200, description = "Renewed; with `dry_run`, what that would come to", body = ChangeOrPreview), (status = 409, description = "There is no subscription, it is canceled, its period that runs is not paid for, its plan is not in the catalog any more, it renews by itself and is given an end, 24 periods are paid ahead already, or the payment provider renews it", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn renew(
    State(state): State<ApiState>,
    Writes(caller): Writes,
    Account(account): Account,
    OptionalBody(body): OptionalBody<RenewBody>,
) -> Result<Response, Problem> {
    let command = Command::Renew(Renew {
        ends_at: body.ends_at,
    });
    if body.dry_run {
        return previewed(&state, account, command).await;
    }
    if let Some(answer) = at_provider(&state, (&caller, &account), SubscriptionAsk::Renew).await? {
        return Ok(answer);
    }
    change(&state, &caller, account, command, Note::reason(body.reason)).await
}

/// Changes the plan. To the plan that goes on anyway, it takes back a change that waits; without one there is nothing to do.
#[utoipa::path(post, path = "/{id}/subscription/change-plan", tag = "money", request_body = ChangePlanBody,
    params(("id" = String, Path, description = "The account's id")),
    responses((status = 200, description = "Changed, scheduled, or nothing to do; `detail` names what is dropped: time that was paid for, a change that waited, a cancellation. With `dry_run`, what that would come to", body = ChangeOrPreview), (status = 409, description = "There is no subscription in force", body = Problem, content_type = "application/problem+json"), (status = 502, description = "The payment provider that decides on the subscription refuses, or its answer cannot be read: the code says which", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn change_plan(
    State(state): State<ApiState>,
    Writes(caller): Writes,
    Account(account): Account,
    JsonBody(body): JsonBody<ChangePlanBody>,
) -> Result<Response, Problem> {
    let asked = ChangePlan {
        plan: body.plan,
        when: body.when,
        usage: body.usage,
    };
    let command = Command::ChangePlan(asked.clone());
    if body.dry_run {
        return previewed(&state, account, command).await;
    }
    if let Some(answer) = at_provider(
        &state,
        (&caller, &account),
        SubscriptionAsk::ChangePlan(asked),
    )
    .await?
    {
        return Ok(answer);
    }
    change(&state, &caller, account, command, Note::reason(body.reason)).await
}

/// Cancels the subscription.
#[utoipa::path(post, path = "/{id}/subscription/cancel", tag = "money", request_body = Option<CancelBody>,
    params(("id" = String, Path, description = "The account's id")),
    responses((status = 200, description = "Canceled; with `dry_run`, what that would come to", body = ChangeOrPreview), (status = 409, description = "There is no subscription, or it has ended", body = Problem, content_type = "application/problem+json"), (status = 502, description = "The payment provider that decides on the subscription refuses, or its answer cannot be read: the code says which", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn cancel(
    State(state): State<ApiState>,
    Writes(caller): Writes,
    Account(account): Account,
    OptionalBody(body): OptionalBody<CancelBody>,
) -> Result<Response, Problem> {
    let now = body.when == Some(ChangeWhen::Now);
    let command = Command::Cancel(Cancel { at_once: now });
    if body.dry_run {
        return previewed(&state, account, command).await;
    }
    if let Some(answer) =
        at_provider(&state, (&caller, &account), SubscriptionAsk::Cancel { now }).await?
    {
        return Ok(answer);
    }
    change(&state, &caller, account, command, Note::reason(body.reason)).await
}

/// Takes back a cancellation that has not taken effect yet.
#[utoipa::path(post, path = "/{id}/subscription/resume", tag = "money", request_body = Option<ResumeBody>,
    params(("id" = String, Path, description = "The account's id")),
    responses((status = 200, description = "Resumed; with `dry_run`, what that would come to", body = ChangeOrPreview), (status = 409, description = "There is no subscription, it is not canceled, or it has ended", body = Problem, content_type = "application/problem+json"), (status = 502, description = "The payment provider that decides on the subscription refuses, or its answer cannot be read: the code says which", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn resume(
    State(state): State<ApiState>,
    Writes(caller): Writes,
    Account(account): Account,
    OptionalBody(body): OptionalBody<ResumeBody>,
) -> Result<Response, Problem> {
    if body.dry_run {
        return previewed(&state, account, Command::Resume).await;
    }
    if let Some(answer) = at_provider(&state, (&caller, &account), SubscriptionAsk::Resume).await? {
        return Ok(answer);
    }
    let note = Note::reason(body.reason);
    change(&state, &caller, account, Command::Resume, note).await
}

/// Sets the subscription's status.
#[utoipa::path(post, path = "/{id}/subscription/status", tag = "money", request_body = StatusBody,
    params(("id" = String, Path, description = "The account's id")),
    responses((status = 200, description = "Set", body = ChangeBody), (status = 409, description = "There is no subscription, it has ended, or the payment provider says where it stands", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn set_status(
    State(state): State<ApiState>,
    Writes(caller): Writes,
    Account(account): Account,
    JsonBody(body): JsonBody<StatusBody>,
) -> Result<Response, Problem> {
    let command = Command::SetStatus(SetStatus {
        status: body.status,
    });
    if let Some(answer) =
        at_provider(&state, (&caller, &account), SubscriptionAsk::SetStatus).await?
    {
        return Ok(answer);
    }
    change(&state, &caller, account, command, Note::reason(body.reason)).await
}

/// Sets how many seats of the plan the account has, at once: in this period and in those that follow.
#[utoipa::path(put, path = "/{id}/subscription/seats", tag = "money", request_body = SeatsBody,
    params(("id" = String, Path, description = "The account's id")),
    responses((status = 200, description = "Set; where more is used than fewer seats allow, nothing is taken away. With `dry_run`, what that would come to", body = ChangeOrPreview), (status = 409, description = "There is no subscription, or it has ended", body = Problem, content_type = "application/problem+json"), (status = 502, description = "The payment provider that decides on the subscription refuses, or its answer cannot be read: the code says which", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn set_seats(
    State(state): State<ApiState>,
    Writes(caller): Writes,
    Account(account): Account,
    JsonBody(body): JsonBody<SeatsBody>,
) -> Result<Response, Problem> {
    let command = Command::SetSeats(SetSeats { seats: body.seats });
    if body.dry_run {
        return previewed(&state, account, command).await;
    }
    if let Some(answer) = at_provider(
        &state,
        (&caller, &account),
        SubscriptionAsk::Seats(body.seats),
    )
    .await?
    {
        return Ok(answer);
    }
    change(&state, &caller, account, command, Note::reason(body.reason)).await
}
