//! Nobody waits for ever.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::future::join_all;
use quota_core::ids::AccountId;
use quota_service::Engine;

use super::Store;
use crate::races::{Arena, consume};

/// Asks for single units until one is refused, it was done, or so many tries are over; how many were allowed.
async fn spend_on(engine: Engine, account: AccountId, tries: u32, done: Arc<AtomicBool>) -> u64 {
    let mut allowed = 0;
    for _ in 0..tries {
        if done.load(Ordering::Relaxed) {
            break;
        }
        let reply = engine.submit(consume(&account, 1)).await;
        let reply = reply.expect("the engine answers");
        allowed += u64::from(reply.operation.answer.is_allowed());
    }
    allowed
}

/// O1: two engines on one org, each with eight members of its own: exactly the org's limit passes, and both engines
/// get a part of it.
pub async fn two_engines_on_one_org_both_make_progress(store: Store) {
    let arena = Arena::open(store, 2).await;
    let acme = arena.org("acme", 500).await;
    let mut tasks = Vec::new();
    for number in 0..16 {
        let member = arena.member(&format!("m{number}"), "acme").await;
        let engine = arena.engines[number % 2].clone();
        tasks.push(tokio::spawn(spend_on(engine, member, 40, Arc::default())));
    }
    let mut by_engine = [0, 0];
    for (number, task) in tasks.into_iter().enumerate() {
        by_engine[number % 2] += task.await.expect("a task ends");
    }
    assert_eq!(by_engine.iter().sum::<u64>(), 500);
    assert!(
        !by_engine.contains(&0),
        "one engine got nothing: {by_engine:?}"
    );
    let after = arena.close().await;
    assert_eq!(after.used(&acme), 500);
}

/// A12: while 200 tasks press on one org, others beside it get their answers: they are through before the pressure
/// ends, and nothing is lost or doubled anywhere.
pub async fn neighbours_of_a_hot_org_are_not_starved(store: Store) {
    const TRIES: u32 = 25;
    const HOT_TRIES_MAX: u32 = 1_000;
    let arena = Arena::open(store, 2).await;
    let hot = arena.org("hot", 1_000_000).await;
    let member = arena.member("busy", "hot").await;
    let mut neighbours = Vec::new();
    for number in 0..8 {
        arena.org(&format!("cool{number}"), 1_000).await;
        let of = format!("cool{number}");
        neighbours.push(arena.member(&format!("calm{number}"), &of).await);
    }
    let done = Arc::new(AtomicBool::new(false));
    let engines = || arena.engines.iter().cloned().cycle();
    let pressing = engines().take(200).map(|engine| {
        tokio::spawn(spend_on(
            engine,
            member.clone(),
            HOT_TRIES_MAX,
            Arc::clone(&done),
        ))
    });
    let pressing: Vec<_> = pressing.collect();
    let calm = neighbours.iter().zip(engines());
    let calm = calm.map(|(account, engine)| {
        tokio::spawn(spend_on(engine, account.clone(), TRIES, Arc::default()))
    });
    for passed in join_all(calm).await {
        assert_eq!(passed.expect("a neighbour ends"), u64::from(TRIES));
    }
    let is_pressed = pressing.iter().any(|task| !task.is_finished());
    done.store(true, Ordering::Relaxed);
    let mut passed = 0;
    for task in pressing {
        passed += task.await.expect("a task ends");
    }
    assert!(
        is_pressed,
        "the neighbours waited for the hot org to be done"
    );
    let after = arena.close().await;
    assert_eq!((after.used(&hot), after.used(&member)), (passed, passed));
    for neighbour in &neighbours {
        assert_eq!(after.used(neighbour), u64::from(TRIES));
    }
}
