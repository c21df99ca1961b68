//! How an account stands for every feature.

use api_types::{
    AccountBody, EachMemberBody, FeatureBody, OverviewBody, SpendingBody, TokenStanding,
};
use axum::Json;
use axum::extract::State;
use quota_core::rules::member_limit::MemberLimits;
use quota_core::rules::scope_balances::{FeatureStanding, Overview};
use quota_core::rules::spending::Spending;
use quota_core::terms::SpendCap;

use super::accounts::account_body;
use super::boosts::boost_bodies;
use super::credits::grant_bodies;
use super::held_subscription::catalog_for;
use super::spending::sold_period_body;
use crate::ApiState;
use crate::caller::Reads;
use crate::decision::balance_body;
use crate::params::Account;
use crate::problem::Problem;

/// Shows an account with all its balances.
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
    let account = account_body(&state, &account, &overview.terms, &catalog);
    Ok(Json(body(account, &overview)))
}

fn body(account: AccountBody, overview: &Overview) -> OverviewBody {
    let tokens = overview.tokens.iter().map(|(id, balance)| TokenStanding {
        id: id.clone(),
        balance: balance_body(balance),
    });
    OverviewBody {
        account,
        at: overview.at,
        version: overview.version,
        in_force: overview.is_in_force,
        features: overview.features.iter().map(feature_body).collect(),
        flags: overview.had.flags.clone(),
        settings: overview.had.settings.clone(),
        tokens: tokens.collect(),
        grants: grant_bodies(&overview.grants, overview.at),
        boosts: boost_bodies(&overview.boosts, overview.at),
        spending: overview
            .spending
            .as_ref()
            .map(|spending| spending_body(spending, overview.terms.spend_cap)),
    }
}

pub(super) fn spending_body(spending: &Spending, own: SpendCap) -> SpendingBody {
    SpendingBody {
        owed: spending.owed,
        cap: spending.cap,
        currency: spending.currency.clone(),
        period_ends_at: spending.period_ends_at,
        operator_cap: own.operator,
        owner_cap: own.owner,
        earlier: spending
            .earlier
            .iter()
            .cloned()
            .map(sold_period_body)
            .collect(),
    }
}

fn feature_body(standing: &FeatureStanding) -> FeatureBody {
    FeatureBody {
        feature: standing.feature.code.clone(),
        name: standing.feature.name.clone(),
        unit: standing.feature.unit.clone(),
        scale: standing.feature.scale,
        own: balance_body(&standing.own),
        org: standing.org.as_ref().map(balance_body),
        each_member: standing.each_member.and_then(each_member_body),
        lifetime: standing.lifetime,
    }
}

fn each_member_body(limits: MemberLimits) -> Option<EachMemberBody> {
    Some(EachMemberBody {
        limit: limits.limit()?,
        plan_value: limits.plan_value,
        all_value: limits.of_all,
    })
}
