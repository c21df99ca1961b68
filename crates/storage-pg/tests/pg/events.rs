//! Events while others write: what commits late comes late, and is not lost.

use quota_core::event::Event;
use quota_core::ids::AccountId;
use quota_core::ports::{EventFeed, QueuePlace};
use sqlx::{Connection, PgConnection};
use storage_pg::PgStore;
use testkit::fixtures::event;

use crate::fixture::{change, fresh, id, sql, write};

const CONSUMER: &str = "reader";

async fn with_event(store: &PgStore, home: &AccountId) -> Event {
    let mut made = change(home, 0, 1);
    made.events = vec![event(home, home, 1)];
    let event = made.events[0].clone();
    write(store, vec![made]).await;
    event
}

/// Reads the queue and passes it.
async fn read_all(store: &PgStore, queue: i16) -> Vec<AccountId> {
    let found = store
        .next_events(CONSUMER, QueuePlace::start_of(queue), 100)
        .await;
    let found = found.expect("reads");
    if let Some(last) = found.last() {
        let passed = store.pass_events(CONSUMER, last.at).await;
        passed.expect("writes");
    }
    found.into_iter().map(|next| next.event.account).collect()
}

/// Y6: an event whose transaction began first and committed last is not behind the cursor.
#[tokio::test]
async fn an_event_that_is_committed_late_is_not_lost() {
    let (store, url) = fresh("late_event").await;
    let first = id("user:first");
    with_event(&store, &first).await;
    let queue = sql(&url, "select shard from outbox").await.expect("reads");
    let queue: i16 = queue.parse().expect("a shard");
    assert_eq!(read_all(&store, queue).await, [first]);

    let mut late = PgConnection::connect(&url).await.expect("connects");
    let mut open = late.begin().await.expect("begins");
    let append = "insert into outbox (shard, account, number, home, id, sequence, at, kind)
        select shard, $1, 1, $1, gen_random_uuid(), 1, at, kind from outbox where account = 'user:first'";
    for (account, is_late) in [("user:late", true), ("user:early", false)] {
        let append = sqlx::query(append).bind(account);
        if is_late {
            append.execute(&mut *open).await.expect("writes");
        } else {
            append.execute(store.pool()).await.expect("writes");
        }
    }
    assert_eq!(read_all(&store, queue).await, [id("user:early")]);
    open.commit().await.expect("commits");
    assert_eq!(read_all(&store, queue).await, [id("user:late")]);
    assert!(read_all(&store, queue).await.is_empty());
}

/// Two consumers that give places at the same time give each event one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn places_are_given_by_one_at_a_time() {
    let (store, url) = fresh("places").await;
    with_event(&store, &id("user:first")).await;
    let queue = sql(&url, "select shard from outbox").await.expect("reads");
    let queue: i16 = queue.parse().expect("a shard");
    let many = "insert into outbox (shard, account, number, home, id, sequence, at, kind)
        select shard, 'user:' || n, 1, 'user:' || n, gen_random_uuid(), 1, at, kind
        from outbox, generate_series(1, 200) as n where account = 'user:first'";
    sqlx::query(many)
        .execute(store.pool())
        .await
        .expect("writes");
    let mut givers = tokio::task::JoinSet::new();
    for giver in 0..4 {
        let store = store.clone();
        givers.spawn(async move {
            let found = store
                .next_events(
                    &format!("reader{giver}"),
                    QueuePlace::start_of(queue),
                    1_000,
                )
                .await;
            found.expect("reads").len()
        });
    }
    while let Some(found) = givers.join_next().await {
        assert_eq!(found.expect("ends"), 201, "what is visible is all of it");
    }
    let places = "select count(distinct place), count(*),
        max(place) <= (select max(last_place) from outbox_places) from outbox";
    assert_eq!(sql(&url, places).await.expect("reads"), "201|201|t");
}
