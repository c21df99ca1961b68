//! Users and orgs: list, create, read, change.

use std::collections::BTreeMap;

use api_types::{
    AccountBody, AccountList, ChangeBody, FieldError, NewOrgBody, NewUserBody, OrgBody, OrgField,
    OverrideView, OwnOverrideView, UserBody,
};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use quota_core::answer::Rejection;
use quota_core::catalog::Catalog;
use quota_core::command::{AccountSpec, Command, Presence, PutAccount};
use quota_core::ids::{AccountId, AccountKind, FeatureCode, OrgId};
use quota_core::ports::{AccountPage, AccountRow};
use quota_core::terms::{Override, Terms};
use quota_service::EngineError;

use super::held_subscription::{catalog_for, subscription_body};
use super::moves::stays_in_org;
use crate::ApiState;
use crate::body::JsonBody;
use crate::caller::{Caller, Reads, Writes};
use crate::note::Note;
use crate::params::{Account, Page, PageOfUsers};
use crate::problem::Problem;
use crate::submit::change;

pub(crate) fn account_body(
    state: &ApiState,
    id: &AccountId,
    terms: &Terms,
    catalog: &Catalog,
) -> AccountBody {
    let is_user = id.kind() == AccountKind::User;
    let member_limits = terms.member_limits.iter();
    AccountBody {
        id: id.id().to_owned(),
        kind: id.kind(),
        created_at: terms.created_at,
        time_zone: terms.time_zone.name().to_owned(),
        disabled: terms.disabled,
        unlimited: is_user.then_some(terms.unlimited),
        org: terms.org.clone(),
        policy: (!is_user).then_some(terms.policy),
        subscription: subscription_body(state, terms, catalog),
        overrides: override_views(terms),
        member_limits: member_limits
            .map(|(feature, own)| (feature.clone(), override_view(own)))
            .collect(),
    }
}

/// What an account has by itself: limits, flags and settings.
fn override_views(terms: &Terms) -> BTreeMap<FeatureCode, OwnOverrideView> {
    let limits = terms.overrides.iter().map(|(feature, own)| {
        let view = OwnOverrideView {
            limit: Some(own.limit),
            value: None,
            expires_at: own.expires_at,
            reason: own.reason.clone(),
            actor: own.actor.clone(),
        };
        (feature.clone(), view)
    });
    let given = terms.given.iter().map(|(feature, own)| {
        let view = OwnOverrideView {
            limit: None,
            value: Some(own.value.clone()),
            expires_at: own.expires_at,
            reason: own.reason.clone(),
            actor: own.actor.clone(),
        };
        (feature.clone(), view)
    });
    limits.chain(given).collect()
}

pub(crate) fn override_view(own: &Override) -> OverrideView {
    OverrideView {
        limit: own.limit,
        expires_at: own.expires_at,
        reason: own.reason.clone(),
        actor: own.actor.clone(),
    }
}

/// Lists users, by id.
#[utoipa::path(get, path = "/v1/users", tag = "accounts", operation_id = "user_list",
    params(("after" = Option<String>, Query, description = "The `next` of the previous page"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000, description = "1 to 1,000; 100 by default"),
        ("org" = Option<String>, Query, description = "Only members of this org")),
    responses((status = 200, body = AccountList), (status = 404, description = "There is no such org", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn list_users(
    State(state): State<ApiState>,
    _caller: Reads,
    PageOfUsers { page, org }: PageOfUsers,
) -> Result<Json<AccountList>, Problem> {
    if let Some(org) = &org {
        must_be_there(&state, org).await?;
    }
    list(&state, AccountKind::User, &page, org).await
}

/// Lists orgs, by id.
#[utoipa::path(get, path = "/v1/orgs", tag = "accounts", operation_id = "org_list",
    params(("after" = Option<String>, Query, description = "The `next` of the previous page"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000, description = "1 to 1,000; 100 by default")),
    responses((status = 200, body = AccountList)))]
