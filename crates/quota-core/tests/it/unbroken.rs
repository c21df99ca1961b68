//! Windows of the calendar while a subscription runs without a gap (W4), and what overage counts as (X9, X6).

use crate::stage::{
    Stage, consume, plan_code, put_token, release_capacity, subscribe, token_id, track,
};
use chrono::{DateTime, TimeDelta, Utc};
use quota_core::amount::Limit;
use quota_core::command::{
    Cancel, ChangePlan, ChangeWhen, CloseWindows, Command, Renew, Reset, SetOverride, Subscribe,
    Track, UsageAfterChange,
};
use quota_core::draw::Scope;

const RENEW: Command = Command::Renew(Renew { ends_at: None });
const CLOSE: Command = Command::CloseWindows(CloseWindows {
    cadence: None,
    features: Vec::new(),
});

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("a literal instant")
}

fn start_of(plan: &str, starts_at: Option<DateTime<Utc>>) -> Command {
    Command::Subscribe(Subscribe {
        starts_at,
        ..Subscribe::to(plan_code(plan))
    })
}

/// W4 and E48: a renewal in the middle of the day, early, at the end or late, does not give the day a second time; the
/// next day is whole.
#[test]
fn a_renewal_does_not_give_the_day_a_second_time() {
    for minutes in [-30, 0, 90] {
        let mut stage = Stage::user("pro");
        let end = at("2027-04-10T12:00:00Z");
        stage.now = at("2027-04-10T11:00:00Z");
        stage.done("user:a", consume("requests", 4));
        stage.now = end + TimeDelta::minutes(minutes);
        if end < stage.now {
            // Nothing that any job does changes it.
            stage.done("user:a", Command::ExpireSubscription);
            stage.done("user:a", CLOSE);
        }
        stage.done("user:a", RENEW);
        stage.now = end + TimeDelta::hours(2);
        stage.done("user:a", consume("requests", 4));
        let shown = stage.balance_of("user:a", Scope::User, "requests", None);
        assert_eq!((shown.used, shown.remaining), (8, Some(2)));
        assert_eq!(shown.resets_at, Some(at("2027-04-11T00:00:00Z")));
        stage.now = at("2027-04-11T00:00:00Z");
        assert_eq!(stage.remaining("user:a", "requests"), Some(10));
        stage.done("user:a", CLOSE);
        assert_eq!(quota_core::audit::audit(&stage.records()), []);
    }
}

/// W6: before it is renewed, the window of the calendar ends with the subscription; renewed ahead, with the day.
#[test]
fn the_last_day_ends_with_the_subscription_unless_it_goes_on() {
    let mut stage = Stage::user("pro");
    let (end, midnight) = (at("2027-04-10T12:00:00Z"), at("2027-04-11T00:00:00Z"));
    stage.now = at("2027-04-10T11:00:00Z");
    let resets_at = |stage: &mut Stage| {
        let shown = stage.balance_of("user:a", Scope::User, "requests", None);
        shown.resets_at
    };
    assert_eq!(resets_at(&mut stage), Some(end));
    stage.done("user:a", RENEW);
    assert_eq!(resets_at(&mut stage), Some(midnight));
}

/// W4: a start in place of what runs, a change of plan at once, and a plan that follows without a gap count on in the
/// day, under their own limit.
#[test]
fn the_day_counts_on_under_the_new_limit() {
    let at_once = Command::ChangePlan(ChangePlan {
        plan: plan_code("pro"),
        when: Some(ChangeWhen::Now),
        usage: UsageAfterChange::Restart,
    });
    let end = at("2027-04-10T12:00:00Z");
    for command in [subscribe("pro"), at_once, start_of("pro", Some(end))] {
        let mut stage = Stage::user("basic");
        stage.now = at("2027-04-10T11:00:00Z");
        stage.done("user:a", consume("requests", 5));
        stage.denied("user:a", consume("requests", 1));
        stage.done("user:a", command);
        stage.now = end;
        assert_eq!(stage.remaining("user:a", "requests"), Some(5));
        stage.done("user:a", consume("requests", 5));
        stage.denied("user:a", consume("requests", 1));
        assert_eq!(quota_core::audit::audit(&stage.records()), []);
    }
}

