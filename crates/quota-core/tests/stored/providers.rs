//! What is stored of a payment provider: how far its sync came, what an event is about, and words.

use quota_core::ids::SubscriptionRef;
use quota_core::provider::{EventState, ObjectKind, ProblemKind, ProviderObject, SyncProgress};

use super::{at, of};
use crate::Documents;

pub fn sync_progress() -> Documents<SyncProgress> {
    let full = SyncProgress {
        events_read_until: Some(at(1)),
        listed_at: Some(at(2)),
        list_began_at: Some(at(3)),
        list_after: Some(of(SubscriptionRef::new("sub_1"))),
    };
    vec![("none", SyncProgress::default()), ("full", full)]
}

pub fn provider_objects() -> Documents<ProviderObject> {
    let object = |kind| ProviderObject {
        kind,
        id: "id_1".to_owned(),
    };
    vec![
        ("customer", object(ObjectKind::Customer)),
        ("subscription", object(ObjectKind::Subscription)),
        ("schedule", object(ObjectKind::Schedule)),
        ("session", object(ObjectKind::Session)),
        ("invoice", object(ObjectKind::Invoice)),
        ("intent", object(ObjectKind::Intent)),
        ("charge", object(ObjectKind::Charge)),
        ("refund", object(ObjectKind::Refund)),
        ("dispute", object(ObjectKind::Dispute)),
    ]
}

pub fn event_states() -> Documents<EventState> {
    EventState::ALL.map(|state| ("state", state)).to_vec()
}

pub fn problem_kinds() -> Documents<ProblemKind> {
    ProblemKind::ALL.map(|kind| (kind.as_str(), kind)).to_vec()
}
