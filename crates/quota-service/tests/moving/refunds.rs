//! What lies over several homes: refunds and late commits of what happened before a move.

use std::time::Duration;

use chrono::TimeDelta;
use quota_core::amount::Amount;
use quota_core::answer::Rejection;
use quota_core::command::{
    AccountSpec, CloseWindows, Command, Commit, Consume, GrantCredits, Presence, PutAccount,
    Refund, Reserve,
};
use quota_core::ids::{FeatureCode, GrantId, IdempotencyKey, OrgId};
use quota_core::item::Item;
use quota_core::origin::Origin;
use quota_service::{Ask, EngineError, EngineSettings, Reply};
use testkit::memory::FailWhen;
use tokio::time::Instant;

use crate::{Stage, acme, consume, id};

impl Stage {
    /// Ann consumes 3 in the org and leaves it; the refund of that, without a key.
    async fn refund_after_a_move(&self) -> Ask {
        self.moves(Some(&acme())).await.expect("it joins");
        let spent = self.done("user:ann", None, consume(3)).await;
        self.moves(None).await.expect("it leaves");
        refund_of(&spent, None)
    }
}

/// A refund without a key of what was spent, or of a part of it.
fn refund_of(spent: &Reply, part: Option<u64>) -> Ask {
    Ask {
        account: spent.operation.account.clone(),
        key: None,
        command: Command::Refund(Refund {
            operation: spent.operation.id,
            feature: None,
            amount: part.map(|part| Amount::new(part).expect("in range")),
        }),
        origin: Origin::default(),
    }
}

/// X3, R5: a hold that ran out before a move is committed late after it, and asked again gives the same answer.
#[tokio::test]
async fn a_hold_from_before_a_move_is_committed_late_after_it() {
    let stage = Stage::new().await;
    stage.moves(Some(&acme())).await.expect("moved");
    let reserve = Command::Reserve(Reserve {
        token: None,
        feature: FeatureCode::new("art").expect("a literal code"),
        amount: Amount::new(2).expect("in range"),
        ttl_seconds: 60,
    });
    let held = stage.done("user:ann", None, reserve).await.operation.id;
    stage.clock.advance(TimeDelta::seconds(61));
    stage.moves(None).await.expect("moved");
    let (own, org) = (stage.used("user:ann").await, stage.used("org:acme").await);
    let commit = Command::Commit(Commit {
        reservation: held,
        actual: 2,
    });
    let late = stage.done("user:ann", Some("k"), commit.clone()).await;
    assert_eq!(late.home, id("user:ann"));
    assert_eq!(stage.used("user:ann").await, own + 2);
    assert_eq!(stage.used("org:acme").await, org + 2);
    for key in [Some("k"), None] {
        let again = stage.done("user:ann", key, commit.clone()).await;
        assert_eq!(again.operation, late.operation);
    }
    stage.is_sound().await;
    stage.moves(Some(&acme())).await.expect("moved");
    // In the org's home its part is what is found.
    let again = stage.done("user:ann", None, commit).await;
    assert_eq!(again.operation.refers_to, late.operation.refers_to);
    assert_eq!(stage.used("user:ann").await, own + 2);
    assert_eq!(stage.used("org:acme").await, org + 2);
    stage.is_sound().await;
}

/// X3, X8: what was consumed before joining and leaving an org is shown and refunded after it, never more than was taken, whether
/// the user is a home by then or a member again.
#[tokio::test]
async fn what_was_consumed_in_an_earlier_life_is_shown_and_refunded() {
    let stage = Stage::new().await;
    let spent = stage.done("user:ann", None, consume(6)).await;
    let mut left = 6;
    for org in [Some(acme()), None, Some(acme()), None] {
        stage.moves(org.as_ref()).await.expect("moved");
        let (ann, id) = (id("user:ann"), spent.operation.id);
        let shown = stage.engine.operation(&ann, id).await.expect("shown");
        assert_eq!(shown, *spent.operation);
        let part = stage.engine.submit(refund_of(&spent, Some(1))).await;
        part.expect("refunded");
        left -= 1;
        assert_eq!(stage.used("user:ann").await, left);
        stage.is_sound().await;
    }
    let too_much = stage.engine.submit(refund_of(&spent, Some(left + 1))).await;
    let rest = Rejection::RefundTooLarge { refundable: left };
    let rest = EngineError::Rejected(rest).to_string();
    assert_eq!(too_much.expect_err("too much").to_string(), rest);
    assert_eq!(stage.used("org:acme").await, 0);
}

/// X1, X3: whichever call of the store fails, before or after its effect, a refund of what lies in a former home takes effect
/// once, in both homes or in none; whoever asks again under the same key is told.
#[tokio::test(start_paused = true)]
async fn a_refund_after_a_move_is_whole_whichever_call_fails() {
    for when in [FailWhen::BeforeEffect, FailWhen::AfterEffect] {
        for failing in 1.. {
            let stage = Stage::new().await;
            let ask = Ask {
                key: Some(IdempotencyKey::new("k").expect("a literal key")),
                ..stage.refund_after_a_move().await
            };
            let call = stage.store.calls() + failing;
            stage.store.fail_at(call, when);
            let first = stage.engine.submit(ask.clone()).await;
            if stage.store.calls() < call {
                assert!(3 < failing, "the homes were read and written");
                break;
            }
            let used = (stage.used("user:ann").await, stage.used("org:acme").await);
            assert!([(3, 3), (0, 0)].contains(&used), "call {failing}: {used:?}");
            let again = stage.engine.submit(ask).await.expect("an answer");
            if let Ok(first) = first {
                assert_eq!(again.operation, first.operation, "call {failing}");
            }
            assert_eq!(stage.used("user:ann").await, 0, "call {failing}");
            assert_eq!(stage.used("org:acme").await, 0, "call {failing}");
            stage.is_sound().await;
        }
    }
}

