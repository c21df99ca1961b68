//! What a fetch saw of a provider's customers and payments: facts, whatever they mean here.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::ProviderSubscription;
use crate::ids::{Currency, CustomerRef, LineRef, PackCode, PaymentRef, PriceId, SubscriptionRef};
use crate::payment::{Disputed, Paying, Refunded};

/// A customer as its provider has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchedCustomer {
    /// As the provider names it; a link says which account it is.
    pub customer: CustomerRef,
    /// Whether it was deleted: nothing of it comes any more.
    pub is_deleted: bool,
    /// Whether it lives on a clock that is moved by hand: nothing of it is real (and nothing of it is applied).
    pub is_on_test_clock: bool,
    /// All its subscriptions, whatever their status.
    pub subscriptions: Vec<ProviderSubscription>,
}

/// A line of a payment as its provider has it: a price, so many times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchedLine {
    /// As the provider names it; it is credited once under this name.
    pub line: LineRef,
    /// Its price; none of a line that was written by hand.
    pub price: Option<PriceId>,
    /// How many of it.
    pub quantity: u64,
    /// Whether it only settles a change in the middle of a period: it buys nothing.
    pub is_proration: bool,
}

/// A payment as its provider has it, with all that belongs to it: found by any of its objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchedPayment {
    /// The id that it is kept by.
    pub payment: PaymentRef,
    /// Its other ids: the session, the invoice, the intent, the charges, whichever there are.
    pub aliases: Vec<PaymentRef>,
    /// Who paid.
    pub customer: Option<CustomerRef>,
    /// Whether it is of a clock that is moved by hand.
    pub is_on_test_clock: bool,
    /// Whether the money came.
    pub paying: Paying,
    /// What it came to, in minor units of the currency.
    pub amount: u64,
    /// In which currency.
    pub currency: Currency,
    /// What was bought.
    pub lines: Vec<FetchedLine>,
    /// The pack that an order of ours was for, where nothing has lines: it counts only if amount and currency are that pack's (P8).
    pub ordered_pack: Option<PackCode>,
    /// The subscription that it pays for, if it does.
    pub subscription: Option<SubscriptionRef>,
    /// When it was made.
    pub made_at: DateTime<Utc>,
    /// When it was paid.
    pub paid_at: Option<DateTime<Utc>>,
    /// Its refunds, by their ids.
    pub refunds: BTreeMap<PaymentRef, Refunded>,
    /// Its disputes, by their ids.
    pub disputes: BTreeMap<PaymentRef, Disputed>,
}
