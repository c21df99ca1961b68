//! Codes: made by the batch, redeemed by many at once, with a store that fails, by guessers (P15, E31).
#![expect(clippy::expect_used, reason = "a call that fails is a failed test")]

mod faults;
mod making;
mod stage;

use chrono::TimeDelta;
use futures::future::join_all;
use quota_core::code::{CodeState, CodeWindow, GiftEnd};
use quota_service::{EngineError, NewCode, NewCodes, Redeem};
use testkit::fixtures::{instant, key};

use crate::stage::{AT_ONCE, Stage, boost, credits, new_codes, plan, redeem, refused};

/// E31: a code with 3 uses, 50 accounts at once: 3 are credited, and 47 are told `code_used`.
#[tokio::test]
async fn e31_of_fifty_at_once_three_are_credited() {
    let stage = Stage::new().await;
    let names: Vec<String> = (0..50).map(|number| format!("u{number}")).collect();
    join_all(names.iter().map(|name| stage.user(name))).await;
    let code = stage.code(credits(), 3).await;
    let redeemed = names.iter().map(|name| stage.redeem(name, &code.secret));
    let (mut credited, mut used) = (0, 0);
    for redeemed in join_all(redeemed).await {
        match redeemed {
            Ok(redeemed) => credited += u32::from(redeemed.is_news),
            refusal => {
                assert_eq!(refused(refusal), "code_used");
                used += 1;
            }
        }
    }
    assert_eq!((credited, used), (3, 47));
    let each = join_all(names.iter().map(|name| stage.has(name))).await;
    let sum: u64 = each.into_iter().map(|(credits, ..)| credits).sum();
    assert_eq!((sum, stage.uses(&code).await), (150, 3));
    stage.engine.stop().await;
}

/// P15: once for an account, whatever it gives, however many calls at once and later.
#[tokio::test]
async fn an_account_that_redeems_a_code_many_times_at_once_has_it_once() {
    let stage = Stage::new().await;
    let gifts = [credits(), boost(GiftEnd::Days(3)), plan("pro", 30)];
    for gift in gifts {
        let code = stage.code(gift, 9).await;
        let all = (0..AT_ONCE).map(|_| stage.redeem("ann", &code.secret));
        let all = join_all(all).await;
        let news = all.iter().map(|one| one.as_ref().expect("is hers"));
        assert_eq!(news.filter(|one| one.is_news).count(), 1);
        assert_eq!(stage.uses(&code).await, 1);
        let again = stage.redeem("ann", &code.secret).await.expect("is hers");
        assert!(!again.is_news && !again.is_replay);
        assert!(again.used.done_at.is_some());
    }
    assert_eq!(stage.has("ann").await, (50, 5, 1));
    assert_eq!(stage.has("bob").await, (0, 0, 0));
    stage.engine.stop().await;
}

/// P15: what was typed is read as the code that it looks like.
#[tokio::test]
async fn a_code_is_known_however_it_is_typed() {
    let stage = Stage::new().await;
    let code = stage.code(credits(), 1).await;
    let sloppy = code.secret.to_lowercase().replace('-', " ");
    let sloppy = sloppy.replace('0', "o").replace('1', "l");
    let redeemed = stage.redeem("ann", &format!(" {sloppy} ")).await;
    assert_eq!(redeemed.expect("is the code").code.id, code.code.id);
    stage.engine.stop().await;
}

/// P15: ten failures in a minute, then nothing is looked at, whoever answers; another account may go on, and so may this one
/// when its minute is over.
#[tokio::test]
async fn a_guesser_is_told_ten_times_that_there_is_no_such_code() {
    let stage = Stage::new().await;
    let other = Stage::over(&stage.store, &stage.clock).await;
    let code = stage.code(credits(), 9).await;
    let guess = |number: usize| {
        let text = match number % 4 {
            0 => String::new(),
            1 => "not a code at all".to_owned(),
            2 => format!("{}0", code.secret),
            _ => format!("ABCDE-FGHJK-MNPQR-STVWX-{number:05}"),
        };
        let node = [&stage, &other][number % 2];
        async move { node.redeem("ann", &text).await }
    };
    let guesses = join_all((0..AT_ONCE).map(guess)).await;
    let mut told = guesses.into_iter().map(|guess| match guess {
        Err(EngineError::Rejected(unknown)) => {
            let words = (unknown.code(), unknown.field(), unknown.to_string());
            let wanted = (
                "unknown_code",
                Some("code"),
                "there is no such code".to_owned(),
            );
            assert_eq!(words, wanted, "the same for all");
            true
        }
        Err(EngineError::TooManyFailures { seconds: 60 }) => false,
        other => panic!("{other:?}"),
    });
    assert_eq!(told.by_ref().filter(|is_told| *is_told).count(), 10);
    for node in [&stage, &other] {
        let right = node.redeem("ann", &code.secret).await;
        assert_eq!(refused(right), "too_many_failures");
    }
    stage.redeem("bob", &code.secret).await.expect("is another");
    stage.clock.advance(TimeDelta::milliseconds(59_001));
    let late = stage.redeem("ann", &code.secret).await;
    let Err(EngineError::TooManyFailures { seconds }) = late else {
        panic!("{late:?}");
    };
    assert_eq!(seconds, 1);
    stage.clock.advance(TimeDelta::milliseconds(999));
    stage.redeem("ann", &code.secret).await.expect("may again");
    let nobody = stage.redeem("nobody", "no code").await;
    assert_eq!(refused(nobody), "unknown_account");
    stage.engine.stop().await;
    other.engine.stop().await;
}

