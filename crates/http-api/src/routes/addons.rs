//! Add-ons: plans beside the base plan, in a quantity.

use api_types::{AddonList, ChangeBody, ChangeOrPreview, ReasonBody, SetAddonBody};
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use quota_core::command::{Command, EndAddon, SetAddon};
use quota_service::billing::AddonAsk;

use super::at_provider::addon_at_provider;
use super::held_subscription::{catalog_for, subscription_body};
use super::preview::previewed;
use crate::ApiState;
use crate::body::{JsonBody, OptionalBody};
use crate::caller::{Reads, Writes};
use crate::note::Note;
use crate::params::{Account, OfPlan};
use crate::problem::Problem;
use crate::submit::change;

/// Shows an account's add-ons.
#[utoipa::path(get, path = "/{id}/addons", tag = "money",
    params(("id" = String, Path, description = "The account's id")),
    responses((status = 200, body = AddonList)))]
pub(crate) async fn addons(
    State(state): State<ApiState>,
    _caller: Reads,
    Account(account): Account,
) -> Result<Json<AddonList>, Problem> {
    let row = state.engine().account(&account).await?;
    let terms = &row.account.terms;
    let catalog = catalog_for(&state, terms.subscription.as_ref()).await?;
    let body = subscription_body(&state, terms, &catalog);
    Ok(Json(AddonList {
        addons: body.map_or_else(Vec::new, |body| body.addons),
    }))
}

/// Gives the account so many of an add-on from now on, or changes how many, and until when.
///
/// Where a payment provider has the account's subscription and sells the add-on, it is asked first, and bills it with the plan.
#[utoipa::path(put, path = "/{id}/addons/{plan}", tag = "money", request_body = SetAddonBody,
    params(("id" = String, Path, description = "The account's id"), ("plan" = String, Path, description = "The code of the add-on's plan")),
    responses((status = 200, description = "Set; with `dry_run`, what that would come to", body = ChangeOrPreview), (status = 409, description = "There is no subscription, it has ended, or the account has the maximum number of add-ons; or the payment provider bills it and a change of plan waits", body = Problem, content_type = "application/problem+json"), (status = 502, description = "The payment provider that bills the add-on refuses, or its answer cannot be read: the code says which", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn set_addon(
    State(state): State<ApiState>,
    Writes(caller): Writes,
    Account(account): Account,
    OfPlan(plan): OfPlan,
    JsonBody(body): JsonBody<SetAddonBody>,
) -> Result<Response, Problem> {
    let asked = AddonAsk {
        plan: plan.clone(),
        quantity: Some(body.quantity),
        ends_at: body.ends_at,
    };
    let command = Command::SetAddon(SetAddon {
        plan,
        quantity: body.quantity,
        ends_at: body.ends_at,
    });
    let answer = if body.dry_run {
        previewed(&state, account, command).await
    } else if let Some(answer) = addon_at_provider(&state, (&caller, &account), asked).await? {
        return Ok(answer);
    } else {
        change(&state, &caller, account, command, Note::reason(body.reason)).await
    };
    answer.map_err(|problem| problem.in_path("/plan", "plan").in_path("/addon", "plan"))
}

/// Ends an add-on, at once; where more is used than what is left allows, nothing is taken away.
#[utoipa::path(delete, path = "/{id}/addons/{plan}", tag = "money", request_body = Option<ReasonBody>,
    params(("id" = String, Path, description = "The account's id"), ("plan" = String, Path, description = "The code of the add-on's plan")),
    responses((status = 200, description = "Ended", body = ChangeBody), (status = 404, description = "There is no such account, or it does not hold the add-on", body = Problem, content_type = "application/problem+json"), (status = 409, description = "The payment provider bills it and a change of plan waits", body = Problem, content_type = "application/problem+json"), (status = 502, description = "The payment provider that bills the add-on refuses, or its answer cannot be read: the code says which", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn end_addon(
    State(state): State<ApiState>,
    Writes(caller): Writes,
    Account(account): Account,
    OfPlan(plan): OfPlan,
    OptionalBody(body): OptionalBody<ReasonBody>,
) -> Result<Response, Problem> {
    let asked = AddonAsk {
        plan: plan.clone(),
        quantity: None,
        ends_at: None,
    };
    if let Some(answer) = addon_at_provider(&state, (&caller, &account), asked).await? {
        return Ok(answer);
    }
    let command = Command::EndAddon(EndAddon { plan });
    change(&state, &caller, account, command, Note::reason(body.reason)).await
}
