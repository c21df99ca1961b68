//! Several limits on one feature, windows that a first use begins, and what rolls over (C9, C10, W7).

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use quota_core::amount::Limit;
use quota_core::answer::{Answer, Rejection, WindowBalance};
use quota_core::balance::{Balance, Bucket};
use quota_core::catalog::{Anchor, Cadence, Catalog, CatalogFile};
use quota_core::command::{
    AccountSpec, ChangePlan, ChangeWhen, ClearOverride, CloseWindows, Command, Presence,
    PutAccount, Refund, Renew, Reset, SetOverride, UsageAfterChange,
};
use quota_core::denial::Reason;
use quota_core::draw::{Scope, Source};
use quota_core::operation::Operation;
use quota_core::terms::Policy;

use crate::boosts::boost;
use crate::stage::{Stage, code, commit, consume, grant, id, plan_code, reserve, track};

pub const CATALOG: &str = r#"
[[feature]]
code = "messages"
name = "Messages"
unit = "message"
kind = "consumable"
cadence = "monthly"
credit_cost = 1

[[feature]]
code = "articles"
name = "Articles"
unit = "article"
kind = "consumable"
cadence = "monthly"

[[feature]]
code = "pages"
name = "Pages"
unit = "page"
kind = "consumable"
cadence = "monthly"
anchor = "calendar"

[[plan]]
code = "team"
name = "Team"
price = 5000
[plan.limits]
messages = [{ limit = 1000 }, { limit = 10, per = "daily", anchor = "calendar" }]
articles = { limit = 10, rollover = { max = 5 } }

[[plan]]
code = "chat"
name = "Chat"
price = 2000
[plan.limits]
messages = [
    { limit = 45, per = "5h", anchor = "first_use" },
    { limit = 500, per = "weekly", anchor = "calendar" },
]
articles = { limit = 100, rollover = { max = 30 } }
pages = { limit = 100, rollover = { max = 30 } }

[[plan]]
code = "large"
name = "Large"
price = 9000
[plan.limits]
messages = [
    { limit = 90, per = "5h", anchor = "first_use" },
    { limit = 5000, per = "weekly", anchor = "calendar" },
]
"#;

pub fn catalog() -> Catalog {
    let file: CatalogFile = toml::from_str(CATALOG).expect("a catalog");
    Catalog::default().applied(&file).expect("valid")
}

pub fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("a literal instant")
}

/// A user on `chat` since Monday, 1 March 2027, 00:00.
pub fn chat() -> Stage {
    let mut stage = Stage::new("user:a");
    stage.catalog = catalog();
    stage.now = at("2027-03-01T00:00:00Z");
    stage.done("user:a", crate::stage::put_account(AccountSpec::default()));
    stage.done("user:a", crate::stage::subscribe("chat"));
    stage
}

fn windows(stage: &mut Stage, feature: &str) -> Vec<WindowBalance> {
    stage
        .balance_of("user:a", Scope::User, feature, None)
        .windows
}

pub fn set_override(feature: &str, limit: Limit) -> Command {
    Command::SetOverride(SetOverride {
        feature: code(feature),
        limit,
        expires_at: None,
    })
}

/// As the reset job does; it may have nothing to close.
pub fn close_windows(stage: &mut Stage) {
    let closed = stage.run("user:a", Command::CloseWindows(CloseWindows::default()));
    assert!(closed.is_ok(), "{closed:?}");
}

/// Used and remaining of each window.
fn standing(stage: &mut Stage, feature: &str) -> Vec<(u64, Option<u64>)> {
    let windows = windows(stage, feature);
    windows
        .iter()
        .map(|window| (window.used, window.remaining))
        .collect()
}

fn user_draws(operation: &Operation) -> Vec<(Source, i64)> {
    let own = operation
        .entries
        .iter()
        .filter(|entry| !entry.bucket.is_further());
    own.map(|entry| (entry.source, entry.used + entry.overage))
        .collect()
}

fn with_5h_and_week(first: u64, week: u64) -> Stage {
    let mut stage = chat();
    stage.now = at("2027-03-02T03:00:00Z");
    let mut left = week - first;
    while left != 0 {
        let part = left.min(45);
        stage.done("user:a", consume("messages", part));
        left -= part;
        stage.later(TimeDelta::hours(6));
    }
    stage.now = stage.now.max(at("2027-03-05T09:00:00Z"));
    if first != 0 {
        stage.done("user:a", consume("messages", first));
    }
    stage
}

