//! Problems as responses: the body of `api-types` and the headers that go with it.

use std::borrow::Cow;

use api_types::{FieldError, PROBLEM_JSON, problem_type};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::outage::Away;

/// An error answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong; boxed, because results carry it through every handler.
    pub body: Box<api_types::Problem>,
    /// Which of several things that were asked for together is at fault, counted from 0; it is not sent.
    pub index: Option<usize>,
    /// Seconds after which the same request may succeed.
    pub retry_after: Option<u32>,
    /// Whether the connection ends with this answer: the rest of the request is still on it.
    pub closes: bool,
    /// Why the database is away, where that is the problem; it is not sent.
    pub away: Option<String>,
}

impl Problem {
    /// A problem about the request as a whole.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        let body = api_types::Problem {
            kind: problem_type(code),
            title: status.canonical_reason().unwrap_or("Error").into(),
            status: status.as_u16(),
            detail: detail.into(),
            code: code.into(),
            errors: Vec::new(),
            feature: None,
            limit: None,
            used: None,
        };
        Self {
            body: Box::new(body),
            index: None,
            retry_after: None,
            closes: false,
            away: None,
        }
    }

    /// A field of the body that can never be right.
    pub fn invalid_body(error: FieldError) -> Self {
        Self::invalid("invalid_body", error)
    }

    /// A parameter of the path or the query that can never be right.
    pub fn invalid_parameter(
        name: impl Into<Cow<'static, str>>,
        detail: impl Into<String>,
    ) -> Self {
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
            .or(error.parameter.as_deref())
            .or(error.header.as_deref())
            .unwrap_or_default();
        let detail = match place {
            "" => format!("the body {}", error.detail),
            place => format!("{place}: {}", error.detail),
        };
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail).about(error)
    }

    /// Adds a part of the request that is wrong.
    #[must_use]
    pub fn about(mut self, error: FieldError) -> Self {
        self.body.errors.push(error);
        self
    }

    /// Says after how many seconds to try again.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// Ends the connection with this answer.
    #[must_use]
    pub fn closing(mut self) -> Self {
        self.closes = true;
        self
    }

    /// Changes one place in the body to another, in the text too where that names it.
    #[must_use]
    pub fn at_instead(mut self, pointer: &str, actual: &str) -> Self {
        if let Some(why) = self.body.detail.strip_prefix(&format!("{pointer}: ")) {
            self.body.detail = format!("{actual}: {why}");
        }
        for error in &mut self.body.errors {
            if error.pointer.as_deref() == Some(pointer) {
                error.pointer = Some(actual.to_owned());
            }
        }
        self
    }

    /// Changes every place in the body to one, in the text too.
    #[must_use]
    pub fn all_at(mut self, actual: &str) -> Self {
        let pointers = self
            .body
            .errors
            .iter()
            .filter_map(|error| error.pointer.clone());
        for pointer in pointers.collect::<Vec<_>>() {
            self = self.at_instead(&pointer, actual);
        }
        self
    }

    /// Puts every place in the body below another, in the text too where that names it.
    #[must_use]
    pub fn below(mut self, place: &str) -> Self {
        let errors = self.body.errors.iter_mut();
        for pointer in errors.filter_map(|error| error.pointer.as_mut()) {
            let named = match pointer.as_str() {
                "" => "the body ".to_owned(),
                pointer => format!("{pointer}: "),
            };
            pointer.insert_str(0, place);
            if let Some(why) = self.body.detail.strip_prefix(&named) {
                self.body.detail = format!("{pointer}: {why}");
            }
        }
        self
    }

    /// Changes a header to a place in the body.
    #[must_use]
    pub fn in_body(mut self, header: &str, pointer: &str) -> Self {
        for error in &mut self.body.errors {
            if error.header.as_deref() == Some(header) {
                error.header = None;
                error.pointer = Some(pointer.to_owned());
            }
        }
        self
    }

    /// Changes a place in the body to a parameter of the path.
    #[must_use]
    pub fn in_path(mut self, pointer: &str, parameter: &'static str) -> Self {
        for error in &mut self.body.errors {
            if error.pointer.as_deref() == Some(pointer) {
                error.pointer = None;
                error.parameter = Some(parameter.into());
            }
        }
        self
    }

    /// A failure on this side; the cause goes to the log and not into the answer.
    pub fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal_error",
            "internal error; the server's log has the cause",
        )
    }
}

/// Ends the connection after this answer.
pub(crate) fn close_after(headers: &mut HeaderMap) {
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.body.status);
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&*self.body).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.closes {
            close_after(headers);
        }
        if let Some(cause) = self.away {
            response.extensions_mut().insert(Away(cause));
        }
        let headers = response.headers_mut();
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"quota\""),
            );
        }
        response
    }
}

/// In the document it is the body of `api-types`.
impl PartialSchema for Problem {
    fn schema() -> RefOr<Schema> {
        api_types::Problem::schema()
    }
}

impl ToSchema for Problem {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        api_types::Problem::schemas(schemas);
    }
}
