//! What an account has beside the default plan that it fell back to (C14, P13).

use crate::addons::set_addon;
use crate::several_limits::at;
use crate::stage::{Stage, consume, id, plan_code, put_account, start, subscribe};
use crate::with_catalog::with_catalog;
use chrono::{DateTime, TimeDelta, Utc};
use quota_core::amount::Limit;
use quota_core::audit::audit;
use quota_core::command::{
    AccountSpec, ChangePlan, CloseWindows, Command, Renew, SetSeats, Subscribe, UsageAfterChange,
};
use quota_core::denial::Reason;
use quota_core::draw::Scope;
use quota_core::quantity::Quantity;
use quota_core::rules::entitlements::{Entitlements, entitlements};

const CATALOG: &str = r#"
default_plan = "free"

[[feature]]
code = "messages"
name = "Messages"
unit = "message"
kind = "consumable"
cadence = "monthly"

[[feature]]
code = "sso"
name = "Single sign-on"
kind = "flag"

[[plan]]
code = "free"
name = "Free"
limits = { messages = { limit = 2, per_seat = true } }

[[plan]]
code = "team"
name = "Team"
price = 1000
limits = { messages = { limit = 20, per_seat = true } }

[[plan]]
code = "more"
name = "More"
kind = "addon"
price = 300
limits = { messages = 50, sso = true }
"#;

/// A user with 5 seats of `team` and two of `more`, at the end of what it paid.
fn ended() -> Stage {
    let mut stage = with_catalog(Stage::new("user:a"), CATALOG);
    stage.done("user:a", put_account(AccountSpec::default()));
    let seats = Quantity::new(5).ok();
    let team = Subscribe {
        seats,
        ..Subscribe::to(plan_code("team"))
    };
    stage.done("user:a", Command::Subscribe(team));
    stage.done("user:a", set_addon("more", 2));
    assert_eq!(limit(&mut stage), Some(Limit::Of(5 * 20 + 2 * 50)));
    stage.later(TimeDelta::days(31) - TimeDelta::microseconds(1));
    assert_eq!(limit(&mut stage), Some(Limit::Of(200)));
    stage.later(TimeDelta::microseconds(1));
    stage
}

fn limit(stage: &mut Stage) -> Option<Limit> {
    let balance = stage.balance_of("user:a", Scope::User, "messages", None);
    balance.granted
}

fn entitled(stage: &Stage) -> Entitlements {
    let (context, account) = (stage.context(), &stage.home.accounts[&id("user:a")]);
    entitlements(&context, &id("user:a"), (account, None))
}

/// C14 and P13: seats and add-ons were bought with what ended: the default plan is for one seat, and nothing is added; recorded
/// by the job or not (S9).
#[test]
fn c14_seats_and_add_ons_end_with_what_was_bought() {
    for is_recorded in [false, true] {
        let mut stage = ended();
        if is_recorded {
            stage.done("user:a", Command::ExpireSubscription);
            stage.done("user:a", Command::CloseWindows(CloseWindows::default()));
        }
        assert_eq!(limit(&mut stage), Some(Limit::Of(2)), "{is_recorded}");
        let entitled = entitled(&stage);
        assert_eq!(entitled.seats, Some(Quantity::ONE));
        assert!(entitled.addons.is_empty(), "{entitled:?}");
        let denial = stage.denied("user:a", consume("messages", 3));
        assert_eq!(denial.reason, Reason::LimitReached);
        assert_eq!(audit(&stage.records()), []);
    }
}

/// C14 and S4: a payment that comes late brings the plan back with its seats and add-ons.
#[test]
fn c14_a_late_renewal_brings_seats_and_add_ons_back() {
    let mut stage = ended();
    stage.later(TimeDelta::days(3));
    stage.done("user:a", Command::Renew(Renew { ends_at: None }));
    assert_eq!(limit(&mut stage), Some(Limit::Of(200)));
    assert_eq!(entitled(&stage).addons.len(), 1);
}

