//! The built programs, as children of this one.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::error::{BenchError, other};

/// Longest wait for the server to listen.
const START_MAX: Duration = Duration::from_secs(20);
/// Between two looks at a program.
const LOOK: Duration = Duration::from_millis(50);
/// What webhooks are signed with.
pub const SECRET: &str = "whsec_bench";

/// What a program is started with.
#[derive(Debug, Clone, Copy)]
pub struct Launch<'a> {
    /// The database.
    pub database: &'a str,
    /// Redis, if there is one.
    pub redis: Option<&'a str>,
    /// Queues of the engine.
    pub shards: usize,
    /// Where Stripe is, if it is connected.
    pub stripe: Option<&'a str>,
}

impl Launch<'_> {
    fn command(&self, program: &str) -> Result<Command, BenchError> {
        let mut command = Command::new(beside_us(program)?);
        command
            .env("DATABASE_URL", self.database)
            .env("QUOTA_LOG_LEVEL", "warn")
            .env("QUOTA_SHARDS", self.shards.to_string())
            .stdout(Stdio::null());
        if let Some(redis) = self.redis {
            command.env("REDIS_URL", redis);
        }
        if let Some(stripe) = self.stripe {
            command
                .env("STRIPE_API_BASE", stripe)
                .env("STRIPE_API_KEY", "sk_test_12345")
                .env("STRIPE_WEBHOOK_SECRET", SECRET)
                .env("STRIPE_CALLS_PER_SECOND", "100");
        }
        Ok(command)
    }

    /// Runs a program to its end; how long it took, and the most memory that it had, in bytes.
    pub fn run(&self, program: &str, arguments: &[&str]) -> Result<(Duration, u64), BenchError> {
        let begun = Instant::now();
        let mut child = self
            .command(program)?
            .args(arguments)
            .spawn()
            .map_err(other)?;
        let mut peak = 0;
        loop {
            peak = peak_of(child.id()).max(peak);
            if let Some(ended) = child.try_wait().map_err(other)? {
                if ended.success() {
                    return Ok((begun.elapsed(), peak));
                }
                let said = format!("{program} {arguments:?}: {ended}");
                return Err(BenchError::Failed(said));
            }
            std::thread::sleep(LOOK);
        }
    }
}

/// The api binary, killed when it is dropped.
pub struct Api {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Drop for Api {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Api {
    /// Starts it on a free port, and waits until it listens.
    pub fn start(launch: &Launch<'_>) -> Result<Self, BenchError> {
        let free = std::net::TcpListener::bind("127.0.0.1:0").map_err(other)?;
        let address = free.local_addr().map_err(other)?;
        drop(free);
        let mut command = launch.command("api")?;
        command
            .args(["serve", "--jobs", "off"])
            .env("QUOTA_LISTEN", address.to_string());
        let child = command.spawn().map_err(other)?;
        let api = Self { child, address };
        let until = Instant::now() + START_MAX;
        while std::net::TcpStream::connect(address).is_err() {
            if until < Instant::now() {
                return Err(BenchError::Failed("the api does not listen".to_owned()));
            }
            std::thread::sleep(LOOK);
        }
        Ok(api)
    }

    /// Its resident memory, in bytes.
    pub fn resident(&self) -> u64 {
        crate::machine::resident(self.child.id())
    }
}

fn beside_us(program: &str) -> Result<PathBuf, BenchError> {
    let own = std::env::current_exe().map_err(other)?;
    let program = own.with_file_name(program);
    if program.exists() {
        return Ok(program);
    }
    let missing = format!("{} is not built", program.display());
    Err(BenchError::Failed(missing))
}

/// The most memory that a process had so far, in bytes; 0 once it is gone.
fn peak_of(id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|rest| rest.split_whitespace().next());
    kib.and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) * 1024
}
