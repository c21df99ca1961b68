//! The product's rules, as docs/RULES.md numbers them, and the tests that quote them.

use std::collections::BTreeMap;

use crate::repo::RepoFile;
use crate::test_functions::test_functions;

/// Sections of the rule book that are not built yet: their rules may lack tests.
const SECTIONS_NOT_BUILT: std::ops::RangeInclusive<u32> = 11..=13;

/// A numbered rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rule {
    section: u32,
    letter: char,
    number: u32,
}

impl Rule {
    /// The rule as it is quoted: `W2`.
    pub fn name(&self) -> String {
        format!("{}{}", self.letter, self.number)
    }

    /// Whether a test must quote it.
    pub fn is_built(&self) -> bool {
        !SECTIONS_NOT_BUILT.contains(&self.section)
    }
}

/// Reads `- **W2** …` and `| E2 | …` under `## 4. Windows`.
pub fn read(book: &str) -> Vec<Rule> {
    let mut section = 0;
    let mut rules = Vec::new();
    for line in book.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            let number = heading
                .split('.')
                .next()
                .and_then(|number| number.parse().ok());
            section = number.unwrap_or(section);
        }
        let name = line
            .strip_prefix("- **")
            .or_else(|| line.strip_prefix("| "));
        let name = name.and_then(|rest| rest.split([' ', '*']).next());
        if let Some((letter, number)) = name.and_then(parse) {
            rules.push(Rule {
                section,
                letter,
                number,
            });
        }
    }
    rules.sort();
    rules
}

/// For each rule the tests that quote it, in the order of the book.
pub fn tests_by_rule(rules: &[Rule], files: &[RepoFile]) -> BTreeMap<Rule, Vec<String>> {
    let mut tests: BTreeMap<Rule, Vec<String>> = rules
        .iter()
        .map(|rule| (rule.clone(), Vec::new()))
        .collect();
    // This crate's own tests are about the tools and quote rules as examples.
    let files = files
        .iter()
        .filter(|file| !file.path.starts_with("crates/tidy/"));
    for test in files.flat_map(test_functions) {
        for (rule, names) in &mut tests {
            if quotes(&test.notes, &rule.name()) && !names.contains(&test.name) {
                names.push(test.name.clone());
            }
        }
    }
    tests
}

fn parse(name: &str) -> Option<(char, u32)> {
    let letter = name.chars().next().filter(char::is_ascii_uppercase)?;
    Some((letter, name[1..].parse().ok()?))
}

/// `W2` as a whole word: not in `W20`, `PW2` or `W2_x`.
fn quotes(text: &str, name: &str) -> bool {
    text.match_indices(name).any(|(at, _)| {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        !text[..at].ends_with(is_word) && !text[at + name.len()..].starts_with(is_word)
    })
}

#[cfg(test)]
mod tests {
    use super::{read, tests_by_rule};
    use crate::repo::RepoFile;

    const BOOK: &str = "## 4. Windows\n\n- **W2** Monthly\n- **W20** x\n\n## 11. Money\n\n\
        - **P1** once\n\n## 14. Worked examples\n\n| # | state |\n| --- | --- |\n| E1 | premium |\n";

    #[test]
    fn rules_are_read_with_their_sections() {
        let rules = read(BOOK);
        let names: Vec<_> = rules
            .iter()
            .map(|rule| (rule.name(), rule.is_built()))
            .collect();
        let wanted = [("W2", true), ("W20", true), ("P1", false), ("E1", true)];
        assert_eq!(names, wanted.map(|(name, built)| (name.to_owned(), built)));
    }

    #[test]
    fn a_quote_is_a_whole_word() {
        let text = "/// W2 and (E1), not W200, AP1 or P1_x\n#[test]\nfn holds() {}";
        let tests = tests_by_rule(&read(BOOK), &[RepoFile::new("crates/a/src/lib.rs", text)]);
        let quoted: Vec<_> = tests
            .iter()
            .filter(|(_, names)| !names.is_empty())
            .map(|(rule, _)| rule.name())
            .collect();
        assert_eq!(quoted, ["W2", "E1"]);
    }
}
