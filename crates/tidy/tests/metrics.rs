//! Every metric has a description for `# HELP`, and a row in docs/OPERATING.md.

use std::collections::BTreeSet;

use tidy::repo::{RepoFile, files};

const RECORDED: [&str; 3] = ["counter!(", "gauge!(", "histogram!("];
const DESCRIBED: [&str; 3] = [
    "describe_counter!(",
    "describe_gauge!(",
    "describe_histogram!(",
];

/// The names that stand first in calls of these macros.
fn named<'a>(files: &'a [RepoFile], macros: &[&str]) -> BTreeSet<&'a str> {
    let mut names = BTreeSet::new();
    for file in files {
        for call in macros {
            for (at, _) in file.text.match_indices(call) {
                let is_whole = !file.text[..at].ends_with('_');
                let rest = file.text[at + call.len()..].trim_start();
                let name = rest
                    .strip_prefix('"')
                    .and_then(|rest| rest.split('"').next());
                names.extend(name.filter(|_| is_whole));
            }
        }
    }
    names
}

fn product() -> Vec<RepoFile> {
    let is_product = |file: &RepoFile| {
        file.has_extension("rs")
            && !file.is_test()
            && !file.path.starts_with("crates/tidy/")
            && !file.path.starts_with("crates/quota-bench/")
    };
    files().into_iter().filter(is_product).collect()
}

#[test]
fn every_metric_has_a_description() {
    let product = product();
    let (recorded, described) = (named(&product, &RECORDED), named(&product, &DESCRIBED));
    assert!(recorded.len() > 10, "{recorded:?}");
    assert_eq!(recorded, described);
}

#[test]
fn every_metric_is_on_the_page_for_operators() {
    let page = include_str!("../../../docs/OPERATING.md");
    let product = product();
    for name in named(&product, &RECORDED) {
        assert!(page.contains(&format!("| `{name}` |")), "{name}");
    }
}

#[test]
fn names_are_found_over_line_breaks() {
    let text =
        "counter!(\n    \"a_total\", \"x\" => y);\nmetrics::describe_counter!(\"b_total\", \"B\");";
    let files = [RepoFile::new("a.rs", text)];
    assert_eq!(named(&files, &RECORDED), BTreeSet::from(["a_total"]));
    assert_eq!(named(&files, &DESCRIBED), BTreeSet::from(["b_total"]));
}
