//! serde's messages in the words of a caller, who does not know our types.

/// How serde's message about a number begins that is no integer.
const FLOAT: &str = "floating point `";
/// serde's words for what was sent and what was wanted, and ours.
const KINDS: [(&str, &str); 9] = [
    ("a boolean", "true or false"),
    ("boolean ", ""),
    ("integer ", ""),
    ("floating point ", ""),
    ("a sequence", "an array"),
    ("sequence", "an array"),
    ("a map", "an object"),
    ("map", "an object"),
    ("unit", "null"),
];
/// Whole numbers by the type that serde names.
const NUMBERS: [(&str, &str); 4] = [
    ("u16", " from 0 to 65535"),
    ("u32", " from 0 to 4294967295"),
    // How large it may be says the field that it is for.
    ("u64", ", 0 or more"),
    ("usize", ", 0 or more"),
];

/// A message about one value or field, without the field's name, which its place says already.
pub(crate) fn plain(message: &str) -> String {
    if message.starts_with("missing field `") {
        return "is required".to_owned();
    }
    if message.starts_with("duplicate field `") {
        return "is there twice".to_owned();
    }
    if message.starts_with("unknown field `") {
        return match expected(message) {
            Some(fields) => format!("is not a known field; known here: {fields}"),
            None => "is not a known field; no fields are known here".to_owned(),
        };
    }
    if let Some(rest) = message.strip_prefix("unknown variant ") {
        let sent = rest.split(',').next().unwrap_or_default();
        let wanted = expected(message).unwrap_or_default();
        return format!("must be one of {wanted}, not {sent}");
    }
    let wrong = ["invalid type: ", "invalid value: "];
    let rest = wrong.iter().find_map(|start| message.strip_prefix(start));
    match rest.and_then(|rest| rest.split_once(", expected ")) {
        Some((sent, wanted)) => {
            let how = how_written(sent);
            format!("must be {}{how}, not {}", wanted_words(wanted), words(sent))
        }
        None => message.to_owned(),
    }
}

/// A message with a number as it was sent: serde tells `1e3` as `1000.0`.
pub(crate) fn with_number(message: &str, sent: Option<&str>) -> String {
    let number = |text: &str| text.parse::<f64>().ok();
    let told = message.split_once(FLOAT).and_then(|(before, rest)| {
        let (told, after) = rest.split_once('`')?;
        let sent = sent.filter(|sent| number(sent) == number(told))?;
        Some(format!("{before}{FLOAT}{sent}`{after}"))
    });
    told.unwrap_or_else(|| message.to_owned())
}

/// How a whole number should have been written that came with a decimal point or an exponent.
fn how_written(sent: &str) -> &'static str {
    let number = sent.strip_prefix(FLOAT).unwrap_or_default();
    let number = number.trim_end_matches('`');
    let is_whole = number
        .parse::<f64>()
        .is_ok_and(|number| number.fract() == 0.0);
    if is_whole && number.contains(['.', 'e', 'E']) {
        return " without a decimal point or an exponent";
    }
    ""
}

/// The field that a message of serde is about.
pub(crate) fn named_field(message: &str) -> Option<&str> {
    let about = ["missing field `", "unknown field `", "duplicate field `"];
    let rest = about.iter().find_map(|start| message.strip_prefix(start))?;
    rest.split('`').next()
}

/// The field of a feature that its kind has not, where a message is about that.
pub(crate) fn unfit_field(message: &str) -> Option<&str> {
    let (_, rest) = message.strip_prefix("feature `")?.split_once(" has no `")?;
    rest.split('`').next()
}

/// The list after `expected`, without `one of`.
fn expected(message: &str) -> Option<&str> {
    let (_, list) = message.split_once(", expected ")?;
    Some(list.strip_prefix("one of ").unwrap_or(list))
}

fn wanted_words(wanted: &str) -> String {
    if let Some((_, range)) = NUMBERS.iter().find(|(name, _)| *name == wanted) {
        return format!("a whole number{range}");
    }
    if wanted.starts_with("struct ") {
        return "an object".to_owned();
    }
    words(wanted)
}

fn words(text: &str) -> String {
    for (theirs, ours) in KINDS {
        let is_whole = theirs.ends_with(' ');
        if text == theirs || (is_whole && text.starts_with(theirs)) {
            let rest = text.get(theirs.len()..).unwrap_or_default();
            return format!("{ours}{}", rest.trim_matches('`'));
        }
    }
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only what cannot be read is looked at")]
    struct Body {
        count: u32,
        flag: Option<bool>,
        list: Option<Vec<u64>>,
        word: Option<Word>,
        inner: Option<Box<Body>>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Word {
        Now,
        PeriodEnd,
    }

    #[test]
    fn a_number_is_told_as_it_was_sent() {
        for (sent, told, wanted) in [
            (
                "1e0",
                "1.0",
                " without a decimal point or an exponent, not 1e0",
            ),
            (
                "10.00",
                "10.0",
                " without a decimal point or an exponent, not 10.00",
            ),
            ("15e-1", "1.5", ", not 15e-1"),
            (
                "99999999999999999999",
                "100000000000000000000.0",
                ", not 99999999999999999999",
            ),
            ("2", "1.5", ", not 1.5"),
        ] {
            let message = format!("invalid type: floating point `{told}`, expected u64");
            let said = plain(&with_number(&message, Some(sent)));
            assert_eq!(said, format!("must be a whole number, 0 or more{wanted}"));
        }
        let other = "invalid type: null, expected u64";
        assert_eq!(with_number(other, Some("null")), other);
        assert_eq!(with_number(other, None), other);
    }

    #[test]
    fn messages_of_serde_are_said_without_its_types() {
        let cases = [
            ("{}", "is required"),
            (r#"{"count":1,"count":2}"#, "is there twice"),
            (
                r#"{"cuont":1}"#,
                "is not a known field; known here: `count`, `flag`, `list`, `word`, `inner`",
            ),
            (
                r#"{"count":-1}"#,
                "must be a whole number from 0 to 4294967295, not -1",
            ),
            (
                r#"{"count":4294967296}"#,
                "must be a whole number from 0 to 4294967295, not 4294967296",
            ),
            (
                r#"{"count":"1"}"#,
                "must be a whole number from 0 to 4294967295, not string \"1\"",
            ),
            (
                r#"{"count":1.5}"#,
                "must be a whole number from 0 to 4294967295, not 1.5",
            ),
            (
                r#"{"count":1e3}"#,
                "must be a whole number from 0 to 4294967295 without a decimal point or an exponent, not 1000.0",
            ),
            (
                r#"{"count":null}"#,
                "must be a whole number from 0 to 4294967295, not null",
            ),
            (
                r#"{"count":true}"#,
                "must be a whole number from 0 to 4294967295, not true",
            ),
            (r#"{"flag":1}"#, "must be true or false, not 1"),
            (r#"{"list":{}}"#, "must be an array, not an object"),
            (r#"{"inner":5}"#, "must be an object, not 5"),
            (
                r#"{"word":"later"}"#,
                "must be one of `now` or `period_end`, not `later`",
            ),
        ];
        for (text, wanted) in cases {
            let error = serde_json::from_str::<Body>(text)
                .expect_err(text)
                .to_string();
            let message = error.split(" at line ").next().unwrap_or_default();
            let said = plain(message);
            assert_eq!(said, wanted, "{text}: {message}");
            for theirs in ["expected", "invalid", "u32", "struct", "sequence", "EOF"] {
                assert!(!said.contains(theirs), "{said}");
            }
        }
    }
}
