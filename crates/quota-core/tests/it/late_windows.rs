//! In which window late use is booked, at the edges: of moves, periods, ends and first uses (X5).

use chrono::{DateTime, TimeDelta, Utc};
use quota_core::amount::Limit;
use quota_core::audit::audit;
use quota_core::balance::{Balance, Bucket};
use quota_core::catalog::{Anchor, Cadence, Per};
use quota_core::command::{
    AccountSpec, Cancel, ChangePlan, ChangeWhen, CloseWindows, Command, Presence, PutToken, Renew,
    SetStatus, Subscribe, Track, UsageAfterChange,
};
use quota_core::draw::{Scope, Source};
use quota_core::operation::Operation;
use quota_core::terms::Status;

use crate::several_limits::at;
use crate::stage::{
    Stage, code, consume, consume_with, grant, id, item, plan_code, put_account, start, subscribe,
    token_id, track_at,
};
use crate::with_catalog::with_catalog;

const RENEW: Command = Command::Renew(Renew { ends_at: None });

fn close(stage: &mut Stage) {
    let _may_be_done = stage.run("user:a", Command::CloseWindows(CloseWindows::default()));
}

fn window(feature: &str, starts_at: DateTime<Utc>) -> Bucket {
    Bucket::Window(code(feature), starts_at.timestamp_micros())
}

fn live<'a>(stage: &'a Stage, bucket: &Bucket) -> Option<&'a Balance> {
    stage.home.accounts[&id("user:a")].books.balance(bucket)
}

/// The buckets that an operation drew on, each with its source.
fn drawn(operation: &Operation) -> Vec<(Source, Bucket)> {
    let entries = operation.entries.iter();
    let of_user = entries.filter(|entry| entry.scope == Scope::User);
    of_user
        .map(|entry| (entry.source, entry.bucket.clone()))
        .collect()
}

fn status(status: Status) -> Command {
    Command::SetStatus(SetStatus { status })
}

/// X5 and S5: use of a window whose use was moved is booked where that was moved to, though both are closed.
#[test]
fn late_use_follows_a_move_into_a_closed_window() {
    let mut stage = Stage::user("basic");
    stage.done("user:a", consume("articles", 30));
    let moved_at = at("2027-04-09T12:00:00Z");
    stage.now = moved_at;
    let keep = ChangePlan {
        plan: plan_code("pro"),
        when: Some(ChangeWhen::Now),
        usage: UsageAfterChange::Keep,
    };
    stage.done("user:a", Command::ChangePlan(keep));
    stage.done("user:a", consume("articles", 20));
    stage.now = at("2027-05-11T00:00:00Z");
    close(&mut stage);
    close(&mut stage);
    let (old, new) = (window("articles", start()), window("articles", moved_at));
    let is_live = |bucket| live(&stage, bucket).is_some();
    assert!(!is_live(&old) && !is_live(&new), "both are closed");
    let late = track_at(at("2027-04-08T12:00:00Z"), vec![item("articles", 7)]);
    let told = stage.done("user:a", late);
    assert_eq!(drawn(&told), [(Source::Allowance, new.clone())]);
    let closed = &stage.closed[&(id("user:a"), new)].balance;
    assert_eq!((closed.used, closed.overage), (57, 0));
    assert_eq!(audit(&stage.records()), []);
}

const FIRST_USE: &str = r#"
[[feature]]
code = "calls"
name = "Calls"
unit = "call"
kind = "consumable"
cadence = "5h"
anchor = "first_use"

[[plan]]
code = "line"
name = "Line"
price = 1000
limits = { calls = 10 }
"#;

