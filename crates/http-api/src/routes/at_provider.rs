//! Changes of a subscription that a payment provider decides on.

use api_types::ChangeBody;
use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use quota_core::change::Change;
use quota_core::ids::AccountId;
use quota_service::billing::{ActError, AddonAsk, SubscriptionAsk, Synced};

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
            ActError::ChangeWaits(_) => Self::new(StatusCode::CONFLICT, "change_waits", detail),
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
    let billing = &connected.billing;
    let key = key_of(state, caller);
    let synced = billing.change_at_provider(account, &asked, &key).await?;
    Ok(synced.map(|synced| answer(state, account, (&synced, true))))
}

/// Has an add-on set at the provider, if that bills it; none when it does not.
pub(crate) async fn addon_at_provider(
    state: &ApiState,
    (caller, account): (&Caller, &AccountId),
    asked: AddonAsk,
) -> Result<Option<Response>, Problem> {
    let Some(connected) = &state.settings().provider else {
        return Ok(None);
    };
    let billing = &connected.billing;
    let key = key_of(state, caller);
    let set = billing.set_addon_at_provider(account, &asked, &key).await?;
    Ok(set.map(|set| answer(state, account, (&set.synced, set.is_had))))
}

fn key_of(state: &ApiState, caller: &Caller) -> String {
    let key = caller.idempotency_key.as_ref().map(ToString::to_string);
    key.unwrap_or_else(|| state.engine().next_id().to_string())
}

/// What the provider was asked came to.
fn answer(state: &ApiState, account: &AccountId, (synced, is_had): (&Synced, bool)) -> Response {
    let provider = state.settings().provider.as_ref();
    let provider = provider.map_or("", |one| one.billing.provider().code().as_str());
    let detail = match synced {
        Synced::Applied { .. } if !is_had => {
            format!(
                "`{provider}` was asked, and waits for its payment: until then the account has what it had"
            )
        }
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
    (StatusCode::OK, Json(body)).into_response()
}
