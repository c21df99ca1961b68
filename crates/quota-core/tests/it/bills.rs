//! What is owed for use on demand, period by period (C11): nothing of it is lost with a period that is left or over.

use crate::stage::{Stage, consume, id, refund, subscribe};
use chrono::TimeDelta;
use quota_core::audit::audit;
use quota_core::command::{Cancel, CloseWindows, Command, Renew};
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
