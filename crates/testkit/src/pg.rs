//! Throw-away PostgreSQL: one server for a test run, one database for each test.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use uuid::Uuid;

pub use crate::pg_client::{dump, restore, run_file, sql};

use crate::ServerError;
use crate::pg_client::{parts, version_folders, with_database};
use crate::pg_given;
use crate::process::{PORT_ATTEMPTS_MAX, ServerProcess, find_program, free_port, output_of};

/// PostgreSQL cuts names at 63 bytes; process, counter, separators and uuid take 51.
const NAME_BYTES_MAX: usize = 12;
/// For a test run: durable as in production, no socket file, no shared memory left behind.
const TEST_SETTINGS: [(&str, &str); 6] = [
    ("listen_addresses", "127.0.0.1"),
    ("unix_socket_directories", ""),
    ("dynamic_shared_memory_type", "mmap"),
    ("max_connections", "400"),
    ("checkpoint_timeout", "15min"),
    ("log_min_messages", "log"),
];
/// On top of the test settings for a benchmark: no checkpoint falls into a measured round.
pub const BENCH_SETTINGS: [(&str, &str); 2] = [("shared_buffers", "2GB"), ("max_wal_size", "8GB")];

static DATABASES: AtomicU64 = AtomicU64::new(0);

/// A PostgreSQL server in a temporary folder, on a port of its own; gone when dropped.
#[derive(Debug)]
pub struct PgServer {
    process: ServerProcess,
    programs: PathBuf,
    port: u16,
    settings: Vec<(String, String)>,
}

impl PgServer {
    /// Starts a server with fsync and everything else as in production.
    pub fn start() -> Result<Self, ServerError> {
        Self::start_with(&[])
    }

    /// Starts a server with more `settings`, as in `postgresql.conf`; they win over the usual ones.
    pub fn start_with(settings: &[(&str, &str)]) -> Result<Self, ServerError> {
        let programs = find_programs()?;
        let process = ServerProcess::prepare("postgres")?;
        let mut initdb = process.command(&programs.join("initdb"));
        initdb.args([
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
        ]);
        initdb.arg("-D").arg(process.data());
        output_of(initdb)?;
        let settings = TEST_SETTINGS.iter().chain(settings);
        let settings = settings
            .map(|(name, value)| ((*name).into(), (*value).into()))
            .collect();
        let mut server = Self {
            process,
            programs,
            port: 0,
            settings,
        };
        server.launch_on_a_free_port()?;
        Ok(server)
    }

    /// The port on 127.0.0.1; the same for the life of the server, restarts included.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder that holds everything of this server.
    pub fn folder(&self) -> &Path {
        self.process.folder()
    }

    /// The superuser's URL of a database.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// Makes a database whose name begins with `name`; returns its URL.
    pub fn create_database(&self, name: &str) -> Result<String, ServerError> {
        create_database(&self.url("postgres"), name)
    }

    /// Ends every process of the server at once, as a power cut would. See [`Self::restart`].
    pub fn kill_9(&mut self) -> Result<(), ServerError> {
        self.process.kill_9()
    }

    /// Starts again on the same port and data; a running server is ended first, as by a crash.
    pub fn restart(&mut self) -> Result<(), ServerError> {
        self.process.kill_9()?;
        self.launch()
    }

    /// Ends the server in order: it keeps its data and can be started by [`Self::restart`].
    pub fn stop(&mut self) -> Result<(), ServerError> {
        self.process.stop("INT")
    }

    fn launch_on_a_free_port(&mut self) -> Result<(), ServerError> {
        let mut outcome = Ok(());
        for _ in 0..PORT_ATTEMPTS_MAX {
            self.port = free_port()?;
            outcome = self.launch();
            if outcome.is_ok() {
                break;
            }
        }
        outcome
    }

    fn launch(&mut self) -> Result<(), ServerError> {
        let mut postgres = self.process.command(&self.programs.join("postgres"));
        postgres
            .arg("-D")
            .arg(self.process.data())
            .args(["-p", &self.port.to_string()]);
        for (name, value) in &self.settings {
            postgres.arg("-c").arg(format!("{name}={value}"));
        }
        self.process.spawn(postgres)?;
        self.process.wait_ready(says_ready)
    }
}

impl Drop for PgServer {
    fn drop(&mut self) {
        // Quick, but in order: a killed server would leave its shared memory segment behind.
        drop(self.process.stop("QUIT"));
    }
}

