//! Connections, and which customer is which account.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use quota_core::ids::{AccountId, SubscriptionRef};
use quota_core::payment::PaymentMode;
use quota_core::ports::StoreError;
use quota_core::provider::{Connection, CustomerId, CustomerLink, SyncProgress};

use super::{AT_ONCE, Billing, customer, provider};
use crate::conformance::store::round_trip::odd_instant;
use crate::fixtures::{instant, org, user};

fn connection(mode: PaymentMode, account: &str) -> Connection {
    Connection {
        provider: provider("stripe"),
        mode,
        account: account.to_owned(),
        money_starts_at: instant(5),
        progress: SyncProgress::default(),
    }
}

fn link(id: &CustomerId, account: &AccountId) -> CustomerLink {
    CustomerLink {
        id: id.clone(),
        account: account.clone(),
        linked_at: instant(7),
        synced_at: None,
    }
}

async fn synced_at(store: &Billing, id: &CustomerId) -> Option<DateTime<Utc>> {
    let link = store.customer(id).await.expect("reads");
    link.expect("is linked").synced_at
}

/// P14, P17: the account that a provider was connected with first stays, and so does when its money starts to count.
pub async fn the_first_connection_of_a_provider_and_mode_stays(store: Billing) {
    let first = Connection {
        account: "acct_\"1\" 数".to_owned(),
        money_starts_at: odd_instant(),
        ..connection(PaymentMode::Live, "")
    };
    assert_eq!(store.connect(&first).await.expect("writes"), first);
    let later = connection(PaymentMode::Live, "acct_2");
    assert_eq!(store.connect(&later).await.expect("writes"), first);
    let tried_out = connection(PaymentMode::Test, "acct_2");
    assert_eq!(store.connect(&tried_out).await.expect("writes"), tried_out);
    assert_eq!(store.connect(&first).await.expect("writes"), first);
    let racers = (0..AT_ONCE).map(|number| {
        let store = store.clone();
        tokio::spawn(async move {
            let of_another = Connection {
                provider: provider("bank"),
                ..connection(PaymentMode::Live, &format!("acct_{number}"))
            };
            store.connect(&of_another).await.expect("writes").account
        })
    });
    let mut told = Vec::new();
    for racer in racers.collect::<Vec<_>>() {
        told.push(racer.await.expect("ends"));
    }
    told.dedup();
    assert_eq!(told.len(), 1, "{told:?}");
}

/// How far a sync came is kept of the provider and mode that it is of, and of none that is not connected.
pub async fn sync_progress_is_kept_of_what_is_connected(store: Billing) {
    let full = SyncProgress {
        events_read_until: Some(odd_instant()),
        listed_at: Some(instant(8)),
        list_began_at: Some(instant(9)),
        list_after: Some(SubscriptionRef::new("sub_\"1\" 数").expect("a subscription")),
    };
    let live = connection(PaymentMode::Live, "acct_1");
    let put = async |progress: &SyncProgress| {
        let put = store.put_sync_progress(&live.provider, live.mode, progress);
        put.await.expect("writes");
    };
    put(&full).await;
    assert_eq!(store.connect(&live).await.expect("writes"), live);
    let tried_out = connection(PaymentMode::Test, "acct_1");
    store.connect(&tried_out).await.expect("writes");
    for progress in [full, SyncProgress::default()] {
        put(&progress).await;
        let read = store.connect(&live).await.expect("reads");
        assert_eq!(read.progress, progress);
    }
    let other = store.connect(&tried_out).await.expect("reads");
    assert_eq!(other, tried_out);
}

