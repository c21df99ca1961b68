//! The client: one call with its retries.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use super::count::{CallCount, CallResult, Uncounted};
use super::error::StripeError;
use super::form;
use super::http::HttpTransport;
use super::key::IdempotencyKey;
use super::pace::{CallSort, LocalPace, Pace};
use super::retry::RetryRule;
use super::settings::{HttpSettings, OpenError};
use super::transport::{Answer, Method, Request, Transport, TransportFault};

/// Calls a second of one process, when nobody says otherwise: Stripe allows 25 in a sandbox.
const CALLS_PER_SECOND: u32 = 20;

/// What a client works with beside its connection.
#[derive(Clone)]
pub struct ClientParts {
    /// How many calls are made in a second.
    pub pace: Arc<dyn Pace>,
    /// Who counts them.
    pub count: Arc<dyn CallCount>,
    /// How often they are tried again.
    pub retry: RetryRule,
    /// Whether parts of answers are asked for whole. A Stripe of old refuses to be asked for what it has not; without it schedules
    /// and the lines of sessions are not in their objects.
    pub expands: bool,
    /// Any number, for the jitter of waits.
    pub chance: Arc<dyn Fn() -> u64 + Send + Sync>,
}

impl Default for ClientParts {
    fn default() -> Self {
        Self {
            pace: Arc::new(LocalPace::per_second(CALLS_PER_SECOND)),
            count: Arc::new(Uncounted),
            retry: RetryRule::default(),
            expands: true,
            chance: Arc::new(rand::random),
        }
    }
}

/// Calls Stripe. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    transport: Arc<dyn Transport>,
    parts: ClientParts,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("retry", &self.parts.retry)
            .finish_non_exhaustive()
    }
}

/// One call of the API, under the name by which it is counted.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) name: &'static str,
    pub(crate) request: Request,
}

impl Call {
    /// A read. `path` is without its parameters.
    pub(crate) fn get(name: &'static str, path: &str, parameters: &impl Serialize) -> Self {
        Self {
            name,
            request: Request {
                method: Method::Get,
                path: with_query(path, parameters),
                form: None,
                idempotency_key: None,
            },
        }
    }

    /// A write, once for its key.
    pub(crate) fn post(
        name: &'static str,
        path: impl Into<String>,
        parameters: &impl Serialize,
        key: &IdempotencyKey,
    ) -> Self {
        Self {
            name,
            request: Request {
                method: Method::Post,
                path: path.into(),
                form: Some(form::encode(parameters)),
                idempotency_key: Some(key.as_str().to_owned()),
            },
        }
    }

    /// A removal, which is the same when it is repeated.
    pub(crate) fn delete(name: &'static str, path: &str, parameters: &impl Serialize) -> Self {
        Self {
            name,
            request: Request {
                method: Method::Delete,
                path: with_query(path, parameters),
                form: None,
                idempotency_key: None,
            },
        }
    }

    fn sort(&self) -> CallSort {
        match self.request.method {
            Method::Get => CallSort::Read,
            Method::Post | Method::Delete => CallSort::Write,
        }
    }
}

fn with_query(path: &str, parameters: &impl Serialize) -> String {
    let query = form::encode(parameters);
    if query.is_empty() {
        return path.to_owned();
    }
    format!("{path}?{query}")
}

/// `start` and the id of an object, as a path. An id that cannot be one names nothing: it may come from anybody.
pub(crate) fn path(start: &str, id: &str) -> Result<String, StripeError> {
    const ID_LENGTH_MAX: usize = 255;
    let mut path = format!("{start}/");
    form::escape(&mut path, id);
    let names_nothing = id.chars().all(|c| c == '.') || ID_LENGTH_MAX < id.len();
    if names_nothing {
        let said = "no object has such an id".to_owned();
        return Err(StripeError::NotFound { path, said });
    }
    Ok(path)
}

impl Client {
    /// A client over HTTP. Nothing is called yet.
    ///
    /// # Errors
    /// [`OpenError`] when TLS or the key cannot be used.
    pub fn open(settings: &HttpSettings, parts: ClientParts) -> Result<Self, OpenError> {
        Ok(Self::over(HttpTransport::open(settings)?, parts))
    }

    /// A client over a transport of one's own.
    pub fn over(transport: impl Transport + 'static, parts: ClientParts) -> Self {
        Self {
            transport: Arc::new(transport),
            parts,
        }
    }

    /// Makes a call until it is answered or it is no use any more, and reads the answer.
    pub(crate) async fn call<T: DeserializeOwned>(&self, call: &Call) -> Result<T, StripeError> {
        let request = if self.parts.expands {
            call.request.clone()
        } else {
            without_expand(&call.request)
        };
        for retry in 0_u32.. {
            self.parts.pace.turn(call.sort()).await;
            let began = Instant::now();
            let outcome = self.transport.send(&request).await;
            let wait = self
                .parts
                .retry
                .wait(retry, &outcome, (self.parts.chance)());
            let read = read(call, outcome);
            let result = result(&read);
            self.parts.count.called(call.name, result, began.elapsed());
            let Some(wait) = wait else {
                return read;
            };
            tokio::time::sleep(wait).await;
        }
        unreachable!("the rule of retries has an end")
    }
}

fn without_expand(request: &Request) -> Request {
    let mut plain = request.clone();
    if let Some((path, query)) = request.path.split_once('?') {
        let pairs = query.split('&');
        let kept: Vec<&str> = pairs
            .filter(|pair| !pair.starts_with("expand%5B"))
            .collect();
        plain.path = if kept.is_empty() {
            path.to_owned()
        } else {
            format!("{path}?{}", kept.join("&"))
        };
    }
    plain
}

fn read<T: DeserializeOwned>(
    call: &Call,
    outcome: Result<Answer, TransportFault>,
) -> Result<T, StripeError> {
    let answer = outcome.map_err(|fault| StripeError::NoAnswer {
        call: call.name,
        fault,
    })?;
    if !(200..300).contains(&answer.status) {
        return Err(StripeError::of(call.name, &call.request.path, &answer));
    }
    let mut json = serde_json::Deserializer::from_slice(&answer.body);
    serde_path_to_error::deserialize(&mut json).map_err(|error| StripeError::Unreadable {
        call: call.name,
        field: error.path().to_string(),
        why: error.inner().to_string(),
    })
}

fn result<T>(read: &Result<T, StripeError>) -> CallResult {
    match read {
        Ok(_) => CallResult::Ok,
        Err(error) => match error {
            StripeError::KeyDead { .. } | StripeError::NotPermitted { .. } => CallResult::Forbidden,
            StripeError::NotFound { .. }
            | StripeError::Declined { .. }
            | StripeError::Refused { .. }
            | StripeError::KeyReused { .. } => CallResult::Refused,
            StripeError::Busy { .. } => CallResult::Busy,
            StripeError::Limited { .. } => CallResult::Limited,
            StripeError::Failed { .. } => CallResult::Failed,
            StripeError::NoAnswer { .. } => CallResult::NoAnswer,
            StripeError::Unreadable { .. }
            | StripeError::RepeatingList { .. }
            | StripeError::EndlessList { .. } => CallResult::Unreadable,
        },
    }
}
