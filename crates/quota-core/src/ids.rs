//! Identifiers: validated text, cheap to clone, one type for one role.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

/// Longest identifier that a caller may choose, in characters.
pub const ID_CHARS_MAX: usize = 128;
/// Longest feature or plan code, in characters.
pub const CODE_CHARS_MAX: usize = 64;
/// Longest code of a payment provider, in characters.
pub const PROVIDER_CHARS_MAX: usize = 16;
/// Longest name of a payment at its provider, in characters: a Stripe checkout session has 66.
pub const PAYMENT_CHARS_MAX: usize = 80;
/// Longest name of a line of a payment, in characters. A grant is named after all three ([`GrantId::of_purchase`]).
pub const LINE_CHARS_MAX: usize = 30;
/// Longest name of a meter's events, in characters: what Stripe takes.
pub const METER_CHARS_MAX: usize = 100;
/// Letters of a currency code.
const CURRENCY_CHARS: usize = 3;
/// Longest idempotency key, in characters (the length that other payment interfaces accept).
pub const KEY_CHARS_MAX: usize = 255;

/// A text that cannot be an identifier, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} {why}")]
pub struct InvalidId {
    /// The role of the identifier, such as `user id`.
    pub what: &'static str,
    /// What is wrong, in words that can be shown to the caller.
    pub why: Cow<'static, str>,
}

fn check_id(what: &'static str, text: &str, chars_max: usize) -> Result<(), InvalidId> {
    let chars = text.chars().count();
    let why = if text.is_empty() {
        "must not be empty"
    } else if chars > chars_max {
        let why =
            format!("is too long: it has {chars} characters, and may have {chars_max}").into();
        return Err(InvalidId { what, why });
    } else if text.chars().any(char::is_control) {
        "must not contain control characters"
    } else if text.trim() != text {
        "must not begin or end with white space"
    } else {
        return Ok(());
    };
    let why = why.into();
    Err(InvalidId { what, why })
}

fn check_code(what: &'static str, text: &str) -> Result<(), InvalidId> {
    check_id(what, text, CODE_CHARS_MAX)?;
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-.".contains(c);
    if text.chars().all(plain) {
        return Ok(());
    }
    Err(InvalidId {
        what,
        why: "may hold only a-z, 0-9, `_`, `-` and `.`".into(),
    })
}

fn check_provider(what: &'static str, text: &str) -> Result<(), InvalidId> {
    check_id(what, text, PROVIDER_CHARS_MAX)?;
    check_code(what, text)
}

fn check_line(what: &'static str, text: &str) -> Result<(), InvalidId> {
    check_id(what, text, LINE_CHARS_MAX)?;
    if !text.contains(':') {
        return Ok(());
    }
    let why = "must not contain a colon".into();
    Err(InvalidId { what, why })
}

fn check_currency(what: &'static str, text: &str) -> Result<(), InvalidId> {
    if text.len() == CURRENCY_CHARS && text.chars().all(|c| c.is_ascii_lowercase()) {
        return Ok(());
    }
    let why = "must be three small letters, such as `eur`".into();
    Err(InvalidId { what, why })
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $what:literal, $example:literal, $chars_max:ident, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes a text over as an identifier.
            ///
            /// # Errors
            /// [`InvalidId`] when the text is empty, too long or holds what is not allowed.
            pub fn new(text: &str) -> Result<Self, InvalidId> {
                let check: fn(&'static str, &str) -> Result<(), InvalidId> = $check;
                check($what, text)?;
                Ok(Self(text.into()))
            }

            /// The identifier as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::new(&text).map_err(serde::de::Error::custom)
            }
        }

        #[cfg(feature = "openapi")]
        impl utoipa::PartialSchema for $name {
            fn schema() -> crate::openapi::SchemaOrRef {
                crate::openapi::text(concat!("A ", $what), $example, Some($chars_max))
            }
        }

        #[cfg(feature = "openapi")]
        impl utoipa::ToSchema for $name {}
    };
}

