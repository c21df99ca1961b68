//! What becomes of requests when the store fails, is down, or there are too many of them. Time stands still but
//! for the waits of the engine, which pass at once.
#![expect(clippy::expect_used, reason = "a call that fails is a failed test")]

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::join_all;
use quota_core::amount::{Amount, Limit};
use quota_core::answer::Answer;
use quota_core::command::{
    AccountSpec, Command, Commit, Consume, GrantCredits, Presence, PutAccount, PutToken, Refund,
    Release, Reserve, Subscribe, Track,
};
use quota_core::ids::{AccountId, GrantId, OrgId, PlanCode, TokenId};
use quota_core::item::Item;
use quota_core::operation::{Entry, OperationKind};
use quota_core::ports::{Audits, CatalogStore, Clock, FixedClock, StoreError};
use quota_service::{
    Ask, Engine, EngineError, EngineParts, EngineSettings, NoCache, Reply, TimeIds, WriteFault,
};
use testkit::fixtures::{feature, instant, key, org, user};
use testkit::memory::{FailWhen, MemoryStore};
use testkit::races::{Aftermath, ask, catalog, consume, consume_with_key, spend};
use testkit::sequences::{EndState, end_state};
use tokio::time::Instant;
use uuid::Uuid;

const BOTH: [FailWhen; 2] = [FailWhen::BeforeEffect, FailWhen::AfterEffect];
/// Tries of one request by its caller; each fault can cost it one.
const TRIES_MAX: u32 = 4;
/// Units that every user of these tests may use.
const LIMIT: u64 = 50;

async fn engine(store: &Arc<MemoryStore>, settings: EngineSettings) -> Engine {
    let clock = Arc::new(FixedClock::at(instant(0)));
    if store.catalog_version().await.expect("reads") == 0 {
        let stored = store.put_catalog(&catalog(), None, clock.now()).await;
        assert!(stored.expect("writes"), "the first catalog");
    }
    let parts = EngineParts {
        storage: Arc::<MemoryStore>::clone(store),
        cache: Arc::new(NoCache),
        clock,
        ids: Arc::new(TimeIds),
    };
    Engine::start(parts, settings).await.expect("starts")
}

/// Every batch reads its homes: then the calls of a request are one load and one write.
fn reading() -> EngineSettings {
    EngineSettings {
        homes_kept: 0,
        ..EngineSettings::default()
    }
}

fn put(org: Option<&str>) -> Command {
    let spec = AccountSpec {
        org: org.map(|org| OrgId::new(org).expect("an org id")),
        unlimited: org.map(|_| false),
        ..AccountSpec::default()
    };
    let presence = Presence::New;
    Command::PutAccount(PutAccount { presence, spec })
}

fn subscribe() -> Command {
    Command::Subscribe(Subscribe::to(PlanCode::new("base").expect("a code")))
}

/// A store with one user who may use [`LIMIT`] articles.
async fn with_user(settings: EngineSettings) -> (Arc<MemoryStore>, Engine, AccountId) {
    let store = Arc::new(MemoryStore::new());
    let engine = engine(&store, settings).await;
    let ann = user("ann");
    for command in [put(None), subscribe()] {
        engine.submit(ask(&ann, command)).await.expect("is set up");
    }
    (store, engine, ann)
}

async fn booked(store: &MemoryStore, account: &AccountId) -> (usize, u64) {
    let after = Aftermath::of(store).await;
    (after.booked(account), after.used(account))
}

fn amount(units: u64) -> Amount {
    Amount::new(units).expect("in range")
}

fn items(units: &[(&str, u64)]) -> Vec<Item> {
    let item = |(code, units): &(&str, u64)| Item {
        feature: feature(code),
        amount: amount(*units),
    };
    units.iter().map(item).collect()
}

fn token() -> TokenId {
    TokenId::new("t").expect("an id")
}

fn consume_items(units: &[(&str, u64)]) -> Command {
    let (token, items) = (Some(token()), items(units));
    Command::Consume(Consume { token, items })
}

fn reserve(units: u64) -> Command {
    Command::Reserve(Reserve {
        token: Some(token()),
        feature: feature("art"),
        amount: amount(units),
        ttl_seconds: 60,
    })
}

