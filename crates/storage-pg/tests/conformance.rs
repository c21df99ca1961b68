//! The store on PostgreSQL keeps every promise of the ports.
#![expect(clippy::expect_used, reason = "a test that cannot go on says why")]

mod database;

use database::open;

testkit::conformance_store!(open);
testkit::conformance_billing!(open);
testkit::conformance_codes!(open);
testkit::conformance_meters!(open);
