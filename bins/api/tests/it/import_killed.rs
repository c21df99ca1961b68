//! `api import` is killed in the middle and run again; and its memory does not grow with the file.

use std::io::Write as _;
use std::process::{Child, Stdio};

use crate::import::Place;

const LINES: usize = 2_000;
/// Most memory that a run may take, in KiB.
const MEMORY_MAX: u64 = 150 * 1024;

/// Orgs with members, and what belongs to them.
pub(crate) fn file() -> String {
    let mut lines = Vec::with_capacity(LINES);
    let mut number = 0;
    while lines.len() < LINES {
        number += 1;
        let (org, user) = (format!("org-{}", number / 20), format!("user-{number}"));
        if number % 20 == 0 || number == 1 {
            lines.push(format!(r#"{{"type": "org", "id": "{org}"}}"#));
            lines.push(format!(
                r#"{{"type": "subscription", "account": "org:{org}", "plan": "llm_team"}}"#
            ));
        }
        lines.push(format!(
            r#"{{"type": "user", "id": "{user}", "org": "{org}"}}"#
        ));
        lines.push(format!(
            r#"{{"type": "usage", "user": "{user}", "feature": "llm_tokens", "amount": {number}}}"#
        ));
        lines.push(format!(
            r#"{{"type": "credits", "account": "user:{user}", "amount": {number}}}"#
        ));
    }
    lines.truncate(LINES);
    lines.join("\n") + "\n"
}

/// A run that has been given all lines and waits for more: it has done most of them, since it reads only so far ahead.
fn given_all(place: &Place, text: &str) -> Child {
    let mut child = place
        .api()
        .args(["import", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary starts");
    let mut into = child.stdin.take().expect("a pipe");
    into.write_all(text.as_bytes()).expect("it reads");
    into.flush().expect("it reads");
    child.stdin = Some(into);
    child
}

/// A run that was killed is simply run again, from another file name: all is there, and there once.
#[tokio::test]
async fn a_run_that_was_killed_is_run_again_and_nothing_is_done_twice() {
    let (killed, whole) = (Place::new(), Place::new());
    let text = file();
    let mut child = given_all(&killed, &text);
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    let done_before = killed.standing().await.len();
    assert!(done_before > 0, "it was in the middle");
    let again = killed.import(&text, &[]);
    assert_eq!(again.code, Some(0), "{}", again.complained);
    let [new, changed, unchanged, refused] = again.row("all");
    assert_eq!((changed, refused), (0, 0));
    assert!(unchanged > 0 && new + unchanged == 2_000, "{}", again.said);
    let third = killed.import(&text, &[]);
    assert_eq!(third.row("all"), [0, 0, 2_000, 0]);
    assert_eq!(whole.import(&text, &[]).row("all"), [2_000, 0, 0, 0]);
    assert_eq!(killed.standing().await, whole.standing().await);
}

/// No more than some lines are in memory at a time.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn memory_does_not_grow_with_the_file() {
    let place = Place::new();
    let mut child = given_all(&place, &file());
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id()));
    let status = status.expect("it runs");
    let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let most = most.and_then(|rest| rest.split_whitespace().next());
    let most: u64 = most.and_then(|kib| kib.parse().ok()).expect("a number");
    drop(child.stdin.take());
    assert!(child.wait().expect("it ends").success());
    assert!(most < MEMORY_MAX, "{most} KiB");
}
