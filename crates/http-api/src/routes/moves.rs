//! A user joins an org, leaves it, or goes over to another.

use std::time::Instant;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use quota_core::answer::Rejection;
use quota_core::ids::{AccountId, OrgId};
use quota_service::EngineError;
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

use crate::ApiState;
use crate::body::JsonBody;
use crate::caller::Writes;
use crate::label::{Label, Note};
use crate::meters::Verb;
use crate::params::Account;
use crate::problem::{FieldError, Problem};
use crate::submit::{ChangeBody, changed};

/// What a body that changes a user says of its org.
#[derive(Debug, Default)]
pub(crate) enum OrgSaid {
    /// The field is absent.
    #[default]
    Nothing,
    /// It is `null`.
    Outside,
    /// It names one.
    In(OrgId),
}

impl<'de> Deserialize<'de> for OrgSaid {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let said = Option::deserialize(from)?;
        Ok(said.map_or(Self::Outside, Self::In))
    }
}

impl OrgSaid {
    /// The org that it names.
    pub(crate) fn org(self) -> Option<OrgId> {
        match self {
            Self::In(org) => Some(org),
            Self::Nothing | Self::Outside => None,
        }
    }

    /// `null` takes no member out of its org here, and must not look as if it did.
    pub(crate) async fn check(&self, state: &ApiState, user: &AccountId) -> Result<(), Problem> {
        if !matches!(self, Self::Outside) {
            return Ok(());
        }
        match state.engine().account(user).await {
            Ok(row) if row.account.terms.org.is_some() => Err(not_here()),
            Ok(_) | Err(EngineError::Rejected(Rejection::UnknownAccount)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

fn not_here() -> Problem {
    let detail = "the user stays in its org here; `PUT /v1/users/{id}/org` moves it";
    let mut problem = Problem::new(StatusCode::CONFLICT, Rejection::OtherOrg.code(), detail);
    problem.errors.push(FieldError::at("/org", detail));
    problem
}

/// Where a user goes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"org": "acme", "reason": "joined the team"}))]
pub(crate) struct MoveBody {
    /// The org that it joins; `null` when it leaves its org. Not left out: an empty body must not move anybody.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(value_type = Option<String>, required)]
    org: Option<OrgId>,
    /// Why.
    reason: Option<Label>,
}

/// Moves a user into an org or out of it, with its balances, tokens and subscription. What its org was charged stays
/// with that org; what was consumed before can no longer be refunded.
#[utoipa::path(put, path = "/v1/users/{id}/org", tag = "accounts", request_body = MoveBody,
    params(("id" = String, Path, description = "The user's id")),
    responses((status = 200, description = "Moved, or there already", body = ChangeBody),
        (status = 409, description = "It has open reservations", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "There is no such org", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn move_user(
    State(state): State<ApiState>,
    Writes(caller): Writes,
    Account(user): Account,
    JsonBody(body): JsonBody<MoveBody>,
) -> Result<Response, Problem> {
    let origin = caller.origin(Note::reason(body.reason));
    let (org, key) = (body.org.as_ref(), caller.idempotency_key);
    let began = Instant::now();
    let moved = state.engine().move_user(&user, org, key, origin).await;
    state.meters().decided(Verb::Change, began.elapsed());
    Ok(changed(&moved?))
}
