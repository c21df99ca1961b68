//! The store in memory keeps every promise of the ports: it is what the others are compared with.

use std::future::{Ready, ready};
use std::sync::Arc;

use testkit::memory::MemoryStore;

fn open() -> Ready<(Arc<MemoryStore>, ())> {
    ready((Arc::new(MemoryStore::new()), ()))
}

testkit::conformance_store!(open);
testkit::conformance_billing!(open);
testkit::conformance_codes!(open);
testkit::conformance_meters!(open);
