//! Events: kept once, listed, counted and removed.

use quota_core::ids::CustomerRef;
use quota_core::payment::PaymentMode;
use quota_core::ports::{EventCounts, EventPage};
use quota_core::provider::{EventId, EventState, KeptEvent, ObjectKind, ProviderObject};

use super::{AT_ONCE, Billing, event, event_id, keep, provider};
use crate::conformance::store::round_trip::odd_instant;
use crate::fixtures::instant;

async fn read(store: &Billing, id: &EventId) -> Option<KeptEvent> {
    store.event(id).await.expect("reads")
}

/// P1: an event that comes again changes nothing, whatever it says by then.
pub async fn an_event_is_kept_once_as_it_came_first(store: Billing) {
    let first = event("evt_1");
    keep(&store, std::slice::from_ref(&first)).await;
    let again = KeptEvent {
        kind: "another".to_owned(),
        received_at: instant(90),
        state: EventState::Done,
        ..first.clone()
    };
    assert!(!store.keep_event(&again).await.expect("looks"));
    assert_eq!(read(&store, &first.id).await, Some(first.clone()));
    let mut tried_out = event("evt_1");
    tried_out.id.mode = PaymentMode::Test;
    let mut of_another = event("evt_1");
    of_another.id.provider = provider("bank");
    keep(&store, &[tried_out, of_another]).await;
    assert_eq!(read(&store, &event_id("evt_2")).await, None);
}

/// P1: of one event that comes many times at once, one is kept.
pub async fn of_sixty_four_deliveries_of_one_event_one_is_kept(store: Billing) {
    let racers = (0..AT_ONCE).map(|number| {
        let store = store.clone();
        tokio::spawn(async move {
            let delivered = KeptEvent {
                kind: format!("delivery {number}"),
                ..event("evt_1")
            };
            let is_kept = store.keep_event(&delivered).await.expect("writes");
            is_kept.then_some(delivered)
        })
    });
    let mut kept = Vec::new();
    for racer in racers.collect::<Vec<_>>() {
        kept.extend(racer.await.expect("ends"));
    }
    assert_eq!(kept.len(), 1, "{kept:?}");
    assert_eq!(read(&store, &event_id("evt_1")).await, kept.pop());
}

/// An event comes back whole, whatever it is about and wherever it stands.
pub async fn every_field_of_an_event_comes_back(store: Billing) {
    const KINDS: [ObjectKind; 9] = [
        ObjectKind::Customer,
        ObjectKind::Subscription,
        ObjectKind::Schedule,
        ObjectKind::Session,
        ObjectKind::Invoice,
        ObjectKind::Intent,
        ObjectKind::Charge,
        ObjectKind::Refund,
        ObjectKind::Dispute,
    ];
    let about = |kind: ObjectKind| KeptEvent {
        about: Some(ProviderObject {
            kind,
            id: "it's \"odd\" %_ 数".to_owned(),
        }),
        ..event(&format!("{kind:?}"))
    };
    let in_state = |state: EventState| KeptEvent {
        state,
        ..event(&format!("it's \"odd\" {state:?} 数"))
    };
    let full = KeptEvent {
        kind: "it's \"odd\" %_ 数".to_owned(),
        customer: Some(CustomerRef::new("cus_'1' 数").expect("a customer")),
        made_at: odd_instant(),
        received_at: odd_instant(),
        tries: u32::MAX,
        next_try_at: odd_instant(),
        error: Some("it's \"odd\" %_ 数".to_owned()),
        ..event("full")
    };
    let mut events = vec![full];
    events.extend(KINDS.map(about));
    events.extend(EventState::ALL.map(in_state));
    keep(&store, &events).await;
    for event in events {
        assert_eq!(read(&store, &event.id).await, Some(event));
    }
}

/// A provider's events, the one that came last first, nothing twice and nothing left out; all, or those in a state.
pub async fn events_come_newest_first_by_pages(store: Billing) {
    let at = |event_ref: &str, seconds: i64, state: EventState| KeptEvent {
        received_at: instant(seconds),
        state,
        ..event(event_ref)
    };
    let mut tried_out = at("c", 7, EventState::Done);
    tried_out.id.mode = PaymentMode::Test;
    let newest = [
        at("b", 9, EventState::GivenUp),
        tried_out,
        at("z", 7, EventState::Done),
        at("c", 7, EventState::GivenUp),
        at("a", 7, EventState::GivenUp),
        at("d", 1, EventState::Waiting),
    ];
    for event in newest.iter().rev() {
        keep(&store, std::slice::from_ref(event)).await;
    }
    let mut of_another = at("c", 7, EventState::GivenUp);
    of_another.id.provider = provider("bank");
    keep(&store, std::slice::from_ref(&of_another)).await;
    assert_eq!(listed(&store, None).await, newest);
    for state in EventState::ALL {
        let in_state = newest.iter().filter(|event| event.state == state);
        let in_state: Vec<KeptEvent> = in_state.cloned().collect();
        assert_eq!(listed(&store, Some(state)).await, in_state, "{state:?}");
    }
}

async fn listed(store: &Billing, state: Option<EventState>) -> Vec<KeptEvent> {
    let mut listed: Vec<KeptEvent> = Vec::new();
    loop {
        let last = listed.last();
        let page = EventPage {
            provider: provider("stripe"),
            state,
            after: last.map(|last| (last.received_at, last.id.clone())),
            limit: 2,
        };
        let page = store.events(&page).await.expect("reads");
        assert!(page.len() <= 2, "{page:?}");
        if page.is_empty() {
            return listed;
        }
        listed.extend(page);
    }
}

/// What is to be done and what was given up is counted, over all providers.
pub async fn events_are_counted(store: Billing) {
    let counts = async || store.event_counts().await.expect("reads");
    assert_eq!(counts().await, EventCounts::default());
    let at = |event_ref: &str, seconds: i64, state: EventState| KeptEvent {
        received_at: instant(seconds),
        next_try_at: instant(1_000),
        state,
        ..event(event_ref)
    };
    let mut of_another = at("w", 8, EventState::Waiting);
    of_another.id.provider = provider("bank");
    let events = [
        at("a", 1, EventState::GivenUp),
        at("b", 2, EventState::Done),
        at("c", 9, EventState::Waiting),
        at("d", 3, EventState::Ignored),
        at("e", 4, EventState::Gone),
        of_another,
    ];
    keep(&store, &events).await;
    let counted = EventCounts {
        waiting: 2,
        given_up: 1,
        oldest_waiting_at: Some(instant(8)),
        next_try_at: Some(instant(1_000)),
    };
    assert_eq!(counts().await, counted);
}

/// What waits or was given up is never pruned, nor what is not old enough; and of the rest no more than is asked for.
pub async fn only_events_that_wait_for_nothing_are_pruned(store: Billing) {
    let events: Vec<KeptEvent> = (0..4)
        .flat_map(|seconds| {
            EventState::ALL.map(|state| KeptEvent {
                received_at: instant(seconds),
                state,
                ..event(&format!("{state:?} {seconds}"))
            })
        })
        .collect();
    keep(&store, &events).await;
    let prune = async |limit: u32| store.prune_events(instant(3), limit).await.expect("writes");
    assert_eq!(
        [prune(2).await, prune(100).await, prune(100).await],
        [2, 7, 0]
    );
    for event in events {
        let is_kept = match event.state {
            EventState::Waiting | EventState::GivenUp => true,
            EventState::Done | EventState::Ignored | EventState::Gone => {
                instant(3) <= event.received_at
            }
        };
        let read = read(&store, &event.id).await;
        assert_eq!(read, is_kept.then_some(event));
    }
}