pub(crate) async fn list_orgs(
    State(state): State<ApiState>,
    _caller: Reads,
    page: Page,
) -> Result<Json<AccountList>, Problem> {
    list(&state, AccountKind::Org, &page, None).await
}

/// Refuses the id of an org that there is none of: the list of its members would be empty like that of a new one.
async fn must_be_there(state: &ApiState, org: &OrgId) -> Result<(), Problem> {
    match state.engine().account(&AccountId::org(org)).await {
        Ok(_) => Ok(()),
        Err(EngineError::Rejected(Rejection::UnknownAccount)) => {
            let (status, code) = (StatusCode::NOT_FOUND, Rejection::UnknownOrg.code());
            let detail = format!("the org `{org}` does not exist");
            let problem = Problem::new(status, code, detail.clone());
            Err(problem.about(FieldError::parameter("org", detail)))
        }
        Err(other) => Err(other.into()),
    }
}

async fn list(
    state: &ApiState,
    kind: AccountKind,
    page: &Page,
    org: Option<OrgId>,
) -> Result<Json<AccountList>, Problem> {
    let wanted = AccountPage {
        kind: Some(kind),
        org,
        due_before: None,
        after: page.after_account(kind)?,
        limit: page.limit,
    };
    let rows = state.engine().accounts(&wanted).await?;
    let catalog = state.engine().catalog().await?;
    Ok(Json(AccountList {
        next: next_of(&rows, page.limit),
        items: rows
            .iter()
            .map(|row| account_body(state, &row.id, &row.account.terms, &catalog))
            .collect(),
    }))
}

/// The cursor of the page that follows, if this one is full.
pub(crate) fn next_of(rows: &[AccountRow], limit: u32) -> Option<String> {
    let is_full = u32::try_from(rows.len()).is_ok_and(|rows| rows >= limit);
    let last = rows.last().filter(|_| is_full)?;
    Some(last.id.id().to_owned())
}

/// Reads an account.
#[utoipa::path(get, path = "/{id}", tag = "accounts",
    params(("id" = String, Path, description = "The account's id")),
    responses((status = 200, body = AccountBody)))]
pub(crate) async fn get(
    State(state): State<ApiState>,
    _caller: Reads,
    Account(account): Account,
) -> Result<Json<AccountBody>, Problem> {
    let row = state.engine().account(&account).await?;
    let terms = &row.account.terms;
    let catalog = catalog_for(&state, terms.subscription.as_ref()).await?;
    Ok(Json(account_body(&state, &row.id, terms, &catalog)))
}

fn user_parts(body: UserBody) -> (AccountSpec, Note) {
    let spec = AccountSpec {
        org: body.org.org(),
        time_zone: body.time_zone.map(|zone| zone.0),
        disabled: body.disabled,
        unlimited: body.unlimited,
        policy: None,
    };
    (spec, Note::reason(body.reason))
}

fn org_parts(body: OrgBody) -> (AccountSpec, Note) {
    let spec = AccountSpec {
        org: None,
        time_zone: body.time_zone.map(|zone| zone.0),
        disabled: body.disabled,
        unlimited: None,
        policy: body.policy,
    };
    (spec, Note::reason(body.reason))
}

