//! Stripe's objects, as far as they are read here. All are tolerant: what is missing, null, of another type or newer than
//! this code is `None`, empty or [`Open::Other`], in the API of 2017 and in today's. Only an object's own id must be there.
//!
//! What lies in different places in old and new versions stands here twice; `read` has one function for each fact.

mod checkout;
mod customer;
mod dispute;
mod event;
mod invoice;
mod lenient;
mod meter;
mod open;
mod payment;
mod portal;
mod price;
mod refund;
mod schedule;
mod subscription;

pub use checkout::{CheckoutMode, CheckoutPaymentStatus, CheckoutSession, CheckoutStatus};
pub use checkout::{PresentmentDetails, SessionLine};
pub use customer::{Customer, InvoiceSettings, PaymentMethod};
pub use dispute::{Dispute, DisputeStatus};
pub use event::{Event, EventData, EventObject, RelatedObject};
pub use invoice::{
    BillingReason, Invoice, InvoiceItem, InvoiceLine, InvoiceParent, InvoicePayment, InvoiceStatus,
    LineParent, LineParentDetails, LinePeriod, LinePricing, PaidBy, PriceDetails,
    StatusTransitions, SubscriptionDetails,
};
pub use lenient::{List, Listed, Metadata, OneOf};
pub use meter::{Meter, MeterEvent, MeterSum};
pub use open::{Open, Word};
pub use payment::{Charge, ChargeStatus, IntentStatus, PaymentError, PaymentIntent};
pub use portal::{PortalConfiguration, PortalSession};
pub use price::{Interval, Plan, Price, PriceKind, Product, Recurring};
pub use refund::{Refund, RefundStatus};
pub use schedule::{
    CurrentPhase, PhaseDiscount, PhaseItem, Schedule, SchedulePhase, ScheduleStatus,
};
pub use subscription::{
    PauseCollection, PendingUpdate, Subscription, SubscriptionItem, SubscriptionStatus,
};
