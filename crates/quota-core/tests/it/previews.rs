//! What a change would come to, before it is made (S5, S6, S8): the change itself on a copy, so the two say the same.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use quota_core::amount::Limit;
use quota_core::answer::{Answer, Rejection};
use quota_core::catalog::{Cadence, Given};
use quota_core::change::Change;
use quota_core::command::{
    Cancel, ChangePlan, ChangeWhen, Command, EndAddon, Renew, SetAddon, SetSeats, SetStatus,
    Subscribe, UsageAfterChange,
};
use quota_core::ids::{AccountId, FeatureCode};
use quota_core::quantity::Quantity;
use quota_core::rules::dropped::Dropped;
use quota_core::rules::preview::{Lost, Over, Preview, WhatIsLost, preview};
use quota_core::rules::scope_balances::{Overview, overview};
use quota_core::terms::Status;

use crate::stage::{
    Stage, code, consume, id, member, plan_code, put_account, reserve, start, subscribe, track,
};
use crate::with_catalog::with_catalog;

const CATALOG: &str = r#"
[[feature]]
code = "messages"
name = "Messages"
unit = "message"
kind = "consumable"
cadence = "monthly"

[[feature]]
code = "tokens"
name = "Tokens"
unit = "token"
kind = "consumable"
cadence = "weekly"

[[feature]]
code = "albums"
name = "Albums"
unit = "album"
kind = "capacity"
cadence = "subscription"

[[feature]]
code = "members"
name = "Members"
unit = "member"
kind = "capacity"
cadence = "subscription"
counts = "members"

[[feature]]
code = "sso"
name = "Single sign-on"
kind = "flag"

[[feature]]
code = "max_file_mb"
name = "Largest file"
kind = "setting"

[[plan]]
code = "free"
name = "Free"
limits = { messages = 5, albums = 2 }

[[plan]]
code = "small"
name = "Small"
price = 300
[plan.limits]
messages = 30
tokens = [{ limit = 2, per = "5h", anchor = "first_use" }, { limit = 6 }]
albums = 4
members = 2
max_file_mb = 10

[[plan]]
code = "team"
name = "Team"
price = 1000
limits = { messages = { limit = 20, per_seat = true }, albums = 10, members = { limit = 1, per_seat = true }, tokens = 60, sso = true, max_file_mb = 50 }
on_demand = { messages = { price = 3, cap = 300 } }

[[plan]]
code = "year"
name = "Year"
price = 90000
interval = "year"
limits = { messages = "unlimited", albums = 100, members = "unlimited", sso = true }

[[plan]]
code = "more"
name = "More"
kind = "addon"
price = 100
limits = { messages = 50, sso = true }
"#;

fn quantity(number: u32) -> Quantity {
    Quantity::new(number).expect("in range")
}

fn change(plan: &str, when: Option<ChangeWhen>) -> Command {
    Command::ChangePlan(ChangePlan {
        plan: plan_code(plan),
        when,
        usage: UsageAfterChange::default(),
    })
}

fn set_addon(number: u32) -> Command {
    Command::SetAddon(SetAddon {
        plan: plan_code("more"),
        quantity: quantity(number),
        ends_at: None,
    })
}

fn set_seats(number: u32) -> Command {
    Command::SetSeats(SetSeats {
        seats: quantity(number),
    })
}

/// A user with so many seats of a plan.
fn user(plan: &str, seats: u32) -> Stage {
    let mut stage = with_catalog(Stage::user(""), CATALOG);
    let subscribe = Subscribe {
        seats: Some(quantity(seats)),
        ..Subscribe::to(plan_code(plan))
    };
    stage.done("user:a", Command::Subscribe(subscribe));
    stage
}

fn previewed(stage: &Stage, account: &str, command: &Command) -> Result<Preview, Rejection> {
    let home = stage.home.clone();
    preview(&stage.context(), home, &id(account), command.clone())
}

fn of(stage: &Stage, command: &Command) -> Preview {
    previewed(stage, "user:a", command).expect("it fits")
}

fn seen(stage: &Stage, account: &AccountId) -> Overview {
    let found = &stage.home.accounts[account];
    let org = found.terms.org.as_ref();
    let org = org.and(stage.home.accounts.get(&stage.home.id));
    let member = (found.as_ref(), org.map(AsRef::as_ref));
    overview(&stage.context(), account, stage.home.version, member)
}

