//! The bus of events drops nothing unseen.

use cache_memory::MemoryEvents;
use quota_core::ports::EventSink;
use testkit::fixtures::{event, user};
use tokio::sync::broadcast::error::RecvError;

#[tokio::test]
async fn every_receiver_gets_every_event_in_order() {
    let bus = MemoryEvents::default();
    let (mut first, mut second) = (bus.subscribe(), bus.subscribe());
    let bob = user("bob");
    let events = [event(&bob, &bob, 1), event(&bob, &bob, 2)];
    for event in &events {
        bus.publish(event).await.unwrap();
    }
    for event in &events {
        assert_eq!(first.recv().await.as_ref(), Ok(event));
        assert_eq!(second.recv().await.as_ref(), Ok(event));
    }
}

#[tokio::test]
async fn without_a_listener_an_event_counts_as_told() {
    let bob = user("bob");
    let bus = MemoryEvents::default();
    bus.publish(&event(&bob, &bob, 1)).await.unwrap();
}

#[tokio::test]
async fn a_receiver_that_is_too_slow_learns_how_much_it_missed() {
    let bus = MemoryEvents::new(2);
    let mut slow = bus.subscribe();
    let bob = user("bob");
    for sequence in 1..=5 {
        bus.publish(&event(&bob, &bob, sequence)).await.unwrap();
    }
    assert_eq!(slow.recv().await, Err(RecvError::Lagged(3)));
    assert_eq!(slow.recv().await.unwrap().sequence, 4);
    assert_eq!(slow.recv().await.unwrap().sequence, 5);
}
