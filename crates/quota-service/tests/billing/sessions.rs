//! Sessions as somebody opens them who is not our checkout.

use std::sync::Arc;

use billing_stripe::client::{CheckoutLine, IdempotencyKey, NewSession, SessionSubscription};
use billing_stripe::shapes::{CheckoutMode, Metadata};

use crate::shop::{Shop, Stored};
use crate::transport::client;

/// A session to be opened.
#[derive(Debug, Clone)]
pub struct Opened<'a> {
    pub mode: CheckoutMode,
    /// Price and quantity of each line.
    pub lines: &'a [(&'a str, u64)],
    /// Whether an invoice is made of a single payment too.
    pub with_invoice: bool,
    pub trial_days: Option<u32>,
    /// What is written beside it: `account` and `credits` of somebody who can write there.
    pub metadata: &'a [(&'a str, &'a str)],
}

impl<'a> Opened<'a> {
    /// In which something is bought once.
    pub fn purchase(lines: &'a [(&'a str, u64)]) -> Self {
        Self {
            mode: CheckoutMode::Payment,
            lines,
            with_invoice: false,
            trial_days: None,
            metadata: &[],
        }
    }

    /// In which a subscription begins.
    pub fn subscription(lines: &'a [(&'a str, u64)]) -> Self {
        Self {
            mode: CheckoutMode::Subscription,
            ..Self::purchase(lines)
        }
    }
}

impl<S: Stored> Shop<S> {
    /// Opens a session for a customer.
    pub async fn session(&self, customer: &str, opened: &Opened<'_>) -> String {
        let lines = opened.lines.iter().map(|(price, quantity)| CheckoutLine {
            price: (*price).to_owned(),
            quantity: *quantity,
        });
        let metadata = opened.metadata.iter();
        let metadata: Metadata = metadata
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let begins = opened.trial_days.map(|days| SessionSubscription {
            trial_period_days: Some(days),
            ..SessionSubscription::default()
        });
        let new = NewSession {
            mode: opened.mode,
            line_items: lines.collect(),
            customer: Some(customer.to_owned()),
            client_reference_id: metadata.get("account").cloned(),
            success_url: "https://shop.test/done".to_owned(),
            cancel_url: None,
            expires_at: None,
            allow_promotion_codes: None,
            with_invoice: opened.with_invoice.then_some(true),
            setup_future_usage: None,
            payment_metadata: metadata.clone(),
            payment_method_collection: None,
            subscription_data: begins,
            metadata,
        };
        let number = self.fake.calls_total();
        let key = IdempotencyKey::new(format!("session:{number}")).expect("a key");
        let made = client(&self.fake, &Arc::default())
            .create_session(&new, &key)
            .await;
        made.expect("a session").id
    }
}
