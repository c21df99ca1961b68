//! How fast batches are loaded and written: `cargo run --release -p storage-sqlite --example write_speed [folder]`.
#![expect(clippy::expect_used, reason = "a measurement that fails says where")]

use std::path::PathBuf;
use std::time::{Duration, Instant};

use quota_core::balance::Bucket;
use quota_core::ports::{HomeWrite, LoadQuery, Store, WriteBatch};
use storage_sqlite::{SqliteSettings, SqliteStore};
use tempfile::TempDir;
use testkit::fixtures::{
    balance, batch, feature, first_write, home_query, instant, key, key_of, load_query, next_id,
    next_write, user,
};

const HOMES: u64 = 20_000;
const SECONDS_EACH: Duration = Duration::from_secs(4);

#[tokio::main]
async fn main() {
    let parent = std::env::args()
        .nth(1)
        .map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = TempDir::new_in(parent).expect("works");
    let file = folder.path().join("quota.db");
    let store = SqliteStore::open(&file, &SqliteSettings::default())
        .await
        .expect("works");
    let mut versions = vec![1; usize::try_from(HOMES).expect("works")];
    let first: Vec<HomeWrite> = (0..HOMES).map(|n| first_write(&home(n))).collect();
    let began = Instant::now();
    for chunk in first.chunks(512) {
        store.write(&batch(chunk.to_vec())).await.expect("works");
    }
    println!("{HOMES} homes created in {:?}", began.elapsed());
    println!("batch   load ms  write ms  p99 write  ops/s (one after the other)");
    for size in [1, 16, 64, 256, 512] {
        measure(&store, &mut versions, size).await;
    }
}

fn home(number: u64) -> quota_core::ids::AccountId {
    user(&format!("customer-{number:06}"))
}

async fn measure(store: &SqliteStore, versions: &mut [u64], size: usize) {
    let began = Instant::now();
    let (mut loads, mut writes) = (Vec::new(), Vec::new());
    let mut next = 0;
    while began.elapsed() < SECONDS_EACH {
        let numbers: Vec<usize> = (0..size)
            .map(|_| {
                next = (next + 7_919) % versions.len();
                next
            })
            .collect();
        let (query, write) = requests(&numbers, versions);
        let at = Instant::now();
        let loaded = store.load(&query).await.expect("works");
        loads.push(at.elapsed());
        assert_eq!(loaded.homes.len(), size, "every home comes");
        let at = Instant::now();
        let passed = store.write(&write).await.expect("works");
        writes.push(at.elapsed());
        assert_eq!(passed.len(), size, "every home passes");
        for number in numbers {
            versions[number] += 1;
        }
    }
    writes.sort();
    let batches = u32::try_from(writes.len()).expect("works");
    let load = loads.iter().sum::<Duration>() / batches;
    let write = writes.iter().sum::<Duration>() / batches;
    let p99 = writes[writes.len() * 99 / 100];
    let each = (load + write).as_secs_f64() / f64::from(u32::try_from(size).expect("works"));
    println!(
        "{size:5} {:9.3} {:9.3} {:10.3} {:12.0}",
        load.as_secs_f64() * 1e3,
        write.as_secs_f64() * 1e3,
        p99.as_secs_f64() * 1e3,
        1.0 / each
    );
}

/// One consumption with a key on each home: a key to look for, one account with three balances, one operation.
fn requests(numbers: &[usize], versions: &[u64]) -> (LoadQuery, WriteBatch) {
    let (mut queries, mut writes) = (Vec::new(), Vec::new());
    for number in numbers {
        let id = home(u64::try_from(*number).expect("works"));
        let name = next_id().to_string();
        let mut query = home_query(&id);
        query.keys = vec![key_of(&id, &name)];
        queries.push(query);
        let mut write = next_write(&id, versions[*number]);
        write.operations[0].key = Some(key(&name));
        let balances = &mut write.accounts[0].account.books.balances;
        balances.push(balance(testkit::fixtures::grant("pack-1"), 1_000, 10));
        let window = Bucket::Window(feature("articles"), 1_767_225_600_000_000);
        let mut window = balance(window, 1_000, versions[*number]);
        window.ends_at = Some(instant(2_592_000));
        balances.push(window);
        writes.push(write);
    }
    (load_query(queries), batch(writes))
}
