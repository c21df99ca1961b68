//! An account's books are read through one function of each store, and by nobody in SQL: how they are stored may change.
//! The constraints and triggers of the schema look at them too; they are not looked at here.

use tidy::repo::{RepoFile, files};

/// Functions of both databases that look into a document.
const LOOKS: [&str; 6] = [
    "json_each(",
    "jsonb_each(",
    "json_extract(",
    "jsonb_path_exists(",
    "json_array_elements(",
    "jsonb_array_elements(",
];

/// Where a statement looks into the column `books`.
fn looks_into_books(file: &RepoFile) -> Vec<String> {
    let looks = |at: usize| {
        let (before, after) = (file.text.get(..at)?, file.text.get(at + "books".len()..)?);
        let after = after.trim_start_matches([')', ' ']);
        let table = |c: char| c.is_alphanumeric() || c == '.' || c == '_';
        let before = before.trim_end_matches(table);
        let is_look = after.starts_with("->")
            || after.starts_with("::json")
            || LOOKS.iter().any(|look| before.ends_with(look));
        let line = before.lines().count();
        is_look.then(|| format!("{}:{line}: a statement looks into the books", file.path))
    };
    let places = file.text.match_indices("books");
    places.filter_map(|(at, _)| looks(at)).collect()
}

fn sources(of: &str) -> Vec<RepoFile> {
    let of = format!("crates/{of}");
    let is_source = |file: &RepoFile| {
        file.path.starts_with(&of) && file.path.contains("/src/") && !file.path.contains("/tidy/")
    };
    files().into_iter().filter(is_source).collect()
}

#[test]
fn no_statement_looks_into_the_books() {
    let found: Vec<String> = sources("").iter().flat_map(looks_into_books).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn a_statement_that_looks_into_the_books_is_found() {
    for statement in [
        "select a.books ->> 'balances' from accounts a",
        "select (a.books)::jsonb from accounts a",
        "select 1 from accounts a, json_each(a.books, '$.balances')",
    ] {
        let file = RepoFile::new("crates/a/src/a.rs", statement);
        assert_eq!(looks_into_books(&file).len(), 1, "{statement}");
    }
    let harmless = "fn books(&self) -> &Books { json_text(&self.books) } // select a.books";
    let file = RepoFile::new("crates/a/src/a.rs", harmless);
    assert_eq!(looks_into_books(&file), Vec::<String>::new());
}

#[test]
fn each_store_decodes_the_books_in_one_place() {
    for store in ["storage-pg", "storage-sqlite"] {
        let files = sources(store);
        let decoding = files.iter().flat_map(|file| {
            let places = file.text.matches("json(\"books\")");
            places.map(|_| file.path.clone())
        });
        let decoding: Vec<String> = decoding.collect();
        assert_eq!(decoding, [format!("crates/{store}/src/accounts.rs")]);
    }
}
