//! The promises of every cache, and those of this one: it is bounded and forgets in time.

use std::sync::Arc;
use std::time::Duration;

use cache_memory::{MemoryCache, MemoryCacheSettings};
use quota_core::ports::Cache;
use testkit::conformance::cache::cached;
use testkit::fixtures::user;

#[expect(clippy::unused_async, reason = "other caches are connected to")]
async fn open() -> (Arc<dyn Cache>, ()) {
    (Arc::new(MemoryCache::default()), ())
}

testkit::conformance_cache!(open);

#[tokio::test]
async fn an_entry_is_given_no_longer_than_its_time() {
    let cache = MemoryCache::new(&MemoryCacheSettings {
        entry_ttl: Duration::ZERO,
        ..MemoryCacheSettings::default()
    });
    let bob = user("bob");
    cache.put(cached(&bob, &bob, 1)).await.unwrap();
    assert_eq!(cache.get(&bob, &bob).await.unwrap(), None);
}

#[tokio::test]
async fn a_home_that_was_forgotten_takes_its_entries_with_it() {
    let cache = MemoryCache::new(&MemoryCacheSettings {
        homes_max: 8,
        ..MemoryCacheSettings::default()
    });
    let bob = user("bob");
    cache.put(cached(&bob, &bob, 1)).await.unwrap();
    // Heard of twice, so that they count for as much as bob.
    for other in (0..4_096).map(|n| user(&format!("u{n}"))) {
        for version in [1, 2] {
            let told = [(other.clone(), version)];
            cache.advance(&told, false).await.unwrap();
        }
    }
    assert_eq!(cache.get(&bob, &bob).await.unwrap(), None);
    // The new record of the home knows less than the old one: the entry stays out.
    cache.advance(&[(bob.clone(), 0)], false).await.unwrap();
    assert_eq!(cache.get(&bob, &bob).await.unwrap(), None);
}
