//! What comes with a home.

use std::collections::BTreeSet;
use std::sync::Arc;

use quota_core::balance::{Balance, Bucket};
use quota_core::home::ClosedBalance;
use quota_core::ids::{AccountId, BoostId, GrantId};
use quota_core::operation::{Operation, OperationKind};
use quota_core::ports::{ClosedKind, ClosedQuery};

use super::{Store, get_with, put};
use crate::fixtures::{
    account, account_write, balance, catalog, entry, feature, first_write, home_query, instant,
    key, key_of, load_query, next_write, operation, org, user,
};

/// A repeated key is found again, with the whole operation that carried it first.
pub async fn a_repeated_key_is_found_again(store: Store) {
    let (alice, bob) = (user("alice"), user("bob"));
    let mut first = first_write(&alice);
    Arc::make_mut(&mut first.operations[0]).key = Some(key("k-1"));
    let carried = Operation::clone(&first.operations[0]);
    put(&store, vec![first, first_write(&bob)]).await;
    let mut query = load_query(vec![home_query(&bob), home_query(&alice)]);
    query.homes[0].keys = vec![key_of(&bob, "k-1")];
    query.homes[1].keys = vec![key_of(&alice, "k-1"), key_of(&alice, "k-2")];
    let loaded = store.load(&query).await.expect("loads");
    assert_eq!(loaded.earlier, [carried]);
}

/// A key belongs to its account: another member's key of the same name is another key.
pub async fn a_key_belongs_to_its_account(store: Store) {
    let (acme, alice, bob) = (org("acme"), user("alice"), user("bob"));
    let mut write = first_write(&acme);
    write.operations[0] = operation(&alice, 1).into();
    Arc::make_mut(&mut write.operations[0]).key = Some(key("k"));
    put(&store, vec![write]).await;
    let mut query = load_query(vec![home_query(&acme)]);
    query.homes[0].keys = vec![key_of(&bob, "k"), key_of(&acme, "k")];
    assert_eq!(store.load(&query).await.expect("loads").earlier, []);
    let mut write = next_write(&acme, 1);
    write.operations[0] = operation(&bob, 2).into();
    Arc::make_mut(&mut write.operations[0]).key = Some(key("k"));
    write.unseen_keys = vec![key_of(&bob, "k")];
    put(&store, vec![write]).await;
    query.homes[0].keys = vec![key_of(&bob, "k"), key_of(&alice, "k")];
    let loaded = store.load(&query).await.expect("loads");
    assert_eq!(loaded.earlier.len(), 2, "one of each");
}

/// Homes come in the order in which they were asked for, absent ones too, with the catalog's version.
pub async fn homes_come_in_the_order_asked_for(store: Store) {
    let names = ["carol", "alice", "nobody", "bob"];
    let homes: Vec<_> = names.iter().map(|name| user(name)).collect();
    let exist = homes.iter().filter(|home| **home != user("nobody"));
    put(&store, exist.map(first_write).collect()).await;
    let put_catalog = store.put_catalog(&catalog(1), None, instant(0)).await;
    assert!(put_catalog.expect("writes"));
    let query = load_query(homes.iter().map(home_query).collect());
    let loaded = store.load(&query).await.expect("loads");
    let ids: Vec<_> = loaded.homes.iter().map(|home| home.id.clone()).collect();
    let versions: Vec<_> = loaded.homes.iter().map(|home| home.version).collect();
    assert_eq!(ids, homes);
    assert_eq!(versions, [1, 1, 0, 1]);
    assert_eq!(loaded.catalog_version, 1);
}

/// Only the accounts that were asked for come, and the home's own.
pub async fn only_the_accounts_asked_for_come(store: Store) {
    let (acme, alice, bob) = (org("acme"), user("alice"), user("bob"));
    let mut write = first_write(&acme);
    write.accounts.push(account_write(&alice, account(4)));
    write.accounts.push(account_write(&bob, account(5)));
    put(&store, vec![write]).await;
    let mut query = home_query(&acme);
    query.accounts = vec![alice.clone(), user("nobody"), acme.clone()];
    let home = get_with(&store, query).await;
    let expected = [(acme, account(1).into()), (alice, account(4).into())];
    assert_eq!(home.accounts, expected.into());
}

