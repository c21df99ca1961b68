//! What rolls over from a window to the next one (C10).

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use quota_core::amount::Limit;
use quota_core::command::{
    AccountSpec, Cancel, ChangePlan, ChangeWhen, ClearOverride, Command, Presence, PutAccount,
    Renew, SetStatus, Subscribe, UsageAfterChange,
};
use quota_core::draw::Scope;
use quota_core::terms::Status;

use crate::several_limits::{CATALOG, at, chat, close_windows, set_override};
use crate::stage::{Stage, code, consume, plan_code, reserve, subscribe};
use crate::with_catalog::with_catalog;

fn change_plan(plan: &str, when: ChangeWhen) -> Command {
    Command::ChangePlan(ChangePlan {
        plan: plan_code(plan),
        when: Some(when),
        usage: UsageAfterChange::Restart,
    })
}

/// S9, W5 and C10: what comes over after a late renewal is the same whether a job closed the window before or not.
#[test]
fn a_late_renewal_gives_no_rollover_that_was_used() {
    for closes in [false, true] {
        let mut stage = chat();
        stage.done("user:a", consume("articles", 100));
        stage.now = at("2027-04-01T00:10:00Z");
        if closes {
            close_windows(&mut stage);
            stage.done("user:a", Command::ExpireSubscription);
        }
        stage.now = at("2027-04-02T00:00:00Z");
        stage.done("user:a", Command::Renew(Renew::default()));
        assert_eq!(stage.remaining("user:a", "articles"), Some(100), "{closes}");
    }
}

/// C10 and S2: nor does a payment that came late, or an override that was active at the boundary.
#[test]
fn a_boundary_without_a_limit_gives_no_rollover_that_was_used() {
    let status = |status| Command::SetStatus(SetStatus { status });
    let clear = Command::ClearOverride(ClearOverride {
        feature: code("articles"),
    });
    for (before, after) in [
        (status(Status::Unpaid), status(Status::Active)),
        (set_override("articles", Limit::Of(150)), clear),
    ] {
        let mut stage = chat();
        stage.done("user:a", Command::Renew(Renew::default()));
        stage.done("user:a", consume("articles", 100));
        stage.now = at("2027-03-31T00:00:00Z");
        stage.done("user:a", before);
        stage.now = at("2027-04-01T00:10:00Z");
        close_windows(&mut stage);
        stage.now = at("2027-04-03T00:00:00Z");
        stage.done("user:a", after);
        assert_eq!(stage.remaining("user:a", "articles"), Some(100));
    }
}

/// C10 and W3: a change of the zone moves the calendar's windows; what was used before them was used.
#[test]
fn a_change_of_the_zone_gives_no_rollover_that_was_used() {
    for uses_april in [false, true] {
        let mut stage = chat();
        stage.done("user:a", Command::Renew(Renew::default()));
        stage.done("user:a", consume("pages", 100));
        stage.now = at("2027-04-10T00:00:00Z");
        if uses_april {
            stage.done("user:a", consume("pages", 1));
        }
        let moved = PutAccount {
            presence: Presence::Existing,
            spec: AccountSpec {
                time_zone: Some("Asia/Tokyo".parse().expect("a zone")),
                ..AccountSpec::default()
            },
        };
        stage.done("user:a", Command::PutAccount(moved));
        let left = stage.remaining("user:a", "pages");
        assert_eq!(left, Some(100 - u64::from(uses_april)));
    }
}

/// C10 and C4: a limit by the calendar rolls over, whenever the subscription began.
#[test]
fn a_limit_by_the_calendar_rolls_over() {
    let mut stage = chat();
    for _ in 0..2 {
        stage.done("user:a", Command::Renew(Renew::default()));
    }
    stage.done("user:a", consume("pages", 85));
    stage.now = at("2027-04-20T00:00:00Z");
    close_windows(&mut stage);
    assert_eq!(stage.remaining("user:a", "pages"), Some(115));
}

