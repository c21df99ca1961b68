//! Finds the tests of a source file, with the notes that are in them and right above them.

use crate::mask::{item_end, mask};
use crate::repo::RepoFile;

/// Functions in this folder are tests that every store runs.
const CONFORMANCE_FOLDER: &str = "crates/testkit/src/conformance";
/// A macro with one of these in its name makes tests out of what it is given.
const TEST_MACROS: [&str; 4] = ["test", "case", "example", "conformance"];

/// A test and what it says about itself.
#[derive(Clone, Debug)]
pub struct TestFunction {
    /// The function's name, or the macro's.
    pub name: String,
    /// Comments and strings inside it, and the comments right above it.
    pub notes: String,
}

/// Every test in `file`.
pub fn test_functions(file: &RepoFile) -> Vec<TestFunction> {
    if !file.has_extension("rs") {
        return Vec::new();
    }
    let masked = mask(&file.text);
    let (code, notes) = (&masked.code, &masked.notes);
    let mut found = Vec::new();
    let mut covered = 0;
    for at in starts(file, code) {
        if at < covered {
            continue;
        }
        let end = item_end(code, function_at(code, at));
        covered = end;
        let from = notes_start(&file.text, at);
        found.push(TestFunction {
            name: name_at(code, at),
            notes: notes[from..end].to_owned(),
        });
    }
    found
}

/// Where tests begin, in order: at the attribute, the function of a suite, or the macro.
fn starts(file: &RepoFile, code: &str) -> Vec<usize> {
    let in_suite = file.path.starts_with(CONFORMANCE_FOLDER);
    let mut starts = Vec::new();
    let mut line_at = 0;
    for line in code.split_inclusive('\n') {
        let text = line.trim_start();
        let at = line_at + line.len() - text.len();
        let is_suite_function = in_suite && text.starts_with("pub ") && text.contains("fn ");
        if is_test_attribute(text) || is_suite_function || is_test_macro(text) {
            starts.push(at);
        }
        line_at += line.len();
    }
    starts
}

/// `#[test]`, `#[tokio::test(…)]`, `#[test_case(…)]`, `#[rstest]`.
fn is_test_attribute(text: &str) -> bool {
    let Some(inside) = text.strip_prefix("#[") else {
        return false;
    };
    let path: String = inside
        .chars()
        .take_while(|c| c.is_alphanumeric() || matches!(c, '_' | ':'))
        .collect();
    matches!(
        path.rsplit("::").next(),
        Some("test" | "rstest" | "test_case")
    )
}

/// `conformance!(…`, but not `proptest! {`, whose functions have `#[test]`, nor a definition.
fn is_test_macro(text: &str) -> bool {
    let Some((name, rest)) = text.split_once('!') else {
        return false;
    };
    let is_word = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    let makes_tests = TEST_MACROS.iter().any(|part| name.contains(part));
    is_word && makes_tests && name != "proptest" && rest.trim_start().starts_with(['(', '{', '['])
}

/// From an attribute on to its function: the attributes' own brackets end no item.
fn function_at(code: &str, at: usize) -> usize {
    if !code[at..].starts_with("#[") {
        return at;
    }
    find_word(code, at, "fn").unwrap_or(at)
}

fn name_at(code: &str, at: usize) -> String {
    let rest = &code[at..];
    let is_macro = rest
        .split_once('!')
        .is_some_and(|(name, _)| !name.contains([' ', '[', '(']));
    let from = if is_macro {
        at
    } else {
        find_word(code, at, "fn").map_or(at, |at| at + 3)
    };
    code[from..]
        .chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect()
}

fn find_word(code: &str, from: usize, word: &str) -> Option<usize> {
    let spaced = format!("{word} ");
    code[from..]
        .match_indices(&spaced)
        .map(|(at, _)| from + at)
        .find(|at| !code[..*at].ends_with(|before: char| before.is_alphanumeric() || before == '_'))
}

/// Up from the line of `at` over comments and attributes.
fn notes_start(text: &str, at: usize) -> usize {
    let mut start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    while let Some(before) = start.checked_sub(1) {
        let line_start = text[..before].rfind('\n').map_or(0, |newline| newline + 1);
        let line = text[line_start..before].trim_start();
        if !line.starts_with("//") && !line.starts_with("#[") || line.starts_with("//!") {
            break;
        }
        start = line_start;
    }
    start
}

#[cfg(test)]
mod tests {
    use super::test_functions;
    use crate::repo::RepoFile;

    const SOURCE: &str = r#"
//! F9 is about the file
const NOT: &str = "C1";
/// W1: half open.
#[tokio::test(flavor = "multi_thread")]
async fn windows_tile_time() {
    // and W2
    assert!(true, "S1 {}", 1);
}
fn helper() { /* O1 */ }
proptest! {
    #[test]
    fn amounts_add_up(a in 0..5_u32) { /* X1 */ }
}
conformance!(Store::fresh();
    // R1
    a_hold_is_released,
);
"#;

    #[test]
    fn tests_are_found_with_their_notes_and_nothing_elses() {
        let tests = test_functions(&RepoFile::new("crates/a/src/lib.rs", SOURCE));
        let names: Vec<_> = tests.iter().map(|test| test.name.as_str()).collect();
        assert_eq!(
            names,
            ["windows_tile_time", "amounts_add_up", "conformance"]
        );
        let quotes = |index: usize, rule: &str| tests[index].notes.contains(rule);
        assert!(quotes(0, "W1") && quotes(0, "W2") && quotes(0, "S1"));
        assert!(quotes(1, "X1") && quotes(2, "R1"));
        let all: String = tests.iter().map(|test| test.notes.as_str()).collect();
        assert!(!all.contains("F9") && !all.contains("C1") && !all.contains("O1"));
    }

    #[test]
    fn a_suites_functions_are_tests() {
        let text =
            "/// T1\npub async fn a_cap_is_spent<S: Store>(store: S) { }\nfn own() { /* T2 */ }";
        let tests = test_functions(&RepoFile::new(
            "crates/testkit/src/conformance/caps.rs",
            text,
        ));
        assert_eq!(tests.len(), 1);
        assert!(tests[0].name == "a_cap_is_spent" && tests[0].notes.contains("T1"));
    }
}