/// Limit and use of a feature, before and after.
fn limits(preview: &Preview, feature: &str) -> [(Option<Limit>, u64); 2] {
    [&preview.before, &preview.after].map(|seen| {
        let mut features = seen.features.iter();
        let found = features.find(|standing| standing.feature.code == code(feature));
        let own = &found.expect("the feature").own;
        (own.granted, own.used)
    })
}

fn lost(preview: &Preview) -> Vec<(FeatureCode, WhatIsLost)> {
    let lost = preview.lost.iter();
    lost.map(|Lost { feature, what }| (feature.clone(), *what))
        .collect()
}

fn month_later() -> DateTime<Utc> {
    "2027-04-10T12:00:00Z".parse().expect("a literal instant")
}

/// Limit and use, before and after, in plain numbers.
fn both(before: (u64, u64), after: (u64, u64)) -> [(Option<Limit>, u64); 2] {
    [before, after].map(|(limit, used)| (Some(Limit::Of(limit)), used))
}

/// S5, C12, C9, C11: an upgrade acts now. Each kind of limit is shown as it is and as it would be, and so is the use that
/// restarts; what was paid for is named.
#[test]
fn s5_a_preview_of_an_upgrade_shows_every_kind_of_limit() {
    let mut stage = user("small", 3);
    stage.done("user:a", consume("messages", 25));
    stage.done("user:a", consume("tokens", 2));
    stage.done("user:a", consume("albums", 3));
    let shown = of(&stage, &change("team", None));
    assert_eq!(
        shown.change.as_ref().map(|(change, _)| *change),
        Some(Change::PlanChanged)
    );
    assert_eq!((shown.acts_at, shown.needs_renewal), (start(), false));
    assert_eq!(limits(&shown, "messages"), both((30, 25), (60, 0)));
    assert_eq!(limits(&shown, "albums"), both((4, 3), (10, 3)));
    assert_eq!(limits(&shown, "tokens"), both((2, 2), (60, 0)));
    let windows = shown
        .before
        .features
        .iter()
        .map(|one| one.own.windows.len());
    assert!(windows.max() == Some(2), "each window of several limits");
    assert!(shown.after.spending.is_some() && shown.before.spending.is_none());
    let flag = |seen: &Overview| seen.had.flags[&code("sso")];
    assert_eq!((flag(&shown.before), flag(&shown.after)), (false, true));
    let setting = |seen: &Overview| seen.had.settings[&code("max_file_mb")].clone();
    let sizes = (setting(&shown.before), setting(&shown.after));
    assert_eq!(sizes, (Given::Number(10), Given::Number(50)));
    assert_eq!(
        (shown.over.as_slice(), shown.lost.as_slice()),
        (&[][..], &[][..])
    );
    let paid = Dropped::PaidTime {
        plan: plan_code("small"),
        ends_at: month_later(),
    };
    assert_eq!(shown.dropped, [paid]);
}

/// S5 and S6: a downgrade waits for the period's end. What is occupied is over the new limit then, features and flags go,
/// and a free plan takes over by itself.
#[test]
fn s6_a_preview_of_a_downgrade_names_what_is_over_and_what_goes() {
    let mut stage = user("team", 1);
    stage.done("user:a", consume("messages", 20));
    stage.done("user:a", consume("albums", 8));
    let shown = of(&stage, &change("free", None));
    let changed = shown.change.as_ref().map(|(change, _)| *change);
    assert_eq!(changed, Some(Change::PlanChangeScheduled));
    assert_eq!((shown.acts_at, shown.needs_renewal), (month_later(), false));
    assert_eq!(limits(&shown, "messages"), both((20, 20), (5, 0)));
    let over = Over {
        feature: code("albums"),
        window: None,
        limit: 2,
        used: 8,
    };
    assert_eq!(shown.over, [over]);
    let gone = [
        ("members", WhatIsLost::Limit),
        ("messages", WhatIsLost::OnDemand),
        ("tokens", WhatIsLost::Limit),
        ("sso", WhatIsLost::Flag),
        ("max_file_mb", WhatIsLost::Setting),
    ];
    assert_eq!(
        lost(&shown),
        gone.map(|(feature, what)| (code(feature), what))
    );
    assert_eq!(shown.dropped, []);
}

