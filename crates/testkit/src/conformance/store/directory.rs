//! Who lives where, and moving.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::loads::window;
use super::{Store, all, get, get_with, put, try_put, waiting};
use crate::fixtures::{
    account, account_write, balance, event, first_write, home_query, instant, key, key_of,
    load_query, next_write, operation, org, user,
};
use quota_core::event::Event;
use quota_core::home::{Account, ClosedBalance};
use quota_core::ids::AccountId;
use quota_core::operation::{Operation, OperationKind};
use quota_core::relocation::Relocation;

/// An account lives where it was claimed first; later claims are told where.
pub async fn the_first_claim_counts(store: Store) {
    let (alice, acme, other) = (user("alice"), org("acme"), org("other"));
    assert_eq!(store.home_of(&alice).await.expect("reads"), None);
    let claim = |home| store.claim(&alice, home);
    assert_eq!(claim(&acme).await.expect("writes"), acme);
    assert_eq!(claim(&other).await.expect("writes"), acme);
    assert_eq!(claim(&alice).await.expect("writes"), acme);
    assert_eq!(store.home_of(&alice).await.expect("reads"), Some(acme));
}

/// A user that is a home cannot be claimed for an org.
pub async fn a_user_that_is_a_home_stays_one(store: Store) {
    let alice = user("alice");
    put(&store, vec![first_write(&alice)]).await;
    let lives = store.claim(&alice, &org("acme")).await.expect("writes");
    assert_eq!(lives, alice);
    assert_eq!(store.home_of(&alice).await.expect("reads"), None);
}

/// A user that was claimed for an org is not made a home by someone who has not heard of it.
pub async fn a_home_is_not_created_for_an_account_that_lives_elsewhere(store: Store) {
    let (alice, bob) = (user("alice"), user("bob"));
    store.claim(&alice, &org("acme")).await.expect("writes");
    let passed = try_put(&store, vec![first_write(&alice), first_write(&bob)]).await;
    assert_eq!(passed.expect("writes"), [bob]);
    assert_eq!(get(&store, &alice).await.version, 0);
}

/// A move of `alice` from one home at a version to another.
pub(super) fn relocation(from: (AccountId, u64), to: (AccountId, u64), used: u64) -> Relocation {
    let alice = user("alice");
    let mut account: Account = account(used);
    account.terms.org = (to.0 != alice).then(|| org_id(&to.0));
    Relocation {
        user: alice.clone(),
        account,
        due_at: Some(instant(50)),
        left_org: None,
        closed: Vec::new(),
        joined_org: None,
        left: operation(&alice, from.1 + 1),
        joined: operation(&alice, to.1 + 1),
        event: moved_event(&to.0, &alice, to.1 + 1),
        org_events: Vec::new(),
        from,
        to,
    }
}

/// An event with a number that no other has.
fn moved_event(home: &AccountId, account: &AccountId, sequence: u64) -> Event {
    static LAST: AtomicU64 = AtomicU64::new(1_000);
    let mut moved = event(home, account, sequence);
    moved.number = LAST.fetch_add(1, Ordering::Relaxed);
    moved
}

fn org_id(home: &AccountId) -> quota_core::ids::OrgId {
    quota_core::ids::OrgId::new(home.id()).expect("an org's id")
}

/// A user joins an org: its home ceases, its row, entry and operations are where it lives now.
pub async fn a_user_joins_an_org(store: Store) {
    let (alice, acme) = (user("alice"), org("acme"));
    put(&store, vec![first_write(&alice), first_write(&acme)]).await;
    let mut moved = relocation((alice.clone(), 1), (acme.clone(), 1), 9);
    moved.joined_org = Some(account(2));
    moved.org_events = vec![moved_event(&acme, &acme, 2)];
    assert!(store.relocate(&moved).await.expect("writes"));
    assert_eq!(get(&store, &alice).await.version, 0);
    assert_eq!(all(&store, &alice).await, None, "the home has ceased");
    let home = store.home_of(&alice).await.expect("reads");
    assert_eq!(home, Some(acme.clone()));
    let stored = all(&store, &acme).await.expect("exists");
    assert_eq!(stored.version, 2);
    let accounts = [(acme.clone(), account(2)), (alice.clone(), moved.account)];
    assert_eq!(stored.accounts, accounts);
    assert_eq!(stored.operations[1], moved.joined);
    let mut events = waiting(&store).await;
    events.sort_by_key(|event| event.number);
    assert_eq!(events, [&[moved.event], &*moved.org_events].concat());
    put(&store, vec![next_write(&acme, 2)]).await;
}

