//! Where arrays may stand, in JSON and in a catalog file. serde reads an array as a struct, field by field; here a body is an object, and so is what
//! stands in an array where it is not a plain value. Such a body is refused before it is read for what it means.

use std::fmt;

use serde::de::{
    Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor,
};

/// A body: no array, and no array in it is an element of another one.
pub(crate) type BodyShape = Shape<false>;

/// Any JSON value, or any but an array.
pub(crate) struct Shape<const MAY_BE_ARRAY: bool>;

impl<'de, const MAY_BE_ARRAY: bool> Deserialize<'de> for Shape<MAY_BE_ARRAY> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de, const MAY_BE_ARRAY: bool> Visitor<'de> for Shape<MAY_BE_ARRAY> {
    type Value = Self;

    fn expecting(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        text.write_str("an object")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Self, A::Error> {
        if !MAY_BE_ARRAY {
            return Err(A::Error::invalid_type(Unexpected::Seq, &self));
        }
        while array.next_element::<Shape<false>>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self, A::Error> {
        while object.next_entry::<IgnoredAny, Shape<true>>()?.is_some() {}
        Ok(self)
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }
}
