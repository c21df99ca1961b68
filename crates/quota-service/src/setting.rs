//! What requests are decided with.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use quota_core::catalog::Catalog;
use quota_core::rules::context::Context;

/// What requests are decided with, kept apart from its borrowed form.
#[derive(Clone)]
pub(crate) struct Setting {
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) now: DateTime<Utc>,
    pub(crate) grace: TimeDelta,
}

impl Setting {
    pub(crate) fn context(&self) -> Context<'_> {
        self.under(&self.catalog)
    }

    /// The same under another catalog.
    pub(crate) fn under<'a>(&self, catalog: &'a Catalog) -> Context<'a> {
        Context {
            now: self.now,
            catalog,
            grace: self.grace,
        }
    }
}
