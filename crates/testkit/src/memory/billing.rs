//! Connections, customers, events and problems of payment providers.

use std::cmp::Reverse;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use quota_core::ids::{AccountId, ProviderCode};
use quota_core::payment::PaymentMode;
use quota_core::ports::{
    BillingStore, EventCounts, EventPage, EventResult, ProblemPage, StoreError,
};
use quota_core::provider::{
    BillingProblem, Connection, CustomerId, CustomerLink, EventId, EventState, KeptEvent,
    ProblemId, Settled, SyncProgress,
};

use super::MemoryStore;
use super::billing_state::is_waiting;
use super::records::at_most;

/// Whether nothing is to be done for it, nor by a person.
fn is_over(event: &KeptEvent) -> bool {
    match event.state {
        EventState::Waiting | EventState::GivenUp => false,
        EventState::Done | EventState::Ignored | EventState::Gone => true,
    }
}

fn is_event_listed(page: &EventPage, event: &KeptEvent) -> bool {
    let is_behind =
        |(at, id): &(DateTime<Utc>, EventId)| (event.received_at, &event.id) < (*at, id);
    event.id.provider == page.provider
        && page.state.is_none_or(|state| state == event.state)
        && page.after.as_ref().is_none_or(is_behind)
}

/// Where a problem stands in lists: by words, as databases compare them.
fn place(last_seen_at: DateTime<Utc>, id: &ProblemId) -> (DateTime<Utc>, [&str; 3]) {
    let words = [id.mode.as_str(), id.kind.as_str(), &id.about];
    (last_seen_at, words)
}

fn is_problem_listed(page: &ProblemPage, problem: &BillingProblem) -> bool {
    let is_behind = |(at, id): &(DateTime<Utc>, ProblemId)| {
        place(problem.last_seen_at, &problem.id) < place(*at, id)
    };
    problem.id.provider == page.provider
        && (!page.is_open || problem.settled.is_none())
        && page.kind.is_none_or(|kind| kind == problem.id.kind)
        && (page.account.is_none() || page.account == problem.account)
        && page.after.as_ref().is_none_or(is_behind)
}

#[async_trait]
impl BillingStore for MemoryStore {
    async fn connect(&self, connection: &Connection) -> Result<Connection, StoreError> {
        self.call(|state| {
            let of = (connection.provider.clone(), connection.mode);
            let connected = state.billing.connections.entry(of);
            Ok(connected.or_insert_with(|| connection.clone()).clone())
        })
    }

    async fn put_sync_progress(
        &self,
        provider: &ProviderCode,
        mode: PaymentMode,
        progress: &SyncProgress,
    ) -> Result<(), StoreError> {
        self.call(|state| {
            let connections = &mut state.billing.connections;
            if let Some(connected) = connections.get_mut(&(provider.clone(), mode)) {
                connected.progress = progress.clone();
            }
            Ok(())
        })
    }

    async fn link_customer(&self, link: &CustomerLink) -> Result<CustomerLink, StoreError> {
        self.call(|state| {
            let linked = state.billing.links.entry(link.id.clone());
            Ok(linked.or_insert_with(|| link.clone()).clone())
        })
    }

    async fn unlink_customer(&self, id: &CustomerId) -> Result<bool, StoreError> {
        self.call(|state| Ok(state.billing.links.remove(id).is_some()))
    }

    async fn customer(&self, id: &CustomerId) -> Result<Option<CustomerLink>, StoreError> {
        self.call(|state| Ok(state.billing.links.get(id).cloned()))
    }

    async fn customers_of(&self, account: &AccountId) -> Result<Vec<CustomerLink>, StoreError> {
        self.call(|state| {
            let links = state.billing.links.values();
            let of_account = links.filter(|link| link.account == *account).cloned();
            let without_sync = of_account.map(|link| CustomerLink {
                synced_at: None,
                ..link
            });
            Ok(without_sync.collect())
        })
    }

    async fn take_sync(
        &self,
        id: &CustomerId,
        began_at: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        self.call(|state| {
            let link = state.billing.links.get_mut(id);
            let is_behind = |link: &&mut CustomerLink| link.synced_at < Some(began_at);
            let link = link.filter(is_behind);
            Ok(link.map(|link| link.synced_at = Some(began_at)).is_some())
        })
    }