/// X5 and C10: what is told late is counted under the limit that its window had, and lowers what comes over.
#[test]
fn use_that_is_told_late_is_counted_with_what_came_over() {
    let mut stage = chat();
    for _ in 0..3 {
        stage.done("user:a", Command::Renew(Renew::default()));
    }
    stage.now = at("2027-04-15T00:00:00Z");
    // 30 came over from March.
    stage.done("user:a", consume("articles", 100));
    stage.now = at("2027-05-02T00:00:00Z");
    close_windows(&mut stage);
    assert_eq!(stage.remaining("user:a", "articles"), Some(130));
    let items = vec![crate::stage::item("articles", 20)];
    let late = crate::stage::track_at(at("2027-04-16T00:00:00Z"), items);
    let told = stage.done("user:a", late);
    assert!(told.entries.iter().all(|entry| entry.overage == 0));
    assert_eq!(stage.remaining("user:a", "articles"), Some(110));
    let items = vec![crate::stage::item("articles", 20)];
    stage.done(
        "user:a",
        crate::stage::track_at(at("2027-04-16T00:00:00Z"), items),
    );
    assert_eq!(stage.remaining("user:a", "articles"), Some(100));
}

/// C10, X5 and E35: what is told late of a window in which nothing was used yet is counted under all that this window had, what
/// came over into it included, and lowers what comes over from it as use in time does.
#[test]
fn late_use_of_a_window_without_use_is_counted_once() {
    for feature in ["articles", "pages"] {
        for (late, over) in [(0, 30), (100, 30), (120, 10), (130, 0)] {
            let mut stage = chat();
            for _ in 0..3 {
                stage.done("user:a", Command::Renew(Renew::default()));
            }
            stage.now = at("2027-05-02T00:00:00Z");
            if late != 0 {
                let items = vec![crate::stage::item(feature, late)];
                let told = crate::stage::track_at(at("2027-04-16T00:00:00Z"), items);
                let told = stage.done("user:a", told);
                let then = &told.answer.balances()[0];
                assert_eq!(
                    (then.granted, then.plan_value, then.used, then.overage),
                    (Some(Limit::Of(130)), Some(Limit::Of(100)), late, 0),
                    "{feature}"
                );
            }
            assert_eq!(stage.remaining("user:a", feature), Some(100 + over));
            assert_eq!(quota_core::audit::audit(&stage.records()), []);
        }
    }
}

/// C10 and X5: late use of a window lowers what comes over into the next one, which late use begins too, whatever was opened and
/// closed behind them meanwhile.
#[test]
fn late_use_lowers_what_comes_over_to_late_use() {
    for feature in ["articles", "pages"] {
        for opens_later in [false, true] {
            let mut stage = chat();
            for _ in 0..4 {
                stage.done("user:a", Command::Renew(Renew::default()));
            }
            stage.now = at("2027-06-02T00:00:00Z");
            if opens_later {
                stage.done("user:a", consume(feature, 1));
                close_windows(&mut stage);
            }
            for (then, amount, told) in [
                ("2027-04-30T00:00:00Z", 120, (130, 120, 0)),
                ("2027-05-16T00:00:00Z", 111, (110, 110, 1)),
            ] {
                let items = vec![crate::stage::item(feature, amount)];
                let late = stage.done("user:a", crate::stage::track_at(at(then), items));
                let seen = &late.answer.balances()[0];
                let granted = seen.granted.and_then(Limit::ceiling);
                assert_eq!(
                    (granted, seen.used, seen.overage),
                    (Some(told.0), told.1, told.2),
                    "{feature} {then} {opens_later}"
                );
                close_windows(&mut stage);
            }
            assert_eq!(quota_core::audit::audit(&stage.records()), []);
        }
    }
}

/// C10 and W4: a start in the past is one for what comes over, too: the days since then were without use.
#[test]
fn what_came_over_since_a_backdated_start_is_there() {
    let mut stage = chat();
    stage.now = at("2027-03-20T00:00:00Z");
    stage.done("user:a", Command::Cancel(Cancel { at_once: true }));
    stage.later(TimeDelta::minutes(1));
    stage.done("user:a", crate::stage::subscribe("chat"));
    stage.later(TimeDelta::minutes(1));
    stage.done(
        "user:a",
        Command::Subscribe(Subscribe {
            starts_at: Some(at("2027-02-25T00:00:00Z")),
            ..Subscribe::to(plan_code("chat"))
        }),
    );
    assert_eq!(stage.remaining("user:a", "pages"), Some(130));
}

