//! Homes are written whole where they still are as they were loaded.

use std::sync::Arc;

use quota_core::operation::Operation;
use quota_core::ports::StoreError;

use super::{Store, all, get, put, try_put, waiting};
use crate::fixtures::{
    account, account_write, balance, batch, catalog, event, first_write, grant, instant, key,
    key_of, next_write, operation, org, reservation, shared, user,
};

/// A new home is found as it was written.
pub async fn a_new_home_is_found_as_it_was_written(store: Store) {
    let alice = user("alice");
    let mut write = first_write(&alice);
    write.hold_before = Some(instant(60));
    put(&store, vec![write]).await;
    let home = get(&store, &alice).await;
    assert_eq!((home.id, home.version), (alice.clone(), 1));
    assert_eq!(home.hold_before, Some(instant(60)));
    assert_eq!(home.accounts, [(alice, account(1).into())].into());
    assert!(home.reservations.is_empty(), "nothing is held");
    assert!(home.referred.is_empty(), "nothing was asked for");
}

/// An absent home has version 0 and no accounts.
pub async fn an_absent_home_has_version_zero_and_no_accounts(store: Store) {
    put(&store, vec![first_write(&user("alice"))]).await;
    let home = get(&store, &user("bob")).await;
    assert_eq!(home, quota_core::home::Home::empty(user("bob")));
}

/// A stale version is refused and changes nothing.
pub async fn a_stale_version_is_refused_and_changes_nothing(store: Store) {
    let alice = user("alice");
    put(&store, vec![first_write(&alice)]).await;
    put(&store, vec![next_write(&alice, 1)]).await;
    let before = all(&store, &alice).await;
    for version in [1, 3] {
        let mut stale = next_write(&alice, version);
        stale.events = vec![event(&alice, &alice, version + 1)];
        stale.reservations = vec![reservation(&alice, instant(60))];
        let passed = try_put(&store, vec![stale]).await.expect("writes");
        assert_eq!(passed, [], "version {version} is not the stored one");
    }
    assert_eq!(all(&store, &alice).await, before);
    assert_eq!(waiting(&store).await, []);
}

/// A home that exists is not created again.
pub async fn a_home_that_exists_is_not_created_again(store: Store) {
    let alice = user("alice");
    put(&store, vec![first_write(&alice)]).await;
    let passed = try_put(&store, vec![first_write(&alice)]).await;
    assert_eq!(passed.expect("writes"), []);
    assert_eq!(get(&store, &alice).await.version, 1);
}

/// A home is written whole or not at all: one account that the store refuses undoes all of it.
pub async fn a_home_is_written_whole_or_not_at_all(store: Store) {
    let acme = org("acme");
    put(&store, vec![first_write(&acme)]).await;
    let before = all(&store, &acme).await;
    let mut write = next_write(&acme, 1);
    let mut overdrawn = account(0);
    overdrawn.books.balances = vec![balance(grant("pack"), 5, 6)];
    write
        .accounts
        .push(account_write(&user("alice"), overdrawn));
    write.events = vec![event(&acme, &acme, 2)];
    write.reservations = vec![reservation(&user("alice"), instant(60))];
    let refused = try_put(&store, vec![write]).await;
    assert!(
        matches!(refused, Err(StoreError::Refused { .. })),
        "{refused:?}"
    );
    assert_eq!(all(&store, &acme).await, before);
    assert_eq!(waiting(&store).await, []);
}

/// A grant that is used and held beyond what was granted is refused, at creation and later.
pub async fn an_overdrawn_grant_is_refused(store: Store) {
    let alice = user("alice");
    put(&store, vec![first_write(&alice)]).await;
    let mut whole = balance(grant("pack"), 10, 4);
    whole.held = 6;
    let mut overdrawn = whole.clone();
    overdrawn.held = 7;
    let with = |version, balance| {
        let mut write = next_write(&alice, version);
        Arc::make_mut(&mut write.accounts[0].account).books.balances = vec![balance];
        write
    };
    let refused = try_put(&store, vec![with(1, overdrawn)]).await;
    assert!(
        matches!(refused, Err(StoreError::Refused { .. })),
        "{refused:?}"
    );
    put(&store, vec![with(1, whole)]).await;
}

/// Other homes of the batch still pass when one does not.
pub async fn other_homes_of_the_batch_still_pass(store: Store) {
    let (alice, bob, carol) = (user("alice"), user("bob"), user("carol"));
    put(&store, vec![first_write(&alice), first_write(&bob)]).await;
    let writes = vec![
        next_write(&alice, 1),
        next_write(&bob, 7),
        first_write(&carol),
    ];
    let mut passed = try_put(&store, writes).await.expect("writes");
    passed.sort();
    assert_eq!(passed, [alice.clone(), carol.clone()]);
    assert_eq!(get(&store, &alice).await.version, 2);
    assert_eq!(get(&store, &bob).await.version, 1);
    assert_eq!(get(&store, &carol).await.version, 1);
}

