//! How many cases of a property are tried.

use proptest::prelude::ProptestConfig;

/// At least so many, or as many as `PROPTEST_CASES` says.
pub fn at_least(cases: u32) -> ProptestConfig {
    let said = ProptestConfig::default();
    let wanted = std::env::var_os("PROPTEST_CASES").map_or(cases, |_| said.cases);
    ProptestConfig {
        cases: wanted.max(cases),
        ..said
    }
}
