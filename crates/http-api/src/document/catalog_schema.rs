//! The JSON Schema of the catalog file, made of the document's schemas, so that editors complete what is written there.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use utoipa::openapi::OpenApi;

/// Where schemas stand in the document, and where in a JSON Schema.
const IN_DOCUMENT: &str = "#/components/schemas/";
const IN_SCHEMA: &str = "#/$defs/";

/// The schema that the file as a whole has.
const FILE: &str = "CatalogFile";

/// The fields of a feature that only what is counted has.
const COUNTED: [&str; 7] = [
    "cadence",
    "anchor",
    "on_renewal",
    "credit_cost",
    "trial_limit",
    "scale",
    "counts",
];

/// The JSON Schema of the catalog file.
pub(crate) fn catalog_schema(document: &OpenApi) -> Value {
    let document = serde_json::to_value(document).unwrap_or_default();
    let all = &document["components"]["schemas"];
    let mut needed = BTreeMap::new();
    let mut open = vec![FILE.to_owned()];
    // Each schema is looked at once, so this ends.
    while let Some(name) = open.pop() {
        if needed.contains_key(&name) {
            continue;
        }
        let mut schema = all[&name].clone();
        refer(&mut schema, &mut open);
        needed.insert(name, schema);
    }
    if let Some(feature) = needed.get_mut("Feature").and_then(Value::as_object_mut) {
        by_kind(feature);
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Catalog file",
        "$ref": format!("{IN_SCHEMA}{FILE}"),
        "$defs": needed,
    })
}

/// Has every reference below a schema point into the JSON Schema, and notes what it points to.
fn refer(schema: &mut Value, named: &mut Vec<String>) {
    match schema {
        Value::Object(members) => {
            for (keyword, member) in members {
                if keyword == "$ref"
                    && let Value::String(place) = &mut *member
                {
                    let name = place.trim_start_matches(IN_DOCUMENT).to_owned();
                    *place = format!("{IN_SCHEMA}{name}");
                    named.push(name);
                } else {
                    refer(member, named);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| refer(item, named)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Says which fields a feature has by its kind (C2): that stands in no type.
fn by_kind(feature: &mut Map<String, Value>) {
    let none: Map<String, Value> = COUNTED
        .iter()
        .map(|field| ((*field).to_owned(), Value::Bool(false)))
        .collect();
    feature.insert(
        "if".to_owned(),
        json!({"properties": {"kind": {"enum": ["flag", "setting"]}}, "required": ["kind"]}),
    );
    feature.insert("then".to_owned(), json!({ "properties": none }));
    feature.insert("else".to_owned(), json!({"required": ["unit", "cadence"]}));
}
