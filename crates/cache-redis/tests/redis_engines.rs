//! Two engines over one store, each with a cache of its own, and a Redis between them that is frozen, flushed and killed
//! under load: nothing is lost, doubled or granted beyond its limit, and no check is older than is promised.
#![expect(
    clippy::expect_used,
    reason = "a test without its server fails and says why"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use cache_redis::{RedisCache, RedisCacheSettings};
use quota_core::amount::{Amount, Limit};
use quota_core::answer::{Answer, ScopeBalance};
use quota_core::command::{Command, SetOverride};
use quota_core::draw::Scope;
use quota_core::ids::AccountId;
use quota_core::ports::{Cache, CacheError, CachedHome};
use quota_service::Engine;
use testkit::fixtures::feature;
use testkit::memory::MemoryStore;
use testkit::races::{Aftermath, Arena, allowed, consume, consume_with_key};
use testkit::redis::RedisServer;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, timeout};

/// Longest that a test waits for what comes at last, however busy the machine is.
const WAIT_MAX: Duration = Duration::from_mins(5);
/// How far a check may lie behind what another node acknowledged: the second that an entry is given without a proof, the
/// second that Redis is away at most, after which what it missed is told, and as much again. In ticks of [`PACE`], which
/// come late where the machine is busy, as all else does.
const BEHIND_MAX: u64 = 400;
/// Ticks that have passed.
static TICKS: AtomicU64 = AtomicU64::new(0);
/// Time before the first fault: longer than [`BEHIND_MAX`], so that an entry which nothing takes away is found. After a
/// fault entries are given for a second only, as Redis confirms none for a while.
const CALM_BEFORE: Duration = Duration::from_secs(6);
/// Time after the last one, in which the caches answer again.
const CALM_AFTER: Duration = Duration::from_secs(1);
/// Between two requests of one client.
const PACE: Duration = Duration::from_millis(10);
/// More than anybody uses.
const PLENTY: u64 = 1_000_000;
/// What one account may use; all of it is used long before all is over.
const SCARCE: u64 = 300;
/// What another one may use when all is over, and how many ask for it at once.
const LEFT: u64 = 50;
const ASKED: usize = 70;

/// A cache that counts what it gives.
struct Counted {
    cache: RedisCache,
    hits: Arc<AtomicU64>,
}

#[async_trait]
impl Cache for Counted {
    async fn get(
        &self,
        home: &AccountId,
        account: &AccountId,
    ) -> Result<Option<Arc<CachedHome>>, CacheError> {
        let found = self.cache.get(home, account).await?;
        self.hits
            .fetch_add(u64::from(found.is_some()), Ordering::Relaxed);
        Ok(found)
    }

    async fn put(&self, entry: Arc<CachedHome>) -> Result<(), CacheError> {
        self.cache.put(entry).await
    }

    async fn advance(&self, homes: &[(AccountId, u64)], is_urgent: bool) -> Result<(), CacheError> {
        self.cache.advance(homes, is_urgent).await
    }

    fn name(&self) -> &'static str {
        self.cache.name()
    }

    async fn ping(&self) -> Result<(), CacheError> {
        self.cache.ping().await
    }
}

/// What was acknowledged to anyone of one account.
#[derive(Default)]
struct History {
    /// Asked for so far, answered or not.
    asked: AtomicU64,
    /// What was used, at least, when it was acknowledged; both grow.
    used: Mutex<Vec<(u64, u64)>>,
}

impl History {
    fn note(&self, used: u64) {
        let mut all = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let last = all.last().map_or(0, |(_, used)| *used);
        all.push((TICKS.load(Ordering::SeqCst), last.max(used)));
    }

    /// What was used, at least, as it was acknowledged [`BEHIND_MAX`] ago.
    fn used_long_ago(&self) -> u64 {
        let all = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let now = TICKS.load(Ordering::SeqCst);
        let is_long_ago = |(at, _): &(u64, u64)| at + BEHIND_MAX <= now;
        let count = all.partition_point(is_long_ago);
        all[..count].last().map_or(0, |(_, used)| *used)
    }
}

/// One account as one node has shown it.
struct View {
    node: usize,
    engine: Engine,
    account: AccountId,
    history: Arc<History>,
    /// The most that this node has acknowledged or shown.
    shown: AtomicU64,
}

/// What a node was asked for, by key, and how much of it was granted.
#[derive(Default)]
struct Spent {
    keys: BTreeSet<String>,
    granted: u64,
}

fn used_in(balances: &[ScopeBalance]) -> u64 {
    let of_user = |balance: &&ScopeBalance| balance.scope == Scope::User;
    balances.iter().find(of_user).map_or(0, |found| found.used)
}

