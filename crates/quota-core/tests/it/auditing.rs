//! The auditor finds nothing in a clean home, and each tampering under its own number.

use std::collections::{BTreeMap, BTreeSet};

use crate::boosts::boost;
use crate::execute_properties::busy_org;
use crate::relocated::relocated;
use crate::stage::{
    Stage, amount, commit, consume, consume_with, grant, id, key, plan_code, refund,
    release_capacity, reserve, track,
};
use chrono::TimeDelta;
use quota_core::amount::{COUNT_MAX, Limit};
use quota_core::answer::Answer;
use quota_core::audit::audit;
use quota_core::balance::{Balance, Bucket};
use quota_core::command::{CloseWindows, Command, Release, Renew, Subscribe};
use quota_core::draw::Scope;
use quota_core::ids::FeatureCode;
use quota_core::occupancy::Occupancy;
use quota_core::operation::{Operation, OperationKind};
use quota_core::ports::AuditHome;
use quota_core::reservation::ReservationState;

/// A home in which everything has happened once.
fn full() -> AuditHome {
    let mut stage = busy_org();
    stage.done("user:a", grant("pack", 40));
    let spent = stage.done("user:a", consume_with("t", "articles", 12));
    stage.done("user:a", refund(spent.id, Some(5)));
    stage.done("user:b", track("requests", 9));
    stage.done("user:b", grant("other", 12));
    stage.done("user:b", consume("renders", 3));
    stage.done("user:b", boost("sale", "requests", 8));
    stage.done("user:b", consume("projects", 2));
    settle_some(&mut stage);
    let mut request = stage.request("user:b", consume("articles", 900));
    request.key = Some(key("k"));
    stage.ask(&request).expect("a denial is an outcome");
    stage.later(TimeDelta::days(1));
    stage.done(
        "user:b",
        Command::CloseWindows(CloseWindows {
            cadence: None,
            features: Vec::new(),
        }),
    );
    stage.done("user:b", consume("requests", 1));
    stage.done("user:a", reserve("articles", 4, 600));
    stage.records()
}

fn settle_some(stage: &mut Stage) {
    let settled = stage.done("user:a", reserve("articles", 6, 60));
    stage.done("user:a", commit(settled.id, 5));
    let released = stage.done("user:a", reserve("articles", 6, 60));
    stage.done(
        "user:a",
        Command::Release(Release {
            reservation: released.id,
        }),
    );
    let late = stage.done("user:a", reserve("articles", 6, 60));
    stage.later(TimeDelta::seconds(60));
    stage.done("user:a", commit(late.id, 2));
}

fn balance<'a>(home: &'a mut AuditHome, account: &str, kind: &str) -> &'a mut Balance {
    let mut accounts = home.accounts.iter_mut();
    let (_, account) = accounts
        .find(|(of, _)| *of == id(account))
        .expect("it lives here");
    let mut balances = account.books.balances.iter_mut();
    let fits = |balance: &&mut Balance| balance.bucket.to_string().starts_with(kind);
    balances.find(fits).expect("it is live")
}

fn operation(home: &mut AuditHome, kind: OperationKind) -> &mut Operation {
    let mut operations = home.operations.iter_mut();
    operations
        .find(|found| found.kind == kind)
        .expect("it was booked")
}

fn reservation(
    home: &mut AuditHome,
    state: ReservationState,
) -> &mut quota_core::reservation::Reservation {
    let mut reservations = home.reservations.iter_mut();
    reservations
        .find(|found| found.state == state)
        .expect("it was made")
}

fn entry(operation: &mut Operation, scope: Scope) -> &mut quota_core::operation::Entry {
    operation
        .entries
        .iter_mut()
        .find(|entry| entry.scope == scope)
        .expect("it was charged")
}

