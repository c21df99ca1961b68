//! Stripe: who signed a webhook, what Stripe's objects say, and calls to its API.
//!
//! No rule of the engine is here. What a subscription, a refund or a dispute means for an account is decided in quota-core;
//! this crate says what Stripe says, in the shapes of all its versions since 2017.
//!
//! ```
//! use billing_stripe::{SignatureError, WebhookSecrets, verify};
//!
//! let secrets = WebhookSecrets::parse("whsec_test1,whsec_test2")?;
//! let headers: [&[u8]; 1] = [b"t=1795000000,v1=00"];
//! let said = verify(&headers, b"{}", &secrets, chrono::DateTime::UNIX_EPOCH);
//! assert_eq!(said, Err(SignatureError::NoMatch));
//! # Ok::<(), billing_stripe::SecretError>(())
//! ```

pub mod client;
pub mod provider;
pub mod read;
mod secret;
pub mod shapes;
mod signature;

pub use secret::{ApiKey, Mode, SecretError, WebhookSecret, WebhookSecrets};
pub use signature::{SignatureError, Verified, verify};
