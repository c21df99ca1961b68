//! An engine over a store in memory, with codes beside it.

use std::sync::Arc;

use quota_core::amount::Amount;
use quota_core::catalog::CatalogFile;
use quota_core::code::{BoostGift, CodeGift, CodeWindow, CreditsGift, GiftEnd, PlanGift};
use quota_core::command::{AccountSpec, Command, Presence, PutAccount};
use quota_core::ids::{FeatureCode, PlanCode};
use quota_core::origin::Origin;
use quota_core::ports::FixedClock;
use quota_core::quantity::Quantity;
use quota_service::{
    Codes, Engine, EngineError, EngineParts, EngineSettings, NewCode, NewCodes, NoCache, Redeem,
    Redeemed, TimeIds,
};
use testkit::fixtures::{instant, user};
use testkit::memory::MemoryStore;
use testkit::races::ask;

/// Many at once.
pub const AT_ONCE: usize = 64;
pub const CATALOG: &str = r#"
[[feature]]
code = "articles"
name = "Articles"
unit = "article"
kind = "consumable"
cadence = "monthly"

[[feature]]
code = "albums"
name = "Albums"
unit = "album"
kind = "capacity"
cadence = "subscription"

[[plan]]
code = "pro"
name = "Pro"
price = 900
limits = { articles = 100 }

[[plan]]
code = "more"
name = "More"
kind = "addon"
price = 100
limits = { articles = 50 }
"#;

pub struct Stage {
    pub store: Arc<MemoryStore>,
    pub clock: Arc<FixedClock>,
    pub engine: Engine,
    pub codes: Codes,
}

impl Stage {
    /// An engine with two users and a catalog.
    pub async fn new() -> Self {
        let store = Arc::new(MemoryStore::new());
        let stage = Self::over(&store, &Arc::new(FixedClock::at(instant(0)))).await;
        let file: CatalogFile = toml::from_str(CATALOG).expect("a catalog");
        let applied = stage.engine.apply_catalog(&file, None).await;
        applied.expect("is applied");
        for name in ["ann", "bob"] {
            stage.user(name).await;
        }
        stage
    }

    /// One more node over a store.
    pub async fn over(store: &Arc<MemoryStore>, clock: &Arc<FixedClock>) -> Self {
        let parts = EngineParts {
            storage: Arc::<MemoryStore>::clone(store),
            cache: Arc::new(NoCache),
            clock: Arc::<FixedClock>::clone(clock),
            ids: Arc::new(TimeIds),
        };
        let settings = EngineSettings {
            homes_kept: 0,
            ..EngineSettings::patient()
        };
        let engine = Engine::start(parts, settings).await.expect("starts");
        Self {
            store: Arc::clone(store),
            clock: Arc::clone(clock),
            codes: Codes::new(engine.clone(), Arc::<MemoryStore>::clone(store)),
            engine,
        }
    }

    pub async fn user(&self, name: &str) {
        let put = PutAccount {
            presence: Presence::New,
            spec: AccountSpec::default(),
        };
        let made = ask(&user(name), Command::PutAccount(put));
        self.engine.submit(made).await.expect("is made");
    }

    /// One code that gives this to so many.
    pub async fn code(&self, gift: CodeGift, uses_max: u32) -> NewCode {
        let asked = NewCodes {
            uses_max,
            ..new_codes(gift)
        };
        let made = self.codes.make(asked).await.expect("is made");
        made.codes.expect("with its secret").remove(0)
    }

    pub async fn redeem(&self, name: &str, code: &str) -> Result<Redeemed, EngineError> {
        self.codes.redeem(redeem(name, code)).await
    }

    /// Credits, units of boosts, and subscriptions one after another.
    pub async fn has(&self, name: &str) -> (u64, u64, usize) {
        let account = self.engine.account(&user(name)).await.expect("reads");
        let boosts = self.engine.boosts(&user(name)).await.expect("reads");
        let boosts = boosts.iter().filter_map(|boost| boost.granted.ceiling());
        let overview = self.engine.overview(&user(name)).await.expect("reads");
        let held = account.account.terms.subscription.as_ref();
        let plans = held.map_or(0, |held| held.chain().count());
        (overview.wallet.free, boosts.sum(), plans)
    }

    pub async fn uses(&self, code: &NewCode) -> u32 {
        self.codes.code(code.code.id).await.expect("reads").uses
    }
}

pub fn amount(value: u64) -> Amount {
    Amount::new(value).expect("an amount")
}

pub fn credits() -> CodeGift {
    CodeGift::Credits(CreditsGift {
        credits: amount(50),
        priority: 0,
        days: Some(30),
    })
}

pub fn boost(ends: GiftEnd) -> CodeGift {
    CodeGift::Boost(BoostGift {
        feature: FeatureCode::new("articles").expect("a code"),
        amount: amount(5),
        ends,
    })
}

pub fn plan(code: &str, days: u32) -> CodeGift {
    CodeGift::Plan(PlanGift {
        plan: PlanCode::new(code).expect("a code"),
        days,
        seats: Quantity::ONE,
    })
}

pub fn new_codes(gift: CodeGift) -> NewCodes {
    NewCodes {
        name: "spring".to_owned(),
        gift,
        uses_max: 1,
        window: CodeWindow::default(),
        count: 1,
        key: None,
    }
}

pub fn redeem(name: &str, code: &str) -> Redeem {
    Redeem {
        account: user(name),
        code: code.to_owned(),
        key: None,
        origin: Origin::default(),
    }
}

pub fn refused<T: std::fmt::Debug>(outcome: Result<T, EngineError>) -> &'static str {
    match outcome {
        Err(EngineError::Rejected(rejection)) => rejection.code(),
        Err(EngineError::TooManyFailures { .. }) => "too_many_failures",
        Err(EngineError::KeyReused { .. }) => "key_reused",
        other => panic!("{other:?} is no refusal"),
    }
}
