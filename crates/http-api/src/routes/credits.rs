//! Prepaid credits: grants by hand, what is left, and what is taken back.

use api_types::{
    ChangeBody, CreditsBody, GrantBody, GrantPurchaseBody, GrantState, NewGrantBody, ReasonBody,
    TakeBackBody,
};
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, Utc};
use quota_core::amount::Limit;
use quota_core::answer::Rejection;
use quota_core::balance::{Balance, Bucket};
use quota_core::command::{Command, GrantCredits, TakeBackCredits};
use quota_core::emptied::Emptied;
use quota_core::purchase::Purchase;
use quota_core::rules::wallet::{GrantStanding, standings};

use crate::ApiState;
use crate::body::{JsonBody, OptionalBody};
use crate::caller::{Reads, Writes};
use crate::note::Note;
use crate::params::{Account, OfGrant, Page};
use crate::problem::Problem;
use crate::submit::change;

/// Grants as they stand among each other.
pub(crate) fn grant_bodies(grants: &[GrantStanding], now: DateTime<Utc>) -> Vec<GrantBody> {
    let grant = |grant: &GrantStanding| grant_body(grant, now);
    grants.iter().filter_map(grant).collect()
}

/// A balance as a grant, if it is one.
fn grant_body(grant: &GrantStanding, now: DateTime<Utc>) -> Option<GrantBody> {
    let balance = &grant.balance;
    let Bucket::Grant(id) = &balance.bucket else {
        return None;
    };
    let backing = balance.backing.as_deref();
    Some(GrantBody {
        id: id.clone(),
        state: given_state(balance, now),
        granted: balance.worth(),
        used: balance.used,
        held: balance.held,
        remaining: balance.remaining(now).saturating_sub(grant.covers),
        revoked: backing.map_or(0, |backing| backing.revoked),
        frozen: balance.frozen(),
        covers: grant.covers,
        short: balance.short(),
        purchase: backing.and_then(|backing| backing.purchase.as_ref().map(purchase_body)),
        priority: balance.priority,
        starts_at: balance.starts_at,
        expires_at: balance.ends_at,
    })
}

/// With what a grant or a boost was bought.
pub(super) fn purchase_body(purchase: &Purchase) -> GrantPurchaseBody {
    GrantPurchaseBody {
        provider: purchase.line.provider.clone(),
        payment: purchase.line.payment.clone(),
        line: purchase.line.line.clone(),
        amount: purchase.money,
        currency: purchase.currency.clone(),
    }
}

/// Where a grant or a boost stands.
pub(super) fn given_state(balance: &Balance, now: DateTime<Utc>) -> GrantState {
    if balance.remaining(now) != 0 || balance.short() != 0 {
        return GrantState::Live;
    }
    match Emptied::of(balance, now) {
        Emptied::Reserved | Emptied::Frozen => GrantState::Live,
        Emptied::Spent => GrantState::Spent,
        Emptied::TakenBack => GrantState::TakenBack,
        Emptied::Over { .. } | Emptied::Earlier => GrantState::Expired,
    }
}

/// Shows an account's credits, and its grants: live and ended.
#[utoipa::path(get, path = "/{id}/credits", tag = "money",
    params(("id" = String, Path, description = "The account's id"),
        ("after" = Option<String>, Query, description = "The `next` of the previous page"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000, description = "How many ended grants a page has: 1 to 1,000; 100 by default")),
    responses((status = 200, body = CreditsBody)))]
pub(crate) async fn credits(
    State(state): State<ApiState>,
    _caller: Reads,
    Account(account): Account,
    page: Page,
) -> Result<Json<CreditsBody>, Problem> {
    let after = page.after_grant()?;
    let grants = state.engine().grants(&account).await?;
    let now = state.engine().now();
    let wallet = state.engine().overview(&account).await?.wallet;
    debug_assert!(
        grants.iter().all(|grant| grant.granted != Limit::Unlimited),
        "a grant is a number of credits"
    );
    let is_live = |grant: &GrantBody| grant.state == GrantState::Live;
    let all = grant_bodies(&standings(&grants, now), now).into_iter();
    let (mut shown, mut ended): (Vec<_>, Vec<_>) = all.partition(is_live);
    if let Some(after) = after {
        shown.clear();
        ended.retain(|grant| after < grant.id);
    }
    let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
    let has_more = limit < ended.len();
    ended.truncate(limit);
    let next = ended.last().filter(|_| has_more);
    let next = next.map(|last| last.id.to_string());
    shown.extend(ended);
    Ok(Json(CreditsBody {
        balance: wallet.free,
        frozen: wallet.frozen,
        debt: wallet.debt,
        waiting: wallet.waiting,
        grants: shown,
        next,
    }))
}

