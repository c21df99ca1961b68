//! Where two rules meet at one number: caps that are equal, boosts that end together, what is remembered last (C11, F1, O7).

use chrono::{DateTime, TimeDelta, Utc};
use quota_core::amount::{AMOUNT_MAX, Limit};
use quota_core::answer::Rejection;
use quota_core::audit::audit;
use quota_core::balance::Bucket;
use quota_core::command::{
    Cancel, ClearSpendCap, Command, GiveBoost, Renew, SetSpendCap, SetStatus,
};
use quota_core::draw::{Scope, Source};
use quota_core::rules::spending::spending;
use quota_core::terms::Status;

use crate::boosts::{boost, boost_id};
use crate::several_limits::{at, chat, set_override};
use crate::stage::{Stage, amount, code, commit, consume, grant, id, reserve, subscribe};
use crate::with_catalog::with_catalog;

fn cap(amount: u64, by_owner: bool) -> Command {
    Command::SetSpendCap(SetSpendCap { amount, by_owner })
}

/// Units of a feature that are still sold to the user.
fn on_sale(stage: &mut Stage, feature: &str) -> u64 {
    let balance = stage.balance_of("user:a", Scope::User, feature, None);
    balance.on_demand.map_or(0, |sold| sold.remaining)
}

/// C11: an operator's cap takes the place of the plan's caps only above what these come to together: at that very sum (100 + 50) the
/// cap of each feature counts still.
#[test]
fn c11_an_operators_cap_that_is_the_plans_sum_leaves_each_feature_its_own() {
    let mut stage = Stage::user("meter");
    for (amount, articles, try_on) in [(150, 25, 33), (151, 37, 100), (149, 25, 33)] {
        stage.done("user:a", cap(amount, false));
        let left = ["articles", "try_on"].map(|feature| on_sale(&mut stage, feature));
        assert_eq!(left, [articles, try_on], "{amount}");
    }
}

/// C11: under the account's own cap what is reserved of one feature is not there for another, until it is given back.
#[test]
fn c11_what_is_held_of_one_feature_counts_under_the_cap_of_all() {
    let mut stage = Stage::user("meter");
    stage.done("user:a", cap(60, false));
    let held = stage.done("user:a", reserve("articles", 20, 600)).id;
    // 10 on demand at 4 each: 20 of 60 are left, for 13 at 3 for each 2.
    assert_eq!(on_sale(&mut stage, "try_on"), 13);
    let denied = stage.denied("user:a", consume("try_on", 24));
    assert_eq!(denied.available, 23);
    stage.done("user:a", commit(held, 10));
    assert_eq!(on_sale(&mut stage, "try_on"), 33);
    assert_eq!(audit(&stage.records()), []);
}

/// C11: an owner may set a cap as high as the operator's, or the plan's together, and not one above.
#[test]
fn c11_an_owners_cap_goes_as_far_as_the_operators() {
    let mut stage = Stage::user("meter");
    stage.done("user:a", cap(150, true));
    let too_high = Rejection::SpendCapTooHigh { most: 150 };
    assert_eq!(stage.run("user:a", cap(151, true)).err(), Some(too_high));
    stage.done("user:a", cap(40, false));
    stage.done("user:a", cap(40, true));
    let too_high = Rejection::SpendCapTooHigh { most: 40 };
    assert_eq!(stage.run("user:a", cap(41, true)).err(), Some(too_high));
}

/// F1: of boosts that end together the oldest pays first, whatever they are called.
#[test]
fn f1_of_boosts_that_end_together_the_oldest_pays_first() {
    let mut stage = Stage::user("basic");
    let ends_at: DateTime<Utc> = stage.now + TimeDelta::days(5);
    for name in ["z", "a"] {
        let give = Command::GiveBoost(GiveBoost {
            boost: boost_id(name),
            feature: code("articles"),
            amount: amount(10),
            ends_at: Some(ends_at),
        });
        stage.done("user:a", give);
        stage.later(TimeDelta::minutes(1));
    }
    let done = stage.done("user:a", consume("articles", 55));
    let of_boosts = done
        .entries
        .iter()
        .filter(|entry| entry.source == Source::Boost);
    let names: Vec<&Bucket> = of_boosts.map(|entry| &entry.bucket).collect();
    assert_eq!(names, [&Bucket::Boost(code("articles"), boost_id("z"))]);
}

