//! Use that is told late: booked in the windows of its instant (X5).

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use quota_core::answer::Rejection;
use quota_core::audit::audit;
use quota_core::balance::{Balance, Bucket};
use quota_core::command::{
    AccountSpec, Cancel, ChangePlan, ChangeWhen, CloseWindows, Command, Renew, Subscribe,
    UsageAfterChange,
};
use quota_core::draw::{Scope, Source};
use quota_core::operation::Operation;

use crate::stage::{
    Stage, code, consume, grant, id, item, member, plan_code, put_account, put_token, refund,
    subscribe, track_at,
};

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("a literal instant")
}

fn close() -> Command {
    Command::CloseWindows(CloseWindows::default())
}

fn renew() -> Command {
    Command::Renew(Renew { ends_at: None })
}

/// Every window of a feature of an account, live and closed, by its start: used and overage.
fn windows(stage: &Stage, account: &str, feature: &str) -> Vec<(DateTime<Utc>, u64, u64)> {
    let live = &stage.home.accounts[&id(account)].books.balances;
    let closed = stage.closed.values();
    let closed = closed.filter(|closed| closed.account == id(account));
    let all = live.iter().chain(closed.map(|closed| &closed.balance));
    let own = all.filter(|balance| {
        matches!(&balance.bucket, Bucket::Window(code, _) | Bucket::Tracked(code, _)
            if code.as_str() == feature)
    });
    let said = |balance: &Balance| (balance.starts_at, balance.used, balance.overage);
    let mut windows: Vec<_> = own.map(said).collect();
    windows.sort_unstable();
    windows
}

/// What an operation drew at the user: source and amount.
fn drawn(operation: &Operation) -> Vec<(Source, i64)> {
    let of_user = operation
        .entries
        .iter()
        .filter(|entry| entry.scope == Scope::User);
    let drawn = of_user.map(|entry| (entry.source, entry.used + entry.overage));
    drawn.collect()
}

/// April with 90 of 100 used, closed or not; and May with 5.
fn april_and_may(is_closed: bool) -> Stage {
    let mut stage = Stage::new("user:a");
    stage.now = at("2027-04-01T00:00:00Z");
    stage.done("user:a", put_account(AccountSpec::default()));
    stage.done("user:a", subscribe("pro"));
    stage.done("user:a", consume("articles", 90));
    stage.now = at("2027-05-01T00:00:00Z");
    stage.done("user:a", renew());
    if is_closed {
        stage.done("user:a", close());
    }
    stage.done("user:a", consume("articles", 5));
    stage.now = at("2027-05-03T09:00:00Z");
    stage
}

/// E45: what is told late is booked in its window, closed or not; the present one stays as it is, and what the window
/// had not is overage.
#[test]
fn what_is_told_late_is_booked_in_the_window_of_its_instant() {
    for is_closed in [false, true] {
        let mut stage = april_and_may(is_closed);
        let (april, may) = (at("2027-04-01T00:00:00Z"), at("2027-05-01T00:00:00Z"));
        let told = track_at(at("2027-04-29T00:00:00Z"), vec![item("articles", 7)]);
        let done = stage.done("user:a", told);
        assert_eq!(
            windows(&stage, "user:a", "articles"),
            [(april, 97, 0), (may, 5, 0)]
        );
        assert_eq!(done.at, stage.now, "when it was booked");
        let used_at: Vec<_> = done.entries.iter().map(|entry| entry.used_at).collect();
        assert_eq!(
            used_at,
            [Some(at("2027-04-29T00:00:00Z"))],
            "when it was used"
        );
        let balance = &done.answer.balances()[0];
        assert_eq!(
            (balance.used, balance.remaining),
            (97, Some(3)),
            "as April stands"
        );
        assert_eq!(balance.resets_at, Some(may));
        assert_eq!(stage.remaining("user:a", "articles"), Some(95));
        assert_eq!(stage.lifetime("user:a", "articles"), 102);

        let told = track_at(at("2027-04-30T23:59:59Z"), vec![item("articles", 8)]);
        let done = stage.done("user:a", told);
        assert_eq!(drawn(&done), [(Source::Allowance, 3), (Source::Overage, 5)]);
        assert_eq!(
            windows(&stage, "user:a", "articles"),
            [(april, 100, 5), (may, 5, 0)]
        );
        assert_eq!(audit(&stage.records()), []);
    }
}

