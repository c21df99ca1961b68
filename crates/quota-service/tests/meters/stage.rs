//! An engine over a store, connected to a Stripe of its own that has a meter, and processes that tell it.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;

use billing_stripe::Mode;
use billing_stripe::provider::Stripe;
use chrono::{DateTime, TimeDelta, Utc};
use quota_core::catalog::{Catalog, CatalogFile};
use quota_core::ids::{AccountId, CustomerRef};
use quota_core::meter::{MeterPeriod, MeterSums};
use quota_core::ports::{BillingStore, Clock, FixedClock, MeterStore, ProblemPage, Storage};
use quota_core::provider::{BillingProblem, ProblemKind};
use quota_service::billing::{Billing, BillingParts, BillingSettings, MeterParts};
use quota_service::prelude::{Consume, OperationRef, PutAccount, Refund, Subscribe};
use quota_service::{Engine, EngineParts, EngineSettings, NoCache, TimeIds};
use storage_pg::PgStore;
use storage_sqlite::{SqliteSettings, SqliteStore};
use testkit::fake_stripe::{Card, FakeStripe};
use testkit::memory::MemoryStore;

use crate::switch::{Switch, SwitchedProvider, SwitchedStore};
use crate::transport::{CallFaults, client};

/// 1 March 2027, 10:00:17 UTC.
pub const START: i64 = 1_803_895_217;
pub const HOUR: i64 = 3_600;
pub const DAY: i64 = 86_400;
/// Units that the plan gives before any are sold.
pub const FREE: u64 = 10;
const ROUNDS_MAX: u32 = 1_000;

const CATALOG: &str = r#"
[[feature]]
code = "requests"
name = "Requests"
unit = "request"
kind = "consumable"
cadence = "monthly"

[[plan]]
code = "pro"
name = "Pro"
price = 2900
currency = "eur"
limits = { requests = 10 }
on_demand = { requests = { price = 2, cap = 1000000, meter = "requests_used" } }

[[plan]]
code = "max"
name = "Max"
price = 9900
currency = "eur"
limits = { requests = 10 }
on_demand = { requests = { price = 1, cap = 1000000, meter = "requests_used" } }

[[plan]]
code = "silent"
name = "Silent"
price = 2900
currency = "eur"
limits = { requests = 10 }
on_demand = { requests = { price = 2, cap = 1000000 } }
"#;

/// Which store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Memory,
    Sqlite,
    Postgres,
}

#[derive(Clone)]
struct Stores {
    storage: Arc<dyn Storage>,
    billing: Arc<dyn BillingStore>,
    meters: Arc<dyn MeterStore>,
    _kept: Arc<dyn Any + Send + Sync>,
}

async fn stores(kind: Kind) -> Stores {
    match kind {
        Kind::Memory => all_of(MemoryStore::new(), ()),
        Kind::Sqlite => {
            let folder = tempfile::tempdir().expect("a folder");
            let file = folder.path().join("quota.db");
            let store = SqliteStore::open(file, &SqliteSettings::patient()).await;
            all_of(store.expect("opens"), folder)
        }
        Kind::Postgres => {
            let url = tokio::task::spawn_blocking(|| testkit::pg::fresh_database("meters"));
            let url = url.await.expect("a database");
            let direct = testkit::pg::direct_url(&url);
            storage_pg::migrate(&direct).await.expect("migrates");
            let store = PgStore::connect(&url, storage_pg::Settings::patient()).await;
            all_of(store.expect("connects"), ())
        }
    }
}

fn all_of<S>(store: S, kept: impl Any + Send + Sync) -> Stores
where
    S: Storage + BillingStore + MeterStore + 'static,
{
    let store = Arc::new(store);
    Stores {
        storage: Arc::<S>::clone(&store),
        billing: Arc::<S>::clone(&store),
        meters: store,
        _kept: Arc::new(kept),
    }
}

pub struct Stage {
    pub fake: FakeStripe,
    pub engine: Engine,
    pub clock: Arc<FixedClock>,
    /// Faults of calls of Stripe.
    pub faults: Arc<CallFaults>,
    stores: Stores,
}

/// A process that tells meters.
pub struct Process {
    pub billing: Billing,
    clock: Arc<FixedClock>,
    pub switch: Arc<Switch>,
}

impl Stage {
    pub async fn open(kind: Kind) -> Self {
        let fake = FakeStripe::without_port(START);
        fake.meter("requests_used");
        let (stores, clock) = (stores(kind).await, Arc::new(FixedClock::at(at(START))));
        let file: CatalogFile = toml::from_str(CATALOG).expect("is read");
        let catalog = Catalog::default().applied(&file).expect("is right");
        let first = stores
            .storage
            .put_catalog(&catalog, None, clock.now())
            .await;
        assert!(first.expect("is stored"), "the first catalog");
        let parts = EngineParts {
            storage: Arc::clone(&stores.storage),
            cache: Arc::new(NoCache),
            clock: Arc::<FixedClock>::clone(&clock),
            ids: Arc::new(TimeIds),
        };
        let engine = Engine::start(parts, EngineSettings::patient()).await;
        Self {
            fake,
            engine: engine.expect("starts"),
            clock,
            faults: Arc::default(),
            stores,
        }
    }

