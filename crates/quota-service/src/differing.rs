//! What of features and plans differs between two catalogs beside limits, field by field, as a catalog file says it (C7).

use std::collections::{BTreeMap, BTreeSet};

use quota_core::catalog::Catalog;
use quota_core::ids::PackCode;
use serde_json::Value;

use crate::left_out::Entry;

/// A field of a feature or plan that changes; `None` where a file leaves it out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldChange {
    /// The feature or plan.
    pub entry: Entry,
    /// The field as in the catalog file, such as `price` or `on_demand.tokens.cap`.
    pub field: String,
    /// What is in force, as text.
    pub from: Option<String>,
    /// What the file says, as text.
    pub to: Option<String>,
}

/// The fields that differ in features and in the newest versions of plans that are in both, but for limits, which are told
/// apart; and in packs.
pub(crate) fn differing(current: &Catalog, next: &Catalog) -> Vec<FieldChange> {
    let mut changes = Vec::new();
    for (code, after) in &next.features {
        if let Some(before) = current.features.get(code) {
            let said = [before, after].map(|feature| said(serde_json::to_value(feature).ok()));
            changes.extend(compared(&Entry::Feature(code.clone()), said));
        }
    }
    for code in next.plans.keys() {
        if let (Some(before), Some(after)) = (current.plan(code, None), next.plan(code, None)) {
            let said = [before, after].map(|plan| said(serde_json::to_value(plan).ok()));
            changes.extend(compared(&Entry::Plan(code.clone()), said));
        }
    }
    let codes = current.packs.keys().chain(next.packs.keys());
    for code in codes.collect::<BTreeSet<_>>() {
        // Nobody holds a pack: one that is new or goes differs from nothing.
        let said = [current, next].map(|one| {
            let pack = one.packs.get(code).map(serde_json::to_value);
            said(pack.and_then(Result::ok))
        });
        changes.extend(compared(&Entry::Pack(code.clone()), said));
    }
    changes
}

/// The packs among changes, each once.
pub(crate) fn packs(changes: &[FieldChange]) -> BTreeSet<&PackCode> {
    let packs = changes.iter().filter_map(|change| match &change.entry {
        Entry::Pack(code) => Some(code),
        Entry::Feature(_) | Entry::Plan(_) => None,
    });
    packs.collect()
}

/// What is said of an entry, by its field; that of a table by the names of both with a dot between.
type Said = BTreeMap<String, String>;

fn compared(entry: &Entry, [mut from, mut to]: [Said; 2]) -> Vec<FieldChange> {
    let fields: BTreeSet<String> = from.keys().chain(to.keys()).cloned().collect();
    let changes = fields.into_iter().map(|field| FieldChange {
        entry: entry.clone(),
        from: from.remove(&field),
        to: to.remove(&field),
        field,
    });
    changes.filter(|change| change.from != change.to).collect()
}

/// All that is said of an entry but its limits.
fn said(entry: Option<Value>) -> Said {
    let mut fields = Said::new();
    if let Some(Value::Object(mut members)) = entry {
        members.remove("limits");
        for (name, value) in members {
            flatten(name, value, &mut fields);
        }
    }
    fields
}

fn flatten(name: String, value: Value, fields: &mut Said) {
    match value {
        Value::Object(members) => {
            for (member, value) in members {
                flatten(format!("{name}.{member}"), value, fields);
            }
        }
        Value::String(text) => {
            fields.insert(name, text);
        }
        value @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_)) => {
            fields.insert(name, value.to_string());
        }
    }
}
