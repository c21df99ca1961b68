//! More requests than there is quota.

use quota_core::amount::Amount;
use quota_core::answer::Answer;
use quota_core::command::{Command, Presence, PutAccount, PutToken, Reserve};
use quota_core::denial::Reason;
use quota_core::draw::Scope;
use quota_core::ids::{AccountId, FeatureCode, TokenId};
use quota_service::{Ask, Reply};

use super::Store;
use crate::races::{Arena, allowed, ask, consume, spend};

fn hold(account: &AccountId, units: u64) -> Ask {
    let reserve = Reserve {
        token: None,
        feature: FeatureCode::new("art").expect("a literal code"),
        amount: Amount::new(units).expect("in range"),
        ttl_seconds: 600,
    };
    ask(account, Command::Reserve(reserve))
}

fn denied_for(replies: &[Reply], wanted: Reason, at: Scope) -> usize {
    let is_it = |reply: &&Reply| {
        let answer = &reply.operation.answer;
        matches!(answer, Answer::Denied { denial, .. } if (denial.reason, denial.scope) == (wanted, at))
    };
    replies.iter().filter(is_it).count()
}

/// E12: 50 units left and 70 requests of 1 at once: exactly 50 are allowed, 20 denied, used is the limit, and the
/// ledger agrees.
pub async fn of_seventy_at_once_exactly_the_fifty_that_are_left_pass(store: Store) {
    let arena = Arena::open(store, 4).await;
    let ann = arena.user("ann", 50).await;
    let replies = arena.answers(vec![consume(&ann, 1); 70]).await;
    assert_eq!(allowed(&replies), 50);
    assert_eq!(denied_for(&replies, Reason::LimitReached, Scope::User), 20);
    let after = arena.close().await;
    assert_eq!((after.used(&ann), after.booked(&ann)), (50, 50));
}

/// F5, I4: 500 credits in five packs, 48 tasks and 2,880 tries: exactly 500 pass, and no pack is overdrawn.
pub async fn of_thousands_of_tries_exactly_as_many_pass_as_there_are_credits(store: Store) {
    let arena = Arena::open(store, 4).await;
    let ann = arena.visitor("ann").await;
    for pack in ["a", "b", "c", "d", "e"] {
        arena.grant(&ann, pack, 100).await;
    }
    let asks = vec![spend(&ann, "img", 1, None); 60];
    let tasks = (0..48).map(|task| {
        let (engine, asks) = (arena.engines[task % 4].clone(), asks.clone());
        tokio::spawn(async move {
            let mut replies = Vec::with_capacity(asks.len());
            for ask in asks {
                replies.push(engine.submit(ask).await.expect("the engine answers"));
            }
            replies
        })
    });
    let mut replies = Vec::new();
    for task in tasks.collect::<Vec<_>>() {
        replies.extend(task.await.expect("a task ends"));
    }
    assert_eq!((replies.len(), allowed(&replies)), (2_880, 500));
    let denied = denied_for(&replies, Reason::CreditsExhausted, Scope::User);
    assert_eq!(denied, 2_380);
    let after = arena.close().await;
    assert_eq!((after.credits_used(&ann), after.booked(&ann)), (500, 500));
}

/// F1, I4: 20 units of a limit and 15 in two boosts, 80 requests at once, every third for two units: never a unit beyond the
/// last one of the boosts, and nothing of a request in part.
pub async fn the_last_unit_of_a_boost_is_used_once(store: Store) {
    let arena = Arena::open(store, 4).await;
    let ann = arena.user("ann", 20).await;
    arena.boost(&ann, "first", 10).await;
    arena.boost(&ann, "second", 5).await;
    let asks = (0..80).map(|number| consume(&ann, if number % 3 == 0 { 2 } else { 1 }));
    let replies = arena.answers(asks.collect()).await;
    let denied = denied_for(&replies, Reason::LimitReached, Scope::User);
    assert_eq!(allowed(&replies) + denied, 80);
    let after = arena.close().await;
    assert_eq!((after.used(&ann), after.boosts_used(&ann)), (20, 15));
    assert_eq!(after.booked(&ann), allowed(&replies));
}

