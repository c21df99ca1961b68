//! How values are read that may be missing, null, or of a type that nobody expects.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// What is attached to an object by whoever made it.
pub type Metadata = BTreeMap<String, String>;

/// An object that lists give out, a page at a time.
pub trait Listed: DeserializeOwned + Send {
    /// The id by which the next page is asked for.
    fn id(&self) -> &str;
}

/// A field that names an object by its id, or holds the object itself when it was expanded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OneOf<T> {
    /// Its id alone.
    Id(String),
    /// All of it.
    Whole(Box<T>),
}

impl<T: Listed> OneOf<T> {
    /// Its id, either way.
    pub fn id(&self) -> &str {
        match self {
            Self::Id(id) => id,
            Self::Whole(whole) => whole.id(),
        }
    }
}

impl<T> OneOf<T> {
    /// The object, if it was expanded.
    pub fn whole(&self) -> Option<&T> {
        match self {
            Self::Id(_) => None,
            Self::Whole(whole) => Some(whole),
        }
    }
}

/// One page of a list, or the first part of one inside an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List<T> {
    /// What is on it.
    pub data: Vec<T>,
    /// Whether there is more of it.
    pub has_more: bool,
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self {
            data: Vec::new(),
            has_more: false,
        }
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Page<T> {
            data: Option<Vec<T>>,
            has_more: Option<bool>,
        }
        let page = Option::<Page<T>>::deserialize(deserializer)?;
        let list = page.map(|page| Self {
            data: page.data.unwrap_or_default(),
            has_more: page.has_more.unwrap_or_default(),
        });
        Ok(list.unwrap_or_default())
    }
}

/// The value, or none when it is null or something else than was expected.
pub fn maybe<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let value = Value::deserialize(deserializer)?;
    Ok(serde_json::from_value(value).ok())
}

/// The value, or the default when it is null or something else than was expected.
pub fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned + Default,
{
    Ok(maybe(deserializer)?.unwrap_or_default())
}

/// A list inside an object. Null is an empty one; an element that cannot be read is an error, since nothing may be left out.
pub fn list<'de, D, T>(deserializer: D) -> Result<List<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// An array inside an object, likewise.
pub fn array<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Seconds since 1970, or RFC 3339 as events of version 2 have it.
pub fn instant<'de, D>(deserializer: D) -> Result<Option<DateTime<Utc>>, D::Error>
where
    D: Deserializer<'de>,
{
    let value = Value::deserialize(deserializer)?;
    if let Some(seconds) = value.as_i64() {
        return Ok(DateTime::from_timestamp(seconds, 0));
    }
    Ok(value.as_str().and_then(|text| text.parse().ok()))
}

/// The id of an object that is named by it or expanded.
pub fn id<'de, D>(deserializer: D) -> Result<Option<String>, D::Error>
where
    D: Deserializer<'de>,
{
    let value = Value::deserialize(deserializer)?;
    let id = value.as_str().or_else(|| value.get("id")?.as_str());
    Ok(id.filter(|id| !id.is_empty()).map(str::to_owned))
}

/// An object or its id. An object that cannot be read is an error; null is none.
pub fn one_of<'de, D, T>(deserializer: D) -> Result<Option<OneOf<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let value = Value::deserialize(deserializer)?;
    if let Some(id) = value.as_str().filter(|id| !id.is_empty()) {
        return Ok(Some(OneOf::Id(id.to_owned())));
    }
    if !value.is_object() {
        return Ok(None);
    }
    let whole = serde_json::from_value(value).map_err(serde::de::Error::custom)?;
    Ok(Some(OneOf::Whole(Box::new(whole))))
}

/// Texts by name; what is no text is left out.
pub fn metadata<'de, D>(deserializer: D) -> Result<Metadata, D::Error>
where
    D: Deserializer<'de>,
{
    let value = Value::deserialize(deserializer)?;
    let pairs = value.as_object().into_iter().flatten();
    let texts = pairs.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
    Ok(texts.collect())
}
