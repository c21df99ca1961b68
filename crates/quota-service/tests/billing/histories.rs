//! Random histories of payments and of what is done with the credits, beside [the rules alone](crate::model), over every store: P1, P2,
//! P8 to P11, P15, P20, P22, R1 to R6.

use std::sync::Arc;

use storage_pg::PgStore;
use storage_sqlite::{SqliteSettings, SqliteStore};
use testkit::memory::MemoryStore;

use crate::history::History;
use crate::shop::{Shop, Stored};

/// Half as many as there are histories in memory, unless `PROPTEST_CASES` asks for more; with the 4,000 of `just test-long` there are
/// 10,000 in all.
const CASES: u64 = 200;
/// Histories on a database, at least.
const ON_DATABASE: u64 = 100;
/// Each store has so many tests, which run side by side.
const TESTS: u64 = 4;
const STEPS: usize = 28;
/// Histories that one shop sees, one after another: in memory a shop costs nothing, and the older one is, the slower it is.
const IN_ONE_SHOP: usize = 25;
const IN_ONE_MEMORY: usize = 5;

/// Which histories one of four tests of a store has: their seeds. They begin elsewhere with each `PROPTEST_RNG_SEED`.
fn seeds(cases_of: fn(u64) -> u64, (store, test): (u64, u64)) -> Vec<u64> {
    let said = |name: &str| {
        let said = std::env::var(name).ok();
        said.map(|said| said.parse::<u64>().expect("a number"))
    };
    let cases = said("PROPTEST_CASES").unwrap_or(0).max(CASES);
    let begin = said("PROPTEST_RNG_SEED").unwrap_or(0);
    let first = (begin * 10 + store) * 1_000_000 + test;
    let count = cases_of(cases).div_ceil(TESTS);
    (0..count).map(|number| first + TESTS * number).collect()
}

/// A history, with everything told at its end, in any order and often.
async fn history<S: Stored>(shop: &Shop<S>, seed: u64) {
    let mut history = History::new(shop, seed).await;
    for step in 0..STEPS {
        history.step().await;
        let told = format!("{seed}, step {step}");
        history.is_as_the_model(&told).await;
    }
    let told = format!("{seed}, at the end");
    history.top_ups_have_ended(&told).await;
    history.tell_all_again().await;
    history.is_as_the_model(&told).await;
    assert!(history.all_is_credited(), "{told}");
    history.is_in_the_books(&told).await;
}

async fn histories<S: Stored>(shop: Shop<S>, seeds: &[u64]) {
    for seed in seeds {
        history(&shop, *seed).await;
    }
    shop.engine.stop().await;
}

async fn in_memory(test: u64) {
    let seeds = seeds(|cases| cases * 2, (0, test));
    for seeds in seeds.chunks(IN_ONE_MEMORY) {
        let store = Arc::new(MemoryStore::new());
        histories(Shop::open_over(store).await, seeds).await;
    }
}

async fn on_sqlite(test: u64) {
    let seeds = seeds(|cases| ON_DATABASE.max(cases / 4), (1, test));
    for seeds in seeds.chunks(IN_ONE_SHOP) {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("quota.db");
        let store = SqliteStore::open(file, &SqliteSettings::patient()).await;
        let store = Arc::new(store.expect("opens"));
        histories(Shop::open_over(store).await, seeds).await;
    }
}

async fn on_postgresql(test: u64) {
    let seeds = seeds(|cases| ON_DATABASE.max(cases / 4), (2, test));
    for seeds in seeds.chunks(IN_ONE_SHOP) {
        let url = tokio::task::spawn_blocking(|| testkit::pg::fresh_database("histories"));
        let url = url.await.expect("a database");
        let direct = testkit::pg::direct_url(&url);
        storage_pg::migrate(&direct).await.expect("migrates");
        let store = PgStore::connect(&url, storage_pg::Settings::patient()).await;
        let store = Arc::new(store.expect("connects"));
        histories(Shop::open_over(store).await, seeds).await;
    }
}

/// P1, P2, P9 to P11, P20, P22: what an account has of its credits is what the facts leave of them, whatever was told when: none is
/// created, lost or doubled.
macro_rules! histories_are_as_the_rules_say {
    ($($store:ident = $run:ident,)+) => { $(
        mod $store {
            #[tokio::test]
            async fn random_histories_are_as_the_rules_say() {
                super::$run(0).await;
            }

            #[tokio::test]
            async fn more_random_histories_are_as_the_rules_say() {
                super::$run(1).await;
            }

            #[tokio::test]
            async fn other_random_histories_are_as_the_rules_say() {
                super::$run(2).await;
            }

            #[tokio::test]
            async fn further_random_histories_are_as_the_rules_say() {
                super::$run(3).await;
            }
        }
    )+ };
}

histories_are_as_the_rules_say! {
    memory = in_memory,
    sqlite = on_sqlite,
    pg = on_postgresql,
}
