//! How identifiers, amounts and limits look in an OpenAPI document. Enums derive their schemas where they are defined.

use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Type};
use utoipa::openapi::{RefOr, Schema};

pub(crate) type SchemaOrRef = RefOr<Schema>;

pub(crate) fn text(words: &str, example: &str, chars_max: Option<usize>) -> SchemaOrRef {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(words))
        .examples([example])
        .min_length(Some(1))
        .max_length(chars_max)
        .into()
}

/// One of some words, or another text, which `other` describes and has a pattern for.
pub(crate) fn words_or(
    about: &str,
    words: &[&'static str],
    (other, pattern): (&str, &'static str),
) -> SchemaOrRef {
    let word = ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(words.iter().copied()));
    let other = ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(other))
        .pattern(Some(pattern));
    OneOfBuilder::new()
        .description(Some(about))
        .examples(words.first().copied())
        .item(word)
        .item(other)
        .into()
}

pub(crate) fn whole_number(words: &str, least: u64, most: u64) -> SchemaOrRef {
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .description(Some(words))
        .examples([1])
        .minimum(Some(least))
        .maximum(Some(most))
        .into()
}

pub(crate) fn limit(most: u64) -> SchemaOrRef {
    let word = ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(["unlimited"]));
    OneOfBuilder::new()
        .description(Some("A whole number from 0 to 10^15, or `\"unlimited\"`"))
        .item(whole_number("A ceiling", 0, most))
        .item(word)
        .into()
}
