//! The repository's files hold what they may, and each check finds what it is there for.

use tidy::checks::{
    async_rules, free_decisions, impure_core, long_files, machine_paths, nameless_files, open_work,
    sql_outside_stores, unequal_migrations, unwraps,
};
use tidy::repo::{RepoFile, files};

type Check = fn(&[RepoFile]) -> Vec<String>;

/// Each check with a file that it must refuse and one that it must let pass.
fn checks() -> Vec<(Check, RepoFile, RepoFile)> {
    let file = RepoFile::new;
    let core = "crates/quota-core/src/rules/decide.rs";
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
            async_rules,
            file(core, "pub async fn f() {}"),
            file(core, "// async\nfn asynchronous() {}"),
        ),
        (
            impure_core,
            file(core, "let a = Utc::now();"),
            file(core, "/// Not `Utc::now()`.\nfn f() {}"),
        ),
        (
            sql_outside_stores,
            file("crates/jobs/src/lib.rs", "query(AssertSqlSafe(text))"),
            file("crates/storage-pg/src/lib.rs", "query(AssertSqlSafe(text))"),
        ),
        (
            unwraps,
            file(
                "bins/api/src/main.rs",
                "a.unwrap();\n#[cfg(test)]\nmod tests {}",
            ),
            file(
                "bins/api/src/main.rs",
                "#[cfg(test)]\nmod tests { fn f() { a.unwrap(); } }",
            ),
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
