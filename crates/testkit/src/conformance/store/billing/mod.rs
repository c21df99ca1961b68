//! What is kept of payment providers: connections, customers, events, problems and top-ups.

mod events;
mod links;
mod problems;
mod takes;
mod top_ups;

use std::sync::Arc;

use quota_core::ids::{CustomerRef, EventRef, ProviderCode};
use quota_core::payment::PaymentMode;
use quota_core::ports::BillingStore;
use quota_core::provider::{CustomerId, EventId, EventState, KeptEvent};

pub use events::*;
pub use links::*;
pub use problems::*;
pub use takes::*;
pub use top_ups::*;

use crate::fixtures::instant;

type Billing = Arc<dyn BillingStore>;

/// How many come at once in a race.
const AT_ONCE: usize = 64;

fn provider(code: &str) -> ProviderCode {
    ProviderCode::new(code).expect("a provider")
}

fn customer(customer: &str) -> CustomerId {
    CustomerId {
        provider: provider("stripe"),
        mode: PaymentMode::Live,
        customer: CustomerRef::new(customer).expect("a customer"),
    }
}

fn event_id(event: &str) -> EventId {
    EventId {
        provider: provider("stripe"),
        mode: PaymentMode::Live,
        event: EventRef::new(event).expect("an event"),
    }
}

/// An event that came at second 5 and may be tried since then.
fn event(event: &str) -> KeptEvent {
    KeptEvent {
        id: event_id(event),
        kind: "invoice.paid".to_owned(),
        about: None,
        customer: None,
        made_at: instant(4),
        received_at: instant(5),
        state: EventState::Waiting,
        tries: 0,
        next_try_at: instant(5),
        error: None,
    }
}

/// Keeps events that are new.
async fn keep(store: &Billing, events: &[KeptEvent]) {
    for event in events {
        assert!(store.keep_event(event).await.expect("writes"), "{event:?}");
    }
}
