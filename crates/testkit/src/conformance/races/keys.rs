//! The same key from everywhere.

use quota_core::answer::Answer;
use quota_service::{EngineError, Reply};

use super::Store;
use crate::races::{Arena, allowed, consume_with_key};

/// Engines that get the same request.
const ENGINES: usize = 8;
/// Keys, and how many of them there is quota for.
const KEYS: usize = 25;
const LEFT: u64 = 20;

/// X1, E13: the same key from eight engines at once: one effect, and all get the same answer, denials included. Sent
/// again after the quota ran out it says allowed, and after there is quota again a denial stays one.
pub async fn one_key_from_eight_engines_has_one_effect_and_one_answer(store: Store) {
    let arena = Arena::open(store, ENGINES).await;
    let ann = arena.user("ann", LEFT).await;
    let ask = |number: usize| consume_with_key(&ann, 1, &format!("k{number}"));
    for number in 0..KEYS {
        let replies = arena.answers(vec![ask(number); ENGINES]).await;
        let first = &replies[0];
        let is_same = |reply: &Reply| reply.operation == first.operation;
        assert!(replies.iter().all(is_same), "key {number}: {replies:?}");
        let replays = replies.iter().filter(|reply| reply.is_replay);
        assert_eq!(replays.count(), ENGINES - 1);
        let has_quota = u64::try_from(number).expect("small") < LEFT;
        assert_eq!(allowed(&replies), if has_quota { ENGINES } else { 0 });
    }
    let again = arena.answers((0..KEYS).map(ask).collect()).await;
    assert_eq!(
        allowed(&again),
        20,
        "the quota has run out, the answers stay"
    );
    arena.limit(&ann, 1_000).await;
    let later = arena.answers((0..KEYS).map(ask).collect()).await;
    assert_eq!(
        allowed(&later),
        20,
        "there is quota again, the answers stay"
    );
    assert!(again.iter().chain(&later).all(|reply| reply.is_replay));
    let after = arena.close().await;
    assert_eq!((after.used(&ann), after.booked(&ann)), (LEFT, 20));
    assert_eq!(after.consumptions(&ann).count(), KEYS);
}

/// X1: of two bodies under one key the first that came has its effect, and the other one hears that the key is taken.
pub async fn a_key_with_two_bodies_belongs_to_the_first_that_came(store: Store) {
    let arena = Arena::open(store, ENGINES).await;
    let ann = arena.user("ann", 1_000).await;
    for number in 0..KEYS {
        let key = format!("k{number}");
        let bodies = [1, 2].map(|units| consume_with_key(&ann, units, &key));
        let asks = bodies.into_iter().cycle().take(ENGINES).collect();
        let verdicts = arena.at_once(asks).await;
        let is_taken = |verdict: &&_| matches!(verdict, Err(EngineError::KeyReused { .. }));
        assert_eq!(verdicts.iter().filter(is_taken).count(), ENGINES / 2);
        let units = verdicts.iter().flatten().map(|reply| {
            let answer = &reply.operation.answer;
            assert!(matches!(answer, Answer::Allowed { .. }), "{answer:?}");
            reply.operation.entries[0].used
        });
        let units: Vec<i64> = units.collect();
        assert_eq!(
            units,
            [units[0]; ENGINES / 2],
            "all hear of the same effect"
        );
    }
    let after = arena.close().await;
    assert_eq!(after.booked(&ann), KEYS);
}
