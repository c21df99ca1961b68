//! Turns over a real Redis: however many ask, no second of Redis' own clock has more than the bound.
#![expect(
    clippy::expect_used,
    reason = "a test without its server fails and says why"
)]

use std::time::Duration;

use cache_redis::{RedisCache, RedisCacheSettings, RedisTurns};
use deadpool_redis::redis::{AsyncCommands as _, Client};
use quota_core::ports::Turns;

const SECOND: u64 = 1_000_000;

async fn client(url: &str, prefix: &str) -> (RedisCache, RedisTurns) {
    let settings = RedisCacheSettings {
        prefix: prefix.to_owned(),
        // A busy machine is not what these tests are about.
        connect_timeout: Duration::from_mins(5),
        command_timeout: Duration::from_mins(5),
        ..RedisCacheSettings::new(url)
    };
    let cache = RedisCache::connect(&settings).await.expect("good settings");
    let turns = cache.turns();
    (cache, turns)
}

/// Asks until Redis has been found.
async fn turn(turns: &RedisTurns, bound: u32) -> Duration {
    loop {
        match turns.take_turn("calls", bound).await {
            Ok(wait) => return wait,
            Err(_) => tokio::task::yield_now().await,
        }
    }
}

/// The instants of the turns, as Redis has them, the last one first.
async fn given(url: &str, prefix: &str) -> Vec<u64> {
    let client = Client::open(url).expect("a url");
    let mut to = client
        .get_multiplexed_async_connection()
        .await
        .expect("answers");
    let key = format!("{prefix}:{{turns:calls}}");
    to.lrange(key, 0, -1).await.expect("a list")
}

/// Two clients with one bucket: the instants that Redis wrote down say so themselves, whatever the machine's speed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_clients_of_one_bucket_stay_below_the_bound_in_any_second() {
    const BOUND: u32 = 20;
    const EACH: usize = 50;
    let url = testkit::redis::shared_url();
    let prefix = format!("turns-{:016x}", rand::random::<u64>());
    let mut asking = Vec::new();
    for _ in 0..2 {
        let (cache, turns) = client(url, &prefix).await;
        asking.push(tokio::spawn(async move {
            for _ in 0..EACH {
                // Nobody waits: turns lie in the future then, as they do for many callers.
                turn(&turns, BOUND).await;
            }
            drop(cache);
        }));
    }
    for one in asking {
        one.await.expect("ends");
    }
    let given = given(url, &prefix).await;
    assert_eq!(given.len(), 2 * EACH);
    assert!(given.is_sorted_by(|later, earlier| earlier <= later));
    let bound = usize::try_from(BOUND).expect("few");
    for (place, later) in given.iter().enumerate() {
        if let Some(earlier) = given.get(place + bound) {
            assert!(earlier + SECOND <= *later, "{place}: {given:?}");
        }
    }
    // And they are given as soon as the bound allows.
    let span = given[0] - given[given.len() - 1];
    let least = u64::try_from(given.len()).expect("few") / u64::from(BOUND) - 1;
    assert!(
        least * SECOND <= span && span < (least + 60) * SECOND,
        "{span}"
    );
}

/// A Redis that is not there gives no turn, and is no reason to wait.
#[tokio::test]
async fn without_redis_no_turn_is_given() {
    let settings = RedisCacheSettings::new("redis://127.0.0.1:1");
    let cache = RedisCache::connect(&settings).await.expect("good settings");
    assert!(cache.turns().take_turn("calls", 20).await.is_err());
}
