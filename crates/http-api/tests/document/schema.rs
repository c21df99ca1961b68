//! Values beside the schemas of the document. As much of JSON Schema as the document uses, and strict: a member that
//! its schema does not name is wrong, and so is a keyword that this file does not know.

use chrono::DateTime;
use regex::Regex;
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// What says nothing of a value.
const WORDS: [&str; 3] = ["description", "example", "examples"];

/// How members are held that a schema does not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unnamed {
    /// As JSON Schema has it: they may be there.
    Taken,
    /// They are wrong.
    Refused,
}

/// The schemas of a document.
pub(crate) struct Schemas<'a>(pub(crate) &'a Value);

impl Schemas<'_> {
    /// What is wrong with a value; nothing when it is as its schema says.
    pub(crate) fn faults(&self, schema: &Value, value: &Value) -> Vec<String> {
        self.check(schema, value, "", Unnamed::Refused)
    }

    fn check(&self, schema: &Value, value: &Value, at: &str, unnamed: Unnamed) -> Vec<String> {
        if *schema == Value::Bool(false) {
            return vec![format!("{at} is not in the schema")];
        }
        let Some(keywords) = schema.as_object() else {
            return vec![format!("{at}: {schema} is no schema")];
        };
        let keywords_of = |keyword: &(&String, &Value)| !WORDS.contains(&keyword.0.as_str());
        let mut faults = Vec::new();
        for (keyword, wanted) in keywords.iter().filter(keywords_of) {
            let found = match keyword.as_str() {
                "$ref" => self.check(self.named(wanted), value, at, unnamed),
                "oneOf" => self.one_of(list(wanted), value, at, unnamed),
                "anyOf" => self.any_of(list(wanted), value, at, unnamed),
                "allOf" => {
                    let each = list(wanted).iter();
                    let each = each.map(|part| self.check(part, value, at, Unnamed::Taken));
                    each.flatten().collect()
                }
                "items" => {
                    let items = list(value).iter().enumerate();
                    let each = items
                        .map(|(i, item)| self.check(wanted, item, &format!("{at}/{i}"), unnamed));
                    each.flatten().collect()
                }
                "properties" => self.members(keywords, value, at, unnamed),
                "additionalProperties" if !keywords.contains_key("properties") => {
                    self.members(keywords, value, at, unnamed)
                }
                "additionalProperties" | "propertyNames" | "then" | "else" => Vec::new(),
                "if" => self.by_condition(keywords, value, at),
                _ => plain(keyword, wanted, value, at),
            };
            faults.extend(found);
        }
        faults
    }

    /// One schema more, by whether the value is as `if` says.
    fn by_condition(&self, keywords: &Map<String, Value>, value: &Value, at: &str) -> Vec<String> {
        let holds = self.check(&keywords["if"], value, at, Unnamed::Taken);
        let more = keywords.get(if holds.is_empty() { "then" } else { "else" });
        more.map_or(Vec::new(), |more| {
            self.check(more, value, at, Unnamed::Taken)
        })
    }

    fn named(&self, reference: &Value) -> &Value {
        let pointer = reference.as_str().unwrap_or_default();
        let pointer = pointer.trim_start_matches('#');
        self.0.pointer(pointer).unwrap_or(&Value::Null)
    }

    /// Exactly one holds, as JSON Schema counts it, and that one names every member.
    fn one_of(&self, parts: &[Value], value: &Value, at: &str, unnamed: Unnamed) -> Vec<String> {
        let holds = |part: &&Value| self.check(part, value, at, Unnamed::Taken).is_empty();
        let holding: Vec<&Value> = parts.iter().filter(holds).collect();
        match holding[..] {
            [one] => self.check(one, value, at, unnamed),
            _ => vec![format!("{at}: {} of `oneOf` hold", holding.len())],
        }
    }

    fn any_of(&self, parts: &[Value], value: &Value, at: &str, unnamed: Unnamed) -> Vec<String> {
        let each = parts.iter();
        let mut each = each.map(|part| self.check(part, value, at, unnamed));
        if each.any(|faults| faults.is_empty()) {
            return Vec::new();
        }
        vec![format!("{at}: none of `anyOf` holds")]
    }

    fn members(
        &self,
        keywords: &Map<String, Value>,
        value: &Value,
        at: &str,
        unnamed: Unnamed,
    ) -> Vec<String> {
        let none = json!({});
        let properties = keywords.get("properties").unwrap_or(&none);
        let others = keywords.get("additionalProperties");
        let mut faults = Vec::new();
        for (name, member) in value.as_object().into_iter().flatten() {
            let at = format!("{at}/{name}");
            match (properties.get(name), others, unnamed) {
                (Some(schema), ..) => faults.extend(self.check(schema, member, &at, unnamed)),
                (None, Some(Value::Bool(true)), _) | (None, None, Unnamed::Taken) => {}
                (None, Some(Value::Bool(false)), _) | (None, None, Unnamed::Refused) => {
                    faults.push(format!("{at} is not in the schema"));
                }
                (None, Some(schema), _) => {
                    faults.extend(self.check(schema, member, &at, unnamed));
                }
            }
        }
        faults
    }
}

