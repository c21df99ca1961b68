//! Turns that processes share.

use quota_core::ports::Turns;

use crate::fixture::{fresh, reopened, sql};

/// Two stores with one bucket: the instants that the database wrote down say so themselves, whatever the machine's speed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_stores_of_one_bucket_stay_below_the_bound_in_any_second() {
    const BOUND: u32 = 20;
    let (one, url) = fresh("turns").await;
    let mut asking = Vec::new();
    for store in [one, reopened(&url).await] {
        asking.push(tokio::spawn(async move {
            for _ in 0..45 {
                store.take_turn("calls", BOUND).await.expect("a turn");
            }
        }));
    }
    for one in asking {
        one.await.expect("ends");
    }
    let told = sql(&url, "select unnest(turns) from call_turns").await;
    let told = told.expect("reads");
    let given: Vec<u64> = told
        .lines()
        .map(|line| line.parse().expect("a number"))
        .collect();
    assert_eq!(given.len(), 90);
    for (earlier, later) in given.iter().zip(given.iter().skip(20)) {
        assert!(earlier + 1_000_000 <= *later, "{given:?}");
    }
    let more = fresh_turns(&url, 40).await;
    assert_eq!(more, "100", "no more are kept than are counted");
}

async fn fresh_turns(url: &str, turns: u32) -> String {
    let store = reopened(url).await;
    for _ in 0..turns {
        store.take_turn("calls", 20).await.expect("a turn");
    }
    sql(url, "select cardinality(turns) from call_turns")
        .await
        .expect("reads")
}

/// A clock that was set back makes nobody wait for what it said before.
#[tokio::test]
async fn turns_of_a_clock_that_was_set_back_are_forgotten() {
    let (store, url) = fresh("turns_back").await;
    store.take_turn("calls", 20).await.expect("a turn");
    sql(
        &url,
        "update call_turns set turns = array[turns[1] + 3600000000]",
    )
    .await
    .expect("writes");
    let wait = store.take_turn("calls", 20).await.expect("a turn");
    assert_eq!(wait.as_secs(), 0);
}