/// P14: a customer is one account, the first that it was linked to; an account may be many customers.
pub async fn the_first_link_of_a_customer_stays(store: Billing) {
    let (alice, acme) = (user("alice"), org("acme"));
    let first = CustomerLink {
        linked_at: odd_instant(),
        synced_at: Some(odd_instant()),
        ..link(&customer("it's \"odd\" %_ 数"), &alice)
    };
    assert_eq!(store.customer(&first.id).await.expect("reads"), None);
    assert_eq!(store.link_customer(&first).await.expect("writes"), first);
    for other in [link(&first.id, &acme), link(&first.id, &alice)] {
        assert_eq!(store.link_customer(&other).await.expect("writes"), first);
    }
    let read = store.customer(&first.id).await.expect("reads");
    assert_eq!(read, Some(first.clone()));
    assert_eq!(store.customers_of(&acme).await.expect("reads"), []);
    let tried_out = CustomerId {
        mode: PaymentMode::Test,
        ..first.id.clone()
    };
    let of_bank = CustomerId {
        provider: provider("bank"),
        ..first.id.clone()
    };
    for id in [&tried_out, &of_bank, &customer("cus_1")] {
        let another = link(id, &alice);
        let linked = store.link_customer(&another).await.expect("writes");
        assert_eq!(linked, another);
    }
    let links = store.customers_of(&alice).await.expect("reads");
    let ids: Vec<CustomerId> = links.iter().map(|link| link.id.clone()).collect();
    let by_id = [of_bank, customer("cus_1"), first.id.clone(), tried_out];
    assert_eq!(ids, by_id);
    let without_sync = CustomerLink {
        synced_at: None,
        ..first
    };
    assert_eq!(links[2], without_sync);
}

/// A link that was taken away is gone by customer and by account, and another account may be linked.
pub async fn a_link_that_was_taken_away_is_gone_on_both_sides(store: Billing) {
    let (alice, acme, id) = (user("alice"), org("acme"), customer("cus_1"));
    assert!(!store.unlink_customer(&id).await.expect("looks"));
    for account in [&alice, &acme] {
        let link = link(&id, account);
        assert_eq!(store.link_customer(&link).await.expect("writes"), link);
        assert_eq!(store.customers_of(account).await.expect("reads"), [link]);
        assert!(store.unlink_customer(&id).await.expect("writes"));
        assert!(!store.unlink_customer(&id).await.expect("looks"));
        assert_eq!(store.customer(&id).await.expect("reads"), None);
        assert_eq!(store.customers_of(account).await.expect("reads"), []);
    }
}

/// P14: of many accounts that are linked to one customer at once it is one, and all are told which.
pub async fn of_sixty_four_links_of_one_customer_the_first_counts(store: Billing) {
    let account = |number: usize| user(&format!("u{number}"));
    let racers = (0..AT_ONCE).map(|number| {
        let (store, account) = (store.clone(), account(number));
        tokio::spawn(async move {
            let link = link(&customer("cus_1"), &account);
            store.link_customer(&link).await.expect("writes")
        })
    });
    let mut told = Vec::new();
    for racer in racers.collect::<Vec<_>>() {
        told.push(racer.await.expect("ends"));
    }
    let first = store.customer(&customer("cus_1")).await.expect("reads");
    let first = first.expect("one of them has it");
    assert_eq!(told, vec![first.clone(); AT_ONCE]);
    for number in 0..AT_ONCE {
        let links = store.customers_of(&account(number)).await.expect("reads");
        let is_first = account(number) == first.account;
        assert_eq!(links.len(), usize::from(is_first), "{links:?}");
    }
}

