use std::sync::Arc;
use std::time::Duration;

use billing_stripe::client::{
    Answer, CallResult, Client, ClientParts, CustomerFields, LocalPace, RateKind, StripeError,
    TransportFault,
};
use serde_json::json;
use tokio::time::Instant;

use crate::{Script, answer, key, text};

fn customer() -> Answer {
    answer(200, &json!({"id": "cus_1"}))
}

#[tokio::test(start_paused = true)]
async fn what_passes_later_is_tried_again_under_the_same_key() {
    // Situation 51: 429 lock_timeout, 409 key in use, 500, time-out: the same key again, so one object there.
    let locked = json!({"error": {"code": "lock_timeout", "type": "invalid_request_error", "message": "locked"}});
    let in_use = json!({"error": {"code": "idempotency_key_in_use", "type": "idempotency_error"}});
    let script = Script::new([
        Ok(answer(429, &locked)),
        Ok(answer(409, &in_use)),
        Ok(text(500, "<html>")),
        Err(TransportFault::TimedOut),
        Ok(customer()),
    ]);
    let made = script
        .client()
        .create_customer(&CustomerFields::default(), &key("customer:org:acme"))
        .await;
    assert_eq!(made.map(|made| made.id), Ok("cus_1".to_owned()));
    let sent = script.sent();
    assert_eq!(sent.len(), 5);
    for request in &sent {
        assert_eq!(request, &sent[0]);
        let key = request.idempotency_key.as_deref();
        assert_eq!(key, Some("customer:org:acme"));
    }
    let results: Vec<CallResult> = script.counted().iter().map(|(_, result)| *result).collect();
    assert_eq!(
        results,
        [
            CallResult::Limited,
            CallResult::Busy,
            CallResult::Failed,
            CallResult::NoAnswer,
            CallResult::Ok
        ]
    );
    assert!(
        script
            .counted()
            .iter()
            .all(|(kind, _)| *kind == "create_customer")
    );
}

#[tokio::test(start_paused = true)]
async fn waits_double_and_a_wait_that_stripe_asks_for_is_kept() {
    let mut limited = answer(429, &json!({"error": {"message": "slow down"}}));
    limited.retry_after = Some(Duration::from_secs(3));
    let script = Script::new([
        Ok(text(502, "")),
        Ok(text(502, "")),
        Ok(limited),
        Ok(text(502, "")),
        Ok(customer()),
    ]);
    let found = script.client().retrieve_customer("cus_1").await;
    assert!(found.is_ok(), "{found:?}");
    let waits: Vec<u128> = script.waits().iter().map(Duration::as_millis).collect();
    let expected = [500, 1_000, 3_000, 4_000];
    for (wait, expected) in waits.iter().zip(expected) {
        // The jitter takes a little off even at its end, and a clock of tests ticks in milliseconds.
        assert!(wait.abs_diff(expected) <= 2, "{waits:?}");
    }
    assert_eq!(waits.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn tries_end_and_the_last_answer_is_told() {
    let script = Script::new((0..5).map(|_| Ok(text(503, "down"))));
    let error = script.client().retrieve_customer("cus_1").await;
    let failed = StripeError::Failed {
        call: "retrieve_customer",
        status: 503,
        said: "down".to_owned(),
    };
    assert!(failed.is_transient());
    assert_eq!(error, Err(failed));
    assert_eq!(script.sent().len(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_is_too_long_is_given_back_to_the_caller() {
    let mut limited = text(429, "");
    limited.retry_after = Some(Duration::from_mins(10));
    let script = Script::new([Ok(limited)]);
    let error = script.client().retrieve_customer("cus_1").await;
    let asked = error.as_ref().err().and_then(StripeError::retry_after);
    assert_eq!(asked, Some(Duration::from_mins(10)));
    assert_eq!(
        error,
        Err(StripeError::Limited {
            call: "retrieve_customer",
            kind: RateKind::Rate,
            retry_after: Some(Duration::from_mins(10)),
            said: "no text".to_owned(),
        })
    );
}

#[tokio::test(start_paused = true)]
async fn a_key_that_was_used_for_something_else_is_never_tried_again() {
    // Situation 52: 400, same key, other body: a bug of ours.
    let reused = json!({"error": {"type": "idempotency_error", "message": "Keys for idempotent requests can only be used with the same parameters"}});
    let script = Script::new([Ok(answer(400, &reused))]);
    let error = script
        .client()
        .create_customer(&CustomerFields::default(), &key("k"))
        .await;
    assert!(
        matches!(&error, Err(error @ StripeError::KeyReused { call: "create_customer", .. }) if !error.is_transient()),
        "{error:?}"
    );
    assert_eq!(script.sent().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_is_kept_under_its_key_is_not_asked_for_again() {
    let mut kept = text(500, "boom");
    kept.is_replay = true;
    let script = Script::new([Ok(text(500, "boom")), Ok(kept)]);
    let error = script
        .client()
        .create_customer(&CustomerFields::default(), &key("k"))
        .await;
    assert!(
        matches!(error, Err(StripeError::Failed { status: 500, .. })),
        "{error:?}"
    );
    assert_eq!(script.sent().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn every_try_waits_for_its_turn() {
    // What Stripe bounds are calls, and a retry is one.
    let script = Script::new((0..5).map(|_| Err(TransportFault::TimedOut)));
    let parts = ClientParts {
        pace: Arc::new(LocalPace::per_second(1)),
        retry: billing_stripe::client::RetryRule {
            wait_first: Duration::ZERO,
            ..billing_stripe::client::RetryRule::default()
        },
        ..ClientParts::default()
    };
    let began = Instant::now();
    let error = Client::over(script.clone(), parts).account().await;
    assert!(error.is_err_and(|error| error.is_transient()));
    assert_eq!(began.elapsed(), Duration::from_secs(4));
}

#[tokio::test(start_paused = true)]
async fn ending_what_has_ended_is_no_error() {
    // A removal has no key: the first time-out came after its effect.
    let gone =
        json!({"error": {"code": "resource_missing", "message": "No such subscription: 'sub_1'"}});
    let canceled = json!({"id": "sub_1", "status": "canceled"});
    let script = Script::new([
        Err(TransportFault::TimedOut),
        Ok(answer(404, &gone)),
        Ok(answer(200, &canceled)),
    ]);
    let ended = script.client().cancel_subscription("sub_1").await;
    assert_eq!(ended.map(|ended| ended.id), Ok("sub_1".to_owned()));

    let active = json!({"id": "sub_1", "status": "active"});
    let script = Script::new([Ok(answer(404, &gone)), Ok(answer(200, &active))]);
    let error = script.client().cancel_subscription("sub_1").await;
    assert!(
        matches!(error, Err(StripeError::NotFound { .. })),
        "{error:?}"
    );
}
