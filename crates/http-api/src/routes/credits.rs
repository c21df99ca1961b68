//! Prepaid credits: grants by hand, and what is left.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, Utc};
use quota_core::amount::{Amount, Limit};
use quota_core::balance::{Balance, Bucket};
use quota_core::command::Command;
use quota_core::ids::GrantId;
use quota_core::rules::funding::credits_left;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ApiState;
use crate::body::JsonBody;
use crate::caller::{Reads, Writes};
use crate::label::{Label, Note};
use crate::params::Account;
use crate::problem::Problem;
use crate::submit::{ChangeBody, change};

/// One grant of credits.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct GrantBody {
    /// Its id, unique within the account.
    #[schema(value_type = String)]
    id: GrantId,
    /// Credits that it began with.
    granted: u64,
    /// Credits that are spent.
    used: u64,
    /// Credits that are reserved.
    held: u64,
    /// Credits that are left.
    remaining: u64,
    /// The lower number burns first.
    priority: u32,
    /// Since when it counts.
    starts_at: DateTime<Utc>,
    /// When what is left is lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<DateTime<Utc>>,
}

/// The grants among balances.
pub(crate) fn grant_bodies(balances: &[Balance], now: DateTime<Utc>) -> Vec<GrantBody> {
    let grant = |balance: &Balance| {
        let Bucket::Grant(id) = &balance.bucket else {
            return None;
        };
        Some(GrantBody {
            id: id.clone(),
            granted: balance.granted.ceiling().unwrap_or_default(),
            used: balance.used,
            held: balance.held,
            remaining: balance.remaining(now),
            priority: balance.priority,
            starts_at: balance.starts_at,
            expires_at: balance.ends_at,
        })
    };
    balances.iter().filter_map(grant).collect()
}

/// An account's wallet.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CreditsBody {
    /// Credits that are left in all grants.
    balance: u64,
    /// The grants with something left.
    grants: Vec<GrantBody>,
}

/// Shows an account's credits.
#[utoipa::path(get, path = "/{id}/credits", tag = "money",
    params(("id" = String, Path, description = "The account's id")),
    responses((status = 200, body = CreditsBody)))]
pub(crate) async fn credits(
    State(state): State<ApiState>,
    _caller: Reads,
    Account(account): Account,
) -> Result<Json<CreditsBody>, Problem> {
    let overview = state.engine().overview(&account).await?;
    debug_assert!(
        overview
            .grants
            .iter()
            .all(|grant| grant.granted != Limit::Unlimited),
        "a grant is a number of credits"
    );
    Ok(Json(CreditsBody {
        balance: credits_left(&overview.grants, overview.at),
        grants: grant_bodies(&overview.grants, overview.at),
    }))
}

/// A new grant.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewGrantBody {
    /// Its id, unique within the account for ever.
    #[schema(value_type = String, example = "pack-1")]
    id: GrantId,
    /// How many credits: 1 to 10^15.
    #[schema(value_type = u64, minimum = 1, example = 50)]
    amount: Amount,
    /// The lower number burns first; 0 by default.
    #[serde(default)]
    priority: u32,
    /// When what is left is lost.
    #[serde(default, deserialize_with = "crate::instant::deserialize_option")]
    expires_at: Option<DateTime<Utc>>,
    /// Why.
    reason: Option<Label>,
}

/// Grants credits.
#[utoipa::path(post, path = "/{id}/credits", tag = "money", request_body = NewGrantBody,
    params(("id" = String, Path, description = "The account's id")),
    responses((status = 201, description = "Granted", body = ChangeBody), (status = 409, description = "There is a grant with this id, or no room for another", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn grant_credits(
    State(state): State<ApiState>,
    Writes(caller): Writes,
    Account(account): Account,
    JsonBody(body): JsonBody<NewGrantBody>,
) -> Result<Response, Problem> {
    let command = Command::GrantCredits {
        grant: body.id,
        credits: body.amount,
        priority: body.priority,
        expires_at: body.expires_at,
    };
    change(&state, &caller, account, command, Note::reason(body.reason))
        .await
        .map_err(|problem| problem.at_instead("/grant", "/id"))
}
