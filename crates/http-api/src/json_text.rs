//! JSON that does not come as a body: a line of a file, read as strictly as a body and refused in the same words.

use serde::de::DeserializeOwned;
use serde_json::error::Category;

use crate::body::place_of;
use crate::shape::BodyShape;

/// A JSON text that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonFault {
    /// The value that is wrong, as a JSON pointer; empty where it is the text as a whole, or that is no JSON.
    pub pointer: String,
    /// What is wrong there, as a predicate.
    pub why: String,
}

/// Reads a JSON text: no array where an object belongs, and a mistake names its place.
///
/// # Errors
/// [`JsonFault`] says where it is wrong, and why.
///
/// ```
/// let fault = http_api::read_json_text::<Vec<u8>>(b"{}").unwrap_err();
/// assert_eq!(fault.why, "must be an array, not an object");
/// let body = br#"{"user": "alice", "feature": "try_on", "amount": -1}"#;
/// let fault = http_api::read_json_text::<api_types::ConsumeBody>(body).unwrap_err();
/// assert_eq!(fault.pointer, "/amount");
/// ```
pub fn read_json_text<T: DeserializeOwned>(text: &[u8]) -> Result<T, JsonFault> {
    read::<BodyShape>(text)?;
    read(text)
}

fn read<T: DeserializeOwned>(text: &[u8]) -> Result<T, JsonFault> {
    serde_json::from_slice(text).map_err(|error| {
        let (place, why) = place_of::<T>(text, &error);
        let is_json = error.classify() == Category::Data;
        let pointer = if is_json { place } else { String::new() };
        JsonFault { pointer, why }
    })
}
