//! API keys: stored hashed, listed by prefix.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::store_error::StoreError;

/// What a key may do; each scope may do what the ones below it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum KeyScope {
    /// Look: checks, overviews, lists.
    Read,
    /// Decide, and change accounts.
    Write,
    /// Everything: apply a catalog, keys, start jobs.
    Admin,
}

impl KeyScope {
    /// The scope as a word, the same as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }
}

/// An API key without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// By which it is listed and revoked; not the secret.
    pub id: Uuid,
    /// What it is for, in the operator's words.
    pub name: String,
    /// What it may do.
    pub scope: KeyScope,
    /// The secret's first characters, to tell keys apart.
    pub prefix: String,
    /// SHA-256 of the secret.
    pub hash: [u8; 32],
    /// Since when it exists.
    pub created_at: DateTime<Utc>,
    /// Since when it is revoked.
    pub revoked_at: Option<DateTime<Utc>>,
}

/// API keys, found by the hash of their secret.
#[async_trait]
pub trait KeyStore: Send + Sync {
    /// Stores a new key.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written.
    async fn put_key(&self, key: &ApiKey) -> Result<(), StoreError>;

    /// The key with this hash, revoked or not.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    async fn key_by_hash(&self, hash: &[u8; 32]) -> Result<Option<ApiKey>, StoreError>;

    /// All keys, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    async fn keys(&self) -> Result<Vec<ApiKey>, StoreError>;

    /// Revokes a key; `false` when there is none with this id. The first instant stays.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written.
    async fn revoke_key(&self, id: Uuid, at: DateTime<Utc>) -> Result<bool, StoreError>;
}
