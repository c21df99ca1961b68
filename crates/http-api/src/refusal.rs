//! What the engine's errors are to a caller.

use std::error::Error;

use api_types::FieldError;
use axum::http::StatusCode;
use quota_core::answer::{Rejection, RejectionClass};
use quota_core::catalog::InvalidCatalog;
use quota_core::ids::FeatureCode;
use quota_service::EngineError;

use crate::problem::Problem;

/// Seconds after which to try again when the engine is busy or its store is down.
const RETRY_SECONDS: u32 = 1;

impl From<EngineError> for Problem {
    fn from(error: EngineError) -> Self {
        let unavailable = |code, detail: String| {
            Self::new(StatusCode::SERVICE_UNAVAILABLE, code, detail).retry_after(RETRY_SECONDS)
        };
        match error {
            EngineError::Rejected(rejection) => rejected(&rejection),
            EngineError::KeyReused => {
                let error = FieldError::header("Idempotency-Key", error.to_string());
                let (status, code) = (StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused");
                Self::new(status, code, error.detail.clone()).about(error)
            }
            EngineError::Catalog(invalid) => invalid_catalog(&invalid),
            EngineError::CatalogChanged => Self::new(
                StatusCode::CONFLICT,
                "catalog_changed",
                EngineError::CatalogChanged.to_string(),
            ),
            EngineError::Busy => unavailable("busy", error.to_string()),
            EngineError::Stopping => unavailable("stopping", error.to_string()),
            EngineError::Deadline => unavailable(
                "deadline",
                "no answer in time; ask again with the same Idempotency-Key".to_owned(),
            ),
            EngineError::Store(cause) if cause.is_transient() => {
                tracing::warn!(error = %chain(&cause), "the store is unavailable");
                unavailable(
                    "store_unavailable",
                    "the store is unavailable; ask again with the same Idempotency-Key".to_owned(),
                )
            }
            other => {
                tracing::error!(error = %chain(&other), "a request failed");
                Self::internal()
            }
        }
    }
}

impl From<Rejection> for Problem {
    fn from(rejection: Rejection) -> Self {
        rejected(&rejection)
    }
}

impl Problem {
    /// Moves the blame from `/feature` into the list that the features came in: to the entry that is named, or to all of
    /// it; `rest` is the way from an entry to its feature.
    pub(crate) fn in_list(self, features: &[FeatureCode], list: &str, rest: &str) -> Self {
        let is_named = |feature: &FeatureCode| self.body.detail.contains(&format!("`{feature}`"));
        let place = match features.iter().position(is_named) {
            Some(index) => format!("{list}/{index}{rest}"),
            None => list.to_owned(),
        };
        self.at_instead("/feature", &place)
    }
}

fn rejected(rejection: &Rejection) -> Problem {
    let status = match rejection.class() {
        RejectionClass::NotFound => StatusCode::NOT_FOUND,
        RejectionClass::Conflict => StatusCode::CONFLICT,
        RejectionClass::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let mut detail = rejection.to_string();
    detail.push_str(way_out(rejection));
    let problem = Problem::new(status, rejection.code(), detail.clone());
    match rejection.field() {
        Some(field) => problem.about(FieldError::at(format!("/{field}"), detail)),
        None => problem,
    }
}

/// What else there is to say where the rule alone leaves the caller stuck.
fn way_out(rejection: &Rejection) -> &'static str {
    match rejection {
        Rejection::OtherOrg => "; `PUT /v1/users/{id}/org` moves it",
        Rejection::UnknownOperation => {
            "; one from before its user joined or left an org can no longer be refunded"
        }
        _ => "",
    }
}

/// A catalog that breaks a rule, when nothing more is known of its text.
fn invalid_catalog(invalid: &InvalidCatalog) -> Problem {
    let (status, detail) = (StatusCode::UNPROCESSABLE_ENTITY, invalid.to_string());
    Problem::new(status, "invalid_catalog", detail.clone()).about(FieldError::at("", detail))
}

/// An error with its sources, in one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
