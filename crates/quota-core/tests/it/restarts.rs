//! What begins anew and what counts on when a plan takes the place of another one, at the edges (S5, S8, W4, W7).

use chrono::TimeDelta;
use quota_core::audit::audit;
use quota_core::command::{
    ChangePlan, ChangeWhen, Command, Subscribe, SyncSubscription, UsageAfterChange,
};
use quota_core::draw::Scope;
use quota_core::ids::{PriceId, ProviderCode, SubscriptionRef};
use quota_core::provider::{ProviderItem, ProviderPeriod, ProviderSubscription};

use crate::several_limits::{at, chat};
use crate::stage::{Stage, consume, plan_code, start, subscribe};
use crate::with_catalog::with_catalog;

fn change(plan: &str, usage: UsageAfterChange) -> Command {
    Command::ChangePlan(ChangePlan {
        plan: plan_code(plan),
        when: Some(ChangeWhen::Now),
        usage,
    })
}

fn backdated(plan: &str, days: i64) -> Command {
    Command::Subscribe(Subscribe {
        starts_at: Some(start() - TimeDelta::days(days)),
        ..Subscribe::to(plan_code(plan))
    })
}

fn used(stage: &mut Stage, feature: &str) -> u64 {
    stage.standing("user:a", Scope::User, feature).0
}

/// S5, W7 and W4: a start that lies before what runs begins other windows; a day of the calendar is the same one and counts on.
#[test]
fn s5_a_start_in_the_past_begins_anew_what_is_counted_from_the_start() {
    let mut stage = Stage::user("pro");
    stage.done("user:a", consume("articles", 60));
    stage.done("user:a", consume("requests", 7));
    stage.later(TimeDelta::hours(1));
    stage.done("user:a", backdated("pro", 3));
    assert_eq!(used(&mut stage, "articles"), 0);
    assert_eq!(used(&mut stage, "requests"), 7);
    assert_eq!(audit(&stage.records()), []);
}

/// W4, S5: a window that was left and is come back to has what was used in it, wherever that was moved to meanwhile: it is given no
/// second time.
#[test]
fn w4_a_window_that_is_come_back_to_has_its_use() {
    for is_moved in [false, true] {
        let mut stage = Stage::user("pro");
        stage.done("user:a", consume("articles", 60));
        stage.later(TimeDelta::days(2));
        if is_moved {
            stage.done("user:a", change("meter", UsageAfterChange::Keep));
            assert_eq!(used(&mut stage, "articles"), 60);
            stage.later(TimeDelta::days(1));
        }
        stage.done("user:a", backdated("pro", 0));
        assert_eq!(used(&mut stage, "articles"), 60, "{is_moved}");
        assert_eq!(audit(&stage.records()), []);
    }
}

/// S5, W7: a change of plan ends the windows that a first use began, that of the feature itself and those of further limits; also one that
/// began in the very instant of the change, and what begins then ends after its span and is given once.
#[test]
fn s5_a_change_ends_what_a_first_use_began_up_to_its_instant() {
    const TEXT: &str = r#"
[[feature]]
code = "asks"
name = "Asks"
unit = "ask"
kind = "consumable"
cadence = "5h"
anchor = "first_use"

[[plan]]
code = "small"
name = "Small"
price = 1000
limits = { asks = [{ limit = 40 }, { limit = 50, per = "7h", anchor = "first_use" }] }

[[plan]]
code = "large"
name = "Large"
price = 2000
limits = { asks = [{ limit = 90 }, { limit = 100, per = "7h", anchor = "first_use" }] }
"#;
    for minutes in [0, 1, 299] {
        let mut stage = with_catalog(Stage::user(""), TEXT);
        stage.done("user:a", subscribe("small"));
        stage.done("user:a", consume("asks", 40));
        stage.later(TimeDelta::minutes(minutes));
        stage.done("user:a", change("large", UsageAfterChange::Restart));
        assert_eq!(stage.remaining("user:a", "asks"), Some(90), "{minutes}");
        stage.done("user:a", consume("asks", 90));
        stage.later(TimeDelta::hours(5) - TimeDelta::microseconds(1));
        let denial = stage.denied("user:a", consume("asks", 1));
        assert_eq!(denial.available, 0, "{minutes}");
        stage.later(TimeDelta::microseconds(1));
        let denial = stage.denied("user:a", consume("asks", 11));
        assert_eq!(denial.available, 10, "{minutes}: of the seven hours");
        stage.done("user:a", consume("asks", 10));
        stage.later(TimeDelta::hours(2));
        assert_eq!(stage.remaining("user:a", "asks"), Some(80), "{minutes}");
        assert_eq!(audit(&stage.records()), []);
    }
}

/// W7: windows that a first use begins never overlap: one that was begun by the clock of a node which is a little ahead takes what is used
/// by a clock that is behind it.
#[test]
fn w7_a_window_that_begins_in_a_moment_takes_the_use_of_now() {
    let mut stage = chat();
    stage.now = at("2027-03-02T10:00:04Z");
    stage.done("user:a", consume("messages", 40));
    stage.now = at("2027-03-02T10:00:00Z");
    let denial = stage.denied("user:a", consume("messages", 6));
    assert_eq!(denial.available, 5);
    stage.done("user:a", consume("messages", 5));
    stage.later(TimeDelta::hours(5));
    let denial = stage.denied("user:a", consume("messages", 1));
    assert_eq!(denial.resets_at, Some(at("2027-03-02T15:00:04Z")));
    assert_eq!(audit(&stage.records()), []);
}

const FREE_AND_PAID: &str = r#"
default_plan = "free"

[[feature]]
code = "messages"
name = "Messages"
unit = "message"
kind = "consumable"
cadence = "5h"
anchor = "first_use"

[[plan]]
code = "free"
name = "Free"
limits = { messages = 5 }

[[plan]]
code = "pro"
name = "Pro"
price = 500
limits = { messages = 10 }
provider_prices = { stripe = ["price_pro"] }
"#;

/// S11, S5 and W7: a provider's subscription that begins a period restarts, as a start by hand does.
#[test]
fn s11_a_providers_new_period_restarts_windows_of_first_use() {
    let begun = |by_provider: bool| {
        let mut stage = with_catalog(Stage::user(""), FREE_AND_PAID);
        stage.done("user:a", subscribe("free"));
        stage.done("user:a", consume("messages", 5));
        stage.later(TimeDelta::hours(1));
        let starts_at = stage.now;
        if by_provider {
            let fact = ProviderSubscription {
                id: SubscriptionRef::new("sub_1").expect("an id"),
                status: "active".to_owned(),
                items: vec![ProviderItem {
                    price: PriceId::new("price_pro").expect("an id"),
                    quantity: Some(1),
                    period: None,
                }],
                period: Some(ProviderPeriod {
                    starts_at,
                    ends_at: starts_at + TimeDelta::days(31),
                }),
                is_paid: None,
                cancel_at: None,
                ended_at: None,
                trial_end: None,
                created: starts_at,
                has_pending_update: false,
                scheduled: None,
                is_collection_paused: false,
            };
            let command = Command::SyncSubscription(SyncSubscription {
                provider: ProviderCode::new("stripe").expect("a code"),
                subscriptions: vec![fact],
                fetched_at: stage.now,
            });
            stage.done("user:a", command);
        } else {
            stage.done("user:a", subscribe("pro"));
        }
        stage.later(TimeDelta::seconds(1));
        stage.remaining("user:a", "messages")
    };
    assert_eq!(begun(false), Some(10));
    assert_eq!(begun(true), Some(10));
}
