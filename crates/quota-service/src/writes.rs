//! Whether the store takes writes, as the last one found: told to the log when it changes, and to probes.

use std::sync::{Mutex, PoisonError};

use quota_core::ports::StoreError;

/// Why the store takes no writes, though it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteFault {
    /// Its disk is full, or its size has reached a limit.
    Full,
    /// It is a standby, or a file without the right to write.
    ReadOnly,
}

impl WriteFault {
    fn of(error: &StoreError) -> Option<Self> {
        if matches!(error, StoreError::Full(_)) {
            return Some(Self::Full);
        }
        matches!(error, StoreError::ReadOnly(_)).then_some(Self::ReadOnly)
    }
}

/// What the last write found.
#[derive(Debug, Default)]
pub(crate) struct Writes {
    fault: Mutex<Option<WriteFault>>,
}

impl Writes {
    pub(crate) fn fault(&self) -> Option<WriteFault> {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A write was carried out.
    pub(crate) fn passed(&self) {
        if self.change(None) {
            tracing::info!("the database takes writes again");
        }
    }

    /// A write failed. Failures of another kind say nothing about those to come.
    pub(crate) fn failed(&self, error: &StoreError) {
        let fault = WriteFault::of(error);
        if fault.is_some() && self.change(fault) {
            let cause = std::error::Error::source(error).map(ToString::to_string);
            tracing::error!(
                cause = cause.unwrap_or_default(),
                "{error}: nothing is written until that is over"
            );
        }
    }

    /// Whether it is another one than before.
    fn change(&self, fault: Option<WriteFault>) -> bool {
        let mut known = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *known, fault) != fault
    }
}
