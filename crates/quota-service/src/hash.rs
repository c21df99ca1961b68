//! The hash by which a repeated request is told from another one under the same key (X1).

use sha2::{Digest, Sha256};

use crate::ask::Ask;

/// Hash of what is asked: the account, the command, what it is about and why. Who asks does not count.
pub(crate) fn body_hash(ask: &Ask) -> [u8; 32] {
    let origin = &ask.origin;
    let mut hasher = Sha256::new();
    hasher.update(ask.account.as_str());
    hasher.update([0]);
    for part in [&origin.resource_type, &origin.resource_id] {
        hasher.update(part.as_deref().unwrap_or_default());
        hasher.update([0]);
    }
    if let Some(reason) = &origin.reason {
        hasher.update(reason);
        hasher.update([1]);
    }
    // A command is plain data: its text is always the same, and there is always one.
    hasher.update(serde_json::to_vec(&ask.command).unwrap_or_default());
    hasher.finalize().into()
}

#[cfg(test)]
mod tests {
    use quota_core::command::{Cancel, Command, Renew};
    use quota_core::ids::AccountId;
    use quota_core::origin::Origin;

    use super::*;

    fn ask(command: Command, origin: Origin) -> Ask {
        Ask {
            account: AccountId::parse("user:alice").expect("a literal id"),
            key: None,
            command,
            origin,
        }
    }

    fn full() -> Origin {
        Origin {
            actor: Some("ops".to_owned()),
            request_id: Some("req-1".to_owned()),
            resource_type: Some("article".to_owned()),
            resource_id: Some("42".to_owned()),
            reason: Some("a gift".to_owned()),
        }
    }

    /// X1: the hash of a request that was answered yesterday is the same today. quota-core's golden files hold the text
    /// of every command; these hold what is made of it.
    #[test]
    fn a_request_is_hashed_as_ever() {
        let renew = || Command::Renew(Renew::default());
        let cancel = Command::Cancel(Cancel { at_once: true });
        let asks = [
            ask(renew(), Origin::default()),
            ask(renew(), full()),
            ask(cancel, Origin::default()),
            ask(Command::Sweep, Origin::default()),
        ];
        let hashes = asks.map(|ask| hex::encode(body_hash(&ask)));
        let golden: Vec<&str> = include_str!("../tests/golden/hashes.txt").lines().collect();
        assert_eq!(hashes.to_vec(), golden);
    }

    /// X1: who asks, and with which request, makes no other request of it.
    #[test]
    fn who_asks_is_not_hashed() {
        let same_matter = Origin {
            actor: None,
            request_id: None,
            ..full()
        };
        let anonymous = ask(Command::Sweep, same_matter);
        let named = ask(Command::Sweep, full());
        assert_eq!(body_hash(&anonymous), body_hash(&named));
    }
}
