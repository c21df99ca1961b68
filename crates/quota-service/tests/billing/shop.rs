//! A shop: an engine over a store, mostly one in memory, that is connected to a Stripe of its own.

use std::collections::BTreeSet;
use std::sync::Arc;

use billing_stripe::Mode;
use billing_stripe::provider::{Stripe, event_of};
use chrono::{DateTime, TimeDelta, Utc};
use quota_core::catalog::{Catalog, CatalogFile};
use quota_core::ids::{AccountId, CustomerRef, PlanCode};
use quota_core::ports::{
    BillingStore, Clock, CodeStore, EventPage, FixedClock, PaymentProvider, Storage, Webhook,
};
use quota_core::provider::{EventState, ObjectKind, ProblemKind, ProviderObject, Wanted};
use quota_core::quantity::Quantity;
use quota_service::billing::{
    Billing, BillingParts, BillingSettings, CheckoutOrder, FullSync, Synced,
};
use quota_service::prelude::{Consume, PutAccount};
use quota_service::{Engine, EngineParts, EngineSettings, NoCache, TimeIds};
use testkit::fake_stripe::{Card, Endpoint, FakeStripe, Pay, SetPrice, Shape, Subscribe};
use testkit::memory::MemoryStore;

use crate::transport::{CallFaults, client};

/// 31 January 2027, 10:00 UTC.
pub const START: i64 = 1_801_389_600;
pub const DAY: i64 = 86_400;
pub const SHAPES: [Shape; 2] = [Shape::New, Shape::Old];

const CATALOG: &str = include_str!("catalog.toml");
/// Rounds of work on events until nothing is left that could be done; each ends some, or has them wait.
const ROUNDS_MAX: u32 = 100;

/// A store that a shop can be over.
pub trait Stored: Storage + BillingStore + CodeStore + 'static {}

impl<S: Storage + BillingStore + CodeStore + 'static> Stored for S {}

pub struct Shop<S = MemoryStore> {
    pub fake: FakeStripe,
    pub store: Arc<S>,
    pub engine: Engine,
    pub clock: Arc<FixedClock>,
    pub billing: Billing,
    pub endpoint: Endpoint,
    /// Faults of calls of Stripe.
    pub faults: Arc<CallFaults>,
}

/// Prices at the fake that the catalog knows, and one that it does not.
fn set_prices(fake: &FakeStripe) {
    let prices = [
        ("price_pro", 2_900, Some("month")),
        ("price_pro_of_old", 2_500, Some("month")),
        ("price_pro_year", 29_000, Some("year")),
        ("price_max", 9_900, Some("month")),
        ("price_tried", 1_900, Some("month")),
        ("price_team", 500, Some("month")),
        ("price_paid", 3_900, Some("month")),
        ("price_more", 700, Some("month")),
        ("price_other", 100, Some("month")),
        ("price_small", 1_000, None),
        ("price_short", 500, None),
        ("price_extra", 1_000, None),
        ("price_soon", 800, None),
        ("price_book", 4_000, None),
    ];
    for (id, amount, interval) in prices {
        fake.price(&SetPrice {
            id,
            amount,
            currency: "eur",
            interval,
        });
    }
    fake.drop_pending();
}

pub fn catalog() -> Catalog {
    let file: CatalogFile = toml::from_str(CATALOG).expect("the catalog is read");
    Catalog::default()
        .applied(&file)
        .expect("the catalog is right")
}

impl Shop {
    /// A shop with nobody in it, whose Stripe answers in one shape.
    pub async fn open(shape: Shape) -> Self {
        let shop = Self::open_over(Arc::new(MemoryStore::new())).await;
        shop.fake.answer_in(Some(shape));
        shop
    }
}

impl<S: Stored> Shop<S> {
    /// A shop over a store in which nothing is.
    pub async fn open_over(store: Arc<S>) -> Self {
        let fake = FakeStripe::without_port(START);
        set_prices(&fake);
        let clock = Arc::new(FixedClock::at(at(START)));
        Self::over(fake, store, clock).await
    }

    /// A shop over a Stripe and a store, of which another process may be a shop too.
    pub async fn over(fake: FakeStripe, store: Arc<S>, clock: Arc<FixedClock>) -> Self {
        let faults = Arc::default();
        let provider = Stripe::new(client(&fake, &faults), Mode::Test);
        let shop = Self::with((fake, Arc::new(provider)), store, clock).await;
        Self { faults, ..shop }
    }