/// X5 and W7: late use begins a window that ends where the next one began.
#[test]
fn a_window_that_late_use_begins_ends_where_the_next_one_began() {
    let mut stage = with_catalog(Stage::user(""), FIRST_USE);
    stage.done("user:a", subscribe("line"));
    stage.now = start() + TimeDelta::hours(9);
    stage.done("user:a", consume("calls", 1));
    stage.later(TimeDelta::hours(1));
    let late = start() + TimeDelta::hours(6);
    stage.done("user:a", track_at(late, vec![item("calls", 2)]));
    let all = stage.home.accounts[&id("user:a")].books.balances.iter();
    let closed = stage.closed.values().map(|closed| &closed.balance);
    let mut spans: Vec<_> = all
        .chain(closed)
        .map(|balance| (balance.starts_at, balance.ends_at, balance.used))
        .collect();
    spans.sort_unstable();
    let (next, hours) = (start() + TimeDelta::hours(9), TimeDelta::hours(5));
    assert_eq!(
        spans,
        [(late, Some(next), 2), (next, Some(next + hours), 1)]
    );
    assert_eq!(audit(&stage.records()), []);
}

/// X5 and W1: the first instant of what ran before the period that is stored, and the first of that period, each belong to what
/// begins with them; none of it was used before.
#[test]
fn the_first_instant_of_a_period_belongs_to_it() {
    let april = at("2027-04-10T12:00:00Z");
    for first in [start(), april] {
        let mut stage = Stage::user("pro");
        stage.now = at("2027-04-11T00:00:00Z");
        stage.done("user:a", RENEW);
        let told = stage.done("user:a", track_at(first, vec![item("articles", 7)]));
        let into = window("articles", first);
        assert_eq!(drawn(&told), [(Source::Allowance, into)]);
        assert_eq!(audit(&stage.records()), []);
    }
}

/// X5, W1 and S3: so it is at the first instant of a period that is unpaid by now, and in which something was used.
#[test]
fn the_first_instant_of_an_unpaid_period_belongs_to_it() {
    let april = at("2027-04-10T12:00:00Z");
    let mut stage = Stage::user("pro");
    stage.now = at("2027-04-11T00:00:00Z");
    stage.done("user:a", RENEW);
    stage.done("user:a", consume("articles", 1));
    stage.later(TimeDelta::days(1));
    stage.done("user:a", status(Status::Unpaid));
    let told = stage.done("user:a", track_at(april, vec![item("articles", 7)]));
    assert_eq!(
        drawn(&told),
        [(Source::Allowance, window("articles", april))]
    );
    assert_eq!(audit(&stage.records()), []);
}

/// X5 and S8: until a cancellation at once the subscription granted what it did; from its instant on nothing.
#[test]
fn late_use_is_granted_until_the_instant_of_a_cancellation() {
    for (late, is_granted) in [
        ("2027-03-15T11:59:59Z", true),
        ("2027-03-15T12:00:00Z", false),
        ("2027-03-16T00:00:00Z", false),
    ] {
        let mut stage = Stage::user("pro");
        stage.now = at("2027-03-15T12:00:00Z");
        stage.done("user:a", Command::Cancel(Cancel { at_once: true }));
        stage.now = at("2027-03-20T00:00:00Z");
        let told = stage.done("user:a", track_at(at(late), vec![item("articles", 7)]));
        let source = if is_granted {
            Source::Allowance
        } else {
            Source::Overage
        };
        let drawn: Vec<Source> = drawn(&told).into_iter().map(|(source, _)| source).collect();
        assert_eq!(drawn, [source], "{late}");
        assert_eq!(audit(&stage.records()), []);
    }
}

/// X5 and S3: since when it is unpaid is not known: what was used in the window says that it was paid for; where nothing was,
/// nothing is granted.
#[test]
fn late_use_while_unpaid_goes_where_use_says_that_it_was_paid() {
    for uses in [false, true] {
        let mut stage = Stage::user("pro");
        if uses {
            stage.done("user:a", consume("articles", 1));
        }
        stage.now = at("2027-03-15T12:00:00Z");
        stage.done("user:a", status(Status::Unpaid));
        stage.later(TimeDelta::days(1));
        let late = track_at(at("2027-03-14T00:00:00Z"), vec![item("articles", 7)]);
        let told = stage.done("user:a", late);
        let (source, bucket) = drawn(&told).swap_remove(0);
        if uses {
            let into = window("articles", start());
            assert_eq!((source, bucket), (Source::Allowance, into));
        } else {
            assert_eq!(source, Source::Overage);
            assert!(matches!(bucket, Bucket::Tracked(..)), "{bucket}");
        }
        assert_eq!(audit(&stage.records()), []);
    }
}

