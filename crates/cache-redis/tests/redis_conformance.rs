//! The promises of every cache, on a real server.
#![expect(
    clippy::expect_used,
    reason = "a test without its server fails and says why"
)]

use std::sync::Arc;
use std::time::Duration;

use cache_redis::{RedisCache, RedisCacheSettings};
use quota_core::ports::Cache;

async fn open() -> (Arc<dyn Cache>, ()) {
    let settings = RedisCacheSettings {
        prefix: format!("test-{:016x}", rand::random::<u64>()),
        // A busy machine is not what these tests are about.
        connect_timeout: Duration::from_mins(5),
        command_timeout: Duration::from_mins(5),
        ..RedisCacheSettings::new(testkit::redis::shared_url())
    };
    let cache = RedisCache::connect(&settings).await.expect("good settings");
    (Arc::new(cache), ())
}

testkit::conformance_cache!(open);
