//! The calls that are made, by what they are about.

mod account;
mod catalog;
mod checkout;
mod customers;
mod events;
mod invoices;
mod meters;
mod payments;
mod portal;
mod schedules;
mod subscriptions;

use serde::{Serialize, Serializer};

pub use account::Account;
pub use catalog::{NewPrice, NewProduct, NewRecurring, PriceFilter};
pub use checkout::{CheckoutLine, NewSession, SessionFilter, SessionSubscription};
pub use customers::CustomerFields;
pub use events::EventFilter;
pub use invoices::{InvoiceFilter, InvoicePaymentFilter, NewInvoice, NewInvoiceItem};
pub use meters::{MeterCancel, MeterSumFilter, MeterUse, Told};
pub use payments::{ChargeFilter, DisputeFilter, IntentFilter, NewOffSessionIntent, RefundFilter};
pub use portal::{NewPortalSession, PortalFeatures};
pub use schedules::{NewSchedulePhase, PhaseLine};
pub use subscriptions::{ItemChange, SubscriptionChange, SubscriptionFilter};

/// A new value of a field that may also be cleared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change<T> {
    /// It becomes this.
    To(T),
    /// It becomes nothing.
    Clear,
}

impl<T: Serialize> Serialize for Change<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::To(value) => value.serialize(serializer),
            // Stripe's form for it.
            Self::Clear => serializer.serialize_str(""),
        }
    }
}

/// Nothing is asked beside the path.
#[derive(Clone, Copy, Debug, Serialize)]
struct Nothing {}

/// Parts of the answer that are wanted whole.
#[derive(Clone, Copy, Debug, Serialize)]
struct Expanded {
    expand: &'static [&'static str],
}
