//! Names of keys and channels: all keys of one home share its hash tag, hence its slot.

use quota_core::ids::AccountId;

use crate::ConnectError;

/// A prefix is repeated in every key.
const PREFIX_CHARS_MAX: usize = 64;

/// The names of one install's keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    prefix: String,
}

impl Keys {
    /// Names that begin with `prefix`.
    ///
    /// # Errors
    /// [`ConnectError::Prefix`] when it is empty, too long, or holds braces or white space.
    pub fn new(prefix: &str) -> Result<Self, ConnectError> {
        let is_bad = |c: char| matches!(c, '{' | '}') || c.is_control() || c.is_whitespace();
        let is_long = prefix.chars().count() > PREFIX_CHARS_MAX;
        if prefix.is_empty() || is_long || prefix.contains(is_bad) {
            return Err(ConnectError::Prefix);
        }
        Ok(Self {
            prefix: prefix.to_owned(),
        })
    }

    /// The record of a home: the newest version heard of.
    pub fn record(&self, home: &AccountId) -> String {
        format!("{}:{{{}}}:v", self.prefix, tag(home))
    }

    /// The entry of an account.
    pub fn entry(&self, home: &AccountId, account: &AccountId) -> String {
        format!("{}:{{{}}}:a:{account}", self.prefix, tag(home))
    }

    /// The channel of an account's events.
    pub fn events(&self, home: &AccountId, account: &AccountId) -> String {
        format!("{}:{{{}}}:e:{account}", self.prefix, tag(home))
    }

    /// The channel on which nodes tell each other versions.
    pub fn invalidate(&self) -> String {
        format!("{}:invalidate", self.prefix)
    }

    /// The turns of a bucket.
    pub fn turns(&self, bucket: &str) -> String {
        format!("{}:{{turns:{bucket}}}", self.prefix)
    }

    /// The channel on which a node tells itself that it hears.
    pub fn beat(&self, node: u64) -> String {
        format!("{}:beat:{node:016x}", self.prefix)
    }
}

/// A home's name without braces: the tag ends at the first closing one.
fn tag(home: &AccountId) -> String {
    let text = home.as_str();
    if !text.contains(['%', '{', '}']) {
        return text.to_owned();
    }
    text.replace('%', "%25")
        .replace('{', "%7B")
        .replace('}', "%7D")
}

#[cfg(test)]
mod tests {
    use quota_core::event::Event;

    use super::*;

    const PAGE: &str = include_str!("../../../docs/OPERATING.md");

    #[test]
    fn the_page_for_operators_says_channel_and_form() {
        let (_, section) = PAGE.split_once("## Events").expect("a section");
        let (_, example) = section.split_once("```json").expect("an example");
        let (example, _) = example.split_once("```").expect("its end");
        let event: Event = serde_json::from_str(example).expect("an event");
        let written = serde_json::to_value(&event).expect("JSON");
        let said: serde_json::Value = serde_json::from_str(example).expect("JSON");
        assert_eq!(written, said);
        let account = |text| AccountId::parse(text).expect("an account");
        let keys = Keys::new("q").expect("the default prefix");
        for (home, user) in [("user:alice", "user:alice"), ("org:acme", "user:ada")] {
            let channel = keys.events(&account(home), &account(user));
            assert!(section.contains(&format!("`{channel}`")), "{channel}");
        }
    }
}
