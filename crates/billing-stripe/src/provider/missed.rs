//! What may be a payment that changed since an instant, kind by kind: for whoever missed what was told of it.
//!
//! Stripe lists by when an object was made. So each list goes further back than the instant, by as long as an object of its kind may
//! take to change, and what shows that it did not is left out.

use chrono::{DateTime, TimeDelta, Utc};
use quota_core::ports::Listed;
use quota_core::provider::{ObjectKind, ProviderObject};

use super::facts::{is_purchase, ordered_pack};
use super::fault::Fault;
use super::list::page_of;
use super::stripe::Stripe;
use crate::client::{DisputeFilter, IntentFilter, InvoiceFilter, RefundFilter, SessionFilter};
use crate::shapes::{Invoice, InvoiceStatus, Refund, RefundStatus};

/// For how long a session or an order may wait for its money: a session can be paid for a day, and a debit takes two weeks at most.
const PAID_LATE_DAYS_MAX: i64 = 35;
/// For how long an invoice may be open that is paid after all.
const OPEN_DAYS_MAX: i64 = 400;
/// For how long a refund may be pending, or turn out to have failed: banks take a month.
const REFUND_DAYS_MAX: i64 = 90;
/// For how long a dispute may go on, with its appeal: banks take months.
const DISPUTE_DAYS_MAX: i64 = 400;

/// The kinds of objects that may be payments, in the order in which they are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Sessions,
    Invoices,
    Intents,
    Refunds,
    Disputes,
}

impl Step {
    const ALL: [Self; 5] = [
        Self::Sessions,
        Self::Invoices,
        Self::Intents,
        Self::Refunds,
        Self::Disputes,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::Sessions => "sessions",
            Self::Invoices => "invoices",
            Self::Intents => "intents",
            Self::Refunds => "refunds",
            Self::Disputes => "disputes",
        }
    }

    fn next(self) -> Option<Self> {
        match self {
            Self::Sessions => Some(Self::Invoices),
            Self::Invoices => Some(Self::Intents),
            Self::Intents => Some(Self::Refunds),
            Self::Refunds => Some(Self::Disputes),
            Self::Disputes => None,
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
    /// A page of what may be payments that changed: sessions that were completed, invoices that were made or paid, orders of ours,
    /// refunds, disputes.
    pub(super) async fn page_of_payments(
        &self,
        since: DateTime<Utc>,
        cursor: Option<&str>,
    ) -> Result<Listed<ProviderObject>, Fault> {
        let (step, after) = Step::of_cursor(cursor)?;
        let (items, next) = match step {
            Step::Sessions => self.page_of_sessions(since, after).await?,
            Step::Invoices => self.page_of_invoices(since, after).await?,
            Step::Intents => self.page_of_intents(since, after).await?,
            Step::Refunds => self.page_of_refunds(since, after).await?,
            Step::Disputes => self.page_of_disputes(since, after).await?,
        };
        let next = match next {
            Some(last) => Some(format!("{}:{last}", step.word())),
            None => step.next().map(|next| format!("{}:", next.word())),
        };
        Ok(Listed { items, next })
    }

    async fn page_of_sessions(&self, since: DateTime<Utc>, after: Option<&str>) -> Page {
        let filter = SessionFilter {
            status: Some("complete"),
            created_since: days_before(since, PAID_LATE_DAYS_MAX),
            ..SessionFilter::default()
        };
        let (page, next) = page_of(self.client.list_sessions(&filter), after).await?;
        let bought = page.into_iter().filter(is_purchase);
        let items = bought.map(|session| object(ObjectKind::Session, session.id));
        Ok((items.collect(), next))
    }

    async fn page_of_invoices(&self, since: DateTime<Utc>, after: Option<&str>) -> Page {
        let filter = InvoiceFilter {
            created_since: days_before(since, OPEN_DAYS_MAX),
            ..InvoiceFilter::default()
        };
        let (page, next) = page_of(self.client.list_invoices(&filter), after).await?;
        let changed = page
            .into_iter()
            .filter(|invoice| may_have_changed(invoice, since));
        let items = changed.map(|invoice| object(ObjectKind::Invoice, invoice.id));
        Ok((items.collect(), next))
    }

    async fn page_of_intents(&self, since: DateTime<Utc>, after: Option<&str>) -> Page {
        let filter = IntentFilter {
            created_since: days_before(since, PAID_LATE_DAYS_MAX),
            ..IntentFilter::default()
        };
        let (page, next) = page_of(self.client.list_intents(&filter), after).await?;
        let orders = page
            .into_iter()
            .filter(|intent| ordered_pack(intent).is_some());
        let items = orders.map(|intent| object(ObjectKind::Intent, intent.id));
        Ok((items.collect(), next))
    }

    async fn page_of_refunds(&self, since: DateTime<Utc>, after: Option<&str>) -> Page {
        let filter = RefundFilter {
            created_since: days_before(since, REFUND_DAYS_MAX),
            ..RefundFilter::default()
        };
        let (page, next) = page_of(self.client.list_refunds(&filter), after).await?;
        let changed = page.into_iter().filter(|refund| may_be_news(refund, since));
        let items = changed.map(|refund| object(ObjectKind::Refund, refund.id));
        Ok((items.collect(), next))
    }

    async fn page_of_disputes(&self, since: DateTime<Utc>, after: Option<&str>) -> Page {
        let filter = DisputeFilter {
            created_since: days_before(since, DISPUTE_DAYS_MAX),
            ..DisputeFilter::default()
        };
        let (page, next) = page_of(self.client.list_disputes(&filter), after).await?;
        let items = page
            .into_iter()
            .map(|dispute| object(ObjectKind::Dispute, dispute.id));
        Ok((items.collect(), next))
    }
}

type Page = Result<(Vec<ProviderObject>, Option<String>), Fault>;

fn object(kind: ObjectKind, id: String) -> ProviderObject {
    ProviderObject { kind, id }
}

fn days_before(since: DateTime<Utc>, days: i64) -> Option<i64> {
    let before = since.checked_sub_signed(TimeDelta::days(days));
    before.map(|before| before.timestamp())
}

/// Whether an instant is not before another one, or not known. Stripe tells whole seconds.
fn is_since(at: Option<DateTime<Utc>>, since: DateTime<Utc>) -> bool {
    at.is_none_or(|at| since.timestamp() <= at.timestamp())
}

/// Whether an invoice was made, or paid, since then; a draft is none yet.
fn may_have_changed(invoice: &Invoice, since: DateTime<Utc>) -> bool {
    let status = invoice.status.as_ref();
    let is = |wanted| status.is_some_and(|status| status.is(wanted));
    let is_paid_since =
        is(InvoiceStatus::Paid) && is_since(invoice.status_transitions.paid_at, since);
    !is(InvoiceStatus::Draft) && (is_since(invoice.created, since) || is_paid_since)
}

/// Whether a refund was made since then, or did not simply succeed before.
fn may_be_news(refund: &Refund, since: DateTime<Utc>) -> bool {
    let status = refund.status.as_ref();
    let has_succeeded = status.is_some_and(|status| status.is(RefundStatus::Succeeded));
    !has_succeeded || is_since(refund.created, since)
}