impl View {
    /// Consumes one at a time until all is over; now and then the same once more.
    async fn spend(&self, is_over: &AtomicBool) -> Spent {
        let mut spent = Spent::default();
        let mut ticks = paced();
        while !is_over.load(Ordering::Relaxed) {
            ticks.tick().await;
            let key = format!("{}-{}", self.node, spent.keys.len());
            let ask = consume_with_key(&self.account, 1, &key);
            self.history.asked.fetch_add(1, Ordering::SeqCst);
            let reply = self.engine.submit(ask.clone()).await.expect("an answer");
            assert!(!reply.is_replay, "{key} of {} is new", self.account);
            if let Answer::Allowed { balances } = &reply.operation.answer {
                let used = used_in(balances);
                self.shown.fetch_max(used, Ordering::SeqCst);
                self.history.note(used);
                spent.granted += 1;
            }
            if spent.keys.len() % 8 == 0 {
                let again = self.engine.submit(ask).await.expect("an answer");
                assert!(again.is_replay, "{key} of {}", self.account);
                assert_eq!(again.operation, reply.operation);
            }
            spent.keys.insert(key);
        }
        spent
    }

    /// Checks until all is over. This node's own writes, and what it has shown, are in every answer; what any node
    /// acknowledged is in it after [`BEHIND_MAX`]; and nothing is that nobody asked for.
    async fn look(&self, is_over: &AtomicBool) {
        let mut ticks = paced();
        let (articles, one) = (feature("art"), Amount::new(1).expect("in range"));
        while !is_over.load(Ordering::Relaxed) {
            ticks.tick().await;
            let shown = self.shown.load(Ordering::SeqCst);
            let known = self.history.used_long_ago();
            let checked = self
                .engine
                .check_item(&self.account, None, &articles, one)
                .await;
            let used = used_in(&checked.expect("an answer").balances);
            let which = format!("{} on node {}", self.account, self.node);
            assert!(shown <= used, "{which}: {used} after {shown}");
            assert!(known <= used, "{which}: {used}, long after {known}");
            let asked = self.history.asked.load(Ordering::SeqCst);
            assert!(used <= asked, "{which}: {used} of {asked}");
            self.shown.fetch_max(used, Ordering::SeqCst);
        }
    }
}

