//! The sync of everything: what no event told, or an event that never came, is found all the same (P6).
//!
//! Three lists are read: the events since the last run, the payments too where those events are gone, and all subscriptions. A
//! subscription that changes nothing costs no call of its own: only an account that differs is fetched.

use chrono::{DateTime, TimeDelta, Utc};
use futures::{FutureExt, StreamExt, stream};
use quota_core::command::{Command, SyncSubscription};
use quota_core::ids::{AccountId, CustomerRef, SubscriptionRef};
use quota_core::ports::ProviderFault;
use quota_core::provider::{
    EventState, KeptEvent, ProblemKind, ProviderObject, ProviderSubscription, SyncProgress,
};
use quota_core::terms::Terms;

use super::customer::is_sold;
use super::problems::Found;
use super::{Billing, BillingError, Synced};
use crate::EngineError;

/// How far back events are read again: clocks differ, and lists lag.
const OVERLAP: TimeDelta = TimeDelta::hours(1);
/// For how long a provider lists events; what is older is found in the lists of payments.
const EVENTS_LISTED: TimeDelta = TimeDelta::days(29);
/// How many listed subscriptions are compared and mended at once: a first sync waits for the pace of calls, and not for each answer.
const MENDED_AT_ONCE: usize = 20;

/// What a sync of everything is asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FullSync {
    /// Whether every customer is fetched, also one that seems unchanged.
    pub is_forced: bool,
    /// Whether nothing is changed, and only said what would.
    pub is_dry: bool,
}

/// What was different from what the provider says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// Whose account.
    pub account: AccountId,
    /// What differed: `status`, `period`, `plan`, `seats`, `end`, `scheduled`, `addons`.
    pub fields: Vec<&'static str>,
}

/// What one page of a sync came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SyncedPage {
    /// How many subscriptions, events or payments were on it.
    pub read: u64,
    /// What was different; mended unless the sync was dry.
    pub drifts: Vec<Drift>,
    /// What could not be synced, in words.
    pub failed: Vec<String>,
    /// Whether there is another page.
    pub has_more: bool,
}

impl Billing {
    /// Reads the events since the last run once more, and keeps those that never came. Where they are gone at the provider, payments
    /// are read. How far it came is kept.
    ///
    /// # Errors
    /// [`BillingError`] when something cannot be asked; the next run begins where this one did.
    pub async fn read_missed(&self) -> Result<SyncedPage, BillingError> {
        let connection = self.connection().await?;
        let (now, known) = (self.engine().now(), self.progress().await?);
        let read_until = known
            .events_read_until
            .unwrap_or(connection.money_starts_at);
        let since = read_until - OVERLAP;
        let mut page = SyncedPage::default();
        if now - EVENTS_LISTED < since {
            self.read_events(since, now, &mut page).await?;
        } else {
            self.read_payments(since, &mut page).await?;
            self.read_events(now - EVENTS_LISTED, now, &mut page)
                .await?;
        }
        // What failed is kept: an event waits for its next try, a payment is in the list of problems.
        let next = SyncProgress {
            events_read_until: Some(now),
            ..self.progress().await?
        };
        self.put_progress(&next).await?;
        Ok(page)
    }

