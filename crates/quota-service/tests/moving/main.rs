//! A user that joins an org and leaves it again: its balances go along, its keys are remembered, the books agree.
#![expect(clippy::expect_used, reason = "a test that cannot be set up must stop")]

mod closed;
mod refunds;

use std::sync::Arc;

use chrono::{DateTime, TimeDelta};
use quota_core::amount::Amount;
use quota_core::answer::{Answer, Rejection};
use quota_core::audit::audit;
use quota_core::command::{
    AccountSpec, Command, Consume, Presence, PutAccount, Reserve, Subscribe, Track,
};
use quota_core::ids::{AccountId, FeatureCode, IdempotencyKey, OrgId, PlanCode};
use quota_core::item::Item;
use quota_core::origin::Origin;
use quota_core::ports::{Audits, CatalogStore, FixedClock};
use quota_core::rules::scope_balances::FeatureStanding;
use quota_service::{
    Ask, Engine, EngineError, EngineParts, EngineSettings, NoCache, Reply, TimeIds,
};
use testkit::memory::MemoryStore;
use testkit::sequences::catalog;

struct Stage {
    store: Arc<MemoryStore>,
    clock: Arc<FixedClock>,
    engine: Engine,
}

fn id(text: &str) -> AccountId {
    AccountId::parse(text).expect("a literal id")
}

fn acme() -> OrgId {
    OrgId::new("acme").expect("a literal id")
}

impl Stage {
    async fn new() -> Self {
        let store = Arc::new(MemoryStore::new());
        let start = DateTime::from_timestamp(1_799_000_000, 0).expect("a literal instant");
        let stored = store.put_catalog(&catalog(), None, start).await;
        assert!(stored.expect("the catalog is stored"));
        let clock = Arc::new(FixedClock::at(start));
        let parts = EngineParts {
            storage: Arc::<MemoryStore>::clone(&store),
            cache: Arc::new(NoCache),
            clock: Arc::<FixedClock>::clone(&clock),
            ids: Arc::new(TimeIds),
        };
        let engine = Engine::start(parts, EngineSettings::patient()).await;
        let stage = Self {
            store,
            clock,
            engine: engine.expect("the engine starts"),
        };
        for account in ["org:acme", "org:beta", "user:ann"] {
            let spec = AccountSpec::default();
            let presence = Presence::New;
            let put = Command::PutAccount(PutAccount { presence, spec });
            stage.done(account, None, put).await;
            let subscribe =
                Command::Subscribe(Subscribe::to(PlanCode::new("pro").expect("a literal code")));
            stage.done(account, None, subscribe).await;
        }
        stage
    }

    /// Another process over the same store.
    async fn other_node(&self) -> Engine {
        self.node(EngineSettings::patient()).await
    }

    async fn node(&self, settings: EngineSettings) -> Engine {
        let parts = EngineParts {
            storage: Arc::<MemoryStore>::clone(&self.store),
            cache: Arc::new(NoCache),
            clock: Arc::<FixedClock>::clone(&self.clock),
            ids: Arc::new(TimeIds),
        };
        let engine = Engine::start(parts, settings).await;
        engine.expect("the engine starts")
    }

    async fn done(&self, account: &str, key: Option<&str>, command: Command) -> Reply {
        let ask = Ask {
            account: id(account),
            key: key.map(|key| IdempotencyKey::new(key).expect("a literal key")),
            command,
            origin: Origin::default(),
        };
        self.engine.submit(ask).await.expect("an answer")
    }

    async fn moves(&self, org: Option<&OrgId>) -> Result<Reply, EngineError> {
        let user = id("user:ann");
        self.engine
            .move_user(&user, org, None, Origin::default())
            .await
    }

    async fn used(&self, account: &str) -> u64 {
        let overview = self.engine.overview(&id(account)).await;
        let art = |standing: &FeatureStanding| standing.feature.code.as_str() == "art";
        let features = overview.expect("an overview").features;
        features
            .into_iter()
            .find(art)
            .map_or(0, |standing| standing.own.used)
    }

    async fn is_sound(&self) {
        for home in self.store.homes(None, None, 100).await.expect("homes") {
            let found = self.store.audit_home(&home).await.expect("read");
            let findings = audit(&found.expect("exists"));
            assert!(findings.is_empty(), "{home}: {findings:?}");
        }
    }
}

fn items(amount: u64) -> Vec<Item> {
    vec![Item {
        feature: FeatureCode::new("art").expect("a literal code"),
        amount: Amount::new(amount).expect("in range"),
    }]
}

fn consume(amount: u64) -> Command {
    Command::Consume(Consume {
        token: None,
        items: items(amount),
    })
}

