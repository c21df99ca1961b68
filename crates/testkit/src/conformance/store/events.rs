//! Events: numbers, queues and cursors.

use std::collections::{BTreeMap, BTreeSet};

use quota_core::amount::COUNT_MAX;
use quota_core::change::Change;
use quota_core::event::{Event, EventKind};
use quota_core::ids::{AccountId, GrantId};
use quota_core::ports::QueuePlace;

use super::round_trip::odd_instant;
use super::{Store, pass, put, try_put, unpassed, waiting};
use crate::fixtures::{event, feature, first_write, instant, next_write, org, plan, user};

/// `alice` with so many events.
async fn with_events(store: &Store, count: u64) -> (AccountId, Vec<Event>) {
    let alice = user("alice");
    let mut write = first_write(&alice);
    write.events = (1..=count).map(|n| event(&alice, &alice, n)).collect();
    // Two events of one operation share its id.
    if let [first, second, ..] = write.events.as_mut_slice() {
        (second.id, second.sequence) = (first.id, first.sequence);
    }
    let events = write.events.clone();
    put(store, vec![write]).await;
    (alice, events)
}

async fn next(store: &Store, consumer: &str) -> Vec<Event> {
    let found = unpassed(store.as_ref(), consumer).await.expect("reads");
    found.into_iter().map(|queued| queued.event).collect()
}

/// What one consumer has passed still comes to the others.
pub async fn each_consumer_of_events_has_a_cursor_of_its_own(store: Store) {
    let (_, events) = with_events(&store, 3).await;
    assert_eq!(next(&store, "push").await, events);
    pass(&store, "push", 2).await;
    assert_eq!(next(&store, "push").await, events[2..]);
    assert_eq!(next(&store, "webhooks").await, events);
    pass(&store, "webhooks", 3).await;
    let queues = store.queues_with_events("webhooks").await.expect("reads");
    assert!(queues.is_empty(), "nothing is left");
    let queues = store.queues_with_events("push").await.expect("reads");
    assert_eq!(queues.len(), 1);
    let start = QueuePlace::start_of(queues[0]);
    let some = store.next_events("mail", start, 2).await;
    let some = some.expect("reads");
    assert_eq!(some.len(), 2, "no more than asked for");
    let rest = store.next_events("mail", some[0].at, 10).await;
    let rest = rest.expect("reads").into_iter();
    let rest: Vec<_> = rest.map(|next| next.event).collect();
    assert_eq!(rest, events[1..], "only what lies behind that place");
}

/// A consumer that is overtaken by its successor takes nothing back.
pub async fn a_cursor_never_goes_back(store: Store) {
    let (_, events) = with_events(&store, 3).await;
    let passed = pass(&store, "push", 2).await;
    store
        .pass_events("push", passed[0].at)
        .await
        .expect("writes");
    assert_eq!(next(&store, "push").await, events[2..]);
}

/// Y6: whoever comes back with the last number that it saw gets what came after it, in order.
pub async fn an_accounts_events_come_after_a_number(store: Store) {
    let (alice, events) = with_events(&store, 5).await;
    let bob = user("bob");
    let mut other = first_write(&bob);
    other.events = vec![event(&bob, &bob, 4)];
    put(&store, vec![other]).await;
    let after = async |number, limit| {
        let found = store.events_after(&alice, &alice, number, limit).await;
        found.expect("reads")
    };
    assert_eq!(after(0, 9).await, events);
    assert_eq!(after(2, 2).await, events[2..4]);
    assert_eq!(after(5, 9).await, []);
}

/// A number that is taken is refused, with all that came with it.
pub async fn no_number_of_an_event_is_given_twice(store: Store) {
    let (alice, events) = with_events(&store, 2).await;
    let mut again = next_write(&alice, 1);
    again.events = vec![event(&alice, &alice, 2)];
    let refused = try_put(&store, vec![again]).await;
    assert!(!refused.expect_err("is refused").is_transient());
    assert_eq!(waiting(&store).await, events);
    put(&store, vec![next_write(&alice, 1)]).await;
}

/// Age alone removes no event, and neither do the cursors of some.
pub async fn an_event_is_kept_until_every_consumer_has_passed_it(store: Store) {
    let (alice, events) = with_events(&store, 4).await;
    let prune = async |before| store.prune(instant(before), 10).await.expect("writes");
    assert_eq!(prune(99).await, 0, "nobody has read them");
    pass(&store, "push", 4).await;
    assert_eq!(next(&store, "webhooks").await, events);
    assert_eq!(prune(99).await, 0, "a consumer is behind");
    pass(&store, "webhooks", 3).await;
    assert_eq!(prune(3).await, 2, "the third is not old enough");
    assert_eq!(prune(99).await, 1, "the fourth was not passed by all");
    assert_eq!(next(&store, "webhooks").await, events[3..]);
    let kept = store.events_after(&alice, &alice, 1, 9).await;
    assert_eq!(kept.expect("reads"), events[3..], "the gap can be seen");
}

