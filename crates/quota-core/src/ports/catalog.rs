//! Where the catalog is kept.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::store_error::StoreError;
use crate::catalog::Catalog;

/// The catalog in force.
#[async_trait]
pub trait CatalogStore: Send + Sync {
    /// The catalog; the empty one, version 0, before the first `apply`.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    async fn catalog(&self) -> Result<Catalog, StoreError>;

    /// The version of the catalog; it is asked for every second, so a store that can tell it without reading the whole
    /// catalog does.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    async fn catalog_version(&self) -> Result<u64, StoreError> {
        Ok(self.catalog().await?.version)
    }

    /// Stores `next` if the stored version is the one before it; `false` when it is not. Earlier ones are kept.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written.
    async fn put_catalog(
        &self,
        next: &Catalog,
        actor: Option<&str>,
        at: DateTime<Utc>,
    ) -> Result<bool, StoreError>;
}
