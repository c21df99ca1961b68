//! Prints each rule of docs/RULES.md with the tests that quote it; fails on a rule without one.

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
    let (mut gaps, mut later) = (Vec::new(), Vec::new());
    for (rule, names) in tests_by_rule(&rules, &files) {
        match (names.is_empty(), rule.is_built()) {
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
    println!("{} rules, each of those built has a test", rules.len());
    ExitCode::SUCCESS
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
