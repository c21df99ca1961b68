//! The catalog in force, held in memory and read again when the store has a newer one.

use std::sync::{Arc, PoisonError, RwLock};

use quota_core::catalog::Catalog;
use quota_core::ports::{Storage, StoreError};

/// The catalog that requests are decided with.
pub(crate) struct Catalogs {
    storage: Arc<dyn Storage>,
    current: RwLock<Arc<Catalog>>,
}

impl Catalogs {
    pub(crate) async fn open(storage: Arc<dyn Storage>) -> Result<Self, StoreError> {
        let current = RwLock::new(Arc::new(storage.catalog().await?));
        Ok(Self { storage, current })
    }

    /// The newest that this node has read.
    pub(crate) fn current(&self) -> Arc<Catalog> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&current)
    }

    /// The catalog of a version that a load has seen: the one in memory, or read again.
    pub(crate) async fn at(&self, version: u64) -> Result<Arc<Catalog>, StoreError> {
        let current = self.current();
        if current.version == version {
            return Ok(current);
        }
        self.refresh().await
    }

    pub(crate) async fn refresh(&self) -> Result<Arc<Catalog>, StoreError> {
        let read = Arc::new(self.storage.catalog().await?);
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        if current.version <= read.version {
            *current = Arc::clone(&read);
        }
        Ok(Arc::clone(&current))
    }
}
