//! Several engines over one store, as several processes are, and what they leave behind.
#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "an installation that does not stand must stop the test"
)]

mod aftermath;
mod load;

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::DateTime;
use futures::future::join_all;
use quota_core::amount::{Amount, Limit};
use quota_core::catalog::{Catalog, CatalogFile};
use quota_core::command::{
    AccountSpec, Command, Consume, GiveBoost, GrantCredits, Presence, PutAccount, SetMemberLimit,
    SetOverride, SetSpendCap, Subscribe,
};
use quota_core::ids::{AccountId, BoostId, GrantId, OrgId, PlanCode, TokenId};
use quota_core::item::Item;
use quota_core::origin::Origin;
use quota_core::ports::{Cache, FixedClock, Storage};
use quota_service::{
    Ask, Engine, EngineError, EngineParts, EngineSettings, NoCache, Reply, TimeIds,
};
use tokio::sync::Barrier;

pub use aftermath::Aftermath;
pub use load::{Acknowledged, Load};

use crate::fixtures::{feature, key, org, user};

/// Seconds of 1970 at which every race begins.
const START: i64 = 1_799_000_000;
/// Small, so that a race is fought in many writes.
const BATCH_MAX: usize = 16;

/// An installation under contention.
pub struct Arena {
    /// The time by which all engines decide.
    pub clock: Arc<FixedClock>,
    /// The engines.
    pub engines: Vec<Engine>,
    storage: Arc<dyn Storage>,
}

impl Arena {
    /// Starts so many engines over a store; an empty one gets the catalog of the races.
    pub async fn open(storage: Arc<dyn Storage>, engines: usize) -> Self {
        let none = || Arc::new(NoCache) as Arc<dyn Cache>;
        Self::with_caches(storage, (0..engines).map(|_| none()).collect()).await
    }

    /// As [`Self::open`], with an engine over each cache.
    pub async fn with_caches(storage: Arc<dyn Storage>, caches: Vec<Arc<dyn Cache>>) -> Self {
        let start = DateTime::from_timestamp(START, 0).expect("a literal instant");
        let clock = Arc::new(FixedClock::at(start));
        let version = storage.catalog_version().await;
        if version.expect("the catalog's version") == 0 {
            let stored = storage.put_catalog(&catalog(), None, start).await;
            assert!(stored.expect("the catalog is stored"), "nobody else does");
        }
        let mut arena = Self {
            clock,
            engines: Vec::with_capacity(caches.len()),
            storage,
        };
        for cache in caches {
            arena.engines.push(arena.engine(cache).await);
        }
        arena
    }

    async fn engine(&self, cache: Arc<dyn Cache>) -> Engine {
        let parts = EngineParts {
            storage: Arc::clone(&self.storage),
            cache,
            clock: Arc::<FixedClock>::clone(&self.clock),
            ids: Arc::new(TimeIds),
        };
        let settings = EngineSettings {
            batch_max: BATCH_MAX,
            ..EngineSettings::patient()
        };
        let engine = Engine::start(parts, settings).await;
        engine.expect("the engine starts")
    }

    /// Has something done that must succeed.
    pub async fn set(&self, account: &AccountId, command: Command) -> Reply {
        let done = self.engines[0].submit(ask(account, command)).await;
        let done = done.expect("the arena is set up");
        assert!(done.operation.answer.is_allowed(), "{:?}", done.operation);
        done
    }

    /// Creates an org whose members may use so many articles together.
    pub async fn org(&self, id: &str, articles: u64) -> AccountId {
        let account = org(id);
        self.put(&account, AccountSpec::default()).await;
        self.limit(&account, articles).await;
        account
    }

    /// Creates a user without an org who may use so many articles.
    pub async fn user(&self, id: &str, articles: u64) -> AccountId {
        let account = self.visitor(id).await;
        self.limit(&account, articles).await;
        account
    }

    /// Creates a user without an org and without a plan.
    pub async fn visitor(&self, id: &str) -> AccountId {
        let account = user(id);
        self.put(&account, AccountSpec::default()).await;
        account
    }

    /// Creates a member who is not limited but by the org (U6).
    pub async fn member(&self, id: &str, of: &str) -> AccountId {
        let account = user(id);
        let spec = AccountSpec {
            org: Some(OrgId::new(of).expect("an org id")),
            ..AccountSpec::default()
        };
        self.put(&account, spec).await;
        account
    }

    async fn put(&self, account: &AccountId, spec: AccountSpec) {
        let presence = Presence::New;
        self.set(account, Command::PutAccount(PutAccount { presence, spec }))
            .await;
    }

    /// Subscribes an account, and limits its articles.
    pub async fn limit(&self, account: &AccountId, articles: u64) {
        let subscribe = Command::Subscribe(Subscribe::to(
            PlanCode::new("base").expect("a literal code"),
        ));
        self.set(account, subscribe).await;
        let limit = Command::SetOverride(SetOverride {
            feature: feature("art"),
            limit: Limit::Of(articles),
            expires_at: None,
        });
        self.set(account, limit).await;
    }

