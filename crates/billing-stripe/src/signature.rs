//! `Stripe-Signature`: whether a webhook's body, as it came, was signed by somebody who knows one of our secrets.

use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use thiserror::Error;

use crate::secret::{WebhookSecret, WebhookSecrets};

/// How far the sender's clock may be from ours, both ways. Stripe's libraries allow the same for what is old, and
/// anything for what is of the future; we do not.
const TOLERANCE: TimeDelta = TimeDelta::seconds(300);
/// A header is about 80 characters for each signature.
const HEADER_LENGTH_MAX: usize = 4096;
/// Stripe sends one for each secret in force: two while one is changed.
const SIGNATURES_MAX: usize = 16;

/// Why a webhook is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// There is no header `Stripe-Signature`.
    #[error("the header Stripe-Signature is missing")]
    NoHeader,
    /// There are several.
    #[error("the header Stripe-Signature comes more than once")]
    SeveralHeaders,
    /// Longer than any signature is, or with more signatures than anybody sends.
    #[error("the header Stripe-Signature is too long")]
    HeaderTooLong,
    /// There is no `t=`, or it is no instant, or there are two.
    #[error("the header Stripe-Signature has not one timestamp")]
    NoTimestamp,
    /// There is no `v1=`.
    #[error("the header Stripe-Signature has no v1 signature")]
    NoSignature,
    /// It is signed by none of our secrets, or what was signed is not what came.
    #[error("no v1 signature matches the body under any of the configured secrets")]
    NoMatch,
    /// Signed by one of our secrets, but too long ago.
    #[error("the signature is {seconds} s old, over {}", TOLERANCE.num_seconds())]
    TooOld {
        /// Its age.
        seconds: i64,
    },
    /// Signed by one of our secrets, but by a clock that is ahead of ours.
    #[error("the signature is {seconds} s in the future, over {}", TOLERANCE.num_seconds())]
    TooNew {
        /// How far ahead.
        seconds: i64,
    },
}

/// A webhook that is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// When it was signed.
    pub signed_at: DateTime<Utc>,
    /// The place of the secret among those that are configured, from 0: tells when an old one is no longer used.
    pub secret: usize,
}

/// Checks the header against the body, byte for byte as it came. `headers` are all values of `Stripe-Signature`.
/// Age is looked at last: [`SignatureError::TooOld`] and [`SignatureError::TooNew`] are of whoever has the secret.
///
/// # Errors
/// [`SignatureError`] says what is wrong.
pub fn verify(
    headers: &[&[u8]],
    body: &[u8],
    secrets: &WebhookSecrets,
    now: DateTime<Utc>,
) -> Result<Verified, SignatureError> {
    let header = match headers {
        [] => return Err(SignatureError::NoHeader),
        [header] => Header::read(header)?,
        [_, _, ..] => return Err(SignatureError::SeveralHeaders),
    };
    let secret = matching(&header, body, secrets).ok_or(SignatureError::NoMatch)?;
    let age = now - header.signed_at;
    if TOLERANCE < age {
        let seconds = age.num_seconds();
        return Err(SignatureError::TooOld { seconds });
    }
    if age < -TOLERANCE {
        let seconds = -age.num_seconds();
        return Err(SignatureError::TooNew { seconds });
    }
    Ok(Verified {
        signed_at: header.signed_at,
        secret,
    })
}

struct Header<'a> {
    /// As it is written: that is what was signed.
    timestamp: &'a str,
    signed_at: DateTime<Utc>,
    signatures: Vec<&'a str>,
}

impl<'a> Header<'a> {
    fn read(header: &'a [u8]) -> Result<Self, SignatureError> {
        if HEADER_LENGTH_MAX < header.len() {
            return Err(SignatureError::HeaderTooLong);
        }
        let header = std::str::from_utf8(header).map_err(|_| SignatureError::NoTimestamp)?;
        let mut timestamps = Vec::new();
        let mut signatures = Vec::new();
        for part in header.split(',') {
            match part.split_once('=') {
                Some(("t", timestamp)) => timestamps.push(timestamp),
                Some(("v1", signature)) => signatures.push(signature),
                Some(_) | None => {}
            }
        }
        let [timestamp] = timestamps[..] else {
            return Err(SignatureError::NoTimestamp);
        };
        if signatures.is_empty() {
            return Err(SignatureError::NoSignature);
        }
        if SIGNATURES_MAX < signatures.len() {
            return Err(SignatureError::HeaderTooLong);
        }
        let signed_at = instant(timestamp).ok_or(SignatureError::NoTimestamp)?;
        Ok(Self {
            timestamp,
            signed_at,
            signatures,
        })
    }
}

fn instant(timestamp: &str) -> Option<DateTime<Utc>> {
    let is_number = timestamp.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = timestamp.parse().ok().filter(|_| is_number)?;
    DateTime::from_timestamp(seconds, 0)
}

/// The place of the secret that made one of the signatures. Tries all, so that the time that it takes tells nothing.
fn matching(header: &Header<'_>, body: &[u8], secrets: &WebhookSecrets) -> Option<usize> {
    let signatures: Vec<[u8; 32]> = header.signatures.iter().filter_map(|s| hash(s)).collect();
    let mut found = None;
    for (place, secret) in secrets.iter().enumerate() {
        let mac = mac(secret, header.timestamp, body);
        for signature in &signatures {
            // Compares in constant time.
            if mac.clone().verify_slice(signature).is_ok() {
                found = found.or(Some(place));
            }
        }
    }
    found
}

/// 64 hexadecimal digits as Stripe writes them: in lower case.
fn hash(signature: &str) -> Option<[u8; 32]> {
    let mut hash = [0; 32];
    let is_lower = !signature.bytes().any(|byte| byte.is_ascii_uppercase());
    (is_lower && hex::decode_to_slice(signature, &mut hash).is_ok()).then_some(hash)
}

fn mac(secret: &WebhookSecret, timestamp: &str, body: &[u8]) -> Hmac<Sha256> {
    let mut mac = match Hmac::<Sha256>::new_from_slice(secret.bytes()) {
        Ok(mac) => mac,
        Err(error) => unreachable!("a key of any length will do: {error}"),
    };
    mac.update(timestamp.as_bytes());
    mac.update(b".");
    mac.update(body);
    mac
}
