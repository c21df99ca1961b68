//! `/v1/reservations`: hold, then settle, give back or move the deadline; and how a hold ended.

use api_types::{
    CommitBody, DecisionBody, ExtendBody, FieldError, Named, ReleaseBody, ReservationBody,
    ReserveBody, public_id,
};
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use quota_core::amount::AMOUNT_MAX;
use quota_core::command::{Command, Commit, Consume, Extend, Release, Reserve};
use quota_core::ids::AccountId;
use quota_core::item::Item;

use crate::ApiState;
use crate::body::{JsonBody, OptionalBody};
use crate::caller::{Reads, Writes};
use crate::decision::{decision_body, draw_of, respond};
use crate::meters::Verb;
use crate::note::Note;
use crate::offers::add_offers;
use crate::params::OfReservation;
use crate::problem::Problem;
use crate::submit::submit;

/// Reserves an amount: decided like a consume, but held instead of spent.
#[utoipa::path(post, path = "/v1/reservations", tag = "decide", request_body = ReserveBody,
    responses((status = 200, description = "Held until `expires_at`", body = DecisionBody),
        (status = 403, description = "Denied; waiting does not help", body = DecisionBody, content_type = "application/problem+json"),
        (status = 404, description = "Denied: unknown user or feature", body = DecisionBody, content_type = "application/problem+json"),
        (status = 409, description = "A counter would exceed its maximum", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Denied: a limit, cap or wallet is exhausted", body = DecisionBody, content_type = "application/problem+json")))]
pub(crate) async fn reserve(
    State(state): State<ApiState>,
    Writes(caller): Writes,
    JsonBody(body): JsonBody<ReserveBody>,
) -> Result<Response, Problem> {
    let requested = body.amount.get();
    let account = AccountId::user(&body.user);
    let offers_for = body.offers.then(|| Consume {
        token: body.token.clone(),
        items: vec![Item {
            feature: body.feature.clone(),
            amount: body.amount,
        }],
    });
    let command = Command::Reserve(Reserve {
        token: body.token,
        feature: body.feature,
        amount: body.amount,
        ttl_seconds: body.ttl_seconds,
    });
    let note = Note {
        resource_type: body.resource_type,
        resource_id: body.resource_id,
        reason: body.reason,
    };
    let about = account.clone();
    let reply = submit(&state, &caller, Verb::Reserve, account, command, note).await?;
    let mut answer = decision_body(&reply, Some(requested));
    if let Some(asked) = &offers_for {
        // A reservation is decided like a consume.
        Box::pin(add_offers(&state, &mut answer, (&about, asked))).await;
    }
    Ok(respond(&answer, state.engine().now()))
}

/// Commits a reservation with what was used. Never denied for lack of quota, and possible after the deadline (`late`).
#[utoipa::path(post, path = "/v1/reservations/{id}/commit", tag = "decide", request_body = CommitBody,
    params(("id" = String, Path, description = "The reservation: `res.<account>.<uuid>`")),
    responses((status = 200, description = "Settled", body = DecisionBody), (status = 404, description = "There is no such reservation", body = Problem, content_type = "application/problem+json"), (status = 409, description = "The reservation has already ended in another way", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn commit(
    State(state): State<ApiState>,
    Writes(caller): Writes,
    OfReservation(account, reservation): OfReservation,
    JsonBody(body): JsonBody<CommitBody>,
) -> Result<Response, Problem> {
    let actual = body.actual;
    if actual > AMOUNT_MAX {
        let why = format!("must be a whole number from 0 to {AMOUNT_MAX}");
        return Err(Problem::invalid_body(FieldError::at("/actual", why)));
    }
    let command = Command::Commit(Commit {
        reservation,
        actual,
    });
    let note = Note {
        resource_type: body.resource_type,
        resource_id: body.resource_id,
        reason: body.reason,
    };
    let reply = submit(&state, &caller, Verb::Settle, account, command, note)
        .await
        .map_err(|problem| problem.at_instead("/amount", "/actual"))?;
    Ok(respond(&decision_body(&reply, None), state.engine().now()))
}

/// Releases a reservation: all of it is given back.
#[utoipa::path(post, path = "/v1/reservations/{id}/release", tag = "decide", request_body = Option<ReleaseBody>,
    params(("id" = String, Path, description = "The reservation")),
    responses((status = 200, description = "Given back", body = DecisionBody), (status = 404, description = "There is no such reservation", body = Problem, content_type = "application/problem+json"), (status = 409, description = "The reservation has already ended in another way", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn release(
    State(state): State<ApiState>,
    Writes(caller): Writes,
    OfReservation(account, reservation): OfReservation,
    OptionalBody(body): OptionalBody<ReleaseBody>,
) -> Result<Response, Problem> {
    let command = Command::Release(Release { reservation });
    let note = Note::reason(body.reason);
    let reply = submit(&state, &caller, Verb::Settle, account, command, note).await?;
    Ok(respond(&decision_body(&reply, None), state.engine().now()))
}

/// Moves a reservation's deadline.
#[utoipa::path(post, path = "/v1/reservations/{id}/extend", tag = "decide", request_body = ExtendBody,
    params(("id" = String, Path, description = "The reservation")),
    responses((status = 200, description = "Moved", body = DecisionBody), (status = 404, description = "There is no such reservation", body = Problem, content_type = "application/problem+json"), (status = 409, description = "The reservation has already ended in another way", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn extend(
    State(state): State<ApiState>,
    Writes(caller): Writes,
    OfReservation(account, reservation): OfReservation,
    JsonBody(body): JsonBody<ExtendBody>,
) -> Result<Response, Problem> {
    let command = Command::Extend(Extend {
        reservation,
        ttl_seconds: body.ttl_seconds,
    });
    let note = Note::reason(body.reason);
    let reply = submit(&state, &caller, Verb::Settle, account, command, note).await?;
    Ok(respond(&decision_body(&reply, None), state.engine().now()))
}

/// Shows a reservation: its state now, when it ended, and how much was used.
#[utoipa::path(get, path = "/v1/reservations/{id}", tag = "decide",
    params(("id" = String, Path, description = "The reservation: `res.<account>.<uuid>`")),
    responses((status = 200, body = ReservationBody), (status = 404, description = "There is no such reservation", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn reservation(
    State(state): State<ApiState>,
    _caller: Reads,
    OfReservation(account, id): OfReservation,
) -> Result<Json<ReservationBody>, Problem> {
    let (held, ending) = state.engine().reservation(&account, id).await?;
    let draws = held.draws.into_iter();
    let draws = draws.filter(|draw| !draw.bucket.is_member());
    let draws = draws.map(|draw| draw_of(&(held.feature.clone(), draw)));
    Ok(Json(ReservationBody {
        id: public_id(Named::Reservation, &account, id),
        draws: draws.collect(),
        account,
        token: held.token,
        feature: held.feature,
        amount: held.amount,
        state: held.state,
        expires_at: held.expires_at,
        ended_at: ending.at,
        used: ending.used,
    }))
}
