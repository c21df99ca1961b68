//! Events that are taken to be worked on, and how their tries end.

use std::collections::BTreeMap;

use quota_core::ports::EventResult;
use quota_core::provider::{EventState, KeptEvent};

use super::{Billing, event, event_id, keep, provider};
use crate::fixtures::instant;

/// The events that are taken at a second, until second 100, by name and number of the try.
async fn take(store: &Billing, seconds: i64, limit: u32) -> Vec<(String, u32)> {
    let taken = store.take_events(instant(seconds), instant(100), limit);
    let taken = taken.await.expect("writes");
    let named = taken.into_iter().map(|event| {
        assert_eq!(event.next_try_at, instant(100), "{event:?}");
        (event.id.event.to_string(), event.tries)
    });
    named.collect()
}

fn named(names: &[(&str, u32)]) -> Vec<(String, u32)> {
    let names = names.iter();
    names
        .map(|(name, tries)| ((*name).to_owned(), *tries))
        .collect()
}

/// P3: what waits and may be tried is taken, the oldest first, over all providers; each has a number of its try.
pub async fn the_oldest_events_that_wait_are_taken_first(store: Billing) {
    let at = |event_ref: &str, received: i64, next_try: i64| KeptEvent {
        received_at: instant(received),
        next_try_at: instant(next_try),
        ..event(event_ref)
    };
    let mut of_another = at("d", 4, 4);
    of_another.id.provider = provider("bank");
    let again = KeptEvent {
        tries: 6,
        error: Some("away".to_owned()),
        ..at("e", 1, 9)
    };
    let mut events = vec![at("c", 5, 5), at("b", 5, 5), at("late", 2, 10), again];
    events.push(of_another);
    let over = EventState::ALL.into_iter().skip(1);
    events.extend(over.map(|state| KeptEvent {
        state,
        ..at(&format!("{state:?}"), 0, 0)
    }));
    keep(&store, &events).await;
    assert_eq!(take(&store, 3, 10).await, []);
    assert_eq!(take(&store, 9, 0).await, []);
    assert_eq!(
        take(&store, 9, 3).await,
        named(&[("e", 7), ("d", 1), ("b", 1)])
    );
    assert_eq!(take(&store, 9, 3).await, named(&[("c", 1)]));
    assert_eq!(take(&store, 9, 3).await, []);
    let taken = store.event(&event_id("e")).await.expect("reads");
    let taken = taken.expect("is there");
    assert_eq!((taken.tries, taken.next_try_at), (7, instant(100)));
    assert_eq!(taken.error.as_deref(), Some("away"));
    assert_eq!(take(&store, 10, 3).await, named(&[("late", 1)]));
}

/// Who took an event and died holds it no longer than was said: then it is taken again, under the next number.
pub async fn an_event_that_was_taken_is_taken_again_when_its_time_is_over(store: Billing) {
    keep(&store, &[event("evt_1")]).await;
    assert_eq!(take(&store, 9, 1).await, named(&[("evt_1", 1)]));
    assert_eq!(take(&store, 99, 1).await, []);
    assert_eq!(take(&store, 100, 1).await, named(&[("evt_1", 2)]));
}

/// Of many who take at once, no two get the same event, and none is left.
pub async fn takers_at_once_share_no_event(store: Billing) {
    const EVENTS: usize = 150;
    const TAKERS: usize = 8;
    let events: Vec<KeptEvent> = (0..EVENTS)
        .map(|number| event(&format!("evt_{number}")))
        .collect();
    keep(&store, &events).await;
    let takers = (0..TAKERS).map(|_| {
        let store = store.clone();
        tokio::spawn(async move {
            let mut taken = Vec::new();
            loop {
                let more = take(&store, 9, 7).await;
                assert!(more.len() <= 7, "{more:?}");
                if more.is_empty() {
                    return taken;
                }
                taken.extend(more);
            }
        })
    });
    let mut taken = BTreeMap::new();
    for taker in takers.collect::<Vec<_>>() {
        for (event, tries) in taker.await.expect("ends") {
            assert_eq!(tries, 1, "{event}");
            assert_eq!(taken.insert(event.clone(), tries), None, "{event}");
        }
    }
    assert_eq!(taken.len(), EVENTS);
}

/// Only the last try may say how it ended: who was taken for dead changes nothing.
pub async fn a_try_is_ended_by_its_own_number_only(store: Billing) {
    keep(&store, &[event("evt_1"), event("evt_2")]).await;
    let ends = |event_ref: &str, tries: u32, state: EventState| EventResult {
        id: event_id(event_ref),
        tries,
        state,
        next_try_at: instant(50),
        error: (state == EventState::Waiting).then(|| "it's \"away\"".to_owned()),
    };
    let end = async |result: EventResult| store.end_event_try(&result).await.expect("writes");
    assert!(!end(ends("unknown", 1, EventState::Done)).await);
    assert_eq!(take(&store, 9, 2).await.len(), 2);
    assert_eq!(take(&store, 100, 2).await.len(), 2);
    for tries in [0, 1, 3] {
        assert!(
            !end(ends("evt_1", tries, EventState::Done)).await,
            "{tries}"
        );
    }
    assert!(end(ends("evt_1", 2, EventState::Waiting)).await);
    let read = store.event(&event_id("evt_1")).await.expect("reads");
    let waits = KeptEvent {
        tries: 2,
        next_try_at: instant(50),
        error: Some("it's \"away\"".to_owned()),
        ..event("evt_1")
    };
    assert_eq!(read, Some(waits));
    assert_eq!(take(&store, 50, 2).await, named(&[("evt_1", 3)]));
    assert!(end(ends("evt_1", 3, EventState::Done)).await);
    let read = store.event(&event_id("evt_1")).await.expect("reads");
    let done = KeptEvent {
        tries: 3,
        next_try_at: instant(50),
        state: EventState::Done,
        ..event("evt_1")
    };
    assert_eq!(read, Some(done));
    assert_eq!(take(&store, 99, 2).await, []);
}

/// A person may have an event tried again that was given up.
pub async fn an_event_that_was_given_up_may_be_tried_again(store: Billing) {
    let given_up = KeptEvent {
        state: EventState::GivenUp,
        tries: 9,
        ..event("evt_1")
    };
    keep(&store, &[given_up]).await;
    assert_eq!(take(&store, 9, 1).await, []);
    let again = EventResult {
        id: event_id("evt_1"),
        tries: 9,
        state: EventState::Waiting,
        next_try_at: instant(9),
        error: None,
    };
    assert!(store.end_event_try(&again).await.expect("writes"));
    assert_eq!(take(&store, 9, 1).await, named(&[("evt_1", 10)]));
}
