//! Holds, and what ended them.

use quota_core::home::Home;
use quota_core::ids::AccountId;
use quota_core::operation::{Operation, OperationKind};
use quota_core::ports::LoadQuery;
use quota_core::reservation::{Reservation, ReservationState};
use uuid::Uuid;

use super::{Store, get_with, put};
use crate::fixtures::{
    account, account_write, first_write, home_query, instant, load_query, next_write, operation,
    org, reservation, user,
};

async fn get_at(store: &Store, query: LoadQuery, seconds: i64) -> Home {
    let query = LoadQuery {
        now: instant(seconds),
        ..query
    };
    let loaded = store.load(&query).await.expect("loads");
    loaded.homes.into_iter().next().expect("one home")
}

/// A home with holds until 10, 20 and 30 seconds.
async fn home_with_holds(store: &Store, home: &AccountId) -> Vec<Reservation> {
    let ends = [20, 10, 30];
    let holds: Vec<_> = ends.map(|end| reservation(home, instant(end))).into();
    let mut write = first_write(home);
    write.reservations.clone_from(&holds);
    write.hold_before = Some(instant(10));
    put(store, vec![write]).await;
    holds
}

/// Holds past their deadline come with their home unasked, and `hold_before` is what it will be without them.
pub async fn expired_holds_come_and_hold_before_moves_on(store: Store) {
    let alice = user("alice");
    let holds = home_with_holds(&store, &alice).await;
    let query = || load_query(vec![home_query(&alice)]);
    let home = get_at(&store, query(), 9).await;
    assert!(home.reservations.is_empty(), "none is due");
    assert_eq!(home.hold_before, Some(instant(10)));
    let home = get_at(&store, query(), 20).await;
    let due: Vec<Uuid> = home.reservations.keys().copied().collect();
    let mut expected = vec![holds[0].id, holds[1].id];
    expected.sort();
    assert_eq!(due, expected, "a deadline is the first instant after");
    assert_eq!(home.hold_before, Some(instant(30)));
    let home = get_at(&store, query(), 31).await;
    assert_eq!(home.reservations.len(), 3);
    assert_eq!(home.hold_before, None);
}

/// Holds that ended do not come unasked, however old, and do not keep `hold_before` back.
pub async fn ended_holds_do_not_come_unasked(store: Store) {
    let alice = user("alice");
    let mut holds = home_with_holds(&store, &alice).await;
    for hold in &mut holds[..2] {
        hold.state = ReservationState::Released;
    }
    let mut write = next_write(&alice, 1);
    write.reservations = holds[..2].to_vec();
    write.hold_before = Some(instant(10));
    put(&store, vec![write]).await;
    let home = get_at(&store, load_query(vec![home_query(&alice)]), 25).await;
    assert!(home.reservations.is_empty(), "the open one is not due");
    assert_eq!(home.hold_before, Some(instant(30)));
}

/// With a hold past its deadline comes the account it is of, so that it can be released.
pub async fn the_accounts_of_expired_holds_come_too(store: Store) {
    let (acme, alice, bob) = (org("acme"), user("alice"), user("bob"));
    let mut write = first_write(&acme);
    write.accounts.push(account_write(&alice, account(4)));
    write.accounts.push(account_write(&bob, account(5)));
    write.reservations = vec![
        reservation(&alice, instant(10)),
        reservation(&bob, instant(20)),
    ];
    write.hold_before = Some(instant(10));
    put(&store, vec![write]).await;
    let home = get_at(&store, load_query(vec![home_query(&acme)]), 10).await;
    let expected = [(acme, account(1).into()), (alice, account(4).into())];
    assert_eq!(home.accounts, expected.into());
}

fn ending(home: &AccountId, sequence: u64, hold: Uuid, kind: OperationKind) -> Operation {
    let mut operation = operation(home, sequence);
    operation.kind = kind;
    operation.refers_to = Some(hold);
    operation
}

/// A hold that has ended comes with the operation that ended it, and with its late commit.
pub async fn an_ended_hold_comes_with_what_ended_it(store: Store) {
    let alice = user("alice");
    let mut holds = home_with_holds(&store, &alice).await;
    let expiry = ending(&alice, 2, holds[0].id, OperationKind::Expire);
    let commit = ending(&alice, 3, holds[0].id, OperationKind::Commit);
    let mut refund = ending(&alice, 4, commit.id, OperationKind::Refund);
    refund.refers_to = Some(commit.id);
    holds[0].state = ReservationState::Expired;
    holds[0].ended_by = Some(expiry.id);
    holds[0].late_commit = Some(commit.id);
    let mut write = next_write(&alice, 1);
    write.operations = [&expiry, &commit, &refund]
        .map(|new| new.clone().into())
        .to_vec();
    write.new_version = 4;
    write.reservations = vec![holds[0].clone()];
    put(&store, vec![write]).await;
    let mut query = home_query(&alice);
    query.reservations = vec![holds[0].id, holds[2].id];
    let home = get_with(&store, query).await;
    assert_eq!(home.reservations[&holds[0].id], holds[0]);
    assert_eq!(home.reservations[&holds[2].id], holds[2]);
    assert_eq!(home.referred.len(), 2, "expiry and late commit");
    assert_eq!(home.referred[&expiry.id].operation, expiry);
    assert_eq!(home.referred[&commit.id].operation, commit);
    assert_eq!(home.referred[&commit.id].refunds, [refund]);
}

/// A deadline that moved counts, the former one does not.
pub async fn a_hold_that_was_extended_is_due_later(store: Store) {
    let alice = user("alice");
    let mut hold = home_with_holds(&store, &alice).await.remove(1);
    hold.expires_at = instant(40);
    let mut write = next_write(&alice, 1);
    write.reservations = vec![hold];
    write.hold_before = Some(instant(20));
    put(&store, vec![write]).await;
    let due = |now| store.homes_with_due_holds(instant(now), 10);
    assert_eq!(due(19).await.expect("reads"), []);
    assert_eq!(due(20).await.expect("reads"), std::slice::from_ref(&alice));
    let home = get_at(&store, load_query(vec![home_query(&alice)]), 30).await;
    assert_eq!(home.reservations.len(), 2);
    assert_eq!(home.hold_before, Some(instant(40)));
}

/// The sweeper finds homes with a hold past its deadline, at most as many as it asks for.
pub async fn homes_with_due_holds_are_found(store: Store) {
    let homes = ["alice", "bob", "carol"].map(user);
    for home in &homes {
        home_with_holds(&store, home).await;
    }
    let due = |now, limit| store.homes_with_due_holds(instant(now), limit);
    assert_eq!(due(9, 10).await.expect("reads"), []);
    let mut found = due(30, 10).await.expect("reads");
    found.sort();
    assert_eq!(found, homes, "each once, though three are due");
    assert_eq!(due(30, 2).await.expect("reads").len(), 2);
}
