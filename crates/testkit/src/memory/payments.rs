//! Payments and the ids by which their providers name them.

use async_trait::async_trait;
use quota_core::ids::AccountId;
use quota_core::payment::{Payment, PaymentHolder, PaymentId};
use quota_core::ports::{PaymentPage, PaymentPlace, PaymentStore, StoreError};

use super::MemoryStore;
use super::records::at_most;

fn place(payment: &Payment) -> PaymentPlace {
    PaymentPlace {
        created_at: payment.created_at,
        id: payment.id.clone(),
    }
}

#[async_trait]
impl PaymentStore for MemoryStore {
    async fn claim_payment(
        &self,
        id: &PaymentId,
        holder: &PaymentHolder,
    ) -> Result<PaymentHolder, StoreError> {
        self.call(|state| {
            let held = state.provider_ids.entry(id.clone());
            Ok(held.or_insert_with(|| holder.clone()).clone())
        })
    }

    async fn holder_of(&self, id: &PaymentId) -> Result<Option<PaymentHolder>, StoreError> {
        self.call(|state| Ok(state.provider_ids.get(id).cloned()))
    }

    async fn put_payment(&self, payment: &Payment) -> Result<bool, StoreError> {
        self.call(|state| {
            let key = (payment.account.clone(), payment.id.clone());
            let stored = state.payments.get(&key);
            let follows = stored.map_or(0, |stored| stored.version) + 1 == payment.version;
            if follows {
                let created_at = stored.map_or(payment.created_at, |stored| stored.created_at);
                let payment = payment.clone();
                state.payments.insert(
                    key,
                    Payment {
                        created_at,
                        ..payment
                    },
                );
            }
            Ok(follows)
        })
    }

    async fn payment(
        &self,
        account: &AccountId,
        id: &PaymentId,
    ) -> Result<Option<Payment>, StoreError> {
        self.call(|state| Ok(state.payments.get(&(account.clone(), id.clone())).cloned()))
    }

    async fn payments(&self, page: &PaymentPage) -> Result<Vec<Payment>, StoreError> {
        self.call(|state| {
            let of_account = state.payments.values();
            let mut found: Vec<Payment> = of_account
                .filter(|payment| payment.account == page.account)
                .filter(|payment| {
                    page.after
                        .as_ref()
                        .is_none_or(|after| place(payment) < *after)
                })
                .cloned()
                .collect();
            found.sort_by_key(|payment| std::cmp::Reverse(place(payment)));
            found.truncate(at_most(page.limit));
            Ok(found)
        })
    }
}
