//! Throw-away Redis, without persistence, that can be killed, frozen and flushed.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use crate::ServerError;
use crate::process::{PORT_ATTEMPTS_MAX, ServerProcess, find_program, free_port};

/// The program and Debian's package have the same name.
const PROGRAM: &str = "redis-server";
/// A frozen server answers nothing; a busy machine answers far sooner.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(5);
/// `INFO server` is about one KB.
const ANSWER_BYTES_MAX: usize = 16 * 1024;

/// A Redis server on a port of its own; gone when dropped.
#[derive(Debug)]
pub struct RedisServer {
    process: ServerProcess,
    program: PathBuf,
    port: u16,
}

impl RedisServer {
    /// Starts an empty server.
    pub fn start() -> Result<Self, ServerError> {
        let missing = ServerError::Missing {
            program: PROGRAM,
            package: PROGRAM,
        };
        let program = find_program(PROGRAM, &[]).ok_or(missing)?;
        let process = ServerProcess::prepare("redis")?;
        let mut server = Self {
            process,
            program,
            port: 0,
        };
        let mut outcome = Ok(());
        for _ in 0..PORT_ATTEMPTS_MAX {
            server.port = free_port()?;
            outcome = server.launch();
            if outcome.is_ok() {
                break;
            }
        }
        outcome.map(|()| server)
    }

    /// The port on 127.0.0.1; the same for the life of the server, restarts included.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder that holds everything of this server.
    pub fn folder(&self) -> &Path {
        self.process.folder()
    }

    /// The URL of database 0.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
    }

    /// Ends the server at once; all it held is lost. See [`Self::restart`].
    pub fn kill_9(&mut self) -> Result<(), ServerError> {
        self.process.kill_9()
    }

    /// Starts again on the same port, empty; a running server is killed first.
    pub fn restart(&mut self) -> Result<(), ServerError> {
        self.process.kill_9()?;
        self.launch()
    }

    /// Stops it without ending it: connections stay open and nothing answers. See [`Self::thaw`].
    pub fn freeze(&self) -> Result<(), ServerError> {
        self.process.signal("STOP")
    }

    /// Lets a frozen server go on.
    pub fn thaw(&self) -> Result<(), ServerError> {
        self.process.signal("CONT")
    }

    /// Forgets every key.
    pub fn flush(&self) -> Result<(), ServerError> {
        let answer = self
            .ask("FLUSHALL")
            .map_err(ServerError::system("flush Redis"))?;
        if answer.starts_with("+OK") {
            return Ok(());
        }
        Err(ServerError::Failed {
            program: "FLUSHALL".into(),
            output: answer,
        })
    }

    /// Sends one command on a connection of its own; the raw answer, or an error after five
    /// seconds of silence.
    pub fn ask(&self, command: &str) -> io::Result<String> {
        ask(self.port, command)
    }

    fn launch(&mut self) -> Result<(), ServerError> {
        let mut redis = self.process.command(&self.program);
        redis.args([
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
            "--dir",
        ]);
        redis
            .arg(self.process.data())
            .args(["--port", &self.port.to_string()]);
        self.process.spawn(redis)?;
        let Some(id) = self.process.id() else {
            return Ok(());
        };
        let id_line = format!("process_id:{id}\r\n");
        let port = self.port;
        self.process.wait_ready(|_| is_answered_by(port, &id_line))
    }
}

/// Whether this machine can start a server.
pub fn is_installed() -> bool {
    find_program(PROGRAM, &[]).is_some()
}

/// The server's own process id shows that it is not another one that took the port.
fn is_answered_by(port: u16, id_line: &str) -> bool {
    ask(port, "INFO server").is_ok_and(|answer| answer.contains(id_line))
}

fn ask(port: u16, command: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(ANSWER_TIME_MAX))?;
    stream.set_write_timeout(Some(ANSWER_TIME_MAX))?;
    stream.write_all(format!("{command}\r\n").as_bytes())?;
    let mut answer = vec![0; ANSWER_BYTES_MAX];
    let length = stream.read(&mut answer)?;
    answer.truncate(length);
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// The URL of the run's server: `TEST_REDIS_URL`, as `throwaway run` sets it, else a server that
/// this process starts now and that ends with it. Tests share it, so keys need a prefix of the
/// test's own.
///
/// # Panics
///
/// When there is neither; the message says what to install.
pub fn shared_url() -> &'static str {
    static URL: OnceLock<String> = OnceLock::new();
    static SERVER: OnceLock<RedisServer> = OnceLock::new();
    URL.get_or_init(|| {
        std::env::var("TEST_REDIS_URL").unwrap_or_else(|_| match RedisServer::start() {
            Ok(server) => SERVER.get_or_init(|| server).url(),
            Err(error) => panic!("no Redis for this test: {error}"),
        })
    })
}
