//! The repository's files hold what they may, and each check finds what it is there for.

use tidy::checks::{
    free_decisions, long_files, machine_paths, nameless_files, open_work, unequal_migrations,
};
use tidy::repo::{RepoFile, files};

type Check = fn(&[RepoFile]) -> Vec<String>;

/// Each check with a file that it must refuse and one that it must let pass.
fn checks() -> Vec<(Check, RepoFile, RepoFile)> {
    let file = RepoFile::new;
    let mark = concat!("TO", "DO");
    vec![
        (
            long_files,
            file("crates/a/src/lib.rs", &"\n".repeat(401)),
            file("crates/a/tests/it.rs", &"\n".repeat(401)),
        ),
        (
            nameless_files,
            file("crates/a/src/utils.rs", ""),
            file("crates/a/src/clock.rs", ""),
        ),
        (
            open_work,
            file("a.sql", &format!("-- {mark}: index")),
            file("a.sql", &format!("-- {mark}(#12): index")),
        ),
        (
            machine_paths,
            file("README.md", concat!("cd /wo", "rk/main")),
            file("Cargo.lock", concat!("https://crates", ".io")),
        ),
        (
            unequal_migrations,
            file("migrations/postgres/0001_ledger.sql", "create table a ()"),
            file(
                "migrations/postgres/0001_roles.sql",
                "-- only: postgres\ncreate role a",
            ),
        ),
        (
            free_decisions,
            file("docs/decisions/0001-a.md", "# A\n\nWe take a."),
            file("docs/decisions/0001-a.md", "# A\n\nCost: slower builds."),
        ),
    ]
}

#[test]
fn the_repository_is_tidy() {
    let files = files();
    let wrong: Vec<String> = checks()
        .iter()
        .flat_map(|(check, ..)| check(&files))
        .collect();
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn each_check_finds_what_it_is_for_and_no_more() {
    for (number, (check, bad, good)) in checks().into_iter().enumerate() {
        assert_eq!(check(&[bad]).len(), 1, "check {number} overlooks its case");
        assert_eq!(
            check(&[good]),
            Vec::<String>::new(),
            "check {number} cries wolf"
        );
    }
}

#[test]
fn migrations_are_the_same_list_on_both_sides() {
    let on = |side: &str| RepoFile::new(&format!("migrations/{side}/0001_ledger.sql"), "");
    assert!(unequal_migrations(&[on("postgres"), on("sqlite")]).is_empty());
    assert_eq!(
        unequal_migrations(&[RepoFile::new("migrations/sqlite/1.sql", "")]).len(),
        2
    );
}
