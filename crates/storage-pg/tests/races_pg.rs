//! Races on PostgreSQL.
#![expect(clippy::expect_used, reason = "a test that cannot go on says why")]

mod database;

use database::open;

testkit::conformance_races!(open);
