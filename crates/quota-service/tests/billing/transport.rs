//! Stripe's client over the fake without a socket between them, with a fault at whichever call a test likes.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use billing_stripe::client::{
    Answer, Client, ClientParts, Method, Request, RetryRule, Transport, TransportFault, Unpaced,
};
use testkit::fake_stripe::{DirectAnswer, DirectCall, FakeStripe};
use tokio::sync::oneshot;

/// What goes wrong with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallFault {
    /// It is answered with this status, and nothing was done.
    Status(u16),
    /// It never came.
    LostBefore,
    /// It was carried out, and the answer never came.
    LostAfter,
}

/// Counts calls, and fails one of them.
#[derive(Debug, Default)]
pub struct CallFaults {
    calls: AtomicU64,
    next: Mutex<Option<(u64, CallFault)>>,
    gate: Mutex<Option<Gate>>,
}

/// Where a write of one path waits before it is carried out.
#[derive(Debug)]
struct Gate {
    path: &'static str,
    asked: oneshot::Sender<()>,
    may_go: oneshot::Receiver<()>,
}

impl CallFaults {
    /// How many calls there were.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// Lets a call fail: the number counts from 1 for the next one.
    pub fn fail(&self, number: u64, fault: CallFault) {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        *next = Some((self.calls() + number, fault));
    }

    /// Holds the next write of a path: it says that it has come, and is carried out when it is told to be.
    pub fn hold(&self, path: &'static str) -> (oneshot::Receiver<()>, oneshot::Sender<()>) {
        let ((asked, was_asked), (go, may_go)) = (oneshot::channel(), oneshot::channel());
        let mut gate = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
        *gate = Some(Gate {
            path,
            asked,
            may_go,
        });
        (was_asked, go)
    }

    async fn wait(&self, request: &Request) {
        let gate = {
            let mut gate = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
            let is_its = |gate: &Gate| gate.path == request.path && request.method == Method::Post;
            gate.take_if(|gate| is_its(gate))
        };
        if let Some(gate) = gate {
            gate.asked.send(()).expect("somebody waits");
            gate.may_go.await.expect("somebody lets it go");
        }
    }

    fn take(&self) -> Option<CallFault> {
        let number = self.calls.fetch_add(1, Ordering::Relaxed) + 1;
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let fault = next.filter(|(at, _)| *at == number)?.1;
        *next = None;
        Some(fault)
    }
}

struct Direct {
    fake: FakeStripe,
    faults: Arc<CallFaults>,
}

#[async_trait]
impl Transport for Direct {
    async fn send(&self, request: &Request) -> Result<Answer, TransportFault> {
        // Others may go between a call and its answer, as they may on a network.
        tokio::task::yield_now().await;
        self.faults.wait(request).await;
        let fault = self.faults.take();
        match fault {
            Some(CallFault::LostBefore) => return Err(TransportFault::TimedOut),
            Some(CallFault::Status(status)) => {
                let body = br#"{"error": {"type": "api_error", "message": "by script"}}"#.to_vec();
                return Ok(Answer {
                    status,
                    body,
                    ..Answer::default()
                });
            }
            Some(CallFault::LostAfter) | None => {}
        }
        let answer = self.fake.call(&DirectCall {
            method: match request.method {
                Method::Get => "GET",
                Method::Post => "POST",
                Method::Delete => "DELETE",
            },
            path: &request.path,
            form: request.form.as_deref(),
            key: request.idempotency_key.as_deref(),
        });
        tokio::task::yield_now().await;
        match answer {
            _lost if fault.is_some() => Err(TransportFault::TimedOut),
            DirectAnswer::Answered {
                status,
                body,
                is_replay,
            } => Ok(Answer {
                status,
                body,
                is_replay,
                ..Answer::default()
            }),
            DirectAnswer::Broken => Err(TransportFault::Broken("by script".to_owned())),
            DirectAnswer::Nothing => Err(TransportFault::TimedOut),
        }
    }
}

/// A client of the fake that tries no call again.
pub fn client(fake: &FakeStripe, faults: &Arc<CallFaults>) -> Client {
    let parts = ClientParts {
        pace: Arc::new(Unpaced),
        retry: RetryRule {
            retries_max: 0,
            wait_first: Duration::ZERO,
            ..RetryRule::default()
        },
        ..ClientParts::default()
    };
    let direct = Direct {
        fake: fake.clone(),
        faults: Arc::clone(faults),
    };
    Client::over(direct, parts)
}
