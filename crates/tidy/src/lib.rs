//! Checks over the repository itself: who may depend on whom, what files may hold, which rules have
//! tests, and whether the docs name things that exist. No product code, and nothing depends on it.

pub mod checks;
pub mod claims;
pub mod layers;
pub mod modules;
pub mod repo;
pub mod rulebook;
pub mod test_functions;
