//! Ports: what the engine and the jobs ask of a store, a cache, a clock and a sink of events.

mod audits;
mod billing;
mod cache;
mod catalog;
mod clock;
mod codes;
mod directory;
mod events;
mod jobs;
mod keys;
mod lists;
mod meters;
mod payments;
mod provider;
mod store;
mod store_error;
mod top_ups;
mod turns;
mod upkeep;

pub use audits::{AuditHome, AuditPiece, AuditReader, Audits};
pub use billing::{BillingStore, EventCounts, EventPage, EventResult, ProblemPage};
pub use cache::{Cache, CacheError, CachedHome};
pub use catalog::CatalogStore;
pub use clock::{Clock, FixedClock, Ids};
pub use codes::{CodeBatchPage, CodeBatchPlace, CodeClaim, CodePage, CodeStore, CodeUsePage};
pub use directory::Directory;
pub use events::{EventFeed, EventSink, PublishError, QueuePlace, QueuedEvent};
pub use jobs::{BatchRecord, JobRun, JobStore, Lease, RunState, RunSummary};
pub use keys::{ApiKey, KeyScope, KeyStore};
pub use lists::{AccountPage, AccountRow, LedgerPage, Lists};
pub use meters::{
    Cancelled, LedgerMark, MeterEntries, MeterProvider, MeterStore, MeterUse, MeterWrite, SoldPage,
};
pub use payments::{PaymentPage, PaymentPlace, PaymentStore};
pub use provider::{
    Charged, Checkout, CheckoutKind, CheckoutState, Listed, NewCharge, NewCheckout,
    PaymentProvider, ProviderError, ProviderFault, SubscriptionAct, Webhook, WebhookReader,
    WebhookRefusal,
};
pub use store::{
    AccountWrite, ClosedKind, ClosedQuery, DecideLocked, HomeQuery, HomeWrite, KeyQuery, LoadQuery,
    Loaded, Store, WriteBatch,
};
pub use store_error::StoreError;
pub use top_ups::{TopUpPage, TopUpStore};
pub use turns::{TURNS_MAX, Turns, TurnsError};
pub use upkeep::Upkeep;

/// Everything that the services need of one database.
pub trait Storage:
    Store
    + Directory
    + CatalogStore
    + Lists
    + Upkeep
    + Audits
    + EventFeed
    + KeyStore
    + JobStore
    + PaymentStore
{
}

impl<T> Storage for T where
    T: Store
        + Directory
        + CatalogStore
        + Lists
        + Upkeep
        + Audits
        + EventFeed
        + KeyStore
        + JobStore
        + PaymentStore
{
}