/// X5 and U5: in a window that an unlimited user used, late use is not limited either, whatever the user is by now; in one that
/// was not used, the plan's limit counts.
#[test]
fn a_window_that_an_unlimited_user_used_limits_no_late_use() {
    let unlimited = |unlimited| {
        put_account(AccountSpec {
            unlimited: Some(unlimited),
            ..AccountSpec::default()
        })
    };
    for uses in [false, true] {
        let mut stage = Stage::user("pro");
        stage.done("user:a", unlimited(true));
        if uses {
            stage.done("user:a", consume("articles", 150));
        }
        stage.now = at("2027-04-11T00:00:00Z");
        stage.done("user:a", RENEW);
        stage.done("user:a", unlimited(false));
        let late = track_at(at("2027-04-09T00:00:00Z"), vec![item("articles", 107)]);
        let told = stage.done("user:a", late);
        let over = told.entries.iter().map(|entry| entry.overage);
        let expected = if uses { 0 } else { 7 };
        assert_eq!(over.sum::<i64>(), expected, "used: {uses}");
        assert_eq!(audit(&stage.records()), []);
    }
}

const FURTHER: &str = r#"
[[feature]]
code = "messages"
name = "Messages"
unit = "message"
kind = "consumable"
cadence = "monthly"

[[plan]]
code = "small"
name = "Small"
price = 1000
limits = { messages = [{ limit = 100 }, { limit = 10, per = "weekly" }] }

[[plan]]
code = "large"
name = "Large"
price = 2000
limits = { messages = [{ limit = 200 }, { limit = 20, per = "weekly" }] }
"#;

/// X5 and C9: late use of a window of a further limit whose use was moved on is charged where that was moved to, and limited there.
#[test]
fn late_use_follows_a_move_of_a_further_window() {
    let mut stage = with_catalog(Stage::user(""), FURTHER);
    stage.done("user:a", subscribe("small"));
    stage.done("user:a", consume("messages", 4));
    stage.later(TimeDelta::days(2));
    let keep = ChangePlan {
        plan: plan_code("large"),
        when: Some(ChangeWhen::Now),
        usage: UsageAfterChange::Keep,
    };
    stage.done("user:a", Command::ChangePlan(keep));
    stage.later(TimeDelta::days(1));
    let late = track_at(start() + TimeDelta::days(1), vec![item("messages", 9)]);
    let told = stage.done("user:a", late);
    let moved_at = start() + TimeDelta::days(2);
    let into = window("messages", moved_at);
    let weekly = Per::parse("weekly").expect("a literal");
    let week = Bucket::Further(code("messages"), weekly, moved_at.timestamp_micros());
    let both = [into, week].map(|bucket| (Source::Allowance, bucket));
    assert_eq!(drawn(&told), both);
    assert_eq!(audit(&stage.records()), []);
}

/// What was drawn for use that was told late, and in which weeks.
fn weeks_of(told: &Operation) -> Vec<(String, i64, i64)> {
    let entries = told.entries.iter();
    let weeks = entries.filter(|entry| matches!(entry.bucket, Bucket::Further(..)));
    weeks
        .map(|entry| (entry.bucket.to_string(), entry.used, entry.overage))
        .collect()
}

fn week(number: i32) -> Bucket {
    let per = Per::parse("weekly").expect("a literal");
    let starts_at = start() + TimeDelta::days(7) * number;
    Bucket::Further(code("messages"), per, starts_at.timestamp_micros())
}

