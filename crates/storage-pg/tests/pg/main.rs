//! What the store promises, on a real server.
#![expect(clippy::expect_used, reason = "a test that cannot go on says why")]

mod billing;
mod events;
mod fixture;
mod hot_path;
mod lists;
mod old_dumps;
mod race;
mod relocation;
mod restoring;
mod schema;
mod turns;
