//! `items[0][price]=price_1` and percent signs.

use serde_json::{Map, Value};

/// Parameters as a tree. All values are texts; lists have numbers or nothing in their brackets.
pub(super) fn parse(form: &str) -> Value {
    let mut root = Value::Object(Map::new());
    for pair in form.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = unescape(name);
        let mut parts = name.split('[').map(|part| part.trim_end_matches(']'));
        let mut at = &mut root;
        let first = parts.next().unwrap_or_default();
        at = &mut at[first];
        for part in parts {
            at = step(at, part);
        }
        *at = Value::String(unescape(value));
    }
    lists(&mut root);
    root
}

fn step<'a>(at: &'a mut Value, part: &str) -> &'a mut Value {
    if !at.is_object() {
        *at = Value::Object(Map::new());
    }
    let count = at.as_object().map_or(0, Map::len);
    if part.is_empty() {
        return &mut at[format!("{count}")];
    }
    &mut at[part]
}

/// Objects whose fields are all numbers are lists.
fn lists(value: &mut Value) {
    let Value::Object(fields) = value else {
        return;
    };
    fields.values_mut().for_each(lists);
    let is_number = |name: &String| name.bytes().all(|byte| byte.is_ascii_digit());
    if !fields.is_empty() && fields.keys().all(is_number) {
        let mut rows: Vec<(usize, Value)> = std::mem::take(fields)
            .into_iter()
            .map(|(name, value)| (name.parse().unwrap_or(usize::MAX), value))
            .collect();
        rows.sort_by_key(|(place, _)| *place);
        *value = rows.into_iter().map(|(_, value)| value).collect();
    }
}

fn unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let decoded = match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next(), rest.next()].map(Option::unwrap_or_default);
                let digits = std::str::from_utf8(&digits).unwrap_or_default();
                u8::from_str_radix(digits, 16).unwrap_or(b'?')
            }
            byte => byte,
        };
        bytes.push(decoded);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn brackets_are_a_tree() {
        let form = "a=1&items%5B0%5D%5Bprice%5D=p&items[1][id]=s&expand[]=x&expand[]=y&m[k]=5%20%E2%82%AC&none=";
        assert_eq!(
            parse(form),
            json!({"a": "1", "items": [{"price": "p"}, {"id": "s"}], "expand": ["x", "y"], "m": {"k": "5 €"}, "none": ""})
        );
        assert_eq!(parse(""), json!({}));
    }
}
