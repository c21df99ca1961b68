//! Parsers of single values, with errors that say what is allowed.

use std::convert::Infallible;
use std::fmt::Display;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::str::FromStr;

use secrecy::SecretString;

/// Takes any text as a secret. A wrong URL is refused when it is used: an error of clap would show it.
///
/// # Errors
/// None; clap wants a result.
pub fn secret(text: &str) -> Result<SecretString, Infallible> {
    Ok(SecretString::from(text.to_owned()))
}

/// Reads a whole number within bounds.
pub fn whole<T>(bounds: RangeInclusive<T>) -> impl Fn(&str) -> Result<T, String> + Clone
where
    T: FromStr + PartialOrd + Display + Clone,
{
    move |text| {
        let number = text.parse().ok().filter(|number| bounds.contains(number));
        let (least, most) = (bounds.start(), bounds.end());
        number.ok_or_else(|| format!("must be a whole number from {least} to {most}"))
    }
}

/// Reads an address with its port.
///
/// # Errors
/// Says how an address is written.
pub fn address(text: &str) -> Result<SocketAddr, String> {
    let wrong = |_| "must be an address and port, such as 127.0.0.1:8080".to_owned();
    text.parse().map_err(wrong)
}
