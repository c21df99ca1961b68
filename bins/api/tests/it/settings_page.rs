//! The settings as the programs' `--help` has them, and as docs/OPERATING.md has them: they are the same.

use std::collections::BTreeMap;
use std::process::Command;

const PAGE: &str = include_str!("../../../../docs/OPERATING.md");

/// Flag, then its name in the environment.
pub(crate) type Settings = BTreeMap<String, String>;

/// The settings that the `--help` of a program's command names; only settings have a name in the environment.
pub(crate) fn of_help(program: &str, command: &str) -> Settings {
    let mut program = Command::new(program);
    let output = program.args([command, "--help"]).env_clear().output();
    let text = output.map(|output| output.stdout).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let words: Vec<&str> = text.split_whitespace().collect();
    let flags = words.split_inclusive(|word| word.starts_with("--"));
    let mut named: Option<&str> = None;
    let mut settings = Settings::new();
    for part in flags {
        let said = part.join(" ");
        let env = said
            .split_once("[env: ")
            .and_then(|(_, rest)| rest.split_once(']'));
        if let (Some(flag), Some((env, _))) = (named, env) {
            settings.insert(flag.to_owned(), env.to_owned());
        }
        named = part.last().copied();
    }
    settings
}

/// The settings that the page lists under `Settings of …`.
pub(crate) fn of_page(title: &str) -> Settings {
    let start = format!("\n## Settings of {title}\n");
    let (_, rest) = PAGE.split_once(&start).unwrap_or_default();
    let section = rest.split("\n## ").next().unwrap_or_default();
    let mut settings = Settings::new();
    for row in section.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<Vec<String>> = row.split('|').map(quoted).collect();
        let start = cells.iter().position(|cell| is_flags(cell));
        let Some([flags, names]) = start.and_then(|at| cells.get(at..at + 2)) else {
            continue;
        };
        assert_eq!(flags.len(), names.len(), "a name for each flag: {row}");
        settings.extend(flags.iter().cloned().zip(names.iter().cloned()));
    }
    settings
}

/// What stands in backquotes.
fn quoted(text: &str) -> Vec<String> {
    let parts = text.split('`').skip(1).step_by(2);
    parts.map(str::to_owned).collect()
}

fn is_flags(cell: &[String]) -> bool {
    !cell.is_empty() && cell.iter().all(|word| word.starts_with("--"))
}