text_id!(
    /// A user, as the caller names it.
    UserId, "user id", "alice", ID_CHARS_MAX, |what, text| check_id(what, text, ID_CHARS_MAX)
);
text_id!(
    /// An org, as the caller names it.
    OrgId, "org id", "acme", ID_CHARS_MAX, |what, text| check_id(what, text, ID_CHARS_MAX)
);
text_id!(
    /// An API token of a user; unique within that user. Not the token's secret.
    TokenId, "token id", "ci", ID_CHARS_MAX, |what, text| check_id(what, text, ID_CHARS_MAX)
);
text_id!(
    /// A credit grant (pack); unique within its account.
    GrantId, "grant id", "pack-1", ID_CHARS_MAX, |what, text| check_id(what, text, ID_CHARS_MAX)
);
text_id!(
    /// A boost: units of one feature that were given until an instant; unique within its account.
    BoostId, "boost id", "summer-sale", ID_CHARS_MAX, |what, text| check_id(what, text, ID_CHARS_MAX)
);
text_id!(
    /// A feature, by code: `articles_per_month`.
    FeatureCode, "feature code", "articles_per_month", CODE_CHARS_MAX, check_code
);
text_id!(
    /// A plan, by code: `article_pro`.
    PlanCode, "plan code", "article_pro", CODE_CHARS_MAX, check_code
);
text_id!(
    /// A pack of credits, by code: `credits_500`.
    PackCode, "pack code", "credits_500", CODE_CHARS_MAX, check_code
);
text_id!(
    /// A price, as its provider names it.
    PriceId, "price id", "price_1Nx", ID_CHARS_MAX, |what, text| check_id(what, text, ID_CHARS_MAX)
);
text_id!(
    /// A subscription, as its provider names it; unique within the provider.
    SubscriptionRef, "subscription reference", "sub_1Nx", ID_CHARS_MAX, |what, text| check_id(what, text, ID_CHARS_MAX)
);
text_id!(
    /// The caller's name for one write; the same key never has a second effect (X1).
    IdempotencyKey, "idempotency key", "order-4711", KEY_CHARS_MAX, |what, text| check_id(what, text, KEY_CHARS_MAX)
);

text_id!(
    /// Who takes payments: `stripe`, `alipay`, `bank`.
    ProviderCode, "provider code", "stripe", PROVIDER_CHARS_MAX, check_provider
);
text_id!(
    /// A payment, as its provider names it; unique within the provider.
    PaymentRef, "payment reference", "cs_live_a1b2", PAYMENT_CHARS_MAX, |what, text| check_id(what, text, PAYMENT_CHARS_MAX)
);
text_id!(
    /// A line of a payment, as its provider names it; unique within the payment.
    LineRef, "line of a payment", "li_1", LINE_CHARS_MAX, check_line
);
text_id!(
    /// Whoever pays, as its provider names it; unique within the provider.
    CustomerRef, "customer reference", "cus_1Nx", PAYMENT_CHARS_MAX, |what, text| check_id(what, text, PAYMENT_CHARS_MAX)
);
text_id!(
    /// Something that a provider told, as it names it; unique within the provider.
    EventRef, "event reference", "evt_1Nx", PAYMENT_CHARS_MAX, |what, text| check_id(what, text, PAYMENT_CHARS_MAX)
);
text_id!(
    /// What counts use at a payment provider, by the name that its events have there.
    MeterName, "meter name", "articles_used", METER_CHARS_MAX, |what, text| check_id(what, text, METER_CHARS_MAX)
);
text_id!(
    /// A currency, by its three-letter code.
    Currency, "currency", "eur", CURRENCY_CHARS, check_currency
);

macro_rules! named_after_a_line {
    ($($name:ident)+) => {
        $(impl $name {
            /// What a line of a payment bought: no other line has one of this name.
            pub fn of_purchase(provider: &ProviderCode, payment: &PaymentRef, line: &LineRef) -> Self {
                // Neither a provider nor a line has a colon in it.
                Self(format!("{provider}:{payment}:{line}").into())
            }
        })+
    };
}
named_after_a_line!(GrantId BoostId);

