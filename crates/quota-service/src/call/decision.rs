//! A decision: yes or no, with the numbers.

use quota_core::answer::{Answer, ScopeBalance};
use quota_core::denial::Denial;
use quota_core::ids::{AccountId, FeatureCode};
use uuid::Uuid;

use crate::decide::Reply;

/// What a consume or a reserve came to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a denial is a value: nothing was spent then"]
pub enum Decision {
    /// All of it was spent, or is held.
    Allowed(Reply),
    /// Nothing was.
    Denied(Denied),
}

/// A denial, with what would have been enough.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denied {
    /// What could not be had; of several features the one whose denial comes first in F7.
    pub feature: FeatureCode,
    /// How much of it was asked for, in stored units.
    pub requested: u64,
    /// Why not, and what would have been enough.
    pub denial: Denial,
    /// The whole answer.
    pub reply: Reply,
}

impl Decision {
    /// Whether all of it was spent, or is held.
    pub fn is_allowed(&self) -> bool {
        matches!(self, Self::Allowed(_))
    }

    /// The whole answer, either way.
    pub fn reply(&self) -> &Reply {
        match self {
            Self::Allowed(reply) => reply,
            Self::Denied(denied) => &denied.reply,
        }
    }

    /// The denial, if it is one.
    pub fn denied(&self) -> Option<&Denied> {
        match self {
            Self::Allowed(_) => None,
            Self::Denied(denied) => Some(denied),
        }
    }
}

impl From<Reply> for Decision {
    fn from(reply: Reply) -> Self {
        let Answer::Denied {
            feature,
            requested,
            denial,
            ..
        } = &reply.operation.answer
        else {
            return Self::Allowed(reply);
        };
        Self::Denied(Denied {
            feature: feature.clone(),
            requested: *requested,
            denial: *denial,
            reply,
        })
    }
}

/// An operation by its account and id. It names what is refunded; of a reserve, the reservation.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OperationRef {
    /// The account that it is about.
    pub account: AccountId,
    /// Its id, unique among all operations.
    pub id: Uuid,
}

impl Reply {
    /// The name under which the operation is refunded, or the reservation is committed, extended and released.
    pub fn reference(&self) -> OperationRef {
        OperationRef {
            account: self.operation.account.clone(),
            id: self.operation.id,
        }
    }

    /// How the scopes stand now, where the answer says so.
    pub fn balances(&self) -> &[ScopeBalance] {
        self.operation.answer.balances()
    }
}
