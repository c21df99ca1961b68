//! A payment provider: what it has is fetched, and what is wanted of it is asked for. It decides what was paid.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::ids::{
    AccountId, Currency, CustomerRef, PackCode, PaymentRef, PriceId, ProviderCode, SubscriptionRef,
};
use crate::payment::PaymentMode;
use crate::provider::{
    FetchedCustomer, FetchedPayment, KeptEvent, ProviderObject, ProviderSubscription,
};
use crate::terms::TopUpFailure;

/// Why a provider did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{provider}: {what}")]
pub struct ProviderError {
    /// Which provider.
    pub provider: ProviderCode,
    /// What can be done about it.
    pub fault: ProviderFault,
    /// In words; no secret is in them.
    pub what: String,
}

/// What can be done when a provider did not do what it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProviderFault {
    /// The same may succeed later: it is away, busy, or its answer did not come.
    Later,
    /// The key is dead, or may not do this: a person has to look after it.
    Key,
    /// It refuses this request, now and later.
    Refused,
    /// Its answer cannot be read.
    Unreadable,
}

/// A page of a provider's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<T> {
    /// What is on the page.
    pub items: Vec<T>,
    /// Where the next page goes on; none at the end.
    pub next: Option<String>,
}

/// What is bought in a checkout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckoutKind {
    /// A plan or an add-on: it is paid again and again.
    Subscription,
    /// A pack: it is paid once.
    Payment,
}

/// A checkout to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCheckout {
    /// The customer that pays: that of the account.
    pub customer: CustomerRef,
    /// For which account: written beside it for people, and never read back.
    pub account: AccountId,
    /// Paid once or again and again.
    pub kind: CheckoutKind,
    /// What is bought, and how many of each.
    pub items: Vec<(PriceId, u64)>,
    /// Whole days that it is free at first; none of a payment.
    pub trial_days: Option<u32>,
    /// Where the buyer goes when it is paid.
    pub success_url: String,
    /// Where the buyer goes who gives up.
    pub cancel_url: String,
    /// The same key is the same checkout.
    pub key: String,
}

/// Where a checkout stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckoutState {
    /// The buyer is at it.
    Open,
    /// The buyer is through; the payment may still be on its way.
    Complete,
    /// It can be paid no more.
    Expired,
}

/// A checkout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkout {
    /// As the provider names it; the page that the buyer comes back to has it.
    pub id: String,
    /// The customer that pays; none while a stranger has not said who that is.
    pub customer: Option<CustomerRef>,
    /// Where it stands.
    pub state: CheckoutState,
    /// Where the buyer pays, while it is open.
    pub url: Option<String>,
    /// The subscription that it made.
    pub subscription: Option<SubscriptionRef>,
}

/// What is asked of a subscription at its provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubscriptionAct {
    /// Another price or quantity in place of one: at once in a new period, or at the end of this one.
    Change {
        /// The price that is there.
        from: PriceId,
        /// The price that follows; it may be the same.
        to: PriceId,
        /// How many of it.
        quantity: u64,
        /// Whether it waits for the end of the period.
        at_period_end: bool,
    },
    /// So many of what is paid beside its plan, in the period that runs.
    Item {
        /// The price; one that is not there is added.
        price: PriceId,
        /// How many of it; it is taken out when there are none.
        quantity: u64,
    },
    /// It ends: at once, or with its period.
    Cancel {
        /// Whether it ends at once.
        now: bool,
    },
    /// The end that was set is taken back.
    Resume,
    /// The change that is scheduled is taken back.
    DropScheduled,
}

/// A payment to be made at once without its payer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCharge {
    /// What the provider keeps beside the payment, so that it is found again: no other charge has it.
    pub id: Uuid,
    /// The customer that pays: that of the account.
    pub customer: CustomerRef,
    /// For which account: written beside it for people, and never read back.
    pub account: AccountId,
    /// The pack, written beside the payment, so that its sync knows what was sold.
    pub pack: PackCode,
    /// In minor units of the currency.
    pub amount: u64,
    /// That of the pack in the catalog.
    pub currency: Currency,
    /// It was not asked for before this.
    pub since: DateTime<Utc>,
    /// The payment, where it is known.
    pub payment: Option<PaymentRef>,
}

/// What a charge came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Charged {
    /// There is a payment: the money came, or may still come.
    Taken(PaymentRef),
    /// The money will not come: what was begun can be paid no more.
    Failed {
        /// What kept it from being paid.
        failure: TopUpFailure,
        /// The provider's words.
        words: String,
        /// The payment that was tried.
        payment: Option<PaymentRef>,
    },
}

/// A webhook as it was read: signed by the provider, and of the mode that is served here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// What it tells.
    pub event: KeptEvent,
    /// The account there that it is of, if it says so: it may be another than ours.
    pub account: Option<String>,
}

/// Why a webhook was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WebhookRefusal {
    /// Nobody knows who sent it.
    #[error("{0}")]
    NotSigned(String),
    /// It is of the other mode: a live one came to where only tests are, or the other way round.
    #[error("the event is of mode `{}`, which is not served here", .0.as_str())]
    OtherMode(PaymentMode),
    /// It is signed, and cannot be read.
    #[error("{0}")]
    Unreadable(String),
}