fn paced() -> tokio::time::Interval {
    let mut ticks = interval(PACE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

async fn node(server: &RedisServer) -> RedisCache {
    let settings = RedisCacheSettings {
        command_timeout: Duration::from_millis(200),
        ..RedisCacheSettings::new(server.url())
    };
    let cache = RedisCache::connect(&settings).await.expect("good settings");
    until_up(&cache).await;
    cache
}

async fn until_up(cache: &RedisCache) {
    let mut ticks = interval(Duration::from_millis(5));
    let wait = async {
        while cache.ping().await.is_err() {
            ticks.tick().await;
        }
    };
    timeout(WAIT_MAX, wait).await.expect("up in time");
}

/// Freezes, flushes and kills Redis, twice, for less than a second each time.
async fn fail(server: &mut RedisServer) {
    let mut ticks = interval(Duration::from_millis(100));
    for round in 0..44 {
        ticks.tick().await;
        match round % 22 {
            3 => server.freeze().expect("is stopped"),
            10 => server.thaw().expect("goes on"),
            // Flushed, and again before the nodes know what the first one took away.
            13 | 14 => server.flush().expect("is flushed"),
            16 => server.kill_9().expect("is killed"),
            19 => server.restart().expect("is back"),
            _ => {}
        }
    }
}

/// Clients at work on all accounts.
#[derive(Default)]
struct Crowd {
    is_over: Arc<AtomicBool>,
    spenders: JoinSet<(AccountId, Spent)>,
    lookers: JoinSet<()>,
}

impl Crowd {
    /// Has an account served by some nodes, and looked at on all.
    fn come(&mut self, engines: &[Engine], account: &AccountId, served_by: &[usize]) {
        let history = Arc::new(History::default());
        for (node, engine) in engines.iter().enumerate() {
            let view = Arc::new(View {
                node,
                engine: engine.clone(),
                account: account.clone(),
                history: Arc::clone(&history),
                shown: AtomicU64::new(0),
            });
            if served_by.contains(&node) {
                let (view, is_over) = (Arc::clone(&view), Arc::clone(&self.is_over));
                let spend = async move { (view.account.clone(), view.spend(&is_over).await) };
                self.spenders.spawn(spend);
            }
            let is_over = Arc::clone(&self.is_over);
            self.lookers.spawn(async move { view.look(&is_over).await });
        }
    }

    /// Ends it; what each account was answered, by node.
    async fn go(mut self) -> BTreeMap<AccountId, Vec<Spent>> {
        self.is_over.store(true, Ordering::Relaxed);
        while let Some(looked) = self.lookers.join_next().await {
            looked.expect("nothing old was shown");
        }
        let mut spent: BTreeMap<_, Vec<_>> = BTreeMap::new();
        while let Some(ended) = self.spenders.join_next().await {
            let (account, by_node) = ended.expect("every request was answered");
            spent.entry(account).or_default().push(by_node);
        }
        spent
    }
}

/// A time without faults, in which the caches answer.
async fn calm(length: Duration, caches: &[RedisCache], hits: &[Arc<AtomicU64>]) {
    for cache in caches {
        until_up(cache).await;
    }
    let count = |hits: &Arc<AtomicU64>| hits.load(Ordering::Relaxed);
    let before: Vec<u64> = hits.iter().map(count).collect();
    let (mut ticks, begun_at) = (paced(), Instant::now());
    while begun_at.elapsed() < length {
        ticks.tick().await;
    }
    let answer = || {
        hits.iter()
            .zip(&before)
            .all(|(hits, before)| *before < count(hits))
    };
    let wait = async {
        while !answer() {
            ticks.tick().await;
        }
    };
    timeout(WAIT_MAX, wait).await.expect("the caches answer");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn engines_over_a_failing_redis_lose_nothing_and_show_nothing_old() {
    let mut server = RedisServer::start().expect("a server");
    let clock = tokio::spawn(async {
        let mut ticks = paced();
        loop {
            ticks.tick().await;
            TICKS.fetch_add(1, Ordering::SeqCst);
        }
    });
    let caches = [node(&server).await, node(&server).await];
    let hits = [0, 1].map(|_| Arc::new(AtomicU64::new(0)));
    let counted = caches.iter().zip(&hits).map(|(cache, hits)| {
        let (cache, hits) = (cache.clone(), Arc::clone(hits));
        Arc::new(Counted { cache, hits }) as Arc<dyn Cache>
    });
    let arena = Arena::with_caches(Arc::new(MemoryStore::new()), counted.collect()).await;
    // Two users that one node serves and the other only looks at, two members that both serve, one who has little.
    let [ann, bob] = [
        arena.user("ann", PLENTY).await,
        arena.user("bob", PLENTY).await,
    ];
    arena.org("acme", PLENTY).await;
    let [cid, dan] = [
        arena.member("cid", "acme").await,
        arena.member("dan", "acme").await,
    ];
    let eve = arena.user("eve", SCARCE).await;
    let mut crowd = Crowd::default();
    for (account, served_by) in [(&ann, &[0][..]), (&bob, &[1])] {
        crowd.come(&arena.engines, account, served_by);
    }
    for account in [&cid, &dan, &eve] {
        crowd.come(&arena.engines, account, &[0, 1]);
    }
    calm(CALM_BEFORE, &caches, &hits).await;
    fail(&mut server).await;
    calm(CALM_AFTER, &caches, &hits).await;
    let spent = crowd.go().await;
    clock.abort();

    // Whatever the caches hold, the last of it is given out once.
    let granted = |account: &AccountId| spent[account].iter().map(|by_node| by_node.granted).sum();
    let used: u64 = granted(&ann);
    let limit = Command::SetOverride(SetOverride {
        feature: feature("art"),
        limit: Limit::Of(used + LEFT),
        expires_at: None,
    });
    arena.set(&ann, limit).await;
    let last = arena.answers(vec![consume(&ann, 1); ASKED]).await;
    assert_eq!(allowed(&last), usize::try_from(LEFT).expect("fits"));
    let after = arena.close().await;
    assert_eq!(after.used(&ann), used + LEFT);
    assert_eq!(granted(&eve), SCARCE);
    for account in [&bob, &cid, &dan, &eve] {
        assert_eq!(after.used(account), granted(account), "{account}");
    }
    for (account, spent) in &spent {
        is_booked_once(&after, account, spent);
    }
}

/// What was answered under a key is in the ledger once, and nothing else under a key.
fn is_booked_once(after: &Aftermath, account: &AccountId, spent: &[Spent]) {
    let answered = spent.iter().flat_map(|by_node| &by_node.keys);
    let mut answered: Vec<&str> = answered.map(String::as_str).collect();
    answered.sort_unstable();
    let mut booked: Vec<&str> = after
        .consumptions(account)
        .filter_map(|found| Some(found.key.as_ref()?.as_str()))
        .collect();
    booked.sort_unstable();
    assert_eq!(booked, answered, "{account}");
}
