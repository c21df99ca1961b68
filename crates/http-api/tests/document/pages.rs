//! docs/PROBLEMS.md, docs/CATALOG.md and docs/OPERATING.md beside the code.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use quota_core::catalog::Catalog;
use quota_core::provider::ProblemKind;
use serde_json::Value;

use crate::api::document;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> String {
    let path = root().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The rows of a page's tables: their cells.
fn rows(page: &str) -> Vec<Vec<String>> {
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells = row.trim_matches('|').split(" | ");
        cells.map(|cell| cell.trim().to_owned()).collect()
    })
    .collect()
}

fn words(cell: &str) -> BTreeSet<String> {
    let parts = cell.split('`').skip(1).step_by(2);
    parts.map(str::to_owned).collect()
}

/// The codes of docs/PROBLEMS.md with their statuses.
pub(crate) fn codes() -> BTreeMap<String, BTreeSet<u16>> {
    let rows = rows(&read("docs/PROBLEMS.md")).into_iter();
    let row = |cells: Vec<String>| {
        let statuses = cells[1].split(", ").map(str::parse);
        let statuses = statuses.collect::<Result<_, _>>();
        let code = cells[0].trim_matches('`').to_owned();
        (code, statuses.expect("statuses are numbers"))
    };
    rows.map(row).collect()
}

/// Texts that look like codes, each with what is before it on its line or lines.
fn literals(source: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    let mut at = 0;
    let is_word = |text: &str| {
        text.bytes()
            .all(|byte| byte == b'_' || byte.is_ascii_lowercase())
    };
    for (index, part) in source.split('"').enumerate() {
        if index % 2 == 1 && !part.is_empty() && is_word(part) {
            found.push((source[..at - 1].trim_end(), part));
        }
        at += part.len() + 1;
    }
    found
}

/// The codes that a function of quota-core called `code` gives.
fn codes_of(path: &str) -> BTreeSet<String> {
    let source = read(path);
    let (_, body) = source.split_once("pub fn code(").expect("it has codes");
    let (body, _) = body.split_once("\n    }\n").expect("the function ends");
    let codes = literals(body).into_iter();
    codes.map(|(_, code)| code.to_owned()).collect()
}

/// The codes of problems that http-api makes itself.
fn own_codes() -> BTreeSet<String> {
    let mut open = vec![root().join("crates/http-api/src")];
    let mut codes = BTreeSet::new();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            let entries = std::fs::read_dir(&path).expect("a folder");
            open.extend(entries.map(|entry| entry.expect("an entry").path()));
            continue;
        }
        let source = std::fs::read_to_string(&path).expect("a file");
        for (before, code) in literals(&source) {
            let follows_status = before.strip_suffix(',').is_some_and(|before| {
                let name = before.rsplit(['(', ' ', '\n']).next().unwrap_or_default();
                name == "status" || name.starts_with("StatusCode::")
            });
            let calls = ["unavailable(", "unready(", "Self::invalid("];
            let line = before.rsplit('\n').next().unwrap_or_default();
            let faults = ["WriteFault::", "WebhookRefusal::"];
            let is_fault =
                faults.iter().any(|of| line.contains(of)) && line.trim_end().ends_with("=>");
            if follows_status || is_fault || calls.iter().any(|call| before.ends_with(call)) {
                codes.insert(code.to_owned());
            }
        }
    }
    codes
}

#[test]
fn the_page_of_problems_lists_every_code_and_no_other() {
    let document = document();
    let reasons = document["components"]["schemas"]["Reason"]["enum"].as_array();
    let reasons: BTreeSet<String> = reasons
        .expect("an enum")
        .iter()
        .map(|reason| reason.as_str().expect("a word").to_owned())
        .collect();
    assert_eq!(reasons, codes_of("crates/quota-core/src/denial.rs"));
    let mut wanted = codes_of("crates/quota-core/src/rejection.rs");
    wanted.extend(codes_of("crates/quota-core/src/payment_misfit.rs"));
    wanted.extend(codes_of("crates/quota-core/src/code_misfit.rs"));
    wanted.extend(reasons);
    let own = own_codes();
    assert!(own.len() > 20, "{own:?}");
    wanted.extend(own);
    let listed: BTreeSet<String> = codes().into_keys().collect();
    let lacking: Vec<_> = wanted.difference(&listed).collect();
    let stale: Vec<_> = listed.difference(&wanted).collect();
    assert!(
        lacking.is_empty() && stale.is_empty(),
        "docs/PROBLEMS.md lacks {lacking:?} and lists {stale:?} for nothing"
    );
}

#[test]
fn the_page_of_operating_has_every_kind_of_billing_problem() {
    let page = read("docs/OPERATING.md");
    let (_, part) = page
        .split_once("### What to do about each problem")
        .expect("a section");
    let part = part.split("\n## ").next().expect("its text");
    let listed: BTreeSet<String> = rows(part).into_iter().map(|row| row[0].clone()).collect();
    let kinds = ProblemKind::ALL.iter();
    let known: BTreeSet<String> = kinds.map(|kind| format!("`{}`", kind.as_str())).collect();
    assert_eq!(listed, known);
}

#[test]
fn the_page_of_the_catalog_lists_every_key_and_word() {
    let (document, page) = (document(), read("docs/CATALOG.md"));
    let sections = [
        ("Feature", "## `[[feature]]`"),
        ("Plan", "## `[[plan]]`"),
        ("Pack", "## `[[pack]]`"),
        ("PackBoost", "## The boost of a pack"),
        ("PlanLimit", "## A limit of a plan"),
        ("OnDemand", "## On demand"),
    ];
    for (name, title) in sections {
        let (_, part) = page.split_once(title).expect("a section");
        let part = part.split("\n## ").next().expect("its text");
        let schema = &document["components"]["schemas"][name];
        let keys = schema["properties"].as_object().expect("properties");
        let rows = rows(part);
        assert!(!rows.is_empty(), "{name}");
        let listed: BTreeSet<&str> = rows.iter().map(|row| row[0].trim_matches('`')).collect();
        let known: BTreeSet<&str> = keys.keys().map(String::as_str).collect();
        assert_eq!(listed, known, "{name}");
        for row in &rows {
            let key = row[0].trim_matches('`');
            let required = schema["required"].as_array().expect("a list");
            let is_required = required.iter().any(|one| one == key);
            assert_eq!(row[2] == "required", is_required, "{name} {key}");
            if let Some(enumerated) = enum_of(&document, &keys[key]) {
                assert_eq!(words(&row[1]), enumerated, "{name} {key}");
            }
        }
    }
}

/// The words of a property that is an enum, perhaps behind `null`.
fn enum_of(document: &Value, property: &Value) -> Option<BTreeSet<String>> {
    let parts = property["oneOf"].as_array().into_iter().flatten();
    let mut references = parts
        .chain([property])
        .filter_map(|part| part["$ref"].as_str());
    let schema = document.pointer(references.next()?.trim_start_matches('#'))?;
    let words = schema["enum"].as_array()?.iter();
    Some(
        words
            .filter_map(|word| Some(word.as_str()?.to_owned()))
            .collect(),
    )
}

#[test]
fn the_example_of_the_catalog_page_is_taken() {
    let page = read("docs/CATALOG.md");
    let (_, example) = page.split_once("```toml\n").expect("an example");
    let (example, _) = example.split_once("```").expect("it ends");
    let file = http_api::read_catalog_toml(example).expect("it is read");
    let catalog = Catalog::default().applied(&file).expect("it is valid");
    assert_eq!((catalog.features.len(), catalog.plans.len()), (4, 2));
}
