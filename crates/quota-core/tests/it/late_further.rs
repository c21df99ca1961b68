//! Late use and what limits a feature beside its own window: which windows it is counted in, and what comes over from them (X5, C9, C10).

use chrono::TimeDelta;
use quota_core::audit::audit;
use quota_core::catalog::Anchor;
use quota_core::command::{Command, Renew};
use quota_core::draw::Scope;
use quota_core::operation::Operation;

use crate::several_limits::at;
use crate::stage::{Stage, consume, item, subscribe, track_at};
use crate::with_catalog::with_catalog;

/// A user on a plan with those limits of a feature of which weeks are counted.
fn on(limits: &str) -> Stage {
    let text = format!(
        r#"
[[feature]]
code = "msg"
name = "Messages"
unit = "message"
kind = "consumable"
cadence = "weekly"

[[plan]]
code = "p"
name = "P"
price = 1000
limits = {{ msg = {limits} }}
"#
    );
    let mut stage = with_catalog(Stage::user(""), &text);
    stage.done("user:a", subscribe("p"));
    stage
}

/// What came from the allowance, and what was beyond it: the same of every window that was charged.
fn drawn(told: &Operation) -> (i64, i64) {
    let entries = told.entries.iter().filter(|of| of.scope == Scope::User);
    let mut sums = std::collections::BTreeMap::new();
    for entry in entries {
        let sum = sums.entry(&entry.bucket).or_insert((0, 0));
        *sum = (sum.0 + entry.used, sum.1 + entry.overage);
    }
    let all: std::collections::BTreeSet<_> = sums.into_values().collect();
    assert_eq!(all.len(), 1, "{told:?}");
    all.into_iter().next().unwrap_or_default()
}

/// X5, W7 and C9: late use begins a window of five hours at its instant, which runs on, and is limited by it.
#[test]
fn late_use_begins_a_window_that_runs_on() {
    for limits in [
        "[{ limit = 45, per = \"5h\", anchor = \"first_use\" }, { limit = 500 }]",
        "[{ limit = 45, per = \"5h\", anchor = \"first_use\" }, { limit = 500, per = \"monthly\" }]",
    ] {
        let mut stage = on(limits);
        stage.later(TimeDelta::hours(2));
        let since = stage.now - TimeDelta::seconds(1);
        let told = stage.done("user:a", track_at(since, vec![item("msg", 50)]));
        assert_eq!(drawn(&told), (45, 5));
        let shown = stage.balance_of("user:a", Scope::User, "msg", None);
        let five = shown
            .windows
            .iter()
            .find(|one| one.anchor == Anchor::FirstUse);
        let five = five.map(|one| (one.starts_at, one.resets_at, one.used, one.overage));
        let ends_at = since + TimeDelta::hours(5);
        assert_eq!(five, Some((Some(since), Some(ends_at), 45, 5)), "{limits}");
        stage.denied("user:a", consume("msg", 1));
        assert_eq!(audit(&stage.records()), []);
        stage.now = ends_at;
        stage.done("user:a", consume("msg", 1));
        assert_eq!(audit(&stage.records()), []);
    }
}

/// X5, C9 and C10: late use of yesterday is charged to yesterday's window, which has what came over into it, and lowers what comes over
/// into today's.
#[test]
fn late_use_of_yesterday_lowers_what_came_over_into_today() {
    // On the first day nothing came over; on the second 4 did.
    for (day, first, second, over) in [(1, (10, 0), (0, 5), 0), (2, (10, 0), (4, 1), 0)] {
        let mut stage =
            on("[{ limit = 100 }, { limit = 10, per = \"daily\", rollover = { max = 4 } }]");
        let start = stage.now;
        stage.now = start + TimeDelta::days(day) + TimeDelta::hours(1);
        let over_of = |stage: &mut Stage| {
            let shown = stage.balance_of("user:a", Scope::User, "msg", None);
            let daily = shown
                .windows
                .iter()
                .find(|one| one.per.to_string() == "daily");
            daily.map(|one| one.rolled_over)
        };
        assert_eq!(over_of(&mut stage), Some(4));
        let yesterday = stage.now - TimeDelta::days(1);
        for (amount, wanted) in [(10, first), (5, second)] {
            let told = stage.done("user:a", track_at(yesterday, vec![item("msg", amount)]));
            assert_eq!(drawn(&told), wanted, "day {day}");
        }
        assert_eq!(over_of(&mut stage), Some(over), "day {day}");
        assert_eq!(audit(&stage.records()), []);
    }
}

/// X5, C9 and C10: so it is where the window was of the period before.
#[test]
fn late_use_of_the_period_before_lowers_what_came_over() {
    for closes in [false, true] {
        let mut stage =
            on("[{ limit = 100 }, { limit = 10, per = \"monthly\", rollover = { max = 4 } }]");
        stage.done("user:a", Command::Renew(Renew::default()));
        let start = stage.now;
        stage.now = at("2027-04-12T00:00:00Z");
        assert!(
            start + TimeDelta::days(31) < stage.now,
            "in the next period"
        );
        if closes {
            crate::several_limits::close_windows(&mut stage);
        }
        let before = at("2027-04-09T00:00:00Z");
        let told = stage.done("user:a", track_at(before, vec![item("msg", 12)]));
        assert_eq!(drawn(&told), (10, 2), "closed: {closes}");
        let shown = stage.balance_of("user:a", Scope::User, "msg", None);
        let monthly = shown
            .windows
            .iter()
            .find(|one| one.per.to_string() == "monthly");
        assert_eq!(monthly.map(|one| (one.rolled_over, one.used)), Some((0, 0)));
        assert_eq!(audit(&stage.records()), []);
    }
}
