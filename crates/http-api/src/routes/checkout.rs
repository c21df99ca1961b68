//! Checkout and portal at the payment provider.

use api_types::{
    CheckoutBody, CheckoutStateBody, FieldError, NewCheckoutBody, NewPortalBody, PortalBody,
};
use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, Uri};
use quota_core::ports::{Checkout, CheckoutState};
use quota_core::provider::{OrderRefusal, Wanted};
use quota_service::billing::{CheckoutError, CheckoutOrder};

use crate::ApiState;
use crate::body::JsonBody;
use crate::caller::Writes;
use crate::params::part;
use crate::problem::Problem;
use crate::routes::billing::{connected, sync_body};
use crate::state::ConnectedProvider;

/// Longest id of a checkout.
const ID_CHARS_MAX: usize = 255;

impl From<CheckoutError> for Problem {
    fn from(error: CheckoutError) -> Self {
        let detail = error.to_string();
        let refusal = match error {
            CheckoutError::Billing(error) => return error.into(),
            CheckoutError::Refused { refusal, .. } => refusal,
        };
        let (status, code, field) = match refusal {
            OrderRefusal::UnknownPlan(_) => (StatusCode::NOT_FOUND, "unknown_plan", Some("/plan")),
            OrderRefusal::UnknownPack(_) => (StatusCode::NOT_FOUND, "unknown_pack", Some("/pack")),
            OrderRefusal::NoPrice { .. } => (StatusCode::CONFLICT, "not_for_sale", None),
            OrderRefusal::OtherPrice { .. } => {
                (StatusCode::CONFLICT, "not_for_sale", Some("/price"))
            }
            OrderRefusal::AlreadySubscribed(_) => {
                (StatusCode::CONFLICT, "already_subscribed", None)
            }
            OrderRefusal::PaidWithPlan(_) => {
                (StatusCode::CONFLICT, "already_subscribed", Some("/plan"))
            }
            OrderRefusal::NoBasePlan | OrderRefusal::NoPeriod(_) => {
                (StatusCode::CONFLICT, "no_subscription", None)
            }
        };
        let problem = Self::new(status, code, detail.clone());
        match field {
            Some(field) => problem.about(FieldError::at(field, detail)),
            None => problem,
        }
    }
}

/// The checkout that the path names.
pub(crate) struct OfCheckout(String);

impl FromRequestParts<ApiState> for OfCheckout {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &ApiState) -> Result<Self, Problem> {
        let read = |text: &str| {
            let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let is_id = (1..=ID_CHARS_MAX).contains(&text.len()) && text.chars().all(is_plain);
            is_id
                .then(|| text.to_owned())
                .ok_or_else(|| "must be the id of a checkout".into())
        };
        part(parts, "id", read).await.map(Self)
    }
}

/// Whether a buyer may be sent to an address: its origin is one of those that are allowed.
fn must_be_allowed(
    provider: &ConnectedProvider,
    (field, address): (&str, &str),
) -> Result<(), Problem> {
    // The provider puts the id in: until then the braces are no address.
    let plain = address.replace("{CHECKOUT_SESSION_ID}", "id");
    let origin = plain.parse::<Uri>().ok().and_then(|uri| {
        let (scheme, authority) = (uri.scheme_str()?, uri.authority()?);
        Some(format!("{scheme}://{authority}"))
    });
    let mut allowed = provider.return_origins.iter();
    if origin.is_some_and(|origin| allowed.any(|allowed| *allowed == origin)) {
        return Ok(());
    }
    let why = if provider.return_origins.is_empty() {
        "no address is allowed: set `QUOTA_RETURN_ORIGINS`".to_owned()
    } else {
        let allowed = provider.return_origins.join(", ");
        format!("must be an address of one of these: {allowed}")
    };
    Err(Problem::invalid_body(FieldError::at(
        format!("/{field}"),
        why,
    )))
}

fn checkout_body(checkout: Checkout) -> CheckoutBody {
    CheckoutBody {
        id: checkout.id,
        state: match checkout.state {
            CheckoutState::Open => CheckoutStateBody::Open,
            CheckoutState::Complete => CheckoutStateBody::Complete,
            CheckoutState::Expired => CheckoutStateBody::Expired,
        },
        url: checkout.url,
        payment: None,
        subscription: None,
    }
}

