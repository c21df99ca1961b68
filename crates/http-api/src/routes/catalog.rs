//! The catalog: read it, see what a file would change, apply the file.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{FromRequest, Request, State};
use quota_core::amount::Limit;
use quota_core::catalog::{Catalog, CatalogFile};
use quota_core::ids::{AccountId, FeatureCode, PlanCode};
use quota_service::{CatalogPlan, EngineError};
use serde::Serialize;
use utoipa::ToSchema;

use crate::body::{is_json, media_type, parse_json, read_body, unsupported};
use crate::caller::{Admin, Reads};
use crate::catalog_file::{place_in_json, read_catalog_toml, where_in_toml};
use crate::problem::{FieldError, Problem};
use crate::{ApiState, schema};

/// Media types of TOML.
const TOML: [&str; 3] = ["application/toml", "text/toml", "application/x-toml"];

/// A catalog file, and its text where it is TOML.
pub(crate) struct FileBody {
    file: CatalogFile,
    toml: Option<String>,
}

impl FromRequest<ApiState> for FileBody {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &ApiState) -> Result<Self, Problem> {
        let kind = media_type(&request).map(str::to_ascii_lowercase);
        let is_toml = kind.as_deref().is_some_and(|kind| TOML.contains(&kind));
        if !is_toml && !is_json(kind.as_deref()) {
            let wanted = "application/json or application/toml";
            return Err(unsupported(kind.as_deref(), wanted));
        }
        let bytes = read_body(request.into_body(), state.settings().body_bytes_max).await?;
        if !is_toml {
            return Ok(Self {
                file: parse_json(&bytes)?,
                toml: None,
            });
        }
        let text = String::from_utf8(bytes.into()).map_err(|_| {
            Problem::invalid_body(FieldError::at(String::new(), "the file must be UTF-8"))
        })?;
        let file = read_catalog_toml(&text).map_err(|fault| {
            let mut error = FieldError::at(String::new(), fault.detail);
            (error.line, error.column) = (Some(fault.line), Some(fault.column));
            refused(error)
        })?;
        Ok(Self {
            file,
            toml: Some(text),
        })
    }
}

fn refused(error: FieldError) -> Problem {
    let mut problem = Problem::invalid_body(error);
    problem.code = "invalid_catalog";
    problem.kind = crate::problem::problem_type(problem.code);
    if let Some(error) = problem.errors.first() {
        problem.detail = match (error.line, error.column) {
            (Some(line), Some(column)) => {
                format!("line {line}, column {column}: {}", error.detail)
            }
            _ => error.detail.clone(),
        };
    }
    problem
}

impl FileBody {
    /// Says where in the file the mistake stands.
    fn locate(&self, error: EngineError) -> Problem {
        let EngineError::Catalog(invalid) = &error else {
            return error.into();
        };
        let mut fault = FieldError::at(place_in_json(&self.file, invalid), invalid.to_string());
        if let Some((line, column)) = self
            .toml
            .as_deref()
            .and_then(|text| where_in_toml(text, invalid))
        {
            (fault.line, fault.column) = (Some(line), Some(column));
        }
        refused(fault)
    }
}

/// The catalog in force.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CatalogBody {
    /// Grows by one with every `apply`.
    version: u64,
    /// The features.
    #[schema(value_type = Vec<Object>)]
    features: Vec<quota_core::catalog::Feature>,
    /// The newest version of each plan, with its number.
    plans: Vec<PlanBody>,
}

/// A plan.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PlanBody {
    /// Its newest version; counts from 1.
    version: u32,
    /// What it grants.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    plan: quota_core::catalog::Plan,
}

/// Shows the catalog in force.
#[utoipa::path(get, path = "/v1/catalog", tag = "catalog",
    responses((status = 200, body = CatalogBody)))]
pub(crate) async fn catalog(
    State(state): State<ApiState>,
    _caller: Reads,
) -> Result<Json<CatalogBody>, Problem> {
    let catalog = state.engine().catalog().await?;
    Ok(Json(body(&catalog)))
}

fn body(catalog: &Catalog) -> CatalogBody {
    let plan = |code: &PlanCode| {
        Some(PlanBody {
            version: catalog.newest_version(code),
            plan: catalog.plan(code, None)?.clone(),
        })
    };
    CatalogBody {
        version: catalog.version,
        features: catalog.features.values().cloned().collect(),
        plans: catalog.plans.keys().filter_map(plan).collect(),
    }
}