/// Shows one grant, also when it is spent, expired or taken back.
#[utoipa::path(get, path = "/{id}/credits/{grant}", tag = "money",
    params(("id" = String, Path, description = "The account's id"), ("grant" = String, Path, description = "The grant's id")),
    responses((status = 200, body = GrantBody), (status = 404, description = "There is no such account or grant", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn grant(
    State(state): State<ApiState>,
    _caller: Reads,
    Account(account): Account,
    OfGrant(id): OfGrant,
) -> Result<Json<GrantBody>, Problem> {
    let balance = state.engine().grant(&account, &id).await?;
    let now = state.engine().now();
    let all = standings(&state.engine().grants(&account).await?, now);
    let among = all.into_iter().find(|one| one.balance == balance);
    let grant = among.unwrap_or(GrantStanding { balance, covers: 0 });
    let body = grant_body(&grant, now);
    let unknown = || Problem::from(Rejection::UnknownGrant(id));
    body.map(Json).ok_or_else(unknown)
}

/// Grants credits.
#[utoipa::path(post, path = "/{id}/credits", tag = "money", request_body = NewGrantBody,
    params(("id" = String, Path, description = "The account's id")),
    responses((status = 201, description = "Granted", body = ChangeBody), (status = 409, description = "The grant already exists, or the account has the maximum number of grants", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn grant_credits(
    State(state): State<ApiState>,
    Writes(caller): Writes,
    Account(account): Account,
    JsonBody(body): JsonBody<NewGrantBody>,
) -> Result<Response, Problem> {
    let command = Command::GrantCredits(GrantCredits {
        grant: body.id,
        credits: body.amount,
        priority: body.priority,
        expires_at: body.expires_at,
    });
    change(&state, &caller, account, command, Note::reason(body.reason))
        .await
        .map_err(|problem| problem.at_instead("/grant", "/id"))
}

/// Takes back credits of a grant that was made by hand: all that is left of it, or as many as are said, spent ones included.
#[utoipa::path(post, path = "/{id}/credits/{grant}/take-back", tag = "money", request_body = Option<TakeBackBody>,
    params(("id" = String, Path, description = "The account's id"), ("grant" = String, Path, description = "The grant's id")),
    responses((status = 200, description = "Taken back", body = ChangeBody), (status = 404, description = "There is no such account or grant", body = Problem, content_type = "application/problem+json"), (status = 409, description = "The grant is worth less than that, or was bought", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn take_back(
    State(state): State<ApiState>,
    Writes(caller): Writes,
    Account(account): Account,
    OfGrant(grant): OfGrant,
    OptionalBody(body): OptionalBody<TakeBackBody>,
) -> Result<Response, Problem> {
    let command = Command::TakeBackCredits(TakeBackCredits {
        grant,
        credits: body.amount,
    });
    change(&state, &caller, account, command, Note::reason(body.reason)).await
}

/// Takes back what nobody has used or reserved of a grant that was made by hand: as `take-back` does without an amount.
#[utoipa::path(delete, path = "/{id}/credits/{grant}", tag = "money", request_body = Option<ReasonBody>,
    params(("id" = String, Path, description = "The account's id"), ("grant" = String, Path, description = "The grant's id")),
    responses((status = 200, description = "Taken back", body = ChangeBody), (status = 404, description = "There is no such account or grant", body = Problem, content_type = "application/problem+json"), (status = 409, description = "Nothing of the grant is left, or it was bought", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn take_back_rest(
    State(state): State<ApiState>,
    Writes(caller): Writes,
    Account(account): Account,
    OfGrant(grant): OfGrant,
    OptionalBody(body): OptionalBody<ReasonBody>,
) -> Result<Response, Problem> {
    let credits = None;
    let command = Command::TakeBackCredits(TakeBackCredits { grant, credits });
    change(&state, &caller, account, command, Note::reason(body.reason)).await
}