/// Reads what a provider sends.
pub trait WebhookReader: Send + Sync {
    /// The header that its signature is in, in small letters.
    fn signature_header(&self) -> &'static str;

    /// Reads a webhook that came at `now`: its signatures, and its body as it came.
    ///
    /// # Errors
    /// [`WebhookRefusal`] when it is not believed or cannot be read; nothing of it is kept then.
    fn read(
        &self,
        signatures: &[&[u8]],
        body: &[u8],
        now: DateTime<Utc>,
    ) -> Result<Webhook, WebhookRefusal>;
}

/// A payment provider. Every call may be repeated; what changes something is given a key, under which it happens once.
#[async_trait]
pub trait PaymentProvider: Send + Sync {
    /// Its code.
    fn code(&self) -> &ProviderCode;

    /// Whether its key moves money.
    fn mode(&self) -> PaymentMode;

    /// The account there that the key is of.
    ///
    /// # Errors
    /// [`ProviderError`] when it cannot be asked.
    async fn account(&self) -> Result<String, ProviderError>;

    /// A customer with all its subscriptions; none when there is no such customer.
    ///
    /// # Errors
    /// [`ProviderError`] when it cannot be fetched as a whole.
    async fn customer(
        &self,
        customer: &CustomerRef,
    ) -> Result<Option<FetchedCustomer>, ProviderError>;

    /// A subscription and whose it is; none when there is no such subscription.
    ///
    /// # Errors
    /// [`ProviderError`] when it cannot be fetched as a whole.
    async fn subscription(
        &self,
        subscription: &SubscriptionRef,
    ) -> Result<Option<(CustomerRef, ProviderSubscription)>, ProviderError>;

    /// Whose an object is, where that is the one thing to know of it: a subscription, a schedule.
    ///
    /// # Errors
    /// [`ProviderError`] when it cannot be fetched.
    async fn customer_of(
        &self,
        object: &ProviderObject,
    ) -> Result<Option<CustomerRef>, ProviderError>;

    /// The payment that an object belongs to, with all its lines, refunds and disputes; none when the object is not there, or is no part
    /// of a payment.
    ///
    /// # Errors
    /// [`ProviderError`] when it cannot be fetched as a whole.
    async fn payment(
        &self,
        object: &ProviderObject,
    ) -> Result<Option<FetchedPayment>, ProviderError>;

    /// A page of all subscriptions, whatever their status; `after` is where an earlier page ended.
    ///
    /// # Errors
    /// [`ProviderError`] when it cannot be fetched.
    async fn subscriptions(
        &self,
        after: Option<&str>,
    ) -> Result<Listed<(CustomerRef, ProviderSubscription)>, ProviderError>;

    /// A page of events since an instant, the newest first; each as if it had come at `now`.
    ///
    /// # Errors
    /// [`ProviderError`] when it cannot be fetched.
    async fn events(
        &self,
        since: DateTime<Utc>,
        after: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Listed<KeptEvent>, ProviderError>;

    /// A page of what may be payments that changed since an instant, whenever they were made: first one kind of object, then the next.
    ///
    /// # Errors
    /// [`ProviderError`] when it cannot be fetched.
    async fn payments(
        &self,
        since: DateTime<Utc>,
        after: Option<&str>,
    ) -> Result<Listed<ProviderObject>, ProviderError>;

    /// Makes the customer of an account; the same key is the same customer.
    ///
    /// # Errors
    /// [`ProviderError`] when it was not made, or that is not known.
    async fn make_customer(
        &self,
        account: &AccountId,
        key: &str,
    ) -> Result<CustomerRef, ProviderError>;

    /// Makes a checkout.
    ///
    /// # Errors
    /// [`ProviderError`] when it was not made, or that is not known.
    async fn make_checkout(&self, asked: &NewCheckout) -> Result<Checkout, ProviderError>;

    /// A checkout; none when there is no such one.
    ///
    /// # Errors
    /// [`ProviderError`] when it cannot be fetched.
    async fn checkout(&self, id: &str) -> Result<Option<Checkout>, ProviderError>;

    /// Where a customer looks after its subscriptions by itself, and comes back from to `return_url`.
    ///
    /// # Errors
    /// [`ProviderError`] when it was not made.
    async fn portal(
        &self,
        customer: &CustomerRef,
        return_url: &str,
    ) -> Result<String, ProviderError>;

    /// Asks for a change of a subscription, under a key.
    ///
    /// # Errors
    /// [`ProviderError`] when it was not made, or that is not known.
    async fn change_subscription(
        &self,
        subscription: &SubscriptionRef,
        act: &SubscriptionAct,
        key: &str,
    ) -> Result<(), ProviderError>;

    /// What an earlier [`charge`](Self::charge) came to, whether or not its answer came; none when there is no payment of it. One that
    /// can only be paid by somebody who is not there is taken back, and has failed.
    ///
    /// # Errors
    /// [`ProviderError`] when that is not known.
    async fn charged(&self, charge: &NewCharge) -> Result<Option<Charged>, ProviderError>;

    /// Has a customer pay at once, without being there, with what it pays with otherwise; the same charge is one payment while the
    /// provider remembers its key: look with [`charged`](Self::charged) before it is repeated.
    ///
    /// # Errors
    /// [`ProviderError`] when it is not known what it came to.
    async fn charge(&self, charge: &NewCharge) -> Result<Charged, ProviderError>;
}
