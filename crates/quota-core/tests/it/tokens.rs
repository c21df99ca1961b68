//! Tokens: caps of their own.

use crate::stage::{Stage, commit, consume, consume_with, put_token, refund, token_id};
use chrono::TimeDelta;
use quota_core::amount::Limit;
use quota_core::answer::Rejection;
use quota_core::audit::audit;
use quota_core::command::{Command, Presence, PutToken, Reserve, Reset, RevokeToken};
use quota_core::denial::Reason;
use quota_core::draw::Scope;

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
