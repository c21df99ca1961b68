//! Problems: every error answer is `application/problem+json` (RFC 9457) with a stable code.

use std::borrow::Cow;

use quota_core::ids::FeatureCode;
use serde::{Deserialize, Serialize};

/// The media type of problems.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// What is wrong with one part of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FieldError {
    /// A field of the body, as a JSON pointer such as `/items/0/amount`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// A parameter of the path or the query.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameter: Option<Cow<'static, str>>,
    /// A header of the request, by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<Cow<'static, str>>,
    /// What is wrong with it.
    pub detail: String,
    /// A line of the catalog file, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// A column of the catalog file, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
}

impl FieldError {
    /// About a field of the body.
    pub fn at(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            pointer: Some(pointer.into()),
            detail: detail.into(),
            ..Self::default()
        }
    }

    /// About a parameter of the path or the query.
    pub fn parameter(name: impl Into<Cow<'static, str>>, detail: impl Into<String>) -> Self {
        Self {
            parameter: Some(name.into()),
            detail: detail.into(),
            ..Self::default()
        }
    }

    /// An error about a header of the request.
    pub fn header(name: &'static str, detail: impl Into<String>) -> Self {
        Self {
            header: Some(name.into()),
            detail: detail.into(),
            ..Self::default()
        }
    }
}

/// An error answer, as RFC 9457 has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// A URI that names the kind of problem: `urn:quota:problem:` and `code`.
    #[serde(rename = "type")]
    #[cfg_attr(
        feature = "openapi",
        schema(example = "urn:quota:problem:invalid_body")
    )]
    pub kind: String,
    /// The name of the HTTP status.
    pub title: Cow<'static, str>,
    /// The HTTP status, the same as that of the answer.
    pub status: u16,
    /// What is wrong with this request.
    pub detail: String,
    /// The kind of problem; a code never changes its meaning.
    pub code: Cow<'static, str>,
    /// The parts of the request that are wrong.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// A member too many: code of the feature that counts the org's members.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feature: Option<FeatureCode>,
    /// A member too many: how many the org may have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// A member too many: how many it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<u64>,
}

/// The `type` of a problem with this code.
pub fn problem_type(code: &str) -> String {
    format!("urn:quota:problem:{code}")
}
