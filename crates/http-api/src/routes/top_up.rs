//! Auto top-up: a pack that is bought when credits run low.

use api_types::{
    AutoTopUpBody, ChangeBody, FieldError, ReasonBody, SetTopUpBody, TopUpBody, TopUpOffBody,
};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use quota_core::command::{Command, SetTopUp};
use quota_core::provider::TopUp;
use quota_service::billing::{TopUpRefusal, TopUpStanding};

use crate::ApiState;
use crate::body::{JsonBody, OptionalBody};
use crate::caller::{Reads, Writes};
use crate::note::Note;
use crate::params::Account;
use crate::problem::Problem;
use crate::routes::billing::connected;
use crate::routes::spend_cap::NoQuery;
use crate::submit::change;

/// Top-ups that are shown with how it stands.
const LAST_MAX: u32 = 10;

impl From<TopUpRefusal> for Problem {
    fn from(refusal: TopUpRefusal) -> Self {
        let detail = refusal.to_string();
        match refusal {
            TopUpRefusal::Billing(error) => error.into(),
            TopUpRefusal::NoCustomer(_) => Self::new(StatusCode::CONFLICT, "no_customer", detail),
            TopUpRefusal::NotForSale { .. } => {
                Self::new(StatusCode::CONFLICT, "not_for_sale", detail.clone())
                    .about(FieldError::at("/pack", detail))
            }
        }
    }
}

fn top_up_body(top_up: TopUp) -> TopUpBody {
    TopUpBody {
        id: top_up.id,
        state: top_up.state,
        pack: top_up.pack,
        amount: top_up.amount,
        currency: top_up.currency,
        opened_at: top_up.opened_at,
        ended_at: top_up.ended_at,
        payment: top_up.payment,
        failure: top_up.failure,
        error: top_up.error,
    }
}

fn standing_body(standing: TopUpStanding) -> AutoTopUpBody {
    let wanted = standing.wanted;
    AutoTopUpBody {
        next_try_at: wanted.next_try_at().filter(|_| wanted.is_on()),
        on: wanted.is_on(),
        off: wanted.off.map(|off| TopUpOffBody {
            at: off.at,
            why: off.why,
        }),
        pack: wanted.pack,
        below: wanted.below.get(),
        most_per_month: wanted.most_per_month,
        set_at: wanted.set_at,
        bought_this_month: standing.bought_this_month,
        month_ends_at: standing.month_ends_at,
        failures: wanted.failures,
        failure: wanted.failure,
        last: standing.last.into_iter().map(top_up_body).collect(),
    }
}

/// How auto top-up of an account stands: what is bought, how many this month, what went wrong, and the last ones.
#[utoipa::path(get, path = "/{id}/top-up", tag = "billing",
    params(("id" = String, Path, description = "The account's id")),
    responses((status = 200, body = AutoTopUpBody), (status = 404, description = "There is no such account, it has no auto top-up, or no payment provider is connected", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn top_up(
    State(state): State<ApiState>,
    _caller: Reads,
    Account(account): Account,
    _query: NoQuery,
) -> Result<Json<AutoTopUpBody>, Problem> {
    let billing = &connected(&state)?.billing;
    let standing = billing.top_up_standing(&account, LAST_MAX).await?;
    let standing = standing.ok_or_else(|| {
        let detail = format!("`{account}` has no auto top-up");
        Problem::new(StatusCode::NOT_FOUND, "no_top_up", detail)
    })?;
    Ok(Json(standing_body(standing)))
}

/// Has a pack bought whenever fewer credits than a bound can be spent: off session, by what the account's customer pays with.
///
/// One is bought at a time, and no request waits for it. It is looked whether one is due at once. After a failure there is a pause,
/// which doubles; after three in a row it is switched off, as it is when money of a top-up comes back. Set again, it is on again.
#[utoipa::path(put, path = "/{id}/top-up", tag = "billing", request_body = SetTopUpBody,
    params(("id" = String, Path, description = "The account's id")),
    responses((status = 200, description = "Set", body = ChangeBody), (status = 404, description = "There is no such account or pack, or no payment provider is connected", body = Problem, content_type = "application/problem+json"), (status = 409, description = "The account is no customer of the provider, or the pack is not sold there", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn set_top_up(
    State(state): State<ApiState>,
    Writes(caller): Writes,
    Account(account): Account,
    _query: NoQuery,
    JsonBody(body): JsonBody<SetTopUpBody>,
) -> Result<Response, Problem> {
    let billing = &connected(&state)?.billing;
    billing.prepare_top_ups(&account, &body.pack).await?;
    let command = Command::SetTopUp(SetTopUp {
        pack: body.pack,
        below: body.below,
        most_per_month: body.most_per_month,
    });
    let note = Note::reason(body.reason);
    let set = change(&state, &caller, account.clone(), command, note).await?;
    billing.settle_top_up_problem(&account).await?;
    billing.look_soon(account);
    Ok(set)
}

/// Has nothing bought any more. What is on its way at the provider comes to its end, and is credited if it is paid.
#[utoipa::path(delete, path = "/{id}/top-up", tag = "billing", request_body = Option<ReasonBody>,
    params(("id" = String, Path, description = "The account's id")),
    responses((status = 200, description = "Cleared", body = ChangeBody)))]
pub(crate) async fn clear_top_up(
    State(state): State<ApiState>,
    Writes(caller): Writes,
    Account(account): Account,
    _query: NoQuery,
    OptionalBody(body): OptionalBody<ReasonBody>,
) -> Result<Response, Problem> {
    let note = Note::reason(body.reason);
    let cleared = change(&state, &caller, account.clone(), Command::ClearTopUp, note).await?;
    if let Some(connected) = &state.settings().provider {
        connected.billing.settle_top_up_problem(&account).await?;
    }
    Ok(cleared)
}