/// How the member is set up.
fn setting(number: usize) -> Command {
    if number == 0 {
        return Command::GrantCredits(GrantCredits {
            grant: GrantId::new("pack").expect("an id"),
            credits: amount(10),
            priority: 0,
            expires_at: None,
        });
    }
    Command::PutToken(PutToken {
        token: token(),
        presence: Presence::New,
        cap: Some(Limit::Of(40)),
        per: None,
        expires_at: None,
    })
}

/// A day of an org and its member: every kind of request that callers make. `done` are the ids of the steps before.
fn step(number: usize, done: &[Uuid]) -> Option<(AccountId, Command)> {
    let (acme, ann) = (org("acme"), user("ann"));
    Some(match number {
        0 => (acme, put(None)),
        1 => (ann, put(Some("acme"))),
        2 => (acme, subscribe()),
        3 => (ann, subscribe()),
        4 | 5 => (ann, setting(number - 4)),
        6 => (ann, consume_items(&[("art", 3)])),
        7 => (ann, consume_items(&[("art", 2), ("img", 1)])),
        8 => (ann, reserve(4)),
        9 => {
            let (reservation, actual) = (done[8], 2);
            let command = Command::Commit(Commit {
                reservation,
                actual,
            });
            (ann, command)
        }
        10 => (ann, reserve(3)),
        11 => {
            let reservation = done[10];
            (ann, Command::Release(Release { reservation }))
        }
        12 => {
            let command = Command::Refund(Refund {
                operation: done[6],
                feature: None,
                amount: None,
            });
            (ann, command)
        }
        13 => (ann, consume_items(&[("art", 1_000)])),
        14 => {
            let (token, items) = (None, items(&[("art", 60)]));
            (
                ann,
                Command::Track(Track {
                    token,
                    items,
                    at: None,
                }),
            )
        }
        _ => return None,
    })
}

/// What a caller learns of a step, but for its id.
type Learnt = (OperationKind, u64, Vec<Entry>, Answer);

/// Asks each step with its key until it is answered for good.
async fn play(engine: &Engine) -> Vec<Learnt> {
    let (mut learnt, mut done) = (Vec::new(), Vec::new());
    while let Some((account, command)) = step(done.len(), &done) {
        let ask = Ask {
            key: Some(key(&format!("k{}", done.len()))),
            ..ask(&account, command)
        };
        let reply = until_answered(engine, ask).await;
        done.push(reply.operation.id);
        let of = reply.operation;
        learnt.push((of.kind, of.sequence, of.entries.clone(), of.answer.clone()));
    }
    learnt
}

async fn until_answered(engine: &Engine, ask: Ask) -> Reply {
    for _ in 0..TRIES_MAX {
        match engine.submit(ask.clone()).await {
            Ok(reply) => return reply,
            Err(error) => assert!(error.is_transient(), "{ask:?}: {error}"),
        }
    }
    panic!("no answer in {TRIES_MAX} tries: {ask:?}");
}

async fn end(store: &MemoryStore) -> EndState {
    Aftermath::of(store).await;
    let home = store.audit_home(&org("acme")).await.expect("reads");
    end_state(home.expect("exists"))
}

/// I7, I8, X1: whichever call of the store fails, before or after its effect, alone or with the next one: asked again
/// with the same key, every request has the answer and the one effect that it has without faults.
#[tokio::test(start_paused = true)]
async fn each_call_may_fail_and_nothing_is_lost_or_doubled() {
    for settings in [EngineSettings::default(), reading()] {
        let store = Arc::new(MemoryStore::new());
        let whole = engine(&store, settings.clone()).await;
        let first = store.calls() + 1;
        let expected = play(&whole).await;
        let last = store.calls();
        let expected_end = end(&store).await;
        for (number, when, next) in (first..=last).flat_map(|number| {
            BOTH.map(|when| [None, Some(BOTH[0]), Some(BOTH[1])].map(|next| (number, when, next)))
                .into_iter()
                .flatten()
        }) {
            let store = Arc::new(MemoryStore::new());
            let engine = engine(&store, settings.clone()).await;
            store.fail_at(number, when);
            if let Some(next) = next {
                store.fail_at(number + 1, next);
            }
            let learnt = play(&engine).await;
            let at = format!("call {number} fails {when:?}, the next {next:?}");
            assert_eq!(learnt, expected, "{at}");
            assert_eq!(end(&store).await, expected_end, "{at}");
        }
    }
}

