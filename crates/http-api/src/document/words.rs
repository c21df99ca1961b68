//! Texts of schemas are the doc comments of our types, which cite rules by number; callers have no use for these.

use serde_json::Value;

/// Takes citations such as ` (S5)` or ` (R2, X5)` out of every description below a value.
pub(super) fn drop_citations(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                if let (Value::String(text), "description") = (&mut *member, name.as_str()) {
                    *text = without_citations(text);
                } else {
                    drop_citations(member);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(drop_citations),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn without_citations(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(" (") {
        kept.push_str(before);
        match after.split_once(')') {
            Some((inside, behind)) if inside.split(", ").all(is_rule) => rest = behind,
            _ => {
                kept.push_str(" (");
                rest = after;
            }
        }
    }
    kept.push_str(rest);
    kept
}

/// Whether a text is a rule's number: a capital letter and digits.
fn is_rule(text: &str) -> bool {
    let digits = text.strip_prefix(|first: char| first.is_ascii_uppercase());
    digits.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn citations_of_rules_go_and_other_brackets_stay() {
        let cases = [
            ("What a renewal does (C5).", "What a renewal does."),
            ("Overage (R2, X5), and so on", "Overage, and so on"),
            ("A pack (a grant) (P1)", "A pack (a grant)"),
            ("It is open (", "It is open ("),
        ];
        for (text, wanted) in cases {
            assert_eq!(without_citations(text), wanted);
        }
    }
}
