//! An installation of the image platform with some users, and what can be seen of its state.
#![expect(
    clippy::expect_used,
    reason = "an installation that does not stand must stop the test"
)]

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use jobs::{JobFilter, JobName, JobSettings, LogSink, Runner};
use quota_core::amount::Amount;
use quota_core::command::{
    AccountSpec, Command, Consume, GrantCredits, Presence, PutAccount, Reserve, Subscribe,
};
use quota_core::event::{Event, EventKind};
use quota_core::ids::{AccountId, GrantId, PlanCode};
use quota_core::item::Item;
use quota_core::origin::Origin;
use quota_core::ports::{
    Audits, Clock, EventSink, FixedClock, JobRun, JobStore, PublishError, RunState, Storage,
};
use quota_service::{Ask, Engine, EngineParts, EngineSettings, NoCache, TimeIds};
use testkit::conformance::store::unpassed;
use testkit::fixtures::{feature, user};
use uuid::Uuid;

use crate::faulty::FaultyStore;

/// An installation.
pub struct Platform {
    pub store: Arc<FaultyStore>,
    pub clock: Arc<FixedClock>,
    pub engine: Engine,
}

/// All jobs that this installation can run: it has no payment provider.
pub fn without_provider() -> impl DoubleEndedIterator<Item = JobName> {
    JobName::all().filter(|job| !job.spec().needs_provider)
}

/// When the users subscribe: for a month, to 10 February 12:00.
pub fn start() -> DateTime<Utc> {
    "2027-01-10T12:00:00Z".parse().expect("an instant")
}

/// The id of a user.
pub fn name(number: usize) -> AccountId {
    user(&format!("u{number:02}"))
}

/// An engine over a store.
pub async fn engine_over(storage: Arc<dyn Storage>, clock: Arc<dyn Clock>) -> Engine {
    let parts = EngineParts {
        storage,
        cache: Arc::new(NoCache),
        clock,
        ids: Arc::new(TimeIds),
    };
    let settings = EngineSettings {
        deadline: Duration::from_mins(5),
        ..EngineSettings::default()
    };
    let engine = Engine::start(parts, settings).await;
    engine.expect("the engine starts")
}

impl Platform {
    /// Users that have subscribed, used up some of everything, and hold something for a minute.
    pub async fn with_users(users: usize) -> Self {
        let store = Arc::new(FaultyStore::default());
        let clock = Arc::new(FixedClock::at(start()));
        let platform = Self::over(store, clock).await;
        let file = include_str!("../../../quota-core/catalogs/image-platform.toml");
        let file = toml::from_str(file).expect("the catalog parses");
        let applied = platform.engine.apply_catalog(&file, None).await;
        applied.expect("the catalog is applied");
        for number in 0..users {
            platform.move_in(&name(number)).await;
        }
        platform
    }

    /// An engine over a store that is there already.
    pub async fn over(store: Arc<FaultyStore>, clock: Arc<FixedClock>) -> Self {
        let storage: Arc<dyn Storage> = Arc::<FaultyStore>::clone(&store);
        let engine = engine_over(storage, Arc::<FixedClock>::clone(&clock)).await;
        Self {
            store,
            clock,
            engine,
        }
    }

    async fn move_in(&self, account: &AccountId) {
        let item = |code: &str, amount: u64| Item {
            feature: feature(code),
            amount: Amount::new(amount).expect("an amount"),
        };
        let create = Command::PutAccount(PutAccount {
            presence: Presence::New,
            spec: AccountSpec::default(),
        });
        let subscribe =
            Command::Subscribe(Subscribe::to(PlanCode::new("image_pro").expect("a plan")));
        let consume = Command::Consume(Consume {
            token: None,
            items: vec![item("ai_request", 3), item("upload", 2), item("storage", 9)],
        });
        let reserve = Command::Reserve(Reserve {
            token: None,
            feature: feature("ai_request"),
            amount: Amount::new(5).expect("an amount"),
            ttl_seconds: 60,
        });
        for command in [create, subscribe, consume, reserve] {
            self.ask(account, command).await;
        }
    }

    /// Gives a user credits that end so many hours after the subscriptions began.
    pub async fn give_credits(&self, account: &AccountId, (grant, hours): (&str, i64)) {
        let give = Command::GrantCredits(GrantCredits {
            grant: GrantId::new(grant).expect("a grant"),
            credits: Amount::new(20).expect("an amount"),
            priority: 0,
            expires_at: Some(start() + TimeDelta::hours(hours)),
        });
        self.ask(account, give).await;
    }

