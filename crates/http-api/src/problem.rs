//! Problems: every error answer is `application/problem+json` (RFC 9457) with a stable code.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::unread::close_after;

/// The media type of problems.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// What is wrong with one part of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// JSON pointer into the body, such as `/items/0/amount`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// The part of the path or of the query that is at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameter: Option<&'static str>,
    /// The header that is at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<&'static str>,
    /// What is wrong with it.
    pub detail: String,
    /// Line of a catalog file, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// Column of a catalog file, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
}

impl FieldError {
    fn of(detail: impl Into<String>) -> Self {
        Self {
            pointer: None,
            parameter: None,
            header: None,
            detail: detail.into(),
            line: None,
            column: None,
        }
    }

    /// About a place in the body.
    pub fn at(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            pointer: Some(pointer.into()),
            ..Self::of(detail)
        }
    }

    /// About a part of the path or of the query.
    pub fn parameter(name: &'static str, detail: impl Into<String>) -> Self {
        Self {
            parameter: Some(name),
            ..Self::of(detail)
        }
    }

    /// About a header.
    pub fn header(name: &'static str, detail: impl Into<String>) -> Self {
        Self {
            header: Some(name),
            ..Self::of(detail)
        }
    }
}

/// An error answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Problem {
    /// Names the kind of problem; stable.
    #[serde(rename = "type")]
    #[schema(value_type = String, example = "urn:quota:problem:invalid_body")]
    pub kind: String,
    /// The kind of problem, for people.
    #[schema(value_type = String)]
    pub title: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong this time.
    pub detail: String,
    /// A stable name for programs.
    #[schema(value_type = String)]
    pub code: &'static str,
    /// What is wrong with which part of the request.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// Seconds after which the same request may succeed.
    #[serde(skip)]
    pub retry_after: Option<u32>,
    /// Whether the connection ends with this answer: the rest of the request is still on it.
    #[serde(skip)]
    pub closes: bool,
}

/// The `type` of a problem with this code.
pub fn problem_type(code: &str) -> String {
    format!("urn:quota:problem:{code}")
}

impl Problem {
    /// A problem with no more to say than its detail.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        let title = status.canonical_reason().unwrap_or("Error");
        Self {
            kind: problem_type(code),
            title,
            status: status.as_u16(),
            detail: detail.into(),
            code,
            errors: Vec::new(),
            retry_after: None,
            closes: false,
        }
    }

    /// A value in the body that can never be right.
    pub fn invalid_body(error: FieldError) -> Self {
        Self::invalid("invalid_body", error)
    }

    /// A part of the path or of the query that can never be right.
    pub fn invalid_parameter(name: &'static str, detail: impl Into<String>) -> Self {
        Self::invalid("invalid_parameter", FieldError::parameter(name, detail))
    }

    /// A header that can never be right.
    pub fn invalid_header(name: &'static str, detail: impl Into<String>) -> Self {
        Self::invalid("invalid_header", FieldError::header(name, detail))
    }

    fn invalid(code: &'static str, error: FieldError) -> Self {
        let place = error
            .pointer
            .as_deref()
            .or(error.parameter)
            .or(error.header)
            .unwrap_or_default();
        let detail = format!("{place}: {}", error.detail);
        let mut problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail);
        problem.errors.push(error);
        problem
    }

    /// Says after how many seconds to try again.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// Has the connection end with this answer.
    #[must_use]
    pub fn closing(mut self) -> Self {
        self.closes = true;
        self
    }

    /// Moves the blame from one place in the body to another.
    #[must_use]
    pub fn at_instead(mut self, pointer: &str, actual: &str) -> Self {
        for error in &mut self.errors {
            if error.pointer.as_deref() == Some(pointer) {
                error.pointer = Some(actual.to_owned());
            }
        }
        self
    }

    /// Puts every place in the body below another.
    #[must_use]
    pub fn below(mut self, place: &str) -> Self {
        for pointer in self
            .errors
            .iter_mut()
            .filter_map(|error| error.pointer.as_mut())
        {
            pointer.insert_str(0, place);
        }
        self
    }

    /// Moves the blame from a header to a place in the body.
    #[must_use]
    pub fn in_body(mut self, header: &str, pointer: &str) -> Self {
        for error in &mut self.errors {
            if error.header == Some(header) {
                error.header = None;
                error.pointer = Some(pointer.to_owned());
            }
        }
        self
    }

    /// Moves the blame from a place in the body to a part of the path.
    #[must_use]
    pub fn in_path(mut self, pointer: &str, parameter: &'static str) -> Self {
        for error in &mut self.errors {
            if error.pointer.as_deref() == Some(pointer) {
                error.pointer = None;
                error.parameter = Some(parameter);
            }
        }
        self
    }

    /// Whatever failed here; the cause is in the log and not in the answer.
    pub fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal_error",
            "the request could not be carried out; the log says why",
        )
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.closes {
            close_after(headers);
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"quota\""),
            );
        }
        response
    }
}
