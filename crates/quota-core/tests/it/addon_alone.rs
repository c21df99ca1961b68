//! Features that the base plan does not name, so that an add-on alone limits them; and what is shown where it does (P13).

use chrono::TimeDelta;
use quota_core::amount::Limit;
use quota_core::catalog::Cadence;
use quota_core::command::{Command, Renew, SetAddon};
use quota_core::denial::Reason;
use quota_core::draw::Scope;
use quota_core::quantity::Quantity;
use quota_core::terms::ADDONS_MAX;

use crate::addons::{end_addon, set_addon, user_of, windows};
use crate::several_limits::set_override;
use crate::stage::{Stage, consume, id, item, plan_code, subscribe, track_at};
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

/// P13, F6: an override takes the place of the add-on's limit where the plan has none, and is not unlimited because the add-on has no limit
/// that is counted as the feature is.
#[test]
fn p13_an_override_limits_what_only_an_add_on_names() {
    let mut stage = with_catalog(Stage::user(""), CATALOG);
    stage.done("user:a", subscribe("team"));
    stage.done("user:a", set_addon("more", 2));
    for (feature, limit) in [("tokens", 7), ("images", 15)] {
        stage.done("user:a", set_override(feature, Limit::Of(7)));
        let shown = stage.balance_of("user:a", Scope::User, feature, None);
        assert_eq!(shown.granted, Some(Limit::Of(limit)), "{feature}");
        let denial = stage.denied("user:a", consume(feature, limit + 1));
        assert_eq!(denial.available, limit, "{feature}");
    }
}

/// C13: an add-on that is set has the end that is said, or none: an earlier one is not kept.
#[test]
fn c13_an_add_on_that_is_set_without_an_end_has_none() {
    let mut stage = with_catalog(Stage::user(""), CATALOG);
    stage.done("user:a", subscribe("team"));
    let until = |ends_at| {
        let quantity = Quantity::ONE;
        let plan = plan_code("more");
        Command::SetAddon(SetAddon {
            plan,
            quantity,
            ends_at,
        })
    };
    let soon = stage.now + TimeDelta::days(1);
    stage.done("user:a", until(Some(soon)));
    stage.done("user:a", until(None));
    stage.now = soon;
    assert_eq!(stage.remaining("user:a", "images"), Some(4));
    let next = soon + TimeDelta::days(1);
    stage.done("user:a", until(Some(next)));
    stage.now = next;
    let denial = stage.denied("user:a", consume("images", 1));
    assert_eq!(denial.reason, Reason::NotInPlan);
}

/// C13: where the books have no more room, of the add-ons that ended the one that ended first gives way; one that is had again takes its
/// own place.
#[test]
fn c13_of_the_add_ons_that_ended_the_first_gives_way() {
    let addon = |number: usize| {
        let code = format!("code = \"x{number:02}\"\nname = \"X\"\nkind = \"addon\"\n");
        format!("[[plan]]\n{code}limits = {{ images = 1 }}\n")
    };
    let addons: String = (0..=ADDONS_MAX).map(addon).collect();
    let mut stage = with_catalog(Stage::user(""), &format!("{CATALOG}{addons}"));
    stage.done("user:a", subscribe("team"));
    for number in 0..ADDONS_MAX {
        stage.done("user:a", set_addon(&format!("x{number:02}"), 1));
    }
    for ended in ["x07", "x03", "x05"] {
        stage.later(TimeDelta::seconds(1));
        stage.done("user:a", end_addon(ended));
    }
    let has = |stage: &Stage| {
        let addons = &stage.home.accounts[&id("user:a")].terms.addons;
        ["x03", "x05", "x07"].map(|code| addons.contains_key(&plan_code(code)))
    };
    stage.done("user:a", set_addon("x05", 1));
    assert_eq!(has(&stage), [true, true, true]);
    stage.done("user:a", set_addon(&format!("x{ADDONS_MAX}"), 1));
    assert_eq!(has(&stage), [true, true, false]);
}

const UNLIMITED_ADDON: &str = r#"
[[feature]]
code = "messages"
name = "Messages"
unit = "message"
kind = "consumable"
cadence = "monthly"

[[plan]]
code = "chat"
name = "Chat"
price = 500
[plan.limits]
messages = [{ limit = 45, per = "5h", anchor = "first_use" }, { limit = 500, per = "weekly" }]

[[plan]]
code = "endless"
name = "Endless"
kind = "addon"
price = 100
[plan.limits]
messages = [{ limit = "unlimited", per = "5h", anchor = "first_use" }, { limit = "unlimited", per = "weekly" }]
"#;

/// P13: what the plan says is shown as that, whatever an add-on adds.
#[test]
fn p13_the_plans_value_is_shown_beside_an_unlimited_add_on() {
    let mut stage = with_catalog(Stage::user(""), UNLIMITED_ADDON);
    stage.done("user:a", subscribe("chat"));
    let limits = |stage: &mut Stage| {
        let shown = stage.balance_of("user:a", Scope::User, "messages", None);
        (shown.granted, shown.plan_value)
    };
    let of_plan = Some(Limit::Of(45));
    assert_eq!(limits(&mut stage), (of_plan, of_plan));
    stage.done("user:a", set_addon("endless", 1));
    let (granted, plan_value) = limits(&mut stage);
    assert_eq!(granted, Some(Limit::Unlimited));
    assert_eq!(plan_value, Some(Limit::Of(500)), "of the week");
}