/// X3: a refund without a key over two homes: where the fate of its write is unknown it is found by its id, before anything
/// is answered. An error means that nothing took effect.
#[tokio::test(start_paused = true)]
async fn a_refund_after_a_move_is_found_before_it_is_answered() {
    let mut errors = 0;
    for when in [FailWhen::BeforeEffect, FailWhen::AfterEffect] {
        for (failing, more) in (1..9).flat_map(|failing| [0, 1].map(|more| (failing, more))) {
            let stage = Stage::new().await;
            let ask = stage.refund_after_a_move().await;
            let call = stage.store.calls() + failing;
            for call in call..=call + more {
                stage.store.fail_at(call, when);
            }
            let answer = stage.engine.submit(ask).await;
            if stage.store.calls() < call + more {
                continue;
            }
            let used = (stage.used("user:ann").await, stage.used("org:acme").await);
            let place = format!("call {failing} and {more} more fail {when:?}: {answer:?}");
            if answer.is_ok() {
                assert_eq!(used, (0, 0), "{place}");
            } else {
                assert_eq!(used, (3, 3), "{place}");
                errors += 1;
            }
            stage.is_sound().await;
        }
    }
    assert_ne!(errors, 0, "a read that fails is told at once");
}

/// X3: a refund without a key over two homes, whose write fails and lands all the same while the next try reads: it takes
/// effect once, whole or in part, and is answered as what it was.
#[tokio::test(start_paused = true)]
async fn a_refund_whose_write_lands_late_takes_effect_once() {
    for (loads, part) in (0..8).flat_map(|loads| [None, Some(3)].map(|part| (loads, part))) {
        let stage = Stage::new().await;
        stage.moves(Some(&acme())).await.expect("it joins");
        let spent = stage.done("user:ann", None, consume(9)).await;
        stage.moves(None).await.expect("it leaves");
        stage.store.land_late(loads);
        let answer = stage.engine.submit(refund_of(&spent, part)).await;
        let place = format!("{part:?} lands after {loads} loads");
        answer.expect(&place);
        let left = part.map_or(0, |part| 9 - part);
        let used = (stage.used("user:ann").await, stage.used("org:acme").await);
        assert_eq!(used, (left, left), "{place}");
        stage.is_sound().await;
    }
}

/// The wait for what lies over two homes ends with the deadline, and it is carried out all the same: an engine that stops
/// waits for it.
#[tokio::test(start_paused = true)]
async fn a_refund_after_a_move_is_waited_for_until_the_deadline() {
    let settings = EngineSettings {
        deadline: Duration::from_secs(1),
        ..EngineSettings::default()
    };
    let mut write = 0;
    for is_lost in [false, true] {
        let stage = Stage::new().await;
        let ask = stage.refund_after_a_move().await;
        let node = stage.node(settings.clone()).await;
        let before = stage.store.calls();
        if is_lost {
            // The write, and the first tries to find out what became of it.
            for call in write..write + 5 {
                let call = before + call;
                stage.store.fail_at(call, FailWhen::BeforeEffect);
            }
        }
        let since = Instant::now();
        let answer = node.submit(ask).await;
        if is_lost {
            assert!(matches!(answer, Err(EngineError::Deadline)), "{answer:?}");
            assert_eq!(since.elapsed(), settings.deadline);
            assert_eq!(stage.used("org:acme").await, 3, "not yet");
            node.stop().await;
        } else {
            answer.expect("refunded");
            write = stage.store.calls() - before;
        }
        assert_eq!(stage.used("user:ann").await, 0);
        assert_eq!(stage.used("org:acme").await, 0);
    }
}

/// X3, R6: credits of a grant that was used up and that the books closed in a home between come back, also where the user is in
/// the first home again.
#[tokio::test]
async fn credits_of_a_grant_that_was_closed_in_a_home_between_come_back() {
    let beta = OrgId::new("beta").expect("a literal id");
    for last in [acme(), beta] {
        let stage = Stage::new().await;
        let bob = id("user:bob");
        let spec = AccountSpec {
            org: Some(acme()),
            unlimited: Some(false),
            ..AccountSpec::default()
        };
        let presence = Presence::New;
        let put = Command::PutAccount(PutAccount { presence, spec });
        stage.done("user:bob", None, put).await;
        let credits = Amount::new(5).expect("in range");
        let grant = Command::GrantCredits(GrantCredits {
            grant: GrantId::new("pack").expect("a literal id"),
            credits,
            priority: 0,
            expires_at: None,
        });
        stage.done("user:bob", None, grant).await;
        let item = Item {
            feature: FeatureCode::new("tok").expect("a literal code"),
            amount: credits,
        };
        let consume = Command::Consume(Consume {
            token: None,
            items: vec![item],
        });
        let spent = stage.done("user:bob", None, consume).await;
        let moves = async |org: Option<&OrgId>| {
            let moved = stage.engine.move_user(&bob, org, None, Origin::default());
            moved.await.expect("moved")
        };
        let used = async || stage.engine.grants(&bob).await.expect("read")[0].used;
        moves(None).await;
        let close = Command::CloseWindows(CloseWindows::default());
        stage.done("user:bob", None, close).await;
        moves(Some(&last)).await;
        assert_eq!(used().await, 5);
        let back = stage.engine.submit(refund_of(&spent, None)).await;
        back.expect("refunded");
        assert_eq!(used().await, 0, "{last}");
        let again = stage.engine.submit(refund_of(&spent, None)).await;
        let already = EngineError::Rejected(Rejection::AlreadyRefunded).to_string();
        assert_eq!(again.expect_err("once").to_string(), already);
        stage.is_sound().await;
    }
}
