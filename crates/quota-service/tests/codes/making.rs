//! Codes are made: what is told of them once, and what nobody could redeem.

use quota_core::answer::Rejection;
use quota_core::code::{
    BoostGift, CODES_MAX, CodeGift, CodeWindow, CreditsGift, GIFT_DAYS_MAX, GiftEnd, USES_MAX,
};
use quota_core::ids::FeatureCode;
use quota_service::{EngineError, NewCodes};
use testkit::fixtures::{instant, key};

use crate::stage::{Stage, amount, boost, credits, new_codes, plan, redeem, refused};

/// P15: secrets are told once, differ, are of 25 digits, and are kept as hashes; the same request under its key makes no others.
#[tokio::test]
async fn secrets_are_told_once() {
    let stage = Stage::new().await;
    let asked = NewCodes {
        count: CODES_MAX,
        key: Some(key("k-1")),
        ..new_codes(credits())
    };
    let made = stage.codes.make(asked.clone()).await.expect("are made");
    let codes = made.codes.clone().expect("with their secrets");
    let mut secrets: Vec<&str> = codes.iter().map(|code| &*code.secret).collect();
    let debug = format!("{made:?} {:?}", redeem("ann", secrets[0]));
    assert!(!debug.contains(secrets[0]), "a secret is in no log");
    secrets.sort_unstable();
    secrets.dedup();
    assert_eq!(secrets.len(), 1_000);
    assert!(secrets.iter().all(|secret| secret.len() == 29));
    let kept = stage.codes.code(codes[7].code.id).await.expect("is there");
    assert_eq!((kept.number, kept.uses), (8, 0));
    assert!(codes[7].secret.starts_with(&kept.prefix) && kept.prefix.len() == 5);
    let again = stage.codes.make(asked.clone()).await.expect("was made");
    assert_eq!((again.batch, again.codes), (made.batch, None));
    let other = NewCodes { count: 2, ..asked };
    assert_eq!(refused(stage.codes.make(other).await), "key_reused");
    stage.engine.stop().await;
}

/// P15: what nobody could redeem is not made.
#[tokio::test]
async fn what_can_never_be_redeemed_is_not_made() {
    let stage = Stage::new().await;
    let of = |gift: CodeGift| new_codes(gift);
    let albums = CodeGift::Boost(BoostGift {
        feature: FeatureCode::new("albums").expect("a code"),
        amount: amount(1),
        ends: GiftEnd::Period,
    });
    let nothing = CodeGift::Boost(BoostGift {
        feature: FeatureCode::new("nothing").expect("a code"),
        amount: amount(1),
        ends: GiftEnd::Period,
    });
    let for_days = |days| {
        CodeGift::Credits(CreditsGift {
            credits: amount(1),
            priority: 0,
            days: Some(days),
        })
    };
    let numbers = |count, uses_max| NewCodes {
        count,
        uses_max,
        ..of(credits())
    };
    let window = |from: Option<i64>, until: Option<i64>| NewCodes {
        window: CodeWindow {
            from: from.map(instant),
            until: until.map(instant),
        },
        ..of(credits())
    };
    let wrong = [
        (numbers(0, 1), "out_of_range", Some("count")),
        (numbers(CODES_MAX + 1, 1), "out_of_range", Some("count")),
        (numbers(1, 0), "out_of_range", Some("uses_max")),
        (numbers(1, USES_MAX + 1), "out_of_range", Some("uses_max")),
        (window(None, Some(-1)), "not_in_future", Some("until")),
        (window(None, Some(0)), "not_in_future", Some("until")),
        (window(Some(9), Some(9)), "empty_window", Some("until")),
        (
            of(boost(GiftEnd::At(instant(0)))),
            "not_in_future",
            Some("ends"),
        ),
        (of(boost(GiftEnd::Days(0))), "out_of_range", Some("days")),
        (of(for_days(0)), "out_of_range", Some("days")),
        (
            of(for_days(GIFT_DAYS_MAX + 1)),
            "out_of_range",
            Some("days"),
        ),
        (of(albums), "not_a_consumable", Some("feature")),
        (of(nothing), "unknown_feature", Some("feature")),
        (of(plan("nothing", 1)), "unknown_plan", Some("plan")),
        (of(plan("more", 1)), "is_an_addon", Some("plan")),
        (of(plan("pro", 0)), "out_of_range", Some("days")),
    ];
    for (asked, code, field) in wrong {
        let told = format!("{asked:?}");
        let Err(EngineError::Rejected(rejection)) = stage.codes.make(asked).await else {
            panic!("{told}");
        };
        assert_eq!(
            (rejection.code(), rejection.field()),
            (code, field),
            "{told}"
        );
        assert_ne!(rejection, Rejection::UnknownAccount);
    }
    stage.engine.stop().await;
}
