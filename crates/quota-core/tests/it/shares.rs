//! What an org was charged for a member, as it is remembered with the member, or with the org when that has left (O6, O8).

use chrono::TimeDelta;
use quota_core::audit::audit;
use quota_core::balance::Bucket;
use quota_core::command::{CloseWindows, Command, Reset};
use quota_core::draw::Scope;
use quota_core::home::Account;
use quota_core::rules::share::charged;
use quota_core::share::Share;

use crate::boosts::boost;
use crate::relocated::relocated;
use crate::stage::{Stage, code, commit, consume, id, member, put_account, refund, reserve, track};

fn account<'a>(stage: &'a Stage, account: &str) -> &'a Account {
    &stage.home.accounts[&id(account)]
}

/// The units of the shares of one feature, by the age of what they are of.
fn units<'a>(shares: impl IntoIterator<Item = (&'a Bucket, &'a Share)>, feature: &str) -> Vec<u64> {
    let code = code(feature);
    let of_feature = shares
        .into_iter()
        .filter(|(bucket, _)| bucket.feature() == Some(&code));
    of_feature.map(|(_, share)| share.units).collect()
}

/// What the org was charged for `user:a` in what counts articles now.
fn charged_for(stage: &Stage) -> u64 {
    let articles = &stage.catalog.features[&code("articles")];
    let shares = &account(stage, "user:a").books.shares;
    charged(&stage.context(), account(stage, "org:o"), articles, shares)
}

/// O6: of a member the newest windows are remembered; those that are long over are forgotten.
#[test]
fn of_a_member_the_newest_windows_are_remembered() {
    let mut stage = Stage::org("pro");
    for day in 1..=6 {
        stage.done("user:a", consume("requests", day));
        stage.done("user:a", consume("requests", 1));
        stage.later(TimeDelta::days(1));
    }
    let shares = &account(&stage, "user:a").books.shares;
    assert_eq!(units(shares, "requests"), [5, 6, 7]);
    assert_eq!(audit(&stage.records()), []);
}

/// O6 and R5: so it is of one that left and is charged late, day by day.
#[test]
fn of_one_that_left_the_newest_windows_that_are_charged_late_are_remembered() {
    let (mut left, mut own) = (Stage::org("pro"), Stage::new("user:a"));
    let reserved = |_| left.done("user:a", reserve("requests", 1, 60)).id;
    let held: Vec<uuid::Uuid> = (0..6).map(reserved).collect();
    left.later(TimeDelta::minutes(2));
    left.done("org:o", consume("articles", 1));
    own.now = left.now;
    relocated(&mut left, &mut own);
    for reservation in held {
        let late = own.settle_former(&mut left, commit(reservation, 1));
        late.expect("it is committed late");
        own.later(TimeDelta::days(1));
        left.now = own.now;
    }
    let terms = &account(&left, "org:o").terms;
    let shares = &terms.left_members[&id("user:a")].shares;
    assert_eq!(units(shares, "requests"), [1, 1, 1]);
    assert_eq!(audit(&left.records()), []);
}

/// O6, X3 and C13: what a member drew from a boost of the org is the member's still when a refund brings the boost back, whatever was
/// given back of the window meanwhile.
#[test]
fn what_a_member_drew_from_a_boost_that_comes_back_is_its_own() {
    let mut stage = Stage::org("pro");
    stage.done("org:o", boost("sale", "articles", 5));
    let first = stage.done("user:a", consume("articles", 100));
    let second = stage.done("user:a", consume("articles", 5));
    stage.done("org:o", Command::CloseWindows(CloseWindows::default()));
    assert_eq!(charged_for(&stage), 100, "the boost is closed");
    stage.done("user:a", refund(first.id, Some(10)));
    stage.done("user:a", refund(second.id, Some(2)));
    assert_eq!(charged_for(&stage), 93);
    assert_eq!(audit(&stage.records()), []);
}

/// O8 and X6: what is used adds up to one share; after a reset of the org it begins at nothing, whatever others have used.
#[test]
fn a_share_begins_at_nothing_after_a_reset_of_the_org() {
    let mut stage = Stage::org("pro");
    stage.done("user:b", put_account(member()));
    for amount in [3, 4] {
        stage.done("user:a", consume("articles", amount));
    }
    assert_eq!(charged_for(&stage), 7);
    let reset = Reset {
        features: Vec::new(),
        token: None,
    };
    stage.done("org:o", Command::Reset(reset));
    assert_eq!(charged_for(&stage), 0);
    stage.done("user:b", track("articles", 20));
    for (amount, share) in [(1, 1), (1, 2)] {
        stage.done("user:a", consume("articles", amount));
        assert_eq!(charged_for(&stage), share);
    }
    assert_eq!(stage.standing("org:o", Scope::Org, "articles").0, 22);
    assert_eq!(audit(&stage.records()), []);
}
