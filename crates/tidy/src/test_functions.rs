//! Finds the tests of a source file, with the notes that are in them and right above them.

use std::ops::Range;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

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
///
/// # Panics
///
/// When the file is no Rust.
pub fn test_functions(file: &RepoFile) -> Vec<TestFunction> {
    if !file.has_extension("rs") {
        return Vec::new();
    }
    let tokens: TokenStream = match file.text.parse() {
        Ok(tokens) => tokens,
        Err(error) => panic!("{}: {error}", file.path),
    };
    let mut places = Vec::new();
    find(
        &trees(tokens.clone()),
        file.path.starts_with(CONFORMANCE_FOLDER),
        &mut places,
    );
    let mut notes = file.text.clone().into_bytes();
    blank_code(tokens, &file.text, &mut notes);
    let tests = places.into_iter().map(|(name, place)| {
        let from = notes_start(&file.text, place.start);
        let notes = String::from_utf8_lossy(&notes[from..place.end]).into_owned();
        TestFunction { name, notes }
    });
    tests.collect()
}

fn trees(tokens: TokenStream) -> Vec<TokenTree> {
    tokens.into_iter().collect()
}

/// Names and places of the tests among some tokens, and in the groups among them.
fn find(tokens: &[TokenTree], in_suite: bool, found: &mut Vec<(String, Range<usize>)>) {
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let rest = &tokens[at..];
        let is_start = is_test_attribute(rest) || in_suite && is_word(token, "pub");
        let test = if is_start {
            function(rest)
        } else {
            test_macro(rest)
        };
        if let Some((name, length, end)) = test {
            found.push((name, token.span().byte_range().start..end));
            at += length;
            continue;
        }
        if let TokenTree::Group(group) = token {
            find(&trees(group.stream()), in_suite, found);
        }
        at += 1;
    }
}

fn is_word(token: &TokenTree, word: &str) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident == word)
}

fn is_sign(token: &TokenTree, sign: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == sign)
}

/// `#[test]`, `#[tokio::test(…)]`, `#[test_case(…)]`, `#[rstest]`.
fn is_test_attribute(tokens: &[TokenTree]) -> bool {
    let [hash, TokenTree::Group(group), ..] = tokens else {
        return false;
    };
    let inside = trees(group.stream());
    let path = inside
        .iter()
        .take_while(|token| matches!(token, TokenTree::Ident(_)) || is_sign(token, ':'));
    is_sign(hash, '#')
        && path.last().is_some_and(|last| {
            ["test", "rstest", "test_case"]
                .iter()
                .any(|name| is_word(last, name))
        })
}

/// The function that begins here with its attributes: its name, its number of tokens, and where its text ends.
fn function(tokens: &[TokenTree]) -> Option<(String, usize, usize)> {
    let ends = |token: &TokenTree| is_sign(token, ';') || braces(token).is_some();
    let end = tokens.iter().position(ends)?;
    let at = tokens[..end]
        .iter()
        .position(|token| is_word(token, "fn"))?;
    let name = tokens[at + 1].to_string();
    Some((name, end + 1, braces(&tokens[end])?))
}

/// Where a block in braces ends.
fn braces(token: &TokenTree) -> Option<usize> {
    let TokenTree::Group(group) = token else {
        return None;
    };
    (group.delimiter() == Delimiter::Brace).then(|| end_of(group))
}

fn end_of(group: &Group) -> usize {
    group.span_close().byte_range().end
}

/// `conformance!(…`, but not `proptest! {`, whose functions have `#[test]`, nor a definition.
fn test_macro(tokens: &[TokenTree]) -> Option<(String, usize, usize)> {
    let [TokenTree::Ident(name), bang, TokenTree::Group(group), ..] = tokens else {
        return None;
    };
    let name = name.to_string();
    let makes_tests = TEST_MACROS.iter().any(|part| name.contains(part)) && name != "proptest";
    (is_sign(bang, '!') && makes_tests).then(|| (name, 3, end_of(group)))
}

/// Blanks all that is neither a comment nor a literal.
fn blank_code(tokens: TokenStream, text: &str, notes: &mut [u8]) {
    for token in tokens {
        let place = token.span().byte_range();
        // A comment of the documentation is an attribute to the compiler.
        let is_comment =
            text[place.start..].starts_with('/') && text[place.start + 1..].starts_with(['/', '*']);
        match token {
            TokenTree::Literal(_) => {}
            _ if is_comment => {}
            TokenTree::Group(group) => {
                blank(notes, group.span_open().byte_range());
                blank(notes, group.span_close().byte_range());
                blank_code(group.stream(), text, notes);
            }
            TokenTree::Ident(_) | TokenTree::Punct(_) => blank(notes, place),
        }
    }
}

fn blank(notes: &mut [u8], place: Range<usize>) {
    for byte in &mut notes[place] {
        *byte = if *byte == b'\n' { b'\n' } else { b' ' };
    }
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
