//! How an account stands for every feature.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use quota_core::ids::TokenId;
use quota_core::rules::standing::{FeatureStanding, Overview};
use serde::Serialize;
use utoipa::ToSchema;

use super::accounts::AccountBody;
use super::credits::{GrantBody, grant_bodies};
use super::subscription::catalog_for;
use crate::ApiState;
use crate::caller::Reads;
use crate::decision::BalanceBody;
use crate::params::Account;
use crate::problem::Problem;

/// How an account stands for one feature.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FeatureBody {
    /// Its code.
    #[schema(value_type = String)]
    feature: String,
    /// A name for people.
    name: String,
    /// The unit that people see.
    unit: String,
    /// Stored units in one shown unit; amounts and balances are in stored units.
    scale: u64,
    /// The account itself.
    own: BalanceBody,
    /// Its org, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    org: Option<BalanceBody>,
    /// Units used over all windows.
    lifetime: u64,
}

/// How a token stands.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TokenStanding {
    /// Its id.
    #[schema(value_type = String)]
    id: TokenId,
    /// How it stands.
    balance: BalanceBody,
}

/// How an account stands for every feature.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OverviewBody {
    /// The account.
    account: AccountBody,
    /// When it was put together.
    at: DateTime<Utc>,
    /// Grows with every change of the account or of its org.
    version: u64,
    /// Whether its subscription is in force.
    in_force: bool,
    /// Every feature of the catalog.
    features: Vec<FeatureBody>,
    /// Its tokens.
    tokens: Vec<TokenStanding>,
    /// Its credit grants with something left.
    grants: Vec<GrantBody>,
}

/// Shows how an account stands for every feature.
#[utoipa::path(get, path = "/{id}/overview", tag = "accounts",
    params(("id" = String, Path, description = "The account's id")),
    responses((status = 200, body = OverviewBody)))]
pub(crate) async fn overview(
    State(state): State<ApiState>,
    _caller: Reads,
    Account(account): Account,
) -> Result<Json<OverviewBody>, Problem> {
    let overview = state.engine().overview(&account).await?;
    let catalog = catalog_for(&state, overview.terms.subscription.as_ref()).await?;
    let account = AccountBody::of(&state, &account, &overview.terms, &catalog);
    Ok(Json(body(account, &overview)))
}

fn body(account: AccountBody, overview: &Overview) -> OverviewBody {
    let tokens = overview.tokens.iter().map(|(id, balance)| TokenStanding {
        id: id.clone(),
        balance: balance.into(),
    });
    OverviewBody {
        account,
        at: overview.at,
        version: overview.version,
        in_force: overview.is_in_force,
        features: overview.features.iter().map(feature_body).collect(),
        tokens: tokens.collect(),
        grants: grant_bodies(&overview.grants, overview.at),
    }
}

fn feature_body(standing: &FeatureStanding) -> FeatureBody {
    FeatureBody {
        feature: standing.feature.code.to_string(),
        name: standing.feature.name.clone(),
        unit: standing.feature.unit.clone(),
        scale: standing.feature.scale,
        own: (&standing.own).into(),
        org: standing.org.as_ref().map(Into::into),
        lifetime: standing.lifetime,
    }
}
