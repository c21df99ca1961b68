//! Parts of the path and of the query.

use std::borrow::Cow;
use std::collections::BTreeSet;

use api_types::{Named, read_id};
use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequestParts, MatchedPath, Query, RawPathParams};
use axum::http::request::Parts;
use quota_core::ids::{
    AccountId, AccountKind, BoostId, FeatureCode, GrantId, InvalidId, OrgId, PlanCode, TokenId,
    UserId,
};
use quota_service::{InvalidCursor, LedgerCursor, PAGE_MAX, Removals};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::ApiState;
use crate::problem::Problem;
use crate::words::{self, named_field};

/// Rows of a page when the caller does not say.
const PAGE_DEFAULT: u32 = 100;
/// All parameters of queries.
const QUERY_PARAMETERS: [&str; 10] = [
    "account",
    "after",
    "batch",
    "kind",
    "limit",
    "open",
    "org",
    "removing_features",
    "removing_plans",
    "state",
];
/// How paths about orgs begin.
const ORGS: &str = "/v1/orgs";

/// Takes one part of the path.
pub(crate) async fn part<T>(
    parts: &mut Parts,
    name: &'static str,
    read: impl FnOnce(&str) -> Result<T, Cow<'static, str>>,
) -> Result<T, Problem> {
    let params = RawPathParams::from_request_parts(parts, &())
        .await
        .map_err(|_| Problem::invalid_parameter(name, "must be UTF-8"))?;
    let found = params.iter().find(|(part, _)| *part == name);
    let (_, text) = found.ok_or_else(Problem::internal)?;
    read(text).map_err(|why| Problem::invalid_parameter(name, why))
}

/// Routes that users and orgs share are nested under the paths of both: which of them matched says whom it is about.
fn kind(parts: &Parts) -> AccountKind {
    let matched = parts.extensions.get::<MatchedPath>();
    match matched {
        Some(path) if path.as_str().starts_with(ORGS) => AccountKind::Org,
        _ => AccountKind::User,
    }
}

pub(crate) fn why(error: InvalidId) -> Cow<'static, str> {
    error.why
}

/// An account's id of the kind that the path is about.
pub(crate) fn account_of(kind: AccountKind, id: &str) -> Result<AccountId, InvalidId> {
    match kind {
        AccountKind::User => UserId::new(id).map(|id| AccountId::user(&id)),
        AccountKind::Org => OrgId::new(id).map(|id| AccountId::org(&id)),
    }
}

/// The account that the path names by `{id}`: an org under `/v1/orgs`, else a user.
pub(crate) struct Account(pub(crate) AccountId);

impl FromRequestParts<ApiState> for Account {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &ApiState) -> Result<Self, Problem> {
        let kind = kind(parts);
        part(parts, "id", |text| account_of(kind, text).map_err(why))
            .await
            .map(Self)
    }
}

/// The feature that the path names by `{feature}`.
pub(crate) struct OfFeature(pub(crate) FeatureCode);

impl FromRequestParts<ApiState> for OfFeature {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &ApiState) -> Result<Self, Problem> {
        part(parts, "feature", |text| FeatureCode::new(text).map_err(why))
            .await
            .map(Self)
    }
}

/// The token that the path names by `{token}`.
pub(crate) struct OfToken(pub(crate) TokenId);

impl FromRequestParts<ApiState> for OfToken {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &ApiState) -> Result<Self, Problem> {
        part(parts, "token", |text| TokenId::new(text).map_err(why))
            .await
            .map(Self)
    }
}

/// The grant that the path names by `{grant}`.
pub(crate) struct OfGrant(pub(crate) GrantId);

impl FromRequestParts<ApiState> for OfGrant {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &ApiState) -> Result<Self, Problem> {
        part(parts, "grant", |text| GrantId::new(text).map_err(why))
            .await
            .map(Self)
    }
}

/// The boost that the path names by `{boost}`.
pub(crate) struct OfBoost(pub(crate) BoostId);

impl FromRequestParts<ApiState> for OfBoost {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &ApiState) -> Result<Self, Problem> {
        part(parts, "boost", |text| BoostId::new(text).map_err(why))
            .await
            .map(Self)
    }
}

