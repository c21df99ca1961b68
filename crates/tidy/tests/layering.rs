//! The arrows between the crates point the way the architecture says.

use std::process::Command;

use serde_json::{Value, json};
use tidy::layers::Graph;
use tidy::repo::root;

#[test]
fn the_workspace_keeps_its_layers() {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--quiet"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let graph = Graph::read(&serde_json::from_slice(&output.stdout).unwrap()).unwrap();
    assert!(
        graph.members.contains_key("quota-core"),
        "{:?}",
        graph.members
    );
    let mut wrong = graph.wrong_arrows();
    wrong.extend(graph.forbidden());
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

/// Metadata of workspace crates (in `bins/` when named `bin…`) with `(from, to, kind)` arrows.
fn metadata(members: &[&str], others: &[&str], arrows: &[(&str, &str, Value)]) -> Value {
    let folder = |name: &str| {
        if name.starts_with("bin") {
            "bins"
        } else {
            "crates"
        }
    };
    let package = |name: &&str| {
        let path = format!("/repo/{}/{name}/Cargo.toml", folder(name));
        json!({ "id": name, "name": name, "manifest_path": path })
    };
    let all: Vec<&str> = members.iter().chain(others).copied().collect();
    let node = |name: &&str| {
        let deps: Vec<Value> = arrows
            .iter()
            .filter(|(from, ..)| from == name)
            .map(|(_, to, kind)| json!({ "pkg": to, "dep_kinds": [{ "kind": kind }] }))
            .collect();
        json!({ "id": name, "deps": deps })
    };
    json!({
        "workspace_members": members,
        "packages": all.iter().map(package).collect::<Vec<_>>(),
        "resolve": { "nodes": all.iter().map(node).collect::<Vec<_>>() },
    })
}

#[test]
fn wrong_arrows_are_named() {
    let members = [
        "quota-core",
        "storage-pg",
        "http-api",
        "testkit",
        "bin-a",
        "newcomer",
    ];
    let arrows = [
        ("storage-pg", "quota-core", Value::Null),
        ("storage-pg", "testkit", json!("dev")),
        ("http-api", "storage-pg", Value::Null),
        ("bin-a", "storage-pg", Value::Null),
        ("bin-a", "testkit", Value::Null),
        ("bin-a", "sqlx", Value::Null),
        ("storage-pg", "sqlx", Value::Null),
    ];
    let graph = Graph::read(&metadata(&members, &["sqlx"], &arrows)).unwrap();
    let wanted = [
        "bin-a must not depend on sqlx",
        "bin-a must not depend on testkit",
        "http-api must not depend on storage-pg",
        "newcomer has no place among the layers yet",
    ];
    assert_eq!(graph.wrong_arrows(), wanted);
}

#[test]
fn what_the_core_reaches_through_others_counts() {
    let arrows = [
        ("quota-core", "middle", Value::Null),
        ("middle", "tokio", Value::Null),
        ("quota-core", "rand", json!("build")),
    ];
    let others = ["middle", "tokio", "rand", "openssl-sys"];
    let graph = Graph::read(&metadata(&["quota-core"], &others, &arrows)).unwrap();
    let wanted = [
        "quota-core must not reach tokio",
        "openssl-sys must not be in the graph",
    ];
    assert_eq!(graph.forbidden(), wanted);
}
