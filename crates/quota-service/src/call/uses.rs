//! Drafts of what callers ask: use, reservations, giving back.

use chrono::{DateTime, Utc};
use quota_core::command::{self as payload, Command};
use quota_core::ids::{AccountId, TokenId};
use quota_core::item::Item;

use super::decision::OperationRef;
use super::draft::{Draft, amount, feature, parsed};
use crate::ask::Ask;
use crate::invalid_field::InvalidField;

/// A draft of [`payload::Consume`].
pub type Consume = Draft<payload::Consume>;
/// A draft of [`payload::Track`].
pub type Track = Draft<payload::Track>;
/// A draft of [`payload::Reserve`].
pub type Reserve = Draft<payload::Reserve>;
/// A draft of [`payload::Commit`].
pub type Commit = Draft<OfOperation<payload::Commit>>;
/// A draft of [`payload::Release`].
pub type Release = Draft<OfOperation<payload::Release>>;
/// A draft of [`payload::Extend`].
pub type Extend = Draft<OfOperation<payload::Extend>>;
/// A draft of [`payload::Refund`].
pub type Refund = Draft<OfOperation<payload::Refund>>;
/// A draft of [`payload::ReleaseCapacity`].
pub type ReleaseCapacity = Draft<payload::ReleaseCapacity>;
/// A draft of [`payload::Reset`].
pub type Reset = Draft<payload::Reset>;

/// A command about an earlier operation, which says whose account it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfOperation<P> {
    account: AccountId,
    payload: P,
}

fn item(code: &str, number: u64) -> Result<Item, InvalidField> {
    Ok(Item {
        feature: feature(code)?,
        amount: amount("amount", number)?,
    })
}

fn token_id(token: &str) -> Result<TokenId, InvalidField> {
    parsed("token", TokenId::new(token))
}

impl Draft<payload::Consume> {
    /// This much of a feature.
    pub fn of(feature: &str, amount: u64) -> Self {
        let payload = item(feature, amount).map(|item| payload::Consume {
            token: None,
            items: vec![item],
        });
        Self::new(payload)
    }

    /// This much of another feature too: all of them or none (X2).
    pub fn and(self, feature: &str, amount: u64) -> Self {
        self.with(item(feature, amount), |asked, item| asked.items.push(item))
    }

    /// The token that the request came with.
    pub fn token(self, token: &str) -> Self {
        self.with(token_id(token), |asked, token| asked.token = Some(token))
    }
}

impl Draft<payload::Track> {
    /// This much of a feature.
    pub fn of(feature: &str, amount: u64) -> Self {
        let payload = item(feature, amount).map(|item| payload::Track {
            token: None,
            items: vec![item],
            at: None,
        });
        Self::new(payload)
    }

    /// This much of another feature too.
    pub fn and(self, feature: &str, amount: u64) -> Self {
        self.with(item(feature, amount), |asked, item| asked.items.push(item))
    }

    /// When it was used, if that is told late: up to 35 days ago (X5).
    pub fn at(self, at: DateTime<Utc>) -> Self {
        self.with(Ok(at), |asked, at| asked.at = Some(at))
    }

    /// The token that the use came with.
    pub fn token(self, token: &str) -> Self {
        self.with(token_id(token), |asked, token| asked.token = Some(token))
    }
}

impl Draft<payload::Reserve> {
    /// This much of a feature, for so many seconds.
    pub fn of(feature: &str, amount: u64, ttl_seconds: u32) -> Self {
        let payload = item(feature, amount).map(|item| payload::Reserve {
            token: None,
            feature: item.feature,
            amount: item.amount,
            ttl_seconds,
        });
        Self::new(payload)
    }

    /// The token that the request came with.
    pub fn token(self, token: &str) -> Self {
        self.with(token_id(token), |asked, token| asked.token = Some(token))
    }
}

impl<P> Draft<OfOperation<P>> {
    fn about(operation: &OperationRef, payload: P) -> Self {
        let account = operation.account.clone();
        Self::new(Ok(OfOperation { account, payload }))
    }

    /// What the engine is asked, about the account of the operation.
    pub(super) fn ask_of_operation(
        self,
        command: impl FnOnce(P) -> Command,
    ) -> Result<Ask, InvalidField> {
        self.ask_of(|of| (of.account, command(of.payload)))
    }
}

impl Draft<OfOperation<payload::Commit>> {
    /// What was really used of a reservation: less, all of it, or more.
    pub fn of(reservation: &OperationRef, actual: u64) -> Self {
        let payload = payload::Commit {
            reservation: reservation.id,
            actual,
        };
        Self::about(reservation, payload)
    }
}

impl Draft<OfOperation<payload::Release>> {
    /// All of a reservation.
    pub fn of(reservation: &OperationRef) -> Self {
        let payload = payload::Release {
            reservation: reservation.id,
        };
        Self::about(reservation, payload)
    }
}

impl Draft<OfOperation<payload::Extend>> {
    /// So many seconds from now.
    pub fn of(reservation: &OperationRef, ttl_seconds: u32) -> Self {
        let payload = payload::Extend {
            reservation: reservation.id,
            ttl_seconds,
        };
        Self::about(reservation, payload)
    }
}

impl Draft<OfOperation<payload::Refund>> {
    /// Everything that is left of a consume, a track or a commit.
    pub fn of(operation: &OperationRef) -> Self {
        let payload = payload::Refund {
            operation: operation.id,
            feature: None,
            amount: None,
        };
        Self::about(operation, payload)
    }

    /// Only this feature of it.
    pub fn feature(self, code: &str) -> Self {
        let set = |of: &mut OfOperation<payload::Refund>, code| of.payload.feature = Some(code);
        self.with(feature(code), set)
    }

    /// Only this much of it.
    pub fn amount(self, number: u64) -> Self {
        let set = |of: &mut OfOperation<payload::Refund>, part| of.payload.amount = Some(part);
        self.with(amount("amount", number), set)
    }
}

impl Draft<payload::ReleaseCapacity> {
    /// This much of a feature of kind `capacity`.
    pub fn of(feature: &str, amount: u64) -> Self {
        let payload = item(feature, amount).map(|item| payload::ReleaseCapacity {
            feature: item.feature,
            amount: item.amount,
        });
        Self::new(payload)
    }
}

impl Draft<payload::Reset> {
    /// All features.
    pub fn all() -> Self {
        Self::new(Ok(payload::Reset::default()))
    }

    /// This feature; with further ones, those too.
    pub fn feature(self, code: &str) -> Self {
        self.with(feature(code), |asked, code| asked.features.push(code))
    }

    /// The use of this token; beside it only features that are named.
    pub fn token(self, token: &str) -> Self {
        self.with(token_id(token), |asked, token| asked.token = Some(token))
    }
}
