//! Redis killed, frozen, flushed: calls come back soon, nothing old is given, and it recovers by itself.
#![expect(
    clippy::expect_used,
    reason = "a test without its server fails and says why"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cache_redis::{RedisCache, RedisCacheSettings};
use quota_core::ids::AccountId;
use quota_core::ports::{Cache, CachedHome, EventSink};
use testkit::conformance::cache::cached;
use testkit::fixtures::{event, user};
use testkit::redis::RedisServer;
use tokio::time::{interval, timeout};

/// Longest that a test waits for what comes at last, however busy the machine is.
const WAIT_MAX: Duration = Duration::from_mins(5);
/// How long a command may take: longer than a busy machine needs for one that is answered.
const TIME_OUT: Duration = Duration::from_secs(3);
/// Calls of which each would wait for a time-out, if Redis were asked.
const CALLS: u32 = 1_000;

fn settings(server: &RedisServer) -> RedisCacheSettings {
    RedisCacheSettings {
        connect_timeout: WAIT_MAX,
        command_timeout: TIME_OUT,
        ..RedisCacheSettings::new(server.url())
    }
}

async fn node(server: &RedisServer) -> RedisCache {
    let cache = RedisCache::connect(&settings(server))
        .await
        .expect("good settings");
    until_up(&cache).await;
    cache
}

async fn until_up(cache: &RedisCache) {
    let mut ticks = interval(Duration::from_millis(5));
    let wait = async {
        while cache.ping().await.is_err() {
            ticks.tick().await;
        }
    };
    timeout(WAIT_MAX, wait).await.expect("up in time");
}

/// What a caller goes on with: an error is a miss.
async fn get(cache: &RedisCache, home: &AccountId) -> Option<Arc<CachedHome>> {
    cache.get(home, home).await.unwrap_or_default()
}

/// Uses a cache whose Redis is away: seven calls wait for one time-out together at most, and versions are kept.
async fn use_while_away(cache: &RedisCache, home: &AccountId, version: u64) {
    let begun_at = Instant::now();
    let _ = cache.advance(&[(home.clone(), version)], true).await;
    assert_eq!(get(cache, home).await, None);
    let _ = cache.put(cached(home, home, version - 1)).await;
    assert_eq!(get(cache, home).await, None, "older than what was heard of");
    let _ = cache.put(cached(home, home, version)).await;
    assert!(cache.ping().await.is_err());
    let told = cache.events().publish(&event(home, home, version)).await;
    assert!(
        told.is_err(),
        "an event that was not told is told again later"
    );
    let took = begun_at.elapsed();
    assert!(took < TIME_OUT * 4, "{took:?}");
}

/// Calls while Redis is away cost far less than if each waited.
async fn assert_calls_fail_fast(cache: &RedisCache) {
    let begun_at = Instant::now();
    for number in 0..CALLS {
        assert_eq!(get(cache, &user(&format!("u{number}"))).await, None);
    }
    let took = begun_at.elapsed();
    assert!(took < TIME_OUT * CALLS / 10, "{CALLS} calls took {took:?}");
}

