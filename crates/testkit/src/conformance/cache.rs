//! Promises of every cache. Each takes an empty one.
#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a failed call is a failed test, and says which"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::TimeDelta;
use quota_core::amount::{AMOUNT_MAX, COUNT_MAX, Limit};
use quota_core::balance::{Balance, Bucket};
use quota_core::home::Account;
use quota_core::ids::{AccountId, GrantId, OrgId, TokenId};
use quota_core::ports::CachedHome;
use quota_core::terms::{Override, Policy, Token};
use rand::RngExt;

use crate::fixtures::{account, balance, feature, instant, org, user};

/// Versions that a race goes through.
const RACE_VERSIONS: u64 = 600;
/// Tasks that store, and as many that read.
const RACE_TASKS: u64 = 4;

/// A cache under test.
pub type Cache = Arc<dyn quota_core::ports::Cache>;

/// Runs every promise of the caches as a test of its own.
///
/// `$open` is an async function that gives an empty `Arc<dyn Cache>` and something that is kept until the test has
/// ended:
///
/// ```ignore
/// async fn open() -> (Arc<dyn Cache>, ()) { .. }
/// testkit::conformance_cache!(open);
/// ```
#[macro_export]
macro_rules! conformance_cache {
    ($open:path) => {
        $crate::conformance_cache! { $open:
            it_answers_and_has_a_name
            an_unknown_account_is_a_miss
            an_entry_comes_back_as_it_was_put
            an_entry_belongs_to_its_home
            an_account_that_moves_is_found_in_its_new_home
            an_older_version_never_replaces_a_newer_one
            a_newer_version_replaces_an_older_one
            an_advance_hides_older_entries_at_once
            an_advance_to_its_own_version_keeps_an_entry
            an_older_advance_changes_nothing
            what_is_older_than_was_heard_of_is_not_given
            after_an_advance_the_new_version_is_stored
            an_entry_tells_of_its_homes_version
            other_homes_are_left_alone
            hundreds_of_homes_advance_at_once
            versions_are_exact_at_both_ends
            nobody_gets_less_than_was_heard_of
        }
    };
    ($open:path: $($name:ident)+) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let (cache, _kept) = $open().await;
                $crate::conformance::cache::$name(cache).await;
            }
        )+
    };
}

/// An entry whose account has used as many units as its version: entries tell themselves apart.
pub fn cached(home: &AccountId, account_id: &AccountId, version: u64) -> Arc<CachedHome> {
    Arc::new(CachedHome {
        home: home.clone(),
        version,
        hold_before: None,
        account: account_id.clone(),
        user: account(version),
        org: None,
    })
}

async fn put(cache: &Cache, entry: &Arc<CachedHome>) {
    cache.put(Arc::clone(entry)).await.expect("put");
}

async fn get(cache: &Cache, home: &AccountId, account: &AccountId) -> Option<Arc<CachedHome>> {
    cache.get(home, account).await.expect("get")
}

async fn advance(cache: &Cache, home: &AccountId, version: u64) {
    let homes = [(home.clone(), version)];
    cache.advance(&homes, false).await.expect("advance");
}

async fn assert_found(cache: &Cache, entry: &Arc<CachedHome>) {
    let found = get(cache, &entry.home, &entry.account).await;
    assert_eq!(found.as_ref(), Some(entry));
}

/// It answers a ping and has a name for metrics.
pub async fn it_answers_and_has_a_name(cache: Cache) {
    cache.ping().await.expect("ping");
    assert!(!cache.name().is_empty());
}

/// What was never stored is a miss, also in a home with other accounts.
pub async fn an_unknown_account_is_a_miss(cache: Cache) {
    let (acme, bob) = (org("acme"), user("bob"));
    assert_eq!(get(&cache, &acme, &bob).await, None);
    put(&cache, &cached(&acme, &user("ann"), 3)).await;
    assert_eq!(get(&cache, &acme, &bob).await, None);
}

