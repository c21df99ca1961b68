//! Health and readiness.

use serde::{Deserialize, Serialize};

/// Whether the process can answer requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum HealthStatus {
    /// Everything works.
    Ok,
    /// The cache does not answer: answers are right, but slower. Or the database takes no writes: only reads are answered.
    Degraded,
}

/// The health of the process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HealthBody {
    /// Whether the process can answer requests.
    pub status: HealthStatus,
    /// Whether the database answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub store: Option<bool>,
    /// Whether the database took the last write, or the code of the problem that writes are answered with.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(example = "ok"))]
    pub writes: Option<String>,
    /// Whether the cache answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache: Option<bool>,
    /// `ok`, or what stands between this process and the payment provider, where one is connected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(example = "ok"))]
    pub provider: Option<String>,
    /// The state of the database's schema, where `api migrate` manages it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(example = "is current"))]
    pub schema: Option<String>,
}
