//! What a payment provider says, booked: subscriptions and payments are fetched, and the difference follows (P3, P6).
//!
//! A webhook, the sync job, the page that a buyer comes back to and an operator all come here, to [`Billing::sync_customer`] and
//! [`Billing::sync_payment`]. Both fetch; what an event says of an object is believed by nobody.

mod acts;
mod addon_acts;
mod begin;
mod beginning;
mod checkout;
mod customer;
mod error;
mod events;
mod full_sync;
mod links;
mod metering;
mod meters;
mod outcome;
mod payment;
mod problems;
mod room;
mod standing;
mod top_up_looks;
mod top_up_work;
mod top_ups;
mod unlisted;
mod watched;

use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use quota_core::ids::{CustomerRef, PaymentRef, ProviderCode};
use quota_core::payment::{PaymentId, PaymentMode};
use quota_core::ports::{BillingStore, PaymentProvider};
use quota_core::provider::{Connection, CustomerId, SyncProgress};
use tokio::sync::{OnceCell, Semaphore};
use tokio::task::JoinHandle;

pub use acts::{ActError, SubscriptionAsk};
pub use addon_acts::{AddonAsk, AddonAtProvider};
pub use checkout::{CheckoutError, CheckoutOrder, CheckoutResult};
pub use error::BillingError;
pub use events::EventsWorked;
pub use full_sync::{Drift, FullSync, SyncedPage};
pub use metering::MeterParts;
pub use meters::{Collected, MetersTold};
pub use outcome::{Parked, Synced, TopUpLook};
pub use top_up_looks::TopUpsLooked;
pub use top_ups::{TopUpRefusal, TopUpStanding};

use crate::Engine;
use beginning::Beginnings;
use metering::Meters;
use room::Room;
use watched::Watched;

/// How often a provider that does not answer is asked again at the start.
const CONNECT_EVERY: Duration = Duration::from_secs(5);

/// How many accounts one process looks at at once since their credits run low.
const TOP_UPS_AT_ONCE: usize = 16;

/// What billing is made of.
#[derive(Clone)]
pub struct BillingParts {
    /// The engine that what follows is asked of.
    pub engine: Engine,
    /// Where customers, events and problems are kept: the engine's own database.
    pub store: Arc<dyn BillingStore>,
    /// The provider.
    pub provider: Arc<dyn PaymentProvider>,
}

/// How billing works.
#[derive(Debug, Clone)]
pub struct BillingSettings {
    /// How long one that works on an event may take before another one takes it over.
    pub event_lease: Duration,
    /// The pause after an event's first failed try; it doubles with each.
    pub event_pause: Duration,
    /// The longest pause between two tries of an event.
    pub event_pause_max: Duration,
    /// How many events one process works on at once.
    pub events_at_once: usize,
    /// How often an event is tried before it is given up.
    pub event_tries_max: u32,
}

impl Default for BillingSettings {
    /// A lease of a minute, pauses of 5 s to an hour, 16 at once, 80 tries: that is three days.
    fn default() -> Self {
        Self {
            event_lease: Duration::from_mins(1),
            event_pause: Duration::from_secs(5),
            event_pause_max: Duration::from_hours(1),
            events_at_once: 16,
            event_tries_max: 80,
        }
    }
}

/// Billing over one provider. A clone is the same.
#[derive(Clone)]
pub struct Billing {
    inner: Arc<Inner>,
}

struct Inner {
    parts: BillingParts,
    settings: BillingSettings,
    watched: Arc<Watched>,
    connection: OnceCell<Connection>,
    beginnings: Beginnings,
    /// Why the last try to connect failed.
    unconnected: Mutex<Option<String>>,
    /// Room for accounts that are looked at since their credits run low.
    at_top_ups: Arc<Semaphore>,
    /// What tells the provider's meters, if it has any.
    meters: OnceLock<Meters>,
    room: Room,
}

impl Billing {
    /// Billing over a provider. Nothing is asked of it yet.
    pub fn new(parts: BillingParts, settings: BillingSettings) -> Self {
        let at_once = settings.events_at_once;
        let watched = Arc::new(Watched::new(parts.provider, parts.engine.clone()));
        let parts = BillingParts {
            provider: Arc::clone(&watched) as Arc<dyn PaymentProvider>,
            ..parts
        };
        Self {
            inner: Arc::new(Inner {
                parts,
                settings,
                watched,
                connection: OnceCell::new(),
                beginnings: Beginnings::default(),
                unconnected: Mutex::default(),
                at_top_ups: Arc::new(Semaphore::new(TOP_UPS_AT_ONCE)),
                meters: OnceLock::new(),
                room: Room::of(at_once),
            }),
        }
    }

    /// The account at the provider that the key is of, and since when what is paid there is credited (P17). The first one is entered,
    /// and another one is refused from then on (P14).
    ///
    /// # Errors
    /// [`BillingError::OtherAccount`] when the key is of another account than the first one was, [`BillingError::Provider`] or
    /// [`BillingError::Store`] when either cannot be asked.
    pub async fn connection(&self) -> Result<Connection, BillingError> {
        let connect = || async {
            let asked = Connection {
                provider: self.provider().code().clone(),
                mode: self.provider().mode(),
                account: self.provider().account().await?,
                money_starts_at: self.engine().now(),
                progress: SyncProgress::default(),
            };
            let known = self.store().connect(&asked).await?;
            if known.account != asked.account {
                return Err(BillingError::OtherAccount {
                    known: known.account,
                    asked: asked.account,
                });
            }
            Ok(known)
        };
        let connection = self.inner.connection.get_or_try_init(connect).await;
        self.note_connecting(connection.as_ref().err());
        Ok(connection?.clone())
    }

    /// Connects as soon as the provider answers: what is paid from then on is credited.
    pub fn keep_connecting(&self) -> JoinHandle<()> {
        let billing = self.clone();
        tokio::spawn(async move {
            while let Err(error) = billing.connection().await {
                tracing::error!(%error, "the payment provider is not connected yet; it is tried again");
                tokio::time::sleep(CONNECT_EVERY).await;
            }
            tracing::info!(provider = %billing.code(), mode = billing.mode().as_str(), "the payment provider is connected");
        })
    }

    /// The provider.
    pub fn provider(&self) -> &Arc<dyn PaymentProvider> {
        &self.inner.parts.provider
    }

    /// Where customers, events and problems are kept.
    pub fn store(&self) -> &Arc<dyn BillingStore> {
        &self.inner.parts.store
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.inner.parts.engine
    }

    /// How it works.
    pub fn settings(&self) -> &BillingSettings {
        &self.inner.settings
    }

    fn code(&self) -> &ProviderCode {
        self.provider().code()
    }

    fn mode(&self) -> PaymentMode {
        self.provider().mode()
    }

    /// A customer of the provider that is connected.
    pub fn customer_id(&self, customer: &CustomerRef) -> CustomerId {
        CustomerId {
            provider: self.code().clone(),
            mode: self.mode(),
            customer: customer.clone(),
        }
    }

    fn payment_id(&self, payment: &PaymentRef) -> PaymentId {
        PaymentId {
            provider: self.code().clone(),
            mode: self.mode(),
            payment: payment.clone(),
        }
    }
}

impl std::fmt::Debug for Billing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Billing")
            .field("provider", self.code())
            .finish_non_exhaustive()
    }
}
