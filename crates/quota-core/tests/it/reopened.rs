//! Windows and sales that were closed and count again: after a start in the past (W4, S9, C11).

use chrono::{DateTime, TimeDelta, Utc};
use quota_core::audit::audit;
use quota_core::balance::Bucket;
use quota_core::command::{
    AccountSpec, Cancel, ChangePlan, ChangeWhen, CloseWindows, Command, Renew, Subscribe,
    UsageAfterChange,
};
use quota_core::denial::Reason;
use quota_core::draw::Scope;
use quota_core::event::EventKind;

use crate::relocated::relocated;
use crate::several_limits::{at, chat};
use crate::stage::{
    Stage, code, consume, id, plan_code, put_account, refund, release_capacity, start, subscribe,
    track,
};
use crate::with_catalog::with_catalog;

fn start_of(plan: &str, starts_at: DateTime<Utc>, ends_at: &str) -> Command {
    Command::Subscribe(Subscribe {
        starts_at: Some(starts_at),
        ends_at: Some(at(ends_at)),
        ..Subscribe::to(plan_code(plan))
    })
}

/// As the jobs do once a subscription has ended.
fn record_the_end(stage: &mut Stage) {
    stage.done("user:a", Command::ExpireSubscription);
    let _may_be_done = stage.run("user:a", Command::CloseWindows(CloseWindows::default()));
}

/// S9, W4 and C11: a start at the instant at which a period began that is over and closed goes on with what was used and sold in
/// it. Nothing is given or sold a second time, whether or not the jobs ran, and what was used is refunded once.
#[test]
fn a_start_in_the_past_counts_what_was_used_in_what_is_closed() {
    for closes in [false, true] {
        let mut stage = Stage::user("");
        stage.done("user:a", start_of("meter", start(), "2027-03-20T00:00:00Z"));
        let used = stage.done("user:a", consume("articles", 35));
        stage.now = at("2027-03-21T00:00:00Z");
        if closes {
            record_the_end(&mut stage);
            let live = &stage.home.accounts[&id("user:a")].books.balances;
            assert!(live.is_empty(), "all of it is closed");
        }
        stage.done("user:a", start_of("meter", start(), "2027-04-10T12:00:00Z"));
        let shown = stage.balance_of("user:a", Scope::User, "articles", None);
        assert_eq!((shown.used, shown.remaining), (10, Some(0)), "{closes}");
        let sold = shown.on_demand.expect("it is sold");
        assert_eq!((sold.used, sold.owed, sold.remaining), (25, 100, 0));
        let denied = stage.denied("user:a", consume("articles", 1));
        assert_eq!(denied.reason, Reason::SpendCapReached);
        stage.done("user:a", track("articles", 2));
        assert_eq!(audit(&stage.records()), []);
        // Closed once more, it has all that was used.
        stage.now = at("2027-04-11T00:00:00Z");
        record_the_end(&mut stage);
        assert_eq!(audit(&stage.records()), []);
        stage.done("user:a", refund(used.id, None));
        let closed = stage.closed.values().map(|closed| closed.balance.spent());
        assert_eq!(closed.sum::<u64>(), 2, "{closes}");
        assert_eq!(audit(&stage.records()), []);
    }
}

const WEEKS: &str = r#"
[[feature]]
code = "messages"
name = "Messages"
unit = "message"
kind = "consumable"
cadence = "monthly"

[[plan]]
code = "weeks"
name = "Weeks"
price = 1000
limits = { messages = [{ limit = 1000 }, { limit = 10, per = "weekly" }] }
"#;

/// C9 and W4: so it is for the windows of further limits, and for several starts one after the other.
#[test]
fn a_closed_window_of_a_further_limit_counts_again() {
    let mut stage = with_catalog(Stage::user(""), WEEKS);
    stage.done("user:a", start_of("weeks", start(), "2027-03-11T00:00:00Z"));
    stage.done("user:a", consume("messages", 10));
    for day in ["2027-03-12T00:00:00Z", "2027-03-13T00:00:00Z"] {
        stage.now = at(day);
        record_the_end(&mut stage);
        let end = format!("{}T20:00:00Z", &day[..10]);
        stage.done("user:a", start_of("weeks", start(), &end));
        let denied = stage.denied("user:a", consume("messages", 1));
        assert_eq!(denied.available, 0);
        assert_eq!(audit(&stage.records()), []);
    }
    stage.now = at("2027-03-14T00:00:00Z");
    record_the_end(&mut stage);
    stage.done("user:a", start_of("weeks", start(), "2027-04-10T12:00:00Z"));
    stage.denied("user:a", consume("messages", 1));
    stage.now = at("2027-03-17T12:00:00Z");
    stage.done("user:a", consume("messages", 10));
    assert_eq!(audit(&stage.records()), []);
}

