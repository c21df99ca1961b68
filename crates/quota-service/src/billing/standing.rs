//! How things stand with the provider: what stands in its way, and what waits for somebody.

use std::collections::BTreeMap;
use std::sync::PoisonError;
use std::time::Duration;

use metrics::gauge;
use quota_core::ports::{ProblemPage, StoreError};
use quota_core::provider::ProblemKind;
use tokio::task::JoinHandle;

use super::{Billing, BillingError};

/// How often what is open is counted.
const COUNTED_EVERY: Duration = Duration::from_secs(30);
/// Problems on one page of the count, and the most pages: whoever has more open problems than that has one problem.
const PROBLEMS_ON_PAGE: u32 = 1_000;
const PROBLEM_PAGES_MAX: usize = 10;

impl Billing {
    /// What stands between this process and the provider, in words; none when nothing does. A provider that is away for a while is no
    /// trouble: what is asked of it is asked again.
    pub fn trouble(&self) -> Option<String> {
        self.inner.watched.refusal().or_else(|| {
            if self.inner.connection.initialized() {
                return None;
            }
            let why = self.inner.unconnected.lock();
            let why = why.unwrap_or_else(PoisonError::into_inner).clone();
            let code = self.code();
            Some(why.unwrap_or_else(|| format!("{code} is not connected yet")))
        })
    }

    pub(super) fn note_connecting(&self, failed: Option<&BillingError>) {
        let why = self.inner.unconnected.lock();
        *why.unwrap_or_else(PoisonError::into_inner) =
            failed.map(|error| format!("{} is not connected: {error}", self.code()));
    }

    /// Sets the gauges of what is open: problems by kind, events that wait, and since when the oldest of them does.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    pub async fn measure(&self) -> Result<(), StoreError> {
        let counts = self.store().event_counts().await?;
        let waits = counts.oldest_waiting_at.map(|at| self.engine().now() - at);
        let waits = waits.and_then(|waits| waits.to_std().ok());
        gauge!("billing_oldest_event_seconds").set(waits.unwrap_or_default().as_secs_f64());
        gauge!("billing_open_events", "state" => "waiting").set(float(counts.waiting));
        gauge!("billing_open_events", "state" => "given_up").set(float(counts.given_up));
        for (kind, open) in self.open_problems().await? {
            gauge!("billing_problems", "kind" => kind.as_str()).set(float(open));
        }
        Ok(())
    }

    /// Sets the gauges again and again, as long as the process lives.
    pub fn keep_measuring(&self) -> JoinHandle<()> {
        let billing = self.clone();
        tokio::spawn(async move {
            loop {
                if let Err(error) = billing.measure().await {
                    tracing::debug!(%error, "what is open at the payment provider was not counted");
                }
                tokio::time::sleep(COUNTED_EVERY).await;
            }
        })
    }

    /// How many problems are open, of every kind.
    async fn open_problems(&self) -> Result<BTreeMap<ProblemKind, u64>, StoreError> {
        let mut open: BTreeMap<ProblemKind, u64> =
            ProblemKind::ALL.into_iter().map(|kind| (kind, 0)).collect();
        let mut page = ProblemPage {
            provider: self.code().clone(),
            is_open: true,
            kind: None,
            account: None,
            after: None,
            limit: PROBLEMS_ON_PAGE,
        };
        for _ in 0..PROBLEM_PAGES_MAX {
            let found = self.store().problems(&page).await?;
            for problem in &found {
                let count = open.entry(problem.id.kind).or_default();
                *count = count.saturating_add(1);
            }
            page.after = found
                .last()
                .map(|last| (last.last_seen_at, last.id.clone()));
            let is_last = u32::try_from(found.len()).unwrap_or(u32::MAX) < PROBLEMS_ON_PAGE;
            if is_last {
                break;
            }
        }
        Ok(open)
    }
}

/// A count as gauges have it.
fn float(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
