//! The command line of the built binary: settings, help, secrets, keys and catalogs.

use std::path::Path;
use std::process::{Command, Output};

use crate::settings_page;

/// The binary with no setting from the environment of the test.
fn api() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_api"));
    command.env_clear();
    command
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    let output = api().current_dir(folder).args(arguments).output();
    output.expect("the binary runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn help_names_every_command_and_a_command_only_its_own_settings() {
    let help = |arguments: &[&str]| {
        let output = api().args(arguments).arg("--help").output();
        let output = output.expect("the binary runs");
        assert!(output.status.success());
        text(&output.stdout)
    };
    for command in ["serve", "migrate", "keys", "catalog", "import", "demo"] {
        let help = help(&[]);
        assert!(help.contains(&format!("  {command}")), "{command}: {help}");
    }
    let create = help(&["keys", "create"]);
    for setting in ["DATABASE_URL", "QUOTA_SQLITE_FILE", "QUOTA_LOG_LEVEL"] {
        assert!(create.contains(setting), "{setting} is not in\n{create}");
    }
    for other in ["QUOTA_LISTEN", "QUOTA_SHARDS", "REDIS_URL", "QUOTA_JOBS"] {
        assert!(!create.contains(other), "{other} is in\n{create}");
    }
}

/// `JOBS=4`, `LISTEN=…` and the like belong to other tools. Stripe's own tools read `STRIPE_API_KEY` too, and mean the same by it.
#[test]
fn no_setting_has_a_name_that_other_tools_use() {
    let of_help = settings_page::of_help(env!("CARGO_BIN_EXE_api"), "serve");
    let shared = ["DATABASE_URL", "REDIS_URL"];
    for name in of_help
        .values()
        .filter(|name| !shared.contains(&name.as_str()))
    {
        let is_ours = ["QUOTA_", "STRIPE_"]
            .iter()
            .any(|start| name.starts_with(start));
        assert!(is_ours, "{name}");
    }
}

#[test]
fn help_shows_no_value_of_a_secret() {
    let output = api()
        .args(["serve", "--help"])
        .env("DATABASE_URL", "postgres://quota:hunter2@db/quota")
        .env("REDIS_URL", "redis://:hunter2@cache")
        .output()
        .expect("the binary runs");
    assert!(output.status.success());
    assert!(!text(&output.stdout).contains("hunter2"));
}

/// A variable of the environment, its value, and what is said of it.
const WRONG_SETTINGS: [(&str, &str, &str, &str); 21] = [
    ("QUOTA_LOG_FORMAT", "xml", "--log-format", "text, json"),
    (
        "QUOTA_LOG_LEVEL",
        "loud",
        "--log-level",
        "error, warn, info, debug, trace",
    ),
    (
        "QUOTA_LISTEN",
        "nowhere",
        "--listen",
        "an address and port, such as 127.0.0.1:8080",
    ),
    (
        "QUOTA_SHARDS",
        "0",
        "--shards",
        "a whole number from 1 to 256",
    ),
    (
        "QUOTA_DATABASE_CONNECTIONS",
        "abc",
        "--database-connections",
        "from 1 to 1000",
    ),
    (
        "QUOTA_BODY_BYTES_MAX",
        "-1",
        "--body-bytes-max",
        "from 1024 to 104857600",
    ),
    (
        "QUOTA_REQUESTS_MAX",
        "1.5",
        "--requests-max",
        "from 1 to 1000000",
    ),
    ("QUOTA_QUEUE_MAX", "", "--queue-max", "from 1 to 1000000"),
    ("QUOTA_BATCH_MAX", "10001", "--batch-max", "from 1 to 10000"),
    (
        "QUOTA_HOMES_KEPT",
        "x",
        "--homes-kept",
        "from 0 to 10000000",
    ),
    (
        "QUOTA_HOMES_KEPT",
        "-1",
        "--homes-kept",
        "from 0 to 10000000",
    ),
    (
        "DATABASE_URL",
        "postgres://u:hunter2@h:99999/d",
        "DATABASE_URL",
        "invalid port number",
    ),
    (
        "DATABASE_URL",
        "postgres://u:hunter2@h/d?sslmode=perhaps",
        "DATABASE_URL",
        "postgres://user:password@host:port/database",
    ),
    (
        "QUOTA_DEADLINE",
        "soon",
        "--deadline",
        "500ms, 5s, 10m, 72h or 35d",
    ),
    ("QUOTA_GRACE", "0s", "--grace", "500ms, 5s"),
    ("QUOTA_KEYS_KEPT", "1d", "--keys-kept", "at least 7d"),
    ("QUOTA_PRUNE_CRON", "soon", "--prune-cron", "five fields"),
    ("QUOTA_JOBS", "perhaps", "--jobs", "auto, on, off"),
    (
        "QUOTA_METRICS_OPEN",
        "maybe",
        "--metrics-open",
        "true, false",
    ),
    (
        "DATABASE_URL",
        "mysql://u:hunter2@db",
        "DATABASE_URL",
        "postgres://",
    ),
    (
        "REDIS_URL",
        "http://u:hunter2@cache",
        "REDIS_URL",
        "redis://",
    ),
];

