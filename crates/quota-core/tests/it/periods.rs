//! Allowance windows in the periods of a subscription: where they begin, where they end, and what is whole again.

use chrono::{DateTime, TimeDelta, Utc};
use quota_core::command::{ChangeWhen, Command, UsageAfterChange};
use quota_core::terms::Subscription;

use crate::stage::{Stage, consume, id, plan_code};

fn held(stage: &Stage) -> Subscription {
    let account = &stage.home.accounts[&id("user:a")];
    let stored = account.terms.subscription.as_ref().expect("subscribed");
    stored.current(&stage.catalog, stage.now).into_owned()
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("a literal instant")
}

/// What the plan `pro` grants, and whether a renewal carries what was used of it.
const PRO: [(&str, u64, bool); 7] = [
    ("articles", 100, false),
    ("requests", 10, false),
    ("try_on", 10, false),
    ("renders", 5, false),
    ("albums", 5, false),
    ("lessons", 20, true),
    ("storage", 100, true),
];

/// S4, C5 and W4: with the next period every allowance is whole again whatever its cadence, except where `on_renewal`
/// says that what was used is carried; whether the renewal came before the end, at it or after it.
#[test]
fn a_renewal_makes_allowances_whole_again_unless_they_are_carried() {
    for hours in [-70, 0, 50] {
        let mut stage = Stage::user("pro");
        for (feature, limit, _) in PRO {
            stage.done("user:a", consume(feature, limit));
        }
        for _ in 0..3 {
            let end = held(&stage).ends_at;
            stage.now = end + TimeDelta::hours(hours);
            stage.done("user:a", Command::Renew { ends_at: None });
            stage.now = stage.now.max(end);
            for (feature, limit, is_carried) in PRO {
                let left = if is_carried { 0 } else { limit };
                let said = format!("{feature}, renewed {hours} h after the end");
                assert_eq!(stage.remaining("user:a", feature), Some(left), "{said}");
                if !is_carried {
                    stage.done("user:a", consume(feature, limit));
                }
                assert_eq!(stage.denied("user:a", consume(feature, 1)).available, 0);
            }
        }
        assert_eq!(quota_core::audit::audit(&stage.records()), []);
    }
}

/// S4 and W4: a period that begins within a month of the anchor begins with a whole allowance, and its window with it.
#[test]
fn a_period_that_begins_within_a_month_has_an_allowance_of_its_own() {
    let mut stage = Stage::user("pro");
    let end = held(&stage).ends_at;
    stage.done("user:a", consume("articles", 100));
    stage.now = end;
    let short = end + TimeDelta::days(9);
    let ends_at = Some(short);
    stage.done("user:a", Command::Renew { ends_at });
    stage.done("user:a", consume("articles", 100));
    let denied = stage.denied("user:a", consume("articles", 1));
    assert_eq!(denied.resets_at, Some(short));
    stage.now = short;
    stage.done("user:a", Command::Renew { ends_at: None });
    assert_eq!(stage.remaining("user:a", "articles"), Some(100));
}

/// S5 and W4: a change of plan at once begins the windows of the calendar anew, within the day; with `usage: keep` what
/// was used in it counts on.
#[test]
fn an_upgrade_begins_the_calendars_day_anew() {
    for (usage, left) in [(UsageAfterChange::Restart, 10), (UsageAfterChange::Keep, 5)] {
        let mut stage = Stage::user("basic");
        stage.done("user:a", consume("requests", 5));
        stage.later(TimeDelta::hours(1));
        let upgrade = Command::ChangePlan {
            plan: plan_code("pro"),
            when: Some(ChangeWhen::Now),
            usage,
        };
        stage.done("user:a", upgrade);
        assert_eq!(
            stage.remaining("user:a", "requests"),
            Some(left),
            "{usage:?}"
        );
        stage.done("user:a", consume("requests", left));
        let denied = stage.denied("user:a", consume("requests", 1));
        assert_eq!(denied.resets_at, Some(at("2027-03-11T00:00:00Z")));
    }
}