/// After a move they are found where the account lives, in order; what was passed does not come again.
pub async fn events_go_along_with_their_account(store: Store) {
    let (alice, mut events) = with_events(&store, 3).await;
    let acme = org("acme");
    put(&store, vec![first_write(&acme)]).await;
    pass(&store, "push", 3).await;
    pass(&store, "webhooks", 2).await;
    let mut moved = super::directory::relocation((alice.clone(), 1), (acme.clone(), 1), 9);
    moved.event.number = 4;
    assert!(store.relocate(&moved).await.expect("writes"));
    for event in &mut events {
        event.home = acme.clone();
    }
    events.push(moved.event);
    let found = store.events_after(&acme, &alice, 1, 9).await;
    assert_eq!(found.expect("reads"), events[1..]);
    let numbers = |events: Vec<Event>| events.iter().map(|e| e.number).collect::<Vec<u64>>();
    // At least once: where a consumer was behind, others may hear of the rest again, but never out of order.
    let webhooks = numbers(next(&store, "webhooks").await);
    assert!(webhooks.ends_with(&[3, 4]), "{webhooks:?}");
    assert!(webhooks.is_sorted(), "{webhooks:?}");
    let push = numbers(next(&store, "push").await);
    assert!(push.ends_with(&[4]) && push.is_sorted(), "{push:?}");
    assert!(
        !push.contains(&1) && !webhooks.contains(&1),
        "all passed it"
    );
}

const WRITERS: usize = 8;
const EVENTS_EACH: u64 = 25;

/// A consumer that reads all the time gets every event once, those of an account by number, however the commits of
/// the others come between its reads.
pub async fn no_event_is_lost_to_a_consumer_that_reads_while_others_write(store: Store) {
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let store = Store::clone(&store);
            tokio::spawn(async move {
                let home = user(&format!("writer{writer}"));
                for number in 1..=EVENTS_EACH {
                    let mut write = next_write(&home, number - 1);
                    write.events = vec![event(&home, &home, number)];
                    put(&store, vec![write]).await;
                }
            })
        })
        .collect();
    let mut seen: BTreeMap<AccountId, Vec<u64>> = BTreeMap::new();
    let mut places: BTreeSet<QueuePlace> = BTreeSet::new();
    loop {
        let is_over = writers.iter().all(tokio::task::JoinHandle::is_finished);
        let found = pass(&store, "reader", 20).await;
        for queued in &found {
            let numbers = seen.entry(queued.event.account.clone()).or_default();
            numbers.push(queued.event.number);
            assert!(places.insert(queued.at), "{:?} came twice", queued.at);
        }
        if is_over && found.is_empty() {
            break;
        }
    }
    for writer in writers {
        writer.await.expect("writes");
    }
    assert_eq!(seen.len(), WRITERS);
    for (account, numbers) in seen {
        assert!(
            numbers.iter().copied().eq(1..=EVENTS_EACH),
            "{account}: {numbers:?}"
        );
    }
}

/// Every kind of event comes back.
pub async fn every_kind_of_event_comes_back(store: Store) {
    let alice = user("o'brien \"ob\" 🦀");
    let mut write = first_write(&alice);
    let kinds = [
        EventKind::QuotaUpdated {
            reason: Change::PlanChangeScheduled,
        },
        EventKind::SubscriptionExpired { plan: plan("pro") },
        EventKind::CreditsLow {
            credits: 9,
            below: 10,
        },
        EventKind::CreditsExpiring {
            grant: GrantId::new("pack").expect("a literal"),
            credits: 5,
            expires_at: instant(9),
            days: 7,
        },
        EventKind::QuotaReset {
            features: vec![feature("f0"), feature("f1")],
        },
    ];
    for (kind, number) in kinds.into_iter().zip(COUNT_MAX - 4..) {
        let mut odd = event(&alice, &alice, 1);
        odd.number = number;
        odd.sequence = COUNT_MAX;
        odd.at = odd_instant();
        odd.kind = kind;
        write.events.push(odd);
    }
    let written = write.events.clone();
    put(&store, vec![write]).await;
    let pending = waiting(&store).await;
    assert_eq!(pending, written);
}
