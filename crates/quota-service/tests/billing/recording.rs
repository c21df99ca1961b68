//! What a provider said after each step of a story, kept to be said again: thousands of orders of the same story cost no call.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use quota_core::ids::{AccountId, CustomerRef, ProviderCode, SubscriptionRef};
use quota_core::payment::PaymentMode;
use quota_core::ports::{
    Charged, Checkout, Listed, NewCharge, NewCheckout, PaymentProvider, ProviderError,
    ProviderFault, SubscriptionAct,
};
use quota_core::provider::{
    FetchedCustomer, FetchedPayment, KeptEvent, ProviderObject, ProviderSubscription,
};
use tokio::sync::oneshot;

use crate::shop::{Shop, named};

/// What the provider had at one time.
#[derive(Debug, Clone, Default)]
struct Picture {
    customers: BTreeMap<String, FetchedCustomer>,
    payments: HashMap<ProviderObject, FetchedPayment>,
    owners: HashMap<ProviderObject, CustomerRef>,
}

/// A story of one customer, `ann`: the provider after each step, and the events of all steps.
#[derive(Debug, Clone)]
pub struct Story {
    pictures: Vec<Picture>,
    pub events: Vec<KeptEvent>,
    /// In which step each of them happened.
    pub made_in: Vec<usize>,
    pub customer: String,
    /// When it ended.
    pub ended_at: DateTime<Utc>,
}

/// Writes a story down, step by step.
pub struct Recorder {
    pub shop: Shop,
    pub customer: String,
    pictures: Vec<Picture>,
    /// With the step of each; those of kinds that nobody looks at are left out.
    events: Vec<(usize, KeptEvent)>,
    /// How many events of the fake were looked at.
    seen: usize,
}

impl Recorder {
    pub async fn new(shop: Shop) -> Self {
        let customer = shop.customer("ann").await;
        shop.fake.drop_pending();
        let seen = shop.fake.events().len();
        let mut recorder = Self {
            shop,
            customer,
            pictures: Vec::new(),
            events: Vec::new(),
            seen,
        };
        // Before anything happened.
        recorder.step().await;
        recorder
    }

    /// A step has been taken: keeps what the provider says now.
    pub async fn step(&mut self) {
        let all = self.shop.fake.events().len();
        let new = (self.seen..all).filter_map(|place| self.shop.webhook(place));
        let new = new.map(|webhook| webhook.event);
        let new = new.filter(|event| event.about.is_some());
        let step = self.pictures.len();
        self.events.extend(new.map(|event| (step, event)));
        self.seen = all;
        let provider = self.shop.billing.provider();
        let mut picture = Picture::default();
        let customer = provider.customer(&named(&self.customer)).await;
        let customer = customer.expect("an answer").expect("a customer");
        picture.customers.insert(self.customer.clone(), customer);
        let told = self.events.iter();
        for about in told.filter_map(|(_, event)| event.about.as_ref()) {
            if picture.owners.contains_key(about) {
                continue;
            }
            let payment = provider.payment(about).await.expect("an answer");
            let owner = provider.customer_of(about).await.expect("an answer");
            picture
                .payments
                .extend(payment.map(|payment| (about.clone(), payment)));
            picture
                .owners
                .extend(owner.map(|owner| (about.clone(), owner)));
        }
        self.pictures.push(picture);
    }

    /// The story; of its events only those of these kinds.
    pub fn story(self, kinds: &[&str]) -> Story {
        let told = self.events.into_iter();
        let told = told.filter(|(_, event)| kinds.contains(&&*event.kind));
        let (made_in, events) = told.unzip();
        Story {
            events,
            made_in,
            ended_at: self.shop.engine.now(),
            customer: self.customer,
            pictures: self.pictures,
        }
    }
}

impl Story {
    /// The places of steps.
    pub fn steps(&self) -> std::ops::Range<usize> {
        0..self.pictures.len()
    }

    /// The places of the events that a step made.
    pub fn events_of(&self, step: usize) -> impl Iterator<Item = usize> {
        let made_in = self.made_in.iter().enumerate();
        made_in
            .filter(move |(_, made_in)| **made_in == step)
            .map(|(place, _)| place)
    }
}

/// Says again what the provider said.
pub struct Recorded {
    story: Story,
    code: ProviderCode,
    now: Mutex<usize>,
    gates: Mutex<Vec<Gate>>,
}

/// Where an answer waits: it says that it has been asked, and is given when it is told to be.
struct Gate {
    asked: oneshot::Sender<()>,
    may_go: oneshot::Receiver<()>,
}