/// An operation comes with its refunds in their order, and with those of its buckets that were closed.
pub async fn an_operation_comes_with_its_refunds_and_closed_balances(store: Store) {
    let alice = user("alice");
    let (window, other) = (window(1), window(2));
    let mut write = first_write(&alice);
    Arc::make_mut(&mut write.operations[0]).entries = vec![entry(&alice, window.clone())];
    let consumption = Operation::clone(&write.operations[0]);
    let refund = |sequence| {
        let mut refund = operation(&alice, sequence);
        refund.kind = OperationKind::Refund;
        refund.refers_to = Some(consumption.id);
        refund
    };
    let mut commit = operation(&alice, 4);
    commit.kind = OperationKind::Commit;
    commit.refers_to = Some(consumption.id);
    let refunds = vec![refund(2), refund(3)];
    let booked = refunds.iter().cloned().map(Arc::new);
    write.operations.extend(booked);
    write.operations.push(commit.into());
    write.new_version = 4;
    let closed = ClosedBalance {
        account: alice.clone(),
        balance: balance(window, 10, 6),
    };
    let unrelated = ClosedBalance {
        account: alice.clone(),
        balance: balance(other, 10, 6),
    };
    write.closed = vec![unrelated, closed.clone()];
    put(&store, vec![write]).await;
    let mut query = home_query(&alice);
    query.operations = vec![consumption.id, crate::fixtures::next_id()];
    let home = get_with(&store, query).await;
    assert_eq!(home.referred.len(), 1, "the other does not exist");
    let referred = &home.referred[&consumption.id];
    assert_eq!(referred.operation, consumption);
    assert_eq!(referred.refunds, refunds);
    assert_eq!(referred.closed, [closed]);
}

/// Closed balances come when they are asked for: the windows of a feature whenever they began, a grant by its id, or all
/// grants; of that account, feature and id alone.
pub async fn closed_balances_come_when_they_are_asked_for(store: Store) {
    let (acme, alice, bob) = (org("acme"), user("alice"), user("bob"));
    let closed = |account: &AccountId, bucket: Bucket| ClosedBalance {
        account: account.clone(),
        balance: balance(bucket, 10, 6),
    };
    let start = 1_800_000_000_000_000;
    let further = |text: &str| Bucket::parse(text).expect("a literal bucket");
    let wanted = [
        closed(&alice, further("further:articles:first_use-5h:5")),
        closed(&alice, Bucket::Tracked(feature("articles"), start)),
        closed(&alice, window(-5)),
        closed(&alice, window(start)),
    ];
    let mut write = first_write(&acme);
    for member in [&alice, &bob] {
        write.accounts.push(account_write(member, account(4)));
    }
    write.closed = wanted.to_vec();
    write.closed.extend([
        closed(&alice, Bucket::Standing(feature("articles"))),
        closed(&alice, Bucket::Window(feature("articles_2"), start)),
        closed(&alice, Bucket::Window(feature("article"), start)),
        closed(&alice, further("further:article:weekly:5")),
        closed(&bob, window(start)),
        closed(&acme, window(start)),
        closed(&alice, grant("pack")),
        closed(&alice, grant("pack-1")),
        closed(&alice, grant("pac")),
        closed(&bob, grant("pack")),
    ]);
    put(&store, vec![write]).await;
    let mut query = home_query(&acme);
    let home = get_with(&store, query.clone()).await;
    assert_eq!(home.closed, [], "none was asked for");
    query.closed = vec![ClosedQuery {
        account: alice.clone(),
        what: ClosedKind::Windows(feature("articles")),
    }];
    let mut home = get_with(&store, query.clone()).await;
    home.closed
        .sort_unstable_by_key(|closed| closed.balance.bucket.to_string());
    assert_eq!(home.closed, wanted);
    query.closed = vec![ClosedQuery {
        account: alice.clone(),
        what: ClosedKind::Grant(GrantId::new("pack").expect("a literal id")),
    }];
    let home = get_with(&store, query.clone()).await;
    assert_eq!(home.closed, [closed(&alice, grant("pack"))]);
    query.closed = vec![ClosedQuery {
        account: alice.clone(),
        what: ClosedKind::Grants,
    }];
    let mut home = get_with(&store, query).await;
    home.closed
        .sort_unstable_by_key(|closed| closed.balance.bucket.to_string());
    let all = ["pac", "pack", "pack-1"].map(|id| closed(&alice, grant(id)));
    assert_eq!(home.closed, all);
}

