//! Tokens: caps of their own.

use crate::stage::{Stage, code, commit, consume, consume_with, put_token, refund, token_id};
use chrono::TimeDelta;
use quota_core::amount::Limit;
use quota_core::answer::{Answer, Rejection};
use quota_core::audit::audit;
use quota_core::balance::Bucket;
use quota_core::catalog::Cadence;
use quota_core::command::{CloseWindows, Command, Presence, PutToken, Reserve, Reset, RevokeToken};
use quota_core::denial::Reason;
use quota_core::draw::Scope;
use quota_core::operation::Operation;
use quota_core::terms::CapSpan;

/// T1: a token's remaining falls by every accepted request made with it, of whatever feature, and by no other.
#[test]
fn a_tokens_remaining_falls_by_every_request_made_with_it() {
    let mut stage = Stage::user("pro");
    stage.done("user:a", put_token("t", Limit::Of(10)));
    stage.done("user:a", put_token("u", Limit::Of(10)));
    stage.done("user:a", consume_with("t", "articles", 3));
    stage.done("user:a", consume_with("t", "requests", 2));
    stage.done("user:a", consume("articles", 50));
    stage.denied("user:a", consume_with("t", "requests", 9));
    let token = |stage: &mut Stage, id| stage.balance_of("user:a", Scope::Token, "", Some(id));
    assert_eq!(
        (
            token(&mut stage, "t").used,
            token(&mut stage, "t").remaining
        ),
        (5, Some(5))
    );
    assert_eq!(token(&mut stage, "u").remaining, Some(10));
    let denied = stage.denied("user:a", consume_with("t", "articles", 6));
    assert_eq!(
        (denied.reason, denied.available),
        (Reason::TokenExhausted, 5)
    );
}

/// T1: what is refunded or not used of a hold is given back to the token.
#[test]
fn a_token_gets_back_what_was_not_used() {
    let mut stage = Stage::user("pro");
    stage.done("user:a", put_token("t", Limit::Of(10)));
    let spent = stage.done("user:a", consume_with("t", "articles", 4));
    stage.done("user:a", refund(spent.id, Some(3)));
    let reserve = Command::Reserve(Reserve {
        token: Some(token_id("t")),
        feature: crate::stage::code("articles"),
        amount: crate::stage::amount(9),
        ttl_seconds: 60,
    });
    let held = stage.done("user:a", reserve);
    stage.done("user:a", commit(held.id, 2));
    let token = stage.balance_of("user:a", Scope::Token, "", Some("t"));
    assert_eq!((token.used, token.held, token.remaining), (3, 0, Some(7)));
}

/// T2: a raised cap, an expiry, a revocation and an unlimited cap act from the next request on.
#[test]
fn a_tokens_terms_act_from_the_next_request_on() {
    let mut stage = Stage::user("pro");
    stage.done("user:a", put_token("t", Limit::Of(2)));
    stage.done("user:a", consume_with("t", "articles", 2));
    let ask = || consume_with("t", "articles", 1);
    assert_eq!(stage.denied("user:a", ask()).reason, Reason::TokenExhausted);
    stage.done("user:a", put_token("t", Limit::Of(3)));
    stage.done("user:a", ask());
    assert_eq!(stage.denied("user:a", ask()).reason, Reason::TokenExhausted);
    stage.done("user:a", put_token("t", Limit::Unlimited));
    stage.done("user:a", consume_with("t", "articles", 20));
    let expires_at = Some(stage.now + TimeDelta::seconds(10));
    let ending = Command::PutToken(PutToken {
        token: token_id("t"),
        presence: Presence::Existing,
        cap: None,
        per: None,
        expires_at,
    });
    stage.done("user:a", ending);
    stage.later(TimeDelta::seconds(9));
    stage.done("user:a", ask());
    stage.later(TimeDelta::seconds(1));
    assert_eq!(stage.denied("user:a", ask()).reason, Reason::TokenExpired);
    stage.done(
        "user:a",
        Command::RevokeToken(RevokeToken {
            token: token_id("t"),
        }),
    );
    let denied = stage.denied("user:a", ask());
    assert_eq!(
        (denied.reason, denied.scope),
        (Reason::TokenRevoked, Scope::Token)
    );
    let revived = stage.run("user:a", put_token("t", Limit::Unlimited));
    assert!(revived.is_err(), "a revoked token stays so");
    stage.done("user:a", consume("articles", 1));
}