/// Closes what is over, until nothing more is; what was moved is closed before that to which it was moved.
fn close_all(stage: &mut Stage) {
    for _ in 0..8 {
        stage.done("user:a", Command::CloseWindows(CloseWindows::default()));
    }
}

const NONE: [DateTime<Utc>; 0] = [];

/// When each of the live windows of a feature began.
fn live(stage: &Stage, feature: &str) -> Vec<DateTime<Utc>> {
    let balances = stage.home.accounts[&id("user:a")].books.balances.iter();
    let of_feature = balances.filter(|live| live.bucket.feature() == Some(&code(feature)));
    let mut began: Vec<DateTime<Utc>> = of_feature.map(|live| live.starts_at).collect();
    began.sort_unstable();
    began
}

/// A user that used so much of articles on `chat` in March and in April, of which nothing is live any more: since 1 May it is on a plan
/// without them.
fn closed_months(march: u64, april: u64) -> Stage {
    let mut stage = chat();
    stage.done("user:a", Command::Renew(Renew::default()));
    stage.done("user:a", consume("articles", march));
    stage.now = at("2027-04-02T00:00:00Z");
    stage.done("user:a", consume("articles", april));
    stage.now = at("2027-05-01T00:00:00Z");
    stage.done("user:a", subscribe("large"));
    stage.later(TimeDelta::seconds(5));
    close_all(&mut stage);
    assert_eq!(live(&stage, "articles"), NONE, "all of it is closed");
    stage
}

fn chat_since_march() -> Command {
    start_of("chat", at("2027-03-01T00:00:00Z"), "2027-08-01T00:00:00Z")
}

/// C10 and S9: what comes over out of a month that was closed is what was left of it.
#[test]
fn what_comes_over_out_of_a_closed_month_is_what_it_left() {
    for closes in [false, true] {
        let mut stage = chat();
        let began = stage.now;
        stage.done("user:a", consume("articles", 95));
        // Under a plan without it nothing rolls over, and the month is closed.
        stage.now = at("2027-04-01T00:00:00Z");
        stage.done("user:a", subscribe("large"));
        if closes {
            stage.later(TimeDelta::seconds(5));
            close_all(&mut stage);
            assert_eq!(live(&stage, "articles"), NONE, "it is closed");
        }
        stage.now = at("2027-04-05T00:00:00Z");
        stage.done("user:a", start_of("chat", began, "2027-06-01T00:00:00Z"));
        assert_eq!(stage.remaining("user:a", "articles"), Some(105), "{closes}");
        stage.done("user:a", consume("articles", 105));
        stage.denied("user:a", consume("articles", 1));
        assert_eq!(audit(&stage.records()), []);
    }
}

/// C10: of several months that were closed it is the last before the one that runs, whatever of other limits began after it.
#[test]
fn what_comes_over_is_out_of_the_last_closed_month_of_the_limit() {
    // 30 came over into April, which were used first.
    let mut stage = closed_months(10, 128);
    stage.done("user:a", consume("messages", 1));
    stage.now = at("2027-06-02T00:00:00Z");
    stage.done("user:a", chat_since_march());
    let june = stage.remaining("user:a", "articles");
    assert_eq!(june, Some(130), "nothing was used in May");
    let mut stage = closed_months(10, 128);
    stage.done("user:a", consume("messages", 1));
    stage.now = at("2027-05-05T00:00:00Z");
    stage.done("user:a", chat_since_march());
    assert_eq!(stage.remaining("user:a", "articles"), Some(102));
    assert_eq!(live(&stage, "articles"), [at("2027-04-01T00:00:00Z")]);
    stage.done("user:a", consume("articles", 102));
    stage.denied("user:a", consume("articles", 1));
    assert_eq!(audit(&stage.records()), []);
}

/// C10 and W1: a window that began after the one that runs, under another start of the subscription, is none before it.
#[test]
fn what_comes_over_is_out_of_no_later_window() {
    let mut stage = chat();
    let began = stage.now;
    stage.done("user:a", consume("articles", 95));
    stage.now = at("2027-04-10T00:00:00Z");
    stage.done("user:a", subscribe("chat"));
    stage.done("user:a", consume("articles", 1));
    stage.now = at("2027-04-12T00:00:00Z");
    stage.done("user:a", subscribe("large"));
    close_all(&mut stage);
    let later = at("2027-04-10T00:00:00Z");
    assert_eq!(live(&stage, "articles"), [later], "March is closed");
    stage.now = at("2027-04-15T00:00:00Z");
    stage.done("user:a", start_of("chat", began, "2027-06-01T00:00:00Z"));
    assert_eq!(stage.remaining("user:a", "articles"), Some(105));
    assert_eq!(live(&stage, "articles"), [began, later]);
    assert_eq!(audit(&stage.records()), []);
}

