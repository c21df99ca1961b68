//! The reasons of a denial, in their order.

use crate::stage::{
    Stage, consume, consume_with, member, put_account, put_token, subscribe, token_id,
};
use chrono::TimeDelta;
use quota_core::amount::Limit;
use quota_core::command::{AccountSpec, Command, Presence, PutToken, RevokeToken, SetStatus};
use quota_core::denial::Reason;
use quota_core::draw::Scope;
use quota_core::terms::Status;

fn disabled(disabled: bool) -> Command {
    put_account(AccountSpec {
        disabled: Some(disabled),
        ..AccountSpec::default()
    })
}

/// Asks for 9 of a feature that nothing pays for: why not, and at which scope.
fn refused(stage: &mut Stage, token: &str, feature: &str) -> (Reason, Scope) {
    let denied = stage.denied("user:b", consume_with(token, feature, 9));
    (denied.reason, denied.scope)
}

/// An org that is disabled and unpaid, and nobody in it but `user:a`.
fn all_wrong() -> Stage {
    let mut stage = Stage::org("free");
    stage.done("org:o", disabled(true));
    let status = Status::Unpaid;
    stage.done("org:o", Command::SetStatus(SetStatus { status }));
    stage
}

/// A disabled member with a token of every kind.
fn add_member(stage: &mut Stage) {
    let spec = AccountSpec {
        disabled: Some(true),
        unlimited: Some(false),
        ..member()
    };
    stage.done("user:b", put_account(spec));
    for (token, cap) in [("gone", 0), ("ended", 0), ("small", 0), ("large", 100)] {
        stage.done("user:b", put_token(token, Limit::Of(cap)));
    }
    let ending = Command::PutToken(PutToken {
        token: token_id("ended"),
        presence: Presence::Existing,
        cap: None,
        per: None,
        expires_at: Some(stage.now + TimeDelta::seconds(1)),
    });
    stage.done("user:b", ending);
    let token = token_id("gone");
    stage.done("user:b", Command::RevokeToken(RevokeToken { token }));
    stage.later(TimeDelta::seconds(1));
}

/// F7: with everything wrong at once the first reason wins; each that is put right lets the next one show.
#[test]
fn the_first_reason_that_applies_wins() {
    let mut stage = all_wrong();
    let mut sees = |change: Option<(&str, Command)>, token, feature, wanted| {
        if let Some((account, command)) = change {
            stage.done(account, command);
        } else if wanted == (Reason::UnknownFeature, Scope::User) {
            add_member(&mut stage);
        }
        assert_eq!(refused(&mut stage, token, feature), wanted);
    };
    let of_status = |status| Command::SetStatus(SetStatus { status });
    let (token, user, org) = (Scope::Token, Scope::User, Scope::Org);
    sees(None, "gone", "none", (Reason::UnknownUser, user));
    sees(None, "gone", "none", (Reason::UnknownFeature, user));
    sees(None, "gone", "articles", (Reason::AccountDisabled, user));
    let enabled = Some(("user:b", disabled(false)));
    sees(enabled, "gone", "articles", (Reason::TokenRevoked, token));
    sees(None, "ended", "articles", (Reason::TokenExpired, token));
    sees(None, "small", "articles", (Reason::TokenExhausted, token));
    sees(None, "large", "articles", (Reason::NoSubscription, user));
    sees(None, "large", "try_on", (Reason::CreditsExhausted, user));
    let small_plan = Some(("user:b", subscribe("free")));
    sees(
        small_plan,
        "large",
        "articles",
        (Reason::LimitReached, user),
    );
    sees(None, "large", "albums", (Reason::NotInPlan, user));
    let unpaid = Some(("user:b", of_status(Status::Unpaid)));
    sees(
        unpaid,
        "large",
        "articles",
        (Reason::SubscriptionExpired, user),
    );
    sees(None, "large", "try_on", (Reason::SubscriptionExpired, user));
    let large_plan = Some(("user:b", subscribe("pro")));
    sees(large_plan, "large", "articles", (Reason::OrgDisabled, org));
    let enabled = Some(("org:o", disabled(false)));
    sees(
        enabled,
        "large",
        "articles",
        (Reason::OrgSubscriptionExpired, org),
    );
    let paid = Some(("org:o", of_status(Status::Active)));
    sees(paid, "large", "lessons", (Reason::OrgNotInPlan, org));
    sees(None, "large", "articles", (Reason::OrgLimitReached, org));
    stage.done("org:o", subscribe("pro"));
    stage.done("user:b", consume_with("large", "articles", 9));
}

/// F7: an answer names what would have been enough: `requested`, `available`, `resets_at`. W6 says when that is.
#[test]
fn a_denial_names_what_would_have_been_enough() {
    let mut stage = Stage::user("pro");
    stage.done("user:a", consume("requests", 7));
    let asked = stage
        .run("user:a", consume("requests", 4))
        .expect("a denial is an outcome");
    let quota_core::answer::Answer::Denied {
        requested, denial, ..
    } = &asked.operation.answer
    else {
        unreachable!("expected a denial")
    };
    let midnight = "2027-03-11T00:00:00Z".parse().ok();
    assert_eq!(
        (requested, denial.available, denial.resets_at),
        (&4, 3, midnight)
    );
    stage.done("user:a", consume("requests", denial.available));
}
