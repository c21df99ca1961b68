//! What a file may hold. Each check takes the files and returns what is wrong, one line each.

use std::collections::{BTreeMap, BTreeSet};

use crate::repo::RepoFile;

const LINES_MAX: usize = 400; // one screen of outline, one idea; measured in the codebases we follow
const TEST_LINES_MAX: usize = 600; // tables of cases are long and still easy to read

/// Source files that are too long to be read as one thing.
pub fn long_files(files: &[RepoFile]) -> Vec<String> {
    let sources = files.iter().filter(|file| file.has_extension("rs"));
    let excess = sources.filter_map(|file| {
        let lines = file.text.lines().count();
        let lines_max = if file.is_test() {
            TEST_LINES_MAX
        } else {
            LINES_MAX
        };
        (lines > lines_max).then(|| format!("{}: {lines} lines, over {lines_max}", file.path))
    });
    excess.collect()
}

/// Names that say nothing about what is inside.
pub fn nameless_files(files: &[RepoFile]) -> Vec<String> {
    let empty_names = ["utils.rs", "util.rs", "common.rs", "types.rs", "helpers.rs"];
    let named = files
        .iter()
        .filter(|file| empty_names.contains(&file.name()));
    named
        .map(|file| format!("{}: name it after what it holds", file.path))
        .collect()
}

/// Notes of open work that no issue follows.
pub fn open_work(files: &[RepoFile]) -> Vec<String> {
    let marks = [concat!("TO", "DO"), concat!("FIX", "ME")];
    let lacks_number = |line: &str| {
        marks.iter().any(|mark| {
            line.split_once(mark).is_some_and(|(before, after)| {
                let is_word = |c: char| c.is_alphanumeric() || c == '_';
                let alone = !before.ends_with(is_word) && !after.starts_with(is_word);
                let number = after.trim_start_matches(['(', ' ']).strip_prefix('#');
                alone && !number.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
            })
        })
    };
    lines_where(files, lacks_number, "open work without an issue number")
}

/// Paths of one machine and addresses of registries, which another machine has not.
pub fn machine_paths(files: &[RepoFile]) -> Vec<String> {
    let machine = [
        concat!("/wo", "rk/"),
        concat!("/ro", "ot/"),
        concat!("/tmp/", "target"),
        concat!("crates", ".io"),
        concat!("pypi", ".org"),
        concat!("files.python", "hosted.org"),
        concat!("npm", "js.org"),
        concat!("deb.", "debian.org"),
    ];
    let tracked: Vec<RepoFile> = files
        .iter()
        .filter(|file| file.name() != "Cargo.lock")
        .cloned()
        .collect();
    let names_one = |line: &str| machine.iter().any(|part| line.contains(part));
    lines_where(
        &tracked,
        names_one,
        "a machine's path or a registry's address",
    )
}

/// Migrations that one dialect has and the other lacks.
pub fn unequal_migrations(files: &[RepoFile]) -> Vec<String> {
    let sides = ["postgres", "sqlite"];
    let mut wrong = Vec::new();
    let mut names: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut only: BTreeSet<(&str, &str)> = BTreeSet::new();
    for side in sides {
        let folder = format!("migrations/{side}/");
        for file in files.iter().filter(|file| file.path.starts_with(&folder)) {
            let name = &file.path[folder.len()..];
            if !is_migration_name(name) {
                wrong.push(format!("{}: not named NNNN_name.sql", file.path));
            }
            if leading_comment_has(&file.text, &format!("only: {side}")) {
                only.insert((side, name));
            }
            names.entry(side).or_default().insert(name);
        }
    }
    for (side, other) in [(sides[0], sides[1]), (sides[1], sides[0])] {
        let others = names.get(other).cloned().unwrap_or_default();
        for name in names.get(side).into_iter().flatten() {
            if !others.contains(name) && !only.contains(&(side, name)) {
                wrong.push(format!(
                    "migrations/{side}/{name}: not in migrations/{other}"
                ));
            }
        }
    }
    wrong
}

/// Decision records that hide what the decision costs.
pub fn free_decisions(files: &[RepoFile]) -> Vec<String> {
    let records = files.iter().filter(|file| {
        file.path.starts_with("docs/decisions/")
            && file.has_extension("md")
            && file.name() != "README.md"
    });
    let free = records.filter(|file| !file.text.contains("Cost"));
    free.map(|file| format!("{}: no line says the Cost", file.path))
        .collect()
}

fn is_migration_name(name: &str) -> bool {
    let Some((number, rest)) = name.split_once('_') else {
        return false;
    };
    let Some(words) = rest.strip_suffix(".sql") else {
        return false;
    };
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    number.len() == 4
        && number.chars().all(|c| c.is_ascii_digit())
        && !words.is_empty()
        && words.chars().all(plain)
}

fn leading_comment_has(text: &str, wanted: &str) -> bool {
    let comment = text
        .lines()
        .take_while(|line| line.is_empty() || line.starts_with("--"));
    comment.into_iter().any(|line| line.contains(wanted))
}

fn lines_where(files: &[RepoFile], is_wrong: impl Fn(&str) -> bool, what: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    for file in files {
        let lines = file
            .text
            .lines()
            .enumerate()
            .filter(|(_, line)| is_wrong(line));
        wrong.extend(lines.map(|(index, _)| format!("{}:{}: {what}", file.path, index + 1)));
    }
    wrong
}
