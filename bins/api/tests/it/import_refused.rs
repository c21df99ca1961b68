//! `api import`: lines that cannot be right. Each is refused alone, with its number, field and sentence; the others are done.

use serde_json::Value;

use crate::import::Place;

/// A line, the field that is told, and a part of the sentence.
const WRONG: [(&str, Option<&str>, &str); 27] = [
    (
        r#"{"type": "user", "id": "#,
        None,
        "before its JSON is complete",
    ),
    (r#"{"type": "user"} {}"#, None, "trailing characters"),
    (r#"["user", "ann"]"#, None, "must be an object"),
    (r#"{"id": "ann"}"#, Some("type"), "is required"),
    (
        r#"{"type": "plan", "code": "gold"}"#,
        Some("type"),
        "must be one of",
    ),
    (r#"{"type": "user"}"#, Some("id"), "is required"),
    (
        r#"{"type": "user", "id": ""}"#,
        Some("id"),
        "must not be empty",
    ),
    (
        r#"{"type": "user", "id": "x", "id": "y"}"#,
        Some("id"),
        "is there twice",
    ),
    (
        r#"{"type": "user", "id": "x", "colour": 1}"#,
        Some("colour"),
        "is not a known field",
    ),
    (
        r#"{"type": "user", "id": "x", "time_zone": "Mars"}"#,
        Some("time_zone"),
        "tz database",
    ),
    (
        r#"{"type": "user", "id": "x", "org": "later"}"#,
        Some("org"),
        "its line must come before those of its members",
    ),
    (
        r#"{"type": "subscription", "account": "user:nobody", "plan": "llm_team"}"#,
        Some("account"),
        "its `user` or `org` line must come first",
    ),
    (
        r#"{"type": "usage", "user": "nobody", "feature": "llm_tokens", "amount": 1}"#,
        Some("user"),
        "its `user` or `org` line must come first",
    ),
    (
        r#"{"type": "subscription", "account": "ann", "plan": "llm_team"}"#,
        Some("account"),
        "user:",
    ),
    (
        r#"{"type": "subscription", "account": "user:ann", "plan": "gold"}"#,
        Some("plan"),
        "plan `gold` is not in the catalog",
    ),
    (
        r#"{"type": "subscription", "account": "user:ann", "plan": "llm_team", "status": "incomplete"}"#,
        Some("status"),
        "must be one of",
    ),
    (
        r#"{"type": "override", "account": "user:ann", "feature": "songs", "limit": 1}"#,
        Some("feature"),
        "feature `songs` is not in the catalog",
    ),
    (
        r#"{"type": "override", "account": "user:ann", "feature": "llm_tokens", "limit": -2}"#,
        Some("limit"),
        "unlimited",
    ),
    (
        r#"{"type": "override", "account": "user:ann", "feature": "llm_tokens"}"#,
        Some("limit"),
        "is required",
    ),
    (
        r#"{"type": "usage", "user": "ann", "feature": "llm_tokens", "amount": -5}"#,
        Some("amount"),
        "a whole number from 1 to",
    ),
    (
        r#"{"type": "usage", "user": "ann", "feature": "llm_tokens", "amount": 1, "at": "2020-01-01T00:00:00Z"}"#,
        Some("at"),
        "days ago",
    ),
    (
        r#"{"type": "token", "user": "ann", "id": "ci"}"#,
        Some("cap"),
        "is required",
    ),
    (
        r#"{"type": "credits", "account": "user:ann", "amount": -20}"#,
        Some("amount"),
        "is a debt, and a debt is not brought over",
    ),
    (
        r#"{"type": "credits", "account": "user:ann", "amount": 0}"#,
        Some("amount"),
        "leave out who has none",
    ),
    (
        r#"{"type": "payment", "account": "user:ann", "provider": "stripe", "ref": "pi_1", "amount": 1, "currency": "eur"}"#,
        Some("paid_at"),
        "is required",
    ),
    (
        r#"{"type": "payment", "account": "user:ann", "provider": "stripe", "ref": "pi_1", "amount": 1, "currency": "eur", "paid_at": "2999-01-01T00:00:00Z"}"#,
        Some("paid_at"),
        "must not be in the future",
    ),
    (
        r#"{"type": "customer", "account": "user:ann", "provider": "stripe", "customer": "cus_taken"}"#,
        Some("customer"),
        "is linked to `user:ben` already",
    ),
];

/// Each wrong line is told with its number, field and sentence and kept as it was; what stands around it is done all the same.
#[test]
fn each_wrong_line_is_refused_alone_with_its_field() {
    let place = Place::new();
    let known = r#"{"type": "user", "id": "ben"}
{"type": "customer", "account": "user:ben", "provider": "stripe", "customer": "cus_taken"}
"#;
    assert_eq!(place.import(known, &[]).code, Some(0));
    let mut file = String::from("{\"type\": \"user\", \"id\": \"ann\"}\n");
    for (line, _, _) in WRONG {
        file.push_str(line);
        file.push('\n');
    }
    file.push_str("{\"type\": \"org\", \"id\": \"later\"}\n");
    let ran = place.import(&file, &["--refused", "refused.ndjson"]);
    assert_eq!(ran.code, Some(1));
    let wrong = u64::try_from(WRONG.len()).expect("a number");
    assert_eq!(ran.row("all"), [2, 0, 0, wrong], "{}", ran.complained);
    let kept = std::fs::read_to_string(place.path("refused.ndjson")).expect("it is there");
    let mut kept: Vec<Value> = kept
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    kept.sort_by_key(|line| line["line"].as_u64());
    assert_eq!(kept.len(), WRONG.len());
    let mut unlike = Vec::new();
    for (number, ((line, field, part), kept)) in (2_u64..).zip(WRONG.iter().zip(&kept)) {
        assert_eq!(kept["line"], number, "{line}");
        assert_eq!(kept["was"], *line);
        let sentence = kept["sentence"].as_str().expect("a sentence");
        if kept["field"].as_str() != *field || !sentence.contains(part) {
            unlike.push(kept.to_string());
        }
        assert!(ran.complained.contains(sentence), "{}", ran.complained);
    }
    assert_eq!(unlike, Vec::<String>::new());
}

/// Two lines about one matter that say different things: the first is done, the other refused, now and in a later run.
/// With keys of their own both are done.
#[test]
fn two_different_lines_of_one_matter_are_told_apart() {
    let place = Place::new();
    let file = r#"{"type": "user", "id": "ann"}
{"type": "credits", "account": "user:ann", "id": "old", "amount": 5}
{"type": "credits", "account": "user:ann", "id": "old", "amount": 5}
{"type": "credits", "account": "user:ann", "id": "old", "amount": 7}
"#;
    for (arguments, table) in [
        (&["--dry-run"][..], [2, 0, 1, 1]),
        (&[], [2, 0, 1, 1]),
        (&[], [0, 0, 3, 1]),
        (&["--dry-run"], [0, 0, 3, 1]),
    ] {
        let ran = place.import(file, arguments);
        assert_eq!(ran.row("all"), table, "{}", ran.complained);
        assert!(
            ran.complained
                .contains("line 4, `key`: was used for another line")
        );
    }
    let keyed = r#"{"type": "usage", "key": "a", "user": "ann", "feature": "llm_tokens", "amount": 1}
{"type": "usage", "key": "b", "user": "ann", "feature": "llm_tokens", "amount": 2}
"#;
    assert_eq!(place.import(keyed, &[]).row("usage"), [2, 0, 0, 0]);
    assert_eq!(place.import(keyed, &[]).row("usage"), [0, 0, 2, 0]);
}

/// A line that is longer than can be is refused without being kept in memory, and the next one is read.
#[test]
fn a_line_that_is_too_long_is_refused_and_the_next_one_done() {
    let place = Place::new();
    let file = format!(
        "{}\n{}\n",
        "x".repeat(1_000_000),
        r#"{"type": "user", "id": "ann"}"#
    );
    let ran = place.import(&file, &[]);
    assert_eq!(ran.row("all"), [1, 0, 0, 1], "{}", ran.complained);
    assert!(
        ran.complained
            .contains("line 1: the line is longer than 65536 bytes")
    );
}

/// A file or a database that is not there is named, and nothing is made.
#[test]
fn what_is_not_there_is_named() {
    let place = Place::new();
    let ran = place.run(&["import", "missing.ndjson"]);
    assert!(
        ran.complained.contains("missing.ndjson: cannot be read"),
        "{}",
        ran.complained
    );
    place.write("old.ndjson", "");
    let ran = place.run(&["import", "old.ndjson", "--sqlite-file", "typo.db"]);
    assert_eq!(ran.code, Some(2));
    assert!(!place.path("typo.db").exists());
}
