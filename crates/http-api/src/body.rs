//! Bodies: bounded, JSON only, and a mistake names its field.

use api_types::FieldError;
use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use http_body_util::BodyExt as _;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use crate::ApiState;
use crate::problem::Problem;
use crate::shape::BodyShape;
use crate::unread::refused;
use crate::words::{self, named_field, with_number};

/// How much of a body that is too large is read and thrown away, as a multiple of the bound, so that the caller
/// gets the answer instead of a broken connection.
const DISCARDED_TIMES_MAX: usize = 16;

/// A JSON body.
pub(crate) struct JsonBody<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<ApiState> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &ApiState) -> Result<Self, Problem> {
        parse_json(&json_bytes(request, state).await?).map(Self)
    }
}

/// The bytes of a body that has to be JSON.
pub(crate) async fn json_bytes(request: Request, state: &ApiState) -> Result<Bytes, Problem> {
    let kind = media_type(&request);
    if !is_json(kind) {
        let problem = unsupported(kind, "application/json");
        return Err(refused(problem, request).await);
    }
    read_body(request.into_body(), state.settings().body_bytes_max).await
}

/// A JSON body that may be left out.
pub(crate) struct OptionalBody<T>(pub(crate) T);

impl<T: DeserializeOwned + Default> FromRequest<ApiState> for OptionalBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &ApiState) -> Result<Self, Problem> {
        let kind = media_type(&request).map(str::to_owned);
        let bytes = read_body(request.into_body(), state.settings().body_bytes_max).await?;
        if bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        if !is_json(kind.as_deref()) {
            return Err(unsupported(kind.as_deref(), "application/json"));
        }
        parse_json(&bytes).map(Self)
    }
}

/// The content type without its parameters.
pub(crate) fn media_type(request: &Request) -> Option<&str> {
    let value = request.headers().get(header::CONTENT_TYPE)?.to_str().ok()?;
    value.split(';').next().map(str::trim)
}

pub(crate) fn is_json(kind: Option<&str>) -> bool {
    kind.is_some_and(|kind| {
        kind.eq_ignore_ascii_case("application/json") || kind.ends_with("+json")
    })
}

pub(crate) fn unsupported(kind: Option<&str>, wanted: &str) -> Problem {
    let detail = match kind {
        Some(kind) => format!("the Content-Type is `{kind}`; it must be {wanted}"),
        None => format!("there is no Content-Type; it must be {wanted}"),
    };
    let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
    Problem::new(status, "unsupported_media_type", detail).about(FieldError::header(
        "Content-Type",
        format!("must be {wanted}"),
    ))
}

/// Reads a body of at most `bytes_max`.
pub(crate) async fn read_body(mut body: Body, bytes_max: usize) -> Result<Bytes, Problem> {
    let mut bytes = Vec::new();
    let (mut discarded, mut closes) = (0_usize, false);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| {
            let detail = "the connection ended before the whole body arrived";
            let problem = Problem::new(StatusCode::BAD_REQUEST, "malformed_body", detail);
            problem.about(FieldError::at("", detail))
        })?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        let is_too_large = discarded != 0 || bytes.len() + data.len() > bytes_max;
        if is_too_large {
            discarded += data.len().max(1);
            closes = discarded > bytes_max.saturating_mul(DISCARDED_TIMES_MAX);
            if closes {
                break;
            }
        } else if bytes.is_empty() && body.is_end_stream() {
            // Most bodies come in one piece, which is not copied.
            return Ok(data);
        } else {
            bytes.extend_from_slice(&data);
        }
    }
    if discarded != 0 {
        let detail = format!("the body must not be larger than {bytes_max} bytes");
        let problem = Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", detail);
        return Err(if closes { problem.closing() } else { problem });
    }
    Ok(bytes.into())
}

/// Reads JSON; a mistake names its place.
pub(crate) fn parse_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    // Most bodies have no array, and nothing more is looked at.
    if bytes.contains(&b'[') {
        read::<BodyShape>(bytes)?;
    }
    read(bytes)
}

/// Reads JSON without a look at its arrays.
pub(crate) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    // The plain reader does less; the one that keeps track of the path runs when there is a mistake.
    let plain = T::deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    match plain {
        Ok(value) => Ok(value),
        Err(error) => Err(mistake::<T>(bytes, &error)),
    }
}

fn mistake<T: DeserializeOwned>(bytes: &[u8], plain: &serde_json::Error) -> Problem {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        let detail = "the body is empty; it must be JSON";
        let problem = Problem::new(StatusCode::BAD_REQUEST, "malformed_body", detail);
        return problem.about(FieldError::at("", detail));
    }
    let (pointer, why) = place_of::<T>(bytes, plain);
    match plain.classify() {
        Category::Data => Problem::invalid_body(FieldError::at(pointer, why)),
        Category::Eof | Category::Syntax | Category::Io => {
            let (status, detail) = (StatusCode::BAD_REQUEST, format!("the body {why}"));
            let problem = Problem::new(status, "malformed_body", detail.clone());
            problem.about(FieldError::at(pointer, detail))
        }
    }
}

/// Where in a text the mistake stands that a plain reader found, as a JSON pointer, and what is wrong there.
pub(crate) fn place_of<T: DeserializeOwned>(
    bytes: &[u8],
    plain: &serde_json::Error,
) -> (String, String) {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let (pointer, message) = match serde_path_to_error::deserialize::<_, T>(&mut reader) {
        Ok(_) => (String::new(), plain.to_string()),
        Err(error) => {
            let mut pointer = json_pointer(error.path());
            let message = error.inner().to_string();
            if let Some(field) = named_field(&message).or_else(|| words::unfit_field(&message))
                && !pointer.ends_with(&format!("/{field}"))
            {
                pointer.push('/');
                pointer.push_str(field);
            }
            (pointer, message)
        }
    };
    let message = without_position(&message);
    let why = match plain.classify() {
        Category::Data => words::plain(&with_number(message, number_before(bytes, plain))),
        Category::Eof => {
            let (line, column) = (plain.line(), plain.column());
            format!("ends at line {line}, column {column}, before its JSON is complete")
        }
        Category::Syntax | Category::Io => {
            let (line, column) = (plain.line(), plain.column());
            format!("is not valid JSON at line {line}, column {column}: {message}")
        }
    };
    (pointer, why)
}

/// The number that ends where the reader found the mistake, as it was sent.
fn number_before<'a>(bytes: &'a [u8], plain: &serde_json::Error) -> Option<&'a str> {
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let line = lines.nth(plain.line().checked_sub(1)?)?;
    let read = line.get(..plain.column())?;
    let is_of_number = |byte: &u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
    let before = read.iter().rposition(|byte| !is_of_number(byte));
    let number = read.get(before.map_or(0, |before| before + 1)..)?;
    std::str::from_utf8(number).ok()
}

fn without_position(text: &str) -> &str {
    text.rsplit_once(" at line ")
        .map_or(text, |(before, _)| before)
}

fn json_pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut pointer = String::new();
    for segment in path {
        let part = match segment {
            Segment::Seq { index } => index.to_string(),
            Segment::Map { key } => escaped(key),
            Segment::Enum { variant } => escaped(variant),
            Segment::Unknown => continue,
        };
        pointer.push('/');
        pointer.push_str(&part);
    }
    pointer
}

fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}
