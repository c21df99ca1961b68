//! What tests need and the product does not: throw-away servers, fixtures and conformance suites.

pub mod conformance;
mod error;
pub mod fixtures;
pub mod memory;
pub mod pg;
mod pg_client;
mod pg_given;
mod process;
pub mod races;
pub mod redis;
pub mod sequences;

pub use error::ServerError;
pub use process::is_root;

/// The Debian packages that throw-away servers need and this machine lacks.
pub fn missing_packages() -> Vec<&'static str> {
    let mut packages = Vec::new();
    if !pg::is_installed() {
        packages.push("postgresql");
    }
    if !redis::is_installed() {
        packages.push("redis-server");
    }
    packages
}