/// A user that moves takes its keys' history not along: the home that it left still knows them.
pub async fn the_home_that_was_left_still_knows_its_keys(store: Store) {
    let (alice, acme) = (user("alice"), org("acme"));
    let mut write = first_write(&alice);
    Arc::make_mut(&mut write.operations[0]).key = Some(key("k"));
    let carried = Operation::clone(&write.operations[0]);
    put(&store, vec![write, first_write(&acme)]).await;
    let moved = relocation((alice.clone(), 1), (acme.clone(), 1), 9);
    assert!(store.relocate(&moved).await.expect("writes"));
    let mut query = load_query(vec![home_query(&alice)]);
    query.homes[0].keys = vec![key_of(&alice, "k")];
    query.homes[0].operations = vec![carried.id];
    let loaded = store.load(&query).await.expect("loads");
    assert_eq!(loaded.earlier, std::slice::from_ref(&carried));
    assert_eq!(loaded.homes[0].version, 0);
    assert_eq!(loaded.homes[0].referred[&carried.id].operation, carried);
}

/// A user leaves its org and is a home again; what the org holds stays held.
pub async fn a_user_leaves_its_org(store: Store) {
    let (alice, acme) = (user("alice"), org("acme"));
    let mut write = first_write(&acme);
    write.accounts.push(account_write(&alice, account(3)));
    write.hold_before = Some(instant(30));
    let closed = |start, used| ClosedBalance {
        account: acme.clone(),
        balance: balance(window(start), 10, used),
    };
    write.closed = vec![closed(-5, 6), closed(-9, 1)];
    put(&store, vec![write]).await;
    store.claim(&alice, &acme).await.expect("writes");
    let mut moved = relocation((acme.clone(), 1), (alice.clone(), 0), 4);
    moved.left_org = Some(account(7));
    moved.closed = vec![closed(-5, 2)];
    assert!(store.relocate(&moved).await.expect("writes"));
    let stored = get(&store, &acme).await;
    assert_eq!(*stored.accounts[&acme], account(7), "the org gets back");
    assert_eq!(store.home_of(&alice).await.expect("reads"), None);
    let left = all(&store, &acme).await.expect("exists");
    assert_eq!((left.version, left.accounts.len()), (2, 1));
    let mut of_org = left.closed;
    of_org.sort_by_key(|closed| closed.balance.used);
    assert_eq!(of_org, [closed(-9, 1), closed(-5, 2)], "of what was closed");
    assert_eq!(left.hold_before, Some(instant(30)));
    assert_eq!(left.operations[1], moved.left);
    let joined = all(&store, &alice).await.expect("exists");
    assert_eq!(joined.version, 1);
    assert_eq!(joined.accounts, [(alice.clone(), moved.account)]);
    assert_eq!(joined.operations, [moved.joined]);
    put(&store, vec![next_write(&alice, 1), next_write(&acme, 2)]).await;
}

