//! Races for what plans of several limits, and boosts with an end, leave.

use chrono::TimeDelta;
use quota_core::amount::Amount;
use quota_core::answer::Answer;
use quota_core::command::{Command, GiveBoost, Subscribe};
use quota_core::denial::Reason;
use quota_core::ids::{BoostId, PlanCode};
use quota_service::Reply;

use super::Store;
use crate::fixtures::feature;
use crate::races::{Arena, allowed, consume, spend};

/// The cadences that the denials of some replies name.
fn windows_that_bound(replies: &[Reply]) -> Vec<String> {
    let denials = replies.iter().filter_map(|reply| {
        let Answer::Denied { denial, .. } = &reply.operation.answer else {
            return None;
        };
        Some(denial.window.map(|per| per.to_string()))
    });
    let mut windows: Vec<String> = denials.map(Option::unwrap_or_default).collect();
    windows.dedup();
    windows
}

/// C9, E32, E33: 45 within five hours of the first use and 50 a week. Of 64 at once exactly 45 pass; five hours later, of 64
/// more, exactly the 5 that are left of the week; and no window of five hours begins for those that the week refuses.
pub async fn the_last_units_of_five_hours_and_of_a_week_are_used_once(store: Store) {
    let arena = Arena::open(store, 4).await;
    let ann = arena.visitor("ann").await;
    let plan = PlanCode::new("chat").expect("a literal code");
    arena
        .set(&ann, Command::Subscribe(Subscribe::to(plan)))
        .await;
    let asks = || vec![spend(&ann, "msg", 1, None); 64];
    let replies = arena.answers(asks()).await;
    assert_eq!(allowed(&replies), 45);
    assert_eq!(windows_that_bound(&replies), ["5h"]);
    arena.clock.advance(TimeDelta::hours(5));
    let replies = arena.answers(asks()).await;
    assert_eq!(allowed(&replies), 5);
    assert_eq!(windows_that_bound(&replies), ["weekly"]);
    arena.clock.advance(TimeDelta::hours(5));
    let replies = arena.answers(asks()).await;
    assert_eq!(allowed(&replies), 0);
    let after = arena.close().await;
    let balances = &after.account(&ann).books.balances;
    let begun = balances
        .iter()
        .filter(|balance| balance.bucket.to_string().contains("5h"))
        .count();
    assert!(begun <= 2, "a denial begins no window: {balances:?}");
    assert_eq!(after.booked(&ann), 50);
}

/// C13: 40 units of a boost and 64 requests of four engines, while the clock passes the boost's end: no unit is drawn at its end
/// or after it, none beyond the boost, and what passed is what the boost has lost.
pub async fn a_boost_that_ends_while_it_is_drawn_gives_nothing_afterwards(store: Store) {
    let arena = Arena::open(store, 4).await;
    let ann = arena.user("ann", 0).await;
    let begins_at = arena.engines[0].now();
    let ends_at = begins_at + TimeDelta::hours(1);
    let boost = Command::GiveBoost(GiveBoost {
        boost: BoostId::new("short").expect("a literal id"),
        feature: feature("art"),
        amount: Amount::new(40).expect("in range"),
        ends_at: Some(ends_at),
    });
    arena.set(&ann, boost).await;
    let at_its_end = async {
        tokio::task::yield_now().await;
        arena.clock.set(ends_at);
    };
    let (replies, ()) = tokio::join!(arena.answers(vec![consume(&ann, 1); 64]), at_its_end);
    let drawn = replies
        .iter()
        .filter(|reply| reply.operation.answer.is_allowed());
    for reply in drawn {
        assert!(reply.operation.at < ends_at, "{:?}", reply.operation);
    }
    let late = arena.answers(vec![consume(&ann, 1); 8]).await;
    assert_eq!(allowed(&late), 0);
    let denied = late.iter().filter(|reply| {
        let answer = &reply.operation.answer;
        matches!(answer, Answer::Denied { denial, .. } if denial.reason == Reason::LimitReached)
    });
    assert_eq!(denied.count(), 8);
    let after = arena.close().await;
    let passed = allowed(&replies);
    assert!(passed <= 40, "{passed}");
    assert_eq!(after.booked(&ann), passed);
    assert_eq!(usize::try_from(after.boosts_used(&ann)), Ok(passed));
}