/// An account with values at their limits, and texts that break what is not escaped.
pub fn odd_account() -> Account {
    let odd = "it's \"odd\" \\ \n % {} ; 🦀 e\u{301} 数";
    let instant_before_1970 = instant(-3_000_000_000) + TimeDelta::microseconds(123_457);
    let mut odd_one = account(COUNT_MAX);
    odd_one.terms.created_at = instant_before_1970;
    odd_one.terms.time_zone = "America/Argentina/Buenos_Aires".parse().expect("a zone");
    odd_one.terms.org = Some(OrgId::new("o'r\"g:{1} ü").expect("an org id"));
    odd_one.terms.policy = Policy::Track;
    odd_one.terms.overrides.insert(
        feature("f.1-a_b"),
        Override {
            limit: Limit::Unlimited,
            expires_at: Some(instant_before_1970),
            reason: Some(odd.to_owned()),
            actor: None,
        },
    );
    odd_one.terms.tokens.insert(
        TokenId::new("t'\"{}").expect("a token id"),
        Token {
            cap: Limit::Of(AMOUNT_MAX),
            per: None,
            made_at: None,
            expires_at: None,
            revoked_at: Some(instant_before_1970),
        },
    );
    let grant = GrantId::new("pack:1 — \"x\"").expect("a grant id");
    odd_one.books.balances.push(Balance {
        held: COUNT_MAX - 1,
        overage: COUNT_MAX,
        ends_at: Some(instant(9)),
        priority: u32::MAX,
        reset_sequence: COUNT_MAX,
        moved_to: Some(Bucket::Tracked(feature("f0"), i64::MIN)),
        ..balance(Bucket::Grant(grant.clone()), AMOUNT_MAX, COUNT_MAX)
    });
    odd_one.books.lifetime = [(feature("f0"), COUNT_MAX)].into();
    odd_one.books.closed_grants = [grant].into();
    odd_one
}

/// Every field comes back, odd values and odd names too.
pub async fn an_entry_comes_back_as_it_was_put(cache: Cache) {
    for (home, name) in [
        ("}a{b}:v", "x}:a:y"),
        ("%7B\u{2028}x", "🦀 {acme}"),
        ("o", "u"),
    ] {
        let entry = Arc::new(CachedHome {
            home: org(home),
            version: 3,
            hold_before: Some(instant(7) + TimeDelta::microseconds(1)),
            account: user(name),
            user: odd_account(),
            org: Some(odd_account()),
        });
        put(&cache, &entry).await;
        assert_found(&cache, &entry).await;
    }
}

/// An entry is not found under a home that it does not live in.
pub async fn an_entry_belongs_to_its_home(cache: Cache) {
    let (acme, bob) = (org("acme"), user("bob"));
    put(&cache, &cached(&bob, &bob, 9)).await;
    assert_eq!(get(&cache, &acme, &bob).await, None);
}

/// Versions of two homes say nothing about each other.
pub async fn an_account_that_moves_is_found_in_its_new_home(cache: Cache) {
    let (acme, bob) = (org("acme"), user("bob"));
    put(&cache, &cached(&bob, &bob, 9)).await;
    let moved = cached(&acme, &bob, 2);
    put(&cache, &moved).await;
    assert_found(&cache, &moved).await;
}

/// A `put` that comes late changes nothing.
pub async fn an_older_version_never_replaces_a_newer_one(cache: Cache) {
    let bob = user("bob");
    let newer = cached(&bob, &bob, 5);
    put(&cache, &newer).await;
    put(&cache, &cached(&bob, &bob, 4)).await;
    assert_found(&cache, &newer).await;
}

/// A `put` of a newer version counts at once.
pub async fn a_newer_version_replaces_an_older_one(cache: Cache) {
    let bob = user("bob");
    put(&cache, &cached(&bob, &bob, 9)).await;
    let newer = cached(&bob, &bob, 10);
    put(&cache, &newer).await;
    assert_found(&cache, &newer).await;
}

/// When `advance` has returned, nothing older is given, urgent or not.
pub async fn an_advance_hides_older_entries_at_once(cache: Cache) {
    for (name, is_urgent) in [("ann", true), ("bob", false)] {
        let name = user(name);
        put(&cache, &cached(&name, &name, 5)).await;
        let homes = [(name.clone(), 6)];
        cache.advance(&homes, is_urgent).await.expect("advance");
        assert_eq!(get(&cache, &name, &name).await, None);
    }
}

/// What is known already hides nothing.
pub async fn an_advance_to_its_own_version_keeps_an_entry(cache: Cache) {
    let bob = user("bob");
    let entry = cached(&bob, &bob, 5);
    put(&cache, &entry).await;
    advance(&cache, &bob, 5).await;
    assert_found(&cache, &entry).await;
}

/// Versions that are heard late do not lower what was heard of.
pub async fn an_older_advance_changes_nothing(cache: Cache) {
    let bob = user("bob");
    advance(&cache, &bob, 7).await;
    advance(&cache, &bob, 3).await;
    put(&cache, &cached(&bob, &bob, 6)).await;
    assert_eq!(get(&cache, &bob, &bob).await, None);
}

/// A read from before an `advance` is stored in vain.
pub async fn what_is_older_than_was_heard_of_is_not_given(cache: Cache) {
    let bob = user("bob");
    assert_eq!(get(&cache, &bob, &bob).await, None);
    advance(&cache, &bob, 6).await;
    put(&cache, &cached(&bob, &bob, 5)).await;
    assert_eq!(get(&cache, &bob, &bob).await, None);
}