/// C14 and C13: what is bought beside the default plan counts, also where the account had it before; and what stood before is
/// no part of it.
#[test]
fn c14_an_add_on_that_is_bought_after_the_fall_back_counts() {
    let mut stage = ended();
    stage.later(TimeDelta::days(3));
    stage.done("user:a", set_addon("more", 2));
    assert_eq!(limit(&mut stage), Some(Limit::Of(2 + 100)));
    let addon = &stage.home.accounts[&id("user:a")].terms.addons[&plan_code("more")];
    assert_eq!(addon.starts_at, start() + TimeDelta::days(34));
}

/// C14: it stays so when a command has stored the default plan; and a plan that is bought again has what is held beside it.
#[test]
fn c14_it_stays_so_once_the_default_plan_is_stored() {
    let mut stage = ended();
    stage.later(TimeDelta::days(3));
    let seats = Quantity::new(3).expect("in range");
    stage.done("user:a", Command::SetSeats(SetSeats { seats }));
    assert_eq!(limit(&mut stage), Some(Limit::Of(3 * 2)));
    let account = &stage.home.accounts[&id("user:a")];
    let stored = account.terms.subscription.as_ref().expect("subscribed");
    assert_eq!(stored.fell_back_at, Some(start() + TimeDelta::days(31)));
    stage.later(TimeDelta::days(40));
    assert_eq!(limit(&mut stage), Some(Limit::Of(3 * 2)));
    let change = ChangePlan {
        plan: plan_code("team"),
        when: None,
        usage: UsageAfterChange::default(),
    };
    stage.done("user:a", Command::ChangePlan(change));
    assert_eq!(limit(&mut stage), Some(Limit::Of(3 * 20 + 100)));
}

const SOLD: &str = r#"
default_plan = "free"

[[feature]]
code = "messages"
name = "Messages"
unit = "message"
kind = "consumable"
cadence = "subscription"

[[plan]]
code = "free"
name = "Free"
limits = { messages = 2 }
on_demand = { messages = { price = 5, cap = 50 } }

[[plan]]
code = "year"
name = "Year"
price = 1000
interval = "year"
limits = { messages = 20 }
on_demand = { messages = { price = 5, cap = 50 } }
"#;