/// W5 and C10: the month before one that was begun stays closed: what came over is known.
#[test]
fn a_month_before_one_that_is_open_stays_closed() {
    let mut stage = chat();
    stage.done("user:a", Command::Renew(Renew::default()));
    stage.done("user:a", consume("articles", 95));
    stage.now = at("2027-04-01T00:00:05Z");
    stage.done("user:a", consume("articles", 1));
    close_all(&mut stage);
    let april = at("2027-04-01T00:00:00Z");
    assert_eq!(live(&stage, "articles"), [april]);
    stage.done("user:a", chat_since_march());
    assert_eq!(live(&stage, "articles"), [april]);
    assert_eq!(stage.remaining("user:a", "articles"), Some(104));
    assert_eq!(audit(&stage.records()), []);
}

/// W5 and C10: a week of a limit from which nothing rolls over stays closed, too.
#[test]
fn a_week_without_rollover_stays_closed() {
    let mut stage = chat();
    stage.done("user:a", consume("messages", 3));
    stage.later(TimeDelta::days(8));
    close_all(&mut stage);
    let month = at("2027-03-01T00:00:00Z");
    assert_eq!(live(&stage, "messages"), [month], "both limits are closed");
    stage.done("user:a", chat_since_march());
    assert_eq!(live(&stage, "messages"), [month]);
    assert_eq!(audit(&stage.records()), []);
}

/// C10 and W3: of a month that was moved into another zone's the latter counts again, and that which was left stays closed.
#[test]
fn a_month_that_was_left_for_another_zone_stays_closed() {
    let mut stage = Stage::new("user:a");
    stage.catalog = crate::several_limits::catalog();
    stage.now = at("2027-02-10T00:00:00Z");
    stage.done("user:a", put_account(AccountSpec::default()));
    let began = stage.now;
    stage.done("user:a", start_of("chat", began, "2027-04-20T00:00:00Z"));
    stage.now = at("2027-03-10T00:00:00Z");
    // 30 came over from February.
    stage.done("user:a", consume("pages", 125));
    let to_tokyo = AccountSpec {
        time_zone: Some(chrono_tz::Asia::Tokyo),
        ..AccountSpec::default()
    };
    stage.done("user:a", put_account(to_tokyo));
    stage.now = at("2027-04-20T00:00:00Z");
    stage.done("user:a", subscribe("large"));
    stage.now = at("2027-05-05T00:00:00Z");
    close_all(&mut stage);
    assert_eq!(live(&stage, "pages"), NONE, "all of it is closed");
    stage.done("user:a", start_of("chat", began, "2027-08-01T00:00:00Z"));
    assert_eq!(live(&stage, "pages"), [at("2027-02-28T15:00:00Z")]);
    assert_eq!(audit(&stage.records()), []);
}

fn keep(plan: &str) -> Command {
    Command::ChangePlan(ChangePlan {
        plan: plan_code(plan),
        when: Some(ChangeWhen::Now),
        usage: UsageAfterChange::Keep,
    })
}

/// Three albums whose count was moved three times, day by day; all four windows are closed.
fn moved_three_times() -> Stage {
    let mut stage = Stage::user("");
    stage.done("user:a", start_of("basic", start(), "2027-03-20T00:00:00Z"));
    stage.done("user:a", consume("albums", 2));
    for plan in ["pro", "basic", "pro"] {
        stage.later(TimeDelta::days(1));
        stage.done("user:a", keep(plan));
    }
    stage.done("user:a", consume("albums", 1));
    assert_eq!(live(&stage, "albums").len(), 4);
    stage.now = at("2027-06-01T00:00:00Z");
    record_the_end(&mut stage);
    close_all(&mut stage);
    assert_eq!(live(&stage, "albums"), NONE, "all of it is closed");
    stage
}

/// S5 and C5: so it is however often it was moved on, and also where the first of these windows is live still.
#[test]
fn what_was_moved_three_times_and_closed_comes_back() {
    for is_live in [false, true] {
        let mut stage = moved_three_times();
        if is_live {
            let bucket = Bucket::Window(code("albums"), start().timestamp_micros());
            let first = stage.closed.remove(&(id("user:a"), bucket));
            let account = stage.home.account_mut(&id("user:a"));
            let books = &mut account.expect("it is here").books;
            books.balances.extend(first.map(|first| first.balance));
            assert_eq!(live(&stage, "albums"), [start()]);
        }
        stage.done("user:a", start_of("pro", start(), "2028-03-10T12:00:00Z"));
        let left = stage.remaining("user:a", "albums");
        assert_eq!(left, Some(2), "the first is live: {is_live}");
        stage.done("user:a", release_capacity("albums", 3));
        assert_eq!(stage.remaining("user:a", "albums"), Some(5));
        assert_eq!(audit(&stage.records()), []);
    }
}

