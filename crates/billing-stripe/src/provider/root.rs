//! Which object a payment is kept by: the same, whichever of its objects one begins with (P7).

use chrono::TimeDelta;
use quota_core::provider::{ObjectKind, ProviderObject};

use super::facts::is_purchase;
use super::fault::{Fault, there};
use super::stripe::Stripe;
use crate::client::{InvoicePaymentFilter, SessionFilter};
use crate::read::{PaidPart, parts_that_paid, subscription_of};
use crate::shapes::{
    BillingReason, CheckoutMode, CheckoutSession, Invoice, InvoicePayment, Open, PaymentIntent,
};

/// Days before an invoice in which the session may have been opened that it was made for: a session can be paid for a day, and a debit
/// takes two weeks at most.
const SESSION_DAYS_MAX: i64 = 35;

/// The object that a payment is kept by.
#[derive(Debug)]
pub(super) enum Root {
    /// A session in which something was bought once.
    Session(Box<CheckoutSession>),
    /// An invoice.
    Invoice(Box<Invoice>),
    /// A payment that is neither of a session nor of an invoice.
    Intent(Box<PaymentIntent>),
}

type Found = Result<Option<Root>, Fault>;

impl Stripe {
    /// The root of the payment that an object belongs to; none when it is not there, or is no part of a payment.
    pub(super) async fn root(&self, object: &ProviderObject) -> Found {
        match object.kind {
            ObjectKind::Customer | ObjectKind::Subscription | ObjectKind::Schedule => Ok(None),
            ObjectKind::Session => self.root_of_session(&object.id).await,
            ObjectKind::Invoice => self.root_of_invoice(&object.id).await,
            ObjectKind::Intent => self.root_of_intent(&object.id).await,
            ObjectKind::Charge => self.root_of_charge(&object.id).await,
            ObjectKind::Refund => {
                let Some(refund) = there(self.client.retrieve_refund(&object.id).await)? else {
                    return Ok(None);
                };
                self.root_of_parts(refund.payment_intent, refund.charge)
                    .await
            }
            ObjectKind::Dispute => {
                let Some(dispute) = there(self.client.retrieve_dispute(&object.id).await)? else {
                    return Ok(None);
                };
                self.root_of_parts(dispute.payment_intent, dispute.charge)
                    .await
            }
        }
    }

    async fn root_of_parts(&self, intent: Option<String>, charge: Option<String>) -> Found {
        match (intent, charge) {
            (Some(intent), _) => self.root_of_intent(&intent).await,
            (None, Some(charge)) => self.root_of_charge(&charge).await,
            (None, None) => Ok(None),
        }
    }

    async fn root_of_charge(&self, id: &str) -> Found {
        let Some(charge) = there(self.client.retrieve_charge(id).await)? else {
            return Ok(None);
        };
        match (charge.payment_intent, charge.invoice) {
            (Some(intent), _) => self.root_of_intent(&intent).await,
            (None, Some(invoice)) => self.root_of_invoice(&invoice).await,
            (None, None) => Ok(None),
        }
    }

    async fn root_of_intent(&self, id: &str) -> Found {
        let Some(intent) = there(self.client.retrieve_intent(id).await)? else {
            return Ok(None);
        };
        if let Some(session) = self.session_of_intent(id).await? {
            return Ok(Some(Root::Session(Box::new(session))));
        }
        let invoice = match &intent.invoice {
            Some(invoice) => Some(invoice.clone()),
            None => self.invoice_of_intent(id).await?,
        };
        match invoice {
            Some(invoice) => self.root_of_invoice(&invoice).await,
            None => Ok(Some(Root::Intent(Box::new(intent)))),
        }
    }

    async fn root_of_session(&self, id: &str) -> Found {
        let Some(session) = there(self.client.retrieve_session(id).await)? else {
            return Ok(None);
        };
        if is_purchase(&session) {
            return Ok(Some(Root::Session(Box::new(session))));
        }
        let mode = session.mode.as_ref();
        let begins = mode.is_none_or(|mode| mode.is(CheckoutMode::Subscription));
        match session.invoice.filter(|_| begins) {
            Some(invoice) => self.root_of_invoice(&invoice).await,
            None => Ok(None),
        }
    }