type Tampering = (&'static str, &'static [&'static str], fn(&mut AuditHome));

/// What is changed, under which numbers it is found, and how.
const BALANCES: [Tampering; 16] = [
    ("the count of members", &["C12"], |home| {
        let mut accounts = home.accounts.iter_mut();
        let org = accounts.find(|(of, _)| *of == home.home);
        org.expect("it is its own home").1.terms.members += 1;
    }),
    ("used", &["I2"], |home| {
        balance(home, "org:o", "window:articles").used += 1;
    }),
    ("overage", &["I2"], |home| {
        balance(home, "user:b", "window:requests").overage += 1;
    }),
    ("held", &["I2", "I3"], |home| {
        balance(home, "user:a", "tracked:articles").held += 1;
    }),
    ("a balance is gone", &["I2"], |home| {
        let bucket = balance(home, "user:b", "window:requests").bucket.clone();
        for (_, account) in &mut home.accounts {
            account
                .books
                .balances
                .retain(|balance| balance.bucket != bucket);
        }
    }),
    ("a closed balance", &["I2"], |home| {
        home.closed[0].balance.used += 1;
    }),
    ("granted", &["I2"], |home| {
        balance(home, "user:b", "grant:").granted = Limit::Of(9);
    }),
    ("an overdrawn grant", &["I14", "I2"], |home| {
        balance(home, "user:b", "grant:").used += 9;
    }),
    ("what a boost is worth", &["I2"], |home| {
        balance(home, "user:b", "boost:").granted = Limit::Of(9);
    }),
    ("an overdrawn boost", &["I14", "I2"], |home| {
        balance(home, "user:b", "boost:").used += 9;
    }),
    ("what was bought", &["I2"], |home| {
        balance(home, "user:b", "room:").granted = Limit::Of(1);
    }),
    ("what of it is occupied", &["I2"], |home| {
        balance(home, "user:b", "room:").used += 1;
    }),
    ("a counter out of range", &["I2", "I22"], |home| {
        balance(home, "user:a", "token:").used = COUNT_MAX + 1;
    }),
    ("the lifetime total", &["I6"], |home| {
        let (_, account) = &mut home.accounts[1];
        *account
            .books
            .lifetime
            .values_mut()
            .next()
            .expect("something was used") += 1;
    }),
    ("a window that begins elsewhere", &["I13"], |home| {
        balance(home, "org:o", "window:articles").starts_at += TimeDelta::seconds(1);
    }),
    ("a window twice", &["I13", "I2"], |home| {
        let twice = balance(home, "user:b", "window:requests").clone();
        let (_, account) = home
            .accounts
            .iter_mut()
            .find(|(of, _)| *of == id("user:b"))
            .expect("here");
        account.books.balances.push(twice);
    }),
];

const HOLDS: [Tampering; 9] = [
    ("the hold's amount", &["I10"], |home| {
        reservation(home, ReservationState::Open).amount += 1;
    }),
    ("a hold's draws", &["I10", "I3"], |home| {
        reservation(home, ReservationState::Open).draws[0].amount += 1;
    }),
    ("a hold is gone", &["I3"], |home| {
        home.reservations
            .retain(|held| held.state != ReservationState::Open);
    }),
    (
        "a hold that ended is open again",
        &["I10", "I11", "I3"],
        |home| {
            reservation(home, ReservationState::Released).state = ReservationState::Open;
        },
    ),
    ("another end", &["I10"], |home| {
        reservation(home, ReservationState::Released).state = ReservationState::Committed;
    }),
    ("no end", &["I10"], |home| {
        reservation(home, ReservationState::Committed).ended_by = None;
    }),
    ("the late commit", &["I10"], |home| {
        reservation(home, ReservationState::Expired).late_commit = Some(uuid::Uuid::nil());
    }),
    ("hold_before is late", &["I11"], |home| {
        home.hold_before = home
            .hold_before
            .map(|before| before + TimeDelta::seconds(1));
    }),
    ("hold_before is none", &["I11"], |home| {
        home.hold_before = None;
    }),
];

const LEDGER: [Tampering; 11] = [
    ("the version", &["I23"], |home| home.version += 1),
    ("a sequence", &["I23"], |home| {
        home.operations[3].sequence += 1;
    }),
    ("a time", &["I23"], |home| {
        home.operations[3].at += TimeDelta::days(9);
    }),
    ("a key twice", &["I7"], |home| {
        operation(home, OperationKind::Track).key = Some(key("k"));
    }),
    ("a limit that was lower", &["I5"], |home| {
        let answer = &mut operation(home, OperationKind::Consume).answer;
        if let Answer::Allowed { balances } = answer {
            let user = balances.iter_mut().find(|of| of.scope == Scope::Org);
            user.expect("it was charged").granted = Some(Limit::Of(11));
        }
    }),
    ("a cap that was lower", &["I5"], |home| {
        let answer = &mut operation(home, OperationKind::Consume).answer;
        if let Answer::Allowed { balances } = answer {
            let token = balances.iter_mut().find(|of| of.scope == Scope::Token);
            token.expect("it was charged").granted = Some(Limit::Of(11));
        }
    }),
    ("a denial with an entry", &["I7"], |home| {
        let mut entry = operation(home, OperationKind::Track).entries[0].clone();
        (entry.used, entry.overage) = (0, 0);
        let denied = home
            .operations
            .iter_mut()
            .find(|found| !found.answer.is_allowed());
        denied.expect("one was denied").entries.push(entry);
    }),
    ("the org is not charged", &["I2", "I6", "O1"], |home| {
        operation(home, OperationKind::Track)
            .entries
            .retain(|entry| entry.scope != Scope::Org);
    }),
    ("the token is charged less", &["I2", "O1"], |home| {
        entry(operation(home, OperationKind::Consume), Scope::Token).used -= 1;
    }),
    ("a refund that says too much", &["X3"], |home| {
        let refunded = operation(home, OperationKind::Refund);
        if let Answer::Refunded { items, .. } = &mut refunded.answer {
            items[0].amount = amount(13);
        }
    }),
    ("a refund of nothing", &["X3"], |home| {
        operation(home, OperationKind::Refund).refers_to = Some(uuid::Uuid::nil());
    }),
];

/// I2 to I23, O1, X3 and X7: one change in the records of a clean home is found, and under no other number.
#[test]
fn each_tampering_is_found_under_its_number() {
    assert_eq!(audit(&full()), []);
    for (what, wanted, tamper) in BALANCES.iter().chain(&HOLDS).chain(&LEDGER) {
        let mut home = full();
        tamper(&mut home);
        let found: BTreeSet<&str> = audit(&home)
            .iter()
            .map(|finding| finding.invariant)
            .collect();
        assert_eq!(
            found,
            wanted.iter().copied().collect(),
            "{what}: {:#?}",
            audit(&home)
        );
    }
}

/// I13: a window that begins before the one before it ends is found, unless the terms changed in between.
#[test]
fn windows_that_overlap_are_found() {
    let mut home = full();
    // The day of the closed window is made longer than the day.
    let closed = &mut home.closed[0].balance;
    assert!(matches!(closed.bucket, Bucket::Window(..)));
    closed.ends_at = closed
        .ends_at
        .map(|ends_at| ends_at + TimeDelta::seconds(1));
    home.operations
        .retain(|done| done.kind != OperationKind::Change || done.account == id("user:a"));
    let found = audit(&home);
    assert!(
        found.iter().any(|finding| finding.invariant == "I13"),
        "{found:#?}"
    );
}

/// I7, X1: a key that is used again after more than seven days is no second use of it, one within them is.
#[test]
fn a_key_counts_for_seven_days() {
    for (days, wanted) in [(7, vec!["I7"]), (8, vec![])] {
        let mut stage = busy_org();
        stage.done("user:b", track("requests", 1));
        stage.later(TimeDelta::days(days));
        stage.done("user:b", track("requests", 1));
        let mut home = stage.records();
        for operation in home.operations.iter_mut().rev().take(2) {
            operation.key = Some(key("k"));
        }
        let found = audit(&home);
        let found: Vec<&str> = found.iter().map(|finding| finding.invariant).collect();
        assert_eq!(found, wanted, "after {days} days");
    }
}

/// C9 and W7: what is changed in the books or in the ledger of a further limit is found.
#[test]
fn tampering_with_a_further_limit_is_found() {
    let mut stage = crate::several_limits::chat();
    let held = stage.done("user:a", crate::stage::reserve("messages", 3, 600));
    stage.done("user:a", crate::stage::consume("messages", 2));
    assert_eq!(audit(&stage.records()), []);
    let found = |tamper: &dyn Fn(&mut AuditHome)| {
        let mut home = stage.records();
        tamper(&mut home);
        let found = audit(&home);
        found
            .into_iter()
            .map(|finding| finding.invariant)
            .collect::<BTreeSet<_>>()
    };
    let of_hours = |home: &mut AuditHome| -> usize {
        let balances = &home.accounts[0].1.books.balances;
        let is_hours = |bucket: &Bucket| {
            bucket
                .to_string()
                .starts_with("further:messages:first_use-5h")
        };
        balances
            .iter()
            .position(|balance| is_hours(&balance.bucket))
            .expect("it runs")
    };
    let longer = found(&|home| {
        let at = of_hours(home);
        let window = &mut home.accounts[0].1.books.balances[at];
        window.ends_at = window.ends_at.map(|ends_at| ends_at + TimeDelta::hours(1));
    });
    assert_eq!(longer, BTreeSet::from(["W7"]));
    let without_end = found(&|home| {
        let at = of_hours(home);
        home.accounts[0].1.books.balances[at].ends_at = None;
    });
    assert_eq!(without_end, BTreeSet::from(["W7"]));
    let lower = found(&|home| {
        let at = of_hours(home);
        home.accounts[0].1.books.balances[at].used = 1;
        let bucket = home.accounts[0].1.books.balances[at].bucket.clone();
        let last = home.operations.last_mut().expect("a consume");
        let entry = last.entries.iter_mut().find(|entry| entry.bucket == bucket);
        entry.expect("it was charged").used = 1;
    });
    assert_eq!(lower, BTreeSet::from(["C9"]));
    let not_held = found(&|home| {
        let at = of_hours(home);
        home.accounts[0].1.books.balances[at].held = 0;
    });
    assert_eq!(not_held, BTreeSet::from(["I2", "I3"]));
    assert!(held.answer.is_allowed());
}

/// The numbers under which something is found in the records of a stage once they are changed.
fn found(stage: &Stage, tamper: &dyn Fn(&mut AuditHome)) -> BTreeSet<&'static str> {
    let mut home = stage.records();
    tamper(&mut home);
    let found = audit(&home).into_iter();
    found.map(|finding| finding.invariant).collect()
}

/// C10: what came over into a window is what its answers say, and no more than the window before left; what a plan lets go over of that
/// is not in the ledger.
#[test]
fn tampering_with_what_rolled_over_is_found() {
    let mut stage = crate::several_limits::chat();
    for _ in 0..2 {
        stage.done("user:a", Command::Renew(Renew::default()));
    }
    stage.done("user:a", consume("articles", 60));
    stage.now = crate::several_limits::at("2027-04-01T00:00:00Z");
    let april = format!("window:articles:{}", stage.now.timestamp_micros());
    stage.done("user:a", consume("articles", 20));
    stage.done("user:a", consume("articles", 1));
    assert_eq!(audit(&stage.records()), []);
    let kept = |home: &mut AuditHome, rolled_over: u64| {
        let balance = balance(home, "user:a", &april);
        assert_eq!(balance.rolled_over, 30);
        balance.rolled_over = rolled_over;
    };
    let told = |home: &mut AuditHome, before_last: usize, rolled_over: u64| {
        let done = home.operations.iter_mut().rev().nth(before_last);
        let Some(Answer::Allowed { balances }) = done.map(|done| &mut done.answer) else {
            unreachable!("it was allowed")
        };
        balances[0].windows[0].rolled_over = rolled_over;
    };
    let wrong = BTreeSet::from(["C10"]);
    for rolled_over in [0, 29, 31] {
        let tampered = found(&stage, &|home| kept(home, rolled_over));
        assert_eq!(tampered, wrong, "{rolled_over} is kept");
        let tampered = found(&stage, &|home| told(home, 0, rolled_over));
        assert_eq!(tampered, wrong, "{rolled_over} was told last");
    }
    let all = |home: &mut AuditHome, rolled_over: u64| {
        kept(home, rolled_over);
        told(home, 0, rolled_over);
        told(home, 1, rolled_over);
    };
    assert_eq!(found(&stage, &|home| all(home, 41)), wrong, "40 were left");
    assert_eq!(found(&stage, &|home| all(home, 40)), BTreeSet::new());
    stage.now = crate::several_limits::at("2027-05-02T00:00:00Z");
    stage.done("user:a", consume("articles", 1));
    crate::several_limits::close_windows(&mut stage);
    assert_eq!(found(&stage, &|_| ()), BTreeSet::new());
    let tampered = found(&stage, &|home| {
        let mut closed = home.closed.iter_mut();
        let of_april = closed.find(|closed| closed.balance.bucket.to_string() == april);
        of_april.expect("it is closed").balance.rolled_over = 31;
    });
    assert_eq!(tampered, wrong, "in what is closed");
}

/// What is changed of the numbers of a capacity, each in its own way.
const NUMBERS: [fn(&mut BTreeMap<FeatureCode, Occupancy>); 7] = [
    BTreeMap::clear,
    |all| of_first(all).drawn += 1,
    |all| of_first(all).drawn -= 1,
    |all| of_first(all).released += 1,
    |all| of_first(all).released -= 1,
    |all| of_first(all).gaps.push((49, 50)),
    |all| of_first(all).gaps.insert(0, (3, 4)),
];

fn of_first(all: &mut BTreeMap<FeatureCode, Occupancy>) -> &mut Occupancy {
    all.values_mut().next().expect("something was drawn")
}

/// Each change of the numbers of `user:a` is found, of its own and of those at its org.
fn numbers_are_sound_and_each_change_is_found(stage: &Stage, wanted: &Occupancy) {
    let books = &stage.home.accounts[&id("user:a")].books;
    let has_org = stage.home.id == id("org:o");
    assert_eq!(books.occupancy.values().collect::<Vec<_>>(), [wanted]);
    assert_eq!(
        books.org_occupancy.values().next(),
        has_org.then_some(wanted)
    );
    assert_eq!(audit(&stage.records()), []);
    for (number, tamper) in NUMBERS.iter().enumerate() {
        for at_org in [false, true].into_iter().take(1 + usize::from(has_org)) {
            let tampered = found(stage, &|home| {
                let mut accounts = home.accounts.iter_mut();
                let found = accounts.find(|(of, _)| *of == id("user:a"));
                let books = &mut found.expect("it lives here").1.books;
                if at_org {
                    tamper(&mut books.org_occupancy);
                } else {
                    tamper(&mut books.occupancy);
                }
            });
            let wrong = BTreeSet::from(["X4"]);
            assert_eq!(tampered, wrong, "{number}, at the org: {at_org}");
        }
    }
}

/// X3 and X4: which of a capacity's units are still there is what the draws, releases and refunds of the ledger come to.
#[test]
fn tampering_with_the_numbers_of_a_capacity_is_found() {
    let mut stage = Stage::org("pro");
    let first = stage.done("user:a", consume("storage", 30));
    stage.done("user:a", consume("storage", 20));
    stage.done("user:a", release_capacity("storage", 10));
    stage.done("user:a", refund(first.id, Some(5)));
    stage.done("user:a", consume("storage", 1));
    let wanted = Occupancy {
        drawn: 51,
        released: 10,
        gaps: vec![(25, 30)],
    };
    numbers_are_sound_and_each_change_is_found(&stage, &wanted);
    for scope in [Scope::User, Scope::Org] {
        let tampered = found(&stage, &|home| {
            let last = home.operations.last_mut().expect("a consume");
            entry(last, scope).first_unit = Some(49);
        });
        assert_eq!(tampered, BTreeSet::from(["X4"]), "{scope:?}");
    }
}

/// X3, X4 and C5: of a capacity that begins anew with each period, what was left behind is released.
#[test]
fn tampering_with_the_numbers_of_a_capacity_that_begins_anew_is_found() {
    let mut stage = Stage::user("pro");
    stage.done("user:a", Command::Renew(Renew::default()));
    stage.done("user:a", consume("albums", 4));
    stage.done("user:a", release_capacity("albums", 1));
    stage.later(TimeDelta::days(32));
    let second = stage.done("user:a", consume("albums", 3));
    stage.done("user:a", consume("albums", 2));
    stage.done("user:a", refund(second.id, Some(1)));
    let wanted = Occupancy {
        drawn: 9,
        released: 4,
        gaps: vec![(6, 7)],
    };
    numbers_are_sound_and_each_change_is_found(&stage, &wanted);
}

/// X3, X4 and O8: who leaves an org takes its books along; its ledger stays, and so do the numbers in it.
#[test]
fn the_numbers_of_a_member_that_left_are_followed_too() {
    let mut org = Stage::org("pro");
    let first = org.done("user:a", consume("storage", 6));
    org.done("user:a", refund(first.id, None));
    let second = org.done("user:a", consume("storage", 1));
    let numbers = second.entries.iter().map(|entry| entry.first_unit);
    assert_eq!(numbers.collect::<Vec<_>>(), [Some(0), Some(0)]);
    let mut own = Stage::new("user:a");
    own.now = org.now;
    relocated(&mut org, &mut own);
    assert_eq!(audit(&org.records()), []);
    assert_eq!(audit(&own.records()), []);
    for scope in [Scope::User, Scope::Org] {
        let tampered = found(&org, &|home| {
            let mut operations = home.operations.iter_mut();
            let second = operations.find(|done| done.id == second.id);
            entry(second.expect("a consume"), scope).first_unit = Some(6);
        });
        assert_eq!(tampered, BTreeSet::from(["X4"]), "{scope:?}");
    }
}

/// X3, X4 and W4: what is refunded of a window that is over has no number any more, though a start in the past has that window count
/// again later.
#[test]
fn the_numbers_of_a_window_that_counts_again_are_those_of_their_time() {
    let mut stage = Stage::user("pro");
    stage.done("user:a", consume("albums", 4));
    let second = stage.done("user:a", consume("albums", 1));
    stage.later(TimeDelta::days(32));
    stage.done("user:a", refund(second.id, None));
    let again = Subscribe {
        starts_at: Some(crate::stage::start()),
        ends_at: Some(stage.now + TimeDelta::days(5)),
        ..Subscribe::to(plan_code("pro"))
    };
    stage.done("user:a", Command::Subscribe(again));
    let told = stage.done("user:a", track("albums", 1));
    let of_window = told.entries.iter().map(|entry| entry.first_unit);
    assert_eq!(of_window.collect::<Vec<_>>(), [Some(5)]);
    assert_eq!(audit(&stage.records()), []);
}
