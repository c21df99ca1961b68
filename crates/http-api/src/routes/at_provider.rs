//! Changes of a subscription that a payment provider decides on.

use api_types::ChangeBody;
use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use quota_core::change::Change;
use quota_core::ids::AccountId;
use quota_service::billing::{ActError, SubscriptionAsk, Synced};

use crate::ApiState;
use crate::caller::Caller;
use crate::problem::Problem;

impl From<ActError> for Problem {
    fn from(error: ActError) -> Self {
        let detail = error.to_string();
        match error {
            ActError::Billing(error) => error.into(),
            ActError::OfProvider { .. } => {
                Self::new(StatusCode::CONFLICT, "held_by_provider", detail)
            }
            ActError::NotForSale(_) => Self::new(StatusCode::CONFLICT, "not_for_sale", detail),
        }
    }
}

/// Has a change made at the provider, if the account's subscription is one of it; none when it is not.
pub(crate) async fn at_provider(
    state: &ApiState,
    (caller, account): (&Caller, &AccountId),
    asked: SubscriptionAsk,
) -> Result<Option<Response>, Problem> {
    let Some(connected) = &state.settings().provider else {
        return Ok(None);
    };
    let key = caller.idempotency_key.as_ref().map(ToString::to_string);
    let key = key.unwrap_or_else(|| state.engine().next_id().to_string());
    let billing = &connected.billing;
    let synced = billing.change_at_provider(account, &asked, &key).await?;
    let Some(synced) = synced else {
        return Ok(None);
    };
    let provider = billing.provider().code();
    let detail = match synced {
        Synced::Applied { .. } => {
            format!("`{provider}` changed it, and the account has what it says")
        }
        Synced::Parked(_) | Synced::NotOurs | Synced::Gone => {
            format!("`{provider}` was asked; what it says is in the list of problems")
        }
    };
    let body = ChangeBody {
        id: None,
        account: account.clone(),
        at: state.engine().now(),
        changed: Change::SubscriptionSynced.as_str().to_owned(),
        detail: Some(detail),
        unlimited: None,
        in_force: None,
        replayed: false,
    };
    Ok(Some((StatusCode::OK, Json(body)).into_response()))
}