    pub async fn ask(&self, account: &AccountId, command: Command) {
        let ask = Ask {
            account: account.clone(),
            key: None,
            command,
            origin: Origin::default(),
        };
        let reply = self.engine.submit(ask).await.expect("an answer");
        assert!(reply.operation.answer.is_allowed(), "nothing is denied");
    }

    /// Lets time pass: `days` after the subscriptions began.
    pub fn on_day(&self, days: i64) {
        self.clock.set(start() + TimeDelta::days(days));
    }

    pub fn runner(&self) -> Runner {
        self.runner_with(Arc::new(LogSink), settings())
    }

    pub fn runner_with(&self, sink: Arc<dyn EventSink>, settings: JobSettings) -> Runner {
        Runner::new(self.engine.clone(), sink, settings, "worker-a".to_owned())
    }

    /// Runs a job over everything.
    pub async fn run(&self, job: JobName) -> JobRun {
        let run = self.runner().run(job, JobFilter::default(), "test").await;
        run.expect("the job runs")
    }

    /// Starts a job and holds it up when it has recorded so many batches and done one more.
    pub async fn hold_up(&self, runner: &Runner, job: JobName, batches: usize) -> Uuid {
        self.store.hold_after(batches);
        let run = runner.start(job, JobFilter::default(), "test").await;
        self.store.held().await;
        run.expect("the job starts").id
    }

    /// Lets a run that was held up go on to its end.
    pub async fn let_go(&self, run: Uuid) -> JobRun {
        self.store.let_go();
        loop {
            let found = self.find(run).await;
            if found.state != RunState::Running {
                return found;
            }
            // The clock of the test leaps over this when nothing is left to do.
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    pub async fn find(&self, run: Uuid) -> JobRun {
        let runs = self.store.runs(None, u32::MAX).await.expect("the runs");
        let found = runs.into_iter().find(|found| found.id == run);
        found.expect("the run is in the history")
    }

    /// Everything that a job may change, without ids and instants, which differ from run to run.
    pub async fn state(&self) -> Vec<String> {
        let homes = self.store.homes(None, None, u32::MAX).await;
        let mut state = Vec::new();
        for home in homes.expect("the homes") {
            let read = self.store.audit_home(&home).await.expect("a home");
            let read = read.expect("it is there");
            for (id, account) in &read.accounts {
                let mut books = account.books.clone();
                books
                    .balances
                    .sort_by_key(|balance| balance.bucket.to_string());
                let subscription = account.terms.subscription.as_ref();
                let is_recorded = subscription.is_some_and(|known| known.end_recorded_at.is_some());
                state.push(format!("{id} {books:?} end recorded {is_recorded}"));
            }
            let closed = read
                .closed
                .iter()
                .map(|closed| format!("closed {closed:?}"));
            state.extend(closed);
            let holds = read.reservations.iter();
            state.extend(holds.map(|hold| format!("hold {} {:?}", hold.account, hold.state)));
            let operations = read.operations.iter();
            state.extend(operations.map(|o| format!("{} {:?} {:?}", o.account, o.kind, o.entries)));
        }
        let events = self.pending().await;
        state.extend(
            events
                .iter()
                .map(|e| format!("event {} {:?}", e.account, e.kind)),
        );
        state
    }

    pub async fn pending(&self) -> Vec<Event> {
        let events = unpassed(self.store.as_ref(), "dispatch_outbox").await;
        let events = events.expect("the events").into_iter();
        events.map(|queued| queued.event).collect()
    }

    /// How many events wait that pass.
    pub async fn count_events(&self, passes: impl Fn(&EventKind) -> bool) -> usize {
        let events = self.pending().await;
        events.iter().filter(|event| passes(&event.kind)).count()
    }
}

/// Small batches, so that a few users make several.
pub fn settings() -> JobSettings {
    JobSettings {
        batch_max: 2,
        ..JobSettings::default()
    }
}

/// A sink that remembers what it was told, and refuses some of it.
#[derive(Default)]
pub struct Listener {
    told: Mutex<Vec<Event>>,
    refusals: Mutex<Vec<(AccountId, u32)>>,
}

impl Listener {
    /// Refuses the next `times` events of an account.
    pub fn refuse(&self, account: &AccountId, times: u32) {
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        refusals.push((account.clone(), times));
    }

    pub fn told(&self) -> Vec<Event> {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.clone()
    }
}

#[async_trait]
impl EventSink for Listener {
    async fn publish(&self, event: &Event) -> Result<(), PublishError> {
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        let refusal = refusals
            .iter_mut()
            .find(|(account, times)| *account == event.account && *times > 0);
        if let Some((_, times)) = refusal {
            *times -= 1;
            return Err(PublishError("nobody listens".into()));
        }
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.push(event.clone());
        Ok(())
    }
}