/// Creates a user.
#[utoipa::path(post, path = "/v1/users", tag = "accounts", request_body = NewUserBody,
    responses((status = 201, description = "Created", body = ChangeBody), (status = 409, description = "The account already exists, or its org has all the members that it may have", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn create_user(
    State(state): State<ApiState>,
    Writes(caller): Writes,
    JsonBody(body): JsonBody<NewUserBody>,
) -> Result<Response, Problem> {
    let account = AccountId::user(&body.id);
    let terms = UserBody {
        org: body.org.map_or(OrgField::Absent, OrgField::Id),
        time_zone: body.time_zone,
        disabled: body.disabled,
        unlimited: body.unlimited,
        reason: body.reason,
    };
    put(&state, &caller, (account, Presence::New), user_parts(terms)).await
}

/// Creates a user, or changes it.
#[utoipa::path(put, path = "/v1/users/{id}", tag = "accounts", request_body = UserBody,
    params(("id" = String, Path, description = "The user's id")),
    responses((status = 200, description = "Changed", body = ChangeBody), (status = 201, description = "Created", body = ChangeBody), (status = 409, description = "The user is in another org (`PUT /v1/users/{id}/org` moves it), or its org has all the members that it may have", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn put_user(
    State(state): State<ApiState>,
    Writes(caller): Writes,
    Account(account): Account,
    JsonBody(body): JsonBody<UserBody>,
) -> Result<Response, Problem> {
    stays_in_org(&state, &account, &body.org).await?;
    put(&state, &caller, (account, Presence::Any), user_parts(body)).await
}

/// Changes a user.
#[utoipa::path(patch, path = "/v1/users/{id}", tag = "accounts", request_body = UserBody,
    params(("id" = String, Path, description = "The user's id")),
    responses((status = 200, description = "Changed", body = ChangeBody), (status = 409, description = "The user is in another org; `PUT /v1/users/{id}/org` moves it", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn patch_user(
    State(state): State<ApiState>,
    Writes(caller): Writes,
    Account(account): Account,
    JsonBody(body): JsonBody<UserBody>,
) -> Result<Response, Problem> {
    stays_in_org(&state, &account, &body.org).await?;
    put(
        &state,
        &caller,
        (account, Presence::Existing),
        user_parts(body),
    )
    .await
}

/// Creates an org.
#[utoipa::path(post, path = "/v1/orgs", tag = "accounts", request_body = NewOrgBody,
    responses((status = 201, description = "Created", body = ChangeBody), (status = 409, description = "The account already exists", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn create_org(
    State(state): State<ApiState>,
    Writes(caller): Writes,
    JsonBody(body): JsonBody<NewOrgBody>,
) -> Result<Response, Problem> {
    let account = AccountId::org(&body.id);
    let terms = OrgBody {
        time_zone: body.time_zone,
        disabled: body.disabled,
        policy: body.policy,
        reason: body.reason,
    };
    put(&state, &caller, (account, Presence::New), org_parts(terms)).await
}

/// Creates an org, or changes it.
#[utoipa::path(put, path = "/v1/orgs/{id}", tag = "accounts", request_body = OrgBody,
    params(("id" = String, Path, description = "The org's id")),
    responses((status = 200, description = "Changed", body = ChangeBody), (status = 201, description = "Created", body = ChangeBody)))]
pub(crate) async fn put_org(
    State(state): State<ApiState>,
    Writes(caller): Writes,
    Account(account): Account,
    JsonBody(body): JsonBody<OrgBody>,
) -> Result<Response, Problem> {
    put(&state, &caller, (account, Presence::Any), org_parts(body)).await
}

/// Changes an org.
#[utoipa::path(patch, path = "/v1/orgs/{id}", tag = "accounts", request_body = OrgBody,
    params(("id" = String, Path, description = "The org's id")),
    responses((status = 200, description = "Changed", body = ChangeBody)))]
pub(crate) async fn patch_org(
    State(state): State<ApiState>,
    Writes(caller): Writes,
    Account(account): Account,
    JsonBody(body): JsonBody<OrgBody>,
) -> Result<Response, Problem> {
    put(
        &state,
        &caller,
        (account, Presence::Existing),
        org_parts(body),
    )
    .await
}

async fn put(
    state: &ApiState,
    caller: &Caller,
    (account, presence): (AccountId, Presence),
    (spec, note): (AccountSpec, Note),
) -> Result<Response, Problem> {
    let command = Command::PutAccount(PutAccount { presence, spec });
    change(state, caller, account, command, note).await
}
