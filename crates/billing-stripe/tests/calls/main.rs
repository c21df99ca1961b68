//! The client over a transport that answers from a script: what is sent, what is tried again, how lists end. No time passes.
#![expect(clippy::expect_used, reason = "a test that cannot go on says why")]

mod errors;
mod known;
mod lists;
mod requests;
mod retries;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use billing_stripe::client::{
    Answer, CallCount, CallResult, Client, ClientParts, IdempotencyKey, Request, Transport,
    TransportFault, Unpaced,
};
use serde_json::Value;
use tokio::time::Instant;

type Outcome = Result<Answer, TransportFault>;

/// Answers from a list, and keeps what was sent and when.
#[derive(Clone, Default)]
struct Script {
    answers: Arc<Mutex<VecDeque<Outcome>>>,
    sent: Arc<Mutex<Vec<(Request, Instant)>>>,
    counted: Arc<Mutex<Vec<(&'static str, CallResult)>>>,
}

impl Script {
    fn new(answers: impl IntoIterator<Item = Outcome>) -> Self {
        let script = Self::default();
        *script.answers.lock().expect("a lock") = answers.into_iter().collect();
        script
    }

    /// A client whose waits have no jitter.
    fn client(&self) -> Client {
        Client::over(self.clone(), self.parts())
    }

    fn parts(&self) -> ClientParts {
        ClientParts {
            pace: Arc::new(Unpaced),
            count: Arc::new(self.clone()),
            chance: Arc::new(|| u64::MAX),
            ..ClientParts::default()
        }
    }

    fn sent(&self) -> Vec<Request> {
        let sent = self.sent.lock().expect("a lock");
        sent.iter().map(|(request, _)| request.clone()).collect()
    }

    /// The time between one try and the next.
    fn waits(&self) -> Vec<Duration> {
        let sent = self.sent.lock().expect("a lock");
        sent.windows(2).map(|two| two[1].1 - two[0].1).collect()
    }

    fn counted(&self) -> Vec<(&'static str, CallResult)> {
        self.counted.lock().expect("a lock").clone()
    }
}

#[async_trait]
impl Transport for Script {
    async fn send(&self, request: &Request) -> Outcome {
        let sent = (request.clone(), Instant::now());
        self.sent.lock().expect("a lock").push(sent);
        let next = self.answers.lock().expect("a lock").pop_front();
        next.expect("an answer for every call")
    }
}

impl CallCount for Script {
    fn called(&self, kind: &'static str, result: CallResult, _took: Duration) {
        self.counted.lock().expect("a lock").push((kind, result));
    }
}

fn answer(status: u16, body: &Value) -> Answer {
    Answer {
        status,
        body: body.to_string().into_bytes(),
        ..Answer::default()
    }
}

fn text(status: u16, body: &str) -> Answer {
    Answer {
        status,
        body: body.as_bytes().to_vec(),
        ..Answer::default()
    }
}

fn key(text: &str) -> IdempotencyKey {
    IdempotencyKey::new(text).expect("a key")
}