/// S5 and C5: what was moved away before it was closed is where it was moved to, and comes back from there.
#[test]
fn what_was_moved_and_closed_comes_back() {
    let mut stage = Stage::user("");
    stage.done("user:a", start_of("basic", start(), "2027-03-20T00:00:00Z"));
    stage.done("user:a", consume("albums", 2));
    stage.now = at("2027-03-12T00:00:00Z");
    stage.done("user:a", keep("pro"));
    stage.done("user:a", consume("albums", 2));
    stage.now = at("2027-06-01T00:00:00Z");
    record_the_end(&mut stage);
    // Where something was moved to is closed after it.
    stage.done("user:a", Command::CloseWindows(CloseWindows::default()));
    let live = &stage.home.accounts[&id("user:a")].books.balances;
    assert!(live.is_empty(), "all of it is closed");
    stage.done("user:a", start_of("pro", start(), "2028-03-10T12:00:00Z"));
    assert_eq!(stage.remaining("user:a", "albums"), Some(1));
    stage.done("user:a", release_capacity("albums", 4));
    assert_eq!(stage.remaining("user:a", "albums"), Some(5));
    assert_eq!(audit(&stage.records()), []);
}

/// S9 and X9: overage that was closed counts on once, and is not in the books twice.
#[test]
fn overage_that_was_closed_counts_on_once() {
    let mut stage = Stage::user("");
    stage.done("user:a", start_of("basic", start(), "2027-03-20T00:00:00Z"));
    stage.done("user:a", track("articles", 53));
    stage.now = at("2027-03-21T00:00:00Z");
    record_the_end(&mut stage);
    stage.done("user:a", start_of("basic", start(), "2027-04-10T12:00:00Z"));
    let shown = stage.balance_of("user:a", Scope::User, "articles", None);
    assert_eq!((shown.used, shown.overage), (50, 3));
    let left: u64 = stage
        .closed
        .values()
        .map(|closed| closed.balance.spent())
        .sum();
    assert_eq!(left, 0, "all of it is live");
    assert_eq!(audit(&stage.records()), []);
}

/// S9: an end that was told, since a start was queued behind it, is not told once more when that start is canceled.
#[test]
fn an_end_before_a_start_that_is_canceled_is_told_once() {
    let mut stage = Stage::user("");
    stage.done("user:a", start_of("pro", start(), "2027-03-20T00:00:00Z"));
    stage.now = at("2027-03-21T00:00:00Z");
    stage.done(
        "user:a",
        start_of("pro", at("2027-03-25T00:00:00Z"), "2027-04-25T00:00:00Z"),
    );
    let told = |stage: &Stage| {
        let is_end = |kind: &EventKind| matches!(kind, EventKind::SubscriptionExpired { .. });
        stage
            .events
            .iter()
            .filter(|event| is_end(&event.kind))
            .count()
    };
    assert_eq!(told(&stage), 1);
    stage.done("user:a", Command::Cancel(Cancel { at_once: true }));
    let job = stage.run("user:a", Command::ExpireSubscription);
    assert!(!job.expect("it is looked at").is_booked);
    assert_eq!(told(&stage), 1);
}

/// X3 and W4: a window that was closed, reopened, and closed in an org is refunded where its use is, also from home again.
#[test]
fn what_was_reopened_and_closed_elsewhere_is_refunded() {
    let mut stage = Stage::user("");
    stage.done("user:a", start_of("pro", start(), "2027-03-20T00:00:00Z"));
    let used = stage.done("user:a", consume("articles", 40));
    stage.now = at("2027-03-21T00:00:00Z");
    record_the_end(&mut stage);
    stage.done("user:a", start_of("pro", start(), "2027-04-10T12:00:00Z"));
    let mut org = Stage::org_alone("pro");
    org.now = stage.now;
    relocated(&mut stage, &mut org);
    org.now = at("2027-04-11T00:00:00Z");
    record_the_end(&mut org);
    stage.now = org.now;
    relocated(&mut org, &mut stage);
    let refunded = stage.settle_former(&mut org, refund(used.id, None));
    let back: i64 = refunded
        .expect("it is refunded")
        .entries
        .iter()
        .map(|entry| entry.used)
        .sum();
    assert_eq!(back, -40);
    assert_eq!(stage.lifetime("user:a", "articles"), 0);
    for home in [&stage, &org] {
        assert_eq!(audit(&home.records()), []);
    }
}
