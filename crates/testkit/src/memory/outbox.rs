//! Events in one queue: under one lock a place is given with the commit.

use async_trait::async_trait;
use quota_core::event::Event;
use quota_core::ids::AccountId;
use quota_core::ports::{EventFeed, QueuePlace, QueuedEvent, StoreError};

use super::MemoryStore;
use super::records::at_most;
use super::state::State;

/// The only queue.
const QUEUE: i16 = 0;

impl State {
    pub(super) fn append_event(&mut self, event: Event) {
        self.last_place += 1;
        self.outbox.insert(self.last_place, event);
    }

    /// The events of an account go along with it.
    pub(super) fn carry_events(&mut self, account: &AccountId, to: &AccountId) {
        for event in self.outbox.values_mut() {
            if event.account == *account {
                event.home = to.clone();
            }
        }
    }

    fn waiting(&self, consumer: &str) -> impl Iterator<Item = (&u64, &Event)> {
        let cursor = self.cursors.get(consumer).copied().unwrap_or_default();
        self.outbox.range(cursor + 1..)
    }
}

#[async_trait]
impl EventFeed for MemoryStore {
    async fn queues_with_events(&self, consumer: &str) -> Result<Vec<i16>, StoreError> {
        self.call(|state| {
            state.cursors.entry(consumer.to_owned()).or_default();
            let next = state.waiting(consumer).next();
            Ok(next.map(|_| QUEUE).into_iter().collect())
        })
    }

    async fn next_events(
        &self,
        consumer: &str,
        after: QueuePlace,
        limit: u32,
    ) -> Result<Vec<QueuedEvent>, StoreError> {
        self.call(|state| {
            let waiting = state
                .waiting(consumer)
                .filter(|(place, _)| after.place < **place)
                .take(at_most(limit));
            let queued = waiting.map(|(place, event)| QueuedEvent {
                at: QueuePlace {
                    place: *place,
                    ..after
                },
                event: event.clone(),
            });
            Ok(queued.collect())
        })
    }

    async fn pass_events(&self, consumer: &str, place: QueuePlace) -> Result<(), StoreError> {
        self.call(|state| {
            let cursor = state.cursors.entry(consumer.to_owned()).or_default();
            *cursor = place.place.max(*cursor);
            Ok(())
        })
    }

    async fn events_after(
        &self,
        _home: &AccountId,
        account: &AccountId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError> {
        self.call(|state| {
            let of_account = state.outbox.values();
            let of_account = of_account.filter(|e| e.account == *account && e.number > after);
            let mut found: Vec<Event> = of_account.cloned().collect();
            found.sort_by_key(|event| event.number);
            found.truncate(at_most(limit));
            Ok(found)
        })
    }
}
