//! The catalog: read it, see what a file would change, apply the file.

use std::sync::Arc;

use api_types::{
    CatalogBody, DefaultPlanChangeBody, FieldChangeBody, FieldError, HeldBody, LessOnDemandBody,
    LimitChangeBody, LostFlagBody, LostLimitBody, OverLimitBody, PlanBody, PlanOfChanges,
};
use axum::extract::{FromRequest, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use quota_core::catalog::{Catalog, CatalogFile};
use quota_core::ids::{FeatureCode, PackCode, PlanCode};
use quota_service::{
    CatalogPlan, EngineError, Entry, FieldChange, HeldEntry, LessOnDemand, LimitChange, LostFlag,
    LostLimit, OverLimit,
};

use crate::ApiState;
use crate::body::{is_json, media_type, parse_json, read_body, unsupported};
use crate::caller::{Admin, Reads};
use crate::catalog_file::{place_in_json, places_in_toml, read_catalog_toml};
use crate::params::Removing;
use crate::problem::Problem;

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
                file: parse_json(&bytes).map_err(as_catalog)?,
                toml: None,
            });
        }
        let text = String::from_utf8(bytes.into())
            .map_err(|_| Problem::invalid_body(FieldError::at(String::new(), "must be UTF-8")))?;
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

/// A file that is JSON and no catalog is told as one in TOML is.
fn as_catalog(problem: Problem) -> Problem {
    match problem.body.errors.as_slice() {
        [error] if problem.body.status == StatusCode::UNPROCESSABLE_ENTITY.as_u16() => {
            let (detail, error) = (problem.body.detail.clone(), error.clone());
            let (status, code) = (StatusCode::UNPROCESSABLE_ENTITY, "invalid_catalog");
            Problem::new(status, code, detail).about(error)
        }
        _ => problem,
    }
}

/// A mistake in a catalog file; for TOML its detail begins with line and column.
fn refused(error: FieldError) -> Problem {
    let detail = in_words(&error);
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_catalog", detail).about(error)
}

fn in_words(error: &FieldError) -> String {
    match (error.line, error.column) {
        (Some(line), Some(column)) => format!("line {line}, column {column}: {}", error.detail),
        _ => error.detail.clone(),
    }
}

impl FileBody {
    /// Says where in the file each mistake stands, in the order of the file.
    fn locate(&self, error: EngineError) -> Problem {
        let EngineError::Catalog(invalid) = &error else {
            return error.into();
        };
        let text = self.toml.as_deref();
        let places = text.map_or_else(Vec::new, |text| places_in_toml(text, &invalid.mistakes));
        let places = places.into_iter().chain(std::iter::repeat(None));
        let errors = invalid.mistakes.iter().zip(places);
        let mut errors: Vec<FieldError> = errors
            .map(|(mistake, place)| {
                let pointer = place_in_json(&self.file, mistake);
                let (line, column) = place.unzip();
                FieldError {
                    line,
                    column,
                    ..FieldError::at(pointer, mistake.to_string())
                }
            })
            .collect();
        errors.sort_by_key(|error| (error.line, error.column));
        let first = errors.first().map_or_else(String::new, in_words);
        let more = errors.len().saturating_sub(1) + invalid.left_out;
        let detail = match more {
            0 => first,
            more => format!("{first}; and {more} more"),
        };
        let problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_catalog", detail);
        errors.into_iter().fold(problem, Problem::about)
    }
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
        default_plan: catalog.default_plan.clone(),
        features: catalog.features.values().cloned().collect(),
        plans: catalog.plans.keys().filter_map(plan).collect(),
        packs: catalog.packs.values().cloned().collect(),
    }
}

fn limit_change(change: LimitChange) -> LimitChangeBody {
    LimitChangeBody {
        feature: change.feature,
        from: change.from,
        to: change.to,
    }
}

fn over_limit(over: OverLimit) -> OverLimitBody {
    OverLimitBody {
        account: over.account,
        feature: over.feature,
        window: over.window,
        used: over.used,
        limit: over.limit,
    }
}

fn lost_flag(lost: LostFlag) -> LostFlagBody {
    LostFlagBody {
        account: lost.account,
        feature: lost.feature,
    }
}

fn lost_limit(lost: LostLimit) -> LostLimitBody {
    LostLimitBody {
        account: lost.account,
        feature: lost.feature,
    }
}

fn less_on_demand(less: LessOnDemand) -> LessOnDemandBody {
    LessOnDemandBody {
        account: less.account,
        feature: less.feature,
        owed: less.owed,
        cap: less.cap,
    }
}

/// The codes of a feature, of a plan or of a pack, of which one is there.
fn codes(entry: Entry) -> (Option<FeatureCode>, Option<PlanCode>, Option<PackCode>) {
    match entry {
        Entry::Feature(code) => (Some(code), None, None),
        Entry::Plan(code) => (None, Some(code), None),
        Entry::Pack(code) => (None, None, Some(code)),
    }
}