/// X5 and X3: a refund of it goes back to the same window, whether that was closed before or since.
#[test]
fn a_refund_of_what_was_told_late_goes_back_to_its_window() {
    for is_closed in [false, true] {
        let mut stage = april_and_may(is_closed);
        let april = at("2027-04-01T00:00:00Z");
        let told = track_at(at("2027-04-29T00:00:00Z"), vec![item("articles", 14)]);
        let done = stage.done("user:a", told);
        assert_eq!(windows(&stage, "user:a", "articles")[0], (april, 100, 4));
        stage
            .run("user:a", close())
            .expect("it closes what is over");
        stage.done("user:a", refund(done.id, Some(6)));
        assert_eq!(windows(&stage, "user:a", "articles")[0], (april, 98, 0));
        stage.done("user:a", refund(done.id, None));
        assert_eq!(windows(&stage, "user:a", "articles")[0], (april, 90, 0));
        assert_eq!(stage.lifetime("user:a", "articles"), 95);
        assert_eq!(audit(&stage.records()), []);
    }
}

/// X5: at most 35 days back and not in the future, nor before the account was made; the field is named, and nothing is changed.
#[test]
fn what_lies_too_far_back_or_ahead_is_refused_by_the_name_of_the_field() {
    let mut stage = april_and_may(true);
    let before = stage.records();
    let second = TimeDelta::seconds(1);
    let oldest = stage.now - TimeDelta::days(35);
    for wrong in [stage.now + second, oldest - second] {
        let refused = stage.run("user:a", track_at(wrong, vec![item("articles", 1)]));
        let refused = refused.expect_err("out of reach");
        assert_eq!(
            (refused.field(), refused.code()),
            (Some("at"), "not_recent")
        );
    }
    let unknown = track_at(oldest, vec![item("articles", 1), item("nothing", 1)]);
    let refused = stage.run("user:a", unknown).expect_err("no such feature");
    assert_eq!(refused.index(), Some(1));
    let (april, may) = (at("2027-04-01T00:00:00Z"), at("2027-05-01T00:00:00Z"));
    for early in [oldest, april - TimeDelta::microseconds(1)] {
        let refused = stage.run("user:a", track_at(early, vec![item("articles", 1)]));
        let refused = refused.expect_err("there was no account");
        let why = Rejection::BeforeAccount {
            account: id("user:a"),
            began_at: april,
        };
        assert_eq!(refused, why);
        assert_eq!(
            (refused.field(), refused.code()),
            (Some("at"), "before_account")
        );
    }
    assert_eq!(stage.records(), before);
    for right in [stage.now, april] {
        stage.done("user:a", track_at(right, vec![item("articles", 1)]));
    }
    let expected = [(april, 91, 0), (may, 6, 0)];
    assert_eq!(windows(&stage, "user:a", "articles"), expected);
    assert_eq!(audit(&stage.records()), []);
}

/// X5: a window in which nothing was used yet is counted from the subscription, in its period of then, and closed at
/// once; one from before the anchor that is known now is what the books have.
#[test]
fn a_window_without_use_is_opened_where_the_subscription_had_it() {
    let mut stage = Stage::new("user:a");
    stage.now = at("2027-01-31T10:00:00Z");
    stage.done("user:a", put_account(AccountSpec::default()));
    stage.done("user:a", subscribe("basic"));
    for day in ["2027-02-28T10:00:00Z", "2027-03-31T10:00:00Z"] {
        stage.now = at(day);
        stage.done("user:a", renew());
    }
    stage.now = at("2027-04-01T00:00:00Z");
    let february = at("2027-02-28T10:00:00Z");
    let told = stage.done("user:a", track_at(february, vec![item("articles", 60)]));
    assert_eq!(
        drawn(&told),
        [(Source::Allowance, 50), (Source::Overage, 10)]
    );
    let day = at("2027-03-05T00:00:00Z");
    stage.done(
        "user:a",
        track_at(day + TimeDelta::hours(3), vec![item("requests", 2)]),
    );
    assert_eq!(windows(&stage, "user:a", "articles"), [(february, 50, 10)]);
    assert_eq!(windows(&stage, "user:a", "requests"), [(day, 2, 0)]);
    assert!(stage.home.accounts[&id("user:a")].books.balances.is_empty());

    // A change at once begins with a new anchor: what was before it is what the books have.
    stage.now = at("2027-04-10T00:00:00Z");
    stage.done("user:a", consume("articles", 3));
    stage.done(
        "user:a",
        Command::ChangePlan(ChangePlan {
            plan: plan_code("pro"),
            when: Some(ChangeWhen::Now),
            usage: UsageAfterChange::Restart,
        }),
    );
    stage.now = at("2027-04-12T00:00:00Z");
    stage.done(
        "user:a",
        track_at(at("2027-04-09T00:00:00Z"), vec![item("articles", 4)]),
    );
    stage.done(
        "user:a",
        track_at(at("2027-04-11T00:00:00Z"), vec![item("articles", 5)]),
    );
    let (march, changed) = (at("2027-03-31T10:00:00Z"), at("2027-04-10T00:00:00Z"));
    assert_eq!(
        windows(&stage, "user:a", "articles"),
        [(february, 50, 10), (march, 7, 0), (changed, 5, 0)]
    );
    assert_eq!(audit(&stage.records()), []);
}