    async fn root_of_invoice(&self, id: &str) -> Found {
        let Some(mut invoice) = there(self.client.retrieve_invoice(id).await)? else {
            return Ok(None);
        };
        if invoice.payments.has_more {
            let filter = InvoicePaymentFilter::Invoice(invoice.id.clone());
            invoice.payments.data = self.client.list_invoice_payments(&filter).all().await?;
        }
        if subscription_of(&invoice).is_none()
            && let Some(session) = self.session_of_invoice(&invoice).await?
        {
            return Ok(Some(Root::Session(Box::new(session))));
        }
        Ok(Some(Root::Invoice(Box::new(invoice))))
    }

    /// The session in which an intent was paid, where something was bought once.
    async fn session_of_intent(&self, intent: &str) -> Result<Option<CheckoutSession>, Fault> {
        let filter = SessionFilter {
            payment_intent: Some(intent.to_owned()),
            ..SessionFilter::default()
        };
        let sessions = self.client.list_sessions(&filter).all().await?;
        Ok(sessions.into_iter().find(is_purchase))
    }

    /// The invoice that an intent pays. Of several the one that it paid.
    async fn invoice_of_intent(&self, intent: &str) -> Result<Option<String>, Fault> {
        let filter = InvoicePaymentFilter::Intent(intent.to_owned());
        let mut payments = self.client.list_invoice_payments(&filter).all().await?;
        payments.sort_by_key(|payment| (rank(payment), payment.id.clone()));
        Ok(payments.into_iter().find_map(|payment| payment.invoice))
    }

    /// The session for which an invoice was made: the one that its payment was made in; where no payment of it is known, the one that
    /// names it.
    async fn session_of_invoice(
        &self,
        invoice: &Invoice,
    ) -> Result<Option<CheckoutSession>, Fault> {
        let parts = parts_that_paid(invoice);
        for part in &parts {
            if let PaidPart::Intent(intent) = part
                && let Some(session) = self.session_of_intent(intent).await?
            {
                return Ok(Some(session));
            }
        }
        if !parts.is_empty() || !may_be_of_a_session(invoice) {
            return Ok(None);
        }
        let earliest = invoice
            .created
            .and_then(|made| made.checked_sub_signed(TimeDelta::days(SESSION_DAYS_MAX)));
        let filter = SessionFilter {
            customer: invoice.customer.clone(),
            created_since: earliest.map(|earliest| earliest.timestamp()),
            ..SessionFilter::default()
        };
        let mut pages = self.client.list_sessions(&filter);
        while let Some(page) = pages.next().await? {
            let names_it = |session: &CheckoutSession| {
                is_purchase(session) && session.invoice.as_deref() == Some(invoice.id.as_str())
            };
            if let Some(session) = page.into_iter().find(names_it) {
                return Ok(Some(session));
            }
        }
        Ok(None)
    }
}

/// Whether an invoice may have been made for a session: what subscriptions and quotes make is not.
fn may_be_of_a_session(invoice: &Invoice) -> bool {
    let is_by_hand = match &invoice.billing_reason {
        Some(Open::Known(reason)) => match reason {
            BillingReason::Manual => true,
            BillingReason::AutomaticPendingInvoiceItemInvoice
            | BillingReason::QuoteAccept
            | BillingReason::Subscription
            | BillingReason::SubscriptionCreate
            | BillingReason::SubscriptionCycle
            | BillingReason::SubscriptionThreshold
            | BillingReason::SubscriptionUpdate
            | BillingReason::Upcoming => false,
        },
        Some(Open::Other(_)) | None => true,
    };
    is_by_hand && invoice.customer.is_some()
}

/// Paid goes before open, and that before canceled.
fn rank(payment: &InvoicePayment) -> u8 {
    match payment.status.as_deref() {
        Some("paid") => 0,
        Some("canceled") => 2,
        Some(_) | None => 1,
    }
}
