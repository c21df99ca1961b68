//! The API over real HTTP: the worked examples on every store, bad input, keys, the document, and the built binary.
#![expect(clippy::expect_used, reason = "a test that cannot go on says why")]

mod addons;
mod api_under_test;
mod bad_catalogs;
mod bad_input;
mod boosts;
mod commands;
mod connections;
mod decisions;
mod default_plans;
mod document;
mod edges;
mod examples;
mod examples_of_orgs;
mod examples_of_plans;
mod examples_of_time;
mod flags;
mod held_catalogs;
mod job_runs;
mod kill;
mod members;
mod moves;
mod nodes;
mod on_demand;
mod pg_kill;
mod pg_nodes;
mod previews;
mod process;
mod room;
mod routes;
mod scopes;
mod seats;
mod settings_page;
mod single_things;
mod stores;
mod subscriptions;