/// A limit that changes.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LimitChangeBody {
    /// The feature.
    #[schema(value_type = String)]
    feature: FeatureCode,
    /// The limit now; null where the plan does not name the feature.
    #[schema(value_type = Option<schema::Limit>)]
    from: Option<Limit>,
    /// The limit then.
    #[schema(value_type = Option<schema::Limit>)]
    to: Option<Limit>,
}

/// An account that would be over its limit.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OverLimitBody {
    /// The account.
    #[schema(value_type = String, example = "user:alice")]
    account: AccountId,
    /// The feature.
    #[schema(value_type = String)]
    feature: FeatureCode,
    /// What it has used, in stored units.
    used: u64,
    /// What it would be allowed, in stored units.
    limit: u64,
}

/// What applying a file changes.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PlanOfChanges {
    /// The catalog's version afterwards.
    version: u64,
    /// Whether anything changes.
    changes: bool,
    /// Features that are new.
    #[schema(value_type = Vec<String>)]
    features_added: Vec<FeatureCode>,
    /// Features that change.
    #[schema(value_type = Vec<String>)]
    features_changed: Vec<FeatureCode>,
    /// Features that go.
    #[schema(value_type = Vec<String>)]
    features_removed: Vec<FeatureCode>,
    /// Plans that are new.
    #[schema(value_type = Vec<String>)]
    plans_added: Vec<PlanCode>,
    /// Plans that get a new version, with the limits that change.
    #[schema(value_type = BTreeMap<String, Vec<LimitChangeBody>>)]
    plans_changed: BTreeMap<PlanCode, Vec<LimitChangeBody>>,
    /// Plans that the file leaves out: they stay as they are.
    #[schema(value_type = Vec<String>)]
    plans_kept: Vec<PlanCode>,
    /// Accounts whose use would be over their limit, the first of them.
    over_limit: Vec<OverLimitBody>,
    /// How many there are.
    over_limit_count: u64,
    /// Accounts that were looked at.
    examined: u64,
    /// Whether there were more than are looked at.
    partial: bool,
}

impl From<CatalogPlan> for PlanOfChanges {
    fn from(plan: CatalogPlan) -> Self {
        let changes = !plan.is_empty();
        let limit = |change: quota_service::LimitChange| LimitChangeBody {
            feature: change.feature,
            from: change.from,
            to: change.to,
        };
        let over = |over: quota_service::OverLimit| OverLimitBody {
            account: over.account,
            feature: over.feature,
            used: over.used,
            limit: over.limit,
        };
        let plans_changed = plan.plans_changed.into_iter();
        Self {
            version: plan.version,
            changes,
            features_added: plan.features_added,
            features_changed: plan.features_changed,
            features_removed: plan.features_removed,
            plans_added: plan.plans_added,
            plans_changed: plans_changed
                .map(|(code, limits)| (code, limits.into_iter().map(limit).collect()))
                .collect(),
            plans_kept: plan.plans_kept,
            over_limit: plan.over_limit.into_iter().map(over).collect(),
            over_limit_count: plan.over_limit_count,
            examined: plan.examined,
            partial: plan.is_partial,
        }
    }
}

/// Says what applying a file would change and who would be over the limit; changes nothing.
#[utoipa::path(post, path = "/v1/catalog/plan", tag = "catalog",
    request_body(content((Object = "application/json"), (String = "application/toml")), description = "A catalog file"),
    responses((status = 200, body = PlanOfChanges), (status = 422, description = "The file breaks a rule: `errors` has line and column for TOML", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn plan_catalog(
    State(state): State<ApiState>,
    Admin(_caller): Admin,
    body: FileBody,
) -> Result<Json<PlanOfChanges>, Problem> {
    let plan = state.engine().plan_catalog(&body.file).await;
    let plan = plan.map_err(|error| body.locate(error))?;
    Ok(Json(plan.into()))
}

/// Applies a file: from the next request on it decides.
#[utoipa::path(post, path = "/v1/catalog/apply", tag = "catalog",
    request_body(content((Object = "application/json"), (String = "application/toml")), description = "A catalog file"),
    responses((status = 200, body = PlanOfChanges), (status = 409, description = "Another one was applied meanwhile", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn apply_catalog(
    State(state): State<ApiState>,
    Admin(caller): Admin,
    body: FileBody,
) -> Result<Json<PlanOfChanges>, Problem> {
    let actor = Some(caller.name());
    let plan = state.engine().apply_catalog(&body.file, actor).await;
    let plan = plan.map_err(|error| body.locate(error))?;
    Ok(Json(plan.into()))
}
