//! A payment with all that belongs to it, from its root.

use quota_core::ids::{CustomerRef, PaymentRef, SubscriptionRef};
use quota_core::payment::{Paying, PaymentMode};
use quota_core::provider::{FetchedLine, FetchedPayment, ProviderObject};

use super::facts::{self, amount, currency, made_at};
use super::fault::{Fault, there};
use super::root::Root;
use super::stripe::Stripe;
use crate::client::SessionFilter;
use crate::read::{PaidPart, parts_that_paid, subscription_of};
use crate::shapes::{BillingReason, CheckoutSession, Invoice, PaymentIntent};

impl Stripe {
    /// The payment that an object belongs to.
    pub(super) async fn payment_of(
        &self,
        object: &ProviderObject,
    ) -> Result<Option<FetchedPayment>, Fault> {
        match self.root(object).await? {
            None => Ok(None),
            Some(Root::Session(session)) => self.paid_in_session(&session).await.map(Some),
            Some(Root::Invoice(invoice)) => self.paid_by_invoice(&invoice).await.map(Some),
            Some(Root::Intent(intent)) => self.ordered(&intent).await,
        }
    }

    async fn paid_in_session(&self, session: &CheckoutSession) -> Result<FetchedPayment, Fault> {
        let intent = session.payment_intent.clone().map(PaidPart::Intent);
        let mut money = self.money(intent.as_slice()).await?;
        if let Some(invoice) = &session.invoice {
            money.aliases.insert(0, PaymentRef::new(invoice)?);
        }
        let paying = self.paying_of_session(session).await?;
        Ok(FetchedPayment {
            payment: PaymentRef::new(&session.id)?,
            aliases: money.aliases,
            customer: customer(session.customer.as_ref())?,
            is_on_test_clock: self.is_on_test_clock(session.customer.as_ref()).await?,
            paying,
            amount: amount(session.amount_total),
            currency: currency(&session.id, session.currency.as_deref())?,
            lines: self.lines_of_session(session).await?,
            ordered_pack: None,
            subscription: None,
            made_at: made_at(&session.id, session.created)?,
            paid_at: money.taken_at.filter(|_| paying == Paying::Paid),
            refunds: money.refunds,
            disputes: money.disputes,
        })
    }

    async fn paying_of_session(&self, session: &CheckoutSession) -> Result<Paying, Fault> {
        let waits_for = session.payment_intent.as_ref();
        let waits_for = waits_for.filter(|_| facts::is_waiting(session));
        let intent = match waits_for {
            Some(intent) => Some(self.client.retrieve_intent(intent).await?),
            None => None,
        };
        Ok(facts::session_paying(session, intent.as_ref()))
    }

    async fn lines_of_session(&self, session: &CheckoutSession) -> Result<Vec<FetchedLine>, Fault> {
        let shown = &session.line_items;
        if !shown.data.is_empty() && !shown.has_more {
            return facts::session_lines(&shown.data);
        }
        let lines = self.client.list_session_lines(&session.id)?.all().await?;
        facts::session_lines(&lines)
    }

    async fn paid_by_invoice(&self, invoice: &Invoice) -> Result<FetchedPayment, Fault> {
        let mut money = self.money(&parts_that_paid(invoice)).await?;
        if let Some(session) = self.session_that_began(invoice).await? {
            money.aliases.insert(0, PaymentRef::new(&session.id)?);
        }
        let paying = facts::invoice_paying(invoice);
        let paid_at = invoice.status_transitions.paid_at.or(money.taken_at);
        let clock = invoice.test_clock.is_some()
            || self.is_on_test_clock(invoice.customer.as_ref()).await?;
        let subscription = subscription_of(invoice).map(SubscriptionRef::new);
        Ok(FetchedPayment {
            payment: PaymentRef::new(&invoice.id)?,
            aliases: money.aliases,
            customer: customer(invoice.customer.as_ref())?,
            is_on_test_clock: clock,
            paying,
            amount: amount(invoice.total),
            currency: currency(&invoice.id, invoice.currency.as_deref())?,
            lines: self.lines_of_invoice(invoice).await?,
            ordered_pack: None,
            subscription: subscription.transpose()?,
            made_at: made_at(&invoice.id, invoice.created)?,
            paid_at: paid_at.filter(|_| paying == Paying::Paid),
            refunds: money.refunds,
            disputes: money.disputes,
        })
    }

    async fn lines_of_invoice(&self, invoice: &Invoice) -> Result<Vec<FetchedLine>, Fault> {
        let shown = &invoice.lines;
        if !shown.data.is_empty() && !shown.has_more {
            return facts::invoice_lines(&shown.data);
        }
        let lines = self.client.list_invoice_lines(&invoice.id)?.all().await?;
        facts::invoice_lines(&lines)
    }

    /// The session in which the subscription began whose first invoice this is: whoever paid knows it by that.
    async fn session_that_began(
        &self,
        invoice: &Invoice,
    ) -> Result<Option<CheckoutSession>, Fault> {
        let reason = invoice.billing_reason.as_ref();
        let is_first = reason.is_some_and(|reason| reason.is(BillingReason::SubscriptionCreate));
        let Some(subscription) = subscription_of(invoice).filter(|_| is_first) else {
            return Ok(None);
        };
        let filter = SessionFilter {
            subscription: Some(subscription.to_owned()),
            ..SessionFilter::default()
        };
        let sessions = self.client.list_sessions(&filter).all().await?;
        let names_it = |session: &CheckoutSession| session.invoice.as_ref() == Some(&invoice.id);
        Ok(sessions.into_iter().find(names_it))
    }

    /// An order of ours; none where the payment is somebody else's.
    async fn ordered(&self, intent: &PaymentIntent) -> Result<Option<FetchedPayment>, Fault> {
        let Some(pack) = facts::ordered_pack(intent) else {
            return Ok(None);
        };
        let mut money = self.money(&[PaidPart::Intent(intent.id.clone())]).await?;
        let payment = PaymentRef::new(&intent.id)?;
        money.aliases.retain(|alias| *alias != payment);
        let paying = facts::intent_paying(intent);
        Ok(Some(FetchedPayment {
            payment,
            aliases: money.aliases,
            customer: customer(intent.customer.as_ref())?,
            is_on_test_clock: self.is_on_test_clock(intent.customer.as_ref()).await?,
            paying,
            amount: facts::intent_amount(intent),
            currency: currency(&intent.id, intent.currency.as_deref())?,
            lines: Vec::new(),
            ordered_pack: Some(pack),
            subscription: None,
            made_at: made_at(&intent.id, intent.created)?,
            paid_at: money.taken_at.filter(|_| paying == Paying::Paid),
            refunds: money.refunds,
            disputes: money.disputes,
        }))
    }

    /// Whether a customer lives on a clock that is moved by hand. There is none in the live mode.
    async fn is_on_test_clock(&self, customer: Option<&String>) -> Result<bool, Fault> {
        let Some(customer) = customer.filter(|_| self.mode == PaymentMode::Test) else {
            return Ok(false);
        };
        let found = there(self.client.retrieve_customer(customer).await)?;
        Ok(found.is_some_and(|found| found.test_clock.is_some()))
    }
}

fn customer(id: Option<&String>) -> Result<Option<CustomerRef>, Fault> {
    Ok(id.map(|id| CustomerRef::new(id)).transpose()?)
}