fn field_change(change: FieldChange) -> FieldChangeBody {
    let (feature, plan, pack) = codes(change.entry);
    FieldChangeBody {
        feature,
        plan,
        pack,
        field: change.field,
        from: change.from,
        to: change.to,
    }
}

fn held_body(held: HeldEntry) -> HeldBody {
    let (feature, plan, _) = codes(held.entry);
    HeldBody {
        feature,
        plan,
        accounts: held.accounts,
        example: held.example,
    }
}

fn plan_of_changes(plan: CatalogPlan) -> PlanOfChanges {
    let changes = !plan.is_empty();
    let plans_changed = plan.plans_changed.into_iter().map(|(code, limits)| {
        let limits = limits.into_iter().map(limit_change);
        (code, limits.collect())
    });
    let default_plan = plan.default_plan.map(|change| DefaultPlanChangeBody {
        from: change.from,
        to: change.to,
    });
    PlanOfChanges {
        version: plan.version,
        changes,
        names_nothing: plan.names_nothing,
        default_plan,
        features_added: plan.features_added,
        features_changed: plan.features_changed,
        features_removed: plan.features_removed,
        plans_added: plan.plans_added,
        plans_changed: plans_changed.collect(),
        plans_removed: plan.plans_removed,
        fields_changed: plan.fields_changed.into_iter().map(field_change).collect(),
        held: plan.held.into_iter().map(held_body).collect(),
        over_limit: plan.over_limit.into_iter().map(over_limit).collect(),
        over_limit_count: plan.over_limit_count,
        lost_flags: plan.lost_flags.into_iter().map(lost_flag).collect(),
        lost_flag_count: plan.lost_flag_count,
        lost_limits: plan.lost_limits.into_iter().map(lost_limit).collect(),
        lost_limit_count: plan.lost_limit_count,
        less_on_demand: plan
            .less_on_demand
            .into_iter()
            .map(less_on_demand)
            .collect(),
        less_on_demand_count: plan.less_on_demand_count,
        examined: plan.examined,
        partial: plan.is_partial,
    }
}

/// The JSON Schema of the catalog file, as text.
#[derive(Clone)]
pub(crate) struct SchemaText(pub(crate) Arc<str>);

/// Shows the JSON Schema of the catalog file, for editors; it needs no key.
#[utoipa::path(get, path = "/v1/catalog/schema", tag = "catalog", security(()),
    responses((status = 200, description = "A JSON Schema", body = Object, content_type = "application/schema+json")))]
pub(crate) async fn catalog_file_schema(Extension(text): Extension<SchemaText>) -> Response {
    let kind = [(header::CONTENT_TYPE, "application/schema+json")];
    (kind, text.0.to_string()).into_response()
}

/// Shows what applying a file would change and which accounts it would affect; changes nothing.
#[utoipa::path(post, path = "/v1/catalog/plan", tag = "catalog",
    request_body(content((CatalogFile = "application/json"), (String = "application/toml")), description = "A catalog file"),
    responses((status = 200, body = PlanOfChanges), (status = 422, description = "The file cannot be read, or breaks a rule: `errors` has the path for JSON, line and column for TOML", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn plan_catalog(
    State(state): State<ApiState>,
    Admin(_caller): Admin,
    body: FileBody,
) -> Result<Json<PlanOfChanges>, Problem> {
    let plan = state.engine().plan_catalog(&body.file).await;
    let plan = plan.map_err(|error| body.locate(error))?;
    Ok(Json(plan_of_changes(plan)))
}

/// Applies a file: it counts from the next request on. Features and plans that the file leaves out are removed. If
/// accounts hold one of them, nothing changes until the call names each; what nobody holds goes by itself, all of it with a file
/// that names nothing.
#[utoipa::path(post, path = "/v1/catalog/apply", tag = "catalog",
    request_body(content((CatalogFile = "application/json"), (String = "application/toml")), description = "A catalog file"),
    params(("removing_features" = Option<String>, Query, description = "Features to remove although accounts hold them: codes, separated by commas"),
        ("removing_plans" = Option<String>, Query, description = "Plans to remove although accounts hold them: codes, separated by commas")),
    responses((status = 200, body = PlanOfChanges), (status = 409, description = "The file leaves out features or plans that accounts hold, listed in `errors`; or another file was applied in the meantime", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn apply_catalog(
    State(state): State<ApiState>,
    Admin(caller): Admin,
    Removing(removals): Removing,
    body: FileBody,
) -> Result<Json<PlanOfChanges>, Problem> {
    let (engine, actor) = (state.engine(), Some(caller.name()));
    let plan = engine.apply_catalog_removing(&body.file, &removals, actor);
    let plan = plan.await.map_err(|error| body.locate(error))?;
    Ok(Json(plan_of_changes(plan)))
}
