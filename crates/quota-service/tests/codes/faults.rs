//! A store that fails at any call, and gifts that cannot be given.

use chrono::TimeDelta;
use futures::future::join_all;
use quota_core::catalog::CatalogFile;
use quota_core::code::GiftEnd;
use quota_core::command::{Command, GRANTS_MAX, GrantCredits};
use quota_core::ids::{GrantId, PlanCode};
use quota_core::ports::{CodeClaim, CodeStore as _};
use quota_service::{Redeem, Removals};
use testkit::fixtures::{instant, key, user};
use testkit::memory::FailWhen;
use testkit::races::ask;

use crate::stage::{CATALOG, Stage, amount, boost, credits, plan, redeem, refused};

/// P15: a redemption whose store fails before or after the effect of any call is healed by the same call again, and gives once.
#[tokio::test]
async fn a_redemption_that_broke_off_anywhere_is_healed_by_the_same_again() {
    let gifts = [credits(), boost(GiftEnd::Days(3)), plan("pro", 30)];
    let wanted = [(50, 0, 0), (0, 5, 0), (0, 0, 1)];
    let mut failed = 0;
    for (gift, wanted) in gifts.into_iter().zip(wanted) {
        for name in [None, Some("k-1")] {
            for when in [FailWhen::BeforeEffect, FailWhen::AfterEffect] {
                for call in 1.. {
                    let stage = Stage::new().await;
                    let code = stage.code(gift.clone(), 2).await;
                    let asked = Redeem {
                        key: name.map(key),
                        ..redeem("ann", &code.secret)
                    };
                    let fails_at = stage.store.calls() + call;
                    stage.store.fail_at(fails_at, when);
                    let first = stage.codes.redeem(asked.clone()).await;
                    if first.is_err() {
                        failed += 1;
                        let healed = stage.codes.redeem(asked).await;
                        healed.expect("is healed");
                    }
                    if stage.store.calls() < fails_at {
                        break;
                    }
                    let told = format!("{gift:?} {name:?} {when:?} {call}");
                    assert_eq!(stage.has("ann").await, wanted, "{told}");
                    assert_eq!(stage.uses(&code).await, 1, "{told}");
                    let last = stage.redeem("ann", &code.secret).await;
                    assert!(last.expect("is hers").used.done_at.is_some(), "{told}");
                    assert_eq!(stage.has("ann").await, wanted, "{told}");
                    stage.engine.stop().await;
                }
            }
        }
    }
    assert!(failed > 60, "faults were met: {failed}");
}

/// P15: N uses are N though the store fails anywhere, and the next call is somebody else's: who began has it in the end.
#[tokio::test]
async fn a_use_that_broke_off_is_nobody_elses() {
    let mut kept = 0;
    for when in [FailWhen::BeforeEffect, FailWhen::AfterEffect] {
        for call in 1.. {
            let stage = Stage::new().await;
            let code = stage.code(credits(), 1).await;
            let fails_at = stage.store.calls() + call;
            stage.store.fail_at(fails_at, when);
            let first = stage.redeem("ann", &code.secret).await;
            if stage.store.calls() < fails_at {
                break;
            }
            let other = stage.redeem("bob", &code.secret).await;
            let again = stage.redeem("ann", &code.secret).await;
            let told = format!("{when:?} {call}: {first:?} {other:?} {again:?}");
            assert_ne!(other.is_ok(), again.is_ok(), "{told}");
            kept += u32::from(first.is_err() && again.is_ok());
            let sum = stage.has("ann").await.0 + stage.has("bob").await.0;
            assert_eq!((sum, stage.uses(&code).await), (50, 1), "{told}");
            stage.engine.stop().await;
        }
    }
    assert!(kept > 3, "uses were kept: {kept}");
}

/// Fills an account with as many grants as it may have.
async fn fill(stage: &Stage, name: &str) {
    let grants = (0..GRANTS_MAX).map(|number| {
        let grant = GrantCredits {
            grant: GrantId::new(&format!("g{number}")).expect("an id"),
            credits: amount(1),
            priority: 0,
            expires_at: Some(instant(3_600)),
        };
        let asked = ask(&user(name), Command::GrantCredits(grant));
        stage.engine.submit(asked)
    });
    for granted in join_all(grants).await {
        granted.expect("is granted");
    }
}