/// S5 and S4: a paid plan that is scheduled is begun by the renewal, and the preview says so. To schedule another drops the
/// change that waited; a queued start gives way to a change at once (S8).
#[test]
fn s8_a_preview_names_the_change_and_the_start_that_give_way() {
    let mut stage = user("team", 1);
    stage.done("user:a", change("free", None));
    let shown = of(&stage, &change("small", Some(ChangeWhen::PeriodEnd)));
    assert_eq!((shown.acts_at, shown.needs_renewal), (month_later(), true));
    assert_eq!(limits(&shown, "messages"), both((20, 0), (30, 0)));
    let waited = Dropped::PlanChange {
        plan: plan_code("free"),
        at: month_later(),
    };
    let dropped = vec![waited];
    assert_eq!(shown.dropped, dropped);
    let back = of(&stage, &change("team", None));
    let change_of = |shown: &Preview| shown.change.as_ref().map(|(change, _)| *change);
    assert_eq!(change_of(&back), Some(Change::PlanChangeDropped));
    assert_eq!((back.acts_at, back.dropped), (stage.now, dropped));
    let mut stage = user("small", 1);
    let queued = Subscribe {
        starts_at: Some(start() + TimeDelta::days(1)),
        ..Subscribe::to(plan_code("team"))
    };
    let queued = Command::Subscribe(queued);
    let shown = of(&stage, &queued);
    assert_eq!(shown.acts_at, month_later(), "behind what is paid for");
    assert_eq!(limits(&shown, "messages"), both((30, 0), (20, 0)));
    stage.done("user:a", queued);
    let shown = of(&stage, &change("year", None));
    let ahead = Dropped::PeriodsAhead {
        plan: plan_code("team"),
        count: 1,
        ends_at: "2027-05-10T12:00:00Z".parse().expect("a literal instant"),
    };
    assert!(shown.dropped.contains(&ahead), "{:?}", shown.dropped);
    assert_eq!(limits(&shown, "messages")[1].0, Some(Limit::Unlimited));
}

/// C12, C9 and S6: fewer seats, members above them, a window of several limits.
#[test]
fn c12_a_preview_counts_members_above_the_seats() {
    let mut stage = with_catalog(Stage::org_alone(""), CATALOG);
    let four = Subscribe {
        seats: Some(quantity(4)),
        ..Subscribe::to(plan_code("team"))
    };
    stage.done("org:o", Command::Subscribe(four));
    for user in ["user:a", "user:b", "user:c"] {
        stage.done(user, put_account(member()));
    }
    let shown = previewed(&stage, "org:o", &set_seats(2)).expect("it fits");
    let over = |limit| Over {
        feature: code("members"),
        window: None,
        limit,
        used: 3,
    };
    assert_eq!(shown.over, [over(2)]);
    let free = previewed(&stage, "org:o", &change("free", None)).expect("it fits");
    assert_eq!(free.over, [over(0)], "the plan does not count members");
    let mut stage = user("small", 1);
    stage.done("user:a", track("tokens", 5));
    let windows = of(&stage, &set_seats(2)).over;
    let five_hours: Cadence = "5h".parse().expect("a literal span");
    let over: Vec<_> = windows
        .iter()
        .map(|one| (one.window, one.limit, one.used))
        .collect();
    assert_eq!(over, [(Some(five_hours), 2, 5)]);
}

/// C13 and P13: add-ons show what they add, and nothing of them ends with a change of plan.
#[test]
fn p13_a_preview_shows_what_add_ons_add() {
    let mut stage = user("small", 1);
    let shown = of(&stage, &set_addon(2));
    assert_eq!(limits(&shown, "messages"), both((30, 0), (130, 0)));
    stage.done("user:a", set_addon(2));
    stage.done("user:a", consume("messages", 100));
    let fewer = of(&stage, &set_addon(1));
    assert_eq!((fewer.over[0].limit, fewer.over[0].used), (80, 100));
    let team = of(&stage, &change("team", None));
    assert_eq!(limits(&team, "messages")[1], (Some(Limit::Of(120)), 0));
    let nothing = of(&stage, &set_addon(2));
    assert_eq!((nothing.change, &nothing.before), (None, &nothing.after));
}

