//! A process that writes to the file and is killed, again and again.
#![expect(clippy::expect_used, reason = "a call that fails is a failed test")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use quota_core::ids::AccountId;
use quota_core::ports::Storage;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Row};
use storage_sqlite::{SqliteSettings, SqliteStore};
use tempfile::TempDir;
use testkit::races::{Aftermath, Arena, Load};

const KILLS: u32 = 10;
/// Answers before each kill.
const ANSWERS: usize = 60;
/// Set for the process that writes: the file, and how far each account is.
const FILE: &str = "QUOTA_KILLED_FILE";
const NUMBERS: &str = "QUOTA_KILLED_NUMBERS";
/// What its lines about answers begin with; the test runner writes to the same pipe.
const MARK: &str = "answered ";

type Numbers = BTreeMap<AccountId, u64>;

async fn open(file: &Path) -> Arc<dyn Storage> {
    let store = SqliteStore::open(file, &SqliteSettings::patient()).await;
    Arc::new(store.expect("opens"))
}

fn to_text(numbers: &Numbers) -> String {
    serde_json::to_string(numbers).expect("is text")
}

/// The process that is killed: says on its output what was answered, until it is no more.
async fn write_on(file: PathBuf) {
    let numbers = std::env::var(NUMBERS).expect("the numbers are set");
    let numbers: Numbers = serde_json::from_str(&numbers).expect("numbers");
    let arena = Arena::open(open(&file).await, 1).await;
    let load = Load::start(&arena.engines, &numbers, |(account, number)| {
        let line = format!("\n{MARK}{account} {number}\n");
        let mut output = std::io::stdout().lock();
        let written = output
            .write_all(line.as_bytes())
            .and_then(|()| output.flush());
        written.expect("somebody reads");
    });
    std::future::pending::<()>().await;
    drop(load);
}

/// Runs this test as another process, kills it in the middle of its work, and takes down what it said until then.
fn run_and_kill(test: &str, file: &Path, numbers: &mut Numbers) {
    let program = std::env::current_exe().expect("this test has a file");
    let mut child = Command::new(program)
        .args(["--exact", test, "--nocapture"])
        .env(FILE, file)
        .env(NUMBERS, to_text(numbers))
        .stdout(Stdio::piped())
        .spawn()
        .expect("starts");
    let output = BufReader::new(child.stdout.take().expect("is piped"));
    let mut answers = 0;
    for line in output.lines() {
        let line = line.expect("is text");
        let Some((account, number)) = line
            .strip_prefix(MARK)
            .and_then(|said| said.split_once(' '))
        else {
            continue;
        };
        let account = AccountId::parse(account).expect("an account");
        let number: u64 = number.parse().expect("a number");
        numbers.insert(account, number + 1);
        answers += 1;
        if answers == ANSWERS {
            child.kill().expect("is killed");
        }
    }
    child.wait().expect("has ended");
    assert!(answers >= ANSWERS, "it ended by itself after {answers}");
}

async fn integrity(file: &Path) -> String {
    let connection = SqliteConnectOptions::new().filename(file).connect().await;
    let mut connection = connection.expect("connects");
    let checked = sqlx::query("pragma integrity_check").fetch_one(&mut connection);
    checked.await.expect("is checked").get(0)
}

/// I7, I8: `kill -9` of a process that writes, ten times: the file is whole, everything that was answered is in it,
/// nothing twice although the next process asks again for what was open, and the auditor finds nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_killed_ten_times_loses_and_doubles_nothing() {
    if let Some(file) = std::env::var_os(FILE) {
        return write_on(file.into()).await;
    }
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("quota.db");
    let arena = Arena::open(open(&file).await, 1).await;
    let mut numbers = arena.cast().await;
    arena.close().await;
    for _ in 0..KILLS {
        let test = "a_process_killed_ten_times_loses_and_doubles_nothing";
        tokio::task::block_in_place(|| run_and_kill(test, &file, &mut numbers));
        assert_eq!(integrity(&file).await, "ok");
        let after = Aftermath::of(open(&file).await.as_ref()).await;
        after.has_each_once(&numbers);
    }
}