/// E32, C9, F7: a request must fit every limit; a denial names the one that binds longest.
#[test]
fn e32_a_request_must_fit_the_five_hours_and_the_week() {
    let mut stage = with_5h_and_week(44, 300);
    let first = stage.now;
    stage.later(TimeDelta::hours(1));
    stage.done("user:a", consume("messages", 1));
    let denial = stage.denied("user:a", consume("messages", 1));
    assert_eq!(
        (denial.reason, denial.scope),
        (Reason::LimitReached, Scope::User)
    );
    assert_eq!(
        denial.window.map(|window| window.to_string()).as_deref(),
        Some("5h")
    );
    assert_eq!(denial.resets_at, Some(first + TimeDelta::hours(5)));
    assert_eq!(denial.available, 0);
    assert_eq!(
        standing(&mut stage, "messages"),
        [(45, Some(0)), (301, Some(199))]
    );
    let shown = stage.balance_of("user:a", Scope::User, "messages", None);
    assert_eq!(
        (shown.granted, shown.used, shown.remaining),
        (Some(Limit::Of(45)), 45, Some(0))
    );
}

/// E33 and W7: a denied request opens no window; the week binds until Monday.
#[test]
fn e33_a_denied_request_begins_no_window() {
    let mut stage = with_5h_and_week(0, 500);
    let before = stage.home.clone();
    let denial = stage.denied("user:a", consume("messages", 1));
    assert_eq!(denial.window, Some(Cadence::Weekly));
    assert_eq!(denial.resets_at, Some(at("2027-03-08T00:00:00Z")));
    assert_eq!(stage.home, before);
    let five = windows(&mut stage, "messages")[0].clone();
    assert_eq!((five.used, five.starts_at, five.resets_at), (0, None, None));
    stage.now = at("2027-03-08T00:00:00Z");
    let allowed = stage.done("user:a", consume("messages", 1));
    let Answer::Allowed { balances } = &allowed.answer else {
        unreachable!("it was allowed")
    };
    let five = &balances[0].windows[0];
    assert_eq!(
        (five.starts_at, five.resets_at),
        (Some(stage.now), Some(stage.now + TimeDelta::hours(5)))
    );
}

/// E34 and F1: what a window has no room for, credits pay; only what the allowance pays is charged to the windows.
#[test]
fn e34_credits_pay_what_the_windows_have_no_room_for() {
    let mut stage = with_5h_and_week(44, 490);
    stage.done("user:a", grant("pack", 5));
    let done = stage.done("user:a", consume("messages", 3));
    assert_eq!(
        user_draws(&done),
        [(Source::Allowance, 1), (Source::Credits, 2)]
    );
    assert_eq!(
        standing(&mut stage, "messages"),
        [(45, Some(0)), (491, Some(9))]
    );
    // X3: a refund gives back to every window that was charged.
    let refund = Refund {
        operation: done.id,
        feature: None,
        amount: None,
    };
    stage.done("user:a", Command::Refund(refund));
    assert_eq!(
        standing(&mut stage, "messages"),
        [(44, Some(1)), (490, Some(10))]
    );
    assert_eq!(stage.lifetime("user:a", "messages"), 490);
}

/// C13, C9 and F1: a boost pays, before credits, what the windows have no room for, and that is charged to none of them.
#[test]
fn a_boost_pays_what_the_windows_have_no_room_for() {
    let mut stage = with_5h_and_week(44, 490);
    stage.done("user:a", grant("pack", 5));
    stage.done("user:a", boost("sale", "messages", 1));
    let done = stage.done("user:a", consume("messages", 3));
    let paid = [
        (Source::Allowance, 1),
        (Source::Boost, 1),
        (Source::Credits, 1),
    ];
    assert_eq!(user_draws(&done), paid);
    assert_eq!(
        standing(&mut stage, "messages"),
        [(45, Some(0)), (491, Some(9))]
    );
}

