//! What is kept of payment providers: each table has its file.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use quota_core::ids::{AccountId, ProviderCode};
use quota_core::payment::PaymentMode;
use quota_core::ports::{
    BillingStore, EventCounts, EventPage, EventResult, ProblemPage, StoreError,
};
use quota_core::provider::{
    BillingProblem, Connection, CustomerId, CustomerLink, EventId, KeptEvent, ProblemId, Settled,
    SyncProgress,
};

use crate::pool::to_the_end;
use crate::store::PgStore;
use crate::{billing_problems, provider_connections, provider_events, provider_links};

#[async_trait]
impl BillingStore for PgStore {
    async fn connect(&self, connection: &Connection) -> Result<Connection, StoreError> {
        provider_connections::connect(&self.pool, connection).await
    }

    async fn put_sync_progress(
        &self,
        provider: &ProviderCode,
        mode: PaymentMode,
        progress: &SyncProgress,
    ) -> Result<(), StoreError> {
        provider_connections::put_progress(&self.pool, (provider, mode), progress).await
    }

    async fn link_customer(&self, link: &CustomerLink) -> Result<CustomerLink, StoreError> {
        to_the_end(provider_links::link(self.pool.clone(), link.clone())).await
    }

    async fn unlink_customer(&self, id: &CustomerId) -> Result<bool, StoreError> {
        to_the_end(provider_links::unlink(self.pool.clone(), id.clone())).await
    }

    async fn customer(&self, id: &CustomerId) -> Result<Option<CustomerLink>, StoreError> {
        provider_links::of_customer(&self.pool, id).await
    }

    async fn customers_of(&self, account: &AccountId) -> Result<Vec<CustomerLink>, StoreError> {
        provider_links::of_account(&self.pool, account).await
    }

    async fn take_sync(
        &self,
        id: &CustomerId,
        began_at: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        provider_links::take_sync(&self.pool, id, began_at).await
    }

    async fn keep_event(&self, event: &KeptEvent) -> Result<bool, StoreError> {
        provider_events::keep(&self.pool, event).await
    }

    async fn take_events(
        &self,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<KeptEvent>, StoreError> {
        provider_events::take((&self.pool, self.layout), (now, until), limit).await
    }

    async fn end_event_try(&self, result: &EventResult) -> Result<bool, StoreError> {
        provider_events::end_try(&self.pool, result).await
    }

    async fn event(&self, id: &EventId) -> Result<Option<KeptEvent>, StoreError> {
        provider_events::one(&self.pool, id).await
    }

    async fn events(&self, page: &EventPage) -> Result<Vec<KeptEvent>, StoreError> {
        provider_events::page(&self.pool, page).await
    }

    async fn event_counts(&self) -> Result<EventCounts, StoreError> {
        provider_events::counts(&self.pool).await
    }

    async fn prune_events(&self, before: DateTime<Utc>, limit: u32) -> Result<u64, StoreError> {
        provider_events::prune(&self.pool, before, limit).await
    }

    async fn raise_problem(&self, problem: &BillingProblem) -> Result<(), StoreError> {
        billing_problems::raise(&self.pool, problem).await
    }

    async fn settle_problem(&self, id: &ProblemId, settled: &Settled) -> Result<bool, StoreError> {
        billing_problems::settle(&self.pool, id, settled).await
    }

    async fn problem(&self, id: &ProblemId) -> Result<Option<BillingProblem>, StoreError> {
        billing_problems::one(&self.pool, id).await
    }

    async fn open_problems_about(
        &self,
        provider: &ProviderCode,
        mode: PaymentMode,
        about: &str,
    ) -> Result<Vec<BillingProblem>, StoreError> {
        billing_problems::open_about(&self.pool, (provider, mode), about).await
    }

    async fn problems(&self, page: &ProblemPage) -> Result<Vec<BillingProblem>, StoreError> {
        billing_problems::page(&self.pool, page).await
    }
}
