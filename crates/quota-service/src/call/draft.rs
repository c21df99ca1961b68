//! A draft: a command that is made from plain texts and numbers, before it is checked.

use std::fmt::Display;

use quota_core::amount::{AMOUNT_MAX, Amount};
use quota_core::command::Command;
use quota_core::ids::{AccountId, FeatureCode, IdempotencyKey, InvalidId};
use quota_core::origin::Origin;

use crate::ask::Ask;
use crate::invalid_field::InvalidField;

pub(super) fn invalid(field: &'static str, why: impl Display) -> InvalidField {
    let why = why.to_string();
    InvalidField { field, why }
}

/// An id as it was read, or the field that it was meant for and what is wrong with it.
pub(super) fn parsed<T>(
    field: &'static str,
    read: Result<T, InvalidId>,
) -> Result<T, InvalidField> {
    read.map_err(|error| invalid(field, error.why))
}

pub(super) fn feature(code: &str) -> Result<FeatureCode, InvalidField> {
    parsed("feature", FeatureCode::new(code))
}

pub(super) fn amount(field: &'static str, number: u64) -> Result<Amount, InvalidField> {
    let why = || format!("must be a whole number from 1 to {AMOUNT_MAX}");
    Amount::new(number).map_err(|_| invalid(field, why()))
}

/// What is to be done, with what may stand beside it. The first value that cannot be right is told by the call.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a draft does nothing until an engine is given it"]
pub struct Draft<P> {
    payload: Result<P, InvalidField>,
    key: Option<IdempotencyKey>,
    origin: Origin,
}

impl<P> Draft<P> {
    pub(super) fn new(payload: Result<P, InvalidField>) -> Self {
        Self {
            payload,
            key: None,
            origin: Origin::default(),
        }
    }

    /// Sets a part, unless an earlier one was wrong.
    pub(super) fn with<T>(
        mut self,
        value: Result<T, InvalidField>,
        set: impl FnOnce(&mut P, T),
    ) -> Self {
        let Ok(payload) = &mut self.payload else {
            return self;
        };
        match value {
            Ok(value) => set(payload, value),
            Err(invalid) => self.payload = Err(invalid),
        }
        self
    }

    /// The idempotency key: the same key again gets the first answer and changes nothing more (X1).
    pub fn key(mut self, key: &str) -> Self {
        match IdempotencyKey::new(key) {
            Ok(key) => self.key = Some(key),
            Err(error) if self.payload.is_ok() => {
                self.payload = Err(invalid("key", error.why));
            }
            Err(_) => {}
        }
        self
    }

    /// Who asks: a person or a program, for the ledger.
    pub fn actor(mut self, actor: &str) -> Self {
        self.origin.actor = Some(actor.to_owned());
        self
    }

    /// Why, for the ledger.
    pub fn reason(mut self, reason: &str) -> Self {
        self.origin.reason = Some(reason.to_owned());
        self
    }

    /// The request of the caller's own that it belongs to, for the ledger.
    pub fn request_id(mut self, id: &str) -> Self {
        self.origin.request_id = Some(id.to_owned());
        self
    }

    /// What was made or deleted, such as `article` and its id, for the ledger.
    pub fn resource(mut self, resource_type: &str, id: &str) -> Self {
        self.origin.resource_type = Some(resource_type.to_owned());
        self.origin.resource_id = Some(id.to_owned());
        self
    }

    pub(super) fn payload(self) -> Result<P, InvalidField> {
        self.payload
    }

    /// What the engine is asked, about `account`.
    pub(super) fn ask(
        self,
        account: AccountId,
        command: impl FnOnce(P) -> Command,
    ) -> Result<Ask, InvalidField> {
        self.ask_of(|payload| (account, command(payload)))
    }

    /// What the engine is asked, and about which account, by what the payload says.
    pub(super) fn ask_of(
        self,
        split: impl FnOnce(P) -> (AccountId, Command),
    ) -> Result<Ask, InvalidField> {
        let (account, command) = split(self.payload?);
        Ok(Ask {
            account,
            key: self.key,
            command,
            origin: self.origin,
        })
    }
}