/// X5 and S3: use of a time without a subscription in force is not in a window of one, also where the same subscription
/// was in force before; credits and the trial, which have no windows, pay as they would now (F2).
#[test]
fn what_was_used_without_a_subscription_is_paid_by_credits_and_the_trial() {
    let mut stage = Stage::new("user:a");
    stage.now = at("2027-04-01T00:00:00Z");
    stage.done("user:a", put_account(AccountSpec::default()));
    stage.done("user:a", subscribe("pro"));
    stage.done("user:a", consume("try_on", 4));
    stage.now = at("2027-04-10T00:00:00Z");
    stage.done("user:a", Command::Cancel(Cancel { at_once: true }));
    stage.done("user:a", grant("g", 2));
    stage.now = at("2027-04-20T00:00:00Z");
    let before = stage.done(
        "user:a",
        track_at(at("2027-04-09T00:00:00Z"), vec![item("try_on", 1)]),
    );
    assert_eq!(drawn(&before), [(Source::Allowance, 1)]);
    let after = stage.done(
        "user:a",
        track_at(at("2027-04-11T00:00:00Z"), vec![item("try_on", 6)]),
    );
    let paid = [
        (Source::Credits, 2),
        (Source::Trial, 3),
        (Source::Overage, 1),
    ];
    assert_eq!(drawn(&after), paid);
    assert_eq!(audit(&stage.records()), []);
}

/// X5 and O1: the org is charged in its own window of that instant, a token over its life.
#[test]
fn the_org_is_charged_in_its_own_window_of_that_instant() {
    let mut stage = Stage::new("org:o");
    stage.now = at("2027-04-10T00:00:00Z");
    stage.done("org:o", put_account(AccountSpec::default()));
    stage.done("org:o", subscribe("pro"));
    stage.now = at("2027-04-15T00:00:00Z");
    stage.done("user:a", put_account(member()));
    stage.done("user:a", put_token("t", quota_core::amount::Limit::Of(10)));
    stage.done("user:a", consume("articles", 95));
    stage.now = at("2027-05-16T00:00:00Z");
    stage.done("org:o", renew());
    stage.done("user:a", close());
    stage.done("org:o", close());
    let mut told = track_at(at("2027-05-01T00:00:00Z"), vec![item("articles", 8)]);
    if let Command::Track(track) = &mut told {
        track.token = Some(crate::stage::token_id("t"));
    }
    let done = stage.done("user:a", told);
    let of_org = windows(&stage, "org:o", "articles");
    assert_eq!(of_org, [(at("2027-04-10T00:00:00Z"), 100, 3)]);
    let of_user = windows(&stage, "user:a", "articles");
    assert_eq!(of_user, [(at("2027-04-15T00:00:00Z"), 103, 0)]);
    let token = stage.balance_of("user:a", Scope::Token, "articles", Some("t"));
    assert_eq!(token.used, 8);
    assert_eq!(done.answer.balances().len(), 3);
    assert_eq!(audit(&stage.records()), []);
}

