//! The docs name only what exists.

use tidy::claims::{broken_links, unheld_claims, unknown_commands};
use tidy::repo::{RepoFile, files};

#[test]
fn what_the_docs_name_exists() {
    let files = files();
    let mut wrong = broken_links(&files);
    wrong.extend(unknown_commands(&files));
    wrong.extend(unheld_claims(&files));
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn a_link_is_followed_from_its_page() {
    let page =
        "[a](../README.md#top) [b](gone.md) [c](https://example.com) `[d](x)` [e](decisions)";
    let files = [
        RepoFile::new("README.md", ""),
        RepoFile::new("docs/decisions/0001-a.md", ""),
        RepoFile::new("docs/A.md", page),
    ];
    assert_eq!(
        broken_links(&files),
        ["docs/A.md: link to gone.md, which is not there"]
    );
}

#[test]
fn recipes_and_crates_are_looked_up() {
    let page =
        "`just test`, `just dance`\n\n```sh\ncargo run -p api -- --demo\ncargo run -p apo\n```";
    let files = [
        RepoFile::new("justfile", "test *args:\n    cargo test\n"),
        RepoFile::new("bins/api/Cargo.toml", "[package]\nname = \"api\""),
        RepoFile::new("README.md", page),
    ];
    let mut wrong = unknown_commands(&files);
    wrong.sort();
    assert_eq!(
        wrong,
        [
            "README.md: `-p apo` does not exist",
            "README.md: `just dance` does not exist"
        ]
    );
}

#[test]
fn a_strong_word_needs_a_test() {
    let test = "#[test]\nfn a_retry_changes_nothing() {}";
    let page = "Credited exactly\nonce (`a_retry_changes_nothing`).\n\nWe guarantee it.";
    let files = [
        RepoFile::new("crates/a/src/lib.rs", test),
        RepoFile::new("README.md", page),
    ];
    assert_eq!(
        unheld_claims(&files),
        ["README.md: \"guarantee\" names no test that holds it"]
    );
}
