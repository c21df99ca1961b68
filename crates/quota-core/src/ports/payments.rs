//! Payments, and the ids by which their providers name them (P5, P7).

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::store_error::StoreError;
use crate::ids::AccountId;
use crate::payment::{Payment, PaymentHolder, PaymentId};

/// Where a payment stands among those of its account: behind all that were told later.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PaymentPlace {
    /// When it was told first.
    pub created_at: DateTime<Utc>,
    /// Its own id, which tells apart what was told at one instant.
    pub id: PaymentId,
}

/// Which payments are listed, the one that was told last first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentPage {
    /// Whose payments.
    pub account: AccountId,
    /// Only those behind this one.
    pub after: Option<PaymentPlace>,
    /// At most so many.
    pub limit: u32,
}

/// Payments by account, found by any id that their provider has for them. Nothing of this is ever removed.
#[async_trait]
pub trait PaymentStore: Send + Sync {
    /// Enters who has an id, unless somebody has it; says who does. The first one keeps it for ever (P7).
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written.
    async fn claim_payment(
        &self,
        id: &PaymentId,
        holder: &PaymentHolder,
    ) -> Result<PaymentHolder, StoreError>;

    /// Who has an id.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    async fn holder_of(&self, id: &PaymentId) -> Result<Option<PaymentHolder>, StoreError>;

    /// Writes a payment if the stored one is of the version before; none is stored of a payment with version 1. `false`
    /// when another one was faster: nothing was written. When it was told first is never changed.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written.
    async fn put_payment(&self, payment: &Payment) -> Result<bool, StoreError>;

    /// A payment of an account, by its own id.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    async fn payment(
        &self,
        account: &AccountId,
        id: &PaymentId,
    ) -> Result<Option<Payment>, StoreError>;

    /// A page of an account's payments.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    async fn payments(&self, page: &PaymentPage) -> Result<Vec<Payment>, StoreError>;
}