/// A batch may hold hundreds of homes, each with its own accounts and operations.
pub async fn hundreds_of_homes_pass_in_one_batch(store: Store) {
    let homes: Vec<_> = (0..300).map(|n| user(&format!("u{n}"))).collect();
    put(&store, homes.iter().map(first_write).collect()).await;
    put(
        &store,
        homes.iter().map(|home| next_write(home, 1)).collect(),
    )
    .await;
    for home in [&homes[0], &homes[127], &homes[128], &homes[299]] {
        let stored = all(&store, home).await.expect("exists");
        assert_eq!(stored.version, 2);
        assert_eq!(stored.operations.len(), 2);
        assert_eq!(stored.accounts, [(home.clone(), account(2))]);
    }
}

/// A member's operation moves the home on though the home's own account does not change.
pub async fn a_members_operation_moves_the_home_on(store: Store) {
    let (acme, alice) = (org("acme"), user("alice"));
    put(&store, vec![first_write(&acme)]).await;
    let mut write = next_write(&acme, 1);
    write.accounts = vec![account_write(&alice, account(5))];
    write.operations = vec![operation(&alice, 2).into()];
    write.hold_before = Some(instant(9));
    put(&store, vec![write]).await;
    let stored = all(&store, &acme).await.expect("exists");
    assert_eq!((stored.version, stored.hold_before), (2, Some(instant(9))));
    let accounts = [(acme, account(1)), (alice, account(5))];
    assert_eq!(stored.accounts, accounts);
}

/// Several operations in one write keep their order.
pub async fn a_write_may_hold_several_operations(store: Store) {
    let alice = user("alice");
    let mut write = first_write(&alice);
    let written: Vec<Operation> = (1..=40).map(|n| operation(&alice, n)).collect();
    write.operations = shared(&written);
    write.new_version = 40;
    put(&store, vec![write]).await;
    let stored = all(&store, &alice).await.expect("exists");
    assert_eq!(stored.version, 40);
    assert_eq!(stored.operations, written);
}

/// A key that was not looked for at load and is known stops its home, and only its home.
pub async fn an_unseen_key_that_exists_stops_its_home(store: Store) {
    let (alice, bob) = (user("alice"), user("bob"));
    let mut first = first_write(&alice);
    Arc::make_mut(&mut first.operations[0]).key = Some(key("k-1"));
    put(&store, vec![first, first_write(&bob)]).await;
    let mut again = next_write(&alice, 1);
    again.unseen_keys = vec![key_of(&alice, "k-0"), key_of(&alice, "k-1")];
    let mut other = next_write(&bob, 1);
    other.unseen_keys = vec![key_of(&bob, "k-1")];
    let passed = try_put(&store, vec![again, other]).await.expect("writes");
    assert_eq!(passed, [bob]);
    assert_eq!(get(&store, &alice).await.version, 1);
    let mut fresh = next_write(&alice, 1);
    fresh.unseen_keys = vec![key_of(&alice, "k-2"), key_of(&user("bob"), "k-1")];
    put(&store, vec![fresh]).await;
}

/// A batch that was decided with another catalog writes nothing.
pub async fn a_stale_catalog_stops_every_home(store: Store) {
    let (alice, bob) = (user("alice"), user("bob"));
    let put_catalog = store.put_catalog(&catalog(1), None, instant(0)).await;
    assert!(put_catalog.expect("writes"));
    let mut write = batch(vec![first_write(&alice), first_write(&bob)]);
    for version in [0, 2] {
        write.catalog_version = version;
        assert_eq!(store.write(&write).await.expect("writes"), []);
    }
    write.catalog_version = 1;
    assert_eq!(store.write(&write).await.expect("writes"), [alice, bob]);
}

/// A history with a gap is refused: the version is the number of the last operation.
pub async fn a_gap_in_the_history_is_refused(store: Store) {
    let alice = user("alice");
    let mut write = first_write(&alice);
    Arc::make_mut(&mut write.operations[0]).sequence = 2;
    write.new_version = 2;
    let refused = try_put(&store, vec![write]).await;
    assert!(
        matches!(refused, Err(StoreError::Refused { .. })),
        "{refused:?}"
    );
    assert_eq!(get(&store, &alice).await.version, 0);
}

/// An id that names another place than the operation has is refused: the operation would not be found by it.
pub async fn an_id_that_names_another_place_is_refused(store: Store) {
    let alice = user("alice");
    let mut write = first_write(&alice);
    Arc::make_mut(&mut write.operations[0]).id = operation(&alice, 2).id;
    let refused = try_put(&store, vec![write]).await;
    assert!(
        matches!(refused, Err(StoreError::Refused { .. })),
        "{refused:?}"
    );
    assert_eq!(get(&store, &alice).await.version, 0);
}