/// S4, S8: a cancellation is shown as of the end, a renewal as of its first instant; what is canceled at once is now.
#[test]
fn s8_a_preview_shows_an_end_and_a_renewal_when_they_act() {
    let mut stage = user("team", 1);
    stage.done("user:a", consume("messages", 20));
    let cancel = |at_once| Command::Cancel(Cancel { at_once });
    let at_end = of(&stage, &cancel(false));
    assert_eq!(
        (at_end.acts_at, at_end.needs_renewal),
        (month_later(), false)
    );
    assert_eq!(limits(&at_end, "messages")[1].0, None);
    assert!(lost(&at_end).contains(&(code("sso"), WhatIsLost::Flag)));
    assert_eq!(of(&stage, &cancel(true)).acts_at, stage.now);
    let renewed = of(&stage, &Command::Renew(Renew::default()));
    assert_eq!(
        (renewed.acts_at, renewed.needs_renewal),
        (month_later(), false)
    );
    assert_eq!(limits(&renewed, "messages"), both((20, 20), (20, 0)));
    stage.done("user:a", cancel(false));
    let resumed = of(&stage, &Command::Resume);
    assert_eq!((resumed.acts_at, resumed.lost), (stage.now, vec![]));
    stage.done("user:a", Command::Resume);
    stage.later(TimeDelta::days(40));
    let late = of(&stage, &Command::Renew(Renew::default()));
    assert_eq!(late.acts_at, stage.now, "it has begun already");
}

/// S5, S8, C13: what the change would be refused for, its preview is.
#[test]
fn a_preview_is_refused_as_the_change_is() {
    let mut stage = user("small", 1);
    stage.done("user:a", Command::Cancel(Cancel { at_once: true }));
    let none = with_catalog(Stage::user(""), CATALOG);
    let nobody = with_catalog(Stage::new("user:a"), CATALOG);
    for mut stage in [stage, none, nobody] {
        for command in [
            change("team", None),
            change("nothing", None),
            change("more", None),
            set_seats(2),
            set_addon(1),
            subscribe("more"),
            Command::Resume,
        ] {
            let said = previewed(&stage, "user:a", &command);
            let before = stage.home.clone();
            let done = stage.run("user:a", command.clone());
            assert_eq!(said.err(), done.err(), "{command:?}");
            stage.home = before;
        }
    }
}

/// What a random step does, to come to a state or to be previewed.
fn step() -> impl Strategy<Value = (Command, i64)> {
    let plan = prop::sample::select(vec!["free", "small", "team", "year", "more"]);
    let when = prop::sample::select(vec![
        None,
        Some(ChangeWhen::Now),
        Some(ChangeWhen::PeriodEnd),
    ]);
    let usage = prop::sample::select(vec![UsageAfterChange::Restart, UsageAfterChange::Keep]);
    let feature = prop::sample::select(vec!["messages", "tokens", "albums"]);
    let changes = (plan.clone(), when, usage).prop_map(|(plan, when, usage)| {
        let plan = plan_code(plan);
        Command::ChangePlan(ChangePlan { plan, when, usage })
    });
    let begun = (plan, -3_i64..40, 1_u32..4).prop_map(|(plan, days, seats)| {
        Command::Subscribe(Subscribe {
            starts_at: (days > 0).then(|| start() + TimeDelta::days(days * 9)),
            seats: Some(quantity(seats)),
            ..Subscribe::to(plan_code(plan))
        })
    });
    let status = prop::sample::select(vec![Status::PastDue, Status::Active, Status::Unpaid]);
    let command = prop_oneof![
        4 => changes,
        2 => begun,
        2 => (1_u32..6).prop_map(set_seats),
        2 => (1_u32..6).prop_map(set_addon),
        1 => Just(Command::EndAddon(EndAddon { plan: plan_code("more") })),
        1 => any::<bool>().prop_map(|at_once| Command::Cancel(Cancel { at_once })),
        1 => Just(Command::Resume),
        1 => Just(Command::Renew(Renew::default())),
        1 => status.prop_map(|status| Command::SetStatus(SetStatus { status })),
        5 => (feature, 1_u64..30).prop_map(|(feature, number)| track(feature, number)),
    ];
    (
        command,
        prop::sample::select(vec![0, 0, 1, 5, 24, 200, 720, 2_000]),
    )
}

