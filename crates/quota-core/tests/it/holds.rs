//! Reserve, commit, release, extend.

use crate::execute_properties::busy_org;
use crate::stage::{
    Stage, catalog, code, commit, consume, grant, put_account, put_token, reserve, subscribe,
    token_id,
};
use chrono::TimeDelta;
use quota_core::amount::Limit;
use quota_core::answer::{Answer, Rejection};
use quota_core::audit::audit;
use quota_core::command::{AccountSpec, Command, Extend, Release, Reserve};
use quota_core::denial::Reason;
use quota_core::draw::Scope;
use quota_core::reservation::{Ending, ReservationState};

/// E9: what is held counts; a commit for less makes room again.
#[test]
fn e9_what_is_held_counts_until_it_is_settled() {
    let mut stage = Stage::user("pro");
    stage.done("user:a", consume("articles", 90));
    let held = stage.done("user:a", reserve("articles", 8, 60));
    let denied = stage.denied("user:a", consume("articles", 3));
    assert_eq!((denied.reason, denied.available), (Reason::LimitReached, 2));
    stage.done("user:a", commit(held.id, 4));
    assert_eq!(
        stage.standing("user:a", Scope::User, "articles"),
        (94, 0, 0)
    );
    stage.done("user:a", consume("articles", 3));
}

/// E10: a commit never fails for lack of quota; what nothing covers is overage.
#[test]
fn e10_a_commit_beyond_the_quota_books_overage() {
    let mut stage = Stage::user("pro");
    stage.done("user:a", consume("articles", 95));
    let held = stage.done("user:a", reserve("articles", 5, 60));
    stage.done("user:a", commit(held.id, 9));
    assert_eq!(
        stage.standing("user:a", Scope::User, "articles"),
        (100, 0, 4)
    );
    assert_eq!(stage.remaining("user:a", "articles"), Some(0));
}

/// R1: a reservation is decided like a consumption, and holds at token, user and org without spending.
#[test]
fn a_reservation_holds_at_every_scope() {
    let mut stage = Stage::org("pro");
    stage.done("user:a", put_token("t", Limit::Of(50)));
    let ask = |value| {
        Command::Reserve(Reserve {
            token: Some(token_id("t")),
            feature: crate::stage::code("articles"),
            amount: crate::stage::amount(value),
            ttl_seconds: 60,
        })
    };
    let held = stage.done("user:a", ask(40));
    assert_eq!(
        stage
            .balance_of("user:a", Scope::Token, "articles", Some("t"))
            .held,
        40
    );
    assert_eq!(
        stage.standing("user:a", Scope::User, "articles"),
        (0, 40, 0)
    );
    assert_eq!(stage.standing("org:o", Scope::Org, "articles"), (0, 40, 0));
    assert_eq!(stage.lifetime("user:a", "articles"), 0);
    let denied = stage.denied("user:a", ask(11));
    assert_eq!(
        (denied.reason, denied.available),
        (Reason::TokenExhausted, 10)
    );
    assert_eq!(
        stage.denied("user:a", consume("articles", 61)).available,
        60
    );
    stage.done("user:a", commit(held.id, 30));
    assert_eq!(
        stage
            .balance_of("user:a", Scope::Token, "articles", Some("t"))
            .used,
        30
    );
    assert_eq!(stage.standing("org:o", Scope::Org, "articles"), (30, 0, 0));
}

/// R2 and R6: a commit for more takes the difference in order; what is given back goes to the grant it came from.
#[test]
fn a_commit_takes_the_difference_in_order_and_gives_back_to_the_same_grant() {
    let mut stage = Stage::user("pro");
    stage.done("user:a", grant("pack", 9));
    stage.done("user:a", consume("renders", 4));
    let held = stage.done("user:a", reserve("renders", 3, 60));
    assert_eq!(stage.grant("user:a", "pack"), (0, 4));
    stage.done("user:a", commit(held.id, 2));
    assert_eq!(stage.grant("user:a", "pack"), (2, 0));
    assert_eq!(stage.standing("user:a", Scope::User, "renders"), (5, 0, 0));
    let held = stage.done("user:a", reserve("renders", 1, 60));
    stage.done("user:a", commit(held.id, 5));
    assert_eq!(stage.grant("user:a", "pack"), (8, 0));
    assert_eq!(stage.standing("user:a", Scope::User, "renders"), (5, 0, 2));
    assert_eq!(stage.lifetime("user:a", "renders"), 11);
}

