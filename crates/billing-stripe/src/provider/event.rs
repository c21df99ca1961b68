//! Which object an event is about, if it is one that is looked at.

use chrono::{DateTime, Utc};
use quota_core::ids::{CustomerRef, EventRef, ProviderCode};
use quota_core::provider::{EventId, EventState, KeptEvent, ObjectKind, ProviderObject};

use super::facts::PACK_KEY;
use crate::read::{self, About};
use crate::shapes::Event;

/// What is kept of an event: its id, its kind, and which object to fetch; of a kind that is not looked at no object, and no work.
/// None: it has no id, no kind or no mode, and could not be kept.
///
/// ```
/// use billing_stripe::provider::{code, event_of};
/// use quota_core::provider::ObjectKind;
///
/// let told = r#"{"id": "evt_1", "object": "event", "type": "charge.refunded", "livemode": false, "created": 1800000000,
///     "data": {"object": {"id": "ch_1", "object": "charge", "customer": "cus_1"}}}"#;
/// let event = serde_json::from_str(told)?;
/// let kept = event_of(&code(), &event, chrono::DateTime::UNIX_EPOCH).ok_or("an event")?;
/// assert_eq!(kept.id.to_string(), "stripe:test:evt_1");
/// let about = kept.about.ok_or("a charge")?;
/// assert_eq!((about.kind, about.id.as_str()), (ObjectKind::Charge, "ch_1"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn event_of(
    provider: &ProviderCode,
    event: &Event,
    received_at: DateTime<Utc>,
) -> Option<KeptEvent> {
    let kind = read::what_happened(event)?;
    let id = EventId {
        provider: provider.clone(),
        mode: read::mode_of(event)?.into(),
        event: EventRef::new(&event.id).ok()?,
    };
    let named = read::about(event);
    let about = named
        .as_ref()
        .and_then(|named| object_of(event, kind, named));
    let customer = named.and_then(|named| named.customer);
    let state = if about.is_some() {
        EventState::Waiting
    } else {
        EventState::Ignored
    };
    Some(KeptEvent {
        id,
        kind: kind.to_owned(),
        about,
        customer: customer.and_then(|customer| CustomerRef::new(customer).ok()),
        made_at: event.created.unwrap_or(received_at),
        received_at,
        state,
        tries: 0,
        next_try_at: received_at,
        error: None,
    })
}

/// The object to fetch for an event of this kind.
fn object_of(event: &Event, happened: &str, named: &About<'_>) -> Option<ProviderObject> {
    if happened == "invoice_payment.paid" {
        return invoice_of_payment(event);
    }
    let kind = kind_of(happened)?;
    let is_of_kind = named.object.is_none_or(|word| word == word_of(kind));
    let may_be_ours = kind != ObjectKind::Intent || may_be_an_order(event);
    (is_of_kind && may_be_ours).then(|| ProviderObject {
        kind,
        id: named.id.to_owned(),
    })
}

/// A payment of an invoice is about the invoice. A thin event names the payment alone; the invoice tells the same by its own event.
fn invoice_of_payment(event: &Event) -> Option<ProviderObject> {
    let object = event.data.as_ref()?.object.as_ref()?;
    Some(ProviderObject {
        kind: ObjectKind::Invoice,
        id: object.invoice.clone()?,
    })
}

/// Whether the payment may be an order of ours: its picture names a pack, or there is no picture. What pays a session or an invoice is
/// told by that.
fn may_be_an_order(event: &Event) -> bool {
    let picture = event.data.as_ref().and_then(|data| data.object.as_ref());
    picture.is_none_or(|picture| picture.metadata.contains_key(PACK_KEY))
}

/// What events of a kind are about; none of a kind that is not looked at.
fn kind_of(happened: &str) -> Option<ObjectKind> {
    let kind = match happened {
        "customer.created" | "customer.updated" | "customer.deleted" => ObjectKind::Customer,
        "invoice.paid"
        | "invoice.payment_failed"
        | "invoice.payment_action_required"
        | "invoice.voided"
        | "invoice.marked_uncollectible" => ObjectKind::Invoice,
        "payment_intent.succeeded"
        | "payment_intent.processing"
        | "payment_intent.payment_failed"
        | "payment_intent.canceled" => ObjectKind::Intent,
        "charge.refunded" => ObjectKind::Charge,
        "charge.refund.updated" => ObjectKind::Refund,
        _named => return kind_of_group(happened),
    };
    Some(kind)
}

fn kind_of_group(happened: &str) -> Option<ObjectKind> {
    let groups = [
        ("customer.subscription.", ObjectKind::Subscription),
        ("subscription_schedule.", ObjectKind::Schedule),
        ("checkout.session.", ObjectKind::Session),
        ("refund.", ObjectKind::Refund),
        ("charge.dispute.", ObjectKind::Dispute),
    ];
    let mut groups = groups.into_iter();
    let found = groups.find(|(group, _)| happened.starts_with(group));
    found.map(|(_, kind)| kind)
}

/// What Stripe calls an object of a kind.
fn word_of(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::Customer => "customer",
        ObjectKind::Subscription => "subscription",
        ObjectKind::Schedule => "subscription_schedule",
        ObjectKind::Session => "checkout.session",
        ObjectKind::Invoice => "invoice",
        ObjectKind::Intent => "payment_intent",
        ObjectKind::Charge => "charge",
        ObjectKind::Refund => "refund",
        ObjectKind::Dispute => "dispute",
    }
}
