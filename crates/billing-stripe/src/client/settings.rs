//! Where the API is, and with what it is called.

use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use http::Uri;
use thiserror::Error;

use crate::secret::ApiKey;

/// The version of the API that is asked for with every call. Changes of Stripe's do not reach us before it is changed here.
pub const API_VERSION: &str = "2026-10-28.endive";
/// Where the API is.
const STRIPE: &str = "https://api.stripe.com";

/// Why an address is not taken.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BaseUrlError {
    /// It is no address.
    #[error("`{0}` is no address of a server: {1}")]
    NotAnAddress(String, String),
    /// It would send the key in the clear.
    #[error("`{0}` is not https; plain http is for this machine alone (127.0.0.1, ::1, localhost)")]
    NotEncrypted(String),
    /// It has more than scheme, host, port and path.
    #[error("the address has a user, a password, a query or a fragment")]
    NotPlain,
}

/// The address of the API: https, or plain http on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl(String);

impl Default for BaseUrl {
    fn default() -> Self {
        Self(STRIPE.to_owned())
    }
}

impl BaseUrl {
    /// The address, without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn is_plain(&self) -> bool {
        self.0.starts_with("http://")
    }
}

impl FromStr for BaseUrl {
    type Err = BaseUrlError;

    fn from_str(text: &str) -> Result<Self, BaseUrlError> {
        let wrong = |why: &str| BaseUrlError::NotAnAddress(text.to_owned(), why.to_owned());
        let uri: Uri = text
            .parse()
            .map_err(|error: http::uri::InvalidUri| wrong(&error.to_string()))?;
        let host = uri.host().ok_or_else(|| wrong("no host"))?;
        if text.contains(['@', '?', '#']) {
            return Err(BaseUrlError::NotPlain);
        }
        match uri.scheme_str() {
            Some("https") => {}
            Some("http") if is_this_machine(host) => {}
            Some("http") => return Err(BaseUrlError::NotEncrypted(text.to_owned())),
            Some(_) | None => return Err(wrong("neither https nor http")),
        }
        Ok(Self(text.trim_end_matches('/').to_owned()))
    }
}

fn is_this_machine(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let address: Option<IpAddr> = bare.parse().ok();
    host == "localhost" || address.is_some_and(|address| address.is_loopback())
}

/// How the API is called over HTTP.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// Where it is.
    pub base_url: BaseUrl,
    /// With what.
    pub key: ApiKey,
    /// How long one try may take.
    pub timeout: Duration,
    /// How long a connection may take to come about.
    pub connect_timeout: Duration,
}

impl HttpSettings {
    /// Stripe itself, with the times that its own libraries use or shorter ones.
    pub fn new(key: ApiKey) -> Self {
        Self {
            base_url: BaseUrl::default(),
            key,
            timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(5),
        }
    }
}

/// Why no client could be made.
#[derive(Debug, Error)]
pub enum OpenError {
    /// TLS cannot be had.
    #[error("TLS cannot be set up")]
    Tls(#[source] rustls::Error),
    /// The key cannot be sent in a header.
    #[error("the key has characters that no header can carry")]
    Key,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_this_machine_alone() {
        let taken = |text: &str| text.parse::<BaseUrl>().map(|url| url.as_str().to_owned());
        for fine in [
            "http://127.0.0.1:8420",
            "http://[::1]:8420",
            "http://localhost:1",
        ] {
            assert_eq!(taken(fine), Ok(fine.to_owned()));
        }
        assert_eq!(
            taken("https://stripe.example/api/"),
            Ok("https://stripe.example/api".to_owned())
        );
        for open in [
            "http://api.stripe.com",
            "http://10.0.0.1",
            "http://127.0.0.1.nip.io",
        ] {
            let error = BaseUrlError::NotEncrypted(open.to_owned());
            assert_eq!(taken(open), Err(error));
        }
        for secret in ["https://a:b@stripe.example", "https://stripe.example/?a=1"] {
            assert_eq!(taken(secret), Err(BaseUrlError::NotPlain));
        }
        for none in ["", "stripe", "ftp://127.0.0.1", "file:///etc"] {
            let error = taken(none);
            assert!(
                matches!(error, Err(BaseUrlError::NotAnAddress(..))),
                "{error:?}"
            );
        }
    }
}
