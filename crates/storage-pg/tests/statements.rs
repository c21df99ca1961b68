//! Every statement of the store is one that Citus takes, and each that a request waits for asks one shard: read from the
//! source, since no Citus is at hand in a test run.
#![expect(clippy::expect_used, reason = "a test that cannot go on says why")]

use std::fs;
use std::path::Path;

use storage_pg::{PLACEMENTS, Placement};

/// Statements that ask every shard: jobs, and lists over all accounts. Nothing that decides a request is among them.
const EVERY_SHARD: [&str; 29] = [
    "ANY_OPERATION",
    "BATCHES_BEHIND",
    "BATCH_USES",
    "CODES",
    "CODES_OF_BATCH",
    "CODE_BY_ID",
    "DUE_EVENTS",
    "DUE_PERIODS",
    "DUE_TOP_UPS",
    "EVENTS",
    "EVENTS_IN_STATE",
    "EVENT_COUNTS",
    "HOMES",
    "HOMES_SINCE",
    "HOMES_WITH_DUE",
    "NEWEST_BATCHES",
    "OPEN_PROBLEMS",
    "PAGE",
    "PROBLEMS",
    "PROBLEMS_OF_ACCOUNT",
    "PRUNE",
    "PRUNE_ENTRIES",
    "PRUNE_EVENTS",
    "PRUNE_PERIODS",
    "QUEUES",
    "REVOKE_CODE",
    "REVOKE_CODES",
    "SOLD",
    "TOP_UP_ACCOUNTS",
];

/// A constant or a macro of the source, with the text of its literals.
struct Item {
    file: String,
    name: String,
    text: String,
}

impl std::fmt::Display for Item {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {}: {}", self.name, self.file, self.text)
    }
}

#[test]
fn every_statement_that_names_a_home_names_its_shard() {
    let mut uses = 0;
    for item in items() {
        for (alias, count) in tables_by_alias(&item.text) {
            uses += count;
            let named = item.text.matches(&format!("{alias}.shard = ")).count();
            let asks_every = EVERY_SHARD.contains(&item.name.as_str());
            assert!(asks_every || count <= named, "{alias} in {item}");
        }
        for columns in inserted_columns(&item.text) {
            uses += 1;
            // Names that are put in when the text is made: the column is not null, so any write without it fails.
            let are_put_in = columns.contains("{names}");
            assert!(
                are_put_in || columns.contains("shard"),
                "({columns}) in {item}"
            );
        }
    }
    assert!(uses > 30, "the source is no longer found: {uses}");
}

#[test]
fn what_asks_every_shard_is_still_there() {
    let items = items();
    for name in EVERY_SHARD {
        let mut found = items.iter().filter(|item| item.name == name);
        assert!(
            found.any(|item| !tables_by_alias(&item.text).is_empty()),
            "{name}"
        );
    }
}

#[test]
fn no_statement_has_a_shape_that_citus_refuses() {
    for item in items() {
        let text = &item.text;
        let refused = [
            (
                "a lateral with a limit",
                text.contains("lateral") && text.contains("limit "),
            ),
            (
                "a lock on several homes",
                text.contains("for update") && text.contains("any("),
            ),
            (
                "a server's clock in a conflict",
                // What lies on the coordinator alone is an ordinary table to Citus.
                !text.contains("into call_turns")
                    && text.contains("do update")
                    && (text.contains("now()") || text.contains("clock_timestamp")),
            ),
        ];
        for (what, is_there) in refused {
            assert!(!is_there, "{what}: {item}");
        }
    }
}

/// The literals of the store's source, by the constant or macro that they belong to.
fn items() -> Vec<Item> {
    let mut items = Vec::new();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![source];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let text = fs::read_to_string(&path).expect("a file");
                let product = text.split("#[cfg(test)]").next().unwrap_or_default();
                add_items(&mut items, &path.display().to_string(), product);
            }
        }
    }
    items
}

fn add_items(items: &mut Vec<Item>, file: &str, source: &str) {
    let mut is_literal = false;
    for line in source.lines() {
        let code = line.trim_start();
        if !is_literal {
            if code.starts_with("//") {
                continue;
            }
            if let Some(name) = named(code) {
                items.push(Item {
                    file: file.to_owned(),
                    name: name.to_owned(),
                    text: String::new(),
                });
            }
        }
        for (number, piece) in line.replace("\\\"", "'").split('"').enumerate() {
            is_literal ^= number > 0;
            if let (true, Some(item)) = (is_literal, items.last_mut()) {
                item.text.push(' ');
                item.text.push_str(piece.trim_end_matches('\\'));
            }
        }
    }
}

fn named(code: &str) -> Option<&str> {
    let code = code.strip_prefix("pub ").unwrap_or(code);
    let code = code.strip_prefix("pub(crate) ").unwrap_or(code);
    let kinds = ["const ", "static ", "macro_rules! ", "fn ", "async fn "];
    let rest = kinds.iter().find_map(|kind| code.strip_prefix(kind))?;
    rest.split(|c: char| !c.is_alphanumeric() && c != '_')
        .next()
}

fn is_by_shard(table: &str) -> bool {
    PLACEMENTS.contains(&(table, Placement::ByShard))
}

/// Of each alias of a distributed table, how often a table gets it.
fn tables_by_alias(text: &str) -> Vec<(&str, usize)> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut aliases: Vec<(&str, usize)> = Vec::new();
    for words in words.windows(3) {
        let [before, table, alias] = words else {
            continue;
        };
        if !["from", "join", "update", "using"].contains(before) || !is_by_shard(table) {
            continue;
        }
        match aliases.iter_mut().find(|(known, _)| known == alias) {
            Some((_, count)) => *count += 1,
            None => aliases.push((alias, 1)),
        }
    }
    aliases
}

/// The columns of each insert into a distributed table.
fn inserted_columns(text: &str) -> Vec<&str> {
    let inserts = text.split("insert into ").skip(1);
    let columns = inserts.filter_map(|after| {
        let (table, rest) = after.split_once('(')?;
        let (columns, _) = rest.split_once(')')?;
        is_by_shard(table.trim()).then_some(columns)
    });
    columns.collect()
}
