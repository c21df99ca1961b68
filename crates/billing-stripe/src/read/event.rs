//! What an event says that is believed: its kind and which object to fetch.

use crate::secret::Mode;
use crate::shapes::Event;

/// The object that an event is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct About<'a> {
    /// Its id.
    pub id: &'a str,
    /// What it is, `subscription`; `checkout.session` has a dot in it.
    pub object: Option<&'a str>,
    /// Whose it is, where the event says so. Only a hint.
    pub customer: Option<&'a str>,
}

/// Whether an event carries ids only.
pub fn is_thin(event: &Event) -> bool {
    event.object.as_deref() == Some("v2.core.event")
}

/// What happened, in the words of snapshots: `v1.invoice.paid` of a thin event is `invoice.paid`.
pub fn what_happened(event: &Event) -> Option<&str> {
    let kind = event.kind.as_deref()?;
    let shorter = kind.strip_prefix("v1.").filter(|_| is_thin(event));
    Some(shorter.unwrap_or(kind))
}

/// The object that an event is of. None: it says nothing that could be fetched, such as an upcoming invoice's.
pub fn about(event: &Event) -> Option<About<'_>> {
    if let Some(related) = &event.related_object {
        let id = related.id.as_deref()?;
        let object = related.kind.as_deref();
        return Some(About {
            id,
            object,
            customer: None,
        });
    }
    let object = event.data.as_ref()?.object.as_ref()?;
    let id = object.id.as_deref()?;
    let is_customer = object.object.as_deref() == Some("customer");
    Some(About {
        id,
        object: object.object.as_deref(),
        customer: object.customer.as_deref().or(is_customer.then_some(id)),
    })
}

/// The mode that an event is of.
pub fn mode_of(event: &Event) -> Option<Mode> {
    event.livemode.map(Mode::of)
}

/// The account that an event is of, if it names one: it may be another than ours.
pub fn foreign_account(event: &Event) -> Option<&str> {
    event.account.as_deref().or(event.context.as_deref())
}
