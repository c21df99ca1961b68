//! Several nodes over one Redis: what one is told, the others know.
#![expect(
    clippy::expect_used,
    reason = "a test without its server fails and says why"
)]

use std::sync::Arc;
use std::time::Duration;

use cache_redis::{RedisCache, RedisCacheSettings};
use quota_core::ids::AccountId;
use quota_core::ports::{Cache, CachedHome, EventSink};
use testkit::conformance::cache::{cached, odd_account};
use testkit::fixtures::{event, org, user};
use tokio::time::{interval, timeout};

/// Longest that a test waits for what comes at last, however busy the machine is.
const WAIT_MAX: Duration = Duration::from_mins(5);

fn settings() -> RedisCacheSettings {
    RedisCacheSettings {
        prefix: format!("test-{:016x}", rand::random::<u64>()),
        connect_timeout: WAIT_MAX,
        command_timeout: WAIT_MAX,
        ..RedisCacheSettings::new(testkit::redis::shared_url())
    }
}

async fn node(settings: &RedisCacheSettings) -> RedisCache {
    RedisCache::connect(settings).await.expect("good settings")
}

async fn get(cache: &RedisCache, home: &AccountId, account: &AccountId) -> Option<Arc<CachedHome>> {
    cache.get(home, account).await.expect("Redis answers")
}

/// Waits until the node gives nothing for that account.
async fn until_hidden(cache: &RedisCache, home: &AccountId) {
    let mut ticks = interval(Duration::from_millis(5));
    let wait = async {
        while get(cache, home, home).await.is_some() {
            ticks.tick().await;
        }
    };
    timeout(WAIT_MAX, wait).await.expect("hidden in time");
}

#[tokio::test]
async fn an_entry_comes_back_on_another_node_as_it_was_put() {
    let settings = settings();
    let (first, second) = (node(&settings).await, node(&settings).await);
    let entry = Arc::new(CachedHome {
        home: org("}{%"),
        version: u64::MAX - 1,
        hold_before: Some(odd_account().terms.created_at),
        account: user("🦀 \"x\""),
        user: odd_account(),
        org: Some(odd_account()),
    });
    first.put(Arc::clone(&entry)).await.unwrap();
    let found = get(&second, &entry.home, &entry.account).await;
    assert_eq!(found, Some(entry));
}

#[tokio::test]
async fn an_urgent_advance_is_known_to_the_other_nodes() {
    let settings = settings();
    let (first, second) = (node(&settings).await, node(&settings).await);
    let bob = user("bob");
    for version in 1..=5 {
        first.put(cached(&bob, &bob, version)).await.unwrap();
        assert!(get(&second, &bob, &bob).await.is_some());
        first
            .advance(&[(bob.clone(), version + 1)], true)
            .await
            .unwrap();
        until_hidden(&second, &bob).await;
    }
}

#[tokio::test]
async fn an_advance_of_usage_is_gathered_and_told() {
    let settings = settings();
    let (first, second) = (node(&settings).await, node(&settings).await);
    let homes: Vec<AccountId> = (0..3_000).map(|n| user(&format!("u{n}"))).collect();
    let (known, last) = (&homes[0], &homes[2_999]);
    for home in [known, last] {
        first.put(cached(home, home, 1)).await.unwrap();
        assert!(get(&second, home, home).await.is_some());
    }
    for version in 2..=4 {
        let told: Vec<(AccountId, u64)> =
            homes.iter().map(|home| (home.clone(), version)).collect();
        first.advance(&told, false).await.unwrap();
    }
    until_hidden(&second, known).await;
    until_hidden(&second, last).await;
    second.put(cached(last, last, 3)).await.unwrap();
    first.flush().await.unwrap();
    assert_eq!(
        get(&second, last, last).await,
        None,
        "the newest version was told"
    );
}

#[tokio::test]
async fn a_slow_nodes_old_entry_does_not_come_back() {
    let settings = settings();
    let (first, slow) = (node(&settings).await, node(&settings).await);
    let bob = user("bob");
    assert_eq!(get(&slow, &bob, &bob).await, None);
    first.advance(&[(bob.clone(), 7)], true).await.unwrap();
    slow.put(cached(&bob, &bob, 6)).await.unwrap();
    let new_node = node(&settings).await;
    for cache in [&first, &slow, &new_node] {
        assert_eq!(get(cache, &bob, &bob).await, None);
    }
    slow.put(cached(&bob, &bob, 7)).await.unwrap();
    assert!(get(&first, &bob, &bob).await.is_some());
}

#[tokio::test]
async fn installs_with_different_prefixes_do_not_meet() {
    let (first, second) = (node(&settings()).await, node(&settings()).await);
    let bob = user("bob");
    first.put(cached(&bob, &bob, 7)).await.unwrap();
    assert_eq!(get(&second, &bob, &bob).await, None);
    second.put(cached(&bob, &bob, 1)).await.unwrap();
    assert!(get(&second, &bob, &bob).await.is_some());
}

#[tokio::test]
async fn an_event_is_told_on_its_accounts_channel() {
    use deadpool_redis::redis::Client;
    use futures::StreamExt;

    let settings = settings();
    let sink = node(&settings).await.events();
    let (acme, bob) = (org("acme"), user("bob"));
    let client = Client::open(settings.url.as_str()).unwrap();
    let mut listener = client.get_async_pubsub().await.unwrap();
    let channel = cache_redis::Keys::new(&settings.prefix)
        .unwrap()
        .events(&acme, &bob);
    listener.subscribe(&channel).await.unwrap();
    let told = event(&acme, &bob, 4);
    sink.publish(&told).await.unwrap();
    let mut messages = listener.into_on_message();
    let message = timeout(WAIT_MAX, messages.next()).await.unwrap().unwrap();
    let heard: quota_core::event::Event =
        serde_json::from_slice(message.get_payload_bytes()).unwrap();
    assert_eq!(heard, told);
}