/// An answer that waits.
pub struct Held {
    pub asked: oneshot::Receiver<()>,
    pub go: oneshot::Sender<()>,
}

impl Recorded {
    /// After the last step.
    pub fn of(story: &Story) -> Arc<Self> {
        Arc::new(Self {
            now: Mutex::new(story.pictures.len() - 1),
            story: story.clone(),
            code: billing_stripe::provider::code(),
            gates: Mutex::default(),
        })
    }

    /// Goes to a step.
    pub fn set(&self, step: usize) {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) = step;
    }

    /// Holds the next answer that nothing holds yet: what is seen is what there is now, and is told later.
    pub fn hold(&self) -> Held {
        let ((asked, was_asked), (go, may_go)) = (oneshot::channel(), oneshot::channel());
        let mut gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        gates.push(Gate { asked, may_go });
        Held {
            asked: was_asked,
            go,
        }
    }

    async fn seen<T>(&self, look: impl FnOnce(&Picture) -> T) -> T {
        let now = *self.now.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = look(&self.story.pictures[now]);
        let gate = self
            .gates
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        if let Some(gate) = gate {
            gate.asked.send(()).expect("somebody waits");
            gate.may_go.await.expect("somebody lets it go");
        }
        seen
    }

    fn none<T>(&self) -> Result<T, ProviderError> {
        Err(ProviderError {
            provider: self.code.clone(),
            fault: ProviderFault::Refused,
            what: "this was not recorded".to_owned(),
        })
    }
}

#[async_trait]
impl PaymentProvider for Recorded {
    fn code(&self) -> &ProviderCode {
        &self.code
    }

    fn mode(&self) -> PaymentMode {
        PaymentMode::Test
    }

    async fn account(&self) -> Result<String, ProviderError> {
        Ok("acct_fake".to_owned())
    }

    async fn customer(
        &self,
        customer: &CustomerRef,
    ) -> Result<Option<FetchedCustomer>, ProviderError> {
        let found = |picture: &Picture| picture.customers.get(customer.as_str()).cloned();
        Ok(self.seen(found).await)
    }

    async fn subscription(
        &self,
        subscription: &SubscriptionRef,
    ) -> Result<Option<(CustomerRef, ProviderSubscription)>, ProviderError> {
        // What is asked for by its id is told as it is now.
        let picture = self.story.pictures.last();
        let customers = picture.into_iter().flat_map(|last| last.customers.values());
        let found = customers.flat_map(|one| {
            let all = one.subscriptions.iter();
            all.map(|held| (one.customer.clone(), held.clone()))
        });
        Ok(found.into_iter().find(|(_, held)| held.id == *subscription))
    }

    async fn customer_of(
        &self,
        object: &ProviderObject,
    ) -> Result<Option<CustomerRef>, ProviderError> {
        Ok(self.story.pictures[self.story.pictures.len() - 1]
            .owners
            .get(object)
            .cloned())
    }

    async fn payment(
        &self,
        object: &ProviderObject,
    ) -> Result<Option<FetchedPayment>, ProviderError> {
        Ok(self
            .seen(|picture| picture.payments.get(object).cloned())
            .await)
    }

    async fn subscriptions(
        &self,
        _after: Option<&str>,
    ) -> Result<Listed<(CustomerRef, ProviderSubscription)>, ProviderError> {
        self.none()
    }

    async fn events(
        &self,
        _since: DateTime<Utc>,
        _after: Option<&str>,
        _now: DateTime<Utc>,
    ) -> Result<Listed<KeptEvent>, ProviderError> {
        self.none()
    }

    async fn payments(
        &self,
        _since: DateTime<Utc>,
        _after: Option<&str>,
    ) -> Result<Listed<ProviderObject>, ProviderError> {
        self.none()
    }

    async fn make_customer(&self, _: &AccountId, _: &str) -> Result<CustomerRef, ProviderError> {
        self.none()
    }

    async fn make_checkout(&self, _: &NewCheckout) -> Result<Checkout, ProviderError> {
        self.none()
    }

    async fn checkout(&self, _: &str) -> Result<Option<Checkout>, ProviderError> {
        self.none()
    }

    async fn portal(&self, _: &CustomerRef, _: &str) -> Result<String, ProviderError> {
        self.none()
    }

    async fn change_subscription(
        &self,
        _: &SubscriptionRef,
        _: &SubscriptionAct,
        _: &str,
    ) -> Result<(), ProviderError> {
        self.none()
    }

    async fn charged(&self, _: &NewCharge) -> Result<Option<Charged>, ProviderError> {
        self.none()
    }

    async fn charge(&self, _: &NewCharge) -> Result<Charged, ProviderError> {
        self.none()
    }
}
