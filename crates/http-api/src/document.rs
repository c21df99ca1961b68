//! The OpenAPI document: what all operations have alike is said here, once; what is an operation's own, at its handler.

use std::collections::BTreeMap;

use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, Content, InfoBuilder, OpenApi, OpenApiBuilder, RefOr, Response, Schema,
};

/// The document before its operations.
pub(crate) fn described() -> OpenApi {
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("An API key: `quota_…`"))
        .build();
    let components = ComponentsBuilder::new()
        .security_scheme("api_key", SecurityScheme::Http(bearer))
        .build();
    let info = InfoBuilder::new()
        .title("Quota engine")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Who may do how much of what, until when, and who pays. Amounts and balances are in stored units; \
             limits in the catalog and in overrides are in shown units.",
        ))
        .build();
    let security = utoipa::openapi::SecurityRequirement::new("api_key", Vec::<String>::new());
    OpenApiBuilder::new()
        .info(info)
        .components(Some(components))
        .security(Some([security]))
        .build()
}

/// Says of every operation what all of its kind have alike.
pub(crate) fn finished(mut document: OpenApi) -> OpenApi {
    let words = schema_words(&document);
    for (path, item) in &mut document.paths.paths {
        for (_, operation) in operations(item) {
            name(path, operation);
            describe(operation, &words);
        }
    }
    document
}

/// The operations of a path, by method.
fn operations(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    let all = [
        ("get", &mut item.get),
        ("put", &mut item.put),
        ("post", &mut item.post),
        ("patch", &mut item.patch),
        ("delete", &mut item.delete),
    ];
    let there = |(method, operation): (_, _)| Option::as_mut(operation).map(|it| (method, it));
    all.into_iter().filter_map(there)
}

/// `user` or `org`, by whose part of the tree a path is in.
fn owner(path: &str) -> Option<&'static str> {
    match path.split('/').nth(2) {
        Some("users") => Some("user"),
        Some("orgs") => Some("org"),
        _ => None,
    }
}

/// Gives an operation a name of its own: users and orgs share handlers.
fn name(path: &str, operation: &mut Operation) {
    if let (Some(owner), Some(id)) = (owner(path), &mut operation.operation_id)
        && !id.contains(owner)
    {
        *id = format!("{owner}_{id}");
    }
}

/// What each schema is, by the place that references to it name.
fn schema_words(document: &OpenApi) -> BTreeMap<String, String> {
    let schemas = document.components.iter().flat_map(|all| &all.schemas);
    let words = schemas.filter_map(|(name, schema)| {
        let words = serde_json::to_value(schema).ok()?;
        let words = words["description"].as_str()?;
        let words = words.strip_suffix('.').unwrap_or(words).to_owned();
        Some((format!("#/components/schemas/{name}"), words))
    });
    words.collect()
}

/// Describes the answers that the handler leaves undescribed: they are what their schema is.
fn describe(operation: &mut Operation, words: &BTreeMap<String, String>) {
    for response in operation.responses.responses.values_mut() {
        if let RefOr::T(response) = response
            && response.description.is_empty()
            && let Some(RefOr::Ref(schema)) = schema_of(response)
            && let Some(words) = words.get(&schema.ref_location)
        {
            response.description.clone_from(words);
        }
    }
}

/// The schema of an answer.
fn schema_of(response: &mut Response) -> Option<&mut RefOr<Schema>> {
    match response.content.values_mut().next()? {
        RefOr::T(Content { schema, .. }) => schema.as_mut(),
        RefOr::Ref(_) => None,
    }
}
