//! What the docs claim: files, recipes, crates and tests that they name must exist, and a strong
//! word must name the test that holds it.

use std::collections::BTreeSet;

use crate::repo::RepoFile;
use crate::test_functions::test_functions;

/// Words that promise something no reader can check without the test's name.
const STRONG_WORDS: [&str; 5] = [
    "exactly once",
    "never lost",
    "nothing is lost",
    "no data loss",
    "guarantee",
];
/// States what shall be; `just rules` holds it to the tests.
const RULE_BOOK: &str = "docs/RULES.md";

/// Relative links to files that are not there.
pub fn broken_links(files: &[RepoFile]) -> Vec<String> {
    let paths: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
    let exists = |path: &str| {
        let folder = format!("{path}/");
        path.is_empty() || paths.contains(path) || paths.iter().any(|p| p.starts_with(&folder))
    };
    let mut wrong = Vec::new();
    for file in pages(files) {
        for target in links(&prose(&file.text)) {
            let path = target.split('#').next().unwrap_or_default();
            let outside = target.contains("://") || target.starts_with("mailto:");
            if !outside && !path.is_empty() && !exists(&resolve(&file.path, path)) {
                wrong.push(format!(
                    "{}: link to {target}, which is not there",
                    file.path
                ));
            }
        }
    }
    wrong
}

/// `just NAME` without such a recipe, and `-p NAME` without such a crate.
pub fn unknown_commands(files: &[RepoFile]) -> Vec<String> {
    let justfile = files.iter().find(|file| file.path == "justfile");
    let recipes: BTreeSet<&str> = justfile
        .into_iter()
        .flat_map(|file| file.text.lines())
        .filter(|line| !line.starts_with([' ', '#']) && !line.contains(":="))
        .filter_map(|line| line.split_once(':')?.0.split_whitespace().next())
        .collect();
    let crates: BTreeSet<&str> = files
        .iter()
        .filter(|file| file.name() == "Cargo.toml")
        .filter_map(|file| file.text.split_once("name = \"")?.1.split('"').next())
        .collect();
    let mut wrong = Vec::new();
    for file in pages(files) {
        for code in quoted_code(&file.text) {
            let words: Vec<&str> = code.split_whitespace().collect();
            for pair in words.windows(2) {
                let name = pair[1].trim_matches(|c: char| !c.is_alphanumeric());
                let unknown_recipe = pair[0] == "just" && !recipes.contains(name);
                let unknown_crate =
                    pair[0] == "-p" && words[0] == "cargo" && !crates.contains(name);
                if unknown_recipe || unknown_crate {
                    wrong.push(format!(
                        "{}: `{} {name}` does not exist",
                        file.path, pair[0]
                    ));
                }
            }
        }
    }
    wrong
}

/// Strong words in a paragraph that names no existing test in backticks.
pub fn unheld_claims(files: &[RepoFile]) -> Vec<String> {
    let tests: BTreeSet<String> = files
        .iter()
        .flat_map(test_functions)
        .map(|test| test.name)
        .collect();
    let mut wrong = Vec::new();
    for file in pages(files).filter(|file| file.path != RULE_BOOK) {
        for paragraph in file.text.split("\n\n") {
            let plain = paragraph.to_lowercase().replace('\n', " ");
            let names = inline_code(paragraph);
            let held = names.iter().any(|name| {
                tests.contains(
                    name.rsplit("::")
                        .next()
                        .unwrap_or(name)
                        .trim_end_matches("()"),
                )
            });
            let strong = STRONG_WORDS.iter().find(|word| plain.contains(**word));
            if let Some(word) = strong.filter(|_| !held) {
                wrong.push(format!(
                    "{}: \"{word}\" names no test that holds it",
                    file.path
                ));
            }
        }
    }
    wrong
}

fn pages(files: &[RepoFile]) -> impl Iterator<Item = &RepoFile> {
    files.iter().filter(|file| file.has_extension("md"))
}

/// The text outside fenced and inline code.
fn prose(text: &str) -> String {
    let outside_fences: Vec<&str> = text.split("```").step_by(2).collect();
    let joined = outside_fences.join("\n");
    let outside_code: Vec<&str> = joined.split('`').step_by(2).collect();
    outside_code.join("code")
}

/// Lines of fenced blocks, and inline code.
fn quoted_code(text: &str) -> Vec<&str> {
    let fenced = text.split("```").skip(1).step_by(2).flat_map(str::lines);
    fenced
        .map(str::trim)
        .chain(inline_code(text))
        .filter(|code| !code.is_empty())
        .collect()
}

fn inline_code(text: &str) -> Vec<&str> {
    let outside_fences = text.split("```").step_by(2);
    outside_fences
        .flat_map(|part| part.split('`').skip(1).step_by(2))
        .collect()
}

fn links(text: &str) -> Vec<String> {
    let targets = text
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'));
    targets
        .map(|(target, _)| target.split(' ').next().unwrap_or_default().to_owned())
        .collect()
}

/// `target` as seen from the folder of the page `from`.
fn resolve(from: &str, target: &str) -> String {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}
