//! Events, as they are stored.

use quota_core::change::Change;
use quota_core::event::{Event, EventKind};

use super::{account, at, feature, grant, id, plan};
use crate::Documents;

pub fn events() -> Documents<Event> {
    let event = |kind| Event {
        id: id(7),
        home: account("org:acme"),
        account: account("user:alice"),
        number: 2,
        sequence: 7,
        at: at(1),
        kind,
    };
    let updated = EventKind::QuotaUpdated {
        reason: Change::OverrideSet,
    };
    let expired = EventKind::SubscriptionExpired { plan: plan("pro") };
    let reset = EventKind::QuotaReset {
        features: vec![feature("articles")],
    };
    let low = EventKind::CreditsLow {
        credits: 9,
        below: 10,
    };
    let expiring = EventKind::CreditsExpiring {
        grant: grant(),
        credits: 20,
        expires_at: at(8),
        days: 7,
    };
    vec![
        ("quota_updated", event(updated)),
        ("subscription_expired", event(expired)),
        ("quota_reset", event(reset)),
        ("credits_low", event(low)),
        ("credits_expiring", event(expiring)),
    ]
}