/// The URL of the run's server: `TEST_DATABASE_URL`, as `throwaway run` sets it, else a server that
/// this process starts now and that ends with it.
///
/// # Panics
///
/// When there is neither; the message says what to install.
pub fn shared_url() -> &'static str {
    static URL: OnceLock<String> = OnceLock::new();
    static SERVER: OnceLock<PgServer> = OnceLock::new();
    URL.get_or_init(|| {
        std::env::var("TEST_DATABASE_URL").unwrap_or_else(|_| match PgServer::start() {
            Ok(server) => SERVER.get_or_init(|| server).url("postgres"),
            Err(error) => panic!("no PostgreSQL for this test: {error}"),
        })
    })
}

/// Whether the run's server was given, rather than started for the run: it may be a cluster, where no database can be
/// copied.
pub fn is_given() -> bool {
    std::env::var_os("TEST_DIRECT_URL").is_some()
}

/// The same database without a pooler in between, if there is one: where it is migrated.
pub fn direct_url(url: &str) -> String {
    match std::env::var("TEST_DIRECT_URL") {
        Ok(direct) => with_database(&direct, database_of(url)),
        Err(_) => url.to_owned(),
    }
}

/// Makes a database of its own for one test on the run's server; returns its URL.
///
/// # Panics
///
/// When there is no server or it refuses.
pub fn fresh_database(name: &str) -> String {
    match create_database(shared_url(), name) {
        Ok(url) => url,
        Err(error) => panic!("no database for this test: {error}"),
    }
}

fn create_database(admin_url: &str, name: &str) -> Result<String, ServerError> {
    let name = database_name(name);
    pg_given::create(&direct_url(admin_url), &name)?;
    Ok(with_database(admin_url, &name))
}

/// Starts with `name`, and is like no other.
fn database_name(name: &str) -> String {
    let plain = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' });
    let start: String = plain.take(NAME_BYTES_MAX).collect();
    let number = DATABASES.fetch_add(1, Ordering::Relaxed);
    format!(
        "{}_of{}_{number}_{}",
        start.to_ascii_lowercase(),
        std::process::id(),
        Uuid::now_v7().simple()
    )
}

fn database_of(url: &str) -> &str {
    parts(url).1.trim_start_matches('/')
}

/// The server's own word, in its own folder: another server on the port cannot be mistaken for it.
fn says_ready(process: &ServerProcess) -> bool {
    let text = fs::read_to_string(process.data().join("postmaster.pid")).unwrap_or_default();
    let mut lines = text.lines();
    let id = lines.next().and_then(|line| line.trim().parse().ok());
    id.is_some() && id == process.id() && lines.nth(6).is_some_and(|line| line.trim() == "ready")
}

/// Whether this machine has everything to start a server and to make databases.
pub fn is_installed() -> bool {
    find_programs().is_ok() && find_program("psql", &version_folders()).is_some()
}

/// The folder that has `initdb` and `postgres` side by side, the newest version first.
fn find_programs() -> Result<PathBuf, ServerError> {
    let missing = ServerError::Missing {
        program: "initdb",
        package: "postgresql",
    };
    let initdb = find_program("initdb", &version_folders()).ok_or(missing)?;
    let real = fs::canonicalize(&initdb).map_err(ServerError::system("find PostgreSQL"))?;
    real.parent()
        .map(Path::to_path_buf)
        .filter(|folder| folder.join("postgres").is_file())
        .ok_or(ServerError::Missing {
            program: "postgres",
            package: "postgresql",
        })
}

#[cfg(test)]
mod tests {
    use super::{database_name, with_database};
    use crate::pg_client::with_host;

    #[test]
    fn a_url_gets_another_database_and_keeps_the_rest() {
        let cases = [
            (
                "postgres://postgres@127.0.0.1:5432/postgres",
                "postgres://postgres@127.0.0.1:5432/d",
            ),
            (
                "postgres://u:p@host/a?sslmode=require",
                "postgres://u:p@host/d?sslmode=require",
            ),
            ("postgres://host", "postgres://host/d"),
            (
                "postgres://host?host=/run/pg",
                "postgres://host/d?host=/run/pg",
            ),
        ];
        for (given, wanted) in cases {
            assert_eq!(with_database(given, "d"), wanted);
        }
        let cases = [
            (
                "postgres://u:p@host:1/a?x=y",
                "postgres://u:p@other:2/a?x=y",
            ),
            ("postgres://host/a", "postgres://other:2/a"),
            ("postgres://host", "postgres://other:2"),
        ];
        for (given, wanted) in cases {
            assert_eq!(with_host(given, "other:2"), wanted);
        }
    }

    #[test]
    fn database_names_fit_and_differ() {
        let name = database_name("A test with a Very long name; and 'quotes'");
        assert!(name.len() <= 63, "{name}");
        assert!(
            name.chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        );
        assert_ne!(
            name,
            database_name("A test with a Very long name; and 'quotes'")
        );
    }
}
