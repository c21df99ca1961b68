//! How a code is written, and what is read as the same one.

/// The digits of a code: those of Crockford's base 32, in which no two look alike.
const DIGITS: [char; 32] = [
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'J',
    'K', 'M', 'N', 'P', 'Q', 'R', 'S', 'T', 'V', 'W', 'X', 'Y', 'Z',
];
/// Digits of a code, of five bits each: 125 random bits, of which the prefix shows 25 to those who may list codes.
pub const CODE_CHARS: usize = 25;
/// Digits of a code that are stored and listed: its first group.
pub const PREFIX_CHARS: usize = 5;
/// What stands between the groups.
const BETWEEN: char = '-';

/// A code of these random bits, as it is handed out: five groups of five digits.
///
/// ```
/// use quota_core::code::{plain_code, written_code};
///
/// let code = written_code([0xA5; 16]);
/// assert_eq!(code, "5D9BT-JPM5D-9BTJP-M5D9B-TJPM5");
/// assert_eq!(plain_code(" 5d9bt jpm5d—9btjp-M5D9B tjpm5"), plain_code(&code));
/// assert_eq!(plain_code("oO iIlL"), "001111");
/// ```
pub fn written_code(random: [u8; 16]) -> String {
    let mut rest = u128::from_be_bytes(random);
    let mut code = String::new();
    for place in 0..CODE_CHARS {
        if place != 0 && place.is_multiple_of(PREFIX_CHARS) {
            code.push(BETWEEN);
        }
        let digit = usize::try_from(rest % 32).unwrap_or(0);
        code.extend(DIGITS.get(digit));
        rest /= 32;
    }
    debug_assert_eq!(
        plain_code(&code).len(),
        CODE_CHARS,
        "a code has all its digits"
    );
    code
}

/// The plain form of what somebody typed, of which the hash is made: large letters, without spaces and dashes, and the
/// letters that are no digits read as the digits that they look like.
pub fn plain_code(text: &str) -> String {
    let is_dash = |letter: char| matches!(letter, '-' | '_' | '\u{2010}'..='\u{2015}' | '\u{2212}');
    let said = text
        .chars()
        .filter(|letter| !letter.is_whitespace() && !is_dash(*letter));
    let digit = |letter: char| match letter.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    said.map(digit).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// P15: a code has at least 100 random bits: each of them makes another code.
    #[test]
    fn each_of_125_bits_makes_another_code() {
        let mut codes = BTreeSet::from([written_code([0; 16])]);
        for bit in 0..125 {
            let code = written_code((1_u128 << bit).to_be_bytes());
            assert!(codes.insert(code), "bit {bit}");
        }
        let full = written_code([0xFF; 16]);
        assert_eq!(full, "ZZZZZ-ZZZZZ-ZZZZZ-ZZZZZ-ZZZZZ");
    }

    #[test]
    fn what_looks_alike_is_the_same_code() {
        let digits: String = DIGITS.iter().collect();
        assert_eq!(plain_code(&digits), digits, "a digit stands for itself");
        let small = digits.to_lowercase();
        assert_eq!(plain_code(&small), digits);
        assert_eq!(plain_code("0OoQ 1IiLl-U"), "000Q11111U");
        assert_eq!(plain_code(" \t-‐–—−\n"), "");
    }
}
