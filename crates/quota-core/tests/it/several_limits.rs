//! Several limits on one feature, windows that a first use begins, and what rolls over (C9, C10, W7).

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use quota_core::amount::Limit;
use quota_core::answer::{Answer, WindowBalance};
use quota_core::balance::{Balance, Bucket};
use quota_core::catalog::{Anchor, Cadence, Catalog, CatalogFile};
use quota_core::command::{
    AccountSpec, ChangePlan, ChangeWhen, CloseWindows, Command, Refund, Renew, Reset, SetOverride,
    Subscribe, UsageAfterChange,
};
use quota_core::denial::Reason;
use quota_core::draw::{Scope, Source};
use quota_core::operation::Operation;

use crate::stage::{Stage, code, commit, consume, grant, id, plan_code, reserve, track};

const CATALOG: &str = r#"
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

fn catalog() -> Catalog {
    let file: CatalogFile = toml::from_str(CATALOG).expect("a catalog");
    Catalog::default().applied(&file).expect("valid")
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("a literal instant")
}

/// A user on `chat` since Monday, 1 March 2027, 00:00.
fn chat() -> Stage {
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

fn set_override(feature: &str, limit: Limit) -> Command {
    Command::SetOverride(SetOverride {
        feature: code(feature),
        limit,
        expires_at: None,
    })
}

/// As the reset job does; it may have nothing to close.
fn close_windows(stage: &mut Stage) {
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

/// E35 and C10: what is left of the limit goes over, is used first, and does not go over again.
#[test]
fn e35_what_is_left_of_the_limit_rolls_over_once() {
    for (used, third) in [(20, 130), (120, 110)] {
        let mut stage = chat();
        for _ in 0..3 {
            stage.done("user:a", Command::Renew(Renew::default()));
        }
        stage.done("user:a", consume("articles", 60));
        stage.now = at("2027-04-01T00:00:00Z");
        // W5: that the books were closed meanwhile changes nothing.
        close_windows(&mut stage);
        let shown = stage.balance_of("user:a", Scope::User, "articles", None);
        assert_eq!(
            (shown.granted, shown.plan_value),
            (Some(Limit::Of(130)), Some(Limit::Of(100)))
        );
        assert_eq!(shown.windows[0].rolled_over, 30);
        stage.done("user:a", consume("articles", used));
        assert_eq!(stage.remaining("user:a", "articles"), Some(130 - used));
        stage.now = at("2027-05-01T00:00:00Z");
        close_windows(&mut stage);
        assert_eq!(stage.remaining("user:a", "articles"), Some(third));
        stage.denied("user:a", consume("articles", third + 1));
        stage.done("user:a", consume("articles", third));
    }
}

/// E36 and C10: windows without use left everything, and still no more than `max` goes over.
#[test]
fn e36_windows_without_use_roll_over_no_more_than_max() {
    let mut stage = chat();
    for _ in 0..3 {
        stage.done("user:a", Command::Renew(Renew::default()));
    }
    assert_eq!(stage.remaining("user:a", "articles"), Some(100));
    stage.now = at("2027-06-01T00:00:00Z");
    assert_eq!(stage.remaining("user:a", "articles"), Some(130));
}

/// C10: nothing rolls over where the subscription did not run on, nor into the period of another plan.
#[test]
fn nothing_rolls_over_a_gap_or_an_upgrade() {
    let mut stage = chat();
    stage.now = at("2027-04-20T00:00:00Z");
    stage.done("user:a", crate::stage::subscribe("chat"));
    assert_eq!(stage.remaining("user:a", "articles"), Some(100));
    let change = ChangePlan {
        plan: plan_code("chat"),
        when: Some(ChangeWhen::Now),
        usage: UsageAfterChange::Restart,
    };
    stage.later(TimeDelta::days(3));
    let again = Subscribe {
        plan: change.plan,
        starts_at: None,
        ends_at: None,
        status: None,
    };
    stage.done("user:a", Command::Subscribe(again));
    assert_eq!(stage.remaining("user:a", "articles"), Some(100));
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
    #![proptest_config(ProptestConfig::with_cases(64))]

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

    /// C10: rollover is what a model finds that replays each day.
    #[test]
    fn c10_rollover_equals_a_model_that_replays_day_by_day(
        uses in prop::collection::btree_map(0_i64..330, 1_u64..40, 0..60), closes in any::<bool>(),
    ) {
        let mut stage = chat();
        for _ in 0..11 {
            stage.done("user:a", Command::Renew(Renew::default()));
        }
        let began = stage.now;
        let mut model = Model { left_of_limit: 100, rolled: 0, month: 0 };
        let by_day: BTreeMap<i64, u64> = uses;
        for (day, amount) in by_day {
            stage.now = began + TimeDelta::days(day);
            if closes {
                close_windows(&mut stage);
            }
            model.advance(began, stage.now);
            prop_assert_eq!(stage.remaining("user:a", "articles"), Some(model.left_of_limit + model.rolled));
            let outcome = stage.run("user:a", consume("articles", amount)).expect("an outcome");
            prop_assert_eq!(outcome.operation.answer.is_allowed(), model.take(amount));
        }
        prop_assert_eq!(quota_core::audit::audit(&stage.records()), []);
    }
}

/// One account with a limit of 100 a month, of which at most 30 roll over.
struct Model {
    left_of_limit: u64,
    rolled: u64,
    month: u32,
}

impl Model {
    fn advance(&mut self, began: DateTime<Utc>, now: DateTime<Utc>) {
        while quota_core::window::month_start(began, self.month + 1) <= now {
            self.month += 1;
            (self.rolled, self.left_of_limit) = (self.left_of_limit.min(30), 100);
        }
    }

    fn take(&mut self, amount: u64) -> bool {
        if self.left_of_limit + self.rolled < amount {
            return false;
        }
        let first = self.rolled.min(amount);
        self.rolled -= first;
        self.left_of_limit -= amount - first;
        true
    }
}