#[test]
fn a_wrong_setting_names_itself_and_what_is_allowed_and_exits_with_2() {
    let folder = tempfile::tempdir().expect("a folder");
    let free = ["serve", "--listen", "127.0.0.1:0"];
    for (name, value, shown, allowed) in WRONG_SETTINGS {
        let output = api()
            .current_dir(folder.path())
            .args(if name == "QUOTA_LISTEN" {
                &["serve"][..]
            } else {
                &free
            })
            .env(name, value)
            .output()
            .expect("the binary runs");
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{name}: {told}");
        assert!(told.contains(shown), "{shown} is not in: {told}");
        assert!(told.contains(allowed), "{allowed} is not in: {told}");
        assert!(!told.contains("hunter2"), "a secret is in: {told}");
    }
}

#[test]
fn a_database_that_is_away_shows_no_password() {
    let output = api()
        .args(["keys", "list", "--log-level", "trace"])
        .env("DATABASE_URL", "postgres://quota:hunter2@127.0.0.1:1/quota")
        .output()
        .expect("the binary runs");
    assert_eq!(output.status.code(), Some(1));
    let told = text(&output.stderr) + &text(&output.stdout);
    assert!(told.contains("PostgreSQL"), "{told}");
    assert!(!told.contains("hunter2"), "{told}");
}

#[test]
fn nothing_to_do_is_help_and_2() {
    let output = api().output().expect("the binary runs");
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text(&output.stderr).contains("Usage"),
        "it says how it is used"
    );
}

#[test]
fn keys_are_made_listed_and_revoked() {
    let folder = tempfile::tempdir().expect("a folder");
    let made = run(folder.path(), &["keys", "create", "ci", "--scope", "read"]);
    assert!(made.status.success(), "{}", text(&made.stderr));
    let secret = text(&made.stdout).trim().to_owned();
    assert!(secret.starts_with("quota_"), "{secret}");
    let listed = text(&run(folder.path(), &["keys", "list"]).stdout);
    let line = listed.lines().find(|line| line.ends_with("  ci"));
    let line = line.expect("the key is listed");
    assert!(!listed.contains(&secret), "a secret is shown once");
    let id = line.split_whitespace().next().expect("an id");
    assert!(run(folder.path(), &["keys", "revoke", id]).status.success());
    let unknown = "00000000-0000-7000-8000-000000000000";
    let revoked = run(folder.path(), &["keys", "revoke", unknown]);
    assert_eq!(revoked.status.code(), Some(1));
}

#[test]
fn a_key_has_a_name_that_the_route_takes_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let long = "k".repeat(501);
    for (name, why) in [
        ("", "1 to 500 characters"),
        (&long, "1 to 500 characters"),
        ("a\nb", "control characters"),
        ("a\u{7f}", "control characters"),
    ] {
        let refused = run(folder.path(), &["keys", "create", name]);
        let told = text(&refused.stderr);
        assert_eq!(refused.status.code(), Some(2), "{told}");
        assert!(told.contains("<NAME>") && told.contains(why), "{told}");
    }
    let longest = "k".repeat(500);
    let made = run(folder.path(), &["keys", "create", &longest]);
    assert!(made.status.success(), "{}", text(&made.stderr));
}