/// However links are made and taken away at once, the two sides of each say the same in the end.
pub async fn links_that_come_and_go_at_once_are_the_same_on_both_sides(store: Billing) {
    const CUSTOMERS: usize = 4;
    const ROUNDS: usize = 6;
    let accounts = [user("alice"), org("acme")];
    let id = |number: usize| customer(&format!("cus_{}", number % CUSTOMERS));
    let racers = (0..AT_ONCE / 4).map(|number| {
        let (store, account) = (store.clone(), accounts[number % 2].clone());
        tokio::spawn(async move {
            for round in 0..ROUNDS {
                let id = id(number / 2 + round);
                // Who meets a link that comes and goes may be told to try again.
                let linked = store.link_customer(&link(&id, &account)).await;
                assert!(linked.as_ref().is_ok_and(|link| link.id == id) || is_passing(&linked));
                let unlinked = store.unlink_customer(&id).await;
                assert!(unlinked.is_ok() || is_passing(&unlinked), "{unlinked:?}");
                let linked = store.link_customer(&link(&id, &account)).await;
                assert!(linked.is_ok() || is_passing(&linked), "{linked:?}");
            }
        })
    });
    for racer in racers.collect::<Vec<_>>() {
        racer.await.expect("ends");
    }
    let mut by_account = BTreeMap::new();
    for account in &accounts {
        for link in store.customers_of(account).await.expect("reads") {
            let another = by_account.insert(link.id.clone(), link);
            assert_eq!(another, None, "one customer is two accounts");
        }
    }
    let mut by_customer = BTreeMap::new();
    for number in 0..CUSTOMERS {
        let link = store.customer(&id(number)).await.expect("reads");
        by_customer.extend(link.map(|link| (link.id.clone(), link)));
    }
    assert_eq!(by_account, by_customer);
}

fn is_passing<T>(outcome: &Result<T, StoreError>) -> bool {
    outcome.as_ref().is_err_and(StoreError::is_transient)
}

/// P6: a fetch is taken only if it began after every one that was taken.
pub async fn a_sync_is_taken_only_if_it_began_last(store: Billing) {
    let (id, other) = (customer("cus_1"), customer("cus_2"));
    let take = async |at: DateTime<Utc>| store.take_sync(&id, at).await.expect("writes");
    assert!(!take(instant(10)).await, "there is no link");
    for id in [&id, &other] {
        let linked = store.link_customer(&link(id, &user("alice"))).await;
        linked.expect("writes");
    }
    for (at, is_taken) in [(10, true), (10, false), (9, false), (11, true), (10, false)] {
        assert_eq!(take(instant(at)).await, is_taken, "{at}");
    }
    assert_eq!(synced_at(&store, &id).await, Some(instant(11)));
    assert_eq!(synced_at(&store, &other).await, None);
    assert!(store.unlink_customer(&id).await.expect("writes"));
    store
        .link_customer(&link(&id, &user("alice")))
        .await
        .expect("writes");
    assert_eq!(synced_at(&store, &id).await, None, "a new link");
}

/// P6: however fetches are taken at once, none is taken behind a later one, no instant twice, and the latest is.
pub async fn of_sixty_four_syncs_at_once_the_latest_counts(store: Billing) {
    const INSTANTS: usize = 16;
    let id = customer("cus_1");
    let linked = store.link_customer(&link(&id, &user("alice"))).await;
    linked.expect("writes");
    let instant = |number: usize| instant(i64::try_from(number).expect("few"));
    let racers = (0..AT_ONCE).map(|number| {
        let (store, id) = (store.clone(), id.clone());
        // Each instant comes four times, in no order.
        let number = number * 7 % INSTANTS;
        tokio::spawn(async move {
            let is_taken = store.take_sync(&id, instant(number)).await;
            let is_taken = is_taken.expect("writes");
            let seen = synced_at(&store, &id).await;
            assert!(seen >= Some(instant(number)), "{seen:?} after {number}");
            (number, is_taken)
        })
    });
    let mut taken = [0; INSTANTS];
    for racer in racers.collect::<Vec<_>>() {
        let (number, is_taken) = racer.await.expect("ends");
        taken[number] += usize::from(is_taken);
    }
    assert!(taken.iter().all(|times| *times <= 1), "{taken:?}");
    assert_eq!(taken[INSTANTS - 1], 1, "{taken:?}");
    assert_eq!(synced_at(&store, &id).await, Some(instant(INSTANTS - 1)));
}