/// X5 and C9: a window of a further limit that was closed limits late use of its time, and is charged with it; so is one in which
/// nothing was used before, from the first late use of it on. The week that runs stays as it is.
#[test]
fn late_use_is_charged_to_the_week_of_its_instant() {
    for jobs in [false, true] {
        let mut stage = with_catalog(Stage::user(""), FURTHER);
        stage.done("user:a", subscribe("small"));
        stage.done("user:a", consume("messages", 4));
        stage.later(TimeDelta::days(15));
        stage.done("user:a", consume("messages", 1));
        if jobs {
            let close = Command::CloseWindows(CloseWindows::default());
            stage.done("user:a", close);
        }
        for (day, amount, used, overage) in [(1, 9, 6, 3), (8, 15, 10, 5), (9, 2, 0, 2)] {
            let at = start() + TimeDelta::days(day);
            let told = stage.done("user:a", track_at(at, vec![item("messages", amount)]));
            let of_week = week(i32::from(7 < day)).to_string();
            let mut charged = weeks_of(&told).into_iter();
            let sum = charged.try_fold((0, 0), |(sum, over), (name, used, overage)| {
                (name == of_week).then_some((sum + used, over + overage))
            });
            assert_eq!(sum, Some((used, overage)), "day {day}");
        }
        let shown = stage.balance_of("user:a", Scope::User, "messages", None);
        let week = shown.windows.iter().find(|one| one.per == Cadence::Weekly);
        assert_eq!(week.map(|one| (one.used, one.overage)), Some((1, 0)));
        assert_eq!(audit(&stage.records()), []);
    }
}

/// X5, W7: late use begins a window of a further limit that ends where the next one began, and counts in it from then on.
#[test]
fn late_use_begins_a_window_of_a_further_limit() {
    let text = FURTHER.replace(
        "{ limit = 10, per = \"weekly\" }",
        "{ limit = 10, per = \"5h\", anchor = \"first_use\" }",
    );
    let mut stage = with_catalog(Stage::user(""), &text);
    stage.done("user:a", subscribe("small"));
    stage.later(TimeDelta::hours(3));
    stage.done("user:a", consume("messages", 4));
    stage.later(TimeDelta::hours(9));
    let mut told = |hours, amount| {
        let at = start() + TimeDelta::hours(hours);
        let told = stage.done("user:a", track_at(at, vec![item("messages", amount)]));
        let charged = weeks_of(&told).into_iter();
        let sum = charged.fold((0, 0), |(sum, over), (_, used, overage)| {
            (sum + used, over + overage)
        });
        let shown = told.answer.balances()[0].windows.iter();
        let five = shown.filter(|one| one.anchor == Anchor::FirstUse);
        let spans = five.map(|one| (one.starts_at, one.resets_at)).collect();
        (sum, spans)
    };
    let at = |hours| Some(start() + TimeDelta::hours(hours));
    assert_eq!(told(1, 12), ((10, 2), vec![(at(1), at(3))]));
    assert_eq!(told(2, 1), ((0, 1), vec![(at(1), at(3))]));
    assert_eq!(told(4, 7), ((6, 1), vec![(at(3), at(8))]));
    assert_eq!(told(9, 3), ((3, 0), vec![(at(9), at(14))]));
    assert_eq!(audit(&stage.records()), []);
}

/// X5, C9: which further limits another plan had tell the books alone: of a time before the plan changed, in which none was used,
/// that of the plan of now does not count.
#[test]
fn a_further_limit_of_now_limits_no_late_use_under_another_plan() {
    let text = format!(
        "{FURTHER}\n[[plan]]\ncode = \"plain\"\nname = \"Plain\"\nprice = 500\nlimits = {{ messages = 30 }}\n"
    );
    let mut stage = with_catalog(Stage::user(""), &text);
    stage.done("user:a", subscribe("plain"));
    stage.done("user:a", consume("messages", 1));
    stage.later(TimeDelta::days(3));
    let small = ChangePlan {
        plan: plan_code("small"),
        when: Some(ChangeWhen::Now),
        usage: UsageAfterChange::Restart,
    };
    stage.done("user:a", Command::ChangePlan(small));
    stage.later(TimeDelta::days(1));
    let late = track_at(start() + TimeDelta::days(1), vec![item("messages", 25)]);
    let told = stage.done("user:a", late);
    let first = window("messages", start());
    assert_eq!(drawn(&told), [(Source::Allowance, first)]);
    assert_eq!(weeks_of(&told), []);
    assert_eq!(audit(&stage.records()), []);
}