/// X5 and U1: what an unlimited user used is counted in its window, without a ceiling; several items at once, each with
/// its own windows.
#[test]
fn several_items_are_booked_each_in_its_own_window() {
    let mut stage = april_and_may(true);
    let told = vec![
        item("articles", 8),
        item("requests", 2),
        item("articles", 3),
        item("storage", 1),
    ];
    let done = stage.done("user:a", track_at(at("2027-04-29T12:00:00Z"), told));
    let april = at("2027-04-01T00:00:00Z");
    assert_eq!(windows(&stage, "user:a", "articles")[0], (april, 100, 1));
    let day = at("2027-04-29T00:00:00Z");
    assert_eq!(windows(&stage, "user:a", "requests"), [(day, 2, 0)]);
    assert_eq!(
        stage.standing("user:a", Scope::User, "storage").0,
        1,
        "it has no windows"
    );
    let used: Vec<_> = done
        .answer
        .balances()
        .iter()
        .map(|balance| balance.used)
        .collect();
    assert_eq!(used, [100, 2, 1]);
    assert_eq!(audit(&stage.records()), []);
}

/// X5 and U5: an unlimited user's late use is not overage.
#[test]
fn late_use_of_an_unlimited_user_has_no_ceiling() {
    let mut stage = april_and_may(true);
    stage.done(
        "user:a",
        put_account(AccountSpec {
            unlimited: Some(true),
            ..AccountSpec::default()
        }),
    );
    let done = stage.done(
        "user:a",
        track_at(at("2027-04-29T00:00:00Z"), vec![item("articles", 50)]),
    );
    assert_eq!(drawn(&done), [(Source::Unlimited, 50)]);
    assert_eq!(windows(&stage, "user:a", "articles")[0].1, 140);
    assert_eq!(audit(&stage.records()), []);
}

/// X5: a counter that is full refuses all of it, and the windows that were opened for it are as they were.
#[test]
fn what_does_not_fit_a_counter_leaves_every_window_as_it_was() {
    let mut stage = april_and_may(true);
    let most = quota_core::amount::AMOUNT_MAX;
    let full = item("requests", most);
    let told = track_at(at("2027-04-29T00:00:00Z"), vec![full; 100]);
    // The largest count is 9 * 10^18, and each of these adds 10^17.
    for _ in 0..90 {
        stage.done("user:a", told.clone());
    }
    let before = stage.records();
    let mixed = vec![item("articles", 1), item("requests", 1)];
    let refused = stage.run("user:a", track_at(at("2027-04-29T00:00:00Z"), mixed));
    let refused = refused.expect_err("the counter is full");
    assert_eq!((refused.code(), refused.index()), ("counter_full", Some(1)));
    assert_eq!(stage.records(), before);
}

fn start_at(plan: &str, starts_at: &str) -> Command {
    Command::Subscribe(Subscribe {
        starts_at: Some(at(starts_at)),
        ..Subscribe::to(plan_code(plan))
    })
}

/// X5, W1 and W4: a start in the past may lie before what ran. Each day from it on is a window of its own, as on an account that
/// has had that start alone; what was used today counts on.
#[test]
fn after_a_backdated_start_late_use_is_booked_in_the_day_of_its_instant() {
    for begins_with in [Some("pro"), Some("free"), None] {
        let mut stage = Stage::user(begins_with.unwrap_or_default());
        if begins_with.is_some() {
            stage.done("user:a", consume("requests", 3));
            stage.later(TimeDelta::minutes(1));
        }
        stage.done("user:a", start_at("pro", "2027-03-05T08:00:00Z"));
        if begins_with.is_none() {
            stage.done("user:a", consume("requests", 3));
        }
        assert_eq!(stage.remaining("user:a", "requests"), Some(7));
        for day in ["2027-03-05T09:00:00Z", "2027-03-07T12:00:00Z"] {
            stage.done("user:a", track_at(at(day), vec![item("requests", 2)]));
        }
        let used = windows(&stage, "user:a", "requests");
        let used: Vec<_> = used.into_iter().filter(|window| window.1 != 0).collect();
        let expected = [
            (at("2027-03-05T08:00:00Z"), 2, 0),
            (at("2027-03-07T00:00:00Z"), 2, 0),
            (at("2027-03-10T00:00:00Z"), 3, 0),
        ];
        assert_eq!(used, expected, "{begins_with:?}");
        assert_eq!(stage.remaining("user:a", "requests"), Some(7));
        assert_eq!(audit(&stage.records()), []);
    }
}