/// O7: what others than the org's window paid for a member is remembered of the last three windows, and no more grows with time.
#[test]
fn o7_what_is_counted_of_a_member_is_remembered_of_three_windows() {
    let mut stage = Stage::org("pro");
    stage.done("org:o", grant("pack", 1_000));
    for month in 1..7 {
        stage.done("user:a", consume("try_on", 12));
        let shares = &stage.home.accounts[&id("user:a")].books.shares;
        let counted = shares.keys().filter(|bucket| bucket.is_member());
        assert_eq!(counted.count(), month.min(3));
        stage.done("org:o", Command::Renew(Renew::default()));
        let org = stage.home.accounts[&id("org:o")].terms.subscription.clone();
        stage.now = org.expect("it has one").ends_at;
    }
    assert_eq!(audit(&stage.records()), []);
}

/// C11: what all features together may come to is the least of the owner's cap and the operator's, and without an operator's above it no
/// more than the plan's caps together, also when these are lowered behind an owner's.
#[test]
fn c11_the_sum_is_the_least_of_the_caps_that_count() {
    let shown = |stage: &Stage| {
        let account = &stage.home.accounts[&id("user:a")];
        spending(&stage.context(), account).map(|spending| spending.cap)
    };
    for (operator, owner, sum) in [
        (None, None, 150),
        (None, Some(40), 40),
        (Some(60), None, 60),
        (Some(60), Some(50), 50),
        (Some(300), None, 300),
        (Some(300), Some(200), 200),
        (Some(0), None, 0),
    ] {
        let mut stage = Stage::user("meter");
        let caps = [(operator, false), (owner, true)];
        for (amount, by_owner) in caps {
            let set = amount.map(|amount| stage.done("user:a", cap(amount, by_owner)));
            assert_eq!(set.is_some(), amount.is_some());
        }
        assert_eq!(shown(&stage), Some(sum), "{operator:?} {owner:?}");
        stage.done("user:a", consume("articles", 10));
        let most = stage.denied("user:a", consume("articles", 1_000)).available;
        let of_feature = if operator.is_some_and(|cap| 150 < cap) {
            sum
        } else {
            sum.min(100)
        };
        assert_eq!(most, of_feature / 4, "{operator:?} {owner:?}");
    }
    let mut stage = Stage::user("meter");
    stage.done("user:a", cap(120, true));
    let mut lowered = stage.catalog.clone();
    let versions = lowered.plans.get_mut(&crate::stage::plan_code("meter"));
    let plan = versions.and_then(|versions| versions.last_mut());
    for sold in plan.expect("a plan of the stage").on_demand.values_mut() {
        sold.cap /= 2;
    }
    stage.catalog = lowered;
    assert_eq!(shown(&stage), Some(75));
}

/// C11: an owner allows nothing where no plan in force sells; an operator's cap may be as high as an amount, and one that is taken away
/// takes the owner's along.
#[test]
fn c11_an_owner_allows_nothing_without_a_plan_and_the_operator_clears_both() {
    let mut stage = Stage::user("meter");
    let unpaid = Command::SetStatus(SetStatus {
        status: Status::Unpaid,
    });
    stage.done("user:a", unpaid);
    let too_high = Rejection::SpendCapTooHigh { most: 0 };
    assert_eq!(stage.run("user:a", cap(1, true)).err(), Some(too_high));
    let active = Command::SetStatus(SetStatus {
        status: Status::Active,
    });
    stage.done("user:a", active);
    stage.done("user:a", cap(AMOUNT_MAX, false));
    stage.done("user:a", cap(8, true));
    assert_eq!(on_sale(&mut stage, "articles"), 2);
    let clear = Command::ClearSpendCap(ClearSpendCap { by_owner: false });
    stage.done("user:a", clear);
    assert_eq!(on_sale(&mut stage, "articles"), 25);
}