/// After Redis is back: what was told meanwhile is known to a node that comes only now.
async fn assert_recovered(
    server: &RedisServer,
    cache: &RedisCache,
    home: &AccountId,
    version: u64,
) {
    until_up(cache).await;
    let late = node(server).await;
    late.put(cached(home, home, version - 1))
        .await
        .expect("Redis takes it");
    assert_eq!(get(&late, home).await, None, "the late node was told");
    let fresh = user(&format!("fresh-{version}"));
    cache
        .put(cached(&fresh, &fresh, 1))
        .await
        .expect("Redis takes it");
    assert!(get(&late, &fresh).await.is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_redis_costs_little_and_comes_back() {
    let mut server = RedisServer::start().expect("a server");
    let (cache, bob) = (node(&server).await, user("bob"));
    cache.put(cached(&bob, &bob, 5)).await.unwrap();
    for version in [6, 8] {
        server.kill_9().unwrap();
        use_while_away(&cache, &bob, version).await;
        assert_calls_fail_fast(&cache).await;
        server.restart().unwrap();
        assert_recovered(&server, &cache, &bob, version).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_redis_costs_one_time_out_and_comes_back() {
    let server = RedisServer::start().expect("a server");
    let (cache, bob) = (node(&server).await, user("bob"));
    cache.put(cached(&bob, &bob, 5)).await.unwrap();
    for version in [6, 8] {
        server.freeze().unwrap();
        use_while_away(&cache, &bob, version).await;
        assert_calls_fail_fast(&cache).await;
        server.thaw().unwrap();
        assert_recovered(&server, &cache, &bob, version).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_at_the_same_time_do_not_pile_up_on_a_frozen_redis() {
    let server = RedisServer::start().expect("a server");
    let cache = node(&server).await;
    server.freeze().unwrap();
    let begun_at = Instant::now();
    let calls = (0..CALLS).map(|number| {
        let cache = cache.clone();
        tokio::spawn(async move { get(&cache, &user(&format!("u{number}"))).await })
    });
    for call in calls.collect::<Vec<_>>() {
        assert_eq!(call.await.unwrap(), None);
    }
    let took = begun_at.elapsed();
    assert!(took < TIME_OUT * CALLS / 10, "{CALLS} calls took {took:?}");
}

#[tokio::test]
async fn a_redis_that_is_away_at_the_start_is_found_later() {
    let mut server = RedisServer::start().expect("a server");
    server.kill_9().unwrap();
    let settings = RedisCacheSettings {
        connect_timeout: TIME_OUT,
        ..settings(&server)
    };
    let cache = RedisCache::connect(&settings).await.expect("good settings");
    let bob = user("bob");
    use_while_away(&cache, &bob, 3).await;
    server.restart().unwrap();
    assert_recovered(&server, &cache, &bob, 3).await;
}

#[tokio::test]
async fn a_flush_brings_nothing_old_back() {
    let server = RedisServer::start().expect("a server");
    let (first, slow, bob) = (node(&server).await, node(&server).await, user("bob"));
    // The slow node looks, misses, and reads version 5 from the store.
    assert_eq!(get(&slow, &bob).await, None);
    first.advance(&[(bob.clone(), 7)], true).await.unwrap();
    server.flush().unwrap();
    // It heard of 7 meanwhile, and Redis has forgotten: neither takes what it has read.
    let _ = slow.put(cached(&bob, &bob, 5)).await;
    let new_node = node(&server).await;
    for cache in [&first, &slow, &new_node] {
        assert_eq!(get(cache, &bob).await, None);
    }
    new_node.put(cached(&bob, &bob, 7)).await.unwrap();
    assert_eq!(get(&first, &bob).await, Some(cached(&bob, &bob, 7)));
}

#[tokio::test]
async fn a_put_from_before_a_flush_is_refused_by_redis() {
    let server = RedisServer::start().expect("a server");
    let slow = node(&server).await;
    // The record that it saw is gone when it puts, with and without a successor: Redis knows no better by version.
    for (bob, has_successor) in [(user("bob"), false), (user("rob"), true)] {
        assert_eq!(get(&slow, &bob).await, None);
        server.flush().unwrap();
        let other = node(&server).await;
        if has_successor {
            assert_eq!(get(&other, &bob).await, None);
        }
        slow.put(cached(&bob, &bob, 5)).await.unwrap();
        assert_eq!(get(&other, &bob).await, None);
    }
}

#[tokio::test]
async fn an_entry_goes_with_its_homes_record() {
    let server = RedisServer::start().expect("a server");
    let (first, bob) = (node(&server).await, user("bob"));
    first.put(cached(&bob, &bob, 5)).await.unwrap();
    first.advance(&[(bob.clone(), 7)], true).await.unwrap();
    assert_eq!(
        get(&node(&server).await, &bob).await,
        None,
        "7 is known to a node that comes later"
    );
    // Redis is full and evicts the record; then a slow node tells what it knew long ago.
    let outcome = server.ask("DEL q:{user:bob}:v").unwrap();
    assert_eq!(outcome, ":1\r\n");
    let slow = node(&server).await;
    slow.advance(&[(bob.clone(), 3)], true).await.unwrap();
    assert_eq!(get(&node(&server).await, &bob).await, None);
}

#[tokio::test]
async fn after_a_flush_the_cache_fills_again() {
    let server = RedisServer::start().expect("a server");
    let (first, second, bob) = (node(&server).await, node(&server).await, user("bob"));
    first.put(cached(&bob, &bob, 5)).await.unwrap();
    server.flush().unwrap();
    assert_eq!(get(&second, &bob).await, None);
    second.put(cached(&bob, &bob, 5)).await.unwrap();
    let third = node(&server).await;
    assert_eq!(get(&third, &bob).await, Some(cached(&bob, &bob, 5)));
}

/// For how long exactly, a test of the layer in the process says, which gives it the time.
#[tokio::test]
async fn an_entry_is_not_given_for_long_when_nothing_proves_that_messages_come() {
    let server = RedisServer::start().expect("a server");
    let (cache, bob) = (node(&server).await, user("bob"));
    let mut ticks = interval(Duration::from_millis(50));
    cache.put(cached(&bob, &bob, 5)).await.unwrap();
    // Beats come back: the entry is given for longer than the second that needs no proof. On a busy machine they may be
    // late; then it is put once more.
    let mut put_at = Instant::now();
    while put_at.elapsed() < Duration::from_millis(1_500) {
        ticks.tick().await;
        if get(&cache, &bob).await.is_none() {
            cache.put(cached(&bob, &bob, 5)).await.unwrap();
            put_at = Instant::now();
        }
    }
    server.freeze().unwrap();
    let wait = async {
        while get(&cache, &bob).await.is_some() {
            ticks.tick().await;
        }
    };
    timeout(WAIT_MAX, wait).await.expect("no longer given");
    server.thaw().unwrap();
    until_up(&cache).await;
    assert_eq!(
        get(&cache, &bob).await,
        Some(cached(&bob, &bob, 5)),
        "Redis still has it"
    );
}

/// Stores what it reads late, and reads: what this node has heard of is never undercut.
async fn use_under_faults(
    cache: RedisCache,
    heard: Arc<AtomicU64>,
    is_over: Arc<AtomicBool>,
) -> u64 {
    let (home, mut hits, mut turn) = (user("bob"), 0, 0);
    while !is_over.load(Ordering::SeqCst) {
        let known = heard.load(Ordering::SeqCst);
        if let Some(entry) = get(&cache, &home).await {
            assert!(entry.version >= known, "{} after {known}", entry.version);
            hits += 1;
        }
        turn = (turn + 1) % 3;
        let _ = cache
            .put(cached(&home, &home, known.saturating_sub(turn)))
            .await;
        tokio::task::yield_now().await;
    }
    hits
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_faults_nobody_gets_less_than_was_heard_of() {
    let mut server = RedisServer::start().expect("a server");
    let (cache, other) = (node(&server).await, node(&server).await);
    let (heard, is_over) = (
        Arc::new(AtomicU64::new(0)),
        Arc::new(AtomicBool::new(false)),
    );
    let users: Vec<_> = (0..3)
        .map(|_| use_under_faults(cache.clone(), Arc::clone(&heard), Arc::clone(&is_over)))
        .map(tokio::spawn)
        .collect();
    // The other node is told of nothing but by Redis, and stores what is older all the time.
    let nothing = Arc::new(AtomicU64::new(0));
    let slow = tokio::spawn(use_under_faults(other, nothing, Arc::clone(&is_over)));
    let mut ticks = interval(Duration::from_millis(10));
    for round in 0..160_u64 {
        match round % 40 {
            8 => server.freeze().unwrap(),
            16 => server.thaw().unwrap(),
            22 => drop(server.flush()),
            28 => server.kill_9().unwrap(),
            34 => server.restart().unwrap(),
            _ => {}
        }
        ticks.tick().await;
        let _ = cache
            .advance(&[(user("bob"), round + 1)], round % 2 == 0)
            .await;
        heard.store(round + 1, Ordering::SeqCst);
    }
    is_over.store(true, Ordering::SeqCst);
    for user in users {
        assert!(
            user.await.expect("nothing older was given") > 0,
            "some reads hit"
        );
    }
    slow.await.expect("calls come back");
    until_up(&cache).await;
}
