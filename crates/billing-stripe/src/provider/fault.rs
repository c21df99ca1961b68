//! Why nothing could be handed on, and what can be done about it.

use std::fmt::Display;

use quota_core::ids::{InvalidId, ProviderCode};
use quota_core::ports::{ProviderError, ProviderFault};

use crate::client::{StripeError, TransportFault};

/// Why something is not to be had.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    fault: ProviderFault,
    what: String,
}

impl Fault {
    /// It cannot be done, now or later.
    pub(super) fn refused(what: impl Into<String>) -> Self {
        Self {
            fault: ProviderFault::Refused,
            what: what.into(),
        }
    }

    /// It is not known what came of it: the same may be asked again.
    pub(super) fn later(what: impl Into<String>) -> Self {
        Self {
            fault: ProviderFault::Later,
            what: what.into(),
        }
    }

    /// An object lacks what every one of its kind has.
    pub(super) fn unreadable(id: impl Display, what: &str) -> Self {
        Self {
            fault: ProviderFault::Unreadable,
            what: format!("{id} cannot be read: {what}"),
        }
    }

    /// The same as the port tells it.
    pub(super) fn of(self, provider: &ProviderCode) -> ProviderError {
        ProviderError {
            provider: provider.clone(),
            fault: self.fault,
            what: self.what,
        }
    }
}

impl From<InvalidId> for Fault {
    fn from(error: InvalidId) -> Self {
        Self {
            fault: ProviderFault::Unreadable,
            what: format!("Stripe names something by what is no name here: {error}"),
        }
    }
}

impl From<StripeError> for Fault {
    fn from(error: StripeError) -> Self {
        Self {
            fault: fault_of(&error),
            what: error.to_string(),
        }
    }
}

fn fault_of(error: &StripeError) -> ProviderFault {
    match error {
        StripeError::KeyDead { .. } | StripeError::NotPermitted { .. } => ProviderFault::Key,
        StripeError::NotFound { .. }
        | StripeError::Declined { .. }
        | StripeError::Refused { .. }
        | StripeError::KeyReused { .. } => ProviderFault::Refused,
        StripeError::Busy { .. } | StripeError::Limited { .. } | StripeError::Failed { .. } => {
            ProviderFault::Later
        }
        StripeError::NoAnswer { fault, .. } => match fault {
            TransportFault::TimedOut
            | TransportFault::NoConnection(_)
            | TransportFault::Broken(_) => ProviderFault::Later,
            TransportFault::TooLong(_) => ProviderFault::Unreadable,
        },
        StripeError::Unreadable { .. }
        | StripeError::RepeatingList { .. }
        | StripeError::EndlessList { .. } => ProviderFault::Unreadable,
    }
}

/// What was asked for, or none where Stripe has no such object.
pub(super) fn there<T>(answered: Result<T, StripeError>) -> Result<Option<T>, StripeError> {
    match answered {
        Ok(found) => Ok(Some(found)),
        Err(StripeError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
