//! The built binary: it starts, answers, and on SIGTERM answers what it took.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};

use serde_json::{Value, json};

/// A serving process; killed when the test ends before it does.
pub(crate) struct Served {
    child: Child,
    log: BufReader<ChildStderr>,
    pub(crate) address: String,
    pub(crate) key: String,
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The binary with these settings and no other from the environment of the test.
pub(crate) fn api(folder: &Path, environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_api"));
    command
        .current_dir(folder)
        .env_clear()
        .env("QUOTA_DRAIN_TIME", "0s")
        .envs(environment.iter().copied());
    command
}

/// Runs a command to its end and gives what it printed.
pub(crate) fn printed(command: &mut Command) -> String {
    let output = command.output().expect("the binary runs");
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{error}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Serves a database with the demo's data and a fresh admin key.
fn serve(folder: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Served {
    printed(api(folder, environment).args(["demo", "data"]));
    let create = ["keys", "create", "tests", "--scope", "admin"];
    let key = printed(api(folder, environment).args(create));
    let mut command = api(folder, environment);
    command.args(["serve", "--listen", "127.0.0.1:0"]);
    command.args(["--deadline", "10m", "--request-timeout", "10m"]);
    let (mut served, _) = started(command.args(arguments));
    served.key = key;
    served
}

/// A serving process, and the lines that it printed after its address.
pub(crate) fn started(command: &mut Command) -> (Served, impl Iterator<Item = String> + use<>) {
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = child.expect("the binary starts");
    let out = BufReader::new(child.stdout.take().expect("a pipe"));
    let log = BufReader::new(child.stderr.take().expect("a pipe"));
    let mut lines = out.lines().map_while(Result::ok);
    let line = lines.next().expect("a line");
    let rest = line
        .strip_prefix("listening on http://")
        .expect("an address");
    let address = rest
        .split_whitespace()
        .next()
        .expect("an address")
        .to_owned();
    let key = String::new();
    (
        Served {
            child,
            log,
            address,
            key,
        },
        lines,
    )
}

/// A process with `--demo`.
pub(crate) fn demo(folder: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Served {
    let mut command = api(folder, environment);
    let (mut served, mut lines) = started(command.arg("--demo").args(arguments));
    let line = lines.next().expect("a line");
    let key = line.strip_prefix("admin key, shown once: ").expect("a key");
    key.clone_into(&mut served.key);
    served
}

impl Served {
    fn terminate(&self) {
        let id = self.child.id().to_string();
        let told = Command::new("kill").args(["-TERM", &id]).status();
        assert!(told.expect("kill runs").success());
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL, if it has not ended, and its end.
    pub(crate) fn kill_9(&mut self) {
        self.child.kill().expect("it can be told");
        self.child.wait().expect("it ends");
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        let ended = self.child.try_wait();
        ended.expect("it can be asked").is_some()
    }

    /// Waits for a line of the log.
    pub(crate) fn wait_for(&mut self, words: &str) -> String {
        let mut line = String::new();
        while self.log.read_line(&mut line).expect("a log") != 0 {
            if line.contains(words) {
                return line;
            }
            line.clear();
        }
        panic!("the log ended without: {words}");
    }

    /// Sends the head of a consume and waits until it is taken.
    fn begin_consume(&self, length: usize) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).expect("a connection");
        let head = format!(
            "POST /v1/consume HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\nexpect: 100-continue\r\n\r\n",
            self.key
        );
        stream.write_all(head.as_bytes()).expect("it is sent");
        let mut told = [0; 25];
        stream.read_exact(&mut told).expect("it is taken");
        assert_eq!(&told, b"HTTP/1.1 100 Continue\r\n\r\n");
        stream
    }
}

fn answer_of(mut stream: TcpStream) -> (String, Value) {
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("an answer");
    let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
    (head.to_owned(), serde_json::from_str(body).expect("JSON"))
}

#[test]
fn what_was_taken_is_answered_on_sigterm_and_the_process_ends_well() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut served = serve(folder.path(), &[], &[]);
    let ask = json!({"user": "alice", "feature": "articles_per_month", "amount": 1}).to_string();
    let streams: Vec<TcpStream> = (0..4).map(|_| served.begin_consume(ask.len())).collect();
    served.terminate();
    served.wait_for("stopping");
    for mut stream in streams {
        stream.write_all(ask.as_bytes()).expect("the body is sent");
        let (head, body) = answer_of(stream);
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        assert_eq!(body["allowed"], true);
    }
    assert!(served.child.wait().expect("it ends").success());
    assert!(
        TcpStream::connect(&served.address).is_err(),
        "nobody listens"
    );
    // What was answered is there when it starts again; the fifth article is the last.
    let again = serve(folder.path(), &[], &[]);
    for expected in ["HTTP/1.1 200", "HTTP/1.1 429"] {
        let mut stream = again.begin_consume(ask.len());
        stream.write_all(ask.as_bytes()).expect("the body is sent");
        let (head, _) = answer_of_kept(stream);
        assert!(head.starts_with(expected), "{head}");
    }
}

/// The answer on a connection that stays open.
fn answer_of_kept(stream: TcpStream) -> (String, Value) {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).expect("a line");
        if line.trim().is_empty() {
            break;
        }
        let lower = line.to_ascii_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().expect("a length");
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("a body");
    (head, serde_json::from_slice(&body).expect("JSON"))
}

#[test]
fn a_stop_does_not_wait_longer_than_is_set() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut served = serve(folder.path(), &["--stop-timeout", "1ms"], &[]);
    // Its body never comes.
    let stream = served.begin_consume(100);
    served.terminate();
    assert!(served.child.wait().expect("it ends").success());
    drop(stream);
}

