//! The fake without a socket: a call is a function, so that thousands of them cost little.

use std::sync::Arc;

use super::handle::FakeStripe;
use super::reply::{Call, Sent};
use super::state::{Begun, Core};

/// A call as a client would send it.
#[derive(Clone, Copy, Debug)]
pub struct DirectCall<'a> {
    /// `GET`, `POST`, `DELETE`.
    pub method: &'a str,
    /// The path with what is asked for: `/v1/customers?limit=3`.
    pub path: &'a str,
    /// The form of a write.
    pub form: Option<&'a str>,
    /// Its idempotency key.
    pub key: Option<&'a str>,
}

/// What a call came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DirectAnswer {
    /// It was answered.
    Answered {
        /// The status of HTTP.
        status: u16,
        /// The body.
        body: Vec<u8>,
        /// Whether it is what a call with the same key was answered before.
        is_replay: bool,
    },
    /// The connection broke.
    Broken,
    /// No answer will ever come.
    Nothing,
}

impl FakeStripe {
    /// One that is called by [`Self::call`] alone, on no port. Its clock stands at `now`, in seconds since 1970.
    pub fn without_port(now: i64) -> Self {
        let mut core = Core::default();
        core.store.now = now;
        "http://127.0.0.1:9".clone_into(&mut core.base_url);
        Self {
            url: core.base_url.clone(),
            core: Arc::new(core.into()),
            endpoints: Arc::default(),
            delivered: Arc::default(),
            http: reqwest::Client::default(),
            server: None,
        }
    }

    /// Makes a call with a key for tests, and takes its answer as a client would get it. Scripted faults hit it too; no answer takes
    /// time.
    pub fn call(&self, asked: &DirectCall<'_>) -> DirectAnswer {
        let (path, query) = asked.path.split_once('?').unwrap_or((asked.path, ""));
        let call = Call {
            method: asked.method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            body: asked.form.unwrap_or_default().to_owned(),
            bearer: Some("sk_test_direct".to_owned()),
            version: None,
            key: asked.key.map(str::to_owned),
        };
        let mut core = self.core();
        let sent = match core.begin(&call) {
            Begun::Answered(sent) => sent,
            Begun::AtWork(_, fault) => core.end(&call, fault),
        };
        match sent {
            Sent::Reply(reply) => DirectAnswer::Answered {
                status: reply.status,
                body: reply.body.to_string().into_bytes(),
                is_replay: reply
                    .headers
                    .iter()
                    .any(|(name, _)| *name == "idempotent-replayed"),
            },
            Sent::Text(status, text) => DirectAnswer::Answered {
                status,
                body: text.into_bytes(),
                is_replay: false,
            },
            Sent::Broken => DirectAnswer::Broken,
            Sent::Nothing => DirectAnswer::Nothing,
        }
    }
}
