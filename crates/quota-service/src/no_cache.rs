//! No cache: every read goes to the store.

use std::sync::Arc;

use async_trait::async_trait;
use quota_core::ids::AccountId;
use quota_core::ports::{Cache, CacheError, CachedHome};

/// A cache that keeps nothing; for embedding without one and for tests.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoCache;

#[async_trait]
impl Cache for NoCache {
    async fn get(
        &self,
        _home: &AccountId,
        _account: &AccountId,
    ) -> Result<Option<Arc<CachedHome>>, CacheError> {
        Ok(None)
    }

    async fn put(&self, _entry: Arc<CachedHome>) -> Result<(), CacheError> {
        Ok(())
    }

    async fn advance(
        &self,
        _homes: &[(AccountId, u64)],
        _is_urgent: bool,
    ) -> Result<(), CacheError> {
        Ok(())
    }

    fn name(&self) -> &'static str {
        "none"
    }

    async fn ping(&self) -> Result<(), CacheError> {
        Ok(())
    }
}