/// Of closed boosts come the one that is asked for, or all, and no grant or boost of another feature with the same id.
pub async fn closed_boosts_come_by_feature_and_id(store: Store) {
    let alice = user("alice");
    let closed = |bucket| ClosedBalance {
        account: alice.clone(),
        balance: balance(bucket, 10, 4),
    };
    let boosts = [
        boost("articles", "pack"),
        boost("articles", "pack-1"),
        boost("requests", "pack"),
    ];
    let mut write = first_write(&alice);
    write.closed = boosts.clone().map(closed).into();
    write.closed.push(closed(grant("pack")));
    write.closed.push(closed(window(5)));
    put(&store, vec![write]).await;
    let mut query = home_query(&alice);
    let asked = |what| ClosedQuery {
        account: alice.clone(),
        what,
    };
    let (code, id) = (feature("articles"), BoostId::new("pack"));
    let one = ClosedKind::Boost(code, id.expect("a literal id"));
    query.closed = vec![asked(one)];
    let home = get_with(&store, query.clone()).await;
    assert_eq!(home.closed, [closed(boosts[0].clone())]);
    query.closed = vec![asked(ClosedKind::Boosts)];
    let mut home = get_with(&store, query).await;
    home.closed
        .sort_unstable_by_key(|closed| closed.balance.bucket.to_string());
    assert_eq!(home.closed, boosts.map(closed));
}

fn boost(code: &str, id: &str) -> Bucket {
    Bucket::Boost(feature(code), BoostId::new(id).expect("a literal id"))
}

fn grant(id: &str) -> Bucket {
    Bucket::Grant(GrantId::new(id).expect("a literal id"))
}

pub(super) fn window(start: i64) -> Bucket {
    Bucket::Window(feature("articles"), start)
}

/// Of closed balances come all of one kind that are asked for: windows with those of further limits, sales, what tokens used.
pub async fn closed_balances_come_by_kind(store: Store) {
    let alice = user("alice");
    let closed = |bucket: &str| ClosedBalance {
        account: alice.clone(),
        balance: balance(Bucket::parse(bucket).expect("a literal bucket"), 10, 4),
    };
    let kinds = [
        (
            ClosedKind::AllWindows,
            [
                "further:articles:first_use-5h:5",
                "tracked:articles:5",
                "window:articles:5",
            ]
            .as_slice(),
        ),
        (
            ClosedKind::Sales,
            &["ondemand:articles:5", "ondemand:requests:5"],
        ),
        (
            ClosedKind::OnDemand(feature("articles")),
            &["ondemand:articles:5"],
        ),
        (ClosedKind::TokenCounts, &["token:t", "tokenwindow:5:t"]),
    ];
    let mut write = first_write(&alice);
    let all: BTreeSet<&str> = kinds
        .iter()
        .flat_map(|(_, buckets)| *buckets)
        .copied()
        .collect();
    write.closed = all.into_iter().map(closed).collect();
    write.closed.push(closed("grant:token"));
    write.closed.push(closed("trial:articles"));
    put(&store, vec![write]).await;
    for (what, buckets) in kinds {
        let mut query = home_query(&alice);
        query.closed = vec![ClosedQuery {
            account: alice.clone(),
            what,
        }];
        let home = get_with(&store, query).await;
        let mut found: Vec<String> = home
            .closed
            .iter()
            .map(|one| one.balance.bucket.to_string())
            .collect();
        found.sort_unstable();
        assert_eq!(found, buckets);
    }
}

/// A closed balance whose value changed takes the place of the one before.
pub async fn a_closed_balance_that_changes_is_replaced(store: Store) {
    let alice = user("alice");
    let closed = |used, was_closed| ClosedBalance {
        account: alice.clone(),
        balance: Balance {
            was_closed,
            ..balance(window(-5), 10, used)
        },
    };
    let mut write = first_write(&alice);
    write.closed = vec![closed(6, false)];
    put(&store, vec![write]).await;
    let mut write = next_write(&alice, 1);
    write.closed = vec![closed(5, true)];
    put(&store, vec![write]).await;
    let stored = super::all(&store, &alice).await.expect("exists");
    assert_eq!(stored.closed, [closed(5, true)]);
}

/// An operation or reservation of another home is not found.
pub async fn what_belongs_to_another_home_is_not_found(store: Store) {
    let (alice, bob) = (user("alice"), user("bob"));
    let mut write = first_write(&alice);
    let hold = crate::fixtures::reservation(&alice, instant(60));
    write.reservations = vec![hold.clone()];
    let consumption = write.operations[0].id;
    put(&store, vec![write, first_write(&bob)]).await;
    let mut query = home_query(&bob);
    query.operations = vec![consumption];
    query.reservations = vec![hold.id];
    query.accounts = vec![alice.clone()];
    query.keys = vec![key_of(&alice, "k")];
    let home = get_with(&store, query).await;
    assert!(home.referred.is_empty(), "the operation is alice's");
    assert!(home.reservations.is_empty(), "the hold is alice's");
    assert_eq!(home.accounts.len(), 1, "alice lives elsewhere");
}
