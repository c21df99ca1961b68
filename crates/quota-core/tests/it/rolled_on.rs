//! What rolls over from a window in which something else was changed: the plan, the zone, add-ons, an override (C10, P13).

use chrono::TimeDelta;
use quota_core::amount::Limit;
use quota_core::audit::audit;
use quota_core::command::{
    AccountSpec, ChangePlan, ChangeWhen, ClearOverride, Command, Presence, PutAccount, Renew,
    UsageAfterChange,
};

use crate::addons::{set_addon, user_of};
use crate::several_limits::{at, chat, set_override};
use crate::stage::{Stage, code, consume, plan_code, subscribe};
use crate::with_catalog::with_catalog;

const RENEW: Command = Command::Renew(Renew { ends_at: None });

/// C10, W3: a month of the calendar that was moved to another zone has left what was not used of it, and nothing more.
#[test]
fn c10_a_month_that_was_moved_to_another_zone_left_what_was_not_used() {
    for zone in ["Asia/Tokyo", "America/New_York", "Pacific/Auckland"] {
        for (used, over) in [(100, 0), (90, 10), (20, 30)] {
            let mut stage = chat();
            stage.done("user:a", RENEW);
            stage.done("user:a", RENEW);
            stage.now = at("2027-03-15T12:00:00Z");
            stage.done("user:a", consume("pages", used));
            let time_zone = Some(zone.parse().expect("a zone"));
            let spec = AccountSpec {
                time_zone,
                ..AccountSpec::default()
            };
            let presence = Presence::Existing;
            let moved = PutAccount { presence, spec };
            stage.done("user:a", Command::PutAccount(moved));
            stage.now = at("2027-04-15T12:00:00Z");
            let left = stage.remaining("user:a", "pages");
            assert_eq!(left, Some(100 + over), "{zone} {used}");
            assert_eq!(audit(&stage.records()), []);
        }
    }
}

/// C10: under another plan nothing comes over from before it; of the limit that it gives the running month goes over what is left,
/// whether something more is used of it or not.
#[test]
fn c10_what_another_plan_gives_a_running_month_is_left_of_it() {
    const TEXT: &str = r#"
[[feature]]
code = "pages"
name = "Pages"
unit = "page"
kind = "consumable"
cadence = "monthly"
anchor = "calendar"

[[plan]]
code = "one"
name = "One"
price = 1000
limits = { pages = [{ limit = 100, rollover = { max = 95 } }, { limit = 50, per = "weekly", anchor = "calendar", rollover = { max = 45 } }] }

[[plan]]
code = "other"
name = "Other"
price = 1001
limits = { pages = [{ limit = 100, rollover = { max = 95 } }, { limit = 50, per = "weekly", anchor = "calendar", rollover = { max = 45 } }] }
"#;
    for uses_more in [false, true] {
        // Since Monday, 1 March 2027; what is looked at is the week from 5 April on, after a week in which 45 had come over.
        let mut stage = with_catalog(Stage::new("user:a"), TEXT);
        stage.now = at("2027-03-01T00:00:00Z");
        stage.done("user:a", crate::stage::put_account(AccountSpec::default()));
        stage.done("user:a", subscribe("one"));
        stage.done("user:a", RENEW);
        stage.now = at("2027-04-01T00:00:00Z");
        stage.done("user:a", consume("pages", 20));
        assert_eq!(stage.remaining("user:a", "pages"), Some(75));
        let change = Command::ChangePlan(ChangePlan {
            plan: plan_code("other"),
            when: Some(ChangeWhen::Now),
            usage: UsageAfterChange::Restart,
        });
        stage.done("user:a", change);
        stage.done("user:a", RENEW);
        assert_eq!(stage.remaining("user:a", "pages"), Some(30), "by the week");
        let more = u64::from(uses_more);
        if uses_more {
            stage.done("user:a", consume("pages", 1));
        }
        stage.now = at("2027-04-05T00:00:00Z");
        assert_eq!(
            stage.remaining("user:a", "pages"),
            Some(80 - more),
            "80 of the month"
        );
        let week = stage.balance_of("user:a", quota_core::draw::Scope::User, "pages", None);
        let week = week.windows[1].clone();
        assert_eq!(
            (week.granted, week.rolled_over),
            (Limit::Of(80 - more), 30 - more)
        );
        stage.now = at("2027-05-03T00:00:00Z");
        let month = stage.balance_of("user:a", quota_core::draw::Scope::User, "pages", None);
        let month = month.windows[0].clone();
        assert_eq!(
            (month.granted, month.rolled_over),
            (Limit::Of(180 - more), 80 - more)
        );
        assert_eq!(audit(&stage.records()), []);
    }
}

/// C10, F6: an override that came and went is no limit of the window, however low it was: what was left of the plan's goes over.
#[test]
fn c10_an_override_that_is_gone_takes_nothing_of_what_goes_over() {
    let mut stage = chat();
    stage.done("user:a", consume("articles", 20));
    stage.done("user:a", set_override("articles", Limit::Of(10)));
    stage.done("user:a", RENEW);
    let clear = Command::ClearOverride(ClearOverride {
        feature: code("articles"),
    });
    stage.done("user:a", clear);
    assert_eq!(stage.remaining("user:a", "articles"), Some(80));
    stage.now = at("2027-04-02T00:00:00Z");
    assert_eq!(stage.remaining("user:a", "articles"), Some(130));
}

/// C10, P13: what an add-on adds to a running window is left of it, whether something more is used of it or not.
#[test]
fn c10_what_an_add_on_adds_to_a_running_window_goes_over() {
    for uses_more in [false, true] {
        let mut stage = user_of("team", 1);
        stage.done("user:a", consume("pages", 9));
        stage.later(TimeDelta::hours(1));
        stage.done("user:a", set_addon("more", 1));
        let more = u64::from(uses_more);
        if uses_more {
            stage.done("user:a", consume("pages", 1));
        }
        stage.later(TimeDelta::days(7));
        let left = stage.remaining("user:a", "pages");
        assert_eq!(
            left,
            Some(30 + 21 - more),
            "of 10 and 20, used {}",
            9 + more
        );
    }
}