/// The plan that the path names by `{plan}`.
pub(crate) struct OfPlan(pub(crate) PlanCode);

impl FromRequestParts<ApiState> for OfPlan {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &ApiState) -> Result<Self, Problem> {
        part(parts, "plan", |text| PlanCode::new(text).map_err(why))
            .await
            .map(Self)
    }
}

/// The reservation that the path names by `{id}`.
pub(crate) struct OfReservation(pub(crate) AccountId, pub(crate) Uuid);

impl FromRequestParts<ApiState> for OfReservation {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &ApiState) -> Result<Self, Problem> {
        part(parts, "id", |text| {
            read_id(Named::Reservation, text).map_err(Into::into)
        })
        .await
        .map(|(account, id)| Self(account, id))
    }
}

/// The operation that the path names by `{id}`.
pub(crate) struct OfOperation(pub(crate) AccountId, pub(crate) Uuid);

impl FromRequestParts<ApiState> for OfOperation {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &ApiState) -> Result<Self, Problem> {
        part(parts, "id", |text| {
            read_id(Named::Operation, text).map_err(Into::into)
        })
        .await
        .map(|(account, id)| Self(account, id))
    }
}

/// A UUID that the path names by `{id}`.
pub(crate) struct OfUuid(pub(crate) Uuid);

impl FromRequestParts<ApiState> for OfUuid {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &ApiState) -> Result<Self, Problem> {
        part(parts, "id", |text| {
            Uuid::try_parse(text).map_err(|_| "must be a UUID".into())
        })
        .await
        .map(Self)
    }
}

/// The job that the path names by `{name}`.
pub(crate) struct OfJob(pub(crate) String);

impl FromRequestParts<ApiState> for OfJob {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &ApiState) -> Result<Self, Problem> {
        part(parts, "name", |text| Ok(text.to_owned()))
            .await
            .map(Self)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPage {
    after: Option<String>,
    limit: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPageOfUsers {
    after: Option<String>,
    limit: Option<String>,
    org: Option<String>,
}

/// The parameters of the query.
pub(crate) fn query<T: DeserializeOwned>(parts: &Parts) -> Result<T, Problem> {
    if let Some(name) = parts.uri.query().and_then(broken_parameter) {
        return Err(Problem::invalid_parameter(name, "must be UTF-8"));
    }
    let raw: Result<Query<T>, QueryRejection> = Query::try_from_uri(&parts.uri);
    let Query(raw) = raw.map_err(|error| {
        let text = error.body_text();
        let message = text.rsplit(": ").next().unwrap_or_default();
        match named_field(message) {
            Some(name) => Problem::invalid_parameter(name.to_owned(), query_words(message)),
            None => Problem::invalid_parameter("query", message.to_owned()),
        }
    })?;
    Ok(raw)
}

/// What is wrong with a parameter of the query.
fn query_words(message: &str) -> String {
    words::plain(message)
        .replace("known field; known here", "known parameter; known here")
        .replace(
            "known field; no fields are",
            "known parameter; no parameters are",
        )
}

/// The part of a query that is no UTF-8 once its `%` are read: a lenient reader would take it for another text.
fn broken_parameter(query: &str) -> Option<&'static str> {
    let broken = query.split('&').find(|part| !is_text(part))?;
    let name = broken.split('=').next();
    let mut known = QUERY_PARAMETERS.into_iter();
    let named = known.find(|known| name == Some(*known));
    Some(named.unwrap_or("query"))
}

fn is_text(encoded: &str) -> bool {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = after.get(..2).filter(|_| *first == b'%').and_then(byte);
        bytes.push(escaped.unwrap_or(*first));
        let taken = if escaped.is_some() { 2 } else { 0 };
        rest = after.get(taken..).unwrap_or_default();
    }
    std::str::from_utf8(&bytes).is_ok()
}

/// The byte that two hexadecimal digits stand for.
fn byte(digits: &[u8]) -> Option<u8> {
    let digits = std::str::from_utf8(digits).ok()?;
    let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_hex.then(|| u8::from_str_radix(digits, 16).ok())?
}