#[test]
fn a_catalog_is_planned_and_applied_from_a_file_and_a_mistake_has_its_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("catalog.toml");
    std::fs::write(&file, crate::api_under_test::CATALOG).expect("the file is written");
    assert!(run(folder.path(), &["migrate"]).status.success());
    let planned = run(folder.path(), &["catalog", "plan", "catalog.toml"]);
    assert!(planned.status.success(), "{}", text(&planned.stderr));
    assert!(text(&planned.stdout).contains("+ plan article_pro"));
    let applied = run(folder.path(), &["catalog", "apply", "catalog.toml"]);
    assert!(text(&applied.stdout).contains("applied: version 1"));
    let again = run(folder.path(), &["catalog", "apply", "catalog.toml"]);
    assert!(text(&again.stdout).contains("nothing changes"));
    std::fs::write(&file, "").expect("the file is written");
    let empty = run(folder.path(), &["catalog", "plan", "catalog.toml"]);
    let shown = text(&empty.stdout);
    assert!(shown.contains("- plan article_pro"), "{shown}");
    let says_so = shown.starts_with("the file names no feature and no plan\n");
    assert!(says_so, "{shown}");
    let twice = format!("{0}{0}", crate::api_under_test::CATALOG);
    std::fs::write(&file, twice).expect("the file is written");
    let refused = run(folder.path(), &["catalog", "apply", "catalog.toml"]);
    assert_eq!(refused.status.code(), Some(1));
    let told = text(&refused.stderr);
    // Each on a line of its own, as many as there are features and plans.
    let lines = told.lines().filter(|line| line.contains("stands twice"));
    let placed = lines.filter(|line| line.contains("catalog.toml: line "));
    let entries = crate::api_under_test::CATALOG.matches("[[").count();
    assert!(1 < entries && placed.count() == entries, "{told}");
}