/// Makes a checkout, where a plan, an add-on or a pack is paid at the provider.
///
/// Send the buyer to `url`. What was bought follows by itself when it is paid. The same `Idempotency-Key` is the same checkout.
#[utoipa::path(post, path = "/v1/checkout", tag = "billing", request_body = NewCheckoutBody,
    params(("Idempotency-Key" = Option<String>, Header, description = "Your key for this checkout: a repetition with the same key gets the same one")),
    responses((status = 201, description = "Made", body = CheckoutBody), (status = 404, description = "There is no such account, plan or pack, or no payment provider is connected", body = Problem, content_type = "application/problem+json"), (status = 409, description = "It has no price at the provider, or the account has a subscription already: `detail` says where that is changed", body = Problem, content_type = "application/problem+json"), (status = 502, description = "The payment provider refuses, or its answer cannot be read: the code says which", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn check_out(
    State(state): State<ApiState>,
    Writes(caller): Writes,
    JsonBody(body): JsonBody<NewCheckoutBody>,
) -> Result<(StatusCode, Json<CheckoutBody>), Problem> {
    let connected = connected(&state)?;
    must_be_allowed(connected, ("success_url", &body.success_url))?;
    must_be_allowed(connected, ("cancel_url", &body.cancel_url))?;
    let wanted = match (body.plan, body.pack) {
        (Some(plan), None) => Wanted::Plan(plan),
        (None, Some(pack)) => Wanted::Pack(pack),
        (None, None) => {
            let why = "name what is bought: a `plan` or a `pack`";
            return Err(Problem::invalid_body(FieldError::at("/plan", why)));
        }
        (Some(_), Some(_)) => {
            let why = "name a `plan` or a `pack`, not both: each has a checkout of its own";
            return Err(Problem::invalid_body(FieldError::at("/pack", why)));
        }
    };
    let key = caller.idempotency_key.as_ref().map(ToString::to_string);
    let asked = CheckoutOrder {
        account: body.account,
        wanted,
        quantity: body.quantity,
        price: body.price,
        success_url: body.success_url,
        cancel_url: body.cancel_url,
        key: key.unwrap_or_else(|| state.engine().next_id().to_string()),
    };
    let checkout = connected.billing.check_out(&asked).await?;
    Ok((StatusCode::CREATED, Json(checkout_body(checkout))))
}

/// Shows what a checkout came to, for the page that its buyer comes back to.
///
/// Once the buyer is through, the payment is fetched and booked before this answers, whatever became of the webhook.
#[utoipa::path(get, path = "/v1/checkout/{id}", tag = "billing",
    params(("id" = String, Path, description = "The checkout")),
    responses((status = 200, body = CheckoutBody), (status = 404, description = "There is no such checkout, or no payment provider is connected", body = Problem, content_type = "application/problem+json"), (status = 502, description = "The payment provider refuses, or its answer cannot be read: the code says which", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn checkout(
    State(state): State<ApiState>,
    Writes(_caller): Writes,
    OfCheckout(id): OfCheckout,
) -> Result<Json<CheckoutBody>, Problem> {
    let billing = &connected(&state)?.billing;
    let result = billing.checkout_result(&id).await?;
    let result = result.ok_or_else(|| {
        let detail = format!("there is no checkout `{id}`");
        Problem::new(StatusCode::NOT_FOUND, "unknown_checkout", detail)
    })?;
    Ok(Json(CheckoutBody {
        payment: result.payment.map(sync_body),
        subscription: result.subscription.map(sync_body),
        ..checkout_body(result.checkout)
    }))
}

/// Makes a page at the provider where an account changes or cancels its subscriptions, and looks after cards and invoices.
#[utoipa::path(post, path = "/v1/portal", tag = "billing", request_body = NewPortalBody,
    responses((status = 201, description = "Made", body = PortalBody), (status = 404, description = "No payment provider is connected", body = Problem, content_type = "application/problem+json"), (status = 409, description = "The account has bought nothing at the provider", body = Problem, content_type = "application/problem+json"), (status = 502, description = "The payment provider refuses, or its answer cannot be read: the code says which", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn portal(
    State(state): State<ApiState>,
    Writes(_caller): Writes,
    JsonBody(body): JsonBody<NewPortalBody>,
) -> Result<(StatusCode, Json<PortalBody>), Problem> {
    let connected = connected(&state)?;
    must_be_allowed(connected, ("return_url", &body.return_url))?;
    let url = connected
        .billing
        .portal(&body.account, &body.return_url)
        .await?;
    Ok((StatusCode::CREATED, Json(PortalBody { url })))
}
