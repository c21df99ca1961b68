//! Users and orgs: list, create, read, change.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, Utc};
use quota_core::amount::Limit;
use quota_core::catalog::Catalog;
use quota_core::command::{AccountSpec, Command, Presence};
use quota_core::ids::{AccountId, AccountKind, FeatureCode, OrgId, UserId};
use quota_core::ports::{AccountPage, AccountRow};
use quota_core::terms::{Policy, Terms};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::moves::OrgSaid;
use super::subscription::{SubscriptionBody, catalog_for};
use crate::body::JsonBody;
use crate::caller::{Caller, Reads, Writes};
use crate::label::{Label, Note};
use crate::params::{Account, Page, PageOfUsers};
use crate::problem::Problem;
use crate::submit::{ChangeBody, change};
use crate::zone::Zone;
use crate::{ApiState, schema};

/// An account's own limit for one feature.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OverrideView {
    /// The limit in shown units.
    #[schema(value_type = schema::Limit)]
    limit: Limit,
    /// When the plan's value is back.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<DateTime<Utc>>,
    /// Why it was set.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Who set it.
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<String>,
}

/// A user or an org.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AccountBody {
    /// Its id.
    #[schema(example = "alice")]
    id: String,
    /// `user` or `org`.
    kind: &'static str,
    /// When it came to be.
    created_at: DateTime<Utc>,
    /// The zone of its calendar days and months.
    #[schema(example = "Europe/Berlin")]
    time_zone: String,
    /// Whether every request is denied.
    disabled: bool,
    /// Users: whether it is never denied at user scope, yet counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    unlimited: Option<bool>,
    /// Users: the org that pays with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    org: Option<OrgId>,
    /// Orgs: what happens when it is exhausted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Policy>)]
    policy: Option<Policy>,
    /// Its subscription: the running one, or the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    subscription: Option<SubscriptionBody>,
    /// Its own limits by feature.
    #[schema(value_type = BTreeMap<String, OverrideView>)]
    overrides: BTreeMap<FeatureCode, OverrideView>,
}

impl AccountBody {
    pub(crate) fn of(state: &ApiState, id: &AccountId, terms: &Terms, catalog: &Catalog) -> Self {
        let is_user = id.kind() == AccountKind::User;
        let overrides = terms.overrides.iter().map(|(feature, own)| {
            let view = OverrideView {
                limit: own.limit,
                expires_at: own.expires_at,
                reason: own.reason.clone(),
                actor: own.actor.clone(),
            };
            (feature.clone(), view)
        });
        let subscription = terms.subscription.as_ref();
        Self {
            id: id.id().to_owned(),
            kind: if is_user { "user" } else { "org" },
            created_at: terms.created_at,
            time_zone: terms.time_zone.name().to_owned(),
            disabled: terms.disabled,
            unlimited: is_user.then_some(terms.unlimited),
            org: terms.org.clone(),
            policy: (!is_user).then_some(terms.policy),
            subscription: subscription.map(|held| SubscriptionBody::of(state, held, catalog)),
            overrides: overrides.collect(),
        }
    }
}

/// A page of accounts.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AccountList {
    /// The accounts, by id.
    items: Vec<AccountBody>,
    /// Pass it as `after` for the page that follows; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Lists users, by id.
#[utoipa::path(get, path = "/v1/users", tag = "accounts", operation_id = "user_list",
    params(("after" = Option<String>, Query, description = "The `next` of the page before"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000, description = "1 to 1,000; 100 by default"),
        ("org" = Option<String>, Query, description = "Only members of this org")),
    responses((status = 200, body = AccountList)))]
pub(crate) async fn list_users(
    State(state): State<ApiState>,
    _caller: Reads,
    PageOfUsers { page, org }: PageOfUsers,
) -> Result<Json<AccountList>, Problem> {
    list(&state, AccountKind::User, &page, org).await
}

/// Lists orgs, by id.
#[utoipa::path(get, path = "/v1/orgs", tag = "accounts", operation_id = "org_list",
    params(("after" = Option<String>, Query, description = "The `next` of the page before"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000, description = "1 to 1,000; 100 by default")),
    responses((status = 200, body = AccountList)))]
pub(crate) async fn list_orgs(
    State(state): State<ApiState>,
    _caller: Reads,
    page: Page,
) -> Result<Json<AccountList>, Problem> {
    list(&state, AccountKind::Org, &page, None).await
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
            .map(|row| AccountBody::of(state, &row.id, &row.account.terms, &catalog))
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
    Ok(Json(AccountBody::of(&state, &row.id, terms, &catalog)))
}

/// What is said of a user; what is absent stays, or takes its default.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserBody {
    /// The org of a new user; `PUT /v1/users/{id}/org` moves one that is there.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    org: OrgSaid,
    /// The zone of calendar days and months; UTC by default.
    #[schema(value_type = Option<String>, example = "Europe/Berlin")]
    time_zone: Option<Zone>,
    /// Whether every request is denied.
    disabled: Option<bool>,
    /// Whether it is never denied at user scope; by default only inside an org.
    unlimited: Option<bool>,
    /// Why.
    reason: Option<Label>,
}