/// R5 and T1: when a token was forgotten before a commit that is late, user and org are charged all the same.
#[test]
fn a_late_commit_with_a_forgotten_token_charges_user_and_org() {
    let mut stage = Stage::org("pro");
    stage.done("user:a", put_token("t", Limit::Of(10)));
    let reserve = Command::Reserve(Reserve {
        token: Some(token_id("t")),
        feature: crate::stage::code("articles"),
        amount: crate::stage::amount(9),
        ttl_seconds: 60,
    });
    let held = stage.done("user:a", reserve);
    stage.later(TimeDelta::seconds(60));
    stage.done("user:a", Command::Sweep);
    let user = stage.home.account_mut(&crate::stage::id("user:a"));
    let forgotten = user
        .expect("it lives here")
        .terms
        .tokens
        .remove(&token_id("t"));
    assert!(forgotten.is_some());
    stage.done("user:a", commit(held.id, 7));
    assert_eq!(stage.standing("user:a", Scope::User, "articles").0, 7);
    assert_eq!(stage.standing("org:o", Scope::Org, "articles").0, 7);
    assert_eq!(quota_core::audit::audit(&stage.records()), []);
}

/// T3: a token that is reset begins at 0, its user's windows stay; what was consumed before is not given back to it.
#[test]
fn a_token_that_is_reset_begins_at_0() {
    let mut stage = Stage::user("pro");
    stage.done("user:a", put_token("t", Limit::Of(10)));
    let spent = stage.done("user:a", consume_with("t", "articles", 8));
    let reset = |token| {
        Command::Reset(Reset {
            features: Vec::new(),
            token: Some(token_id(token)),
        })
    };
    let unknown = stage.run("user:a", reset("gone"));
    assert_eq!(unknown, Err(Rejection::UnknownToken(token_id("gone"))));
    stage.done("user:a", reset("t"));
    let used = |stage: &mut Stage| {
        let token = stage.balance_of("user:a", Scope::Token, "", Some("t"));
        (token.used, token.remaining)
    };
    assert_eq!(used(&mut stage), (0, Some(10)));
    assert_eq!(stage.standing("user:a", Scope::User, "articles").0, 8);
    stage.done("user:a", consume_with("t", "articles", 6));
    stage.done("user:a", refund(spent.id, None));
    assert_eq!(used(&mut stage), (6, Some(4)));
    assert_eq!(stage.standing("user:a", Scope::User, "articles").0, 6);
    stage.done("user:a", reset("t"));
    stage.done("user:a", reset("t"));
    assert_eq!(used(&mut stage), (0, Some(10)));
    assert_eq!(audit(&stage.records()), []);
}

fn capped(token: &str, cap: Option<u64>, per: CapSpan) -> Command {
    Command::PutToken(PutToken {
        token: token_id(token),
        presence: Presence::Any,
        cap: cap.map(Limit::Of),
        per: Some(per),
        expires_at: None,
    })
}

const WEEKLY: CapSpan = CapSpan::Each(Cadence::Weekly);

/// T3: a cap with a cadence is whole again with each window, counted from the token's making, and a denial says when.
#[test]
fn a_cap_with_a_cadence_is_whole_again_with_each_window() {
    let mut stage = Stage::user("pro");
    stage.later(TimeDelta::days(3));
    let made_at = stage.now;
    let next = made_at + TimeDelta::days(7);
    stage.done("user:a", capped("t", Some(10), WEEKLY));
    stage.later(TimeDelta::days(1));
    stage.done("user:a", consume_with("t", "articles", 8));
    let denied = stage.denied("user:a", consume_with("t", "articles", 3));
    assert_eq!(
        (
            denied.reason,
            denied.available,
            denied.resets_at,
            denied.window
        ),
        (Reason::TokenExhausted, 2, Some(next), Some(Cadence::Weekly))
    );
    let never = stage.denied("user:a", consume_with("t", "articles", 11));
    assert_eq!((never.resets_at, never.window), (None, None));
    stage.now = next - TimeDelta::microseconds(1);
    stage.denied("user:a", consume_with("t", "articles", 3));
    stage.now = next;
    stage.done("user:a", consume_with("t", "articles", 3));
    let token = stage.balance_of("user:a", Scope::Token, "", Some("t"));
    assert_eq!(
        (token.used, token.remaining, token.resets_at),
        (3, Some(7), Some(made_at + TimeDelta::days(14)))
    );
    assert_eq!(audit(&stage.records()), []);
}

