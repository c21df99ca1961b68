//! Who may depend on whom: the arrows of docs/ARCHITECTURE.md, over `cargo metadata`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// What needs a runtime, a database, a socket or luck is no rule.
const FORBIDDEN_IN_CORE: [&str; 5] = ["tokio", "sqlx", "axum", "redis", "rand"];
/// One crypto library (ring behind rustls), and no C library of the system's.
const FORBIDDEN_ANYWHERE: [&str; 3] = ["openssl-sys", "native-tls", "aws-lc-sys"];
/// Crates that only tests may depend on.
const TEST_CRATES: [&str; 2] = ["testkit", "tidy"];
/// SQL is written in the stores alone.
const SQL: &str = "sqlx";
/// What the names of the crates that are stores begin with.
const STORES: &str = "storage-";
/// A binary of its own that may take what it likes.
const BENCH: &str = "quota-bench";

const CORE_ALONE: &[&str] = &["quota-core"];
const ROUTES: &[&str] = &["api-types", "quota-core", "quota-service", "jobs"];
/// Each library crate and the workspace crates it may depend on. Binaries are free but for
/// [`TEST_CRATES`]. A new crate takes its place here before it takes a dependency.
const ARROWS: [(&str, &[&str]); 16] = [
    ("quota-core", &[]),
    ("api-types", CORE_ALONE),
    ("quota-service", CORE_ALONE),
    ("jobs", &["quota-core", "quota-service"]),
    ("storage-pg", CORE_ALONE),
    ("storage-sqlite", CORE_ALONE),
    ("cache-redis", CORE_ALONE),
    ("cache-memory", CORE_ALONE),
    ("billing-stripe", CORE_ALONE),
    ("http-api", ROUTES),
    ("console", ROUTES),
    (
        "runtime",
        &[
            "quota-core",
            "quota-service",
            "jobs",
            "storage-pg",
            "storage-sqlite",
            "cache-redis",
            "cache-memory",
            "billing-stripe",
        ],
    ),
    ("quota-client", &["api-types", "quota-core"]),
    (
        "quota-tower",
        &["quota-core", "quota-service", "quota-client"],
    ),
    ("testkit", &["quota-core", "quota-service"]),
    ("tidy", &[]),
];

/// The dependency graph, without what only tests use.
#[derive(Debug, Default)]
pub struct Graph {
    /// Names of the workspace's crates, and whether each has a library folder of its own.
    pub members: BTreeMap<String, Kind>,
    /// Every crate in the graph and the crates that it is built from or with.
    pub uses: BTreeMap<String, BTreeSet<String>>,
}

/// Where a workspace crate lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// In `crates/`.
    Library,
    /// In `bins/`.
    Binary,
}

impl Graph {
    /// Reads the output of `cargo metadata --format-version 1`; `None` when it has another form.
    pub fn read(metadata: &Value) -> Option<Self> {
        let mut graph = Self::default();
        let mut names = BTreeMap::new();
        let workspace: BTreeSet<&str> = metadata["workspace_members"]
            .as_array()?
            .iter()
            .filter_map(Value::as_str)
            .collect();
        for package in metadata["packages"].as_array()? {
            let (id, name) = (package["id"].as_str()?, package["name"].as_str()?);
            names.insert(id, name);
            if workspace.contains(id) {
                let is_binary = package["manifest_path"].as_str()?.contains("/bins/");
                let kind = if is_binary {
                    Kind::Binary
                } else {
                    Kind::Library
                };
                graph.members.insert(name.to_owned(), kind);
            }
        }
        for node in metadata["resolve"]["nodes"].as_array()? {
            let name = *names.get(node["id"].as_str()?)?;
            let uses = graph.uses.entry(name.to_owned()).or_default();
            for dependency in node["deps"].as_array()? {
                let kinds = dependency["dep_kinds"].as_array()?;
                if kinds.iter().any(|kind| kind["kind"].is_null()) {
                    uses.insert((*names.get(dependency["pkg"].as_str()?)?).to_owned());
                }
            }
        }
        Some(graph)
    }

    /// What is wrong with the arrows, one line each.
    pub fn wrong_arrows(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        for (name, kind) in &self.members {
            let allowed = ARROWS
                .iter()
                .find(|(library, _)| library == name)
                .map(|(_, to)| *to);
            let free = *kind == Kind::Binary || name == BENCH;
            if !free && allowed.is_none() {
                wrong.push(format!("{name} has no place among the layers yet"));
            }
            if self.uses_of(name).any(|other| other == SQL)
                && !name.starts_with(STORES)
                && name != BENCH
            {
                wrong.push(format!("{name} must not depend on {SQL}"));
            }
            for other in self
                .uses_of(name)
                .filter(|other| self.members.contains_key(*other))
            {
                let test_only = TEST_CRATES.contains(&other) && name != BENCH;
                let allowed = free || allowed.unwrap_or_default().contains(&other);
                if test_only || !allowed {
                    wrong.push(format!("{name} must not depend on {other}"));
                }
            }
        }
        wrong
    }

    /// What quota-core reaches and must not, and what nothing may reach.
    pub fn forbidden(&self) -> Vec<String> {
        let below_core = self.reached_from("quota-core");
        let in_core = FORBIDDEN_IN_CORE
            .iter()
            .filter(|name| below_core.contains(**name));
        let mut wrong: Vec<String> = in_core
            .map(|name| format!("quota-core must not reach {name}"))
            .collect();
        for name in FORBIDDEN_ANYWHERE
            .iter()
            .filter(|name| self.uses.contains_key(**name))
        {
            wrong.push(format!("{name} must not be in the graph"));
        }
        wrong
    }

    fn uses_of(&self, name: &str) -> impl Iterator<Item = &str> {
        self.uses
            .get(name)
            .into_iter()
            .flatten()
            .map(String::as_str)
    }

    fn reached_from<'a>(&'a self, name: &'a str) -> BTreeSet<&'a str> {
        let mut reached = BTreeSet::new();
        let mut open = vec![name];
        while let Some(next) = open.pop() {
            open.extend(self.uses_of(next).filter(|other| reached.insert(*other)));
        }
        reached
    }
}