    /// The same with a provider of one's own.
    pub async fn with(
        (fake, provider): (FakeStripe, Arc<dyn PaymentProvider>),
        store: Arc<S>,
        clock: Arc<FixedClock>,
    ) -> Self {
        let parts = EngineParts {
            storage: Arc::<S>::clone(&store),
            cache: Arc::new(NoCache),
            clock: Arc::<FixedClock>::clone(&clock),
            ids: Arc::new(TimeIds),
        };
        if store.catalog_version().await.expect("is read") == 0 {
            let stored = store.put_catalog(&catalog(), None, clock.now()).await;
            assert!(stored.expect("is stored"), "the first catalog");
        }
        let engine = Engine::start(parts, EngineSettings::patient()).await;
        let engine = engine.expect("the engine starts");
        let parts = BillingParts {
            engine: engine.clone(),
            store: Arc::<S>::clone(&store),
            provider,
        };
        // Events are worked on when a test says so.
        let settings = BillingSettings {
            events_at_once: 0,
            ..BillingSettings::default()
        };
        let billing = Billing::new(parts, settings);
        billing.connection().await.expect("the fake is there");
        Self {
            fake,
            store,
            engine,
            clock,
            billing,
            endpoint: Endpoint::new("http://127.0.0.1:9/hook", "whsec_shop"),
            faults: Arc::default(),
        }
    }

    /// Lets a moment pass: a fetch that begins after it is later than one before.
    pub fn tick(&self) {
        self.clock.advance(TimeDelta::milliseconds(1));
    }

    /// Moves both clocks on; what is due at Stripe happens.
    pub fn pass(&self, seconds: i64) {
        self.fake.advance(seconds);
        self.clock.set(at(self.fake.now()).max(self.clock.now()));
    }

    pub fn pass_days(&self, days: i64) {
        self.pass(days * DAY);
    }

    /// A user, who is nobody at Stripe yet.
    pub async fn user(&self, name: &str) -> AccountId {
        let id = format!("user:{name}");
        let made = self.engine.put_account(&id, PutAccount::create()).await;
        made.expect("the account is made");
        account(name)
    }

    /// A user who is a customer with a card.
    pub async fn customer(&self, name: &str) -> String {
        self.user(name).await;
        let customer = self.fake.customer(Card::Good);
        self.link(&customer, name).await;
        customer
    }

    /// Says that a customer is a user.
    pub async fn link(&self, customer: &str, name: &str) -> Synced {
        self.tick();
        let (customer, account) = (named(customer), account(name));
        let linked = self.billing.link_customer(&customer, &account).await;
        let (link, synced) = linked.expect("is linked");
        assert_eq!(link.account, account);
        synced
    }

    /// The customers that a user is.
    pub async fn customers(&self, name: &str) -> Vec<String> {
        let links = self.store.customers_of(&account(name)).await;
        let links = links.expect("is read").into_iter();
        links.map(|link| link.id.customer.to_string()).collect()
    }

    /// A checkout of so many of something, open.
    pub async fn check_out(&self, name: &str, wanted: Wanted, quantity: u32) -> String {
        self.tick();
        let order = order(name, wanted, quantity, self.fake.events().len());
        let made = self.billing.check_out(&order).await;
        made.expect("the checkout is made").id
    }

    /// A pack, paid by card; its session.
    pub async fn buy(&self, name: &str, pack: &str, quantity: u32) -> String {
        let session = self.check_out(name, a_pack(pack), quantity).await;
        self.fake.pay(&session, &Pay::by(Card::Good));
        session
    }

    /// The webhook of an event as our reader reads it.
    pub fn webhook(&self, place: usize) -> Option<Webhook> {
        let told = self.fake.webhook(place, &self.endpoint);
        let event = serde_json::from_str(&told.body).expect("an event");
        let now = self.clock.now();
        let kept = event_of(self.billing.provider().code(), &event, now)?;
        let account = billing_stripe::read::foreign_account(&event).map(str::to_owned);
        Some(Webhook {
            event: kept,
            account,
        })
    }

    /// Takes webhooks, in this order and as often as they are named; nothing is worked on yet.
    pub async fn take(&self, places: &[usize]) {
        for place in places {
            self.tick();
            let webhook = self.webhook(*place).expect("an event that can be kept");
            self.billing.take_webhook(webhook).await.expect("is kept");
        }
    }

