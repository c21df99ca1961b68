//! API keys that were read lately.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use quota_core::ports::ApiKey;

/// Keys that are remembered.
const REMEMBERED_MAX: usize = 10_000;
/// How long a key is remembered: a revoked one is refused everywhere within this time.
const REMEMBERED_FOR: Duration = Duration::from_millis(500);

/// When one request reads it again, while the others still go by what is remembered.
const RENEWED_AFTER: Duration = Duration::from_millis(250);

pub(crate) fn known_keys() -> KnownKeys {
    quick_cache::sync::Cache::new(REMEMBERED_MAX)
}

/// Keys by the hash of their secret.
pub(crate) type KnownKeys = quick_cache::sync::Cache<[u8; 32], Arc<KnownKey>>;

pub(crate) struct KnownKey {
    pub(crate) key: Arc<ApiKey>,
    pub(crate) read_at: Instant,
    pub(crate) is_renewed: AtomicBool,
}

impl KnownKey {
    /// Whether this request may go by it.
    pub(crate) fn holds(&self) -> bool {
        let age = self.read_at.elapsed();
        age < RENEWED_AFTER
            || (age < REMEMBERED_FOR && self.is_renewed.swap(true, Ordering::Relaxed))
    }
}