/// R3: release gives everything back; asked again the first answer stands, and a released hold is never committed.
#[test]
fn a_release_is_final_and_may_be_asked_again() {
    let mut stage = Stage::user("pro");
    let held = stage.done("user:a", reserve("articles", 100, 60));
    let release = Command::Release(Release {
        reservation: held.id,
    });
    let first = stage.done("user:a", release.clone());
    assert_eq!(stage.standing("user:a", Scope::User, "articles"), (0, 0, 0));
    let version = stage.home.version;
    assert_eq!(stage.done("user:a", release), first);
    assert_eq!(stage.home.version, version, "nothing is booked twice");
    let released = ReservationState::Released;
    let ending = Ending {
        state: released,
        at: Some(stage.now),
        used: None,
    };
    let refused = Err(Rejection::ReservationEnded { ending });
    assert_eq!(stage.run("user:a", commit(held.id, 1)), refused);
    let longer = Command::Extend(Extend {
        reservation: held.id,
        ttl_seconds: 60,
    });
    assert_eq!(stage.run("user:a", longer), refused);
    assert_eq!(stage.reservations[&held.id].state, released);
}

/// R3, R4 and X8: a hold that expired ended at its deadline, whenever that was booked, and a release after it gives nothing
/// back.
#[test]
fn a_hold_that_expired_ended_at_its_deadline() {
    let mut stage = Stage::user("pro");
    let held = stage.done("user:a", reserve("articles", 4, 60));
    let deadline = stage.now + TimeDelta::seconds(60);
    stage.later(TimeDelta::seconds(300));
    stage.done("user:a", Command::Sweep);
    let ending = Ending {
        state: ReservationState::Expired,
        at: Some(deadline),
        used: None,
    };
    let longer = Command::Extend(Extend {
        reservation: held.id,
        ttl_seconds: 60,
    });
    let refused = Err(Rejection::ReservationEnded { ending });
    assert_eq!(stage.run("user:a", longer), refused);
    let release = Command::Release(Release {
        reservation: held.id,
    });
    let released = stage.done("user:a", release);
    assert_eq!(released.entries, []);
    let is_expired = matches!(
        released.answer,
        Answer::Settled {
            state: ReservationState::Expired,
            ..
        }
    );
    assert!(is_expired, "{:?}", released.answer);
}

/// R3, X1 and X8: the same commit twice spends once; another one for the same hold is refused.
#[test]
fn a_commit_is_final_and_may_be_asked_again() {
    let mut stage = Stage::user("pro");
    let held = stage.done("user:a", reserve("articles", 10, 60));
    let first = stage.done("user:a", commit(held.id, 4));
    assert_eq!(stage.done("user:a", commit(held.id, 4)), first);
    let ending = Ending {
        state: ReservationState::Committed,
        at: Some(stage.now),
        used: Some(4),
    };
    let ended = Err(Rejection::ReservationEnded { ending });
    assert_eq!(stage.run("user:a", commit(held.id, 5)), ended);
    assert_eq!(
        stage.run(
            "user:a",
            Command::Release(Release {
                reservation: held.id
            })
        ),
        ended
    );
    assert_eq!(stage.standing("user:a", Scope::User, "articles"), (4, 0, 0));
    stage.later(TimeDelta::days(1));
    stage.done("user:a", Command::Sweep);
    assert_eq!(
        stage.reservations[&held.id].state,
        ReservationState::Committed
    );
}

/// R3 and R4: `extend` moves the deadline; from the deadline on the hold counts 0, sweeper or not.
#[test]
fn an_extended_hold_counts_until_its_new_deadline() {
    let mut stage = Stage::user("pro");
    let held = stage.done("user:a", reserve("articles", 100, 60));
    stage.later(TimeDelta::seconds(50));
    stage.done(
        "user:a",
        Command::Extend(Extend {
            reservation: held.id,
            ttl_seconds: 60,
        }),
    );
    stage.later(TimeDelta::seconds(59));
    assert_eq!(stage.denied("user:a", consume("articles", 1)).available, 0);
    stage.later(TimeDelta::seconds(1));
    stage.done("user:a", consume("articles", 100));
    assert_eq!(
        stage.reservations[&held.id].state,
        ReservationState::Expired
    );
    assert_eq!(
        stage.standing("user:a", Scope::User, "articles"),
        (100, 0, 0)
    );
}