fn track(amount: u64) -> Command {
    Command::Track(Track {
        token: None,
        items: items(amount),
        at: None,
    })
}

/// O1, X1: from the move on the org is charged; what was used before stays counted, and a key from before the move
/// is answered as at first.
#[tokio::test]
async fn a_user_that_joins_an_org_brings_its_use_and_its_keys() {
    let stage = Stage::new().await;
    stage.done("user:ann", Some("k"), consume(3)).await;
    let moved = stage.moves(Some(&acme())).await.expect("it moves");
    assert_eq!(moved.home, id("org:acme"));
    assert_eq!(stage.used("user:ann").await, 3);
    assert_eq!(stage.used("org:acme").await, 0);
    let again = stage.done("user:ann", Some("k"), consume(3)).await;
    assert!(again.is_replay, "the key is known from the former home");
    stage.done("user:ann", Some("l"), consume(2)).await;
    assert_eq!(stage.used("user:ann").await, 5);
    assert_eq!(stage.used("org:acme").await, 2);
    stage.is_sound().await;
}

/// O1: whoever left is no longer charged to the org, and may come back.
#[tokio::test]
async fn a_user_leaves_its_org_and_comes_back() {
    let stage = Stage::new().await;
    for round in 1..4 {
        stage.moves(Some(&acme())).await.expect("it joins");
        stage.done("user:ann", None, consume(1)).await;
        let left = stage.moves(None).await.expect("it leaves");
        assert_eq!(left.home, id("user:ann"));
        stage.done("user:ann", None, consume(1)).await;
        assert_eq!(stage.used("org:acme").await, round);
        assert_eq!(stage.used("user:ann").await, 2 * round);
        stage.is_sound().await;
    }
}

/// I8: what was used in an org is not forgotten when the user is a home again, whatever a queue kept of its first life.
#[tokio::test]
async fn a_home_in_its_next_life_is_not_taken_for_its_first() {
    let stage = Stage::new().await;
    let presence = Presence::New;
    let spec = AccountSpec::default();
    let put = Command::PutAccount(PutAccount { presence, spec });
    stage.done("user:bob", None, put).await;
    let (bob, org) = (id("user:bob"), acme());
    let moved = stage
        .engine
        .move_user(&bob, Some(&org), None, Origin::default());
    moved.await.expect("it joins");
    stage.done("user:bob", None, track(3)).await;
    let left = stage.engine.move_user(&bob, None, None, Origin::default());
    left.await.expect("it leaves");
    stage.done("user:bob", None, track(1)).await;
    let found = stage
        .store
        .audit_home(&bob)
        .await
        .expect("read")
        .expect("exists");
    let overage: u64 = found.accounts[0]
        .1
        .books
        .balances
        .iter()
        .map(|b| b.overage)
        .sum();
    assert_eq!(overage, 4);
    stage.is_sound().await;
}

/// X1: a key is known over two moves, too.
#[tokio::test]
async fn a_key_is_remembered_from_the_home_before_the_last() {
    let stage = Stage::new().await;
    stage.done("user:ann", Some("k"), consume(3)).await;
    stage.moves(Some(&acme())).await.expect("it joins");
    stage.done("user:ann", Some("l"), consume(1)).await;
    let beta = OrgId::new("beta").expect("a literal id");
    stage.moves(Some(&beta)).await.expect("it goes over");
    for (key, amount) in [("k", 3), ("l", 1)] {
        let again = stage.done("user:ann", Some(key), consume(amount)).await;
        assert!(again.is_replay, "{key}");
    }
    assert_eq!(stage.used("user:ann").await, 4);
    stage.is_sound().await;
}

/// A hold lies on the org too: it is settled first. One past its deadline is no hindrance (R4).
#[tokio::test]
async fn a_user_with_an_open_reservation_does_not_move() {
    let stage = Stage::new().await;
    let reserve = Command::Reserve(Reserve {
        token: None,
        feature: FeatureCode::new("art").expect("a literal code"),
        amount: Amount::new(1).expect("in range"),
        ttl_seconds: 60,
    });
    stage.done("user:ann", None, reserve).await;
    let refused = stage.moves(Some(&acme())).await;
    let rejection = EngineError::Rejected(Rejection::OpenReservations).to_string();
    assert_eq!(refused.expect_err("it holds").to_string(), rejection);
    stage.clock.advance(TimeDelta::seconds(60));
    stage.moves(Some(&acme())).await.expect("the hold is over");
    stage.is_sound().await;
}

