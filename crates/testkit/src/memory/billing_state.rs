//! What the store in memory keeps of payment providers.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use quota_core::ids::ProviderCode;
use quota_core::payment::PaymentMode;
use quota_core::provider::{
    BillingProblem, Connection, CustomerId, CustomerLink, EventId, EventState, KeptEvent, ProblemId,
};

/// What is kept of payment providers.
#[derive(Debug, Default)]
pub(super) struct BillingState {
    pub(super) connections: BTreeMap<(ProviderCode, PaymentMode), Connection>,
    pub(super) links: BTreeMap<CustomerId, CustomerLink>,
    pub(super) events: BTreeMap<EventId, KeptEvent>,
    pub(super) problems: BTreeMap<ProblemId, BillingProblem>,
}

impl BillingState {
    /// Events that are asked for, the oldest first.
    pub(super) fn oldest(&self, is_asked_for: impl Fn(&KeptEvent) -> bool) -> Vec<&KeptEvent> {
        let events = self.events.values();
        let mut found: Vec<&KeptEvent> = events.filter(|event| is_asked_for(event)).collect();
        found.sort_by_key(|event| (event.received_at, &event.id));
        found
    }

    /// Events that wait and may be tried, taken for their next try.
    pub(super) fn take_events(
        &mut self,
        (now, until): (DateTime<Utc>, DateTime<Utc>),
        limit: usize,
    ) -> Vec<KeptEvent> {
        let due = self.oldest(|event| is_waiting(event) && event.next_try_at <= now);
        let due = due.into_iter().take(limit);
        let taken = due.map(|event| KeptEvent {
            tries: event.tries + 1,
            next_try_at: until,
            ..event.clone()
        });
        let taken: Vec<KeptEvent> = taken.collect();
        for event in &taken {
            self.events.insert(event.id.clone(), event.clone());
        }
        taken
    }

    /// Lists a problem, or counts the one that is there once more.
    pub(super) fn raise(&mut self, problem: &BillingProblem) {
        let known = self.problems.get(&problem.id);
        let (times, first_seen_at, last_seen_at) = known.map_or(
            (problem.times, problem.first_seen_at, problem.last_seen_at),
            |known| {
                let last_seen_at = known.last_seen_at.max(problem.last_seen_at);
                (known.times + 1, known.first_seen_at, last_seen_at)
            },
        );
        let open = BillingProblem {
            times,
            first_seen_at,
            last_seen_at,
            settled: None,
            ..problem.clone()
        };
        self.problems.insert(open.id.clone(), open);
    }
}

/// Whether it is to be worked on.
pub(super) fn is_waiting(event: &KeptEvent) -> bool {
    event.state == EventState::Waiting
}