/// I7: a write without a key whose answer was lost is found by its id, and one that was lost is done again: the
/// caller sees neither.
#[tokio::test(start_paused = true)]
async fn a_write_of_unknown_fate_is_found_before_it_is_answered() {
    for (settings, write) in [(reading(), 2), (EngineSettings::default(), 1)] {
        for when in BOTH {
            let (store, engine, ann) = with_user(settings.clone()).await;
            store.fail_at(store.calls() + write, when);
            let reply = engine.submit(consume(&ann, 1)).await.expect("answers");
            assert!(reply.operation.answer.is_allowed() && !reply.is_replay);
            assert_eq!(booked(&store, &ann).await, (1, 1), "{when:?}");
        }
    }
}

/// I24: while the store is down a request is refused at once, as one that may be asked again, and has no effect;
/// when the store is back, so is the engine.
#[tokio::test(start_paused = true)]
async fn a_store_that_is_down_refuses_at_once_and_accepts_nothing() {
    let (store, engine, ann) = with_user(reading()).await;
    let since = Instant::now();
    store.fail_next(10);
    for _ in 0..10 {
        let error = engine.submit(consume(&ann, 1)).await.expect_err("is down");
        assert!(matches!(error, EngineError::Store(_)) && error.is_transient());
    }
    assert_eq!(since.elapsed(), Duration::ZERO);
    assert_eq!(booked(&store, &ann).await, (0, 0));
    engine.submit(consume(&ann, 1)).await.expect("is back");
    assert_eq!(booked(&store, &ann).await, (1, 1));
}

/// I8: when the fate of a write stays unknown the caller is told so, and learns it by asking again with the same key.
#[tokio::test(start_paused = true)]
async fn a_fate_that_stays_unknown_is_learnt_with_the_same_key() {
    for when in BOTH {
        let (store, engine, ann) = with_user(reading()).await;
        let write = store.calls() + 2;
        store.fail_at(write, when);
        for call in write + 1..write + 8 {
            store.fail_at(call, FailWhen::BeforeEffect);
        }
        let ask = consume_with_key(&ann, 1, "once");
        let error = engine.submit(ask.clone()).await.expect_err("is unknown");
        assert!(matches!(error, EngineError::Deadline), "{error}");
        let reply = until_answered(&engine, ask).await;
        assert_eq!(reply.is_replay, when == FailWhen::AfterEffect);
        assert_eq!(booked(&store, &ann).await, (1, 1));
    }
}

/// I24: a queue takes as many as it may hold; the others hear at once that it is full, and have no effect.
#[tokio::test(start_paused = true)]
async fn a_full_queue_is_busy_for_those_that_find_no_place() {
    let settings = EngineSettings {
        queue_max: 8,
        ..reading()
    };
    let (store, engine, ann) = with_user(settings).await;
    // One thread: all of them come before the queue is worked on.
    let asked = (0..20).map(|_| engine.submit(consume(&ann, 1)));
    let verdicts = join_all(asked).await;
    let is_busy = |verdict: &&_| matches!(verdict, Err(EngineError::Busy));
    assert_eq!(verdicts.iter().filter(is_busy).count(), 12);
    assert_eq!(verdicts.iter().filter(|verdict| verdict.is_ok()).count(), 8);
    assert_eq!(booked(&store, &ann).await, (8, 8));
}

/// I8: an engine that stops answers what it took, and takes no more.
#[tokio::test(start_paused = true)]
async fn an_engine_that_stops_answers_what_it_took() {
    let (store, engine, ann) = with_user(EngineSettings::default()).await;
    let asked = join_all((0..20).map(|_| engine.submit(consume(&ann, 1))));
    let (verdicts, ()) = tokio::join!(asked, engine.stop());
    assert!(verdicts.iter().all(Result::is_ok), "{verdicts:?}");
    let late = engine.submit(consume(&ann, 1)).await;
    assert!(matches!(late, Err(EngineError::Stopping)), "{late:?}");
    assert_eq!(booked(&store, &ann).await, (20, 20));
}

/// C1: a caller that goes away takes nothing back: what it asked for is done, whole.
#[tokio::test(start_paused = true)]
async fn a_request_whose_caller_went_away_is_done_all_the_same() {
    let (store, engine, ann) = with_user(EngineSettings::default()).await;
    for _ in 0..20 {
        let dropped = engine.submit(consume(&ann, 1)).now_or_never();
        assert!(dropped.is_none(), "it waits for its answer");
    }
    engine.stop().await;
    assert_eq!(booked(&store, &ann).await, (20, 20));
}

