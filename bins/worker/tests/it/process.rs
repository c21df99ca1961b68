//! The worker as a process.
#![expect(
    clippy::expect_used,
    reason = "a page that cannot be read must stop the test"
)]

use quota_core::ports::{EventFeed, JobStore, Lists, RunState};

use crate::installation::{Installation, Running, ended, worker};
use crate::settings_page;

/// S9, over the command line: all, then nothing more.
#[tokio::test]
async fn a_job_is_run_by_hand_and_says_what_it_came_to() {
    let installation = Installation::with_users(3).await;
    let expire = ["run-job", "expire_subscriptions"];
    let one = ["run-job", "expire_subscriptions", "--account", "user:u1"];
    let (code, out, err) = ended(&mut installation.worker(&one));
    assert_eq!(code, Some(0), "{err}");
    assert!(
        out.starts_with("expire_subscriptions succeeded: done 1, failed 0"),
        "{out}"
    );
    let (code, out, _) = ended(&mut installation.worker(&expire));
    assert_eq!(code, Some(0));
    assert!(
        out.starts_with("expire_subscriptions succeeded: done 2, failed 0"),
        "{out}"
    );
    let (code, out, _) = ended(&mut installation.worker(&expire));
    assert_eq!(code, Some(0));
    assert!(
        out.starts_with("expire_subscriptions succeeded: done 0, failed 0"),
        "{out}"
    );
    let store = installation.store().await;
    let runs = store
        .runs(Some("expire_subscriptions"), 10)
        .await
        .expect("the history");
    assert_eq!(runs.len(), 3);
    assert!(runs.iter().all(|run| run.state == RunState::Succeeded));
    store.close().await;
}

#[tokio::test]
async fn every_job_runs_on_sqlite() {
    let installation = Installation::with_users(3).await;
    let mut failed = 0;
    for job in jobs::JobName::all() {
        let (code, out, err) = ended(&mut installation.worker(&["run-job", job.as_str()]));
        if job.spec().needs_provider {
            assert_eq!(code, Some(1), "{job}: {out}{err}");
            let why = "no payment provider is connected";
            assert!(out.contains(why) || err.contains(why), "{out}{err}");
            failed += 1;
        } else {
            assert_eq!(code, Some(0), "{job}: {out}{err}");
            assert!(out.starts_with(&format!("{job} succeeded")), "{out}");
        }
    }
    let (code, out, _) = ended(&mut installation.worker(&["jobs"]));
    assert_eq!(code, Some(0));
    let lines = out.lines();
    let told = lines.map(|line| (line.contains("succeeded"), line.contains("failed")));
    let told: Vec<(bool, bool)> = told.collect();
    assert_eq!(told.len(), jobs::JobName::all().len(), "{out}");
    let count = |wanted| told.iter().filter(|state| **state == wanted).count();
    assert_eq!(count((false, true)), failed, "{out}");
    assert_eq!(count((true, false)), told.len() - failed, "{out}");
}

#[tokio::test]
async fn a_job_that_cannot_be_run_exits_with_1() {
    let installation = Installation::with_users(1).await;
    let args = ["run-job", "audit", "--account", "user:nobody"];
    let (code, _, err) = ended(&mut installation.worker(&args));
    assert_eq!(code, Some(1));
    assert!(err.contains("the account does not exist"), "{err}");
    let args = ["run-job", "reset_daily", "--feature", "nope"];
    let (code, _, err) = ended(&mut installation.worker(&args));
    assert_eq!(code, Some(1));
    assert!(
        err.contains("feature `nope` is not in the catalog"),
        "{err}"
    );
}

