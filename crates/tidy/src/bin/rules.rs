//! Prints each rule of docs/RULES.md with the tests that quote it; fails on a rule without one, unless
//! docs/rules-open.txt says that it is not built yet, and on a rule there that has a test by now.

use std::process::ExitCode;

use tidy::repo;
use tidy::rulebook::{read, tests_by_rule};

/// More names than this say nothing more about a rule.
const NAMES_SHOWN_MAX: usize = 6;

fn main() -> ExitCode {
    let files = repo::files();
    let Some(book) = files.iter().find(|file| file.path == "docs/RULES.md") else {
        eprintln!("rules: docs/RULES.md is missing");
        return ExitCode::FAILURE;
    };
    let rules = read(&book.text);
    let open = open_rules(&files);
    let (mut gaps, mut later, mut closed) = (Vec::new(), Vec::new(), Vec::new());
    for (rule, names) in tests_by_rule(&rules, &files) {
        let is_open = open.contains(&rule.name());
        if is_open && !names.is_empty() {
            closed.push(rule.name());
        }
        match (names.is_empty(), rule.is_built() && !is_open) {
            (false, _) => println!("{:<4} -> {}", rule.name(), shown(&names)),
            (true, true) => gaps.push(rule.name()),
            (true, false) => later.push(rule.name()),
        }
    }
    println!("not built yet: {}", later.join(" "));
    if rules.is_empty() || !gaps.is_empty() {
        eprintln!(
            "rules: {} rules, no test quotes: {}",
            rules.len(),
            gaps.join(" ")
        );
        return ExitCode::FAILURE;
    }
    if !closed.is_empty() {
        eprintln!(
            "rules: have a test, strike them out of docs/rules-open.txt: {}",
            closed.join(" ")
        );
        return ExitCode::FAILURE;
    }
    println!("{} rules, each of those built has a test", rules.len());
    ExitCode::SUCCESS
}

/// The rules that docs/rules-open.txt lists, `#` lines aside.
fn open_rules(files: &[repo::RepoFile]) -> Vec<String> {
    let list = files.iter().find(|file| file.path == "docs/rules-open.txt");
    let lines = list.map_or("", |file| &file.text).lines();
    lines
        .filter(|line| !line.starts_with('#'))
        .flat_map(str::split_whitespace)
        .map(str::to_owned)
        .collect()
}

fn shown(names: &[String]) -> String {
    let more = names.len().saturating_sub(NAMES_SHOWN_MAX);
    let first = names[..names.len() - more].join(", ");
    if more == 0 {
        first
    } else {
        format!("{first}, and {more} more")
    }
}
