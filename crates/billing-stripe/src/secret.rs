//! The two kinds of secrets: the key that we call with, and the secrets that webhooks are signed with.

use secrecy::{ExposeSecret, SecretString};
use thiserror::Error;

/// Longest secret that is taken; Stripe's are about a hundred characters.
const SECRET_LENGTH_MAX: usize = 512;
/// More than a rotation of two endpoints needs.
const SECRETS_MAX: usize = 8;

/// Why a text is no key or no secret. Says nothing of the text itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SecretError {
    /// Nothing is in it.
    #[error("the secret is empty")]
    Empty,
    /// A secret is one word.
    #[error("the secret has a space or a control character in it")]
    NotOneWord,
    /// A whole file, perhaps.
    #[error("the secret is over {SECRET_LENGTH_MAX} characters")]
    TooLong,
    /// Not a key that may call the API.
    #[error("the key does not begin with sk_ or rk_")]
    NotAKey,
    /// More than [`WebhookSecrets`] takes.
    #[error("there are more than {SECRETS_MAX} secrets")]
    TooMany,
}

/// Whether a key or an object is of Stripe's test mode or of the live one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Play money.
    Test,
    /// Real money.
    Live,
}

impl Mode {
    /// What an object's `livemode` says.
    pub const fn of(is_live: bool) -> Self {
        if is_live { Self::Live } else { Self::Test }
    }
}

/// The key that calls are made with, whole or restricted. Never empty.
#[derive(Clone, Debug)]
pub struct ApiKey(SecretString);

impl ApiKey {
    /// A key, `sk_…` or `rk_…`.
    ///
    /// # Errors
    /// [`SecretError`] when it cannot be one.
    pub fn new(key: &str) -> Result<Self, SecretError> {
        let key = one_word(key)?;
        if !key.starts_with("sk_") && !key.starts_with("rk_") {
            return Err(SecretError::NotAKey);
        }
        Ok(Self(SecretString::from(key)))
    }

    /// The mode that the key names; none when it names none.
    pub fn mode(&self) -> Option<Mode> {
        let key = self.0.expose_secret();
        if key.contains("_live_") {
            return Some(Mode::Live);
        }
        key.contains("_test_").then_some(Mode::Test)
    }

    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

/// The secret of one webhook endpoint, `whsec_…`, as Stripe shows it. Never empty: whoever knows that a secret is empty
/// can sign anything.
#[derive(Clone, Debug)]
pub struct WebhookSecret(SecretString);

impl WebhookSecret {
    /// A secret. The prefix is part of it.
    ///
    /// # Errors
    /// [`SecretError`] when it is empty, also but for its prefix, or is no single word.
    pub fn new(secret: &str) -> Result<Self, SecretError> {
        let secret = one_word(secret)?;
        if secret == "whsec_" {
            return Err(SecretError::Empty);
        }
        Ok(Self(SecretString::from(secret)))
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.0.expose_secret().as_bytes()
    }
}

/// All secrets that a webhook may be signed with: one, and more while one is being changed. Never none.
#[derive(Clone, Debug)]
pub struct WebhookSecrets(Vec<WebhookSecret>);

impl WebhookSecrets {
    /// Secrets with commas between them.
    ///
    /// # Errors
    /// [`SecretError`] when one of them is none: a stray comma is no secret either.
    pub fn parse(secrets: &str) -> Result<Self, SecretError> {
        let secrets: Vec<WebhookSecret> = secrets
            .split(',')
            .map(|secret| WebhookSecret::new(secret.trim()))
            .collect::<Result<_, _>>()?;
        if SECRETS_MAX < secrets.len() {
            return Err(SecretError::TooMany);
        }
        Ok(Self(secrets))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &WebhookSecret> {
        self.0.iter()
    }
}

fn one_word(secret: &str) -> Result<&str, SecretError> {
    if secret.is_empty() {
        return Err(SecretError::Empty);
    }
    if secret.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(SecretError::NotOneWord);
    }
    if SECRET_LENGTH_MAX < secret.len() {
        return Err(SecretError::TooLong);
    }
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_webhook_secret_cannot_be_made() {
        // Situation 54: an empty secret has let others sign top-ups.
        for empty in ["", "whsec_", "whsec_test1,", ",whsec_test1", " ", ","] {
            assert_eq!(
                WebhookSecrets::parse(empty).err(),
                Some(SecretError::Empty),
                "{empty:?}"
            );
        }
        let with_space = WebhookSecret::new("whsec_a b");
        assert_eq!(with_space.err(), Some(SecretError::NotOneWord));
        let long = WebhookSecret::new(&"w".repeat(513));
        assert_eq!(long.err(), Some(SecretError::TooLong));
        let many = ["whsec_test1"; 9].join(",");
        assert_eq!(
            WebhookSecrets::parse(&many).err(),
            Some(SecretError::TooMany)
        );
    }

    #[test]
    fn keys_say_their_mode_and_nothing_of_themselves() {
        let mode = |key: &str| ApiKey::new(key).map(|key| key.mode());
        assert_eq!(mode("sk_test_12345"), Ok(Some(Mode::Test)));
        assert_eq!(mode("rk_live_12345"), Ok(Some(Mode::Live)));
        assert_eq!(mode("sk_12345"), Ok(None));
        assert_eq!(mode("pk_test_12345"), Err(SecretError::NotAKey));
        assert_eq!(mode("sk_test_1\n"), Err(SecretError::NotOneWord));
        assert_eq!(mode(""), Err(SecretError::Empty));
        let key = ApiKey::new("sk_test_12345");
        assert!(!format!("{key:?}").contains("12345"), "{key:?}");
        let secrets = WebhookSecrets::parse("whsec_test1, whsec_test2");
        assert!(!format!("{secrets:?}").contains("test1"), "{secrets:?}");
        assert_eq!(secrets.map(|secrets| secrets.iter().count()), Ok(2));
    }
}
