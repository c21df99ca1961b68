//! Invoices, what is on them and what pays them.

use serde::Serialize;

use super::{Expanded, Nothing};
use crate::client::error::StripeError;
use crate::client::key::IdempotencyKey;
use crate::client::pages::Pages;
use crate::client::send::{Call, Client, path};
use crate::shapes::{Invoice, InvoiceItem, InvoiceLine, InvoicePayment, Metadata};

const PATH: &str = "/v1/invoices";

/// Which invoices are listed.
#[derive(Clone, Debug, Default, Serialize)]
pub struct InvoiceFilter {
    /// Those of a customer.
    pub customer: Option<String>,
    /// Those of a subscription.
    pub subscription: Option<String>,
    /// `draft`, `open`, `paid`, `uncollectible`, `void`.
    pub status: Option<&'static str>,
    /// Those made at this instant or later (seconds since 1970).
    #[serde(rename = "created[gte]")]
    pub created_since: Option<i64>,
}

/// Which payments of invoices are listed.
#[derive(Clone, Debug)]
pub enum InvoicePaymentFilter {
    /// Those of an invoice.
    Invoice(String),
    /// The one that is this intent: how a charge finds its invoice.
    Intent(String),
}

#[derive(Debug, Default, Serialize)]
struct PaymentListing<'a> {
    invoice: Option<&'a str>,
    #[serde(rename = "payment[type]")]
    kind: Option<&'static str>,
    #[serde(rename = "payment[payment_intent]")]
    intent: Option<&'a str>,
}

/// An invoice that is made by hand, without what waits for the next one.
#[derive(Clone, Debug, Serialize)]
pub struct NewInvoice {
    /// Who pays.
    pub customer: String,
    /// What people read on it.
    pub description: Option<String>,
    /// What is attached to it.
    #[serde(skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
}

#[derive(Debug, Serialize)]
struct ByHand<'a> {
    #[serde(flatten)]
    invoice: &'a NewInvoice,
    auto_advance: bool,
    collection_method: &'static str,
    pending_invoice_items_behavior: &'static str,
}

/// One line of it.
#[derive(Clone, Debug, Serialize)]
pub struct NewInvoiceItem {
    /// Who pays.
    pub customer: String,
    /// On which invoice.
    pub invoice: String,
    /// Its price.
    #[serde(rename = "pricing[price]")]
    pub price: String,
    /// How many.
    pub quantity: u64,
}

#[derive(Debug, Serialize)]
struct Payment {
    off_session: bool,
}

impl Client {
    /// One invoice, with what paid it and the first of its lines.
    ///
    /// # Errors
    /// [`StripeError`].
    pub async fn retrieve_invoice(&self, id: &str) -> Result<Invoice, StripeError> {
        let expand = Expanded {
            expand: &["payments"],
        };
        let call = Call::get("retrieve_invoice", &path(PATH, id)?, &expand);
        self.call(&call).await
    }

    /// Invoices, newest first.
    pub fn list_invoices(&self, filter: &InvoiceFilter) -> Pages<Invoice> {
        Pages::new(self, "list_invoices", PATH, filter)
    }

    /// All lines of an invoice.
    ///
    /// # Errors
    /// [`StripeError`] when the id cannot be one.
    pub fn list_invoice_lines(&self, id: &str) -> Result<Pages<InvoiceLine>, StripeError> {
        let path = format!("{}/lines", path(PATH, id)?);
        Ok(Pages::new(self, "list_invoice_lines", path, &Nothing {}))
    }

    /// Payments of invoices.
    pub fn list_invoice_payments(&self, filter: &InvoicePaymentFilter) -> Pages<InvoicePayment> {
        let listing = match filter {
            InvoicePaymentFilter::Invoice(invoice) => PaymentListing {
                invoice: Some(invoice),
                ..PaymentListing::default()
            },
            InvoicePaymentFilter::Intent(intent) => PaymentListing {
                kind: Some("payment_intent"),
                intent: Some(intent),
                ..PaymentListing::default()
            },
        };
        let path = "/v1/invoice_payments";
        Pages::new(self, "list_invoice_payments", path, &listing)
    }

    /// A draft of an invoice, which stays one until it is finalized.
    ///
    /// # Errors
    /// [`StripeError`].
    pub async fn create_invoice(
        &self,
        invoice: &NewInvoice,
        key: &IdempotencyKey,
    ) -> Result<Invoice, StripeError> {
        let invoice = ByHand {
            invoice,
            auto_advance: false,
            collection_method: "charge_automatically",
            pending_invoice_items_behavior: "exclude",
        };
        let call = Call::post("create_invoice", PATH, &invoice, key);
        self.call(&call).await
    }

    /// A line on a draft.
    ///
    /// # Errors
    /// [`StripeError`].
    pub async fn create_invoice_item(
        &self,
        item: &NewInvoiceItem,
        key: &IdempotencyKey,
    ) -> Result<InvoiceItem, StripeError> {
        let call = Call::post("create_invoice_item", "/v1/invoiceitems", item, key);
        self.call(&call).await
    }

    /// Makes an invoice of a draft.
    ///
    /// # Errors
    /// [`StripeError`].
    pub async fn finalize_invoice(
        &self,
        id: &str,
        key: &IdempotencyKey,
    ) -> Result<Invoice, StripeError> {
        let path = format!("{}/finalize", path(PATH, id)?);
        let call = Call::post("finalize_invoice", path, &Nothing {}, key);
        self.call(&call).await
    }

    /// Pays an invoice at once without its payer.
    ///
    /// # Errors
    /// [`StripeError`]; [`StripeError::Declined`] when the bank says no.
    pub async fn pay_invoice(
        &self,
        id: &str,
        key: &IdempotencyKey,
    ) -> Result<Invoice, StripeError> {
        let path = format!("{}/pay", path(PATH, id)?);
        let payment = Payment { off_session: true };
        let call = Call::post("pay_invoice", path, &payment, key);
        self.call(&call).await
    }

    /// Makes an invoice one that nobody has to pay.
    ///
    /// # Errors
    /// [`StripeError`].
    pub async fn void_invoice(
        &self,
        id: &str,
        key: &IdempotencyKey,
    ) -> Result<Invoice, StripeError> {
        let path = format!("{}/void", path(PATH, id)?);
        let call = Call::post("void_invoice", path, &Nothing {}, key);
        self.call(&call).await
    }
}