/// W4: behind a gap the day is another one: it begins with the new subscription.
#[test]
fn behind_a_gap_the_calendar_begins_anew() {
    let mut stage = Stage::user("pro");
    stage.done("user:a", consume("requests", 10));
    let again = start_of("pro", Some(at("2027-04-10T18:00:00Z")));
    stage.done("user:a", again);
    stage.now = at("2027-04-10T11:00:00Z");
    stage.done("user:a", consume("requests", 10));
    stage.now = at("2027-04-10T13:00:00Z");
    stage.denied("user:a", consume("requests", 1));
    stage.now = at("2027-04-10T18:00:00Z");
    stage.done("user:a", consume("requests", 10));
    assert_eq!(quota_core::audit::audit(&stage.records()), []);
    stage.done("user:a", Command::Cancel(Cancel { at_once: true }));
    stage.later(TimeDelta::hours(1));
    stage.done("user:a", subscribe("pro"));
    stage.done("user:a", consume("requests", 10));
    assert_eq!(quota_core::audit::audit(&stage.records()), []);
}

/// S7 and W4: nor does the month of a plan that renews by itself begin its day anew.
#[test]
fn a_plan_that_renews_by_itself_does_not_give_the_day_twice() {
    let mut stage = Stage::user("free");
    stage.now = at("2027-04-10T11:00:00Z");
    stage.done("user:a", consume("requests", 3));
    stage.now = at("2027-04-10T13:00:00Z");
    stage.denied("user:a", consume("requests", 1));
}

fn limit_of(feature: &str, limit: u64) -> Command {
    Command::SetOverride(SetOverride {
        feature: crate::stage::code(feature),
        limit: Limit::Of(limit),
        expires_at: None,
    })
}

/// X9 and E50: overage is use: of a limit that rises, what was overspent is taken already. X4: giving it back frees it.
#[test]
fn overage_counts_against_a_limit_that_rises() {
    let mut stage = Stage::user("pro");
    stage.done("user:a", limit_of("albums", 3));
    stage.done("user:a", track("albums", 7));
    assert_eq!(stage.standing("user:a", Scope::User, "albums"), (3, 0, 4));
    stage.done("user:a", limit_of("albums", 10));
    assert_eq!(stage.remaining("user:a", "albums"), Some(3));
    assert_eq!(stage.denied("user:a", consume("albums", 4)).available, 3);
    stage.done("user:a", consume("albums", 3));
    stage.done("user:a", release_capacity("albums", 5));
    assert_eq!(stage.remaining("user:a", "albums"), Some(5));
    stage.done("user:a", track("articles", 130));
    stage.done("user:a", limit_of("articles", 140));
    stage.done("user:a", consume("articles", 10));
    stage.denied("user:a", consume("articles", 1));
}

/// X9 and T1: so it is for a token whose cap rises.
#[test]
fn overage_counts_against_a_cap_that_rises() {
    let mut stage = Stage::user("pro");
    stage.done("user:a", put_token("t", Limit::Of(5)));
    let tracked = Command::Track(Track {
        token: Some(token_id("t")),
        items: vec![crate::stage::item("articles", 8)],
        at: None,
    });
    stage.done("user:a", tracked);
    stage.done("user:a", put_token("t", Limit::Of(10)));
    let shown = stage.balance_of("user:a", Scope::Token, "articles", Some("t"));
    assert_eq!((shown.overage, shown.remaining), (3, Some(2)));
}

/// X6: a reset takes the overage too; what it took is not given back by a refund.
#[test]
fn a_reset_takes_the_overage_too() {
    let mut stage = Stage::user("pro");
    let spent = stage.done("user:a", track("articles", 130));
    let features = Vec::new();
    stage.done(
        "user:a",
        Command::Reset(Reset {
            features,
            token: None,
        }),
    );
    let articles = |stage: &mut Stage| stage.standing("user:a", Scope::User, "articles");
    assert_eq!(articles(&mut stage), (0, 0, 0));
    assert_eq!(stage.lifetime("user:a", "articles"), 130);
    stage.done("user:a", track("articles", 101));
    stage.done("user:a", crate::stage::refund(spent.id, None));
    assert_eq!(articles(&mut stage), (100, 0, 1));
    assert_eq!(quota_core::audit::audit(&stage.records()), []);
}
