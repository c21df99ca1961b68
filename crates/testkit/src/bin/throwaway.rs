//! Runs a command beside a throw-away PostgreSQL and Redis, and removes both afterwards.

use std::fmt::Write as _;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};

use clap::{Args, Parser};
use testkit::ServerError;
use testkit::pg::{BENCH_SETTINGS, PgServer};
use testkit::redis::RedisServer;
use tokio::signal::unix::{SignalKind, signal};

/// Starts PostgreSQL and Redis on free ports in a temporary folder, sets `TEST_DATABASE_URL` (a
/// superuser's) and `TEST_REDIS_URL`, runs COMMAND, and removes all of it. Missing servers are
/// installed from Debian's packages when this runs as root.
#[derive(Parser)]
#[command(name = "throwaway")]
enum Throwaway {
    /// Servers for a test run
    Run(CommandLine),
    /// Servers for a benchmark: large buffers, and no checkpoint within a round
    BenchPg(CommandLine),
}

#[derive(Args)]
struct CommandLine {
    /// The command and its arguments, after `--`
    #[arg(last = true, required = true)]
    command: Vec<String>,
}

#[derive(Debug, thiserror::Error)]
enum RunError {
    #[error(transparent)]
    Server(#[from] ServerError),
    #[error("could not run `{command}`: {source}")]
    Command {
        command: String,
        source: std::io::Error,
    },
    #[error("could not listen for signals: {0}")]
    Signals(std::io::Error),
    #[error("missing: install with `apt-get install {packages}` (or run as root)")]
    Missing { packages: String },
    #[error("`apt-get {arguments}` failed: {output}")]
    Install { arguments: String, output: String },
}

#[tokio::main]
async fn main() -> ExitCode {
    let (settings, line): (&[_], _) = match Throwaway::parse() {
        Throwaway::Run(line) => (&[], line),
        Throwaway::BenchPg(line) => (&BENCH_SETTINGS, line),
    };
    match run(settings, &line.command).await {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("throwaway: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(settings: &[(&str, &str)], command: &[String]) -> Result<u8, RunError> {
    // Listened for from the start, so that a signal during the start removes the servers too.
    let mut interrupts = signal(SignalKind::interrupt()).map_err(RunError::Signals)?;
    let mut terminations = signal(SignalKind::terminate()).map_err(RunError::Signals)?;
    install_what_is_missing()?;
    let database = PgServer::start_with(settings)?;
    let redis = RedisServer::start()?;
    let child = start(command, &database, &redis)?;
    let group = child.id();
    let mut waiting = tokio::task::spawn_blocking(move || wait(child));
    let outcome = loop {
        tokio::select! {
            outcome = &mut waiting => break outcome,
            _ = interrupts.recv() => pass_on("INT", group),
            _ = terminations.recv() => pass_on("TERM", group),
        }
    };
    let status = outcome
        .map_err(std::io::Error::other)
        .and_then(|status| status);
    let status = status.map_err(|source| RunError::Command {
        command: command.join(" "),
        source,
    });
    Ok(code_of(status?))
}

fn wait(mut child: Child) -> std::io::Result<ExitStatus> {
    child.wait()
}

/// The command gets a process group, so that a signal reaches all that it started.
fn start(command: &[String], pg: &PgServer, redis: &RedisServer) -> Result<Child, RunError> {
    Command::new(&command[0])
        .args(&command[1..])
        .env("TEST_DATABASE_URL", pg.url("postgres"))
        .env("TEST_REDIS_URL", redis.url())
        .process_group(0)
        .spawn()
        .map_err(|source| RunError::Command {
            command: command.join(" "),
            source,
        })
}

/// A second signal goes to the command as well; `kill -9` here leaves the rest to the watchdogs.
fn pass_on(signal: &str, group: u32) {
    let line = format!("kill -s {signal} -- -{group}");
    drop(
        Command::new("sh")
            .args(["-c", &line])
            .stderr(Stdio::null())
            .status(),
    );
}

/// As a shell says it: 128 and the signal for a command that was ended by one.
fn code_of(status: ExitStatus) -> u8 {
    let code = status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

fn install_what_is_missing() -> Result<(), RunError> {
    let mut packages = String::new();
    for package in testkit::missing_packages() {
        let _ = write!(packages, " {package}");
    }
    let packages = packages.trim();
    if packages.is_empty() {
        return Ok(());
    }
    if !testkit::is_root() {
        return Err(RunError::Missing {
            packages: packages.to_owned(),
        });
    }
    eprintln!("throwaway: installing {packages}");
    apt_get("update -qq")?;
    let options = "-qq -o DPkg::Lock::Timeout=400 install -y --no-install-recommends";
    apt_get(&format!("{options} {packages}"))
}

fn apt_get(arguments: &str) -> Result<(), RunError> {
    let output = Command::new("apt-get")
        .args(arguments.split(' '))
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null())
        .output()
        .map_err(|source| RunError::Command {
            command: "apt-get".into(),
            source,
        })?;
    if output.status.success() {
        return Ok(());
    }
    let output = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(RunError::Install {
        arguments: arguments.to_owned(),
        output,
    })
}
