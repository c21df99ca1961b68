//! Migrations are only added: one that was distributed is never changed or removed.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};
use tidy::repo::{RepoFile, files};

/// SHA-256 of every migration, as `sha256sum migrations/*/*.sql` prints it.
const LIST: &str = "migrations/SHA256SUMS";

/// What is wrong, a line each.
fn changed(files: &[RepoFile]) -> Vec<String> {
    let list = files.iter().find(|file| file.path == LIST);
    let listed: BTreeMap<&str, &str> = list
        .into_iter()
        .flat_map(|file| file.text.lines())
        .filter_map(|line| line.split_once("  "))
        .map(|(hash, path)| (path, hash))
        .collect();
    let migrations: BTreeMap<&str, String> = files
        .iter()
        .filter(|file| file.path.starts_with("migrations/") && file.has_extension("sql"))
        .map(|file| (file.path.as_str(), hash(&file.text)))
        .collect();
    let mut wrong = Vec::new();
    for (path, hash) in &migrations {
        match listed.get(path) {
            None => wrong.push(format!("{path}: add its line to {LIST}: {hash}  {path}")),
            Some(listed) if listed != hash => wrong.push(format!(
                "{path}: databases have run it as it was; leave it and add another migration"
            )),
            Some(_) => {}
        }
    }
    let gone = listed
        .keys()
        .filter(|path| !migrations.contains_key(**path));
    wrong.extend(gone.map(|path| format!("{path}: databases have run it; it cannot be removed")));
    wrong
}

fn hash(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}

#[test]
fn migrations_are_only_added() {
    let wrong = changed(&files());
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn a_migration_that_is_changed_removed_or_not_listed_is_found() {
    let migration = RepoFile::new("migrations/sqlite/0001_a.sql", "create table a");
    let listed =
        |hash: &str| RepoFile::new(LIST, &format!("{hash}  migrations/sqlite/0001_a.sql\n"));
    let right = hash("create table a");
    assert_eq!(
        changed(&[migration.clone(), listed(&right)]),
        Vec::<String>::new()
    );
    for files in [
        vec![migration.clone()],
        vec![listed(&right)],
        vec![migration, listed(&hash("create table b"))],
    ] {
        assert_eq!(changed(&files).len(), 1, "{files:?}");
    }
}
