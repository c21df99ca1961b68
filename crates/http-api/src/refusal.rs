//! Errors of the engine as problems.

use std::error::Error;

use api_types::FieldError;
use axum::http::StatusCode;
use quota_core::answer::{Rejection, RejectionClass};
use quota_core::catalog::InvalidCatalog;
use quota_core::ports::StoreError;
use quota_service::{EngineError, Entry, HeldEntry, WriteFault};

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
            EngineError::InvalidField(invalid) => {
                let at = format!("/{}", invalid.field);
                Self::invalid_body(FieldError::at(at, invalid.why))
            }
            EngineError::OtherLedger => Self::invalid_parameter("after", error.to_string()),
            EngineError::KeyReused { .. } => {
                let error = FieldError::header("Idempotency-Key", error.to_string());
                let (status, code) = (StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused");
                Self::new(status, code, error.detail.clone()).about(error)
            }
            EngineError::Catalog(invalid) => invalid_catalog(&invalid),
            EngineError::StillHeld(held) => still_held(&held),
            EngineError::UnknownRemoval(entry) => {
                let detail = format!("{entry} is not in the catalog");
                Self::invalid_parameter(removing(&entry), detail)
            }
            EngineError::CatalogChanged => {
                let detail = "another catalog was applied in the meantime; plan again";
                Self::new(StatusCode::CONFLICT, "catalog_changed", detail)
            }
            EngineError::TooManyFailures { seconds } => {
                let detail = "too many texts were sent that are no code; try again later";
                let (status, code) = (StatusCode::TOO_MANY_REQUESTS, "too_many_failures");
                Self::new(status, code, detail).retry_after(seconds)
            }
            EngineError::Busy => unavailable("busy", "too many requests are waiting".to_owned()),
            EngineError::Stopping => {
                unavailable("stopping", "the server is shutting down".to_owned())
            }
            EngineError::Deadline => unavailable(
                "deadline",
                "no answer in time; try again with the same Idempotency-Key".to_owned(),
            ),
            // The engine has logged these two, once.
            EngineError::Store(StoreError::Full(_)) => unavailable(
                write_fault_code(WriteFault::Full),
                "the database is full: nothing was changed".to_owned(),
            ),
            EngineError::Store(StoreError::ReadOnly(_)) => unavailable(
                write_fault_code(WriteFault::ReadOnly),
                "the database is read-only: nothing was changed".to_owned(),
            ),
            EngineError::Store(cause) if cause.is_transient() => {
                let detail = "the database is unavailable; try again with the same Idempotency-Key";
                // Logged once, at the edge.
                Self {
                    away: Some(chain(&cause)),
                    ..unavailable("store_unavailable", detail.to_owned())
                }
            }
            other @ (EngineError::Store(_) | _) => {
                tracing::error!(error = %chain(&other), "a request failed");
                Self::internal()
            }
        }
    }
}

/// What a caller is told of a store that takes no writes.
pub(crate) fn write_fault_code(fault: WriteFault) -> &'static str {
    match fault {
        WriteFault::Full => "store_full",
        WriteFault::ReadOnly => "store_read_only",
    }
}

impl From<Rejection> for Problem {
    fn from(rejection: Rejection) -> Self {
        rejected(&rejection)
    }
}

impl Problem {
    /// Moves the blame from `/feature` to the entry of the list that the features came in; `rest` is the way from an entry
    /// to its feature.
    pub(crate) fn in_list(self, list: &str, rest: &str) -> Self {
        let Some(index) = self.index else {
            return self;
        };
        self.at_instead("/feature", &format!("{list}/{index}{rest}"))
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
    let mut problem = Problem::new(status, rejection.code(), with_field(rejection, &detail));
    problem.index = rejection.index();
    if let Rejection::MembersFull {
        feature,
        limit,
        used,
    } = rejection
    {
        problem.body.feature = Some(feature.clone());
        (problem.body.limit, problem.body.used) = (Some(*limit), Some(*used));
    }
    match rejection.field() {
        Some(field) => problem.about(FieldError::at(format!("/{field}"), detail)),
        None => problem,
    }
}

/// The sentence, with the field in front where it would be nobody's without.
fn with_field(rejection: &Rejection, detail: &str) -> String {
    match rejection.unsaid_field() {
        Some(field) => format!("/{field}: {detail}"),
        None => detail.to_owned(),
    }
}

/// What else to say where the rule alone leaves the caller stuck.
fn way_out(rejection: &Rejection) -> &'static str {
    if matches!(rejection, Rejection::OtherOrg { .. }) {
        return "; `PUT /v1/users/{id}/org` moves it";
    }
    if matches!(rejection, Rejection::NoSubscription | Rejection::NoBasePlan) {
        return " with `POST …/subscription`";
    }
    if matches!(rejection, Rejection::NotPaid { .. }) {
        return " with `POST …/subscription/status`";
    }
    ""
}

/// What a catalog file leaves out and accounts hold: each entry with the parameter that would name it.
fn still_held(held: &[HeldEntry]) -> Problem {
    let detail =
        "the file leaves out features or plans that accounts hold; name each of them to remove it";
    let problem = Problem::new(StatusCode::CONFLICT, "catalog_in_use", detail);
    held.iter().fold(problem, |problem, held| {
        let parameter = removing(&held.entry);
        problem.about(FieldError::parameter(parameter, held.to_string()))
    })
}

/// The parameter that names what is meant to go.
fn removing(entry: &Entry) -> &'static str {
    match entry {
        Entry::Feature(_) => "removing_features",
        // Nobody holds a pack: none is named.
        Entry::Plan(_) | Entry::Pack(_) => "removing_plans",
    }
}

/// A catalog that breaks a rule, when nothing more is known of its text.
fn invalid_catalog(invalid: &InvalidCatalog) -> Problem {
    let (status, detail) = (StatusCode::UNPROCESSABLE_ENTITY, invalid.to_string());
    let mistakes = invalid.mistakes.iter();
    let errors = mistakes.map(|mistake| FieldError::at("", mistake.to_string()));
    errors.fold(
        Problem::new(status, "invalid_catalog", detail),
        Problem::about,
    )
}

/// An error with its sources, in one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let words = cause.to_string();
        // The driver of SQLite says what SQLite says, and has that as its cause.
        if !text.ends_with(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        source = cause.source();
    }
    text
}
