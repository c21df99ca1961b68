//! Ports: what the engine asks of a store, a cache, a clock and whoever is told of events.

mod cache;
mod clock;
mod jobs;
mod keys;
mod records;
mod store;

pub use cache::{Cache, CacheError, CachedHome, EventSink};
pub use clock::{Clock, FixedClock, Ids};
pub use jobs::{BatchRecord, JobRun, JobStore, Lease, RunState, RunSummary};
pub use keys::{ApiKey, KeyScope, KeyStore};
pub use records::{
    AccountPage, AccountRow, AuditHome, AuditPiece, AuditReader, Audits, CatalogStore, Directory,
    LedgerPage, Outbox, Records, Relocation,
};
pub use store::{
    AccountWrite, DecideLocked, HomeQuery, HomeWrite, KeyQuery, LoadQuery, Loaded, Store,
    StoreError, WriteBatch,
};

/// Everything that the services need of one database.
pub trait Storage:
    Store + Directory + CatalogStore + Records + Audits + Outbox + KeyStore + JobStore
{
}

impl<T> Storage for T where
    T: Store + Directory + CatalogStore + Records + Audits + Outbox + KeyStore + JobStore
{
}
