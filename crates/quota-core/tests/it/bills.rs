//! What is owed for use on demand, period by period (C11): nothing of it is lost with a period that is left or over.

use crate::stage::{Stage, consume, id, refund, subscribe};
use crate::with_catalog::with_catalog;
use chrono::TimeDelta;
use quota_core::audit::audit;
use quota_core::command::{Cancel, CloseWindows, Command, Renew, SetSpendCap};
use quota_core::rules::scope_balances::overview;
use quota_core::rules::spending::{SoldPeriod, Spending, sold_periods};

const CLOSE: Command = Command::CloseWindows(CloseWindows {
    cadence: None,
    features: Vec::new(),
});

fn spending(stage: &Stage) -> Option<Spending> {
    let account = &stage.home.accounts[&id("user:a")];
    overview(&stage.context(), &id("user:a"), 0, (account, None)).spending
}

/// Every period of the books, live and closed, newest first: what is owed.
fn owed(stage: &Stage) -> Vec<u64> {
    let live = &stage.home.accounts[&id("user:a")].books.balances;
    let closed = stage.closed.values().map(|closed| &closed.balance);
    let periods = sold_periods(live.iter().chain(closed));
    periods.iter().map(|period| period.owed).collect()
}

fn earlier(stage: &Stage) -> (u64, Vec<u64>) {
    let shown = spending(stage).expect("something is sold");
    let earlier = |period: &SoldPeriod| period.owed;
    (shown.owed, shown.earlier.iter().map(earlier).collect())
}

/// C11: a start in place of what runs begins a period, with its own cap and sum; what was owed before is shown beside it until
/// that period would have ended, and listed for ever.
#[test]
fn what_is_owed_stays_when_the_plan_is_started_anew() {
    let mut stage = Stage::user("meter");
    let spent = stage.done("user:a", consume("articles", 12));
    assert_eq!(earlier(&stage), (8, vec![]));
    stage.later(TimeDelta::minutes(1));
    stage.done("user:a", subscribe("meter"));
    assert_eq!(earlier(&stage), (0, vec![8]));
    stage.done("user:a", consume("articles", 35));
    let denied = stage.denied("user:a", consume("articles", 1));
    assert_eq!(denied.available, 0, "a cap for each period");
    assert_eq!(earlier(&stage), (100, vec![8]));
    stage.done("user:a", refund(spent.id, Some(1)));
    assert_eq!(earlier(&stage), (100, vec![4]));
    assert_eq!(owed(&stage), [100, 4]);
    stage.done("user:a", Command::Cancel(Cancel { at_once: true }));
    assert_eq!(earlier(&stage), (100, vec![4]), "nothing is sold any more");

    stage.later(TimeDelta::days(40));
    assert_eq!(spending(&stage), None);
    stage.done("user:a", CLOSE);
    stage.done("user:a", subscribe("meter"));
    stage.done("user:a", consume("articles", 11));
    assert_eq!(earlier(&stage), (4, vec![]));
    assert_eq!(owed(&stage), [4, 100, 4]);
    assert_eq!(audit(&stage.records()), []);
}

/// C11: of each feature and period it is told what was sold, at which price, and what is owed; one in which nothing is left of it
/// is not listed.
#[test]
fn a_period_says_what_was_sold_of_each_feature() {
    let mut stage = Stage::user("meter");
    stage.done("user:a", Command::Renew(Renew::default()));
    let spent = stage.done("user:a", consume("articles", 12));
    stage.done("user:a", consume("try_on", 13));
    let live = &stage.home.accounts[&id("user:a")].books.balances;
    let periods = sold_periods(live.iter());
    let [period] = periods.as_slice() else {
        unreachable!("one period, got {periods:?}")
    };
    assert_eq!((period.currency.as_str(), period.owed), ("eur", 13));
    let sold = period.features.iter().map(|sold| {
        let feature = sold.feature.as_str();
        (
            feature,
            sold.used,
            sold.sale.price,
            sold.sale.per,
            sold.owed,
        )
    });
    let sold: Vec<_> = sold.collect();
    assert_eq!(sold, [("articles", 2, 4, 1, 8), ("try_on", 3, 3, 2, 5)]);
    stage.later(TimeDelta::days(31));
    stage.done("user:a", CLOSE);
    stage.done("user:a", refund(spent.id, Some(2)));
    assert_eq!(owed(&stage), [5]);
}

const SOLD: &str = r#"
[[feature]]
code = "articles"
name = "Articles"
unit = "article"
kind = "consumable"
cadence = "monthly"

[[feature]]
code = "images"
name = "Images"
unit = "image"
kind = "consumable"
cadence = "monthly"

[[plan]]
code = "meter"
name = "Meter"
price = 500
currency = "CUR"
limits = { articles = 0, images = 0 }
on_demand = { articles = { price = 100, cap = 10000 }, images = { price = 100, cap = 10000 } }
"#;

/// C11: sums of two currencies are no sum: what was sold in the one that the period began with is shown first, the other beside it, and
/// the account's own cap binds each.
#[test]
fn c11_two_currencies_are_not_added_up_in_one_period() {
    let mut stage = with_catalog(Stage::user(""), &SOLD.replace("CUR", "eur"));
    stage.done("user:a", subscribe("meter"));
    stage.done(
        "user:a",
        Command::SetSpendCap(SetSpendCap {
            amount: 6000,
            by_owner: false,
        }),
    );
    stage.done("user:a", consume("articles", 50));
    let file = toml::from_str(&SOLD.replace("CUR", "jpy")).expect("a catalog");
    stage.catalog = stage.catalog.applied(&file).expect("valid");
    stage.later(TimeDelta::hours(1));
    stage.done("user:a", consume("images", 3));
    let shown = spending(&stage).expect("something is sold");
    assert_eq!((shown.owed, shown.currency.as_str()), (5000, "eur"));
    let beside = |period: &SoldPeriod| (period.owed, period.currency.clone());
    let beside: Vec<_> = shown.earlier.iter().map(beside).collect();
    assert_eq!(beside, [(300, "jpy".to_owned())]);
    stage.done("user:a", consume("articles", 10));
    stage.denied("user:a", consume("articles", 1));
    stage.done("user:a", consume("images", 57));
    stage.denied("user:a", consume("images", 1));
    assert_eq!(audit(&stage.records()), []);
}