/// R5: a commit after expiry spends as if there had been no hold, with overage if needed, and says that it is late.
#[test]
fn a_late_commit_spends_as_if_there_had_been_no_hold() {
    let mut stage = Stage::user("pro");
    let held = stage.done("user:a", reserve("articles", 10, 60));
    stage.later(TimeDelta::seconds(60));
    stage.done("user:a", consume("articles", 97));
    let late = stage.done("user:a", commit(held.id, 8));
    let Answer::Settled {
        state, late: true, ..
    } = late.answer
    else {
        unreachable!("expected a late settlement, got {:?}", late.answer)
    };
    assert_eq!(state, ReservationState::Expired);
    assert_eq!(
        stage.standing("user:a", Scope::User, "articles"),
        (100, 0, 5)
    );
    assert_eq!(
        stage.done("user:a", commit(held.id, 8)).id,
        late.id,
        "R5: once"
    );
    assert_eq!(stage.lifetime("user:a", "articles"), 105);
    // X8: what was used is told to who releases it after all.
    let release = Command::Release(Release {
        reservation: held.id,
    });
    let released = stage.run("user:a", release);
    let Err(Rejection::ReservationEnded { ending }) = released else {
        unreachable!("expected a refusal, got {released:?}")
    };
    assert_eq!(
        (ending.state, ending.used),
        (ReservationState::Expired, Some(8))
    );
}

/// R4: a hold of which its balance says less is ended with what is there: the home lives on, the auditor says so.
#[test]
fn a_hold_that_cannot_be_given_back_in_full_ends_all_the_same() {
    let mut stage = Stage::user("pro");
    stage.done("user:a", reserve("articles", 10, 60));
    let account = stage.home.account_mut(&crate::stage::id("user:a"));
    account.expect("it lives here").books.balances[0].held = 4;
    stage.later(TimeDelta::seconds(60));
    stage.done("user:a", consume("articles", 100));
    let standing = stage.standing("user:a", Scope::User, "articles");
    assert_eq!(standing, (100, 0, 0));
    let found = quota_core::audit::audit(&stage.records());
    assert!(found.iter().any(|finding| finding.invariant == "I10"));
}

/// R2, R5, U2 and O1: what was used of a feature that has left the catalog meanwhile is booked, as overage or counted.
#[test]
fn what_is_settled_after_the_feature_is_gone_is_booked() {
    for is_unlimited in [false, true] {
        let mut stage = busy_org();
        stage.done("user:a", subscribe("pro"));
        let spec = AccountSpec {
            unlimited: Some(is_unlimited),
            ..AccountSpec::default()
        };
        let request = stage.request("user:a", put_account(spec));
        stage.ask(&request).expect("it is changed");
        let before = (
            stage.lifetime("user:a", "articles"),
            stage.lifetime("org:o", "articles"),
        );
        let more = stage.done("user:a", reserve("articles", 5, 60));
        let late = stage.done("user:a", reserve("articles", 3, 1));
        stage.catalog.features.remove(&code("articles"));
        stage.done("user:a", commit(more.id, 9));
        stage.later(TimeDelta::seconds(5));
        let settled = stage.done("user:a", commit(late.id, 2));
        let sum = |scope| -> i64 {
            let of_scope = settled.entries.iter().filter(|entry| entry.scope == scope);
            of_scope.map(|entry| entry.used + entry.overage).sum()
        };
        assert_eq!((sum(Scope::User), sum(Scope::Org)), (2, 2));
        stage.catalog = catalog();
        let after = (
            stage.lifetime("user:a", "articles"),
            stage.lifetime("org:o", "articles"),
        );
        assert_eq!(after, (before.0 + 11, before.1 + 11));
        assert_eq!(audit(&stage.records()), []);
    }
}

/// X8 and R5: whoever comes too late hears when the hold expired and what was committed late.
#[test]
fn an_expired_hold_says_when_it_ended_and_what_was_committed_late() {
    let mut stage = Stage::user("pro");
    stage.done("user:a", grant("pack", 20));
    let held = stage.done("user:a", reserve("renders", 6, 60));
    stage.later(TimeDelta::seconds(60));
    let longer = Command::Extend(Extend {
        reservation: held.id,
        ttl_seconds: 60,
    });
    let mut ending = Ending {
        state: ReservationState::Expired,
        at: Some(stage.now),
        used: None,
    };
    let expired = Err(Rejection::ReservationEnded { ending });
    assert_eq!(stage.run("user:a", longer), expired);
    stage.done("user:a", commit(held.id, 7));
    // Five of the plan and two that credits paid for, at 2 each.
    ending.used = Some(7);
    let settled = Err(Rejection::ReservationEnded { ending });
    assert_eq!(stage.run("user:a", commit(held.id, 6)), settled);
}
