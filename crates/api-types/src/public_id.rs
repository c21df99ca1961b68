//! Ids as callers see them: they carry their account, so that every statement knows its home.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use quota_core::ids::AccountId;
use uuid::Uuid;

/// What an id names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    /// An operation of the ledger.
    Operation,
    /// A reservation.
    Reservation,
}

impl Named {
    fn prefix(self) -> &'static str {
        match self {
            Self::Operation => "op",
            Self::Reservation => "res",
        }
    }
}

/// The public form: `op.<account, base64url>.<uuid>`.
pub fn public_id(named: Named, account: &AccountId, id: Uuid) -> String {
    let mut text = String::with_capacity(64 + account.as_str().len() * 2);
    text.push_str(named.prefix());
    text.push('.');
    URL_SAFE_NO_PAD.encode_string(account.as_str(), &mut text);
    text.push('.');
    let mut digits = [0; uuid::fmt::Hyphenated::LENGTH];
    text.push_str(id.hyphenated().encode_lower(&mut digits));
    text
}

/// Reads the public form; says what is wrong with it.
pub fn read_id(named: Named, text: &str) -> Result<(AccountId, Uuid), &'static str> {
    let wrong = match named {
        Named::Operation => "is not an operation's id: `op.<account>.<uuid>`",
        Named::Reservation => "is not a reservation's id: `res.<account>.<uuid>`",
    };
    let mut parts = text.split('.');
    let (Some(prefix), Some(account), Some(id), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(wrong);
    };
    if prefix != named.prefix() {
        return Err(match (named, prefix) {
            (Named::Operation, "res") => {
                "is a reservation's id: name an operation, such as the one that committed it, `op.<account>.<uuid>`"
            }
            (Named::Reservation, "op") => {
                "is an operation's id: name a reservation, `res.<account>.<uuid>`"
            }
            _ => wrong,
        });
    }
    let account = URL_SAFE_NO_PAD.decode(account).map_err(|_| wrong)?;
    let account = std::str::from_utf8(&account).map_err(|_| wrong)?;
    let account = AccountId::parse(account).map_err(|_| wrong)?;
    let id = Uuid::try_parse(id).map_err(|_| wrong)?;
    Ok((account, id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_its_public_form() {
        let account = AccountId::parse("user:a.b:ü").expect("a valid id");
        let id = Uuid::from_u128(7);
        let text = public_id(Named::Operation, &account, id);
        assert!(text.starts_with("op."), "{text}");
        assert_eq!(read_id(Named::Operation, &text), Ok((account, id)));
    }

    #[test]
    fn an_id_of_another_form_is_refused() {
        let account = AccountId::parse("user:a").expect("a valid id");
        let operation = public_id(Named::Operation, &account, Uuid::nil());
        assert!(read_id(Named::Reservation, &operation).is_err());
        for text in ["", "op", "op..", "op.x.y", "op.dXNlcjph.zz", "op.a.b.c"] {
            assert!(read_id(Named::Operation, text).is_err(), "{text}");
        }
    }
}
