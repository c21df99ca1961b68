//! `throwaway run` gives a command its servers, and leaves nothing behind however it ends.

#![expect(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use testkit::pg::sql;

/// Ending two servers takes well below a second on a quiet machine.
const GONE_SECONDS_MAX: u64 = 600;

fn throwaway(script: &str, place: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_throwaway"));
    command
        .args(["run", "--", "sh", "-c", script])
        .env("TMPDIR", place);
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    command
}

/// A place that the servers' unprivileged user can reach too.
fn place() -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt;
    let place = tempfile::tempdir().unwrap();
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o755)).unwrap();
    place
}

fn first_line(child: &mut Child) -> String {
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap())
        .read_line(&mut line)
        .unwrap();
    line.trim().to_owned()
}

fn folders_in(place: &Path) -> usize {
    fs::read_dir(place).unwrap().count()
}

fn is_gone(place: &Path, url: &str) -> bool {
    let give_up_at = Instant::now() + Duration::from_secs(GONE_SECONDS_MAX);
    while folders_in(place) != 0 || sql(url, "select 1").is_ok() {
        if give_up_at < Instant::now() {
            return false;
        }
        thread::yield_now();
    }
    true
}

fn send(signal: &str, child: &Child) {
    let line = format!("kill -{signal} {}", child.id());
    assert!(
        Command::new("sh")
            .args(["-c", &line])
            .status()
            .unwrap()
            .success()
    );
}

#[test]
fn the_command_gets_both_servers_and_its_exit_code_is_passed_on() {
    let place = place();
    let script =
        r#"psql -XAtqc "select 40 + 2" "$TEST_DATABASE_URL"; echo "$TEST_REDIS_URL"; exit 7"#;
    let output = throwaway(script, place.path()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("42\nredis://127.0.0.1:"), "{text}");
    assert_eq!(output.status.code(), Some(7));
    assert_eq!(folders_in(place.path()), 0);
}

#[test]
fn a_termination_reaches_the_command_and_removes_the_servers() {
    let place = place();
    let script = r#"trap 'exit 3' TERM; echo "$TEST_DATABASE_URL"; while :; do sleep 0.1; done"#;
    let mut child = throwaway(script, place.path()).spawn().unwrap();
    let url = first_line(&mut child);
    assert_eq!(sql(&url, "select 1").unwrap(), "1");
    send("TERM", &child);
    assert_eq!(child.wait().unwrap().code(), Some(3));
    assert_eq!(folders_in(place.path()), 0);
    assert!(sql(&url, "select 1").is_err());
}

#[test]
fn a_kill_9_leaves_no_server_and_no_folder() {
    let place = place();
    // The command ends by itself when the pipe to this test closes.
    let script = r#"echo "$TEST_DATABASE_URL"; while echo .; do sleep 0.1; done 2>/dev/null"#;
    let mut child = throwaway(script, place.path()).spawn().unwrap();
    let url = first_line(&mut child);
    assert_eq!(sql(&url, "select 1").unwrap(), "1");
    assert_eq!(folders_in(place.path()), 2);
    send("KILL", &child);
    assert_eq!(child.wait().unwrap().code(), None);
    assert!(is_gone(place.path(), &url), "still there: {url}");
}
