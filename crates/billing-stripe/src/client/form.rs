//! The way in which Stripe takes parameters: `items[0][price]=price_1`.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::Value;

/// Parameters as a form. What is null, an empty list or an empty object is left out; an empty text is sent, and clears a field.
pub(crate) fn encode(parameters: &impl Serialize) -> String {
    let value = match serde_json::to_value(parameters) {
        Ok(value) => value,
        Err(error) => unreachable!("parameters are plain structs: {error}"),
    };
    let mut form = String::new();
    write(&mut form, "", &value);
    form
}

fn write(form: &mut String, name: &str, value: &Value) {
    match value {
        Value::Null => {}
        Value::Bool(flag) => pair(form, name, if *flag { "true" } else { "false" }),
        Value::Number(number) => pair(form, name, &number.to_string()),
        Value::String(text) => pair(form, name, text),
        Value::Array(values) => {
            for (place, value) in values.iter().enumerate() {
                write(form, &format!("{name}[{place}]"), value);
            }
        }
        Value::Object(fields) => {
            for (field, value) in fields {
                let name = if name.is_empty() {
                    field.clone()
                } else {
                    // A field may say itself what it is inside of.
                    let inside = field.find('[').unwrap_or(field.len());
                    let (first, rest) = field.split_at(inside);
                    format!("{name}[{first}]{rest}")
                };
                write(form, &name, value);
            }
        }
    }
}

fn pair(form: &mut String, name: &str, value: &str) {
    if !form.is_empty() {
        form.push('&');
    }
    escape(form, name);
    form.push('=');
    escape(form, value);
}

/// Percent-encodes all but what no form gives a meaning. Also for a part of a path.
pub(crate) fn escape(into: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            into.push(char::from(byte));
        } else if write!(into, "%{byte:02X}").is_err() {
            unreachable!("a string takes what is written to it");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn parameters_are_nested_in_brackets() {
        let form = encode(&json!({
            "customer": "cus_1",
            "items": [{"price": "price_1", "quantity": 3}, {"id": "si_2", "deleted": true}],
            "metadata": {"account": "org:acme & co", "note": "5 €"},
        }));
        let plain = form.replace("%5B", "[").replace("%5D", "]");
        assert_eq!(
            plain,
            "customer=cus_1&items[0][price]=price_1&items[0][quantity]=3&items[1][deleted]=true\
             &items[1][id]=si_2&metadata[account]=org%3Aacme%20%26%20co&metadata[note]=5%20%E2%82%AC"
        );
    }

    #[test]
    fn what_is_not_said_is_not_sent_and_an_empty_text_clears() {
        let form = encode(&json!({"a": null, "b": [], "c": {}, "d": "", "e": 0}));
        assert_eq!(form, "d=&e=0");
    }
}