#[test]
fn logs_are_json_when_asked_and_hold_no_secret() {
    let folder = tempfile::tempdir().expect("a folder");
    let environment = [
        ("QUOTA_LOG_FORMAT", "json"),
        ("QUOTA_LOG_LEVEL", "trace"),
        ("REDIS_URL", "redis://:hunter2@127.0.0.1:1"),
    ];
    let mut served = serve(folder.path(), &[], &environment);
    let ask = r#"{"user":"alice","feature":"articles_per_month","amount":1}"#;
    let mut stream = served.begin_consume(ask.len());
    stream.write_all(ask.as_bytes()).expect("the body is sent");
    let (head, _) = answer_of_kept(stream);
    assert!(
        head.starts_with("HTTP/1.1 200"),
        "Redis is away and it answers: {head}"
    );
    let mut probe = TcpStream::connect(&served.address).expect("a connection");
    probe
        .write_all(b"GET /readyz HTTP/1.1\r\nhost: x\r\n\r\n")
        .expect("it is sent");
    let (_, ready) = answer_of_kept(probe);
    assert_eq!(ready["status"], "degraded");
    served.terminate();
    let mut log = String::new();
    served.log.read_to_string(&mut log).expect("a log");
    assert!(served.child.wait().expect("it ends").success());
    assert!(
        !log.contains("hunter2"),
        "the password of Redis is in the log"
    );
    assert!(!log.contains(&served.key), "the key is in the log");
    let mut has_request = false;
    for line in log.lines() {
        let line: Value = serde_json::from_str(line).expect("every line is JSON");
        has_request |= line["message"] == "answered" && line["route"] == "/v1/consume";
    }
    assert!(has_request, "the access log is there at level debug");
}

/// The answer to a GET without a key: its head and its body.
fn get(address: &str, path: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).expect("a connection");
    let head = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).expect("it is sent");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("an answer");
    let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
    (head.to_owned(), body.to_owned())
}

