//! Catalog files as text: what is wrong with one, and on which line.

use quota_core::catalog::{CatalogFile, CatalogMistake};
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::body::place_of;
use crate::shape::BodyShape;
use crate::words::{self, with_number};

/// A catalog file that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {detail}")]
pub struct FileFault {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong there.
    pub detail: String,
}

/// Reads a catalog file.
///
/// # Errors
/// [`FileFault`] says where it is wrong: not TOML, an unknown key, a value that cannot be.
///
/// ```
/// let fault = http_api::read_catalog_toml("[[feature]]\ncolour = 'red'\n").unwrap_err();
/// assert_eq!((fault.line, fault.column), (2, 1));
/// ```
pub fn read_catalog_toml(text: &str) -> Result<CatalogFile, FileFault> {
    let read = toml::from_str::<BodyShape>(text).and_then(|_| toml::from_str(text));
    read.map_err(|error| {
        let span = error.span().unwrap_or_default();
        let at = unfit_at(text, span.start, error.message()).unwrap_or(span.start);
        let (line, column) = line_and_column(text, at);
        let message = with_number(error.message(), text.get(span));
        FileFault {
            line,
            column,
            detail: words_at(text, at, &message),
        }
    })
}

/// Reads a catalog file in JSON.
///
/// # Errors
/// [`FileFault`] says where it is wrong: line and column, and in its words the path.
///
/// ```
/// let fault = http_api::read_catalog_json(r#"{"plan": [{"code": "free"}]}"#).unwrap_err();
/// assert_eq!(fault.detail, "/plan/0/name: is required");
/// ```
pub fn read_catalog_json(text: &str) -> Result<CatalogFile, FileFault> {
    read_json::<BodyShape>(text)?;
    read_json(text)
}

fn read_json<T: DeserializeOwned>(text: &str) -> Result<T, FileFault> {
    serde_json::from_str(text).map_err(|error| {
        let (pointer, why) = place_of::<T>(text.as_bytes(), &error);
        FileFault {
            line: error.line(),
            column: error.column(),
            detail: match pointer.as_str() {
                "" => format!("the file {why}"),
                pointer => format!("{pointer}: {why}"),
            },
        }
    })
}

/// A message with the field that it is about: of a file nothing but a line says where it stands.
fn words_of(message: &str) -> String {
    let said = words::plain(message).replace("an object", "a table");
    match words::named_field(message) {
        Some(field) => format!("`{field}` {said}"),
        None => said,
    }
}

/// A message with the plan or feature that it is about, by code, and the key in it.
fn words_at(text: &str, at: usize, message: &str) -> String {
    let said = words_of(message);
    let Some((entry, keys)) = entry_at(text, at) else {
        return said;
    };
    if said.starts_with(&format!("{entry}: ")) {
        return said;
    }
    // What is unknown or there twice is named already.
    let named = words::named_field(message);
    let keys: Vec<String> = keys
        .into_iter()
        .filter(|key| named != Some(key.as_str()))
        .collect();
    match keys.as_slice() {
        [] => format!("{entry}: {said}"),
        keys => format!("{entry}: `{}` {said}", keys.join(".")),
    }
}

/// Where the key of a feature stands that its kind has not, which is told of the feature as a whole.
fn unfit_at(text: &str, at: usize, message: &str) -> Option<usize> {
    let field = words::unfit_field(message)?;
    let document = DeTable::parse(text).ok()?;
    let DeValue::Array(entries) = document.get_ref().get("feature")?.get_ref() else {
        return None;
    };
    let entry = entries.iter().find(|entry| entry.span().contains(&at))?;
    let (key, _) = entry.get_ref().as_table()?.get_key_value(field)?;
    Some(key.span().start)
}

/// The entry that a place in the text stands in, and the keys in it that lead there.
fn entry_at(text: &str, at: usize) -> Option<(String, Vec<String>)> {
    let document = DeTable::parse(text).ok()?;
    for (kind, value) in document.get_ref() {
        let DeValue::Array(entries) = value.get_ref() else {
            continue;
        };
        for (index, entry) in entries.iter().enumerate() {
            let DeValue::Table(members) = entry.get_ref() else {
                continue;
            };
            let keys = keys_to(members, at);
            if keys.is_none() && !entry.span().contains(&at) {
                continue;
            }
            let kind = kind.get_ref();
            let name = match members.get("code").map(Spanned::get_ref) {
                Some(DeValue::String(code)) => format!("{kind} `{code}`"),
                _ => format!("{kind} {}", index + 1),
            };
            return Some((name, keys.unwrap_or_default()));
        }
    }
    None
}

