//! What a command is decided with beside the home itself.

use chrono::{DateTime, TimeDelta, Utc};

use super::allowance::{Allowance, allowance};
use super::decide::{Mode, Question};
use crate::amount::Amount;
use crate::answer::Rejection;
use crate::catalog::{Catalog, Feature};
use crate::home::{Account, Home};
use crate::ids::{AccountId, FeatureCode, TokenId};

/// What a command is decided with beside the home itself.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The instant of the decision, in whole microseconds.
    pub now: DateTime<Utc>,
    /// The catalog in force.
    pub catalog: &'a Catalog,
    /// How long a past-due subscription stays in force (S2).
    pub grace: TimeDelta,
}

impl<'a> Context<'a> {
    /// The feature, or that it is unknown.
    pub(crate) fn feature(&self, code: &FeatureCode) -> Result<&'a Feature, Rejection> {
        let found = self.catalog.features.get(code);
        found.ok_or_else(|| Rejection::UnknownFeature(code.clone()))
    }

    /// The allowance of an account for a feature now.
    pub fn allowance(&self, account: &Account, feature: &Feature) -> Allowance {
        allowance(&account.terms, feature, self.catalog, self.grace, self.now)
    }

    /// The question that a request of `user` asks.
    pub(crate) fn question<'b>(
        &self,
        home: &'b Home,
        user: &AccountId,
        token: Option<&'b TokenId>,
        (feature, amount): (&'b FeatureCode, Amount),
        mode: Mode,
    ) -> Result<Question<'b>, Rejection>
    where
        'a: 'b,
    {
        let account = home.accounts.get(user);
        let belongs_to_org = account.is_some_and(|account| account.terms.org.is_some());
        let org = if belongs_to_org {
            Some(home.accounts.get(&home.id).ok_or(Rejection::UnknownOrg)?)
        } else {
            None
        };
        Ok(Question {
            now: self.now,
            catalog: self.catalog,
            grace: self.grace,
            user: account.map(|account| account.view()),
            org: org.map(|org| org.view()),
            token,
            feature,
            amount,
            mode,
        })
    }
}