/// R1, R2 and C9: what is held counts in every window, and is settled in every window.
#[test]
fn a_hold_counts_in_every_window() {
    let mut stage = with_5h_and_week(40, 300);
    let held = stage.done("user:a", reserve("messages", 5, 600));
    let denial = stage.denied("user:a", consume("messages", 1));
    assert_eq!(denial.available, 0);
    stage.done("user:a", commit(held.id, 2));
    assert_eq!(
        standing(&mut stage, "messages"),
        [(42, Some(3)), (302, Some(198))]
    );
    // R4: what expires is given back to every window too.
    stage.done("user:a", reserve("messages", 3, 600));
    stage.later(TimeDelta::seconds(600));
    stage.done("user:a", consume("messages", 3));
    assert_eq!(quota_core::audit::audit(&stage.records()), []);
}

/// X5 and C9: what happened already is overage in the windows that it leaves no room in, and counts against them.
#[test]
fn what_is_tracked_beyond_a_window_is_overage_in_all() {
    let mut stage = with_5h_and_week(44, 300);
    stage.done("user:a", track("messages", 3));
    let windows = windows(&mut stage, "messages");
    let spent: Vec<_> = windows
        .iter()
        .map(|window| (window.used, window.overage))
        .collect();
    assert_eq!(spent, [(45, 2), (301, 2)]);
    assert_eq!(stage.lifetime("user:a", "messages"), 303);
}

/// X6: a reset begins every current window of the feature at 0.
#[test]
fn a_reset_begins_every_window_at_0() {
    let mut stage = with_5h_and_week(44, 300);
    let reset = Reset {
        features: vec![code("messages")],
        token: None,
    };
    stage.done("user:a", Command::Reset(reset));
    assert_eq!(
        standing(&mut stage, "messages"),
        [(0, Some(45)), (0, Some(500))]
    );
    assert_eq!(stage.lifetime("user:a", "messages"), 300);
}

/// F6: an override is the one limit of the feature, and unlimited use is denied by no window.
#[test]
fn an_override_beats_every_limit_of_the_plan() {
    let mut stage = with_5h_and_week(45, 300);
    stage.done("user:a", set_override("messages", Limit::Of(400)));
    stage.done("user:a", consume("messages", 100));
    assert_eq!(stage.remaining("user:a", "messages"), Some(0));
    stage.done("user:a", set_override("messages", Limit::Unlimited));
    stage.done("user:a", consume("messages", 1000));
}

/// S5, W4 and C9: an upgrade restarts the windows that a first use began; the calendar's week counts on.
#[test]
fn an_upgrade_restarts_what_a_first_use_began() {
    let mut stage = with_5h_and_week(45, 300);
    stage.later(TimeDelta::hours(1));
    let change = ChangePlan {
        plan: plan_code("large"),
        when: Some(ChangeWhen::Now),
        usage: UsageAfterChange::Restart,
    };
    stage.done("user:a", Command::ChangePlan(change.clone()));
    assert_eq!(
        standing(&mut stage, "messages"),
        [(0, Some(90)), (300, Some(4700))]
    );
    stage.done("user:a", consume("messages", 90));
    let keep = ChangePlan {
        plan: plan_code("chat"),
        usage: UsageAfterChange::Keep,
        ..change
    };
    stage.later(TimeDelta::hours(1));
    stage.done("user:a", Command::ChangePlan(keep));
    assert_eq!(
        standing(&mut stage, "messages"),
        [(90, Some(0)), (390, Some(110))]
    );
}

/// S5, S8 and W7: so does a start in place of what runs, to the same plan too; the calendar's week counts on.
#[test]
fn a_start_restarts_what_a_first_use_began() {
    let mut stage = with_5h_and_week(45, 300);
    stage.later(TimeDelta::hours(1));
    stage.done("user:a", crate::stage::subscribe("chat"));
    assert_eq!(
        standing(&mut stage, "messages"),
        [(0, Some(45)), (300, Some(200))]
    );
    stage.done("user:a", consume("messages", 45));
    assert_eq!(quota_core::audit::audit(&stage.records()), []);
}

/// S4 and C4: a renewal does not begin anew what a first use began.
#[test]
fn a_first_use_window_runs_over_a_renewal() {
    let mut stage = chat();
    stage.done("user:a", Command::Renew(Renew::default()));
    stage.now = at("2027-03-31T23:00:00Z");
    stage.done("user:a", consume("messages", 40));
    stage.now = at("2027-04-01T01:00:00Z");
    assert_eq!(standing(&mut stage, "messages")[0], (40, Some(5)));
    stage.now = at("2027-04-01T04:00:00Z");
    assert_eq!(standing(&mut stage, "messages")[0], (0, Some(45)));
}

