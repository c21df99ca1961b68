//! What an org lets each of its members use.

use api_types::{ChangeBody, MemberLimitBody, OneMemberLimitBody, ReasonBody, SetMemberLimitBody};
use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::response::Response;
use quota_core::answer::Rejection;
use quota_core::catalog::Catalog;
use quota_core::command::{ClearMemberLimit, Command, SetMemberLimit};
use quota_core::ids::{AccountId, AccountKind, OrgId};
use quota_core::rules::context::Context;
use quota_core::rules::member_limit::{MemberLimits, member_balance};

use super::accounts::override_view;
use crate::ApiState;
use crate::body::{JsonBody, OptionalBody};
use crate::caller::{Reads, Writes};
use crate::decision::member_body;
use crate::note::Note;
use crate::params::{Account, OfFeature, account_of, part};
use crate::problem::Problem;
use crate::submit::change;

/// The member that the path names by `{user}`.
pub(crate) struct OfMember(AccountId);

impl FromRequestParts<ApiState> for OfMember {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &ApiState) -> Result<Self, Problem> {
        part(parts, "user", |text| {
            account_of(AccountKind::User, text).map_err(|error| error.why)
        })
        .await
        .map(Self)
    }
}

/// Shows what each member of an org may use of a feature.
#[utoipa::path(get, path = "/v1/orgs/{id}/member-limits/{feature}", tag = "accounts",
    params(("id" = String, Path, description = "The org's id"), ("feature" = String, Path, description = "The feature's code")),
    responses((status = 200, body = MemberLimitBody), (status = 404, description = "There is no such org or feature", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn member_limit(
    State(state): State<ApiState>,
    _caller: Reads,
    Account(org): Account,
    OfFeature(code): OfFeature,
) -> Result<Json<MemberLimitBody>, Problem> {
    let row = state.engine().account(&org).await?;
    let catalog = state.engine().catalog().await?;
    let context = context(&state, &catalog);
    let terms = &row.account.terms;
    let feature = context.drawn(&code).map_err(refused)?;
    let own = context.allowance(&row.account, feature);
    let limits = MemberLimits::of(terms, &own, feature, context.now);
    Ok(Json(MemberLimitBody {
        limit: limits.limit(),
        plan_value: limits.plan_value,
        set: terms.member_limits.get(&code).map(override_view),
        in_force: own.in_force(),
        resets_at: own.resets_at(quota_core::draw::Scope::Org),
        feature: code,
    }))
}

/// Sets what each member of an org may use of a feature, in the windows in which the org's own use is counted.
///
/// It takes the place of what the plan says, and binds from the next request on.
#[utoipa::path(put, path = "/v1/orgs/{id}/member-limits/{feature}", tag = "accounts", request_body = SetMemberLimitBody,
    params(("id" = String, Path, description = "The org's id"), ("feature" = String, Path, description = "The feature's code")),
    responses((status = 200, description = "Set", body = ChangeBody), (status = 404, description = "There is no such org or feature", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn set_member_limit(
    State(state): State<ApiState>,
    Writes(caller): Writes,
    Account(org): Account,
    OfFeature(feature): OfFeature,
    JsonBody(body): JsonBody<SetMemberLimitBody>,
) -> Result<Response, Problem> {
    let command = Command::SetMemberLimit(SetMemberLimit {
        feature,
        limit: body.limit,
        expires_at: body.expires_at,
        member_of: None,
    });
    change(&state, &caller, org, command, Note::reason(body.reason))
        .await
        .map_err(|problem| problem.in_path("/feature", "feature"))
}

/// Removes what was set for each member of an org: what the plan says is back.
#[utoipa::path(delete, path = "/v1/orgs/{id}/member-limits/{feature}", tag = "accounts", request_body = Option<ReasonBody>,
    params(("id" = String, Path, description = "The org's id"), ("feature" = String, Path, description = "The feature's code")),
    responses((status = 200, description = "Cleared", body = ChangeBody)))]
pub(crate) async fn clear_member_limit(
    State(state): State<ApiState>,
    Writes(caller): Writes,
    Account(org): Account,
    OfFeature(feature): OfFeature,
    OptionalBody(body): OptionalBody<ReasonBody>,
) -> Result<Response, Problem> {
    let member_of = None;
    let command = Command::ClearMemberLimit(ClearMemberLimit { feature, member_of });
    change(&state, &caller, org, command, Note::reason(body.reason))
        .await
        .map_err(|problem| problem.in_path("/feature", "feature"))
}

/// Shows what one member of an org may use of a feature, and what of that it has used.
#[utoipa::path(get, path = "/v1/orgs/{id}/members/{user}/limits/{feature}", tag = "accounts",
    params(("id" = String, Path, description = "The org's id"), ("user" = String, Path, description = "The member's id"), ("feature" = String, Path, description = "The feature's code")),
    responses((status = 200, body = OneMemberLimitBody), (status = 404, description = "There is no such org, member or feature", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn one_member_limit(
    State(state): State<ApiState>,
    _caller: Reads,
    Account(org): Account,
    OfMember(user): OfMember,
    OfFeature(code): OfFeature,
) -> Result<Json<OneMemberLimitBody>, Problem> {
    let of_org = state.engine().account(&org).await?.account;
    let user = state.engine().account(&user).await?.account;
    if user.terms.org.as_ref() != Some(&org_id(&org)?) {
        return Err(refused(Rejection::UnknownMember));
    }
    let catalog = state.engine().catalog().await?;
    let context = context(&state, &catalog);
    let feature = context.drawn(&code).map_err(refused)?;
    let own = context.allowance(&of_org, feature);
    let balance = member_balance(context.now, (&user, &of_org), feature, &own);
    Ok(Json(OneMemberLimitBody {
        balance: balance.as_deref().map(member_body),
        set: user.terms.member_limits.get(&code).map(override_view),
        feature: code,
    }))
}

/// Sets what one member of an org may use of a feature, in place of what counts for all.
#[utoipa::path(put, path = "/v1/orgs/{id}/members/{user}/limits/{feature}", tag = "accounts", request_body = SetMemberLimitBody,
    params(("id" = String, Path, description = "The org's id"), ("user" = String, Path, description = "The member's id"), ("feature" = String, Path, description = "The feature's code")),
    responses((status = 200, description = "Set", body = ChangeBody), (status = 404, description = "There is no such member or feature", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn set_one_member_limit(
    State(state): State<ApiState>,
    Writes(caller): Writes,
    Account(org): Account,
    OfMember(user): OfMember,
    OfFeature(feature): OfFeature,
    JsonBody(body): JsonBody<SetMemberLimitBody>,
) -> Result<Response, Problem> {
    let command = Command::SetMemberLimit(SetMemberLimit {
        feature,
        limit: body.limit,
        expires_at: body.expires_at,
        member_of: Some(org_id(&org)?),
    });
    change(&state, &caller, user, command, Note::reason(body.reason))
        .await
        .map_err(|problem| problem.in_path("/feature", "feature"))
}

/// Removes what was set for one member of an org: what counts for all is back.
#[utoipa::path(delete, path = "/v1/orgs/{id}/members/{user}/limits/{feature}", tag = "accounts", request_body = Option<ReasonBody>,
    params(("id" = String, Path, description = "The org's id"), ("user" = String, Path, description = "The member's id"), ("feature" = String, Path, description = "The feature's code")),
    responses((status = 200, description = "Cleared", body = ChangeBody), (status = 404, description = "There is no such member", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn clear_one_member_limit(
    State(state): State<ApiState>,
    Writes(caller): Writes,
    Account(org): Account,
    OfMember(user): OfMember,
    OfFeature(feature): OfFeature,
    OptionalBody(body): OptionalBody<ReasonBody>,
) -> Result<Response, Problem> {
    let member_of = Some(org_id(&org)?);
    let command = Command::ClearMemberLimit(ClearMemberLimit { feature, member_of });
    change(&state, &caller, user, command, Note::reason(body.reason))
        .await
        .map_err(|problem| problem.in_path("/feature", "feature"))
}

fn org_id(org: &AccountId) -> Result<OrgId, Problem> {
    OrgId::new(org.id()).map_err(|_| Problem::internal())
}

fn refused(rejection: Rejection) -> Problem {
    Problem::from(rejection).in_path("/feature", "feature")
}

fn context<'a>(state: &ApiState, catalog: &'a Catalog) -> Context<'a> {
    Context {
        now: state.engine().now(),
        catalog,
        grace: state.engine().settings().grace,
    }
}