/// O1: another node that knew a user before it moved changes it where it lives now, at once: in its queue, and under the
/// lock too.
#[tokio::test]
async fn a_user_that_moved_is_changed_on_another_node() {
    let stage = Stage::new().await;
    let other = stage.other_node().await;
    let put = |disabled| {
        Command::PutAccount(PutAccount {
            presence: Presence::Existing,
            spec: AccountSpec {
                disabled: Some(disabled),
                ..AccountSpec::default()
            },
        })
    };
    let ask = |command| Ask {
        account: id("user:ann"),
        key: None,
        command,
        origin: Origin::default(),
    };
    other.submit(ask(put(true))).await.expect("it knows ann");
    stage.moves(Some(&acme())).await.expect("moved");
    let blocked = other.submit(ask(put(false))).await;
    assert_eq!(blocked.expect("changed").home, id("org:acme"));
    stage.moves(None).await.expect("moved");
    let put_any = Command::PutAccount(PutAccount {
        presence: Presence::Any,
        spec: AccountSpec {
            disabled: Some(true),
            ..AccountSpec::default()
        },
    });
    let blocked = other.submit(ask(put_any)).await;
    assert_eq!(blocked.expect("changed").home, id("user:ann"));
    let ann = stage.engine.overview(&id("user:ann")).await;
    assert!(ann.expect("an overview").terms.disabled);
    stage.is_sound().await;
}

/// X1: a creation that is sent again after a move gets its first answer, whichever way the user went since; another body
/// under the same key is told so, and without the key the user is there already.
#[tokio::test]
async fn a_creation_that_is_repeated_after_a_move_gets_its_first_answer() {
    let stage = Stage::new().await;
    let creation = |org: Option<OrgId>, key: Option<&str>| Ask {
        account: id("user:ben"),
        key: key.map(|key| IdempotencyKey::new(key).expect("a literal key")),
        command: Command::PutAccount(PutAccount {
            presence: Presence::New,
            spec: AccountSpec {
                org,
                ..AccountSpec::default()
            },
        }),
        origin: Origin::default(),
    };
    let inside = creation(Some(acme()), Some("k"));
    let first = stage.engine.submit(inside.clone()).await.expect("created");
    let beta = OrgId::new("beta").expect("a literal id");
    for org in [None, Some(&beta), Some(&acme()), None] {
        let user = id("user:ben");
        let moved = stage.engine.move_user(&user, org, None, Origin::default());
        moved.await.expect("moved");
        let again = stage.engine.submit(inside.clone()).await.expect("answered");
        assert_eq!(
            (again.is_replay, &again.operation),
            (true, &first.operation)
        );
        let other = stage.engine.submit(creation(None, Some("k"))).await;
        assert!(
            matches!(other, Err(EngineError::KeyReused { .. })),
            "{other:?}"
        );
        let new = stage.engine.submit(creation(Some(acme()), None)).await;
        let exists = EngineError::Rejected(Rejection::AccountExists);
        assert_eq!(new.expect_err("it exists").to_string(), exists.to_string());
    }
    stage.is_sound().await;
}

/// X1, F7: a user that joins and leaves all the time is known at every moment: what it consumes beside that is decided, each
/// unit once. Nothing is read in one piece with the directory, so that the user may be missed twice in a row.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_user_that_moves_all_the_time_is_never_unknown() {
    const MOVES: u32 = 600;
    let stage = Arc::new(Stage::new().await);
    let unlimited = Command::PutAccount(PutAccount {
        presence: Presence::Existing,
        spec: AccountSpec {
            unlimited: Some(true),
            ..AccountSpec::default()
        },
    });
    stage.done("user:ann", None, unlimited).await;
    let mover = tokio::spawn({
        let stage = Arc::clone(&stage);
        async move {
            for round in 0..MOVES {
                let org = acme();
                let to = (round % 2 == 0).then_some(&org);
                while let Err(error) = stage.moves(to).await {
                    assert!(matches!(error, EngineError::Busy), "{error}");
                }
            }
        }
    });
    let other = stage.other_node().await;
    let mut spent = 0;
    while !mover.is_finished() {
        let ask = Ask {
            account: id("user:ann"),
            key: None,
            command: track(1),
            origin: Origin::default(),
        };
        match other.submit(ask).await {
            Ok(reply) => {
                let answer = &reply.operation.answer;
                assert!(matches!(answer, Answer::Allowed { .. }), "{answer:?}");
                spent += 1;
            }
            Err(error) => assert!(matches!(error, EngineError::Busy), "{error}"),
        }
    }
    mover.await.expect("it moved");
    assert_ne!(spent, 0);
    assert_eq!(stage.used("user:ann").await, spent);
    stage.is_sound().await;
}
