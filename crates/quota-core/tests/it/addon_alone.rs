//! Features that the base plan does not name: an add-on alone limits them (P13).

use chrono::TimeDelta;
use quota_core::amount::Limit;
use quota_core::catalog::Cadence;
use quota_core::command::{Command, Renew};
use quota_core::draw::Scope;

use crate::addons::{end_addon, set_addon, user_of, windows};
use crate::stage::{Stage, consume, item, subscribe, track_at};
use crate::with_catalog::with_catalog;

const CATALOG: &str = r#"
[[feature]]
code = "images"
name = "Images"
unit = "image"
kind = "consumable"
cadence = "weekly"

[[feature]]
code = "tokens"
name = "Tokens"
unit = "token"
kind = "consumable"
cadence = "weekly"

[[plan]]
code = "team"
name = "Team"
price = 1000
limits = {}

[[plan]]
code = "more"
name = "More"
kind = "addon"
price = 300
[plan.limits]
images = { limit = 4, rollover = { max = 3 } }
tokens = [{ limit = 9, per = "daily" }]
"#;

/// P13 and C10: what such a feature shows is all the add-on's and nothing the plan's, from the first window on and whatever came
/// over into the one that runs; where a window of another cadence limits it; and of a window that was booked in late.
#[test]
fn what_an_add_on_alone_grants_is_no_value_of_the_plan() {
    let mut stage = with_catalog(Stage::user(""), CATALOG);
    stage.done("user:a", subscribe("team"));
    stage.done("user:a", Command::Renew(Renew::default()));
    stage.done("user:a", set_addon("more", 1));
    for (week, granted, used) in [(0, 4, 1), (1, 7, 5), (2, 6, 1)] {
        let shown = stage.balance_of("user:a", Scope::User, "images", None);
        let parts = (shown.granted, shown.plan_value, shown.added);
        let expected = (Some(Limit::Of(granted)), None, Some(Limit::Of(4)));
        assert_eq!(parts, expected, "week {week}");
        let shown = stage.balance_of("user:a", Scope::User, "tokens", None);
        let parts = (shown.granted, shown.plan_value, shown.added);
        let expected = (Some(Limit::Of(9)), None, Some(Limit::Of(9)));
        assert_eq!(parts, expected, "week {week}");
        stage.done("user:a", consume("images", used));
        stage.later(TimeDelta::days(7));
    }
    let late = track_at(stage.now - TimeDelta::days(7), vec![item("images", 1)]);
    let told = stage.done("user:a", late);
    let shown = &told.answer.balances()[0];
    let parts = (shown.plan_value, shown.added);
    assert_eq!(parts, (None, Some(Limit::Of(4))));
}

/// P13 and C10: of several limits that an add-on alone sets each shows what the add-on gives, without what came over into its window.
#[test]
fn what_came_over_is_no_part_of_what_an_add_on_gives() {
    let rolling = "tokens = [{ limit = 9, per = \"daily\", rollover = { max = 4 } }]";
    let text = CATALOG.replace("tokens = [{ limit = 9, per = \"daily\" }]", rolling);
    assert_ne!(text, CATALOG);
    let mut stage = with_catalog(Stage::user(""), &text);
    stage.done("user:a", subscribe("team"));
    stage.done("user:a", set_addon("more", 1));
    stage.done("user:a", consume("tokens", 7));
    stage.later(TimeDelta::days(1));
    let shown = stage.balance_of("user:a", Scope::User, "tokens", None);
    let daily = shown.windows.iter().find(|window| window.rolled_over != 0);
    let daily = daily.expect("two came over");
    let parts = (daily.granted, daily.added, daily.rolled_over);
    assert_eq!(parts, (Limit::Of(11), Some(Limit::Of(9)), 2));
}

/// P13: of several add-ons that name a feature which the base plan does not, the one that was had first limits it, whatever its code; to
/// each of its limits the others add what is counted alike. Which is first does not change with the quantity, and does once it has ended.
#[test]
fn p13_of_several_add_ons_the_one_that_was_had_first_limits_the_feature() {
    // Of each `more` 4 a week; of each `much` 6 a week and 1 a day.
    let week = |limit| (Cadence::Weekly, Limit::Of(limit));
    let day = |limit| (Cadence::Daily, Limit::Of(limit));
    for (first, then) in [("more", "much"), ("much", "more")] {
        let mut stage = user_of("team", 1);
        let mut limits = |command| {
            stage.done("user:a", command);
            stage.later(TimeDelta::seconds(1));
            let shown = stage.balance_of("user:a", Scope::User, "images", None);
            let several = windows(&mut stage, "images");
            if several.is_empty() {
                let weekly = shown.granted.expect("an add-on limits it");
                vec![(Cadence::Weekly, weekly)]
            } else {
                several
            }
        };
        let by_more = |limit| vec![week(limit)];
        let by_much = |limit, of_day| vec![week(limit), day(of_day)];
        let is_more = first == "more";
        limits(set_addon(first, 1));
        let both = limits(set_addon(then, 1));
        assert_eq!(
            both,
            if is_more { by_more(10) } else { by_much(10, 1) },
            "{first}"
        );
        let twice = limits(set_addon(first, 2));
        assert_eq!(
            twice,
            if is_more { by_more(14) } else { by_much(16, 2) },
            "{first}"
        );
        let without = limits(end_addon(first));
        assert_eq!(
            without,
            if is_more { by_much(6, 1) } else { by_more(4) },
            "{first}"
        );
        let again = limits(set_addon(first, 1));
        assert_eq!(
            again,
            if is_more { by_much(10, 1) } else { by_more(10) },
            "{first}"
        );
    }
}
