//! API keys that were read lately.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use quota_core::ports::ApiKey;
use tokio::time::Instant;

/// Keys that are remembered.
const REMEMBERED_MAX: usize = 10_000;
/// How long a key is remembered: a revoked one is refused everywhere within this time.
const REMEMBERED_FOR: Duration = Duration::from_millis(500);

/// When one request reads it again, while the others still go by what is remembered.
const RENEWED_AFTER: Duration = Duration::from_millis(250);

/// Keys by the hash of their secret.
pub(crate) struct KnownKeys {
    keys: quick_cache::sync::Cache<[u8; 32], Arc<KnownKey>>,
    /// How often a key was revoked here. What was read before the last time is not gone by, even if it comes later.
    revocations: AtomicU64,
}

/// A key that is about to be read: when, and after how many revocations.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BegunRead {
    at: Instant,
    revocations: u64,
}

struct KnownKey {
    key: Arc<ApiKey>,
    read: BegunRead,
    is_renewed: AtomicBool,
}

impl KnownKeys {
    pub(crate) fn new() -> Self {
        Self {
            keys: quick_cache::sync::Cache::new(REMEMBERED_MAX),
            revocations: AtomicU64::new(0),
        }
    }

    /// The key with this hash, if this request may go by what is remembered.
    pub(crate) fn get(&self, hash: &[u8; 32]) -> Option<Arc<ApiKey>> {
        let known = self.keys.get(hash)?;
        let is_current = known.read.revocations == self.revocations.load(Ordering::SeqCst);
        (is_current && known.holds()).then(|| Arc::clone(&known.key))
    }

    pub(crate) fn begin_read(&self) -> BegunRead {
        BegunRead {
            at: Instant::now(),
            revocations: self.revocations.load(Ordering::SeqCst),
        }
    }

    pub(crate) fn remember(&self, key: &Arc<ApiKey>, read: BegunRead) {
        let known = KnownKey {
            key: Arc::clone(key),
            read,
            is_renewed: AtomicBool::new(false),
        };
        self.keys.insert(key.hash, Arc::new(known));
    }

    /// Has every key read again, those too that are being read now.
    pub(crate) fn forget_all(&self) {
        self.revocations.fetch_add(1, Ordering::SeqCst);
        self.keys.clear();
    }
}

impl KnownKey {
    /// Whether a request may go by it.
    fn holds(&self) -> bool {
        let age = self.read.at.elapsed();
        age < RENEWED_AFTER
            || (age < REMEMBERED_FOR && self.is_renewed.swap(true, Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use quota_core::ports::KeyScope;
    use uuid::Uuid;

    use super::*;

    /// A key that was being read while one was revoked may be the one: it is read again.
    #[test]
    fn a_read_that_a_revocation_overtook_is_not_remembered() {
        let known = KnownKeys::new();
        let key = Arc::new(ApiKey {
            id: Uuid::from_u128(1),
            name: "app".to_owned(),
            scope: KeyScope::Write,
            prefix: "quota_0".to_owned(),
            hash: [7; 32],
            created_at: DateTime::<Utc>::UNIX_EPOCH,
            revoked_at: None,
        });
        let overtaken = known.begin_read();
        known.forget_all();
        known.remember(&key, overtaken);
        assert_eq!(known.get(&key.hash), None);
        known.remember(&key, known.begin_read());
        assert_eq!(known.get(&key.hash), Some(Arc::clone(&key)));
        known.forget_all();
        assert_eq!(known.get(&key.hash), None);
    }
}
