//! Calls to Stripe's API: one version, one key, retries under the same idempotency key, lists to their end.

mod calls;
mod count;
mod error;
mod form;
mod http;
mod key;
mod pace;
mod pace_shared;
mod pages;
mod retry;
mod send;
mod settings;
mod transport;

pub use calls::{
    Account, Change, ChargeFilter, CheckoutLine, CustomerFields, DisputeFilter, EventFilter,
    IntentFilter, InvoiceFilter, InvoicePaymentFilter, ItemChange, MeterCancel, MeterSumFilter,
    MeterUse, NewInvoice, NewInvoiceItem, NewOffSessionIntent, NewPortalSession, NewPrice,
    NewProduct, NewRecurring, NewSchedulePhase, NewSession, PhaseLine, PortalFeatures, PriceFilter,
    RefundFilter, SessionFilter, SessionSubscription, SubscriptionChange, SubscriptionFilter, Told,
};
pub use count::{CallCount, CallResult, Uncounted};
pub use error::{RateKind, StripeError};
pub use http::HttpTransport;
pub use key::{IdempotencyKey, KeyError};
pub use pace::{CallSort, LocalPace, Pace, Unpaced};
pub use pace_shared::SharedPace;
pub use pages::{PAGE_SIZE, PAGES_MAX, Pages};
pub use retry::RetryRule;
pub use send::{Client, ClientParts};
pub use settings::{API_VERSION, BaseUrl, BaseUrlError, HttpSettings, OpenError};
pub use transport::{Answer, Method, Request, Transport, TransportFault};