/// The keys of a table, and of those in it, that lead to a place.
fn keys_to(table: &DeTable<'_>, at: usize) -> Option<Vec<String>> {
    table.iter().find_map(|(key, value)| {
        let own = || key.get_ref().to_string();
        let inner = match value.get_ref() {
            DeValue::Table(inner) => keys_to(inner, at),
            DeValue::Array(items) => items.iter().find_map(|item| {
                let inner = item.get_ref().as_table()?;
                keys_to(inner, at)
            }),
            DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_) => None,
        };
        if let Some(mut keys) = inner {
            keys.insert(0, own());
            return Some(keys);
        }
        let is_here = value.span().contains(&at) || key.span().contains(&at);
        is_here.then(|| vec![own()])
    })
}

/// Where in the text of a file that reads well each of its mistakes stands, as line and column.
pub fn places_in_toml(text: &str, mistakes: &[CatalogMistake]) -> Vec<Option<(usize, usize)>> {
    let document = DeTable::parse(text).ok();
    let document = document.as_ref().map(Spanned::get_ref);
    let place = |mistake| {
        let at = place_in_toml(document?, mistake)?;
        Some(line_and_column(text, at))
    };
    mistakes.iter().map(place).collect()
}

/// Where the entry stands that breaks a rule.
fn place_in_toml(document: &DeTable<'_>, mistake: &CatalogMistake) -> Option<usize> {
    let Some((kind, code)) = named_entry(mistake) else {
        return Some(document.get(mistake.field)?.span().start);
    };
    let DeValue::Array(entries) = document.get(kind)?.get_ref() else {
        return None;
    };
    // Of an entry that stands twice, the last one is the mistake.
    let mut found = entries.iter().filter_map(|entry| {
        let DeValue::Table(entry) = entry.get_ref() else {
            return None;
        };
        let DeValue::String(own) = entry.get("code")?.get_ref() else {
            return None;
        };
        (own.as_ref() == code).then_some(entry)
    });
    let entry = found.next_back()?;
    // A default that does not fit follows from the cadence.
    let fields = [mistake.field, "cadence", "code"];
    let mut values = fields.iter().filter_map(|field| entry.get(*field));
    let value = values.next()?;
    let place = match (&mistake.member, value.get_ref()) {
        (Some(member), DeValue::Table(members)) => members
            .get(member.as_str())
            .map_or(value, |member| deepest(member, &mistake.within)),
        (Some(_), _) => value,
        (None, _) => deepest(value, &mistake.within),
    };
    Some(place.span().start)
}

/// The value in another one to which keys and places in lists lead, as far as they are there.
fn deepest<'a, 'b>(
    mut value: &'a Spanned<DeValue<'b>>,
    within: &[String],
) -> &'a Spanned<DeValue<'b>> {
    for key in within {
        // A list of one limit is no other than the limit.
        if let DeValue::Array(items) = value.get_ref()
            && let [one] = &items[..]
        {
            value = one;
        }
        let inner = match value.get_ref() {
            DeValue::Table(members) => members.get(key.as_str()),
            DeValue::Array(items) => key.parse().ok().and_then(|at: usize| items.get(at)),
            DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_) => None,
        };
        let Some(inner) = inner else { break };
        value = inner;
    }
    value
}

/// The place of the entry that breaks a rule, as a JSON pointer.
pub fn place_in_json(file: &CatalogFile, mistake: &CatalogMistake) -> String {
    let Some((kind, code)) = named_entry(mistake) else {
        return format!("/{}", mistake.field);
    };
    let index = match kind {
        "feature" => file
            .features
            .iter()
            .rposition(|feature| feature.code.as_str() == code),
        "pack" => file
            .packs
            .iter()
            .rposition(|pack| pack.code.as_str() == code),
        _ => file
            .plans
            .iter()
            .rposition(|plan| plan.code.as_str() == code),
    };
    let index = index.unwrap_or_default();
    let member = mistake.member.as_ref();
    let member = member.map_or(String::new(), |member| format!("/{member}"));
    let within = mistake.within.iter().map(|key| format!("/{key}"));
    let within: String = within.collect();
    let mut features = file.features.iter().skip(index);
    let is_default = mistake.field == "on_renewal"
        && kind == "feature"
        && features.next().is_some_and(|of| of.on_renewal.is_none());
    let field = if is_default { "cadence" } else { mistake.field };
    format!("/{kind}/{index}/{field}{member}{within}")
}

/// "feature `x`" as `("feature", "x")`.
fn named_entry(mistake: &CatalogMistake) -> Option<(&str, &str)> {
    let (kind, rest) = mistake.entry.split_once(" `")?;
    Some((kind, rest.strip_suffix('`')?))
}

fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    let column = before.get(line_start..).unwrap_or("").chars().count() + 1;
    (line, column)
}