    /// Creates a user without an org whose plan sells on demand, up to a cap of its own in money.
    pub async fn metered(&self, id: &str, spend_cap: u64) -> AccountId {
        let account = self.visitor(id).await;
        let plan = PlanCode::new("meter").expect("a literal code");
        let subscribe = Command::Subscribe(Subscribe::to(plan));
        self.set(&account, subscribe).await;
        let cap = Command::SetSpendCap(SetSpendCap {
            amount: spend_cap,
            by_owner: false,
        });
        self.set(&account, cap).await;
        account
    }

    /// Limits each member of an org.
    pub async fn member_limit(&self, org: &AccountId, articles: u64) {
        let limit = Command::SetMemberLimit(SetMemberLimit {
            feature: feature("art"),
            limit: Limit::Of(articles),
            expires_at: None,
            member_of: None,
        });
        self.set(org, limit).await;
    }

    /// Gives an account credits.
    pub async fn grant(&self, account: &AccountId, grant: &str, credits: u64) {
        let grant = Command::GrantCredits(GrantCredits {
            grant: GrantId::new(grant).expect("a grant id"),
            credits: amount(credits),
            priority: 0,
            expires_at: None,
        });
        self.set(account, grant).await;
    }

    /// Gives an account a boost of articles until the end of its period.
    pub async fn boost(&self, account: &AccountId, boost: &str, units: u64) {
        let boost = Command::GiveBoost(GiveBoost {
            boost: BoostId::new(boost).expect("a boost id"),
            feature: feature("art"),
            amount: amount(units),
            ends_at: None,
        });
        self.set(account, boost).await;
    }

    /// Accounts for a [`Load`]: two users, and two members of one org; none has asked for anything.
    pub async fn cast(&self) -> BTreeMap<AccountId, u64> {
        const PLENTY: u64 = 1_000_000;
        self.org("acme", PLENTY).await;
        let cast = [
            self.user("ann", PLENTY).await,
            self.user("bob", PLENTY).await,
            self.member("cid", "acme").await,
            self.member("dan", "acme").await,
        ];
        cast.map(|account| (account, 0)).into()
    }

    /// Asks everything at the same instant, each of the next engine.
    pub async fn at_once(&self, asks: Vec<Ask>) -> Vec<Result<Reply, EngineError>> {
        let start = Arc::new(Barrier::new(asks.len()));
        let askers = asks.into_iter().zip(self.engines.iter().cycle());
        let askers = askers.map(|(ask, engine)| {
            let (start, engine) = (Arc::clone(&start), engine.clone());
            tokio::spawn(async move {
                start.wait().await;
                engine.submit(ask).await
            })
        });
        let answers = join_all(askers).await;
        answers
            .into_iter()
            .map(|answer| answer.expect("an asker ends"))
            .collect()
    }

    /// As [`Self::at_once`], where everything must be answered.
    pub async fn answers(&self, asks: Vec<Ask>) -> Vec<Reply> {
        let answers = self.at_once(asks).await.into_iter();
        answers
            .map(|answer| answer.expect("the engine answers"))
            .collect()
    }

    /// Stops the engines and has every home audited.
    pub async fn close(self) -> Aftermath {
        for engine in &self.engines {
            engine.stop().await;
        }
        Aftermath::of(self.storage.as_ref()).await
    }
}

/// The catalog of the races.
pub fn catalog() -> Catalog {
    let file: CatalogFile = toml::from_str(include_str!("catalog.toml")).expect("parses");
    Catalog::default().applied(&file).expect("is valid")
}

fn amount(units: u64) -> Amount {
    Amount::new(units).expect("from 1 to 10^15")
}

/// A request without a key.
pub fn ask(account: &AccountId, command: Command) -> Ask {
    Ask {
        account: account.clone(),
        key: None,
        command,
        origin: Origin::default(),
    }
}

/// A consumption of articles.
pub fn consume(account: &AccountId, units: u64) -> Ask {
    spend(account, "art", units, None)
}

/// A consumption of articles with a key.
pub fn consume_with_key(account: &AccountId, units: u64, text: &str) -> Ask {
    Ask {
        key: Some(key(text)),
        ..consume(account, units)
    }
}

/// A consumption with a token, or without.
pub fn spend(account: &AccountId, code: &str, units: u64, token: Option<&str>) -> Ask {
    let item = Item {
        feature: feature(code),
        amount: amount(units),
    };
    let token = token.map(|token| TokenId::new(token).expect("a token id"));
    let items = vec![item];
    ask(account, Command::Consume(Consume { token, items }))
}

/// How many were allowed.
pub fn allowed(replies: &[Reply]) -> usize {
    let allowed = |reply: &&Reply| reply.operation.answer.is_allowed();
    replies.iter().filter(allowed).count()
}
