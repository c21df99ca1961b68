//! Tells Rust code from comments and strings, so that a check sees only what it is about.

/// One source text twice, byte for byte in place: what is left out of each is blanked.
#[derive(Debug)]
pub struct Masked {
    /// Code without comments and without what is in strings.
    pub code: String,
    /// Comments and strings, without code.
    pub notes: String,
}

/// Splits `source` into code and notes of the same length and lines.
pub fn mask(source: &str) -> Masked {
    let bytes = source.as_bytes();
    let mut code = blank(bytes);
    let mut notes = blank(bytes);
    let mut at = 0;
    while at < bytes.len() {
        let length = note_length(bytes, at);
        let (target, span) = match length {
            0 => (&mut code, at..at + 1),
            length => (&mut notes, at..(at + length).min(bytes.len())),
        };
        at = span.end;
        target[span.clone()].copy_from_slice(&bytes[span]);
    }
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Masked {
        code: text(code),
        notes: text(notes),
    }
}

/// Blanks the parts of `code` (as [`mask`] gives it) that only tests are built with.
pub fn without_inline_tests(code: &str) -> String {
    let mut left = code.to_owned();
    let mut from = 0;
    while let Some(at) = left[from..].find("#[cfg(test)]").map(|at| from + at) {
        let end = item_end(&left, at);
        let blanked = String::from_utf8_lossy(&blank(&left.as_bytes()[at..end])).into_owned();
        left.replace_range(at..end, &blanked);
        from = end;
    }
    left
}

/// Where the item that begins at `at` ends: after its braces, or after its `;`.
pub fn item_end(code: &str, at: usize) -> usize {
    let (mut braces, mut others) = (0_usize, 0_usize);
    for (offset, byte) in code.bytes().enumerate().skip(at) {
        match byte {
            b'{' => braces += 1,
            b'}' => {
                braces = braces.saturating_sub(1);
                if braces == 0 && others == 0 {
                    return offset + 1;
                }
            }
            b'(' | b'[' => others += 1,
            b')' | b']' => others = others.saturating_sub(1),
            b';' if braces == 0 && others == 0 => return offset + 1,
            _ => {}
        }
    }
    code.len()
}

fn blank(bytes: &[u8]) -> Vec<u8> {
    bytes
        .iter()
        .map(|byte| if *byte == b'\n' { b'\n' } else { b' ' })
        .collect()
}

/// The length of the comment, string or character that begins at `at`; 0 for code.
fn note_length(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..];
    match rest {
        [b'/', b'/', ..] => rest
            .iter()
            .position(|byte| *byte == b'\n')
            .unwrap_or(rest.len()),
        [b'/', b'*', ..] => block_comment_length(rest),
        [b'"', ..] => quoted_length(rest, b'"'),
        [b'r', b'"' | b'#', ..] if !is_in_word(bytes, at) => raw_string_length(rest),
        [b'\'', b'\\', ..] => quoted_length(rest, b'\''),
        [b'\'', ..] => character_length(rest),
        _ => 0,
    }
}

fn is_in_word(bytes: &[u8], at: usize) -> bool {
    let before = at.checked_sub(1).map_or(b' ', |before| bytes[before]);
    // `br"` and `cr"` are raw strings too.
    (before.is_ascii_alphanumeric() || before == b'_') && !matches!(before, b'b' | b'c')
}

fn block_comment_length(rest: &[u8]) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at + 1 < rest.len() {
        match (rest[at], rest[at + 1]) {
            (b'/', b'*') => (depth, at) = (depth + 1, at + 2),
            (b'*', b'/') => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

fn quoted_length(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// `r#"…"#` with any number of `#`; a raw identifier (`r#type`) is code.
fn raw_string_length(rest: &[u8]) -> usize {
    let hashes = rest[1..].iter().take_while(|byte| **byte == b'#').count();
    if rest.get(1 + hashes) != Some(&b'"') {
        return 0;
    }
    let mut end = vec![b'"'];
    end.extend(std::iter::repeat_n(b'#', hashes));
    let body = &rest[2 + hashes..];
    let at = body.windows(end.len()).position(|window| window == end);
    at.map_or(rest.len(), |at| 2 + hashes + at + end.len())
}

/// `'x'`, and 0 for a lifetime. The quote is at most one character (4 bytes) away.
fn character_length(rest: &[u8]) -> usize {
    let text = String::from_utf8_lossy(&rest[1..rest.len().min(6)]).into_owned();
    let first = text.chars().next().map_or(0, char::len_utf8);
    if rest.get(1 + first) == Some(&b'\'') {
        2 + first
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::{mask, without_inline_tests};

    #[test]
    fn comments_and_strings_are_told_from_code() {
        let source = "let a = \"x // y\\\"z\"; // W1\nlet b: &'a str = r#\"q\"q\"#; /* o /* i */ */ 'c'; '\\''";
        let masked = mask(source);
        assert_eq!(masked.code.len(), source.len());
        assert!(
            !masked.code.contains(['x', 'y', 'z', 'q', 'o', 'c', '"']),
            "{}",
            masked.code
        );
        assert!(masked.code.contains("&'a str") && masked.code.lines().count() == 2);
        assert!(masked.notes.contains("x // y") && masked.notes.contains("// W1"));
        assert!(!masked.notes.contains("let"));
    }

    #[test]
    fn inline_tests_are_left_out() {
        let code = "fn a() {}\n#[cfg(test)]\nmod tests { fn b() { if x { y } } }\nfn c() {}";
        let left = without_inline_tests(code);
        assert!(left.contains("fn a()") && left.contains("fn c()") && !left.contains("fn b()"));
    }
}