/// Keywords that look at the value alone.
fn plain(keyword: &str, wanted: &Value, value: &Value, at: &str) -> Vec<String> {
    let is_kept = match keyword {
        "type" if wanted.is_array() => list(wanted).iter().any(|kind| is_of(kind, value)),
        "type" => is_of(wanted, value),
        "enum" => list(wanted).contains(value),
        "required" => return missing(list(wanted), value, at),
        "minimum" => number(value).is_none_or(|value| Some(value) >= number(wanted)),
        "maximum" => number(value).is_none_or(|value| Some(value) <= number(wanted)),
        "minLength" => length(value).is_none_or(|length| Some(length) >= number(wanted)),
        "maxLength" => length(value).is_none_or(|length| Some(length) <= number(wanted)),
        "format" => has_format(wanted, value),
        "pattern" => is_like(wanted, value),
        "minItems" => items(value).is_none_or(|items| Some(items) >= number(wanted)),
        "maxItems" => items(value).is_none_or(|items| Some(items) <= number(wanted)),
        _ => return vec![format!("{at}: `{keyword}` is not known to this test")],
    };
    if is_kept {
        return Vec::new();
    }
    vec![format!("{at}: {value} is not {keyword} {wanted}")]
}

fn missing(names: &[Value], value: &Value, at: &str) -> Vec<String> {
    let Some(members) = value.as_object() else {
        return Vec::new();
    };
    let names = names.iter().filter_map(Value::as_str);
    let names = names.filter(|name| !members.contains_key(*name));
    names
        .map(|name| format!("{at}/{name} is missing"))
        .collect()
}

fn is_of(kind: &Value, value: &Value) -> bool {
    match kind.as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_u64() || value.is_i64(),
        Some("null") => value.is_null(),
        _ => false,
    }
}

fn has_format(format: &Value, value: &Value) -> bool {
    match (format.as_str(), value) {
        (Some("date-time"), Value::String(text)) => DateTime::parse_from_rfc3339(text).is_ok(),
        (Some("uuid"), Value::String(text)) => Uuid::try_parse(text).is_ok(),
        (Some("int32"), Value::Number(_)) => {
            number(value).is_none_or(|value| i32::try_from(value).is_ok())
        }
        (Some("int64"), Value::Number(_)) => {
            number(value).is_none_or(|value| i64::try_from(value).is_ok())
        }
        (Some("date-time" | "uuid" | "int32" | "int64"), _) => true,
        _ => false,
    }
}

fn is_like(pattern: &Value, value: &Value) -> bool {
    let Some(text) = value.as_str() else {
        return true;
    };
    let pattern = pattern.as_str().and_then(|text| Regex::new(text).ok());
    pattern.is_some_and(|pattern| pattern.is_match(text))
}

fn number(value: &Value) -> Option<i128> {
    let unsigned = value.as_u64().map(i128::from);
    unsigned.or_else(|| value.as_i64().map(i128::from))
}

fn length(value: &Value) -> Option<i128> {
    i128::try_from(value.as_str()?.chars().count()).ok()
}

fn items(value: &Value) -> Option<i128> {
    i128::try_from(value.as_array()?.len()).ok()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

#[test]
fn what_is_not_as_its_schema_says_is_found() {
    let document = json!({"a": {"type": "object", "required": ["n"], "properties": {
        "n": {"type": "integer", "minimum": 1, "maximum": 3, "format": "int32"},
        "at": {"type": ["string", "null"], "format": "date-time"},
        "word": {"oneOf": [{"type": "null"}, {"$ref": "#/word"}]},
        "list": {"type": "array", "items": {"type": "string", "minLength": 1, "maxLength": 2}},
        "map": {"type": "object", "additionalProperties": {"type": "boolean"}},
        "one": {"oneOf": [{"type": "integer"}, {"minimum": 0}]},
        "any": {"anyOf": [{"type": "integer"}, {"minimum": 0, "type": "integer"}]},
        "all": {"allOf": [{"type": "object"}, {"required": ["x"]}]},
    }}, "word": {"type": "string", "enum": ["yes"]}});
    let schemas = Schemas(&document);
    let right = [
        json!({"n": 1}),
        json!({"n": 3, "at": null, "word": null, "list": [], "map": {}}),
        json!({"n": 2, "at": "2026-11-20T12:00:00Z", "word": "yes", "list": ["ab"]}),
        json!({"n": 2, "map": {"x": true}, "one": -1, "any": 1, "all": {"x": 1, "y": 2}}),
    ];
    for value in right {
        assert_eq!(schemas.faults(&document["a"], &value), [""; 0], "{value}");
    }
    let wrong = [
        json!([]),
        json!({}),
        json!({"n": 0}),
        json!({"n": 4}),
        json!({"n": 1.5}),
        json!({"n": null}),
        json!({"n": 1, "more": 1}),
        json!({"n": 1, "at": "noon"}),
        json!({"n": 1, "word": "no"}),
        json!({"n": 1, "list": ["a", ""]}),
        json!({"n": 1, "list": ["abc"]}),
        json!({"n": 1, "list": {}}),
        json!({"n": 1, "map": {"x": 1}}),
        json!({"n": 1, "one": 1}),
        json!({"n": 1, "any": "x"}),
        json!({"n": 1, "all": {}}),
    ];
    for value in wrong {
        assert_eq!(schemas.faults(&document["a"], &value).len(), 1, "{value}");
    }
    let by_kind = json!({"if": {"required": ["a"]}, "then": {"properties": {"b": false}}, "else": {"required": ["b"]}});
    let wrong = [json!({"a": 1, "b": 1}), json!({"c": 1}), json!({})];
    for value in wrong {
        assert_eq!(schemas.faults(&by_kind, &value).len(), 1, "{value}");
    }
    for value in [json!({"a": 1}), json!({"b": 1})] {
        assert_eq!(schemas.faults(&by_kind, &value), [""; 0], "{value}");
    }
    let counted = json!({"minItems": 1, "maxItems": 2});
    for value in [json!([]), json!([1, 2, 3])] {
        assert_eq!(schemas.faults(&counted, &value).len(), 1, "{value}");
    }
    let unknown = json!({"multipleOf": 2});
    assert_eq!(schemas.faults(&unknown, &json!(4)).len(), 1);
}