#[tokio::test]
async fn the_worker_runs_its_schedule_serves_metrics_and_stops_on_sigterm_with_0() {
    let installation = Installation::with_users(3).await;
    let mut command = installation.worker(&["run", "--metrics-listen", "127.0.0.1:0"]);
    command.env("QUOTA_SWEEP_RESERVATIONS_CRON", "* * * * * *");
    let mut running = Running::start(command);
    let line = running.line_with(&["the metrics are served"]);
    let address = line
        .split("address=")
        .nth(1)
        .map(str::trim)
        .unwrap_or_default();
    let address = address.to_owned();
    running.line_with(&["the jobs run on their schedule"]);
    running.line_with(&["a job ends", "job=sweep_reservations", "done=3"]);
    let health = page(&address, "/healthz").await;
    assert!(health.starts_with("HTTP/1.1 200"), "{health}");
    let ready = page(&address, "/readyz").await;
    assert!(ready.starts_with("HTTP/1.1 200"), "{ready}");
    assert!(ready.ends_with(r#"{"status":"ok"}"#), "{ready}");
    let page = page(&address, "/metrics").await;
    let types = page.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    for name in types.filter_map(|line| line.split_whitespace().next()) {
        assert!(page.contains(&format!("# HELP {name} ")), "{name}: {page}");
    }
    let counted = r#"quota_job_runs_total{job="sweep_reservations",state="succeeded"} 1"#;
    assert!(page.contains(counted), "{page}");
    assert!(page.contains("quota_job_last_success_timestamp"), "{page}");
    assert_eq!(running.terminate(), Some(0));
    let store = installation.store().await;
    let due = store.homes_with_due_holds(chrono::Utc::now(), 10).await;
    assert!(due.expect("an answer").is_empty(), "all holds are swept");
    let runs = store.runs(None, 100).await.expect("the history");
    assert!(
        runs.iter().all(|run| run.state != RunState::Running),
        "{runs:?}"
    );
    let queues = store.queues_with_events("dispatch_outbox").await;
    assert!(queues.is_ok(), "the events can be read");
    store.close().await;
}

async fn page(address: &str, path: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(address)
        .await
        .expect("it listens");
    let ask = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(ask.as_bytes()).await.expect("it reads");
    let mut page = String::new();
    stream.read_to_string(&mut page).await.expect("it answers");
    page
}

/// Arguments, a variable of the environment, and what is said of it.
const WRONG_SETTINGS: [(&[&str], &str, &[&str]); 15] = [
    (
        &["run", "--job-batch-max", "0"],
        "",
        &["--job-batch-max", "a whole number from 1 to 1000"],
    ),
    (
        &["run", "--reset-daily-cron", "soon"],
        "",
        &["--reset-daily-cron", "five fields"],
    ),
    (
        &["run", "--jobs-zone", "Mars/Base"],
        "",
        &["--jobs-zone", "Europe/Berlin"],
    ),
    (
        &["run", "--job-lease", "1s"],
        "",
        &["--job-lease", "from 5s to 1h"],
    ),
    (
        &["run", "--log-format", "xml"],
        "",
        &["--log-format", "text, json"],
    ),
    (
        &["run"],
        "QUOTA_METRICS_LISTEN=here",
        &[
            "--metrics-listen",
            "an address and port, such as 127.0.0.1:8080",
        ],
    ),
    (
        &["run"],
        "QUOTA_DATABASE_CONNECTIONS=abc",
        &["--database-connections", "a whole number from 1 to 1000"],
    ),
    (
        &["run"],
        "QUOTA_JOB_RETRIES_MAX=-1",
        &["--job-retries-max", "a whole number from 0 to 20"],
    ),
    (
        &["run"],
        "DATABASE_URL=postgres://u:hunter2@h:99999/d",
        &["DATABASE_URL", "invalid port number"],
    ),
    (
        &["run"],
        "DATABASE_URL=sqlite::memory:",
        &["DATABASE_URL", "sqlite://"],
    ),
    (
        &["run"],
        "QUOTA_AUDIT_CRON=61 * * * *",
        &["--audit-cron", "five fields"],
    ),
    (
        &["run"],
        "DATABASE_URL=mysql://u:hunter2@h/d",
        &["DATABASE_URL", "postgres://"],
    ),
    (
        &["run-job", "reset_hourly"],
        "",
        &["reset_daily", "audit_full"],
    ),
    (
        &["run-job", "audit", "--account", "u1"],
        "",
        &["--account", "user:"],
    ),
    (&["fly"], "", &["fly"]),
];

/// A wrong setting names itself and what is allowed.
#[test]
fn a_wrong_setting_exits_with_2_and_names_itself() {
    for (args, variable, parts) in WRONG_SETTINGS {
        let mut command = worker(args);
        if let Some((name, value)) = variable.split_once('=') {
            command.env(name, value);
        }
        let (code, _, err) = ended(&mut command);
        assert_eq!(code, Some(2), "{args:?} {variable}: {err}");
        for part in parts {
            assert!(
                err.contains(part),
                "{args:?} {variable}: `{part}` is not in {err}"
            );
        }
        assert!(!err.contains("hunter2"), "a secret is shown: {err}");
    }
}

#[tokio::test]
async fn what_a_job_cannot_be_narrowed_down_to_exits_with_2() {
    let installation = Installation::with_users(1).await;
    let args = ["run-job", "prune", "--feature", "upload"];
    let (code, _, err) = ended(&mut installation.worker(&args));
    assert_eq!(code, Some(2), "{err}");
    assert!(err.contains("job `prune` takes no feature"), "{err}");
}

#[test]
fn the_help_names_every_setting_and_its_environment() {
    let (code, out, _) = ended(&mut worker(&["run", "--help"]));
    assert_eq!(code, Some(0));
    for name in [
        "DATABASE_URL",
        "QUOTA_SQLITE_FILE",
        "REDIS_URL",
        "QUOTA_KEYS_KEPT",
        "QUOTA_LOG_FORMAT",
        "QUOTA_LOG_LEVEL",
        "QUOTA_METRICS_LISTEN",
        "QUOTA_JOB_BATCH_MAX",
        "QUOTA_JOB_LEASE",
        "QUOTA_JOBS_ZONE",
        "QUOTA_RESET_DAILY_CRON",
        "QUOTA_RESET_DAILY_ZONE",
        "QUOTA_EXPIRE_SUBSCRIPTIONS_CRON",
        "QUOTA_AUDIT_FULL_CRON",
    ] {
        assert!(out.contains(name), "{name} is not in the help");
    }
}

#[test]
fn nothing_to_do_is_help_and_2() {
    let (code, _, err) = ended(&mut worker(&[]));
    assert_eq!(code, Some(2));
    assert!(err.contains("Usage"), "{err}");
}

#[test]
fn the_page_for_operators_has_every_setting_of_the_help_and_no_other() {
    let of_help = settings_page::of_help(env!("CARGO_BIN_EXE_worker"), "run");
    assert!(of_help.len() > 25, "{of_help:?}");
    assert_eq!(settings_page::of_page("both programs"), of_help);
}

/// A typing mistake leaves no empty database behind.
#[test]
fn a_sqlite_file_that_is_missing_is_not_made() {
    let folder = tempfile::tempdir().expect("a folder");
    for args in [&["run"][..], &["run-job", "prune"], &["jobs"]] {
        let (code, _, err) = ended(worker(args).current_dir(folder.path()));
        assert_eq!(code, Some(2), "{err}");
        assert!(err.contains("there is no SQLite file quota.db"), "{err}");
    }
    let made = std::fs::read_dir(folder.path())
        .expect("the folder")
        .count();
    assert_eq!(made, 0, "nothing is made");
}

#[tokio::test]
async fn a_reader_that_goes_away_is_no_fault() {
    let installation = Installation::with_users(1).await;
    let mut command = installation.worker(&["jobs"]);
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let (code, _, err) = ended(command.stdout(writer));
    assert_eq!((code, err.as_str()), (Some(0), ""));
}