/// X1: a key stands for one redemption, and gets its answer again.
#[tokio::test]
async fn a_key_stands_for_one_redemption() {
    let stage = Stage::new().await;
    for gift in [credits(), plan("pro", 30)] {
        let (code, other) = (stage.code(gift.clone(), 9).await, stage.code(gift, 9).await);
        let keyed = |code: &NewCode| Redeem {
            key: Some(key(&format!("k {}", code.code.id))),
            ..redeem("ann", &code.secret)
        };
        for is_replay in [false, true, true] {
            let redeemed = stage.codes.redeem(keyed(&code)).await;
            let redeemed = redeemed.expect("is hers");
            assert!(redeemed.is_news);
            assert_eq!(redeemed.is_replay, is_replay);
        }
        let again = stage.redeem("ann", &code.secret).await.expect("is hers");
        assert!(!again.is_news);
        let reused = Redeem {
            code: other.secret.clone(),
            ..keyed(&code)
        };
        assert_eq!(
            refused(stage.codes.redeem(reused.clone()).await),
            "key_reused"
        );
        // What the key stands for is told before anything of the code, so guesses under it are not counted.
        let guessed = Redeem {
            code: "no code".to_owned(),
            ..reused
        };
        assert_eq!(refused(stage.codes.redeem(guessed).await), "key_reused");
        assert_eq!(stage.uses(&other).await, 0);
    }
    assert_eq!(stage.has("ann").await, (50, 0, 1));
    stage.engine.stop().await;
}

/// P15: a code is redeemed in its window and until it is revoked, alone or with its batch; what was given stays.
#[tokio::test]
async fn a_code_is_redeemed_in_its_window_and_until_it_is_revoked() {
    let stage = Stage::new().await;
    let asked = NewCodes {
        count: 3,
        uses_max: 2,
        window: CodeWindow {
            from: Some(instant(10)),
            until: Some(instant(20)),
        },
        ..new_codes(credits())
    };
    let made = stage.codes.make(asked).await.expect("are made");
    let codes = made.codes.expect("with their secrets");
    let early = stage.redeem("ann", &codes[0].secret).await;
    assert_eq!(refused(early), "code_not_begun");
    stage.clock.advance(TimeDelta::seconds(10));
    stage
        .redeem("ann", &codes[0].secret)
        .await
        .expect("is open");
    let revoked = stage
        .codes
        .revoke(codes[0].code.id)
        .await
        .expect("is there");
    assert_eq!(revoked.state(stage.engine.now()), CodeState::Revoked);
    let late = stage.redeem("bob", &codes[0].secret).await;
    assert_eq!(refused(late), "code_revoked");
    stage
        .redeem("ann", &codes[0].secret)
        .await
        .expect("keeps it");
    let (batch, uses) = stage
        .codes
        .revoke_batch(made.batch.id)
        .await
        .expect("is there");
    assert!(batch.revoked_at.is_some());
    assert_eq!(uses, 1);
    let late = stage.redeem("bob", &codes[1].secret).await;
    assert_eq!(refused(late), "code_revoked");
    assert_eq!(stage.has("ann").await.0, 50);
    let code = stage.code(credits(), 1).await;
    let ends = stage.codes.make(NewCodes {
        window: CodeWindow {
            from: None,
            until: Some(instant(20)),
        },
        ..new_codes(credits())
    });
    let ends = ends.await.expect("is made").codes.expect("new").remove(0);
    stage.clock.advance(TimeDelta::seconds(10));
    assert_eq!(
        refused(stage.redeem("bob", &ends.secret).await),
        "code_expired"
    );
    stage.redeem("bob", &code.secret).await.expect("has no end");
    let none = uuid::Uuid::nil();
    assert_eq!(refused(stage.codes.revoke(none).await), "unknown_code");
    assert_eq!(
        refused(stage.codes.revoke_batch(none).await),
        "unknown_code_batch"
    );
    stage.engine.stop().await;
}