/// C7: a catalog in JSON is planned and applied as one in TOML is; a mistake in it has its line and its path.
#[test]
fn a_catalog_in_json_is_read_by_its_extension_or_its_text() {
    let folder = tempfile::tempdir().expect("a folder");
    let feature =
        r#"{"code":"reports","name":"R","unit":"report","kind":"consumable","cadence":"monthly"}"#;
    let plan = |limit| format!(r#"{{"code":"free","name":"Free","limits":{{"{limit}":10}}}}"#);
    let file = |feature: &str, limit| {
        format!("{{\"feature\":[\n{feature}],\n\"plan\":[{}]}}", plan(limit))
    };
    let run_with = |name: &str, text: String, command| {
        std::fs::write(folder.path().join(name), text).expect("the file is written");
        run(folder.path(), &["catalog", command, name])
    };
    for (name, said) in [("plans.json", "+ plan free"), ("plans", "nothing changes")] {
        let applied = run_with(name, file(feature, "reports"), "apply");
        assert!(applied.status.success(), "{}", text(&applied.stderr));
        assert!(
            text(&applied.stdout).contains(said),
            "{}",
            text(&applied.stdout)
        );
    }
    let lacking = feature.replace(r#""unit":"report","#, "");
    let wrong = [
        (
            file(&lacking, "reports"),
            "line 2",
            "/feature/0/unit: is required",
        ),
        (
            file(feature, "nothing"),
            "plans.json: /plan/0/limits",
            "nothing",
        ),
        ("{".to_owned(), "line 1", "the file ends at line 1"),
    ];
    for (wrong, place, why) in wrong {
        let refused = run_with("plans.json", wrong, "plan");
        let told = text(&refused.stderr);
        assert_eq!(refused.status.code(), Some(1), "{told}");
        assert!(told.contains(place) && told.contains(why), "{told}");
    }
    let fewer = format!("{{\"feature\":[{feature}]}}");
    std::fs::write(folder.path().join("plans"), fewer).expect("the file is written");
    let named = ["catalog", "apply", "plans", "--removing-plan", "gold"];
    let told = run(folder.path(), &named);
    let told = text(&told.stderr);
    assert_eq!(
        told.trim_end(),
        "error: plan `gold` cannot be removed: the catalog has none"
    );
}

/// C7: what accounts hold goes only when the command names it; the refusal says how.
#[test]
fn a_file_that_leaves_out_what_accounts_hold_is_applied_only_with_the_flags_that_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    assert!(run(folder.path(), &["demo", "data"]).status.success());
    std::fs::write(folder.path().join("empty.toml"), "").expect("the file is written");
    let apply = ["catalog", "apply", "empty.toml"];
    let refused = run(folder.path(), &apply);
    assert_eq!(refused.status.code(), Some(1));
    let told = text(&refused.stderr);
    let flags = told
        .lines()
        .filter_map(|line| line.split_once("to remove it: "));
    let flags: Vec<&str> = flags.flat_map(|(_, flag)| flag.split(' ')).collect();
    assert!(flags.contains(&"--removing-feature"), "{told}");
    assert!(flags.contains(&"article_pro"), "{told}");
    let again = run(folder.path(), &["catalog", "plan", "empty.toml"]);
    assert!(
        text(&again.stdout).contains("- plan article_pro"),
        "nothing changed"
    );
    let named: Vec<&str> = apply.iter().chain(&flags).copied().collect();
    let applied = run(folder.path(), &named);
    assert!(applied.status.success(), "{}", text(&applied.stderr));
}

#[test]
fn demo_data_is_filled_in_twice_with_the_same_result_and_never_over_another_catalog() {
    let folder = tempfile::tempdir().expect("a folder");
    for _ in 0..2 {
        let filled = run(folder.path(), &["demo", "data"]);
        assert!(filled.status.success(), "{}", text(&filled.stderr));
    }
    let other = folder.path().join("other.toml");
    let one = include_str!("../../../../crates/quota-core/catalogs/llm-gateway.toml");
    std::fs::write(other, one).expect("the file is written");
    let file = ["--sqlite-file", "other.db"];
    let applied = run(
        folder.path(),
        &["catalog", "apply", "other.toml", file[0], file[1]],
    );
    assert!(applied.status.success(), "{}", text(&applied.stderr));
    let refused = run(folder.path(), &["demo", "data", file[0], file[1]]);
    assert_eq!(refused.status.code(), Some(1));
    let told = text(&refused.stderr);
    let says_all = ["another catalog", "nothing was written", "--sqlite-file"];
    assert!(says_all.iter().all(|words| told.contains(words)), "{told}");
}

#[test]
fn the_page_for_operators_has_every_setting_of_the_help_and_no_other() {
    let of_help = settings_page::of_help(env!("CARGO_BIN_EXE_api"), "serve");
    assert!(of_help.len() > 40, "{of_help:?}");
    let mut of_page = settings_page::of_page("both programs");
    of_page.extend(settings_page::of_page("`api serve` alone"));
    assert_eq!(of_page, of_help);
}

/// A typing mistake leaves no empty database behind.
#[test]
fn a_sqlite_file_that_is_missing_is_made_only_by_commands_that_fill_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let catalog = folder.path().join("catalog.toml");
    std::fs::write(&catalog, crate::api_under_test::CATALOG).expect("the file is written");
    let id = "00000000-0000-7000-8000-000000000000";
    for arguments in [
        &["keys", "list"][..],
        &["keys", "revoke", id],
        &["catalog", "plan", "catalog.toml"],
    ] {
        let refused = run(folder.path(), arguments);
        let error = text(&refused.stderr);
        assert_eq!(refused.status.code(), Some(2), "{error}");
        assert!(
            error.contains("there is no SQLite file quota.db"),
            "{error}"
        );
        assert!(!folder.path().join("quota.db").exists(), "{arguments:?}");
    }
    for (file, arguments) in [
        ("a.db", &["migrate"][..]),
        ("b.db", &["keys", "create", "ci"]),
        ("c.db", &["catalog", "apply", "catalog.toml"]),
        ("d.db", &["demo", "data"]),
    ] {
        let made = api()
            .current_dir(folder.path())
            .env("QUOTA_SQLITE_FILE", file)
            .args(arguments)
            .output()
            .expect("the binary runs");
        assert!(made.status.success(), "{}", text(&made.stderr));
        assert!(folder.path().join(file).exists(), "{arguments:?}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_fault() {
    let folder = tempfile::tempdir().expect("a folder");
    let catalog = folder.path().join("catalog.toml");
    std::fs::write(&catalog, crate::api_under_test::CATALOG).expect("the file is written");
    for arguments in [
        &["migrate"][..],
        &["keys", "create", "ci"],
        &["keys", "list"],
        &["catalog", "plan", "catalog.toml"],
        &["catalog", "apply", "catalog.toml"],
        &["serve", "--help"],
    ] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let mut command = api();
        command.current_dir(folder.path()).args(arguments);
        let output = command.stdout(writer.try_clone().expect("a pipe")).output();
        let output = output.expect("the binary runs");
        let error = text(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {error}");
        assert!(!error.contains("panicked"), "{arguments:?}: {error}");
        // The log has nowhere to go either.
        let status = command
            .stdout(writer.try_clone().expect("a pipe"))
            .stderr(writer)
            .status();
        assert!(status.expect("the binary runs").success(), "{arguments:?}");
    }
}

/// Linux has a file that is always full.
#[test]
fn output_that_cannot_be_written_is_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let Ok(full) = std::fs::OpenOptions::new().write(true).open("/dev/full") else {
        return;
    };
    let mut command = api();
    command.current_dir(folder.path()).arg("migrate");
    let output = command.stdout(full).output().expect("the binary runs");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("the output cannot be written"));
}
