//! The jobs over a store in memory: every job twice, killed in the middle, without its lease, with a failing store.

mod audits;
mod faulty;
mod idempotent;
mod interrupted;
mod lease;
mod manual;
mod outbox;
mod platform;
mod retries;
mod scheduled;
mod schedules;
mod warnings;
