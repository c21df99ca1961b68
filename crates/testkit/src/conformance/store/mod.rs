//! Promises of every store. Each takes an empty one.
#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a failed call is a failed test, and says which"
)]

mod billing;
mod catalogs;
mod codes;
mod directory;
mod events;
mod jobs;
mod loads;
mod locks;
mod meters;
mod payments;
mod records;
mod reservations;
mod round_trip;
mod writes;

use std::sync::Arc;

use quota_core::event::Event;
use quota_core::home::Home;
use quota_core::ids::AccountId;
use quota_core::ports::{
    AuditHome, HomeQuery, HomeWrite, QueuePlace, QueuedEvent, Storage, StoreError,
};

pub use billing::*;
pub use catalogs::*;
pub use codes::*;
pub use directory::*;
pub use events::*;
pub use jobs::*;
pub use loads::*;
pub use locks::*;
pub use meters::*;
pub use payments::*;
pub use records::*;
pub use reservations::*;
pub use round_trip::*;
pub use writes::*;

use crate::fixtures::{batch, home_query, load_query};

type Store = Arc<dyn Storage>;

/// Writes homes that must pass.
async fn put(store: &Store, homes: Vec<HomeWrite>) {
    let names: Vec<AccountId> = homes.iter().map(|home| home.home.clone()).collect();
    assert_eq!(try_put(store, homes).await.expect("writes"), names);
}

/// Writes homes; gives back those that passed.
async fn try_put(store: &Store, homes: Vec<HomeWrite>) -> Result<Vec<AccountId>, StoreError> {
    store.write(&batch(homes)).await
}

/// A home with its own account.
async fn get(store: &Store, home: &AccountId) -> Home {
    get_with(store, home_query(home)).await
}

/// A home with what is asked for.
async fn get_with(store: &Store, query: HomeQuery) -> Home {
    let loaded = store.load(&load_query(vec![query])).await.expect("loads");
    let mut homes = loaded.homes;
    assert_eq!(homes.len(), 1, "one home for one asked for");
    homes.remove(0)
}

/// The events that `consumer` has not passed, queue by queue.
pub async fn unpassed(store: &dyn Storage, consumer: &str) -> Result<Vec<QueuedEvent>, StoreError> {
    let mut found = Vec::new();
    for queue in store.queues_with_events(consumer).await? {
        found.extend(
            store
                .next_events(consumer, QueuePlace::start_of(queue), u32::MAX)
                .await?,
        );
    }
    Ok(found)
}

/// The events that nobody has passed.
async fn waiting(store: &Store) -> Vec<Event> {
    let found = unpassed(store.as_ref(), "nobody").await.expect("reads");
    found.into_iter().map(|queued| queued.event).collect()
}

/// Moves the cursor of `consumer` past its next `count` events; gives them back.
async fn pass(store: &Store, consumer: &str, count: usize) -> Vec<QueuedEvent> {
    let mut next = unpassed(store.as_ref(), consumer).await.expect("reads");
    next.truncate(count);
    for queued in &next {
        let passed = store.pass_events(consumer, queued.at).await;
        passed.expect("writes");
    }
    next
}

/// All of a home.
async fn all(store: &Store, home: &AccountId) -> Option<AuditHome> {
    store.audit_home(home).await.expect("reads")
}
