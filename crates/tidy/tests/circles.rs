//! No two files of a crate import each other, directly or by way of others.

use tidy::modules::{circles, uses};
use tidy::repo::{RepoFile, files};

#[test]
fn no_files_of_a_crate_import_each_other() {
    let graph = uses(&files());
    let mut wrong = Vec::new();
    for circle in circles(&graph) {
        wrong.push(format!("{} import each other:", circle.join(", ")));
        let inside = |file: &String| circle.contains(file);
        for (file, used) in graph.iter().filter(|(file, _)| inside(file)) {
            let used = used.iter().filter(|used| inside(used));
            wrong.extend(used.map(|used| format!("  {file} uses {used}")));
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

fn circles_of(sources: &[(&str, &str)]) -> Vec<Vec<String>> {
    let file = |(name, text): &(&str, &str)| RepoFile::new(&format!("crates/a/src/{name}"), text);
    let files: Vec<RepoFile> = sources.iter().map(file).collect();
    circles(&uses(&files))
}

#[test]
fn a_circle_is_found_however_its_paths_are_written() {
    let imports = [
        "use crate::b::B;",
        "use super::b::B;",
        "use crate::B;",
        "use crate::{c, b::{self}};",
        "use crate::b as other; fn f(_: other::B) {}",
        "use crate::*;\nuse crate::b::*;",
        "fn f() { crate::b::g() }",
        "fn f() { vec![crate::b::B] }",
        "mod inner { use super::super::b::B; }",
    ];
    for import in imports {
        let sources = [
            ("lib.rs", "mod a; mod b; mod c; pub use b::B;"),
            ("a.rs", import),
            ("b.rs", "use crate::c::C; pub struct B;"),
            ("c.rs", "use crate::a; pub struct C;"),
        ];
        let circle = ["a.rs", "b.rs", "c.rs"].map(|name| format!("crates/a/src/{name}"));
        assert_eq!(circles_of(&sources), [circle], "{import}");
    }
}

#[test]
fn reexports_tests_and_what_only_goes_down_are_no_circle() {
    let parents = [
        "mod a; mod b; pub use a::A; pub use b::B;",
        "mod a; mod b; pub use a::*; pub use b::*;",
        "mod a; mod b; use b::B; fn f() { a::f() }",
    ];
    for parent in parents {
        let sources = [
            ("lib.rs", parent),
            ("a.rs", "use crate::B; pub struct A; pub fn f() {}"),
            (
                "b.rs",
                "pub struct B;\n#[cfg(test)]\nmod tests { use crate::a::A; }",
            ),
        ];
        assert_eq!(circles_of(&sources), Vec::<Vec<String>>::new(), "{parent}");
    }
}