/// C11, F7 and W6: where a limit begins anew only after the running period ends, units are sold again with the next period: that is when
/// there is room.
#[test]
fn f7_what_is_sold_has_room_again_when_its_period_ends() {
    const TEXT: &str = r#"
[[feature]]
code = "letters"
name = "Letters"
unit = "letter"
kind = "consumable"
cadence = "weekly"
anchor = "calendar"

[[plan]]
code = "desk"
name = "Desk"
price = 1000
limits = { letters = 10 }
on_demand = { letters = { price = 1, cap = 5 } }
"#;
    let mut stage = with_catalog(Stage::user(""), TEXT);
    stage.done("user:a", subscribe("desk"));
    stage.done("user:a", Command::Renew(Renew { ends_at: None }));
    // Since Wednesday, 10 March: the period ends on Saturday, 10 April.
    let ends_at = at("2027-04-10T12:00:00Z");
    stage.now = at("2027-04-06T12:00:00Z");
    stage.done("user:a", consume("letters", 15));
    let denial = stage.denied("user:a", consume("letters", 1));
    assert_eq!((denial.resets_at, denial.window), (Some(ends_at), None));
    stage.now = ends_at - TimeDelta::microseconds(1);
    stage.denied("user:a", consume("letters", 1));
    stage.now = ends_at;
    stage.done("user:a", consume("letters", 5));
    // Then the week is sooner.
    let denial = stage.denied("user:a", consume("letters", 1));
    assert_eq!(denial.resets_at, Some(at("2027-04-12T00:00:00Z")));
}

/// W6: what a first use began is over with the subscription, if that ends sooner.
#[test]
fn w6_a_window_of_first_use_resets_no_later_than_the_subscription_ends() {
    let mut stage = chat();
    stage.done("user:a", Command::Cancel(Cancel { at_once: false }));
    let ends_at = at("2027-04-01T00:00:00Z");
    for (hours_before, resets_at) in [(20, 15), (2, 0)] {
        stage.now = ends_at - TimeDelta::hours(hours_before);
        stage.done("user:a", consume("messages", 45));
        let denial = stage.denied("user:a", consume("messages", 1));
        let wanted = ends_at - TimeDelta::hours(resets_at);
        assert_eq!(denial.resets_at, Some(wanted));
    }
}

/// F6, C10: an override is all that there is of a feature, in a window into which something came over too.
#[test]
fn f6_nothing_that_came_over_is_added_to_an_override() {
    let mut stage = chat();
    stage.done("user:a", Command::Renew(Renew { ends_at: None }));
    stage.now = at("2027-04-02T00:00:00Z");
    stage.done("user:a", consume("articles", 1));
    assert_eq!(stage.remaining("user:a", "articles"), Some(129));
    stage.done("user:a", set_override("articles", Limit::Of(50)));
    assert_eq!(stage.remaining("user:a", "articles"), Some(49));
    let denial = stage.denied("user:a", consume("articles", 50));
    assert_eq!(denial.available, 49);
}

/// C13, S7: by default a boost ends with the running month of a plan that renews by itself, or with the cancellation before that.
#[test]
fn c13_a_boost_ends_with_the_month_that_runs() {
    let mut stage = Stage::user("free");
    stage.later(TimeDelta::days(40));
    let ends_at = |stage: &Stage, name: &str| {
        let bucket = Bucket::Boost(code("articles"), boost_id(name));
        let books = &stage.home.accounts[&id("user:a")].books;
        books.balance(&bucket).expect("it is live").ends_at
    };
    stage.done("user:a", boost("first", "articles", 5));
    assert_eq!(ends_at(&stage, "first"), Some(at("2027-05-10T12:00:00Z")));
    stage.done("user:a", consume("articles", 10));
    stage.now = at("2027-05-10T12:00:00Z");
    assert_eq!(stage.denied("user:a", consume("articles", 6)).available, 5);
}
