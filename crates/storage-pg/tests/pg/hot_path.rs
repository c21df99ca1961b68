//! Load and write.

use std::slice::from_ref;

use chrono::TimeDelta;
use quota_core::home::ClosedBalance;
use quota_core::ids::AccountId;
use quota_core::operation::OperationKind;
use quota_core::ports::{AccountWrite, HomeWrite, KeyQuery, Store};
use quota_core::reservation::ReservationState;

use crate::fixture::{
    account, ask, at, balance, batch, change, event, fresh, id, key_query, load, operation, query,
    reservation, sql, write,
};

#[tokio::test]
async fn a_home_that_is_not_there_has_version_0_and_no_accounts() {
    let (store, _) = fresh("absent").await;
    let loaded = load(&store, vec![ask(&id("user:b")), ask(&id("user:a"))]).await;
    assert_eq!(loaded.catalog_version, 0);
    let homes: Vec<_> = loaded
        .homes
        .iter()
        .map(|home| (home.id.as_str(), home.version, home.accounts.len()))
        .collect();
    assert_eq!(homes, [("user:b", 0, 0), ("user:a", 0, 0)]);
}

#[tokio::test]
async fn what_was_written_is_loaded_whole() {
    let (store, _) = fresh("round").await;
    let (org, alice) = (id("org:acme"), id("user:alice"));
    let mut home = change(&org, 0, 3);
    home.hold_before = Some(at(90));
    home.accounts.push(AccountWrite {
        has_new_terms: true,
        id: alice.clone(),
        account: account(5),
        due_at: Some(at(50)),
    });
    let mut second = operation(&alice, 2);
    second.key = Some(key_query(&alice, "k").key);
    second.origin.actor = Some("an operator\u{0} with a bad pen".to_owned());
    home.operations.push(second.clone());
    home.new_version = 2;
    assert_eq!(write(&store, vec![home]).await, from_ref(&org));

    let mut asked = ask(&org);
    asked.accounts = vec![alice.clone(), id("user:nobody")];
    asked.keys = vec![key_query(&alice, "k"), key_query(&org, "k")];
    let loaded = load(&store, vec![asked]).await;
    let home = &loaded.homes[0];
    assert_eq!((home.version, home.hold_before), (2, Some(at(90))));
    assert_eq!(home.accounts.len(), 2);
    assert_eq!(home.accounts[&org], account(3));
    assert_eq!(home.accounts[&alice], account(5));
    assert_eq!(loaded.earlier, [second]);

    // A change of the member alone moves the guard and leaves the org as it is.
    let mut next = change(&org, 2, 0);
    next.accounts = vec![AccountWrite {
        has_new_terms: true,
        id: alice.clone(),
        account: account(6),
        due_at: None,
    }];
    assert_eq!(write(&store, vec![next]).await, from_ref(&org));
    let mut asked = ask(&org);
    asked.accounts = vec![alice.clone()];
    let loaded = load(&store, vec![asked]).await;
    assert_eq!(loaded.homes[0].version, 3);
    assert_eq!(loaded.homes[0].accounts[&org], account(3));
    assert_eq!(loaded.homes[0].accounts[&alice], account(6));
}

#[tokio::test]
async fn a_stale_home_is_not_written_and_the_others_of_its_batch_are() {
    let (store, url) = fresh("stale").await;
    let (a, b) = (id("user:a"), id("user:b"));
    assert_eq!(
        write(&store, vec![change(&b, 0, 1), change(&a, 0, 1)]).await,
        [b.clone(), a.clone()]
    );
    let mut stale = change(&b, 7, 9);
    stale.reservations.push(reservation(&b, at(99)));
    stale.events.push(event(&b, 8, "stale"));
    stale.closed.push(ClosedBalance {
        account: b.clone(),
        balance: balance(1),
    });
    stale.accounts.push(AccountWrite {
        has_new_terms: true,
        id: id("user:member"),
        account: account(1),
        due_at: None,
    });
    assert_eq!(
        write(&store, vec![stale, change(&a, 1, 2)]).await,
        from_ref(&a)
    );
    let loaded = load(&store, vec![ask(&a), ask(&b)]).await;
    assert_eq!((loaded.homes[0].version, loaded.homes[1].version), (2, 1));
    assert_eq!(loaded.homes[1].accounts[&b], account(1));
    let rows = "select (select count(*) from operations), (select count(*) from accounts),
        (select count(*) from reservations), (select count(*) from outbox),
        (select count(*) from closed_balances)";
    assert_eq!(sql(&url, rows).await.expect("counts"), "3|2|0|0|0");
}

#[tokio::test]
async fn a_home_is_made_once() {
    let (store, _) = fresh("made").await;
    let a = id("user:a");
    assert_eq!(write(&store, vec![change(&a, 0, 1)]).await, from_ref(&a));
    assert!(write(&store, vec![change(&a, 0, 2)]).await.is_empty());
    assert_eq!(
        load(&store, vec![ask(&a)]).await.homes[0].accounts[&a],
        account(1)
    );
}

#[tokio::test]
async fn a_key_that_was_not_looked_for_keeps_its_home_out() {
    let (store, _) = fresh("unseen").await;
    let (a, b) = (id("user:a"), id("user:b"));
    let mut first = change(&a, 0, 1);
    first.operations[0].key = Some(key_query(&a, "k").key);
    write(&store, vec![first, change(&b, 0, 1)]).await;

    // The same key of another account is another key.
    let (k, other) = (key_query(&a, "k"), key_query(&a, "other"));
    let wrote = write(
        &store,
        vec![
            change_with(&a, &[other.clone(), k]),
            change_with(&b, &[key_query(&b, "k")]),
        ],
    )
    .await;
    assert_eq!(wrote, [b]);
    // A key from a month before that of `keys_since` does not count.
    let mut late = batch(vec![change_with(&a, &[key_query(&a, "k")])]);
    late.keys_since = at(0) + TimeDelta::days(31);
    assert_eq!(store.write(&late).await.expect("writes"), [a]);
}