/// T3, W8: what was used or held in a window of a cap is given back and spent in that window.
#[test]
fn a_caps_window_keeps_its_own_count() {
    let mut stage = Stage::user("pro");
    let hourly = CapSpan::Each(Cadence::Hourly);
    stage.done("user:a", capped("t", Some(10), hourly));
    let spent = stage.done("user:a", consume_with("t", "articles", 4));
    let reserve = Command::Reserve(Reserve {
        token: Some(token_id("t")),
        feature: crate::stage::code("articles"),
        amount: crate::stage::amount(5),
        ttl_seconds: 7200,
    });
    let held = stage.done("user:a", reserve);
    stage.later(TimeDelta::hours(1));
    stage.done("user:a", consume_with("t", "articles", 10));
    stage.done("user:a", refund(spent.id, None));
    stage.done("user:a", commit(held.id, 2));
    let token = stage.balance_of("user:a", Scope::Token, "", Some("t"));
    assert_eq!((token.used, token.held, token.remaining), (10, 0, Some(0)));
    assert_eq!(
        stage
            .denied("user:a", consume_with("t", "articles", 1))
            .reason,
        Reason::TokenExhausted
    );
}

/// T3: a change of the cadence begins a new count, and `lifetime` goes back to the old one.
#[test]
fn a_change_of_a_caps_cadence_begins_a_new_count() {
    let mut stage = Stage::user("pro");
    stage.done("user:a", put_token("t", Limit::Of(10)));
    stage.done("user:a", consume_with("t", "articles", 10));
    stage.denied("user:a", consume_with("t", "articles", 1));
    stage.done("user:a", capped("t", None, WEEKLY));
    stage.done("user:a", consume_with("t", "articles", 9));
    let token = stage.balance_of("user:a", Scope::Token, "", Some("t"));
    assert_eq!((token.used, token.remaining), (9, Some(1)));
    stage.done("user:a", capped("t", None, CapSpan::Lifetime));
    let token = stage.balance_of("user:a", Scope::Token, "", Some("t"));
    assert_eq!((token.used, token.remaining), (10, Some(0)));
}

/// T3, W5: windows of a cap that ended are closed in the books, a lifetime cap is not.
#[test]
fn ended_windows_of_a_cap_are_closed_in_the_books() {
    let mut stage = Stage::user("pro");
    stage.done(
        "user:a",
        capped("t", Some(10), CapSpan::Each(Cadence::Daily)),
    );
    stage.done("user:a", put_token("u", Limit::Of(10)));
    stage.done("user:a", consume_with("t", "articles", 4));
    stage.done("user:a", consume_with("u", "articles", 4));
    let tokens = |stage: &Stage| {
        let account = &stage.home.accounts[&crate::stage::id("user:a")];
        let balances = account.books.balances.iter();
        let tokens = balances
            .filter(|balance| matches!(balance.bucket, Bucket::Token(_) | Bucket::TokenWindow(..)));
        tokens.count()
    };
    assert_eq!(tokens(&stage), 2);
    stage.later(TimeDelta::days(1) + TimeDelta::seconds(5));
    stage.done("user:a", Command::CloseWindows(CloseWindows::default()));
    assert_eq!(tokens(&stage), 1);
}

/// T3: no token has the cadence of a subscription, and no text but a cadence or `lifetime` is one.
#[test]
fn a_cap_has_no_cadence_of_a_subscription() {
    for text in ["subscription", "0h", "400d", "never", ""] {
        let said = text.parse::<CapSpan>().expect_err(text).to_string();
        assert!(said.starts_with(&format!("`{text}` is not when")), "{said}");
    }
    assert_eq!(
        "5h".parse::<CapSpan>().map(|per| per.to_string()),
        Ok("5h".to_owned())
    );
    assert_eq!("lifetime".parse(), Ok(CapSpan::Lifetime));
}

