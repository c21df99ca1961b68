//! The OpenAPI document: what all operations have in common is said here, once; what is an operation's own, at its
//! handler.

mod catalog_schema;
mod headers;
mod kind;
mod words;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use api_types::{PROBLEM_JSON, Problem};
use quota_core::ports::KeyScope;
use serde_json::Value;
use utoipa::ToSchema as _;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::schema::{AnyOfBuilder, Object, ObjectBuilder, Type};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{
    ComponentsBuilder, Content, InfoBuilder, OpenApi, OpenApiBuilder, Ref, RefOr, Required,
    Response, ResponseBuilder, Schema,
};

pub(crate) use catalog_schema::catalog_schema;
use headers::declare_headers;
use kind::{Kind, TakenBody, owner};

/// The two ways to send an API key.
const BEARER: &str = "api_key";
const HEADER: &str = "x_api_key";
const IDEMPOTENCY_KEY: &str = "Idempotency-Key";
/// What the operations are about.
const TAGS: [(&str, &str); 6] = [
    (
        "decide",
        "May this be done? Checks, and what is spent, reserved and given back",
    ),
    (
        "accounts",
        "Users, orgs, members and tokens, and what each may do",
    ),
    (
        "money",
        "Subscriptions, credits, boosts, and payments of any provider that your service tells of",
    ),
    (
        "billing",
        "The payment provider that is connected: checkout and portal, its events, its customers, and what fits nothing. \
         Without one these answer 404 `no_billing`",
    ),
    ("catalog", "Features, plans and packs, as one file"),
    ("operate", "Probes, metrics, API keys and jobs"),
];

/// The document before its operations.
pub(crate) fn described() -> OpenApi {
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("An API key: `quota_…`"))
        .build();
    let header = ApiKeyValue::with_description("X-Api-Key", "The same, in a header of its own");
    let components = ComponentsBuilder::new()
        .security_scheme(BEARER, SecurityScheme::Http(bearer))
        .security_scheme(HEADER, SecurityScheme::ApiKey(ApiKey::Header(header)))
        .build();
    let info = InfoBuilder::new()
        .title("Quota engine")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Who may do how much of what, until when, and who pays. Amounts and balances are in stored units; \
             limits in the catalog and in overrides are in shown units.",
        ))
        .build();
    let tags = TAGS.map(|(name, words)| {
        let tag = TagBuilder::new().name(name).description(Some(words));
        tag.build()
    });
    let either = [BEARER, HEADER].map(|name| SecurityRequirement::new(name, [""; 0]));
    OpenApiBuilder::new()
        .info(info)
        .components(Some(components))
        .security(Some(either))
        .tags(Some(tags))
        .build()
}

/// Says of every operation what all of its kind have alike.
pub(crate) fn finished(mut document: OpenApi) -> OpenApi {
    let words = schema_words(&document);
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in operations(item) {
            name(path, operation);
            describe(operation, &words);
            say_optional(operation);
            let kind = Kind::of(method, path, operation);
            if kind.is_write() {
                take_key(operation);
            }
            refuse(operation, &kind);
            declare_headers(operation, &kind);
            if path.starts_with("/v1/jobs/") {
                list_jobs(operation);
            }
        }
    }
    in_words_of_callers(&document)
}

/// The document without what only we have a use for.
#[expect(
    clippy::expect_used,
    reason = "it is the same for every start of a build, and every test that starts a server is such a start"
)]
fn in_words_of_callers(document: &OpenApi) -> OpenApi {
    let mut value = serde_json::to_value(document).expect("the document can be written as JSON");
    words::drop_citations(&mut value);
    widen_numbers(&mut value);
    serde_json::from_value(value).expect("the document can be read again")
}

/// A whole number of 32 bits without a sign does not fit `int32`.
fn widen_numbers(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if fields.get("format").is_some_and(|format| format == "int32") {
                fields.insert("format".to_owned(), "int64".into());
                fields.entry("maximum").or_insert_with(|| u32::MAX.into());
            }
            fields.values_mut().for_each(widen_numbers);
        }
        Value::Array(values) => values.iter_mut().for_each(widen_numbers),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Says which jobs there are, where a path names one.