/// The windows of `messages` by first use, live and closed.
fn first_uses(stage: &Stage) -> Vec<Balance> {
    let live = stage.home.accounts[&id("user:a")].books.balances.iter();
    let closed = stage.closed.values().map(|closed| &closed.balance);
    let is_first_use = |balance: &&Balance| matches!(balance.bucket, Bucket::Further(_, per, _) if per.anchor == Anchor::FirstUse);
    let mut found: Vec<Balance> = live.chain(closed).filter(is_first_use).cloned().collect();
    found.sort_by_key(|balance| balance.starts_at);
    found
}

proptest! {
    #![proptest_config(crate::cases::at_least(64))]

    /// W7: windows of first use never overlap, last their span, begin with an accepted request and never with a denied one.
    #[test]
    fn w7_windows_of_first_use_never_overlap(
        steps in prop::collection::vec((0_i64..400, 1_u64..60, any::<bool>()), 1..60),
    ) {
        let mut stage = chat();
        let mut accepted = Vec::new();
        for (minutes, amount, closes) in steps {
            stage.later(TimeDelta::minutes(minutes));
            let outcome = stage.run("user:a", consume("messages", amount)).expect("an outcome");
            if outcome.operation.answer.is_allowed() {
                accepted.push(stage.now);
            }
            if closes {
                close_windows(&mut stage);
            }
        }
        let windows = first_uses(&stage);
        for window in &windows {
            prop_assert!(accepted.contains(&window.starts_at));
            prop_assert_eq!(window.ends_at, Some(window.starts_at + TimeDelta::hours(5)));
            prop_assert!(window.used <= 45 && window.used != 0);
        }
        for pair in windows.windows(2) {
            prop_assert!(pair[0].ends_at <= Some(pair[1].starts_at));
        }
        let findings = quota_core::audit::audit(&stage.records());
        prop_assert_eq!(findings, []);
    }
}

fn change_plan(plan: &str, usage: UsageAfterChange) -> Command {
    Command::ChangePlan(ChangePlan {
        plan: plan_code(plan),
        when: Some(ChangeWhen::Now),
        usage,
    })
}

/// An org on `team` that books the excess, with two members.
fn team() -> Stage {
    let mut stage = Stage::new("org:o");
    stage.catalog = catalog();
    stage.now = at("2027-03-01T00:00:00Z");
    let policy = AccountSpec {
        policy: Some(Policy::Track),
        ..AccountSpec::default()
    };
    stage.done("org:o", crate::stage::put_account(policy));
    stage.done("org:o", crate::stage::subscribe("team"));
    stage.done("user:a", crate::stage::put_account(crate::stage::member()));
    stage.done("user:b", crate::stage::put_account(crate::stage::member()));
    stage
}

/// The units used and overspent in the org's window of the day.
fn of_day(stage: &mut Stage) -> (u64, u64) {
    let shown = stage.balance_of("org:o", Scope::Org, "messages", None);
    let day = shown
        .windows
        .iter()
        .find(|window| window.per == Cadence::Daily);
    let day = day.expect("the plan limits the day");
    (day.used, day.overage)
}

/// X3 and C9: a part of a hold that was not used is no draw: a refund gives nothing back for it.
#[test]
fn a_refund_of_a_commit_gives_no_window_back_twice() {
    let mut stage = team();
    stage.done("user:b", consume("messages", 6));
    let held = stage.done("user:a", reserve("messages", 6, 600));
    let committed = stage.done("user:a", commit(held.id, 4));
    assert_eq!(of_day(&mut stage), (10, 0));
    stage.done("user:a", crate::stage::refund(committed.id, None));
    assert_eq!(of_day(&mut stage), (6, 0));
    assert_eq!(quota_core::audit::audit(&stage.records()), []);
}