/// T2: what a token became is said with the change: its cap, when that becomes whole again, and its end.
#[test]
fn a_change_of_a_token_says_what_the_token_is_now() {
    let mut stage = Stage::user("pro");
    let lifetime = CapSpan::Lifetime;
    let made = stage.done("user:a", capped("t", Some(10), lifetime));
    assert_eq!(detail(&made), "t: cap 10, per lifetime");
    let made = stage.done("user:a", capped("t", Some(20), WEEKLY));
    assert_eq!(detail(&made), "t: cap 20, per weekly");
    let ending = Command::PutToken(PutToken {
        token: token_id("t"),
        presence: Presence::Existing,
        cap: Some(Limit::Unlimited),
        per: Some(lifetime),
        expires_at: Some("2028-01-01T00:00:00Z".parse().expect("an instant")),
    });
    let changed = stage.done("user:a", ending);
    assert_eq!(
        detail(&changed),
        "t: cap unlimited, until 2028-01-01T00:00:00Z"
    );
}

/// X6 and T3: a reset says everything that it set to 0.
#[test]
fn a_reset_says_features_and_token() {
    let mut stage = Stage::user("pro");
    stage.done("user:a", put_token("t", Limit::Of(10)));
    let features = || vec![code("articles"), code("requests")];
    let token = || Some(token_id("t"));
    let cases = [
        (features(), token(), "articles, requests; token t"),
        (features(), None, "articles, requests"),
        (Vec::new(), token(), "token t"),
        (Vec::new(), None, "all features"),
    ];
    for (features, token, said) in cases {
        let reset = Command::Reset(Reset { features, token });
        assert_eq!(detail(&stage.done("user:a", reset)), said);
    }
}

fn detail(done: &Operation) -> &str {
    let Answer::Changed { detail, .. } = &done.answer else {
        unreachable!("expected a change")
    };
    detail.as_deref().expect("it is said")
}

/// T3: a cap of another cadence begins a new count, also where its window has the name of one that was closed. All that was used is
/// in the books once.
#[test]
fn a_cap_of_another_cadence_counts_anew_in_a_window_that_was_closed() {
    let mut stage = Stage::user("pro");
    stage.done(
        "user:a",
        capped("t", Some(10), CapSpan::Each(Cadence::Daily)),
    );
    stage.done("user:a", consume_with("t", "articles", 5));
    stage.later(TimeDelta::days(2));
    stage.done("user:a", Command::CloseWindows(CloseWindows::default()));
    stage.done(
        "user:a",
        capped("t", Some(10), CapSpan::Each(Cadence::Weekly)),
    );
    assert_eq!(audit(&stage.records()), []);
    stage.done("user:a", consume_with("t", "articles", 10));
    stage.later(TimeDelta::days(1));
    let denied = stage.denied("user:a", consume_with("t", "articles", 1));
    assert_eq!(denied.reason, Reason::TokenExhausted);
    for _ in 0..2 {
        stage.later(TimeDelta::days(6));
        let _may_be_done = stage.run("user:a", Command::CloseWindows(CloseWindows::default()));
        stage.done("user:a", consume_with("t", "articles", 1));
        assert_eq!(audit(&stage.records()), []);
    }
}

/// T3 and T2: a token that was forgotten, to make room, and is made again under its id has its whole cap; all that was used is in the
/// books once.
#[test]
fn a_token_that_was_forgotten_begins_at_zero_when_it_is_made_again() {
    let mut stage = Stage::user("pro");
    for round in 0..2 {
        stage.done("user:a", put_token("t", Limit::Of(5)));
        stage.done("user:a", consume_with("t", "articles", 5));
        for other in ["t".to_owned()]
            .into_iter()
            .chain((0..100).map(|at| format!("r{round}-{at}")))
        {
            if other != "t" {
                stage.done("user:a", put_token(&other, Limit::Of(5)));
            }
            let token = token_id(&other);
            stage.done("user:a", Command::RevokeToken(RevokeToken { token }));
        }
        assert!(
            !stage.home.accounts[&crate::stage::id("user:a")]
                .terms
                .tokens
                .contains_key(&token_id("t"))
        );
        assert_eq!(audit(&stage.records()), []);
    }
}