/// X5 and W4: after a start with another interval the months of the former plan are not known any more. What is told late
/// begins a window where the last known one ended, and ends where the next began; none gets use of another's time.
#[test]
fn late_use_between_known_windows_takes_the_time_between_them() {
    let mut stage = Stage::user("pro");
    stage.done("user:a", consume("albums", 1));
    stage.done("user:a", subscribe("free"));
    stage.now = at("2027-05-08T16:00:00Z");
    stage.done("user:a", consume("articles", 1));
    stage.done("user:a", subscribe("max"));
    for (day, amount) in [("2027-05-02T02:00:00Z", 2), ("2027-04-20T00:00:00Z", 3)] {
        stage.done("user:a", track_at(at(day), vec![item("albums", amount)]));
    }
    stage.done(
        "user:a",
        track_at(at("2027-04-10T11:00:00Z"), vec![item("albums", 4)]),
    );
    let used = windows(&stage, "user:a", "albums");
    let (march, april) = (at("2027-03-10T12:00:00Z"), at("2027-04-10T12:00:00Z"));
    assert_eq!(used, [(march, 5, 0), (april, 0, 5)]);
    let live = &stage.home.accounts[&id("user:a")].books.balances;
    let all = live
        .iter()
        .chain(stage.closed.values().map(|closed| &closed.balance));
    let of_albums = all.filter(|one| one.bucket.feature() == Some(&code("albums")));
    let mut ends: Vec<_> = of_albums.map(|balance| balance.ends_at).collect();
    ends.sort_unstable();
    assert_eq!(ends, [Some(april), Some(at("2027-05-08T16:00:00Z"))]);
    assert_eq!(audit(&stage.records()), []);
}

/// X5: the auditor finds use that is booked in a window which does not hold its instant, before it and behind it.
#[test]
fn use_outside_of_its_window_is_found() {
    for day in ["2027-03-07T12:00:00Z", "2027-05-01T00:00:00Z"] {
        let mut stage = april_and_may(true);
        let told = track_at(at("2027-04-29T00:00:00Z"), vec![item("articles", 7)]);
        stage.done("user:a", told);
        assert_eq!(audit(&stage.records()), []);
        let told = stage.operations.last_mut().expect("it was booked");
        told.entries[0].used_at = Some(at(day));
        let found = audit(&stage.records());
        let found: Vec<_> = found.iter().map(|found| found.invariant).collect();
        assert_eq!(found, ["X5"]);
    }
}

proptest! {
    /// X5: whatever was used in a year of renewals, a use that is told late adds to one window that holds its instant
    /// (or stands open), to none that is present, and all that is kept agrees.
    #[test]
    fn what_is_told_late_adds_to_one_window_of_its_instant(
        used in prop::collection::vec((0_i64..20, 1_u64..30), 1..12),
        hours in 0_i64..840,
        amount in 1_u64..200,
        feature in prop::sample::select(vec!["articles", "requests", "albums"]),
        is_closed: bool,
    ) {
        let mut stage = Stage::user("pro");
        for (days, units) in used {
            stage.later(TimeDelta::days(days));
            let held = stage.home.accounts[&id("user:a")].terms.subscription.clone().expect("there");
            if held.ends_at <= stage.now {
                stage.done("user:a", renew());
            }
            stage.run("user:a", consume(feature, units % 6 + 1)).expect("decided");
        }
        if is_closed {
            stage.run("user:a", close()).expect("it closes what is over");
        }
        let before = windows(&stage, "user:a", feature);
        let total = |windows: &[(DateTime<Utc>, u64, u64)]| -> u64 {
            windows.iter().map(|(_, used, overage)| used + overage).sum()
        };
        let instant = (stage.now - TimeDelta::hours(hours)).max(crate::stage::start());
        let told = stage.done("user:a", track_at(instant, vec![item(feature, amount)]));
        let after = windows(&stage, "user:a", feature);
        prop_assert_eq!(total(&after), total(&before) + amount);
        let changed: Vec<_> = after.iter().filter(|window| !before.contains(window)).collect();
        prop_assert_eq!(changed.len(), 1, "{:?} {:?}", before, after);
        let starts_at = changed[0].0;
        prop_assert!(starts_at <= instant, "{} {}", starts_at, instant);
        let of_window = told.answer.balances().first().expect("the user's");
        prop_assert_eq!(of_window.used + of_window.overage, changed[0].1 + changed[0].2);
        prop_assert_eq!(told.answer.is_allowed(), true);
        prop_assert_eq!(audit(&stage.records()), []);
    }
}