/// X8 and C9: how much of a hold was used is told once, however many windows it was charged to.
#[test]
fn the_end_of_a_hold_tells_its_use_once() {
    let mut stage = with_5h_and_week(0, 10);
    let held = stage.done("user:a", reserve("messages", 5, 600));
    stage.done("user:a", commit(held.id, 2));
    let refused = stage
        .run("user:a", commit(held.id, 3))
        .expect_err("it has ended");
    let Rejection::ReservationEnded { ending } = refused else {
        unreachable!("{refused:?}")
    };
    assert_eq!(ending.used, Some(2));
}

/// W5 and W7: a window that is over stays over, whatever of a hold is booked in it late.
#[test]
fn a_hold_that_ends_late_begins_no_window_again() {
    let mut stage = chat();
    stage.done("user:a", crate::stage::put_token("t", Limit::Unlimited));
    stage.done("user:a", consume("messages", 45));
    stage.done("user:a", track("messages", 5));
    stage.later(TimeDelta::hours(6));
    close_windows(&mut stage);
    stage.done("user:a", consume("messages", 45));
    for window in first_uses(&stage) {
        assert!(window.ends_at.is_some(), "{window:?}");
    }
    let mut org = team();
    org.done("org:o", change_plan("chat", UsageAfterChange::Keep));
    org.done("user:a", consume("messages", 45));
    let held = org.done("user:b", reserve("messages", 6, 86_400));
    org.later(TimeDelta::hours(8));
    let closed = org.run("org:o", Command::CloseWindows(CloseWindows::default()));
    assert!(closed.is_ok());
    org.done("user:b", commit(held.id, 6));
    let shown = org.balance_of("org:o", Scope::Org, "messages", None);
    let five = shown
        .windows
        .iter()
        .find(|window| window.anchor == Anchor::FirstUse);
    // It was booked where the hold was, in the window that is over.
    assert_eq!(five.map(|five| five.used + five.overage), Some(0));
    assert_eq!(quota_core::audit::audit(&org.records()), []);
}

/// X5 and C9: use of an earlier day is charged to no window of today.
#[test]
fn use_that_is_told_late_is_charged_to_the_windows_of_its_instant() {
    let mut stage = team();
    stage.now = at("2027-03-10T12:00:00Z");
    let items = vec![crate::stage::item("messages", 10)];
    let yesterday = at("2027-03-09T12:00:00Z");
    stage.done("user:a", crate::stage::track_at(yesterday, items));
    assert_eq!(of_day(&mut stage), (0, 0));
    stage.done("user:a", consume("messages", 10));
    assert_eq!(of_day(&mut stage), (10, 0));
}

/// W5: a reset job closes windows by the cadence of their limit, and not by that of the feature.
#[test]
fn windows_of_hours_are_closed_with_the_days() {
    let mut stage = with_5h_and_week(45, 90);
    stage.later(TimeDelta::hours(6));
    let before = stage.closed.len();
    let daily = CloseWindows {
        cadence: Some(Cadence::Daily),
        features: Vec::new(),
    };
    stage.done("user:a", Command::CloseWindows(daily));
    assert_eq!(stage.closed.len() - before, 2);
}

/// F6, X6 and C9: under an override the windows of the plan's limits go on counting, are reset, and are moved.
#[test]
fn windows_go_on_under_an_override() {
    let mut stage = with_5h_and_week(44, 300);
    stage.done("user:a", set_override("messages", Limit::Of(1000)));
    stage.done("user:a", consume("messages", 100));
    stage.done(
        "user:a",
        Command::ClearOverride(ClearOverride {
            feature: code("messages"),
        }),
    );
    assert_eq!(
        standing(&mut stage, "messages"),
        [(144, Some(0)), (400, Some(100))]
    );
    stage.done("user:a", set_override("messages", Limit::Of(1000)));
    let reset = Reset {
        features: vec![code("messages")],
        token: None,
    };
    stage.done("user:a", Command::Reset(reset));
    stage.done("user:a", consume("messages", 7));
    let tokyo = AccountSpec {
        time_zone: Some("Asia/Tokyo".parse().expect("a zone")),
        ..AccountSpec::default()
    };
    let moved = PutAccount {
        presence: Presence::Existing,
        spec: tokyo,
    };
    stage.done("user:a", Command::PutAccount(moved));
    stage.done(
        "user:a",
        Command::ClearOverride(ClearOverride {
            feature: code("messages"),
        }),
    );
    assert_eq!(
        standing(&mut stage, "messages"),
        [(7, Some(38)), (7, Some(493))]
    );
}