    async fn keep_event(&self, event: &KeptEvent) -> Result<bool, StoreError> {
        self.call(|state| {
            let events = &mut state.billing.events;
            let is_new = !events.contains_key(&event.id);
            if is_new {
                events.insert(event.id.clone(), event.clone());
            }
            Ok(is_new)
        })
    }

    async fn take_events(
        &self,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<KeptEvent>, StoreError> {
        self.call(|state| Ok(state.billing.take_events((now, until), at_most(limit))))
    }

    async fn end_event_try(&self, result: &EventResult) -> Result<bool, StoreError> {
        self.call(|state| {
            let event = state.billing.events.get_mut(&result.id);
            let event = event.filter(|event| event.tries == result.tries);
            let ended = event.map(|event| {
                event.state = result.state;
                event.next_try_at = result.next_try_at;
                event.error.clone_from(&result.error);
            });
            Ok(ended.is_some())
        })
    }

    async fn event(&self, id: &EventId) -> Result<Option<KeptEvent>, StoreError> {
        self.call(|state| Ok(state.billing.events.get(id).cloned()))
    }

    async fn events(&self, page: &EventPage) -> Result<Vec<KeptEvent>, StoreError> {
        self.call(|state| {
            let found = state.billing.oldest(|event| is_event_listed(page, event));
            let newest = found.into_iter().rev().take(at_most(page.limit));
            Ok(newest.cloned().collect())
        })
    }

    async fn event_counts(&self) -> Result<EventCounts, StoreError> {
        self.call(|state| {
            let waiting = state.billing.oldest(is_waiting);
            let given_up = |event: &KeptEvent| event.state == EventState::GivenUp;
            let count = |events: &[&KeptEvent]| u64::try_from(events.len()).unwrap_or(u64::MAX);
            Ok(EventCounts {
                waiting: count(&waiting),
                given_up: count(&state.billing.oldest(given_up)),
                oldest_waiting_at: waiting.first().map(|event| event.received_at),
                next_try_at: waiting.iter().map(|event| event.next_try_at).min(),
            })
        })
    }

    async fn prune_events(&self, before: DateTime<Utc>, limit: u32) -> Result<u64, StoreError> {
        self.call(|state| {
            let old = state
                .billing
                .oldest(|event| is_over(event) && event.received_at < before);
            let old = old.into_iter().take(at_most(limit));
            let old: Vec<EventId> = old.map(|event| event.id.clone()).collect();
            for id in &old {
                state.billing.events.remove(id);
            }
            Ok(u64::try_from(old.len()).unwrap_or(u64::MAX))
        })
    }

    async fn raise_problem(&self, problem: &BillingProblem) -> Result<(), StoreError> {
        self.call(|state| {
            state.billing.raise(problem);
            Ok(())
        })
    }

    async fn settle_problem(&self, id: &ProblemId, settled: &Settled) -> Result<bool, StoreError> {
        self.call(|state| {
            let problem = state.billing.problems.get_mut(id);
            let open = problem.filter(|problem| problem.settled.is_none());
            let settled = open.map(|problem| problem.settled = Some(settled.clone()));
            Ok(settled.is_some())
        })
    }

    async fn problem(&self, id: &ProblemId) -> Result<Option<BillingProblem>, StoreError> {
        self.call(|state| Ok(state.billing.problems.get(id).cloned()))
    }

    async fn open_problems_about(
        &self,
        provider: &ProviderCode,
        mode: PaymentMode,
        about: &str,
    ) -> Result<Vec<BillingProblem>, StoreError> {
        self.call(|state| {
            let problems = state.billing.problems.values();
            let is_asked_for = |problem: &&BillingProblem| {
                let id = &problem.id;
                let is_about = id.provider == *provider && id.mode == mode && id.about == about;
                is_about && problem.settled.is_none()
            };
            let mut found: Vec<BillingProblem> = problems.filter(is_asked_for).cloned().collect();
            found.sort_by_key(|problem| problem.id.kind.as_str());
            Ok(found)
        })
    }

    async fn problems(&self, page: &ProblemPage) -> Result<Vec<BillingProblem>, StoreError> {
        self.call(|state| {
            let problems = state.billing.problems.values();
            let listed = problems.filter(|problem| is_problem_listed(page, problem));
            let mut found: Vec<&BillingProblem> = listed.collect();
            found.sort_by_key(|problem| Reverse(place(problem.last_seen_at, &problem.id)));
            let found = found.into_iter().take(at_most(page.limit));
            Ok(found.cloned().collect())
        })
    }
}