/// A user that joined and left is a home that begins at 1 again; its earlier life's keys are still known.
pub async fn a_user_may_join_and_leave_again(store: Store) {
    let (alice, acme) = (user("alice"), org("acme"));
    let mut write = first_write(&alice);
    Arc::make_mut(&mut write.operations[0]).key = Some(key("k"));
    put(&store, vec![write, first_write(&acme)]).await;
    let mut version = (1, 1);
    for _ in 0..2 {
        let joins = relocation((alice.clone(), version.0), (acme.clone(), version.1), 2);
        assert!(store.relocate(&joins).await.expect("writes"));
        let leaves = relocation((acme.clone(), version.1 + 1), (alice.clone(), 0), 2);
        assert!(store.relocate(&leaves).await.expect("writes"));
        version = (1, version.1 + 2);
        let home = all(&store, &alice).await.expect("exists");
        assert_eq!((home.version, home.operations), (1, vec![leaves.joined]));
    }
    let mut write = next_write(&alice, 1);
    write.unseen_keys = vec![key_of(&alice, "k")];
    assert_eq!(try_put(&store, vec![write]).await.expect("writes"), []);
    put(&store, vec![next_write(&alice, 1)]).await;
}

/// X3, X8: an operation of a home is found whichever of its lives it is of, with its refunds of all lives, while the home lives
/// and when it has ceased; also where two lives have the same numbers.
pub async fn operations_of_earlier_lives_are_found(store: Store) {
    let (alice, acme) = (user("alice"), org("acme"));
    let write = first_write(&alice);
    let mut booked = vec![Operation::clone(&write.operations[0])];
    put(&store, vec![write, first_write(&acme)]).await;
    let (mut version, mut refunds) = (1, Vec::new());
    for round in 0..3 {
        let joins = relocation((alice.clone(), version), (acme.clone(), 1 + 2 * round), 2);
        assert!(store.relocate(&joins).await.expect("writes"));
        booked.push(joins.left);
        are_found(&store, &alice, (&booked, &refunds)).await;
        let leaves = relocation((acme.clone(), 2 + 2 * round), (alice.clone(), 0), 2);
        assert!(store.relocate(&leaves).await.expect("writes"));
        booked.push(leaves.joined);
        let mut write = next_write(&alice, 1);
        Arc::make_mut(&mut write.operations[0]).kind = OperationKind::Refund;
        Arc::make_mut(&mut write.operations[0]).refers_to = Some(booked[0].id);
        let refund = Operation::clone(&write.operations[0]);
        booked.push(refund.clone());
        refunds.push(refund);
        put(&store, vec![write]).await;
        are_found(&store, &alice, (&booked, &refunds)).await;
        version = 2;
    }
}

/// Has the store find what was booked in a home, and the refunds of the first of it.
async fn are_found(
    store: &Store,
    home: &AccountId,
    (booked, refunds): (&[Operation], &[Operation]),
) {
    let mut query = home_query(home);
    query.operations = booked.iter().map(|operation| operation.id).collect();
    let mut found = get_with(store, query).await.referred;
    let mut of_first = found[&booked[0].id].refunds.clone();
    of_first.sort_unstable_by_key(|refund| refund.id);
    assert_eq!(of_first, refunds);
    let found = booked.iter().filter_map(|wanted| found.remove(&wanted.id));
    let found: Vec<Operation> = found.map(|found| found.operation).collect();
    assert_eq!(found, booked);
}

/// A move with a stale version of either home changes nothing.
pub async fn a_stale_move_changes_nothing(store: Store) {
    let (alice, acme) = (user("alice"), org("acme"));
    put(&store, vec![first_write(&alice), first_write(&acme)]).await;
    put(&store, vec![next_write(&alice, 1), next_write(&acme, 1)]).await;
    let before = (all(&store, &alice).await, all(&store, &acme).await);
    for (from, to) in [(1, 2), (2, 1), (3, 2), (2, 3)] {
        let stale = relocation((alice.clone(), from), (acme.clone(), to), 9);
        assert!(!store.relocate(&stale).await.expect("writes"));
    }
    let after = (all(&store, &alice).await, all(&store, &acme).await);
    assert_eq!(after, before);
    assert_eq!(store.home_of(&alice).await.expect("reads"), None);
    assert_eq!(waiting(&store).await, []);
}
