//! Lists, a page at a time.

use chrono::{DateTime, Utc};
use quota_core::ids::CustomerRef;
use quota_core::ports::Listed;
use quota_core::provider::{KeptEvent, ObjectKind, ProviderObject, ProviderSubscription};

use super::event::event_of;
use super::facts::{is_purchase, ordered_pack};
use super::fault::Fault;
use super::stripe::Stripe;
use crate::client::{
    EventFilter, IntentFilter, InvoiceFilter, Pages, SessionFilter, SubscriptionFilter,
};
use crate::shapes::{self, InvoiceStatus};

/// The kinds of objects that may be payments, in the order in which they are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Sessions,
    Invoices,
    Intents,
}

impl Step {
    const ALL: [Self; 3] = [Self::Sessions, Self::Invoices, Self::Intents];

    fn word(self) -> &'static str {
        match self {
            Self::Sessions => "sessions",
            Self::Invoices => "invoices",
            Self::Intents => "intents",
        }
    }

    fn next(self) -> Option<Self> {
        match self {
            Self::Sessions => Some(Self::Invoices),
            Self::Invoices => Some(Self::Intents),
            Self::Intents => None,
        }
    }

    /// Reads `invoices:in_1`: the kind, and the object behind which the list goes on.
    fn of_cursor(cursor: Option<&str>) -> Result<(Self, Option<&str>), Fault> {
        let Some(cursor) = cursor else {
            return Ok((Self::Sessions, None));
        };
        let (word, after) = cursor.split_once(':').unwrap_or((cursor, ""));
        let step = Self::ALL.into_iter().find(|step| step.word() == word);
        let step =
            step.ok_or_else(|| Fault::refused(format!("`{cursor}` is no place in a list")))?;
        Ok((step, Some(after).filter(|after| !after.is_empty())))
    }
}

impl Stripe {
    /// A page of all subscriptions but those on test clocks, which are nothing real.
    pub(super) async fn page_of_subscriptions(
        &self,
        after: Option<&str>,
    ) -> Result<Listed<(CustomerRef, ProviderSubscription)>, Fault> {
        let filter = SubscriptionFilter::default();
        let (page, next) = page_of(self.client.list_subscriptions(&filter), after).await?;
        let mut items = Vec::with_capacity(page.len());
        for one in page.into_iter().filter(|one| one.test_clock.is_none()) {
            let customer = one.customer.as_deref();
            let nobodys = || Fault::unreadable(&one.id, "it does not say whose it is");
            let customer = CustomerRef::new(customer.ok_or_else(nobodys)?)?;
            items.push((customer, self.subscription_of(one).await?));
        }
        Ok(Listed { items, next })
    }

    /// A page of events, without those that nobody looks at. Stripe filters by 20 kinds at most, and there are more: all are read.
    pub(super) async fn page_of_events(
        &self,
        since: DateTime<Utc>,
        after: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Listed<KeptEvent>, Fault> {
        let filter = EventFilter {
            created_since: Some(since.timestamp()),
            types: Vec::new(),
        };
        let (page, next) = page_of(self.client.list_events(&filter), after).await?;
        let kept = page
            .iter()
            .filter_map(|event| event_of(&self.code, event, now));
        Ok(Listed {
            items: kept.filter(|event| event.about.is_some()).collect(),
            next,
        })
    }

    /// A page of what may be payments: sessions that were completed, invoices that are more than drafts, orders of ours.
    pub(super) async fn page_of_payments(
        &self,
        since: DateTime<Utc>,
        cursor: Option<&str>,
    ) -> Result<Listed<ProviderObject>, Fault> {
        let (step, after) = Step::of_cursor(cursor)?;
        let since = Some(since.timestamp());
        let (items, next) = match step {
            Step::Sessions => self.page_of_sessions(since, after).await?,
            Step::Invoices => self.page_of_invoices(since, after).await?,
            Step::Intents => self.page_of_intents(since, after).await?,
        };
        let next = match next {
            Some(last) => Some(format!("{}:{last}", step.word())),
            None => step.next().map(|next| format!("{}:", next.word())),
        };
        Ok(Listed { items, next })
    }

    async fn page_of_sessions(&self, since: Option<i64>, after: Option<&str>) -> Page {
        let filter = SessionFilter {
            status: Some("complete"),
            created_since: since,
            ..SessionFilter::default()
        };
        let (page, next) = page_of(self.client.list_sessions(&filter), after).await?;
        let bought = page.into_iter().filter(is_purchase);
        let items = bought.map(|session| object(ObjectKind::Session, session.id));
        Ok((items.collect(), next))
    }

    async fn page_of_invoices(&self, since: Option<i64>, after: Option<&str>) -> Page {
        let filter = InvoiceFilter {
            created_since: since,
            ..InvoiceFilter::default()
        };
        let (page, next) = page_of(self.client.list_invoices(&filter), after).await?;
        let is_final = |invoice: &shapes::Invoice| {
            let status = invoice.status.as_ref();
            !status.is_some_and(|status| status.is(InvoiceStatus::Draft))
        };
        let items = page
            .into_iter()
            .filter(is_final)
            .map(|invoice| object(ObjectKind::Invoice, invoice.id));
        Ok((items.collect(), next))
    }

    async fn page_of_intents(&self, since: Option<i64>, after: Option<&str>) -> Page {
        let filter = IntentFilter {
            created_since: since,
            ..IntentFilter::default()
        };
        let (page, next) = page_of(self.client.list_intents(&filter), after).await?;
        let orders = page
            .into_iter()
            .filter(|intent| ordered_pack(intent).is_some());
        let items = orders.map(|intent| object(ObjectKind::Intent, intent.id));
        Ok((items.collect(), next))
    }
}

type Page = Result<(Vec<ProviderObject>, Option<String>), Fault>;

fn object(kind: ObjectKind, id: String) -> ProviderObject {
    ProviderObject { kind, id }
}

/// One page of a list, and the object behind which the next one begins.
async fn page_of<T: shapes::Listed>(
    mut pages: Pages<T>,
    after: Option<&str>,
) -> Result<(Vec<T>, Option<String>), Fault> {
    if let Some(after) = after {
        pages = pages.after(after);
    }
    let page = pages.next().await?.unwrap_or_default();
    let next = pages.cursor().filter(|_| !pages.is_at_end());
    Ok((page, next.map(str::to_owned)))
}
