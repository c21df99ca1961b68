//! What is kept of a payment provider: which customer is which account, what was told, and what fits nothing (P7, P14).

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::store_error::StoreError;
use super::top_ups::TopUpStore;
use crate::ids::{AccountId, ProviderCode};
use crate::payment::PaymentMode;
use crate::provider::{
    BillingProblem, Connection, CustomerId, CustomerLink, EventId, EventState, KeptEvent,
    ProblemId, ProblemKind, Settled, SyncProgress,
};

/// How a try of an event ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventResult {
    /// The event.
    pub id: EventId,
    /// The number of the try: if another one has begun since, nothing is written.
    pub tries: u32,
    /// Where the work on it stands now.
    pub state: EventState,
    /// When it may be tried next.
    pub next_try_at: DateTime<Utc>,
    /// Why it failed.
    pub error: Option<String>,
}

/// Which events are listed, the one that came last first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventPage {
    /// Of which provider.
    pub provider: ProviderCode,
    /// Only those in this state.
    pub state: Option<EventState>,
    /// Only those behind this one: when it came, and its id.
    pub after: Option<(DateTime<Utc>, EventId)>,
    /// At most so many.
    pub limit: u32,
}

/// How much work on events there is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EventCounts {
    /// How many wait.
    pub waiting: u64,
    /// How many were given up.
    pub given_up: u64,
    /// When the oldest came that waits.
    pub oldest_waiting_at: Option<DateTime<Utc>>,
    /// When the first of those that wait may be tried.
    pub next_try_at: Option<DateTime<Utc>>,
}

/// Which problems are listed, the one that was met last first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProblemPage {
    /// Of which provider.
    pub provider: ProviderCode,
    /// Only those that nobody settled.
    pub is_open: bool,
    /// Only those of this kind.
    pub kind: Option<ProblemKind>,
    /// Only those of this account.
    pub account: Option<AccountId>,
    /// Only those behind this one: when it was met last, and its id.
    pub after: Option<(DateTime<Utc>, ProblemId)>,
    /// At most so many.
    pub limit: u32,
}

/// Connections, customers, events, problems and top-ups of payment providers. Nothing of it is on the way of a request for quota.
#[async_trait]
pub trait BillingStore: TopUpStore {
    /// Enters the account at a provider that this engine is connected to, unless one is there for this provider and mode; gives the one
    /// that is there.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written.
    async fn connect(&self, connection: &Connection) -> Result<Connection, StoreError>;

    /// Keeps how far the sync job came. Of a provider that was never connected nothing is written.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written.
    async fn put_sync_progress(
        &self,
        provider: &ProviderCode,
        mode: PaymentMode,
        progress: &SyncProgress,
    ) -> Result<(), StoreError>;

    /// Enters which account a customer is, unless it is linked; gives the link that is there.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written; the same call again ends what it began.
    async fn link_customer(&self, link: &CustomerLink) -> Result<CustomerLink, StoreError>;

    /// Takes a link away: by its customer and by its account; `false` when there was none.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written; the same call again ends what it began.
    async fn unlink_customer(&self, id: &CustomerId) -> Result<bool, StoreError>;

    /// The link of a customer.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    async fn customer(&self, id: &CustomerId) -> Result<Option<CustomerLink>, StoreError>;

    /// The customers that an account is, by provider, mode and id. When each was synced is not told here (`synced_at` is `None`):
    /// that is kept by the customer alone.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    async fn customers_of(&self, account: &AccountId) -> Result<Vec<CustomerLink>, StoreError>;

    /// Enters that a fetch that began at `began_at` is about to be taken for a customer; `false` when one that began then or later
    /// was taken already, or the customer is not linked: then nothing is written (P6).
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written.
    async fn take_sync(&self, id: &CustomerId, began_at: DateTime<Utc>)
    -> Result<bool, StoreError>;

    /// Keeps an event; `false` when one with this id is kept already: it stays as it is.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written.
    async fn keep_event(&self, event: &KeptEvent) -> Result<bool, StoreError>;

    /// Takes events that wait and may be tried at `now`, the oldest first: each gets the next number of a try, and may not be taken again
    /// before `until`. Of two who take at once, each gets others. One that cannot be read, such as one of a newer version, is passed over
    /// until `until`.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written, or none of them can be read.
    async fn take_events(
        &self,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<KeptEvent>, StoreError>;

    /// Enters how a try ended; `false` when another try has begun since, or there is no such event.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written.
    async fn end_event_try(&self, result: &EventResult) -> Result<bool, StoreError>;

    /// An event.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    async fn event(&self, id: &EventId) -> Result<Option<KeptEvent>, StoreError>;

    /// A page of events; of those that came at the same instant, by mode and id, the greatest first.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    async fn events(&self, page: &EventPage) -> Result<Vec<KeptEvent>, StoreError>;

    /// How much work on events there is.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    async fn event_counts(&self) -> Result<EventCounts, StoreError>;

    /// Removes events that came before `before` and wait for nothing, at most `limit`; how many it removed. What was given up stays.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written.
    async fn prune_events(&self, before: DateTime<Utc>, limit: u32) -> Result<u64, StoreError>;

    /// Lists a problem, as one that is open. One with this id that is there already keeps when it was met first, counts once more, is
    /// told anew and is open again.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written.
    async fn raise_problem(&self, problem: &BillingProblem) -> Result<(), StoreError>;

    /// Settles a problem that is open; `false` when there is none with this id, or it was settled.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written.
    async fn settle_problem(&self, id: &ProblemId, settled: &Settled) -> Result<bool, StoreError>;

    /// A problem.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    async fn problem(&self, id: &ProblemId) -> Result<Option<BillingProblem>, StoreError>;

    /// The open problems about a customer, a payment or an event, by kind as a word.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    async fn open_problems_about(
        &self,
        provider: &ProviderCode,
        mode: PaymentMode,
        about: &str,
    ) -> Result<Vec<BillingProblem>, StoreError>;

    /// A page of problems; of those that were met last at the same instant, by mode, kind as a word, and what it is about, the greatest
    /// first.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    async fn problems(&self, page: &ProblemPage) -> Result<Vec<BillingProblem>, StoreError>;
}