/// C10: a limit for the whole period rolls over from one period to the next: what that one left, and no more.
#[test]
fn a_limit_for_the_period_rolls_over_what_the_period_left() {
    const TEXT: &str = r#"
[[feature]]
code = "renders"
name = "Renders"
unit = "render"
kind = "consumable"
cadence = "subscription"
[[plan]]
code = "studio"
name = "Studio"
price = 900
limits = { renders = { limit = 100, rollover = { max = 30 } } }
"#;
    let mut stage = with_catalog(Stage::user(""), TEXT);
    stage.done("user:a", subscribe("studio"));
    stage.done("user:a", Command::Renew(Renew::default()));
    stage.done("user:a", consume("renders", 85));
    stage.later(TimeDelta::days(32));
    assert_eq!(stage.remaining("user:a", "renders"), Some(115));
    stage.done("user:a", consume("renders", 1));
    assert_eq!(stage.remaining("user:a", "renders"), Some(114));
}

/// C10 and C7: what goes over is left of the limit that the window had, without what had come over into it: one that the catalog
/// raised since is that of the next.
#[test]
fn a_limit_that_is_raised_behind_a_window_leaves_no_more_of_it() {
    for (since, used) in [("2027-04-01T00:10:00Z", 85), ("2027-05-01T00:10:00Z", 115)] {
        let mut stage = chat();
        for _ in 0..3 {
            stage.done("user:a", Command::Renew(Renew::default()));
        }
        // Into April 30 came over of March, in which nothing was used; into March nothing.
        stage.now = at(since) - TimeDelta::days(3);
        stage.done("user:a", consume("articles", used));
        stage.now = at(since);
        let raised = CATALOG.replace("limit = 100, rollover", "limit = 200, rollover");
        stage = with_catalog(stage, &raised);
        assert_eq!(stage.remaining("user:a", "articles"), Some(215), "{since}");
        stage.done("user:a", consume("articles", 1));
        assert_eq!(stage.remaining("user:a", "articles"), Some(214), "{since}");
    }
}

/// C10 and R1: what is reserved of a window when it ends is not left of it.
#[test]
fn what_is_held_over_the_boundary_does_not_roll_over() {
    let mut stage = chat();
    stage.done("user:a", Command::Renew(Renew::default()));
    stage.done("user:a", consume("articles", 85));
    stage.now = at("2027-03-31T23:50:00Z");
    stage.done("user:a", reserve("articles", 10, 3_600));
    stage.now = at("2027-04-01T00:10:00Z");
    assert_eq!(stage.remaining("user:a", "articles"), Some(105));
    stage.done("user:a", consume("articles", 1));
    assert_eq!(stage.remaining("user:a", "articles"), Some(104));
}

/// F6 and C10: what an override allowed for a while is not left over.
#[test]
fn what_an_override_allowed_does_not_roll_over() {
    let mut stage = chat();
    stage.done("user:a", Command::Renew(Renew::default()));
    stage.done("user:a", consume("articles", 20));
    stage.done("user:a", set_override("articles", Limit::Of(500)));
    stage.done("user:a", consume("articles", 80));
    let clear = Command::ClearOverride(ClearOverride {
        feature: code("articles"),
    });
    stage.done("user:a", clear.clone());
    stage.now = at("2027-04-01T00:00:00Z");
    assert_eq!(stage.remaining("user:a", "articles"), Some(100));
    // What came over into a window that is opened under an override is there when that ends.
    let mut stage = chat();
    stage.done("user:a", Command::Renew(Renew::default()));
    stage.done("user:a", consume("articles", 60));
    stage.now = at("2027-04-01T00:00:00Z");
    stage.done("user:a", set_override("articles", Limit::Of(150)));
    stage.done("user:a", consume("articles", 1));
    stage.done("user:a", clear);
    assert_eq!(stage.remaining("user:a", "articles"), Some(129));
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
    stage.later(TimeDelta::days(3));
    let again = Subscribe::to(plan_code("chat"));
    stage.done("user:a", Command::Subscribe(again));
    assert_eq!(stage.remaining("user:a", "articles"), Some(100));
    stage.later(TimeDelta::days(3));
    stage.done("user:a", change_plan("team", ChangeWhen::Now));
    assert_eq!(stage.remaining("user:a", "articles"), Some(10));
    stage.done("user:a", change_plan("chat", ChangeWhen::PeriodEnd));
    stage.done("user:a", Command::Renew(Renew::default()));
    stage.later(TimeDelta::days(32));
    assert_eq!(stage.remaining("user:a", "articles"), Some(100));
}