/// After an `advance` the version that it told is stored and given.
pub async fn after_an_advance_the_new_version_is_stored(cache: Cache) {
    let bob = user("bob");
    put(&cache, &cached(&bob, &bob, 5)).await;
    advance(&cache, &bob, 6).await;
    let newer = cached(&bob, &bob, 6);
    put(&cache, &newer).await;
    assert_found(&cache, &newer).await;
}

/// An entry of one member tells that the home has its version: older ones of other members count no more.
pub async fn an_entry_tells_of_its_homes_version(cache: Cache) {
    let (acme, ann, bob) = (org("acme"), user("ann"), user("bob"));
    put(&cache, &cached(&acme, &ann, 5)).await;
    let newer = cached(&acme, &bob, 6);
    put(&cache, &newer).await;
    assert_eq!(get(&cache, &acme, &ann).await, None);
    assert_found(&cache, &newer).await;
}

/// One home's version says nothing about another one.
pub async fn other_homes_are_left_alone(cache: Cache) {
    let (ann, bob) = (user("ann"), user("bob"));
    let entry = cached(&ann, &ann, 5);
    put(&cache, &entry).await;
    advance(&cache, &bob, 9).await;
    assert_found(&cache, &entry).await;
}

/// A whole batch is told at once, urgent or not.
pub async fn hundreds_of_homes_advance_at_once(cache: Cache) {
    let homes: Vec<AccountId> = (0..512).map(|number| user(&format!("u{number}"))).collect();
    for (version, is_urgent) in [(2, false), (4, true)] {
        for home in homes.iter().step_by(64) {
            put(&cache, &cached(home, home, version - 1)).await;
        }
        let told: Vec<(AccountId, u64)> =
            homes.iter().map(|home| (home.clone(), version)).collect();
        cache.advance(&told, is_urgent).await.expect("advance");
        for home in &homes {
            assert_eq!(get(&cache, home, home).await, None);
        }
    }
}

/// Neighbours are told apart at 0, above 2^53 and at the largest version.
pub async fn versions_are_exact_at_both_ends(cache: Cache) {
    let odd_ones = [0, 9, (1 << 53) + 1, u64::MAX - 1];
    for version in odd_ones {
        let name = user(&format!("u{version}"));
        let entry = cached(&name, &name, version);
        put(&cache, &entry).await;
        assert_found(&cache, &entry).await;
        advance(&cache, &name, version + 1).await;
        assert_eq!(get(&cache, &name, &name).await, None);
        put(&cache, &entry).await;
        assert_eq!(get(&cache, &name, &name).await, None);
        let newer = cached(&name, &name, version + 1);
        put(&cache, &newer).await;
        assert_found(&cache, &newer).await;
    }
}

/// However stores, advances and reads run into each other: whoever has heard of a version gets nothing older.
pub async fn nobody_gets_less_than_was_heard_of(cache: Cache) {
    let heard = Arc::new(AtomicU64::new(0));
    let mut tasks = Vec::new();
    for number in 0..RACE_TASKS {
        tasks.push(tokio::spawn(race_to_put(
            Arc::clone(&cache),
            Arc::clone(&heard),
            number,
        )));
        tasks.push(tokio::spawn(race_to_get(
            Arc::clone(&cache),
            Arc::clone(&heard),
            number,
        )));
    }
    for version in 1..=RACE_VERSIONS {
        advance(&cache, &org("acme"), version).await;
        heard.store(version, Ordering::SeqCst);
        tokio::task::yield_now().await;
    }
    for task in tasks {
        task.await.expect("no task panics");
    }
}

async fn race_to_put(cache: Cache, heard: Arc<AtomicU64>, number: u64) {
    let (acme, member) = (org("acme"), user(&format!("u{}", number % 2)));
    loop {
        let now = heard.load(Ordering::SeqCst);
        let version = now.saturating_sub(rand::rng().random_range(0..3));
        put(&cache, &cached(&acme, &member, version)).await;
        tokio::task::yield_now().await;
        if now == RACE_VERSIONS {
            return;
        }
    }
}

async fn race_to_get(cache: Cache, heard: Arc<AtomicU64>, number: u64) {
    let (acme, member) = (org("acme"), user(&format!("u{}", number % 2)));
    loop {
        let known = heard.load(Ordering::SeqCst);
        if let Some(entry) = get(&cache, &acme, &member).await {
            let version = entry.version;
            assert!(version >= known, "got {version} after {known} was heard of");
            assert_eq!(entry, cached(&acme, &member, version));
        }
        tokio::task::yield_now().await;
        if known == RACE_VERSIONS {
            return;
        }
    }
}