/// A new user.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewUserBody {
    /// Its id, as you name it.
    #[schema(value_type = String, example = "alice")]
    id: UserId,
    /// Its org.
    #[schema(value_type = Option<String>)]
    org: Option<OrgId>,
    /// The zone of calendar days and months; UTC by default.
    #[schema(value_type = Option<String>, example = "Europe/Berlin")]
    time_zone: Option<Zone>,
    /// Whether every request is denied.
    disabled: Option<bool>,
    /// Whether it is never denied at user scope; by default only inside an org.
    unlimited: Option<bool>,
    /// Why.
    reason: Option<Label>,
}

/// What is said of an org; what is absent stays, or takes its default.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OrgBody {
    /// The zone of calendar days and months; UTC by default.
    #[schema(value_type = Option<String>, example = "Europe/Berlin")]
    time_zone: Option<Zone>,
    /// Whether every request of its members is denied.
    disabled: Option<bool>,
    /// What happens when it is exhausted.
    #[schema(value_type = Option<schema::Policy>)]
    policy: Option<Policy>,
    /// Why.
    reason: Option<Label>,
}

/// A new org.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewOrgBody {
    /// Its id, as you name it.
    #[schema(value_type = String, example = "acme")]
    id: OrgId,
    /// The zone of calendar days and months; UTC by default.
    #[schema(value_type = Option<String>, example = "Europe/Berlin")]
    time_zone: Option<Zone>,
    /// Whether every request of its members is denied.
    disabled: Option<bool>,
    /// What happens when it is exhausted.
    #[schema(value_type = Option<schema::Policy>)]
    policy: Option<Policy>,
    /// Why.
    reason: Option<Label>,
}

impl UserBody {
    fn parts(self) -> (AccountSpec, Note) {
        let spec = AccountSpec {
            org: self.org.org(),
            time_zone: self.time_zone.map(|zone| zone.0),
            disabled: self.disabled,
            unlimited: self.unlimited,
            policy: None,
        };
        (spec, Note::reason(self.reason))
    }
}

impl OrgBody {
    fn parts(self) -> (AccountSpec, Note) {
        let spec = AccountSpec {
            org: None,
            time_zone: self.time_zone.map(|zone| zone.0),
            disabled: self.disabled,
            unlimited: None,
            policy: self.policy,
        };
        (spec, Note::reason(self.reason))
    }
}

/// Creates a user.
#[utoipa::path(post, path = "/v1/users", tag = "accounts", request_body = NewUserBody,
    responses((status = 201, description = "Created", body = ChangeBody), (status = 409, description = "There is such an account already", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn create_user(
    State(state): State<ApiState>,
    Writes(caller): Writes,
    JsonBody(body): JsonBody<NewUserBody>,
) -> Result<Response, Problem> {
    let account = AccountId::user(&body.id);
    let terms = UserBody {
        org: body.org.map_or(OrgSaid::Nothing, OrgSaid::In),
        time_zone: body.time_zone,
        disabled: body.disabled,
        unlimited: body.unlimited,
        reason: body.reason,
    };
    put(&state, &caller, (account, Presence::New), terms.parts()).await
}

/// Creates a user, or changes it.
#[utoipa::path(put, path = "/v1/users/{id}", tag = "accounts", request_body = UserBody,
    params(("id" = String, Path, description = "The user's id")),
    responses((status = 200, description = "Changed", body = ChangeBody), (status = 201, description = "Created", body = ChangeBody), (status = 409, description = "It lives in another org: `PUT /v1/users/{id}/org` moves it", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn put_user(
    State(state): State<ApiState>,
    Writes(caller): Writes,
    Account(account): Account,
    JsonBody(body): JsonBody<UserBody>,
) -> Result<Response, Problem> {
    body.org.check(&state, &account).await?;
    put(&state, &caller, (account, Presence::Any), body.parts()).await
}

/// Changes a user.
#[utoipa::path(patch, path = "/v1/users/{id}", tag = "accounts", request_body = UserBody,
    params(("id" = String, Path, description = "The user's id")),
    responses((status = 200, description = "Changed", body = ChangeBody), (status = 409, description = "It lives in another org: `PUT /v1/users/{id}/org` moves it", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn patch_user(
    State(state): State<ApiState>,
    Writes(caller): Writes,
    Account(account): Account,
    JsonBody(body): JsonBody<UserBody>,
) -> Result<Response, Problem> {
    body.org.check(&state, &account).await?;
    put(&state, &caller, (account, Presence::Existing), body.parts()).await
}

/// Creates an org.
#[utoipa::path(post, path = "/v1/orgs", tag = "accounts", request_body = NewOrgBody,
    responses((status = 201, description = "Created", body = ChangeBody), (status = 409, description = "There is such an account already", body = Problem, content_type = "application/problem+json")))]
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
    put(&state, &caller, (account, Presence::New), terms.parts()).await
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
    put(&state, &caller, (account, Presence::Any), body.parts()).await
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
    put(&state, &caller, (account, Presence::Existing), body.parts()).await
}

async fn put(
    state: &ApiState,
    caller: &Caller,
    (account, presence): (AccountId, Presence),
    (spec, note): (AccountSpec, Note),
) -> Result<Response, Problem> {
    let command = Command::PutAccount { presence, spec };
    change(state, caller, account, command, note).await
}