    /// A process that may be told to die.
    pub fn process(&self) -> Process {
        let stripe = Arc::new(Stripe::new(client(&self.fake, &self.faults), Mode::Test));
        let switch = Arc::new(Switch::default());
        let parts = BillingParts {
            engine: self.engine.clone(),
            store: Arc::clone(&self.stores.billing),
            provider: Arc::<Stripe>::clone(&stripe),
        };
        let billing = Billing::new(parts, BillingSettings::default());
        billing.count_with(MeterParts {
            store: Arc::new(SwitchedStore {
                store: Arc::clone(&self.stores.meters),
                switch: Arc::clone(&switch),
            }),
            provider: Arc::new(SwitchedProvider {
                provider: stripe,
                switch: Arc::clone(&switch),
            }),
        });
        Process {
            billing,
            clock: Arc::clone(&self.clock),
            switch,
        }
    }

    /// An account with a plan, which is nobody at Stripe.
    pub async fn account(&self, id: &str, plan: &str) {
        let made = self.engine.put_account(id, PutAccount::create()).await;
        made.expect("is made");
        let begun = self.engine.subscribe(id, Subscribe::to(plan)).await;
        begun.expect("begins");
    }

    /// The same, that is a customer and has used what is free.
    pub async fn spent(&self, name: &str) -> String {
        let id = format!("user:{name}");
        self.account(&id, "pro").await;
        let customer = self.link(&id).await;
        self.consume(name, FREE).await;
        customer
    }

    pub async fn link(&self, id: &str) -> String {
        let customer = self.fake.customer(Card::Good);
        let (named, account) = (CustomerRef::new(&customer), AccountId::parse(id));
        let (named, account) = (named.expect("a name"), account.expect("an id"));
        let process = self.process();
        process
            .billing
            .link_customer(&named, &account)
            .await
            .expect("is linked");
        customer
    }

    pub async fn consume(&self, name: &str, units: u64) -> OperationRef {
        self.clock.advance(TimeDelta::milliseconds(1));
        let id = format!("user:{name}");
        let decision = self
            .engine
            .consume(&id, Consume::of("requests", units))
            .await;
        let decision = decision.expect("is decided");
        assert!(decision.is_allowed(), "{decision:?}");
        decision.reply().reference()
    }

    pub async fn refund(&self, of: &OperationRef, units: u64) {
        self.clock.advance(TimeDelta::milliseconds(1));
        let refund = Refund::of(of).feature("requests").amount(units);
        self.engine.refund(refund).await.expect("is refunded");
    }

    /// Moves both clocks on.
    pub fn pass(&self, seconds: i64) {
        self.fake.advance(seconds);
        self.clock.set(at(self.fake.now()).max(self.clock.now()));
    }

    pub async fn periods(&self, id: &str) -> Vec<MeterPeriod> {
        let account = AccountId::parse(id).expect("an id");
        self.stores
            .meters
            .meter_periods(&account)
            .await
            .expect("is read")
    }

    /// The sums over all periods of an account.
    pub async fn sums(&self, id: &str) -> MeterSums {
        let mut sums = MeterSums::default();
        for period in self.periods(id).await {
            sums.booked += period.sums.booked;
            sums.refunded += period.sums.refunded;
            sums.netted += period.sums.netted;
            sums.told += period.sums.told;
            sums.late += period.sums.late;
            sums.too_old += period.sums.too_old;
            sums.unknown += period.sums.unknown;
        }
        sums
    }

    pub async fn problems(&self) -> BTreeMap<ProblemKind, BillingProblem> {
        let page = ProblemPage {
            provider: billing_stripe::provider::code(),
            is_open: true,
            kind: None,
            account: None,
            after: None,
            limit: 100,
        };
        let open = self.stores.billing.problems(&page).await.expect("is read");
        open.into_iter().map(|one| (one.id.kind, one)).collect()
    }

    pub async fn problem_kinds(&self) -> Vec<ProblemKind> {
        self.problems().await.into_keys().collect()
    }
}

impl Process {
    /// What the job does, until there is nothing more; `false` when the process failed or died over it.
    pub async fn work(&self) -> bool {
        // What is booked at this very instant comes with the next look.
        self.clock.advance(TimeDelta::milliseconds(1));
        let mut before = None;
        for _ in 0..ROUNDS_MAX {
            let Ok(page) = self.billing.collect_sold(before).await else {
                return false;
            };
            before = Some(page);
            if page.is_last {
                return self.tell().await && page.failed == 0;
            }
        }
        panic!("the ledger has no end");
    }

    async fn tell(&self) -> bool {
        for _ in 0..ROUNDS_MAX {
            match self.billing.tell_meters().await {
                Err(_) => return false,
                Ok(told) if told.is_nothing() => return true,
                Ok(told) if told.done == 0 => return told.failed == 0,
                Ok(_) => {}
            }
        }
        panic!("there is always something to tell");
    }
}

pub fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).expect("an instant")
}

pub fn units(number: u64) -> i64 {
    i64::try_from(number).expect("few")
}