/// Which page of a list is wanted.
pub(crate) struct Page {
    /// The `next` of the previous page.
    pub(crate) after: Option<String>,
    /// At most so many rows.
    pub(crate) limit: u32,
}

/// Which page of the users is wanted.
pub(crate) struct PageOfUsers {
    pub(crate) page: Page,
    /// Only members of this org.
    pub(crate) org: Option<OrgId>,
}

impl FromRequestParts<ApiState> for Page {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &ApiState) -> Result<Self, Problem> {
        let raw: RawPage = query(parts)?;
        Self::read(raw.after, raw.limit.as_deref())
    }
}

impl FromRequestParts<ApiState> for PageOfUsers {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &ApiState) -> Result<Self, Problem> {
        let raw: RawPageOfUsers = query(parts)?;
        let org = raw.org.as_deref().map(OrgId::new).transpose();
        Ok(Self {
            page: Page::read(raw.after, raw.limit.as_deref())?,
            org: org.map_err(|error| Problem::invalid_parameter("org", error.why))?,
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRemoving {
    removing_features: Option<String>,
    removing_plans: Option<String>,
}

/// What a query names as meant to be removed from the catalog.
pub(crate) struct Removing(pub(crate) Removals);

impl FromRequestParts<ApiState> for Removing {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &ApiState) -> Result<Self, Problem> {
        let raw: RawRemoving = query(parts)?;
        let (features, plans) = (raw.removing_features, raw.removing_plans);
        Ok(Self(Removals {
            features: codes("removing_features", features, FeatureCode::new)?,
            plans: codes("removing_plans", plans, PlanCode::new)?,
        }))
    }
}

/// Codes that are separated by commas.
fn codes<T: Ord>(
    name: &'static str,
    text: Option<String>,
    read: impl Fn(&str) -> Result<T, InvalidId>,
) -> Result<BTreeSet<T>, Problem> {
    let text = text.unwrap_or_default();
    let codes = text.split(',').map(str::trim);
    let wrong = |code: &str, why: &str| {
        let why = format!("`{code}` {why}; write codes with commas between them");
        Problem::invalid_parameter(name, why)
    };
    let codes = codes.filter(|code| !code.is_empty());
    let codes = codes.map(|code| read(code).map_err(|error| wrong(code, &error.why)));
    codes.collect()
}

impl Page {
    pub(crate) fn read(after: Option<String>, limit: Option<&str>) -> Result<Self, Problem> {
        let limit = match limit {
            None => PAGE_DEFAULT,
            Some(text) => text
                .parse()
                .ok()
                .filter(|limit| (1..=PAGE_MAX).contains(limit))
                .ok_or_else(|| {
                    Problem::invalid_parameter("limit", format!("must be 1 to {PAGE_MAX}"))
                })?,
        };
        Ok(Self { after, limit })
    }

    /// The account after which the page begins.
    pub(crate) fn after_account(&self, kind: AccountKind) -> Result<Option<AccountId>, Problem> {
        let after = self.after.as_deref();
        let after = after.map(|id| account_of(kind, id)).transpose();
        after.map_err(|error| Problem::invalid_parameter("after", error.why))
    }

    /// The grant after which the page begins.
    pub(crate) fn after_grant(&self) -> Result<Option<GrantId>, Problem> {
        let after = self.after.as_deref().map(GrantId::new).transpose();
        after.map_err(|error| Problem::invalid_parameter("after", error.why))
    }

    /// The boost after which the page begins.
    pub(crate) fn after_boost(&self) -> Result<Option<BoostId>, Problem> {
        let after = self.after.as_deref().map(BoostId::new).transpose();
        after.map_err(|error| Problem::invalid_parameter("after", error.why))
    }

    /// The place in the ledger before which the page begins.
    pub(crate) fn after_place(&self) -> Result<Option<LedgerCursor>, Problem> {
        let after = self.after.as_deref().map(str::parse).transpose();
        after.map_err(|error: InvalidCursor| Problem::invalid_parameter("after", error.to_string()))
    }
}