/// C11: two features sold on demand for 4 and for 1.5 under one cap of 90, 64 callers of each of four engines at once: what is
/// owed comes within one unit of the cap and never beyond it, and nothing of a request is sold in part.
pub async fn the_spend_cap_over_two_features_is_never_passed(store: Store) {
    let arena = Arena::open(store, 4).await;
    let ann = arena.metered("ann", 90).await;
    let asks = (0..64).map(|number| match number % 3 {
        0 => spend(&ann, "img", 3, None),
        1 => consume(&ann, 2),
        _ => consume(&ann, 1),
    });
    let replies = arena.answers(asks.collect()).await;
    let denied = denied_for(&replies, Reason::SpendCapReached, Scope::User);
    assert_eq!(allowed(&replies) + denied, 64);
    let more = arena.answers(vec![consume(&ann, 1); 64]).await;
    let after = arena.close().await;
    let (used, owed) = (after.used(&ann), after.owed(&ann));
    assert_eq!(used, 10, "the allowance first");
    assert!((87..=90).contains(&owed), "{owed}");
    assert_eq!(after.booked(&ann), allowed(&replies) + allowed(&more));
}

/// O1, O6: three members with 50 requests each against one org's 100: exactly 100 pass, the others hear that the
/// org refused, and the org has used what its members have.
pub async fn three_members_share_one_limit_to_the_last_unit(store: Store) {
    let arena = Arena::open(store, 4).await;
    let acme = arena.org("acme", 100).await;
    let mut members = Vec::new();
    for id in ["ann", "bob", "cid"] {
        members.push(arena.member(id, "acme").await);
    }
    let asks = members.iter().cycle().take(150);
    let asks = asks.map(|member| consume(member, 1)).collect();
    let replies = arena.answers(asks).await;
    assert_eq!(allowed(&replies), 100);
    assert_eq!(
        denied_for(&replies, Reason::OrgLimitReached, Scope::Org),
        50
    );
    let after = arena.close().await;
    let by_members: u64 = members.iter().map(|member| after.used(member)).sum();
    assert_eq!((after.used(&acme), by_members), (100, 100));
}

/// O7: 64 requests at once of one member that may use 20 of its org's 1,000, on each of four engines, some of which hold and some
/// of which the org's boost pays: the member never has a unit more than its limit, and others may still use the org's.
pub async fn a_member_limit_is_never_passed(store: Store) {
    let arena = Arena::open(store, 4).await;
    let acme = arena.org("acme", 11).await;
    arena.boost(&acme, "more", 100).await;
    arena.member_limit(&acme, 20).await;
    let (ann, bob) = (
        arena.member("ann", "acme").await,
        arena.member("bob", "acme").await,
    );
    let asks = (0..64).map(|number| match number % 4 {
        0 => consume(&ann, 2),
        1 => hold(&ann, 1),
        _ => consume(&ann, 1),
    });
    let replies = arena.answers(asks.collect()).await;
    let denied = denied_for(&replies, Reason::MemberLimitReached, Scope::Org);
    assert_eq!(allowed(&replies) + denied, 64);
    let others = arena.answers(vec![consume(&bob, 1); 5]).await;
    assert_eq!(allowed(&others), 5);
    let after = arena.close().await;
    let by_ann = after.used(&ann) + after.held_by(&ann);
    assert_eq!(by_ann, 20, "to the last unit and none beyond it");
}

/// O5: token, user and org are all charged or none, when all three are nearly empty and two members compete.
pub async fn token_user_and_org_run_dry_together_and_never_in_part(store: Store) {
    let arena = Arena::open(store, 4).await;
    let acme = arena.org("acme", 10).await;
    let (ann, bob) = (
        arena.member("ann", "acme").await,
        arena.member("bob", "acme").await,
    );
    let spec = quota_core::command::AccountSpec {
        unlimited: Some(false),
        ..Default::default()
    };
    let presence = Presence::Existing;
    arena
        .set(&ann, Command::PutAccount(PutAccount { presence, spec }))
        .await;
    arena.limit(&ann, 8).await;
    let token = Command::PutToken(PutToken {
        token: TokenId::new("t").expect("a token id"),
        presence: Presence::New,
        cap: Some(quota_core::amount::Limit::Of(9)),
        per: None,
        expires_at: None,
    });
    arena.set(&ann, token).await;
    let asks = (0..90).map(|number| match number % 3 {
        0 => spend(&ann, "art", 1, Some("t")),
        1 => spend(&ann, "art", 3, Some("t")),
        _ => consume(&bob, 1),
    });
    arena.answers(asks.collect()).await;
    let after = arena.close().await;
    let (of_ann, of_bob) = (after.used(&ann), after.used(&bob));
    assert!(of_ann <= 8, "ann used {of_ann}");
    assert_eq!(
        after.tokens_used(&ann),
        of_ann,
        "the token is charged what ann is"
    );
    assert_eq!((after.used(&acme), of_ann + of_bob), (10, 10));
}
