//! Where two rules meet at one number: caps that are equal, boosts that end together, what is remembered last (C11, F1, O7).

use chrono::{DateTime, TimeDelta, Utc};
use quota_core::answer::Rejection;
use quota_core::audit::audit;
use quota_core::balance::Bucket;
use quota_core::command::{Command, GiveBoost, Renew, SetSpendCap};
use quota_core::draw::{Scope, Source};

use crate::boosts::boost_id;
use crate::stage::{Stage, amount, code, commit, consume, grant, id, reserve};

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