/// A user on `chat` since then, beside a plan `press` with the same pages by the calendar.
fn chat_beside_press(since: &str) -> crate::stage::Stage {
    let press = r#"
[[plan]]
code = "press"
name = "Press"
price = 9000
[plan.limits]
pages = { limit = 100, rollover = { max = 30 } }
"#;
    let text = format!("{}{press}", crate::several_limits::CATALOG);
    let mut stage = crate::with_catalog::with_catalog(crate::stage::Stage::new("user:a"), &text);
    stage.now = at(since);
    stage.done("user:a", crate::stage::put_account(AccountSpec::default()));
    stage.done("user:a", crate::stage::subscribe("chat"));
    stage
}

/// C10: months of the calendar under another plan leave nothing to the one that took its place, however that came: by a change
/// at once, by a start, by one that waited; whether or not the month was begun before. From the first whole month of the new
/// plan on it rolls over again.
#[test]
fn months_of_another_plan_do_not_roll_over_by_the_calendar() {
    let start = |starts_at: Option<&str>| {
        Command::Subscribe(Subscribe {
            starts_at: starts_at.map(at),
            ends_at: Some(at("2028-04-01T00:00:00Z")),
            ..Subscribe::to(plan_code("press"))
        })
    };
    let ways = [
        change_plan("press", ChangeWhen::Now),
        start(None),
        start(Some("2027-04-10T00:00:00Z")),
        change_plan("press", ChangeWhen::PeriodEnd),
    ];
    for (way, uses) in ways
        .into_iter()
        .flat_map(|way| [(way.clone(), false), (way, true)])
    {
        let mut stage = chat_beside_press("2027-02-10T00:00:00Z");
        stage.done("user:a", Command::Renew(Renew::default()));
        stage.now = at("2027-04-05T00:00:00Z");
        assert_eq!(stage.remaining("user:a", "pages"), Some(130));
        if uses {
            stage.done("user:a", consume("pages", 1));
        }
        stage.done("user:a", way.clone());
        for _ in 0..2 {
            stage.done("user:a", Command::Renew(Renew::default()));
        }
        let used = u64::from(uses);
        stage.now = at("2027-04-15T00:00:00Z");
        let left = stage.remaining("user:a", "pages");
        assert_eq!(left, Some(100 - used), "{way:?}, used {used}");
        stage.done("user:a", consume("pages", 80 - used));
        stage.now = at("2027-05-05T00:00:00Z");
        let left = stage.remaining("user:a", "pages");
        assert_eq!(left, Some(120), "{way:?}, used {used}");
        assert_eq!(quota_core::audit::audit(&stage.records()), []);
    }
}

/// C10 and P13: what an add-on lets go over by itself is no matter of the base plan.
#[test]
fn months_of_an_add_on_roll_over_whatever_the_base_plan_was() {
    let more = r#"
[[plan]]
code = "more"
name = "More"
kind = "addon"
price = 100
[plan.limits]
pages = { limit = 100, rollover = { max = 30 } }
"#;
    let text = format!("{}{more}", crate::several_limits::CATALOG);
    let mut stage = crate::with_catalog::with_catalog(crate::stage::Stage::new("user:a"), &text);
    stage.now = at("2027-03-01T00:00:00Z");
    stage.done("user:a", crate::stage::put_account(AccountSpec::default()));
    stage.done("user:a", crate::stage::subscribe("team"));
    stage.done("user:a", crate::addons::set_addon("more", 1));
    stage.now = at("2027-03-20T00:00:00Z");
    stage.done("user:a", change_plan("large", ChangeWhen::Now));
    stage.now = at("2027-04-05T00:00:00Z");
    assert_eq!(stage.remaining("user:a", "pages"), Some(130));
    stage.done("user:a", change_plan("team", ChangeWhen::Now));
    assert_eq!(stage.remaining("user:a", "pages"), Some(130));
}

/// C10 and W4: a start of the same plan in place of the one that runs is no other plan: the month before leaves what it left.
#[test]
fn a_start_of_the_same_plan_keeps_what_rolls_over_by_the_calendar() {
    let mut stage = chat_beside_press("2027-03-01T00:00:00Z");
    stage.now = at("2027-03-20T00:00:00Z");
    stage.done("user:a", consume("pages", 80));
    let again = Subscribe {
        ends_at: Some(at("2028-04-01T00:00:00Z")),
        ..Subscribe::to(plan_code("chat"))
    };
    stage.done("user:a", Command::Subscribe(again));
    stage.now = at("2027-04-05T00:00:00Z");
    assert_eq!(stage.remaining("user:a", "pages"), Some(120));
}

proptest! {
    #![proptest_config(crate::cases::at_least(64))]

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