/// The load balancer is told before the port closes: nobody is turned away who could not know.
#[test]
fn on_sigterm_a_node_says_that_it_is_not_ready_and_still_takes_requests() {
    let folder = tempfile::tempdir().expect("a folder");
    let arguments = ["--drain-time", "1h", "--metrics-listen", "127.0.0.1:0"];
    let mut served = serve(folder.path(), &arguments, &[]);
    let line = served.wait_for("the metrics are served");
    let (_, page) = line.trim().split_once("address=").expect("an address");
    let (head, body) = get(page, "/readyz");
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert_eq!(body, r#"{"status":"ok"}"#);
    served.terminate();
    served.wait_for("draining");
    let (head, body) = get(&served.address, "/readyz");
    assert!(head.starts_with("HTTP/1.1 503"), "{head}");
    assert!(body.contains(r#""code":"draining""#), "{body}");
    let (head, body) = get(page, "/readyz");
    assert!(head.starts_with("HTTP/1.1 503"), "{head}");
    assert!(body.contains(r#""code":"draining""#), "{body}");
    assert!(
        get(&served.address, "/healthz")
            .0
            .starts_with("HTTP/1.1 200")
    );
    let ask = r#"{"user":"alice","feature":"articles_per_month","amount":1}"#;
    let mut stream = served.begin_consume(ask.len());
    stream.write_all(ask.as_bytes()).expect("the body is sent");
    let (head, body) = answer_of_kept(stream);
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert_eq!(body["allowed"], true);
    // Who cannot wait asks again.
    served.terminate();
    served.wait_for("stopping");
    assert!(served.child.wait().expect("it ends").success());
    assert!(
        TcpStream::connect(&served.address).is_err(),
        "nobody listens"
    );
}

/// The metrics have a port of their own, where no key is asked for; every one is described.
#[test]
fn metrics_are_served_on_a_port_of_their_own_and_each_has_help_and_type() {
    let folder = tempfile::tempdir().expect("a folder");
    let arguments = ["--metrics-listen", "127.0.0.1:0"];
    let mut served = serve(folder.path(), &arguments, &[]);
    let line = served.wait_for("the metrics are served");
    let (_, page) = line.trim().split_once("address=").expect("an address");
    let (head, text) = get(page, "/metrics");
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    let version = concat!(
        "quota_build_info{version=\"",
        env!("CARGO_PKG_VERSION"),
        "\"} 1"
    );
    for part in [version, "process_cpu_seconds_total", "process_open_fds"] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    for name in types.filter_map(|line| line.split_whitespace().next()) {
        assert!(text.contains(&format!("# HELP {name} ")), "{name}: {text}");
    }
    let (head, _) = get(&served.address, "/metrics");
    assert!(
        head.starts_with("HTTP/1.1 401"),
        "beside the API it needs a key: {head}"
    );
}

/// The second one finds the address taken, and the first one's key is good as before.
#[test]
fn a_second_demo_on_the_same_address_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = demo(folder.path(), &["--listen", "127.0.0.1:0"], &[]);
    let mut second = api(folder.path(), &[]);
    let second = second.args(["--demo", "--listen", &first.address]).output();
    let second = second.expect("the binary runs");
    assert_eq!(second.status.code(), Some(1));
    let error = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(error.contains("cannot listen on"), "{error}");
    let ask = r#"{"user":"alice","feature":"articles_per_month","amount":1}"#;
    let mut stream = first.begin_consume(ask.len());
    stream.write_all(ask.as_bytes()).expect("the body is sent");
    let (head, _) = answer_of_kept(stream);
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
}

/// A Redis that is away at the start is told in the log, once, with what is slower and what waits.
#[test]
fn a_redis_that_is_away_at_the_start_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let environment = [("REDIS_URL", "redis://127.0.0.1:1")];
    let mut served = serve(folder.path(), &[], &environment);
    let line = served.wait_for("Redis does not answer");
    for words in ["WARN", "slower", "events wait", "tried again"] {
        assert!(line.contains(words), "{line}");
    }
}

/// What a shell has set for another program is not touched.
#[test]
fn the_demo_uses_its_file_whatever_database_the_shell_names() {
    let folder = tempfile::tempdir().expect("a folder");
    let environment = [
        ("DATABASE_URL", "postgres://u:hunter2@127.0.0.1:1/other"),
        ("REDIS_URL", "redis://:hunter2@127.0.0.1:1"),
    ];
    let mut served = demo(folder.path(), &["--listen", "127.0.0.1:0"], &environment);
    served.wait_for("DATABASE_URL is ignored: the demo uses the SQLite file quota.db");
    served.wait_for("REDIS_URL is ignored");
    assert!(folder.path().join("quota.db").exists());
    let mut probe = TcpStream::connect(&served.address).expect("a connection");
    let head = b"GET /readyz HTTP/1.1\r\nhost: x\r\n\r\n";
    probe.write_all(head).expect("it is sent");
    assert_eq!(answer_of_kept(probe).1["status"], "ok");
}

mod pg {
    use super::{answer_of_kept, serve};
    use std::io::Write as _;
    use std::net::TcpStream;
    use std::process::Command;

    #[test]
    fn a_database_without_its_schema_is_refused_and_migrate_makes_it() {
        let url = testkit::pg::fresh_database("api_process");
        let folder = tempfile::tempdir().expect("a folder");
        let run = |url: &str, arguments: &[&str]| {
            Command::new(env!("CARGO_BIN_EXE_api"))
                .current_dir(folder.path())
                .env_clear()
                .env("DATABASE_URL", url)
                .args(arguments)
                .output()
                .expect("the binary runs")
        };
        let refused = run(&url, &["serve", "--listen", "127.0.0.1:0"]);
        assert_eq!(refused.status.code(), Some(2));
        let told = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(told.contains("is missing: run `api migrate`"), "{told}");
        let direct = testkit::pg::direct_url(&url);
        assert!(run(&direct, &["migrate"]).status.success());
        let served = serve(folder.path(), &[], &[("DATABASE_URL", &url)]);
        let ready = || {
            let mut probe = TcpStream::connect(&served.address).expect("a connection");
            let head = b"GET /readyz HTTP/1.1\r\nhost: x\r\n\r\n";
            probe.write_all(head).expect("it is sent");
            answer_of_kept(probe).1
        };
        assert_eq!(ready()["schema"], "is current");
        let ask = r#"{"user":"alice","feature":"articles_per_month","amount":1}"#;
        let mut stream = served.begin_consume(ask.len());
        stream.write_all(ask.as_bytes()).expect("the body is sent");
        let (head, body) = answer_of_kept(stream);
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        assert_eq!(body["balances"][0]["remaining"], 4);
        let older = "delete from _sqlx_migrations where version > 7";
        testkit::pg::sql(&url, older).expect("an older schema, to all appearances");
        assert_eq!(ready()["code"], "schema_outdated");
        let refused = run(&url, &["keys", "list"]);
        assert_eq!(refused.status.code(), Some(2));
        let told = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(told.contains("is at version 7 and must be"), "{told}");
    }
}

mod redis {
    use super::{answer_of_kept, serve};
    use std::io::Write as _;
    use std::net::TcpStream;

    #[test]
    fn with_redis_it_is_ready_and_checks_are_answered_from_the_cache() {
        let folder = tempfile::tempdir().expect("a folder");
        let url = testkit::redis::shared_url();
        let environment = [("REDIS_URL", url), ("QUOTA_REDIS_PREFIX", "api-process")];
        let served = serve(folder.path(), &["--metrics-open"], &environment);
        let ask = |head: &str, body: &str| {
            let mut stream = TcpStream::connect(&served.address).expect("a connection");
            let (key, length) = (&served.key, body.len());
            let text = format!(
                "{head} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\n\
                 content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
            );
            stream.write_all(text.as_bytes()).expect("it is sent");
            answer_of_kept(stream)
        };
        let (_, ready) = ask("GET /readyz", "");
        assert_eq!(ready["status"], "ok");
        let body = r#"{"user":"bob","feature":"articles_per_month","amount":150}"#;
        for _ in 0..2 {
            let (_, check) = ask("POST /v1/check", body);
            assert_eq!(check["allowed"], true);
        }
        let (_, spent) = ask("POST /v1/consume", body);
        assert_eq!(spent["allowed"], true);
        let (_, check) = ask("POST /v1/check", body);
        assert_eq!(check["allowed"], false, "P4: what is seen changes at once");
    }
}