/// C14, S4, S9 and C11: a late renewal has its period begin where the default plan took over. What was used and sold there since counts in
/// it, whether or not the jobs closed it meanwhile.
#[test]
fn c14_a_late_renewal_counts_what_was_used_on_the_default_plan() {
    for closes in [false, true] {
        let mut stage = with_catalog(Stage::new("user:a"), SOLD);
        stage.done("user:a", put_account(AccountSpec::default()));
        let first = Subscribe {
            ends_at: Some(start() + TimeDelta::days(31)),
            ..Subscribe::to(plan_code("year"))
        };
        stage.done("user:a", Command::Subscribe(first));
        stage.later(TimeDelta::days(33));
        let used = stage.done("user:a", consume("messages", 5));
        assert_eq!(used.entries.len(), 2, "2 of the default plan, and 3 sold");
        stage.later(TimeDelta::days(40));
        if closes {
            stage.done("user:a", Command::ExpireSubscription);
            stage.done("user:a", Command::CloseWindows(CloseWindows::default()));
            let live = &stage.home.accounts[&id("user:a")].books.balances;
            assert!(live.is_empty(), "all of it is closed");
        }
        stage.done("user:a", Command::Renew(Renew::default()));
        let shown = stage.balance_of("user:a", Scope::User, "messages", None);
        assert_eq!((shown.used, shown.remaining), (2, Some(18)), "{closes}");
        let sold = shown.on_demand.expect("it is sold");
        assert_eq!((sold.used, sold.owed), (3, 15), "{closes}");
        assert_eq!(audit(&stage.records()), []);
    }
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

/// A start of `pro` that waits.
fn waiting(starts_at: DateTime<Utc>) -> Command {
    Command::Subscribe(Subscribe {
        starts_at: Some(starts_at),
        ..Subscribe::to(plan_code("pro"))
    })
}

/// C14: an account whose subscription ended falls back to the default plan, also where another start waits behind a gap.
#[test]
fn c14_in_a_gap_before_a_start_that_waits_the_default_plan_counts() {
    let mut stage = with_catalog(Stage::user(""), FREE_AND_PAID);
    stage.done("user:a", subscribe("pro"));
    stage.done("user:a", waiting(at("2027-05-01T00:00:00Z")));
    stage.now = at("2027-04-15T00:00:00Z");
    assert_eq!(stage.remaining("user:a", "messages"), Some(5));
    stage.done("user:a", consume("messages", 5));
    assert_eq!(audit(&stage.records()), []);
    let free = stage.denied("user:a", consume("messages", 1));
    assert_eq!(free.reason, Reason::LimitReached);
    stage.now = at("2027-05-01T00:00:00Z");
    assert_eq!(stage.remaining("user:a", "messages"), Some(10));
    stage.done("user:a", consume("messages", 10));
    assert_eq!(audit(&stage.records()), []);
}

/// C14 and W4: the default plan that fills a gap ends where what waits begins: a month of the calendar is cut there, and a change of
/// plan in the gap is one of the default plan.
#[test]
fn c14_in_a_gap_a_month_of_the_calendar_ends_with_the_gap() {
    let catalog = FREE_AND_PAID.replace(
        "cadence = \"5h\"\nanchor = \"first_use\"",
        "cadence = \"monthly\"\nanchor = \"calendar\"",
    );
    let mut stage = with_catalog(Stage::user(""), &catalog);
    stage.done("user:a", subscribe("pro"));
    let (gap, turn) = (at("2027-04-15T00:00:00Z"), at("2027-04-20T00:00:00Z"));
    stage.done("user:a", waiting(turn));
    stage.now = gap;
    let shown = stage.balance_of("user:a", Scope::User, "messages", None);
    assert_eq!((shown.remaining, shown.resets_at), (Some(5), Some(turn)));
    stage.done("user:a", consume("messages", 5));
    stage.now = turn;
    assert_eq!(stage.remaining("user:a", "messages"), Some(10));
    stage.done("user:a", consume("messages", 10));
    assert_eq!(audit(&stage.records()), []);
}

const LATE: &str = r#"
default_plan = "free"

[[feature]]
code = "articles"
name = "Articles"
unit = "article"
kind = "consumable"
cadence = "monthly"

[[plan]]
code = "free"
name = "Free"
limits = { articles = 5 }

[[plan]]
code = "pro"
name = "Pro"
price = 500
limits = { articles = { limit = 100, rollover = { max = 30 } } }
"#;

/// C10, S4 and S9: a late renewal goes on from the old end; what comes over into its period does not depend on whether something
/// was used of the default plan meanwhile.
#[test]
fn c10_use_of_the_default_plan_before_a_late_renewal_takes_no_rollover_away() {
    let renewed = |used: u64, is_closed: bool| {
        let mut stage = with_catalog(Stage::user(""), LATE);
        stage.done("user:a", subscribe("pro"));
        stage.done("user:a", consume("articles", 60));
        stage.now = at("2027-04-11T12:00:00Z");
        assert_eq!(stage.remaining("user:a", "articles"), Some(5));
        if used != 0 {
            stage.done("user:a", consume("articles", used));
        }
        stage.later(TimeDelta::days(1));
        if is_closed {
            stage.done("user:a", Command::CloseWindows(CloseWindows::default()));
        }
        stage.done("user:a", Command::Renew(Renew::default()));
        let left = stage.remaining("user:a", "articles");
        stage.done("user:a", consume("articles", 1));
        assert_eq!(audit(&stage.records()), []);
        left
    };
    assert_eq!(renewed(0, false), Some(130));
    for is_closed in [false, true] {
        assert_eq!(renewed(1, is_closed), Some(129));
        assert_eq!(renewed(5, is_closed), Some(125));
    }
}
