//! A SQLite file with users whose subscriptions have ended, and the built worker over it.
#![expect(
    clippy::expect_used,
    reason = "an installation that does not stand must stop the test"
)]

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, Output, Stdio};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use quota_core::command::{
    AccountSpec, Command as Ordered, Presence, PutAccount, Reserve, Subscribe,
};
use quota_core::ids::PlanCode;
use quota_core::origin::Origin;
use quota_core::ports::FixedClock;
use quota_service::{Ask, Engine, EngineParts, EngineSettings, NoCache, TimeIds};
use storage_sqlite::{SqliteSettings, SqliteStore};
use tempfile::TempDir;
use testkit::fixtures::{feature, user};

/// A folder with a SQLite file.
pub struct Installation {
    folder: TempDir,
}

impl Installation {
    /// Some users of the image platform: subscribed long ago for a month, with a hold that ran out.
    pub async fn with_users(users: usize) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let installation = Self { folder };
        let store = installation.store().await;
        let long_ago: DateTime<Utc> = "2025-03-10T12:00:00Z".parse().expect("an instant");
        let parts = EngineParts {
            storage: Arc::new(store.clone()),
            cache: Arc::new(NoCache),
            clock: Arc::new(FixedClock::at(long_ago)),
            ids: Arc::new(TimeIds),
        };
        let engine = Engine::start(parts, EngineSettings::patient()).await;
        let engine = engine.expect("the engine starts");
        let file = include_str!("../../../../crates/quota-core/catalogs/image-platform.toml");
        let file = toml::from_str(file).expect("the catalog parses");
        let applied = engine.apply_catalog(&file, None).await;
        applied.expect("the catalog is applied");
        for number in 0..users {
            for command in commands() {
                let ask = Ask {
                    account: user(&format!("u{number}")),
                    key: None,
                    command,
                    origin: Origin::default(),
                };
                engine.submit(ask).await.expect("an answer");
            }
        }
        engine.stop().await;
        store.close().await;
        installation
    }

    pub async fn store(&self) -> SqliteStore {
        let store = SqliteStore::open(&self.file(), &SqliteSettings::patient()).await;
        store.expect("the file opens")
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("quota.db")
    }

    /// The worker over the file, with nothing of this process's environment that it reads.
    pub fn worker(&self, args: &[&str]) -> Command {
        let mut command = worker(args);
        command.env("QUOTA_SQLITE_FILE", self.file());
        command
    }
}

fn commands() -> [Ordered; 3] {
    let subscribe = Ordered::Subscribe(Subscribe::to(PlanCode::new("image_pro").expect("a plan")));
    let create = Ordered::PutAccount(PutAccount {
        presence: Presence::New,
        spec: AccountSpec::default(),
    });
    let reserve = Ordered::Reserve(Reserve {
        token: None,
        feature: feature("ai_request"),
        amount: quota_core::amount::Amount::new(5).expect("an amount"),
        ttl_seconds: 60,
    });
    [create, subscribe, reserve]
}

/// The built worker.
pub fn worker(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_worker"));
    command.env_clear().args(args);
    command
}

/// Runs the worker to its end: exit code, standard output, standard error.
pub fn ended(command: &mut Command) -> (Option<i32>, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().expect("the worker runs");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (status.code(), text(stdout), text(stderr))
}

/// A worker that runs, and the lines that it logs.
pub struct Running {
    child: Child,
    lines: BufReader<ChildStderr>,
}

impl Running {
    pub fn start(mut command: Command) -> Self {
        let child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn();
        let mut child = child.expect("the worker starts");
        let lines = BufReader::new(child.stderr.take().expect("a pipe"));
        Self { child, lines }
    }

    /// Reads the log up to a line that holds all the parts, and gives that line.
    pub fn line_with(&mut self, parts: &[&str]) -> String {
        let mut read = String::new();
        loop {
            let mut line = String::new();
            let bytes = self.lines.read_line(&mut line).expect("a line");
            assert_ne!(bytes, 0, "the log ended without {parts:?}:\n{read}");
            if parts.iter().all(|part| line.contains(part)) {
                return line;
            }
            read.push_str(&line);
        }
    }

    /// Sends SIGTERM and gives the exit code.
    pub fn terminate(mut self) -> Option<i32> {
        let kill = format!("kill -TERM {}", self.child.id());
        let sent = Command::new("sh").args(["-c", &kill]).status();
        assert!(sent.expect("a shell").success(), "the signal is sent");
        self.line_with(&["the worker has stopped"]);
        self.child.wait().expect("it ends").code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // After a failed assertion; one that has ended already cannot be killed, and need not.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