macro_rules! named_after_a_code {
    ($($name:ident)+) => {
        $(impl $name {
            /// What a code gives has this name in every account, so that an account has it once (P15).
            pub fn of_code(code: Uuid) -> Self {
                Self(format!("code:{code}").into())
            }
        })+
    };
}
named_after_a_code!(GrantId BoostId IdempotencyKey);

/// A user or an org: whoever owns balances.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AccountKind {
    /// Someone who uses features, alone or as a member of an org.
    User,
    /// What pays together with its members, and is charged for each of them.
    Org,
}

/// An account by kind and id; as text `user:alice` or `org:acme`.
///
/// ```
/// use quota_core::ids::{AccountId, AccountKind, UserId};
/// let alice = AccountId::user(&UserId::new("alice")?);
/// assert_eq!(alice.as_str(), "user:alice");
/// assert_eq!(alice.kind(), AccountKind::User);
/// assert_eq!(alice.id(), "alice");
/// # Ok::<(), quota_core::ids::InvalidId>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(Arc<str>);

/// Shards that homes are divided into; a fixed number, since rows carry theirs.
pub const SHARDS: u8 = 64;

const USER_PREFIX: &str = "user:";
const ORG_PREFIX: &str = "org:";

impl AccountId {
    /// The account of a user.
    pub fn user(id: &UserId) -> Self {
        Self(format!("{USER_PREFIX}{id}").into())
    }

    /// The account of an org.
    pub fn org(id: &OrgId) -> Self {
        Self(format!("{ORG_PREFIX}{id}").into())
    }

    /// Reads the text form.
    ///
    /// # Errors
    /// [`InvalidId`] when the prefix is neither `user:` nor `org:` or the id is not valid.
    pub fn parse(text: &str) -> Result<Self, InvalidId> {
        if let Some(id) = text.strip_prefix(USER_PREFIX) {
            return UserId::new(id).map(|id| Self::user(&id));
        }
        if let Some(id) = text.strip_prefix(ORG_PREFIX) {
            return OrgId::new(id).map(|id| Self::org(&id));
        }
        Err(InvalidId {
            what: "account id",
            why: "must begin with `user:` or `org:`".into(),
        })
    }

    /// The text form, with its prefix.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// User or org.
    pub fn kind(&self) -> AccountKind {
        if self.0.starts_with(USER_PREFIX) {
            AccountKind::User
        } else {
            AccountKind::Org
        }
    }

    /// The id without its prefix.
    pub fn id(&self) -> &str {
        self.0.split_once(':').map_or("", |(_, id)| id)
    }

    /// The shard of this home, from 0 to 63, the same for ever, since it is stored.
    pub fn shard(&self) -> u8 {
        shard_of(&self.0)
    }
}

/// The shard of what is named by a text: FNV-1a of it, the same for ever.
pub(crate) fn shard_of(text: &str) -> u8 {
    let hash = text.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    let shard = hash.checked_rem(u32::from(SHARDS)).unwrap_or(0);
    u8::try_from(shard).unwrap_or(0)
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

impl Serialize for AccountId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for AccountId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for AccountId {
    fn schema() -> crate::openapi::SchemaOrRef {
        let words = "An account: `user:` or `org:`, and its id";
        crate::openapi::text(words, "user:alice", None)
    }
}

#[cfg(feature = "openapi")]
impl utoipa::ToSchema for AccountId {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_refused_when_empty_long_or_with_control_characters() {
        assert!(UserId::new("").is_err());
        assert!(UserId::new(&"x".repeat(ID_CHARS_MAX)).is_ok());
        assert!(UserId::new(&"x".repeat(ID_CHARS_MAX.saturating_add(1))).is_err());
        assert!(UserId::new("a\u{0}b").is_err());
        assert!(UserId::new(" a").is_err());
        assert!(FeatureCode::new("Articles").is_err());
        assert!(FeatureCode::new("articles_per_month").is_ok());
    }

    #[test]
    fn an_account_id_survives_its_text_form() {
        let id = AccountId::parse("user:a:b").expect("a colon is allowed in an id");
        assert_eq!(id.id(), "a:b");
        assert_eq!(AccountId::parse(id.as_str()).expect("parses"), id);
        assert!(AccountId::parse("team:x").is_err());
    }
}