/// X5 and F2: of use that something else paid no window is left behind, open or closed.
#[test]
fn late_use_that_credits_pay_leaves_no_empty_window() {
    let mut stage = Stage::user("");
    stage.done("user:a", grant("pack", 10));
    stage.later(TimeDelta::days(40));
    let late = track_at(stage.now - TimeDelta::days(35), vec![item("try_on", 4)]);
    let told = stage.done("user:a", late);
    let pack = Bucket::parse("grant:pack").expect("a bucket");
    assert_eq!(drawn(&told), [(Source::Credits, pack.clone())]);
    let balances = stage.home.accounts[&id("user:a")].books.balances.iter();
    let left: Vec<&Bucket> = balances.map(|balance| &balance.bucket).collect();
    assert_eq!((left, stage.closed.len()), (vec![&pack], 0));
    assert_eq!(audit(&stage.records()), []);
}

/// X5 and W4: a start in the past with a longer period has live again a window that was closed, and it reaches further now: what is told
/// late of the time since then is booked in it.
#[test]
fn a_window_that_is_live_again_takes_late_use_up_to_its_new_end() {
    let mut stage = Stage::user("pro");
    stage.later(TimeDelta::days(32));
    let told = |day, amount| track_at(at(day), vec![item("albums", amount)]);
    stage.done("user:a", told("2027-04-02T10:00:00Z", 1));
    assert_eq!(stage.closed.len(), 1);
    let again = Subscribe {
        starts_at: Some(start()),
        ends_at: Some(stage.now + TimeDelta::days(10)),
        ..Subscribe::to(plan_code("pro"))
    };
    stage.done("user:a", Command::Subscribe(again));
    stage.done("user:a", told("2027-04-11T09:00:00Z", 2));
    assert_eq!(stage.remaining("user:a", "albums"), Some(2));
    assert_eq!(audit(&stage.records()), []);
}

/// X5 and T3: use with a token that is told late counts in the cap's window of its instant, whether that is closed, runs or never
/// began; the answer says how that stands.
#[test]
fn x5_late_use_with_a_token_counts_in_the_caps_window_of_its_instant() {
    for (used, is_closed) in [(0, false), (2, false), (2, true)] {
        let mut stage = Stage::user("pro");
        stage.done(
            "user:a",
            Command::PutToken(PutToken {
                token: token_id("t"),
                presence: Presence::Any,
                cap: Some(Limit::Of(10)),
                per: Some("daily".parse().expect("a span")),
                expires_at: None,
            }),
        );
        if used != 0 {
            stage.done("user:a", consume_with("t", "articles", used));
        }
        let yesterday = stage.now;
        stage.later(TimeDelta::days(1) + TimeDelta::minutes(1));
        if is_closed {
            close(&mut stage);
        }
        let told = stage.done(
            "user:a",
            Command::Track(Track {
                token: Some(token_id("t")),
                items: vec![item("articles", 7), item("articles", 6)],
                at: Some(yesterday),
            }),
        );
        let shown = told.answer.balances().first().expect("the token's");
        let over = 3 + used;
        assert_eq!((shown.scope, shown.overage), (Scope::Token, over));
        assert_eq!((shown.used, shown.remaining), (10, Some(0)));
        let today = stage.balance_of("user:a", Scope::Token, "", Some("t"));
        assert_eq!((today.used, today.remaining), (0, Some(10)));
        stage.done("user:a", consume_with("t", "articles", 10));
        stage.denied("user:a", consume_with("t", "articles", 1));
        close(&mut stage);
        assert_eq!(audit(&stage.records()), []);
    }
}
