//! A stage with a catalog that a test writes itself.

use quota_core::catalog::{Catalog, CatalogFile};

use crate::stage::Stage;

/// The stage under the catalog file of that text, in place of its own.
pub fn with_catalog(mut stage: Stage, text: &str) -> Stage {
    let file: CatalogFile = toml::from_str(text).expect("a catalog");
    stage.catalog = Catalog::default().applied(&file).expect("valid");
    stage
}