    async fn read_events(
        &self,
        since: DateTime<Utc>,
        now: DateTime<Utc>,
        page: &mut SyncedPage,
    ) -> Result<(), BillingError> {
        let mut after: Option<String> = None;
        loop {
            let events = self.provider().events(since, after.as_deref(), now).await?;
            for event in events.items {
                page.read = page.read.saturating_add(1);
                self.catch_up(event, page).await?;
            }
            after = events.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    /// Keeps an event that never came, and works on it.
    async fn catch_up(
        &self,
        mut event: KeptEvent,
        page: &mut SyncedPage,
    ) -> Result<(), BillingError> {
        if self.keep_event(&mut event, true).await? && event.state == EventState::Waiting {
            let state = self.work_on(&event).await?;
            if state == EventState::Waiting {
                page.failed.push(format!("event `{}` waits", event.id));
            }
        }
        Ok(())
    }

    async fn read_payments(
        &self,
        since: DateTime<Utc>,
        page: &mut SyncedPage,
    ) -> Result<(), BillingError> {
        let mut after: Option<String> = None;
        loop {
            let payments = self.provider().payments(since, after.as_deref()).await?;
            for object in payments.items {
                page.read = page.read.saturating_add(1);
                let synced = self.sync_payment(&object).await;
                if let Err(error) = synced {
                    self.set_aside(&object, error, page).await?;
                }
            }
            after = payments.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    /// What cannot be done for one payment is no reason to leave the others: it is in the list of problems, to be tried again.
    async fn set_aside(
        &self,
        object: &ProviderObject,
        error: BillingError,
        page: &mut SyncedPage,
    ) -> Result<(), BillingError> {
        if is_of_everything(&error) {
            return Err(error);
        }
        page.failed.push(format!("`{}`: {error}", object.id));
        let evidence = [("object", object.id.clone())];
        let found = Found::new(ProblemKind::Refused, error.to_string(), evidence);
        self.tell_problems(&object.id, None, vec![found.found_by(object)])
            .await?;
        Ok(())
    }

    /// Reads a page of all subscriptions, and mends the accounts that differ. It goes on where the last page ended, also one of a run
    /// that died; after the last page it begins anew.
    ///
    /// # Errors
    /// [`BillingError`] when the page cannot be read; what cannot be done for one account is in the answer.
    pub async fn sync_page(&self, asked: FullSync) -> Result<SyncedPage, BillingError> {
        self.connection().await?;
        let known = self.progress().await?;
        let now = self.begin(None).await?;
        let began_at = known.list_began_at.unwrap_or(now);
        let after = known.list_after.as_ref().map(SubscriptionRef::as_str);
        let listed = match self.provider().subscriptions(after).await {
            // Where the last page ended is none any more: the list is read from its beginning.
            Err(error) if after.is_some() && error.fault == ProviderFault::Refused => {
                self.provider().subscriptions(None).await?
            }
            listed => listed?,
        };
        let mut page = SyncedPage {
            has_more: listed.next.is_some(),
            ..SyncedPage::default()
        };
        let mut mends = Vec::with_capacity(listed.items.len());
        for (customer, subscription) in &listed.items {
            mends.push(self.mend(customer, subscription, (asked, now)).boxed());
        }
        let mut mended = stream::iter(mends).buffered(MENDED_AT_ONCE);
        let mut customers = listed.items.iter().map(|(customer, _)| customer);
        while let (Some(drift), Some(customer)) = (mended.next().await, customers.next()) {
            page.read = page.read.saturating_add(1);
            match drift {
                Ok(Some(drift)) => page.drifts.push(drift),
                Ok(None) => {}
                Err(error) if is_of_everything(&error) => return Err(error),
                Err(error) => page.failed.push(format!("customer `{customer}`: {error}")),
            }
        }
        if !asked.is_dry {
            let next = match listed.next {
                Some(next) => SyncProgress {
                    list_began_at: Some(began_at),
                    list_after: SubscriptionRef::new(&next).ok(),
                    ..self.progress().await?
                },
                None => SyncProgress {
                    listed_at: Some(began_at),
                    list_began_at: None,
                    list_after: None,
                    ..self.progress().await?
                },
            };
            self.put_progress(&next).await?;
        }
        Ok(page)
    }

    /// Syncs the customer of a listed subscription, if that would change its account.
    async fn mend(
        &self,
        customer: &CustomerRef,
        subscription: &ProviderSubscription,
        (asked, listed_at): (FullSync, DateTime<Utc>),
    ) -> Result<Option<Drift>, BillingError> {
        let id = self.customer_id(customer);
        let Some(link) = self.store().customer(&id).await? else {
            if !asked.is_dry {
                self.meet_stranger(customer, subscription).await?;
            }
            return Ok(None);
        };
        let fields = self.drift(&link.account, subscription, listed_at).await?;
        if fields.is_empty() && !asked.is_forced {
            return Ok(None);
        }
        if !asked.is_dry {
            let synced = self.sync_account(&link.account).await?;
            if !matches!(synced, Synced::Applied { is_news: true, .. }) {
                return Ok(None);
            }
        }
        for field in &fields {
            metrics::counter!("billing_drift_total", "field" => *field).increment(1);
        }
        let account = link.account;
        Ok((!fields.is_empty()).then_some(Drift { account, fields }))
    }

    /// A customer of nobody is fetched once, if something is sold to it; a problem that is listed already is not listed again.
    async fn meet_stranger(
        &self,
        customer: &CustomerRef,
        subscription: &ProviderSubscription,
    ) -> Result<(), BillingError> {
        let catalog = self.engine().catalog_now();
        if subscription.ended_at.is_some() || !is_sold(self, &catalog, subscription) {
            return Ok(());
        }
        let about = customer.as_str();
        let open = self
            .store()
            .open_problems_about(self.code(), self.mode(), about)
            .await?;
        if open.is_empty() {
            self.sync_customer(customer).await?;
        }
        Ok(())
    }

    /// In what an account differs from one subscription of its provider.
    async fn drift(
        &self,
        account: &AccountId,
        subscription: &ProviderSubscription,
        listed_at: DateTime<Utc>,
    ) -> Result<Vec<&'static str>, BillingError> {
        let command = Command::SyncSubscription(SyncSubscription {
            provider: self.code().clone(),
            subscriptions: vec![subscription.clone()],
            fetched_at: listed_at,
        });
        let preview = match self.engine().preview(account, command).await {
            Ok(preview) => preview,
            // What is refused is listed by the sync itself.
            Err(EngineError::Rejected(_)) => return Ok(vec!["refused"]),
            Err(other) => return Err(other.into()),
        };
        if preview.change.is_none() {
            return Ok(Vec::new());
        }
        Ok(differing(&preview.before.terms, &preview.after.terms))
    }

    async fn progress(&self) -> Result<SyncProgress, BillingError> {
        let asked = self.connection().await?;
        Ok(self.store().connect(&asked).await?.progress)
    }

    async fn put_progress(&self, progress: &SyncProgress) -> Result<(), BillingError> {
        let (provider, mode) = (self.code(), self.mode());
        Ok(self
            .store()
            .put_sync_progress(provider, mode, progress)
            .await?)
    }
}

/// Whether no other account or payment would fare better.
fn is_of_everything(error: &BillingError) -> bool {
    match error {
        BillingError::Provider(error) => match error.fault {
            ProviderFault::Later | ProviderFault::Key => true,
            ProviderFault::Refused | ProviderFault::Unreadable => false,
        },
        BillingError::Store(_) | BillingError::OtherAccount { .. } => true,
        BillingError::Engine(_) | BillingError::Busy => false,
    }
}

/// What of an account's terms a sync changes, by name.
fn differing(before: &Terms, after: &Terms) -> Vec<&'static str> {
    let mut fields = Vec::new();
    let (was, is) = (before.subscription.as_ref(), after.subscription.as_ref());
    let (Some(was), Some(is)) = (was, is) else {
        return vec!["subscription"];
    };
    let of = [
        ("plan", was.plan != is.plan),
        ("status", was.status != is.status),
        (
            "period",
            (was.starts_at, was.ends_at) != (is.starts_at, is.ends_at),
        ),
        ("seats", was.seats != is.seats),
        ("end", was.cancel_at != is.cancel_at),
        ("scheduled", was.scheduled != is.scheduled),
        ("addons", before.addons != after.addons),
    ];
    fields.extend(
        of.iter()
            .filter(|(_, differs)| *differs)
            .map(|(name, _)| *name),
    );
    if fields.is_empty() {
        fields.push("subscription");
    }
    fields
}
