//! What nodes tell each other: one line a home, its version and its name. Names hold no line ends.

use std::fmt::Write as _;

use quota_core::ids::AccountId;

/// Told instead of versions when a node has lost some of what it had to tell.
const EVERYTHING: &str = "*";

/// A message, read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Message {
    /// These homes have reached these versions.
    Versions(Vec<(AccountId, u64)>),
    /// Whatever is kept may be old; also what cannot be understood.
    Everything,
}

/// Versions as a message.
pub(crate) fn of_versions(homes: &[(AccountId, u64)]) -> String {
    let mut text = String::with_capacity(homes.len() * 32);
    for (home, version) in homes {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{version} {home}");
    }
    text
}

/// The message that drops everything.
pub(crate) fn of_everything() -> String {
    EVERYTHING.to_owned()
}

/// Reads a message.
pub(crate) fn read(text: &[u8]) -> Message {
    let versions = std::str::from_utf8(text).ok().and_then(|text| {
        let line = |line: &str| {
            let (version, home) = line.split_once(' ')?;
            Some((AccountId::parse(home).ok()?, version.parse().ok()?))
        };
        text.lines().map(line).collect()
    });
    versions.map_or(Message::Everything, Message::Versions)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(text: &str) -> AccountId {
        AccountId::parse(text).expect("an account")
    }

    #[test]
    fn versions_survive_the_way() {
        let homes = vec![
            (account("org:a b"), u64::MAX),
            (account("user:{%}\u{2028}ü"), 0),
        ];
        assert_eq!(
            read(of_versions(&homes).as_bytes()),
            Message::Versions(homes)
        );
    }

    #[test]
    fn what_is_not_understood_drops_everything() {
        for text in [
            of_everything().as_bytes(),
            b"x",
            b"1 team:x",
            b"-1 org:a",
            &[0xff],
        ] {
            assert_eq!(read(text), Message::Everything);
        }
    }
}
