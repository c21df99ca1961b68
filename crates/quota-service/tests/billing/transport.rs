//! Stripe's client over the fake without a socket between them.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use billing_stripe::client::{
    Answer, Client, ClientParts, Method, Request, RetryRule, Transport, TransportFault, Unpaced,
};
use testkit::fake_stripe::{DirectAnswer, DirectCall, FakeStripe};

struct Direct(FakeStripe);

#[async_trait]
impl Transport for Direct {
    async fn send(&self, request: &Request) -> Result<Answer, TransportFault> {
        // Others may go between a call and its answer, as they may on a network.
        tokio::task::yield_now().await;
        let method = match request.method {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Delete => "DELETE",
        };
        let answer = self.0.call(&DirectCall {
            method,
            path: &request.path,
            form: request.form.as_deref(),
            key: request.idempotency_key.as_deref(),
        });
        tokio::task::yield_now().await;
        match answer {
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

/// A client of the fake that tries each call so many times again.
pub fn client(fake: &FakeStripe, retries_max: u32) -> Client {
    let parts = ClientParts {
        pace: Arc::new(Unpaced),
        retry: RetryRule {
            retries_max,
            wait_first: Duration::ZERO,
            ..RetryRule::default()
        },
        ..ClientParts::default()
    };
    Client::over(Direct(fake.clone()), parts)
}