/// P15: what cannot be given gives the use back, to whoever comes next.
#[tokio::test]
async fn a_use_whose_gift_is_refused_is_given_back() {
    let stage = Stage::new().await;
    fill(&stage, "ann").await;
    let code = stage.code(credits(), 1).await;
    let full = join_all((0..8).map(|_| stage.redeem("ann", &code.secret))).await;
    for refusal in full {
        assert_eq!(refused(refusal), "too_many");
    }
    assert_eq!(stage.uses(&code).await, 0);
    stage.redeem("bob", &code.secret).await.expect("is free");
    let late = stage.redeem("ann", &code.secret).await;
    assert_eq!(refused(late), "code_used");
    // Whoever has room again may redeem another.
    let code = stage.code(credits(), 1).await;
    assert_eq!(refused(stage.redeem("ann", &code.secret).await), "too_many");
    stage.clock.advance(TimeDelta::hours(2));
    stage.redeem("ann", &code.secret).await.expect("has room");
    assert_eq!(stage.uses(&code).await, 1);
    stage.engine.stop().await;
}

/// P15: though the store fails while a use is given back, one account has the gift in the end, and one use is counted.
#[tokio::test]
async fn a_use_that_is_given_back_while_the_store_fails_is_given_once() {
    let (mut others, mut own) = (0, 0);
    for when in [FailWhen::BeforeEffect, FailWhen::AfterEffect] {
        for call in 1.. {
            let stage = Stage::new().await;
            fill(&stage, "ann").await;
            let code = stage.code(credits(), 1).await;
            let fails_at = stage.store.calls() + call;
            stage.store.fail_at(fails_at, when);
            let first = stage.redeem("ann", &code.secret).await;
            assert!(first.is_err(), "she has no room");
            if stage.store.calls() < fails_at {
                break;
            }
            assert_eq!(refused(stage.redeem("ann", &code.secret).await), "too_many");
            let other = stage.redeem("bob", &code.secret).await.is_ok();
            stage.clock.advance(TimeDelta::hours(2));
            let again = stage.redeem("ann", &code.secret).await.is_ok();
            assert_ne!(other, again, "{when:?} {call}");
            others += u32::from(other);
            own += u32::from(again);
            let sum = stage.has("ann").await.0 + stage.has("bob").await.0;
            assert_eq!((sum, stage.uses(&code).await), (50, 1), "{when:?} {call}");
            stage.engine.stop().await;
        }
    }
    assert!(
        others > 0 && own > 0,
        "{others} were given back, {own} were kept"
    );
}

/// P15: who has no subscription has no period that could end a boost, and no plan is begun that the catalog does not have any more.
#[tokio::test]
async fn what_cannot_be_given_is_refused_with_its_reason() {
    let stage = Stage::new().await;
    let code = stage.code(boost(GiftEnd::Period), 1).await;
    let refusal = stage.redeem("ann", &code.secret).await;
    assert_eq!(refused(refusal), "code_needs_subscription");
    let given = stage.code(plan("pro", 30), 1).await;
    stage.redeem("ann", &given.secret).await.expect("is given");
    stage.redeem("ann", &code.secret).await.expect("has an end");
    let gone = stage.code(plan("pro", 30), 1).await;
    let articles = CATALOG.split("[[plan]]").next().expect("the features");
    let file: CatalogFile = toml::from_str(articles).expect("a catalog");
    let removals = Removals {
        plans: [PlanCode::new("pro"), PlanCode::new("more")]
            .into_iter()
            .collect::<Result<_, _>>()
            .expect("codes"),
        ..Removals::default()
    };
    let applied = stage
        .engine
        .apply_catalog_removing(&file, &removals, None)
        .await;
    applied.expect("is applied");
    let refusal = stage.redeem("bob", &gone.secret).await;
    assert_eq!(refused(refusal), "code_not_givable");
    assert_eq!(stage.uses(&gone).await, 0);
    stage.engine.stop().await;
}

/// P15: a plan is known by the key that it was given under; a use that was left open for as long as keys are kept is not ended.
#[tokio::test]
async fn a_plan_whose_key_is_forgotten_is_not_given_again() {
    let stage = Stage::new().await;
    let code = stage.code(plan("pro", 400), 1).await;
    let claim = CodeClaim {
        hash: code.code.hash,
        account: user("ann"),
        key: None,
        at: stage.engine.now(),
    };
    let claimed = stage.store.claim_code(&claim).await.expect("writes");
    assert!(claimed.is_some());
    stage.clock.advance(stage.engine.settings().keys_kept);
    let late = stage.redeem("ann", &code.secret).await;
    assert_eq!(refused(late), "code_used");
    assert_eq!(stage.has("ann").await.2, 0);
    stage.engine.stop().await;
}
