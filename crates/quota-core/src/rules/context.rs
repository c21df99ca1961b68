//! What a command is decided with beside the home itself.

use chrono::{DateTime, TimeDelta, Utc};

use super::allowance::{Allowance, Asked, allowance};
use super::decide::{Mode, Question};
use crate::amount::Amount;
use crate::answer::Rejection;
use crate::catalog::{Catalog, Counts, Feature, Kind};
use crate::home::{Account, Home};
use crate::ids::{AccountId, FeatureCode, TokenId};
use crate::item::Item;

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

/// What a user wants to use.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Use<'a> {
    pub(crate) user: &'a AccountId,
    pub(crate) token: Option<&'a TokenId>,
    pub(crate) feature: &'a FeatureCode,
    pub(crate) amount: Amount,
}

/// All that one request wants to use.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Uses<'a> {
    pub(crate) token: Option<&'a TokenId>,
    pub(crate) items: &'a [Item],
    pub(crate) mode: Mode,
}

impl<'a> Context<'a> {
    /// The feature, or that it is unknown.
    pub(crate) fn feature(&self, code: &FeatureCode) -> Result<&'a Feature, Rejection> {
        let found = self.catalog.features.get(code);
        found.ok_or_else(|| Rejection::UnknownFeature(code.clone()))
    }

    /// The feature, which must be one that is counted (C2).
    pub(crate) fn counted(&self, code: &FeatureCode) -> Result<&'a Feature, Rejection> {
        let feature = self.feature(code)?;
        if feature.kind.is_counted() {
            Ok(feature)
        } else {
            Err(Rejection::NotCountable(code.clone()))
        }
    }

    /// The feature, which must be one that requests use: not the members of an org (C12).
    ///
    /// # Errors
    /// The [`Rejection`] that says which of these it is not.
    pub fn drawn(&self, code: &FeatureCode) -> Result<&'a Feature, Rejection> {
        let feature = self.counted(code)?;
        match feature.counts {
            None => Ok(feature),
            Some(Counts::Members) => Err(Rejection::CountsMembers(code.clone())),
        }
    }

    /// Why a request cannot use a feature of which it drew nothing.
    pub(crate) fn not_drawn(&self, code: &FeatureCode) -> Rejection {
        let refused = self.drawn(code).err();
        refused.unwrap_or_else(|| Rejection::NotCountable(code.clone()))
    }

    /// Refuses to spend what no request uses; what is unknown is told otherwise.
    pub(crate) fn must_be_drawn(&self, code: &FeatureCode) -> Result<(), Rejection> {
        match self.drawn(code) {
            Err(rejection @ (Rejection::NotCountable(_) | Rejection::CountsMembers(_))) => {
                Err(rejection)
            }
            Err(_) | Ok(_) => Ok(()),
        }
    }

    /// Whether a feature is spent and not occupied; one that has left the catalog is taken for spent.
    pub(crate) fn is_consumable(&self, code: &FeatureCode) -> bool {
        let feature = self.catalog.features.get(code);
        feature.is_none_or(|feature| feature.kind == Kind::Consumable)
    }

    /// A feature that is occupied, if it is one.
    pub(crate) fn capacity(&self, code: &FeatureCode) -> Option<&'a Feature> {
        let feature = self.catalog.features.get(code)?;
        (feature.kind == Kind::Capacity).then_some(feature)
    }

    /// The allowance of an account for a feature now.
    pub fn allowance(&self, account: &Account, feature: &Feature) -> Allowance {
        let counted = (&account.terms, account.books.balances.as_slice());
        allowance(counted, feature, self.asked())
    }

    /// With what its allowances are counted.
    pub(crate) fn asked(&self) -> Asked<'a> {
        Asked {
            catalog: self.catalog,
            grace: self.grace,
            now: self.now,
        }
    }

    /// Refuses an instant that has come already.
    pub(crate) fn must_be_later(
        &self,
        field: &'static str,
        at: Option<DateTime<Utc>>,
    ) -> Result<(), Rejection> {
        if at.is_some_and(|at| at <= self.now) {
            return Err(Rejection::NotInFuture { field });
        }
        Ok(())
    }

    /// The question that a request asks.
    pub(crate) fn question<'b>(
        &self,
        home: &'b Home,
        wanted: Use<'b>,
        mode: Mode,
    ) -> Result<Question<'b>, Rejection>
    where
        'a: 'b,
    {
        let account = home.accounts.get(wanted.user);
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
            token: wanted.token,
            feature: wanted.feature,
            amount: wanted.amount,
            mode,
        })
    }
}