/// I24: a request that waited too long is not carried out any more.
#[tokio::test(start_paused = true)]
async fn a_request_past_its_deadline_is_not_carried_out() {
    let (store, engine, ann) = with_user(EngineSettings::default()).await;
    engine.stop().await;
    let settings = EngineSettings {
        deadline: Duration::ZERO,
        ..reading()
    };
    let hasty = self::engine(&store, settings).await;
    let error = hasty.submit(consume(&ann, 1)).await.expect_err("is late");
    assert!(
        matches!(error, EngineError::Busy | EngineError::Deadline),
        "{error}"
    );
    hasty.stop().await;
    assert_eq!(booked(&store, &ann).await, (0, 0));
}

/// I24: a store that answers nothing keeps nobody waiting longer than the deadline, neither who writes nor who reads.
#[tokio::test(start_paused = true)]
async fn a_frozen_store_is_waited_for_no_longer_than_the_deadline() {
    let (store, engine, ann) = with_user(reading()).await;
    let deadline = engine.settings().deadline;
    store.freeze();
    let unseen = AccountId::parse("user:unseen").expect("a literal id");
    for account in [&ann, &unseen] {
        let since = Instant::now();
        let written = engine
            .submit(consume(account, 1))
            .await
            .expect_err("no answer");
        assert!(matches!(written, EngineError::Deadline), "{written}");
        assert_eq!(since.elapsed(), deadline);
        let since = Instant::now();
        let read = engine.overview(account).await.expect_err("no answer");
        assert!(matches!(read, EngineError::Deadline), "{read}");
        assert_eq!(since.elapsed(), deadline);
    }
}

/// X1, I7: a denial without a key is not booked and nothing of it stays; one with a key is, and draws nothing.
#[tokio::test(start_paused = true)]
async fn a_denial_draws_nothing_and_is_booked_only_under_its_key() {
    let (store, engine, ann) = with_user(EngineSettings::default()).await;
    let version = engine.account(&ann).await.expect("reads").account;
    let denied = engine.submit(spend(&ann, "art", LIMIT + 1, None)).await;
    assert!(!denied.expect("answers").operation.answer.is_allowed());
    assert_eq!(engine.account(&ann).await.expect("reads").account, version);
    let with_key = consume_with_key(&ann, LIMIT + 1, "k");
    let denied = engine.submit(with_key).await.expect("answers");
    assert!(denied.operation.entries.is_empty());
    let after = Aftermath::of(store.as_ref()).await;
    assert_eq!(after.consumptions(&ann).count(), 1);
    assert_eq!((after.booked(&ann), after.used(&ann)), (0, 0));
}

/// A full store says at once that nothing was written, one line goes to the log however many ask, and probes see it until
/// a write passes.
#[tokio::test(start_paused = true)]
async fn a_full_store_is_told_at_once_and_logged_once() {
    for (error, fault) in [
        (StoreError::Full("no space".into()), WriteFault::Full),
        (StoreError::ReadOnly("standby".into()), WriteFault::ReadOnly),
    ] {
        let lines = Lines::default();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(lines.clone())
            .finish();
        let logged = tracing::subscriber::set_default(subscriber);
        let (store, engine, ann) = with_user(EngineSettings::patient()).await;
        let since = Instant::now();
        store.refuse_writes(Some(error));
        for _ in 0..3 {
            let asks = (0..4).map(|_| engine.submit(consume(&ann, 1)));
            for answer in join_all(asks).await {
                let error = answer.expect_err("nothing can be written");
                let is_named = if fault == WriteFault::Full {
                    matches!(&error, EngineError::Store(StoreError::Full(_)))
                } else {
                    matches!(&error, EngineError::Store(StoreError::ReadOnly(_)))
                };
                assert!(is_named && error.is_transient(), "{error:?}");
            }
        }
        assert_eq!(since.elapsed(), Duration::ZERO);
        assert_eq!(engine.health().await.writes, Some(fault));
        store.refuse_writes(None);
        let done = engine.submit(consume(&ann, 1)).await.expect("goes on");
        assert!(done.operation.answer.is_allowed());
        assert_eq!(engine.health().await.writes, None);
        drop(logged);
        let text = lines.text();
        assert_eq!(text.matches("nothing is written").count(), 1, "{text}");
        assert_eq!(text.matches("takes writes again").count(), 1, "{text}");
    }
}

/// What was logged.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    fn text(&self) -> String {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> tracing_subscriber::fmt::MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
