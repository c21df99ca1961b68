use billing_stripe::client::{Answer, Client, IdempotencyKey, NewOffSessionIntent, StripeError};
use billing_stripe::shapes::{IntentStatus, Metadata};
use serde_json::json;

use crate::{Script, answer, key, text};

async fn said(answer: Answer) -> StripeError {
    let script = Script::new([Ok(answer)]);
    let found = script.client().retrieve_subscription("sub_1").await;
    assert_eq!(script.sent().len(), 1);
    found.expect_err("an error")
}

#[tokio::test(start_paused = true)]
async fn a_dead_key_is_named() {
    // Situation 53.
    let mut dead = answer(
        401,
        &json!({"error": {"message": "Expired API Key provided: sk_test_***345", "code": "api_key_expired"}}),
    );
    dead.request_id = Some("req_1".to_owned());
    let error = said(dead).await;
    assert!(error.is_about_the_key() && !error.is_transient());
    assert_eq!(
        error.to_string(),
        "Stripe does not take the key: it was revoked, has expired, or was never one \
         (Expired API Key provided: sk_test_***345, request req_1)"
    );
}

#[tokio::test(start_paused = true)]
async fn a_missing_permission_is_named() {
    // Situation 53.
    let message = "The provided key 'rk_test_***345' does not have the required permissions for this endpoint on account \
                   'acct_1'. Having the 'rak_subscription_read' permission would allow this request to continue.";
    let error = said(answer(403, &json!({"error": {"message": message}}))).await;
    let StripeError::NotPermitted {
        call, permission, ..
    } = &error
    else {
        panic!("{error:?}");
    };
    assert_eq!(
        (*call, permission.as_str()),
        ("retrieve_subscription", "rak_subscription_read")
    );
    assert!(error.is_about_the_key());
    let unnamed = said(text(403, "")).await.to_string();
    assert_eq!(
        unnamed,
        "the key may not retrieve_subscription: give it the permission for subscriptions (no text)"
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_gone_is_named_and_a_plain_text_is_no_trouble() {
    // Situation 62; and a body that is no JSON, as another server's is.
    let error = said(text(404, "404: Not Found\r\n")).await;
    let path = "/v1/subscriptions/sub_1".to_owned();
    let said_text = "404: Not Found".to_owned();
    assert_eq!(
        error,
        StripeError::NotFound {
            path,
            said: said_text
        }
    );
    let html = said(text(400, &"<p>".repeat(1_000))).await;
    let StripeError::Refused { said, code, .. } = html else {
        panic!("{html:?}");
    };
    assert_eq!((said.len(), code), (300, None));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_names_the_parameter() {
    let error = said(answer(
        400,
        &json!({"error": {"type": "invalid_request_error", "code": "parameter_invalid", "param": "items[0][price]", "message": "No"}}),
    ))
    .await;
    assert_eq!(
        error,
        StripeError::Refused {
            call: "retrieve_subscription",
            status: 400,
            code: Some("parameter_invalid".to_owned()),
            parameter: Some("items[0][price]".to_owned()),
            said: "No".to_owned(),
        }
    );
}

#[tokio::test(start_paused = true)]
async fn a_success_that_is_no_object_is_an_error() {
    for body in ["", "ok", "null", "[]", "{}", "{\"id\":", "{\"error\":{}}"] {
        let error = said(text(200, body)).await;
        assert!(
            matches!(error, StripeError::Unreadable { .. }),
            "{body:?} {error:?}"
        );
    }
    let moved = said(text(302, "")).await;
    assert!(
        matches!(moved, StripeError::Refused { status: 302, .. }),
        "{moved:?}"
    );
}

async fn charge(client: &Client, key: &IdempotencyKey) -> StripeError {
    let intent = NewOffSessionIntent {
        amount: 900,
        currency: "eur".to_owned(),
        customer: "cus_1".to_owned(),
        payment_method: "pm_1".to_owned(),
        description: None,
        metadata: Metadata::from([("pack".to_owned(), "small".to_owned())]),
    };
    let made = client.create_off_session_intent(&intent, key).await;
    made.expect_err("a refusal")
}

#[tokio::test(start_paused = true)]
async fn a_declined_payment_names_its_intent() {
    // P20: a failed top-up is told.
    let declined = json!({"error": {
        "type": "card_error", "code": "authentication_required", "decline_code": "authentication_required", "message": "SCA",
        "payment_intent": {"id": "pi_1", "status": "requires_payment_method"},
    }});
    let script = Script::new([Ok(answer(402, &declined))]);
    let error = charge(&script.client(), &key("topup:1")).await;
    let StripeError::Declined { code, intent, .. } = &error else {
        panic!("{error:?}");
    };
    assert_eq!(code, "authentication_required");
    let intent = intent.as_ref().expect("an intent");
    let status = intent.status.as_ref();
    assert!(status.is_some_and(|status| status.is(IntentStatus::RequiresPaymentMethod)));
    assert_eq!(
        script.sent()[0].form.as_deref(),
        Some(
            "amount=900&confirm=true&currency=eur&customer=cus_1&metadata%5Bpack%5D=small&off_session=true&payment_method=pm_1"
        )
    );
}