#[tokio::test]
async fn holds_past_their_deadline_come_with_their_home() {
    let (store, _) = fresh("holds").await;
    let a = id("user:a");
    let (due, open) = (reservation(&a, at(10)), reservation(&a, at(11)));
    let mut ended = reservation(&a, at(5));
    ended.state = ReservationState::Released;
    let mut home = change(&a, 0, 1);
    home.hold_before = Some(at(9));
    home.reservations = vec![due.clone(), open.clone(), ended];
    write(&store, vec![home]).await;

    let loaded = load(&store, vec![ask(&a)]).await;
    let found: Vec<_> = loaded.homes[0].reservations.values().collect();
    assert_eq!(found, [&due]);
    assert_eq!(loaded.homes[0].hold_before, Some(open.expires_at));

    let mut early = query(vec![ask(&a)]);
    early.now = at(9) - TimeDelta::microseconds(1);
    let loaded = store.load(&early).await.expect("loads");
    assert_eq!(loaded.homes[0].hold_before, Some(at(9)));
    assert!(loaded.homes[0].reservations.is_empty());

    let mut late = query(vec![ask(&a)]);
    late.now = at(11);
    let loaded = store.load(&late).await.expect("loads");
    assert_eq!(loaded.homes[0].hold_before, None);
    assert_eq!(loaded.homes[0].reservations.len(), 2);
}

#[tokio::test]
async fn a_referred_operation_comes_with_its_refunds_and_its_closed_balances() {
    let (store, _) = fresh("referred").await;
    let a = id("user:a");
    let mut home = change(&a, 0, 1);
    let consumed = home.operations[0].clone();
    let mut refunds = [operation(&a, 2), operation(&a, 3)];
    for refund in &mut refunds {
        refund.kind = OperationKind::Refund;
        refund.refers_to = Some(consumed.id);
    }
    let commit = operation(&a, 4);
    let mut late = operation(&a, 5);
    late.refers_to = Some(consumed.id);
    let mut held = reservation(&a, at(11));
    held.state = ReservationState::Expired;
    (held.ended_by, held.late_commit) = (Some(commit.id), Some(late.id));
    let closed = ClosedBalance {
        account: a.clone(),
        balance: balance(1),
    };
    home.new_version = 5;
    home.operations.extend(refunds.clone());
    home.operations.extend([commit.clone(), late.clone()]);
    home.reservations = vec![held.clone()];
    home.closed = vec![closed.clone()];
    write(&store, vec![home]).await;

    let mut asked = ask(&a);
    asked.operations = vec![consumed.id];
    let loaded = load(&store, vec![asked.clone()]).await;
    let referred = &loaded.homes[0].referred;
    assert_eq!(referred.len(), 1);
    assert_eq!(referred[&consumed.id].operation, consumed);
    assert_eq!(referred[&consumed.id].refunds, refunds);
    assert_eq!(referred[&consumed.id].closed, [closed]);

    asked.operations.clear();
    asked.reservations = vec![held.id];
    let loaded = load(&store, vec![asked]).await;
    let home = &loaded.homes[0];
    assert_eq!(home.reservations[&held.id], held);
    let ids: Vec<_> = home.referred.keys().copied().collect();
    assert_eq!(ids.len(), 2);
    assert!(ids.contains(&commit.id) && ids.contains(&late.id));
}

/// A change of a home at version 1 whose keys were not looked for.
fn change_with(home: &AccountId, keys: &[KeyQuery]) -> HomeWrite {
    let mut write = change(home, 1, 2);
    write.unseen_keys = keys.to_vec();
    write
}

#[tokio::test]
async fn the_accounts_of_holds_past_their_deadline_come_too() {
    let (store, _) = fresh("due_accounts").await;
    let (org, member) = (id("org:one"), id("user:m"));
    let mut home = change(&org, 0, 1);
    home.hold_before = Some(at(5));
    home.accounts.push(AccountWrite {
        has_new_terms: true,
        id: member.clone(),
        account: account(2),
        due_at: None,
    });
    home.reservations = vec![reservation(&member, at(5)), reservation(&member, at(6))];
    write(&store, vec![home]).await;
    let home = load(&store, vec![ask(&org)]).await.homes.remove(0);
    assert_eq!((home.version, home.hold_before), (1, None));
    assert_eq!(home.reservations.len(), 2);
    assert_eq!(home.accounts[&member], account(2));
}

#[tokio::test]
async fn a_connection_is_at_hand_between_statements_and_is_given_back_after_a_failure() {
    let (store, url) = fresh("at_hand").await;
    let a = id("user:a");
    for version in 0..5 {
        write(&store, vec![change(&a, version, 1)]).await;
    }
    let kept = "select count(*) filter (where query like 'with fresh%'), count(*) filter (where query like 'rollback%')
        from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()";
    assert_eq!(sql(&url, kept).await.expect("counts"), "1|0");
    let overdrawn = change(&a, 5, 101);
    let refused = store.write(&batch(vec![overdrawn])).await;
    assert!(refused.is_err());
    assert_eq!(write(&store, vec![change(&a, 5, 1)]).await, [a]);
    // Nothing that is at hand keeps the store open.
    store.close().await;
}
