//! Races on the store in memory.

use std::future::{Ready, ready};
use std::sync::Arc;

use quota_core::ports::Storage;
use testkit::memory::MemoryStore;

fn open() -> Ready<(Arc<dyn Storage>, ())> {
    ready((Arc::new(MemoryStore::new()), ()))
}

testkit::conformance_races!(open);