fn renew_once_paid(stage: &mut Stage) {
    let renewal = Command::Renew(Renew::default());
    if let Err(refused) = stage.run("user:a", renewal.clone()) {
        assert!(matches!(refused, Rejection::NotPaid { .. }), "{refused}");
        stage.done("user:a", set_status(Status::Active));
        stage.done("user:a", renewal);
    }
}

fn set_status(status: Status) -> Command {
    Command::SetStatus(SetStatus { status })
}

/// S1, S2 and S5: a change at the period's end is taken in grace, and so is its preview: it shows the plan as it is once the period is paid
/// and renewed.
#[test]
fn s5_a_preview_of_a_change_at_the_end_of_what_is_not_paid_is_as_the_change() {
    let mut stage = user("team", 2);
    stage.done("user:a", set_status(Status::PastDue));
    let asked = Command::ChangePlan(ChangePlan {
        plan: plan_code("small"),
        when: Some(ChangeWhen::PeriodEnd),
        usage: UsageAfterChange::Restart,
    });
    let said = of(&stage, &asked);
    assert!(said.needs_renewal);
    stage.done("user:a", asked);
    stage.now = said.acts_at - TimeDelta::microseconds(1);
    renew_once_paid(&mut stage);
    stage.now = said.acts_at;
    assert!(said.after.is_in_force);
    assert_eq!(said.after, seen(&stage, &id("user:a")));
}

proptest! {
    /// S5, S6, S8: a preview followed by the change, and by the renewal where it needs one, gives what was said, at the instant
    /// that was said; and a refusal is the same.
    #[test]
    fn a_preview_says_what_the_change_does(
        steps in prop::collection::vec(step(), 0..12),
        (asked, _) in step(),
    ) {
        let mut stage = user("team", 2);
        for (command, hours) in steps {
            // Some do not fit; that is no matter here.
            let _ = stage.run("user:a", command);
            stage.later(TimeDelta::hours(hours));
        }
        let said = previewed(&stage, "user:a", &asked);
        let before = seen(&stage, &id("user:a"));
        let done = stage.run("user:a", asked);
        match (said, done) {
            (Ok(said), Ok(done)) => {
                prop_assert_eq!(&said.before, &before);
                let mut change = None;
                if let Answer::Changed { change: what, detail, .. } = &done.operation.answer {
                    let words = detail.clone().unwrap_or_default();
                    for one in &said.dropped {
                        prop_assert!(words.contains(&one.to_string()), "{} in {}", one, words);
                    }
                    let told = words.matches("dropped").count();
                    prop_assert_eq!(told, said.dropped.len(), "{}", words);
                    change = Some((*what, detail.clone()));
                }
                prop_assert_eq!(said.change, change);
                if said.needs_renewal {
                    stage.now = said.acts_at - TimeDelta::microseconds(1);
                    renew_once_paid(&mut stage);
                }
                stage.now = said.acts_at;
                prop_assert_eq!(said.after, seen(&stage, &id("user:a")));
            }
            (said, done) => prop_assert_eq!(said.err(), done.err()),
        }
    }
}

/// R4: a hold past its deadline counts 0: of what acts after that, it makes nothing over.
#[test]
fn r4_a_hold_that_ends_before_a_change_acts_is_not_over_then() {
    let over = |day, ttl_days: u32, when| -> Vec<u64> {
        let mut stage = user("team", 1);
        stage.done("user:a", consume("albums", 3));
        stage.later(TimeDelta::days(day));
        stage.done("user:a", reserve("albums", 5, ttl_days * 86_400));
        let mut home = stage.home.clone();
        // As a preview reads it: with all that is held.
        home.reservations.clone_from(&stage.reservations);
        let command = change("small", Some(when));
        let previewed = preview(&stage.context(), home, &id("user:a"), command);
        let over = previewed.expect("it fits").over;
        over.iter().map(|over| over.used).collect()
    };
    assert_eq!(over(10, 20, ChangeWhen::PeriodEnd), [0; 0]);
    assert_eq!(over(10, 20, ChangeWhen::Now), [8]);
    assert_eq!(over(10, 30, ChangeWhen::PeriodEnd), [8]);
}