fn list_jobs(operation: &mut Operation) {
    let names = jobs::JobName::all().map(jobs::JobName::as_str);
    let schema = ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(names));
    let schema = RefOr::from(Schema::from(schema.build()));
    let words: Vec<String> = jobs::JobName::all()
        .map(|name| format!("- `{name}` {}", name.spec().does))
        .collect();
    for parameter in operation.parameters.iter_mut().flatten() {
        if let RefOr::T(parameter) = parameter
            && parameter.name == "name"
        {
            parameter.schema = Some(schema.clone());
            parameter.description = Some(format!("The job:\n\n{}", words.join("\n")));
        }
    }
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

/// A body that may be left out is left out: it is never `null`, which is how a derived schema says it.
fn say_optional(operation: &mut Operation) {
    let Some(RefOr::T(body)) = &mut operation.request_body else {
        return;
    };
    for content in body.content.values_mut() {
        if let RefOr::T(Content { schema, .. }) = content
            && let Some(RefOr::T(Schema::OneOf(or_null))) = schema
            && let Some(alone) = or_null
                .items
                .iter()
                .find(|item| matches!(item, RefOr::Ref(_)))
        {
            *schema = Some(alone.clone());
            body.required = Some(Required::False);
        }
    }
}

/// Declares the key that a write can be repeated under, unless the handler says more of it.
fn take_key(operation: &mut Operation) {
    let parameters = operation.parameters.get_or_insert_default();
    let is_key = |parameter: &RefOr<Parameter>| match parameter {
        RefOr::T(parameter) => parameter.name == IDEMPOTENCY_KEY,
        RefOr::Ref(_) => false,
    };
    if parameters.iter().any(is_key) {
        return;
    }
    let words = "Your key for this write: a repetition with the same key gets the same answer and has no second effect";
    let key = ParameterBuilder::new()
        .name(IDEMPOTENCY_KEY)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(words))
        .schema(Some(Object::with_type(Type::String)));
    parameters.push(key.build().into());
}

/// Declares how an operation of its kind can be refused.
fn refuse(operation: &mut Operation, kind: &Kind) {
    let mut refusals = Vec::new();
    if let Some(owner) = kind.names
        && !operation.responses.responses.contains_key("404")
    {
        refusals.push((404, format!("There is no such {owner}")));
    }
    let takes_body = kind.body != TakenBody::Nothing;
    if takes_body {
        refusals.push((413, "The body is too large".to_owned()));
    }
    if kind.body == TakenBody::ByType {
        refusals.push((
            400,
            "The body is not JSON, is empty, or ends too early".to_owned(),
        ));
        refusals.push((415, "The body has the wrong content type".to_owned()));
    }
    if kind.needs.is_some() || takes_body {
        refusals.push((
            500,
            "Internal error; the server's log has the cause".to_owned(),
        ));
        let busy = "Busy, too slow, or the database does not answer: try again after `Retry-After`";
        refusals.push((503, busy.to_owned()));
    }
    if let Some(scope) = kind.needs {
        let known = "No API key, an unknown one, or a revoked one".to_owned();
        refusals.push((401, known));
        if scope > KeyScope::Read {
            let scope = scope.as_str();
            refusals.push((403, format!("The API key lacks the scope `{scope}`")));
        }
    }
    if takes_body || kind.takes_parameters {
        refusals.push((422, invalid(kind)));
    }
    for (status, words) in refusals {
        declare(operation, status, words);
    }
}

fn invalid(kind: &Kind) -> String {
    let invalid = "A value is invalid: `errors` says which";
    if kind.is_write() {
        format!("{invalid}; or the `Idempotency-Key` was used for another request")
    } else {
        invalid.to_owned()
    }
}

/// Declares a refusal, beside what the handler says of the same status.
fn declare(operation: &mut Operation, status: u16, words: String) {
    match operation.responses.responses.entry(status.to_string()) {
        Entry::Vacant(entry) => {
            let content = Content::new(Some(problem()));
            let response = ResponseBuilder::new().content(PROBLEM_JSON, content);
            entry.insert(response.description(words).build().into());
        }
        Entry::Occupied(mut entry) => {
            let RefOr::T(response) = entry.get_mut() else {
                return;
            };
            response.description = format!("{}. Or: {words}", response.description);
            if let Some(schema) = schema_of(response)
                && *schema != problem()
            {
                let both = AnyOfBuilder::new().item(schema.clone()).item(problem());
                *schema = both.into();
            }
        }
    }
}

fn problem() -> RefOr<Schema> {
    Ref::from_schema_name(Problem::name()).into()
}
