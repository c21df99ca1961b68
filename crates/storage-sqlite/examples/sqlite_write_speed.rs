//! How fast batches are loaded and written on Linux: `cargo run --release -p storage-sqlite --example sqlite_write_speed [folder]`.
#![expect(clippy::expect_used, reason = "a measurement that fails says where")]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use quota_core::balance::Bucket;
use quota_core::ports::{HomeWrite, LoadQuery, Store, WriteBatch};
use storage_sqlite::{SqliteSettings, SqliteStore};
use tempfile::TempDir;
use testkit::fixtures::{
    balance, batch, feature, first_write, home_query, instant, key, key_of, load_query, next_id,
    next_write, user,
};

const HOMES: u64 = 10_000;
/// Loads of each size: writes go on without, as they do in an engine that keeps its homes.
const LOADS: usize = 100;
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
    println!("batch | load: ms, us CPU/op | write: ms, p99 ms, us CPU/op, bytes/op");
    for size in [1, 16, 64, 128, 256, 512] {
        measure(&store, &mut versions, size).await;
    }
}

fn home(number: u64) -> quota_core::ids::AccountId {
    user(&format!("customer-{number:06}"))
}

/// Time of all threads on a processor.
fn cpu() -> Duration {
    let tasks = std::fs::read_dir("/proc/self/task").expect("works");
    let nanos = tasks.map(|task| {
        let times = std::fs::read_to_string(task.expect("works").path().join("schedstat"));
        let times = times.unwrap_or_default();
        let first = times.split(' ').next().and_then(|on| on.parse().ok());
        first.unwrap_or(0)
    });
    Duration::from_nanos(nanos.sum())
}

/// What this process has asked to have written.
fn bytes_written() -> u64 {
    let all = std::fs::read_to_string("/proc/self/io").expect("works");
    let line = all.lines().find_map(|line| line.strip_prefix("wchar: "));
    line.and_then(|bytes| bytes.parse().ok()).unwrap_or(0)
}

async fn measure(store: &SqliteStore, versions: &mut [u64], size: usize) {
    let (mut loads, mut writes) = (Spent::default(), Spent::default());
    let mut next = 0;
    let began = Instant::now();
    while began.elapsed() < SECONDS_EACH {
        let numbers: Vec<usize> = (0..size)
            .map(|_| {
                next = (next + 7_919) % versions.len();
                next
            })
            .collect();
        let (query, write) = requests(&numbers, versions);
        if loads.walls.len() < LOADS {
            let at = Mark::now();
            let loaded = store.load(&query).await.expect("works");
            loads.add(&at);
            assert_eq!(loaded.homes.len(), size, "every home comes");
        }
        let at = Mark::now();
        let passed = store.write(&write).await.expect("works");
        writes.add(&at);
        assert_eq!(passed.len(), size, "every home passes");
        for number in numbers {
            versions[number] += 1;
        }
    }
    println!(
        "{size:5} | {:7.3} {:6.1} | {:7.3} {:7.3} {:6.1} {:7.0}",
        loads.wall_ms(),
        loads.cpu_micros(size),
        writes.wall_ms(),
        writes.p99_ms(),
        writes.cpu_micros(size),
        writes.bytes(size),
    );
}

struct Mark(Instant, Duration, u64);

impl Mark {
    fn now() -> Self {
        let (cpu, bytes) = (cpu(), bytes_written());
        Self(Instant::now(), cpu, bytes)
    }
}

#[derive(Default)]
struct Spent {
    walls: Vec<Duration>,
    cpu: Duration,
    bytes: u64,
}

impl Spent {
    fn add(&mut self, since: &Mark) {
        self.walls.push(since.0.elapsed());
        self.cpu += cpu().saturating_sub(since.1);
        self.bytes += bytes_written() - since.2;
    }

    fn operations(&self, size: usize) -> f64 {
        let operations = u32::try_from(self.walls.len() * size).expect("works");
        f64::from(operations)
    }

    fn wall_ms(&self) -> f64 {
        let all = self.walls.iter().sum::<Duration>();
        all.as_secs_f64() * 1e3 / self.operations(1)
    }

    fn p99_ms(&mut self) -> f64 {
        self.walls.sort();
        self.walls[self.walls.len() * 99 / 100].as_secs_f64() * 1e3
    }

    fn cpu_micros(&self, size: usize) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.operations(size)
    }

    fn bytes(&self, size: usize) -> f64 {
        let kibibytes = u32::try_from(self.bytes / 1024).expect("works");
        f64::from(kibibytes) * 1024.0 / self.operations(size)
    }
}

/// One consumption with a key on each home: a key to look for, one account with three balances, one operation.
fn requests(numbers: &[usize], versions: &[u64]) -> (LoadQuery, WriteBatch) {
    let (mut queries, mut writes) = (Vec::new(), Vec::new());
    for number in numbers {
        let id = home(u64::try_from(*number).expect("works"));
        let name = next_id().to_string();
        let mut query = home_query(&id);
        query.keys = vec![key_of(&id, &name)];
        let mut write = next_write(&id, versions[*number]);
        Arc::make_mut(&mut write.operations[0]).key = Some(key(&name));
        write.accounts[0].has_new_terms = false;
        write.unseen_keys.clone_from(&query.keys);
        let account = std::sync::Arc::make_mut(&mut write.accounts[0].account);
        let balances = &mut account.books.balances;
        balances.push(balance(Bucket::Trial(feature("articles")), 1_000, 10));
        let window = Bucket::Window(feature("articles"), 1_767_225_600_000_000);
        let mut window = balance(window, 1_000, versions[*number]);
        window.ends_at = Some(instant(2_592_000));
        balances.push(window);
        queries.push(query);
        writes.push(write);
    }
    (load_query(queries), batch(writes))
}
