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

use crate::values::{json, micros};
use crate::{SqliteStore, billing_problems, provider_connections, provider_events, provider_links};

#[async_trait]
impl BillingStore for SqliteStore {
    async fn connect(&self, connection: &Connection) -> Result<Connection, StoreError> {
        let new = connection.clone();
        self.writing(move |on| Box::pin(provider_connections::connect(on, new)))
            .await
    }

    async fn put_sync_progress(
        &self,
        provider: &ProviderCode,
        mode: PaymentMode,
        progress: &SyncProgress,
    ) -> Result<(), StoreError> {
        let (of, progress) = ((provider.clone(), mode), json(progress)?);
        self.writing(move |on| Box::pin(provider_connections::put_progress(on, of, progress)))
            .await
    }

    async fn link_customer(&self, link: &CustomerLink) -> Result<CustomerLink, StoreError> {
        let link = link.clone();
        self.writing(move |on| Box::pin(provider_links::link(on, link)))
            .await
    }

    async fn unlink_customer(&self, id: &CustomerId) -> Result<bool, StoreError> {
        let id = id.clone();
        self.writing(move |on| Box::pin(provider_links::unlink(on, id)))
            .await
    }

    async fn customer(&self, id: &CustomerId) -> Result<Option<CustomerLink>, StoreError> {
        Ok(provider_links::of_customer(&self.readers, id).await?)
    }

    async fn customers_of(&self, account: &AccountId) -> Result<Vec<CustomerLink>, StoreError> {
        Ok(provider_links::of_account(&self.readers, account).await?)
    }

    async fn take_sync(
        &self,
        id: &CustomerId,
        began_at: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let id = id.clone();
        self.writing(move |on| Box::pin(provider_links::take_sync(on, id, began_at)))
            .await
    }

    async fn keep_event(&self, event: &KeptEvent) -> Result<bool, StoreError> {
        let event = event.clone();
        self.writing(move |on| Box::pin(provider_events::keep(on, event)))
            .await
    }

    async fn take_events(
        &self,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<KeptEvent>, StoreError> {
        let span = (micros(now), micros(until));
        let taken = self
            .writing(move |on| Box::pin(provider_events::take(on, span, limit)))
            .await;
        provider_events::readable(taken?)
    }

    async fn end_event_try(&self, result: &EventResult) -> Result<bool, StoreError> {
        let result = result.clone();
        self.writing(move |on| Box::pin(provider_events::end_try(on, result)))
            .await
    }

    async fn event(&self, id: &EventId) -> Result<Option<KeptEvent>, StoreError> {
        Ok(provider_events::one(&self.readers, id).await?)
    }

    async fn events(&self, page: &EventPage) -> Result<Vec<KeptEvent>, StoreError> {
        Ok(provider_events::page(&self.readers, page).await?)
    }

    async fn event_counts(&self) -> Result<EventCounts, StoreError> {
        Ok(provider_events::counts(&self.readers).await?)
    }

    async fn prune_events(&self, before: DateTime<Utc>, limit: u32) -> Result<u64, StoreError> {
        self.writing(move |on| Box::pin(provider_events::prune(on, before, limit)))
            .await
    }

    async fn raise_problem(&self, problem: &BillingProblem) -> Result<(), StoreError> {
        let problem = problem.clone();
        self.writing(move |on| Box::pin(billing_problems::raise(on, problem)))
            .await
    }

    async fn settle_problem(&self, id: &ProblemId, settled: &Settled) -> Result<bool, StoreError> {
        let (id, settled) = (id.clone(), settled.clone());
        self.writing(move |on| Box::pin(billing_problems::settle(on, id, settled)))
            .await
    }

    async fn problem(&self, id: &ProblemId) -> Result<Option<BillingProblem>, StoreError> {
        Ok(billing_problems::one(&self.readers, id).await?)
    }

    async fn open_problems_about(
        &self,
        provider: &ProviderCode,
        mode: PaymentMode,
        about: &str,
    ) -> Result<Vec<BillingProblem>, StoreError> {
        let of = (provider, mode);
        Ok(billing_problems::open_about(&self.readers, of, about).await?)
    }

    async fn problems(&self, page: &ProblemPage) -> Result<Vec<BillingProblem>, StoreError> {
        Ok(billing_problems::page(&self.readers, page).await?)
    }
}
