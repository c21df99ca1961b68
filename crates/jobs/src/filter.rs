//! What a manual run is narrowed down to.

use quota_core::answer::Rejection;
use quota_core::catalog::Catalog;
use quota_core::ids::{AccountId, FeatureCode};
use quota_service::EngineError;

/// What a run is narrowed down to; everything by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobFilter {
    /// Only this account; all when absent.
    pub account: Option<AccountId>,
    /// Only these features; all when empty.
    pub features: Vec<FeatureCode>,
}

impl JobFilter {
    /// Whether the features are there.
    pub(crate) fn check_features(&self, catalog: &Catalog) -> Result<(), EngineError> {
        let is_unknown = |(_, code): &(usize, &FeatureCode)| !catalog.features.contains_key(*code);
        match self.features.iter().enumerate().find(is_unknown) {
            Some((index, code)) => Err(Rejection::UnknownFeature(code.clone())
                .in_list(index)
                .into()),
            None => Ok(()),
        }
    }

    /// For the history: `None` for everything.
    pub(crate) fn text(&self) -> Option<String> {
        let account = self.account.iter().map(|id| format!("account {id}"));
        let features = self.features.iter().map(|code| format!("feature {code}"));
        let parts: Vec<String> = account.chain(features).collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }
}