    /// Works on events until none is left that may be tried now.
    pub async fn work(&self) {
        for _ in 0..ROUNDS_MAX {
            self.tick();
            let worked = self
                .billing
                .work_on_waiting()
                .await
                .expect("the store is there");
            if worked.is_nothing() {
                return;
            }
        }
        panic!("there is always something to work on");
    }

    /// Delivers events one after the other, and works on each.
    pub async fn deliver(&self, places: &[usize]) {
        for place in places {
            self.take(&[*place]).await;
            self.work().await;
        }
    }

    /// Delivers what has not been delivered, in order.
    pub async fn deliver_pending(&self) {
        let places: Vec<usize> = self.pending();
        self.fake.drop_pending();
        self.deliver(&places).await;
    }

    pub fn pending(&self) -> Vec<usize> {
        self.fake
            .pending()
            .iter()
            .map(|event| event.place)
            .collect()
    }

    /// What the hourly job does.
    pub async fn full_sync(&self) {
        self.tick();
        let missed = self.billing.read_missed().await.expect("events are read");
        assert_eq!(missed.failed, Vec::<String>::new());
        loop {
            self.tick();
            let page = self.billing.sync_page(FullSync::default()).await;
            let page = page.expect("a page");
            assert_eq!(page.failed, Vec::<String>::new());
            if !page.has_more {
                return;
            }
        }
    }

    pub async fn sync_customer(&self, customer: &str) -> Synced {
        self.tick();
        let synced = self.billing.sync_customer(&named(customer)).await;
        synced.expect("is synced")
    }

    pub async fn sync_payment(&self, kind: ObjectKind, id: &str) -> Synced {
        self.tick();
        let synced = self.billing.sync_payment(&object(kind, id)).await;
        synced.expect("is synced")
    }

    /// Spends requests; whether that was allowed.
    pub async fn spend(&self, name: &str, requests: u64) -> bool {
        let asked = Consume::of("requests", requests);
        let id = format!("user:{name}");
        let decision = self.engine.consume(&id, asked).await;
        decision.expect("is decided").is_allowed()
    }

    /// The kinds of open problems, and what each is about.
    pub async fn problems(&self) -> BTreeSet<(ProblemKind, String)> {
        let page = quota_core::ports::ProblemPage {
            provider: self.billing.provider().code().clone(),
            is_open: true,
            kind: None,
            account: None,
            after: None,
            limit: 1_000,
        };
        let open = self.store.problems(&page).await.expect("is read");
        let told = open.into_iter().map(|one| (one.id.kind, one.id.about));
        told.collect()
    }

    /// The states of all events.
    pub async fn states(&self) -> Vec<EventState> {
        let page = EventPage {
            provider: self.billing.provider().code().clone(),
            state: None,
            after: None,
            limit: 1_000,
        };
        let events = self.store.events(&page).await.expect("is read");
        events.into_iter().map(|event| event.state).collect()
    }

    /// Only the kinds.
    pub async fn problem_kinds(&self) -> Vec<ProblemKind> {
        let problems = self.problems().await;
        problems.into_iter().map(|(kind, _)| kind).collect()
    }
}

pub fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).expect("an instant")
}

pub fn account(name: &str) -> AccountId {
    AccountId::parse(&format!("user:{name}")).expect("an account")
}

pub fn named(customer: &str) -> CustomerRef {
    CustomerRef::new(customer).expect("a customer")
}

pub fn object(kind: ObjectKind, id: &str) -> ProviderObject {
    let id = id.to_owned();
    ProviderObject { kind, id }
}

pub fn a_pack(code: &str) -> Wanted {
    Wanted::Pack(quota_core::ids::PackCode::new(code).expect("a pack"))
}

pub fn a_plan(code: &str) -> Wanted {
    Wanted::Plan(PlanCode::new(code).expect("a plan"))
}

pub fn order(name: &str, wanted: Wanted, quantity: u32, number: usize) -> CheckoutOrder {
    CheckoutOrder {
        account: account(name),
        wanted,
        quantity: Quantity::new(quantity).expect("a quantity"),
        price: None,
        success_url: "https://shop.test/done".to_owned(),
        cancel_url: "https://shop.test/back".to_owned(),
        key: format!("order-{number}"),
    }
}

/// A subscription to these prices, one of each.
pub fn to<'a>(items: &'a [(&'a str, i64)]) -> Subscribe<'a> {
    Subscribe {
        items,
        ..Subscribe::default()
    }
}
