//! What a change of plan at once keeps: the payment that is overdue, the trial, the seats; and which changes wait (S2, S5, S13).

use chrono::{DateTime, TimeDelta, Utc};
use quota_core::command::{
    Cancel, ChangePlan, ChangeWhen, Command, Renew, SetStatus, UsageAfterChange,
};
use quota_core::terms::{Status, Subscription};

use crate::several_limits::{at, chat};
use crate::stage::{GRACE, Stage, consume, id, plan_code, subscribe};
use crate::with_catalog::with_catalog;

fn change(plan: &str, when: Option<ChangeWhen>) -> Command {
    Command::ChangePlan(ChangePlan {
        plan: plan_code(plan),
        when,
        usage: UsageAfterChange::Restart,
    })
}

fn held(stage: &Stage) -> Subscription {
    let account = &stage.home.accounts[&id("user:a")];
    account.terms.subscription.clone().expect("subscribed")
}

/// S2, S5: a change while a payment is overdue makes the grace no longer and no shorter.
#[test]
fn s2_a_change_keeps_since_when_a_payment_is_overdue() {
    let mut stage = Stage::user("basic");
    let status = Status::PastDue;
    stage.done("user:a", Command::SetStatus(SetStatus { status }));
    let over_at = stage.now + GRACE;
    stage.later(TimeDelta::hours(20));
    stage.done("user:a", change("pro", Some(ChangeWhen::Now)));
    assert_eq!(held(&stage).status, Status::PastDue);
    stage.now = over_at;
    stage.done("user:a", consume("articles", 100));
    stage.later(TimeDelta::microseconds(1));
    stage.denied("user:a", consume("requests", 1));
}

/// S13: a change at once during a trial goes on with it, to its end or to the cancellation before that; a plan without a trial is sold
/// from then on for a whole period.
#[test]
fn s13_a_trial_goes_on_over_a_change_of_plan() {
    const TEXT: &str = r#"
[[plan]]
code = "one"
name = "One"
price = 100
trial_days = 20

[[plan]]
code = "two"
name = "Two"
price = 200
trial_days = 7

[[plan]]
code = "sold"
name = "Sold"
price = 300
"#;
    let now = Some(ChangeWhen::Now);
    let tried = |cancels: bool| -> (Stage, DateTime<Utc>) {
        let mut stage = with_catalog(Stage::user(""), TEXT);
        stage.done("user:a", subscribe("one"));
        let ends_at = stage.now + TimeDelta::days(20);
        assert_eq!(
            (held(&stage).status, held(&stage).ends_at),
            (Status::Trialing, ends_at)
        );
        stage.later(TimeDelta::days(2));
        if cancels {
            stage.done("user:a", Command::Cancel(Cancel { at_once: false }));
        }
        (stage, ends_at)
    };
    for cancels in [false, true] {
        let (mut stage, ends_at) = tried(cancels);
        stage.done("user:a", change("two", now));
        assert_eq!(
            (held(&stage).status, held(&stage).ends_at),
            (Status::Trialing, ends_at)
        );
        let (mut stage, _) = tried(cancels);
        stage.done("user:a", change("sold", now));
        let whole = at("2027-04-12T12:00:00Z");
        assert_eq!(
            (held(&stage).status, held(&stage).ends_at),
            (Status::Active, whole)
        );
    }
}

/// S5: unasked a change acts at once where the new plan is dearer for a day and its interval not shorter; anything else waits. A free plan
/// has no interval that was paid for.
#[test]
fn s5_which_changes_wait() {
    const TEXT: &str = r#"
[[plan]]
code = "month10"
name = "A"
price = 1000

[[plan]]
code = "other10"
name = "B"
price = 1000

[[plan]]
code = "month11"
name = "C"
price = 1100

[[plan]]
code = "year120"
name = "D"
price = 12000
interval = "year"

[[plan]]
code = "year121"
name = "E"
price = 12001
interval = "year"

[[plan]]
code = "month200"
name = "F"
price = 20000

[[plan]]
code = "free"
name = "G"
interval = "year"
"#;
    for (from, to, waits) in [
        ("month10", "other10", true),
        ("month10", "month11", false),
        ("month11", "month10", true),
        ("month10", "year120", true),
        ("month10", "year121", false),
        ("year120", "month200", true),
        ("year120", "year121", false),
        ("free", "month10", false),
        ("free", "year120", false),
        ("month10", "free", true),
    ] {
        let mut stage = with_catalog(Stage::user(""), TEXT);
        stage.done("user:a", subscribe(from));
        stage.done("user:a", change(to, None));
        let is_now = held(&stage).plan == plan_code(to);
        assert_eq!(!is_now, waits, "{from} to {to}");
        assert_eq!(held(&stage).scheduled_change().is_some(), waits);
    }
}

/// C10, S5: nothing comes over from the windows of another plan into those of one that waited for the period's end.
#[test]
fn c10_nothing_comes_over_into_a_plan_that_waited() {
    let mut stage = chat();
    stage.done("user:a", change("team", Some(ChangeWhen::PeriodEnd)));
    stage.done("user:a", Command::Renew(Renew { ends_at: None }));
    stage.done("user:a", Command::Renew(Renew { ends_at: None }));
    stage.now = at("2027-04-02T00:00:00Z");
    assert_eq!(stage.remaining("user:a", "articles"), Some(10));
    stage.now = at("2027-05-02T00:00:00Z");
    assert_eq!(stage.remaining("user:a", "articles"), Some(15));
}
